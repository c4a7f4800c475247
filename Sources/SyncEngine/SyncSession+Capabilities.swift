import AppSync
import DataStore

/// Units and operations go only to a backend that is known to take them: what another would do with them is not what was
/// asked for.
extension SyncSession {
    /// Takes over what an answer announces.
    func learn(_ tail: AnswerTail) {
        lastWord = uptime
        let before = profile
        profile.learn(tail)
        if profile.isKnown != before.isKnown { run(outbox.handle(.wake)) }
        let size = options.batchSize(at: profile)
        if size != options.batchSize(at: before) { run(outbox.handle(.batchSize(size))) }
        if let name = profile.epoch {
            if name != epoch || !before.isKnown { isRecoveryDue = true }
            if name != epoch {
                newEpoch(name)
            } else if !before.isKnown {
                attempt { try setLife(name) }
            }
        }
    }

    /// Why an entry cannot go to this backend; nil where it can.
    func refusal(of entry: OutboxEntry, in batch: MutationBatch) -> String? {
        if let unit = batch.units[entry.order] {
            let size = batch.units.values.count { $0 == unit }
            if !profile.appliesUnits {
                return "this backend cannot apply several changes as one; revert it, or save them in transactions apart"
            }
            if size > profile.batchSize {
                return "this backend takes \(profile.batchSize) changes at once, and \(size) are to be applied as one"
            }
        }
        if entry.hasOperations, !profile.takesOperations {
            return "this backend takes no operations such as increment; edit the entry into a value, or revert it"
        }
        if let type = endless[entry.model] { return Self.endlessness(type) }
        if let condition = entry.condition, let model = core.schema.model(entry.model) {
            do throws(FilterError) { _ = try condition.conditionInput(for: model) } catch {
                return "its condition cannot be sent: \(error); revert it and make the change anew"
            }
        }
        return nil
    }

    /// A copy of a part would take the rest away with its next change, so that such a model stays here alone.
    func tellOfEndlessModels() {
        for model in orderedModels where core.options.policy(of: model) != .none {
            guard let type = endless[model.name] else { continue }
            tell(
                of: StoreProblem(
                    .sync, .configuration, model: model.name, message: Self.endlessness(type),
                    recovery: "it is neither fetched nor sent; give the model @sync(policy: NONE), or the list an end"))
        }
    }

    private static func endlessness(_ type: String) -> String {
        "\(type) contains itself, so that no document can ask for all of it"
    }

    /// Asks for nothing but the announcement that every answer carries.
    func probe() {
        let isAsked = pending.values.contains { if case .probe = $0.what { true } else { false } }
        if isAsked { return run(outbox.handle(.empty(retryAfter: nil))) }
        let id = newRequest(.probe)
        perform(.http(id: id, body: RequestWriter.probe, person: options.person))
        run(outbox.handle(.took(request: id, count: 0)))
    }

    func probeAnswered(_ id: Int, _ answer: HTTPAnswer) {
        switch answer.kind {
        case .unauthorized(let reason): run(outbox.handle(.unauthorized(request: id, reason: reason)))
        case .overloaded(let reason): requeue(id, [], reason, retryAfter: answer.retryAfter)
        case .malformed, .graphQL:
            if let tail = try? answers.tail(answer.body) { learn(tail) }
            guard profile.isKnown else {
                return requeue(id, [], "whoever answers is no GraphQL backend", retryAfter: nil)
            }
            run(outbox.handle(.settled(request: id)))
        }
    }
}

extension SyncOptions {
    /// How many changes go in one request, unless more are to be applied as one.
    func batchSize(at profile: RemoteProfile) -> Int {
        // Each change has its own providers to be tried with.
        authModeStrategy == .multiAuth ? 1 : profile.batchSize
    }
}
