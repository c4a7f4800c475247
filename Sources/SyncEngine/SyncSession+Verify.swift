import AppSync
import DataStore
import Models

/// Changes whose answer was lost, at a backend without mutation ids: what became of them the record tells.
extension SyncSession {
    /// Looks whether an earlier try of a change was carried out.
    func verify(_ entry: OutboxEntry, _ model: ModelSchema) {
        let id = newRequest(.verify(entry))
        perform(
            .http(
                id: id, body: requests.get(model, id: entry.id), person: entry.identity, modes: authModes(model, .get),
                personal: true))
        run(outbox.handle(.took(request: id, count: entry.kind == .update ? 1 : 0)))
    }

    func verifyAnswered(_ id: Int, _ entry: OutboxEntry, _ answer: HTTPAnswer) {
        // An update was not sent yet this time.
        let isSent = entry.kind == .create
        if case .unauthorized(let reason) = answer.kind {
            return settle(id, undecided([entry], reason, mayHaveArrived: isSent)) {
                .unauthorized(request: id, reason: reason)
            }
        }
        guard let model = core.schema.model(entry.model), case .graphQL = answer.kind,
            let (found, tail) = try? answers.record(answer.body, of: model)
        else {
            return requeue(
                id, [entry], "the record could not be looked up", retryAfter: answer.retryAfter, mayHaveArrived: isSent)
        }
        let outcome: MutationResult.Outcome
        switch (found, tail.errors.first) {
        // Who may not read it may be allowed to change it.
        case (nil, let error?) where isSent || !ErrorType.isAuthorization(error.errorType):
            outcome = error.outcome(for: entry)
        case (.success(let record)?, _) where entry.isHeld(by: record, model, core.schema):
            outcome = .applied(RemoteRecord(record))
        case _ where !isSent:
            // No try arrived, so that this one is the first.
            post([(entry, model, place(of: entry))], as: entry.identity)
            return run(outbox.handle(.settled(request: id)))
        case (.success(let record)?, _): outcome = entry.created(record, model, core.schema)
        case (.failure(let row)?, _):
            outcome = .refused(
                code: ErrorType.conditionalCheckFailed, message: "the record there is unreadable: \(row.reason)")
        case (nil, _):
            outcome = .refused(
                code: ErrorType.conditionalCheckFailed,
                message: "a record with this id exists and is not shown to this person")
        }
        noteForeign([entry])
        settle(id, [MutationResult(order: entry.order, outcome: outcome)], of: [entry]) { .settled(request: id) }
    }
}
