import AppSync
import Basics
import DataStore
import Models

extension SyncSession {
    func run(_ actions: [OutboxMachine.Action]) {
        for action in actions {
            switch action {
            case .take(let limit): take(limit)
            case .setDeadline(let wait): deadlines.set(.outbox, at: wait.map { uptime + $0 })
            case .pause(let reason):
                tellOfPause(.mutate, reason)
            }
        }
    }

    private func take(_ limit: Int) {
        // What is lost at the backend goes first; where the store cannot queue it now, it can later.
        guard !isRecoveryDue else { return run(outbox.handle(.empty(retryAfter: Self.storeRetry))) }
        settleAgain()
        var batch: MutationBatch?
        var retryAfter: Int64?
        let isReadable = attempt {
            let held = try core.lanes().filter { !options.maySend($0) }
            batch = try core.nextMutations(
                limit: limit, busy: Set(held), plainOnly: !profile.isKnown, joinsParents: profile.mindsNeeds)
            if batch == nil { retryAfter = core.nextRetryDelay() }
        }
        guard let batch, !batch.entries.isEmpty else {
            if !profile.isKnown, isReadable, core.hasQueuedSpecials { return probe() }
            // Answers that could not be kept are kept later, even where nothing else wakes it.
            if !isReadable || !unsettled.isEmpty { retryAfter = Self.storeRetry }
            run(outbox.handle(.empty(retryAfter: retryAfter)))
            return
        }
        send(batch)
    }

    private func send(_ batch: MutationBatch) {
        if !profile.isKnown, batch.entries.contains(where: \.isRepeatedUpdate) { return ask(before: batch) }
        var entries: [(entry: OutboxEntry, model: ModelSchema, place: Int)] = []
        var unknown: [MutationResult] = []
        for entry in batch.entries {
            if let reason = refusal(of: entry, in: batch) {
                unknown.append(
                    MutationResult(order: entry.order, outcome: .refused(code: "Unsupported", message: reason)))
            } else if let model = core.schema.model(entry.model) {
                entries.append((entry, model, place(of: entry)))
            } else {
                unknown.append(
                    MutationResult(
                        order: entry.order,
                        outcome: .refused(code: "UnknownModel", message: "the schema has no \(entry.model) any more")))
            }
        }
        if !unknown.isEmpty {
            if !attempt({ try core.settle(unknown) }) { unsettled.append((unknown, [])) }
            refreshCounts()
            // What goes as one with these was parked with them.
            let units = Set(unknown.compactMap { batch.units[$0.order] })
            entries.removeAll { batch.units[$0.entry.order].map { units.contains($0) } ?? false }
        }
        let repeated = profile.knowsMutationIDs ? [] : entries.filter(\.entry.isRepeatedUpdate)
        if !repeated.isEmpty { entries.removeAll { $0.entry.isRepeatedUpdate } }
        if !entries.isEmpty || repeated.isEmpty {
            post(entries, as: batch.identity, units: batch.units, needs: batch.needs)
        }
        for (entry, model, _) in repeated { verify(entry, model) }
    }

    /// What became of an update's earlier try only a backend with mutation ids knows by itself, and this one has not said
    /// yet whether it is one.
    private func ask(before batch: MutationBatch) {
        let results = undecided(batch.entries, "the backend is asked first what it knows", mayHaveArrived: false)
        if !attempt({ try core.settle(results) }) { unsettled.append((results, [])) }
        refreshCounts()
        probe()
    }

    func post(
        _ batched: [(entry: OutboxEntry, model: ModelSchema, place: Int)], as identity: String?,
        units: [Int64: Int64] = [:], needs: [Int64: [Int64]] = [:]
    ) {
        var entries = batched
        entries.sort { ($0.place, $0.entry.order) < ($1.place, $1.entry.order) }
        var mutations = entries.map { OutgoingMutation($0.entry, $0.model, unit: units[$0.entry.order]) }
        if !profile.keepsMembers { for index in mutations.indices { mutations[index].bases = nil } }
        if !needs.isEmpty {
            let places = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.entry.order, $0) })
            for index in mutations.indices {
                // One that was refused before it went is none of the request's.
                let needed = needs[entries[index].entry.order] ?? []
                mutations[index].needs = needed.map { places[$0] ?? mutations.count }
            }
        }
        // A condition that cannot be written was refused above.
        guard !mutations.isEmpty,
            let body = try? requests.push(mutations, withIDs: profile.knowsMutationIDs, epoch: epoch)
        else {
            run(outbox.handle(.wake))
            return
        }
        let sent = entries.map(\.entry)
        let id = newRequest(.push(entries: sent, mutations: mutations))
        echoes.sent(sent)
        perform(
            .http(
                id: id, body: body, person: identity, modes: modes(of: entries), personal: true))
        run(outbox.handle(.took(request: id, count: mutations.count)))
    }

    /// Like with like, so that the backend has few different documents to know: parents are made first and go last.
    func place(of entry: OutboxEntry) -> Int {
        let model = modelOrder[entry.model] ?? 0
        return entry.kind == .delete ? Int.max - model : model * 2 + Int(entry.kind.rawValue)
    }

    /// The providers to try for a request, in the first change's order. Several changes go in one only where they are to be
    /// applied as one, and then one provider must do for all of them.
    private func modes(of entries: [(entry: OutboxEntry, model: ModelSchema, place: Int)]) -> [AuthProvider] {
        let lists = entries.map { entry, model, _ in
            switch entry.kind {
            case .create: authModes(model, .create)
            case .update: authModes(model, .update)
            case .delete: authModes(model, .delete)
            }
        }
        guard let first = lists.first else { return [] }
        let common = first.filter { mode in lists.allSatisfy { $0.contains(mode) } }
        // Where none does, the backend says so.
        return common.isEmpty ? first : common
    }

    /// The providers to try for an operation, in order; none where the driver's own credentials are for everything.
    func authModes(_ model: ModelSchema, _ operation: AuthRule.Operation) -> [AuthProvider] {
        guard options.authModeStrategy == .multiAuth else { return [] }
        return model.authModes(operation, available: options.availableProviders())
    }

    func pushAnswered(
        _ id: Int, _ entries: [OutboxEntry], _ mutations: [OutgoingMutation], _ answer: HTTPAnswer
    ) {
        switch answer.kind {
        case .unauthorized(let reason):
            return settle(id, undecided(entries, reason, mayHaveArrived: false)) {
                .unauthorized(request: id, reason: reason)
            }
        case .overloaded(let reason): return requeue(id, entries, reason, retryAfter: answer.retryAfter)
        case .malformed(let reason): return indigestible(id, entries, ResponseError(reason, errorType: "Invalid"))
        case .graphQL: break
        }
        guard let (results, tail) = try? answers.push(answer.body, for: mutations) else {
            return requeue(id, entries, "the answer is no GraphQL", retryAfter: nil)
        }
        let lifeBefore = epoch
        learn(tail)
        // Also where the store could not take note of it yet.
        let isOtherLife = lifeBefore != nil && (profile.epoch ?? lifeBefore) != lifeBefore
        let isUnanswered = results.allSatisfy { if case .missing = $0 { true } else { false } }
        if isUnanswered, let error = tail.errors.first { return indigestible(id, entries, error) }
        var settled: [MutationResult] = []
        settled.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            let verdict = results[index].verdict(
                on: entry, model: mutations[index].model, reader: answers, schema: core.schema,
                knowsIDs: profile.knowsMutationIDs)
            switch verdict {
            case .outcome(let outcome):
                settled.append(
                    MutationResult(order: entry.order, outcome: isOtherLife ? outcome.inAnotherLife : outcome))
            case .verify where options.maySend(entry.identity): verify(entry, mutations[index].model)
            case .verify: settled += undecided([entry], "it is looked up when its person is signed in again")
            }
        }
        run(pull.handle(.linkUp))
        noteForeign(entries)
        settle(id, settled, of: entries) { .settled(request: id) }
    }

    /// The backend refused the request as a whole: one bad entry must not hold the others, so they go one by one.
    private func indigestible(_ id: Int, _ entries: [OutboxEntry], _ error: ResponseError) {
        if entries.count == 1 || core.isOneUnit(entries) {
            let results = entries.map { MutationResult(order: $0.order, outcome: error.outcome(for: $0)) }
            settle(id, results) { .settled(request: id) }
            return
        }
        settle(id, undecided(entries, error.message)) { .indigestible(request: id, count: entries.count) }
    }

    /// Puts back what was not decided and waits for the link.
    ///
    /// - Parameter mayHaveArrived: whether the backend may have carried it out.
    func requeue(
        _ id: Int, _ entries: [OutboxEntry], _ reason: String, retryAfter: Int64?, mayHaveArrived: Bool = true
    ) {
        settle(id, undecided(entries, reason, mayHaveArrived: mayHaveArrived)) {
            .failed(request: id, retryAfter: retryAfter)
        }
    }

    func undecided(
        _ entries: [OutboxEntry], _ reason: String, mayHaveArrived: Bool = true
    ) -> [MutationResult] {
        let outcome: MutationResult.Outcome =
            mayHaveArrived ? .transient(reason: reason, delay: 0) : .untouched(reason: reason)
        return entries.map { MutationResult(order: $0.order, outcome: outcome) }
    }

    func settle(
        _ id: Int, _ results: [MutationResult], of entries: [OutboxEntry] = [], _ then: () -> OutboxMachine.Event
    ) {
        let isSettled = attempt { try core.settle(results) }
        if !isSettled { unsettled.append((results, entries)) }
        // Frames that waited for an answer which did not bring what they hold.
        apply(results.compactMap { echoes.settled($0) }, unreadable: [])
        if isSettled { release(entries) }
        refreshCounts()
        run(outbox.handle(then()))
    }

    /// Gives the store again what it could not take.
    private func settleAgain() {
        while let (results, entries) = unsettled.first {
            // Somebody else may have signed in since.
            noteForeign(entries)
            guard attempt({ try core.settle(results) }) else { return }
            unsettled.removeFirst()
            refreshCounts()
            release(entries)
        }
    }

    /// These are unsent no more, so their rows go if they are not to be kept here.
    private func release(_ entries: [OutboxEntry]) {
        if entries.isEmpty { return }
        if !options.scope.filters.isEmpty { letGoOfOutside(entries) }
        askForForeign(of: entries)
    }

    private static let storeRetry: Int64 = 5000
}

extension HTTPAnswer {
    /// What the status says.
    enum Kind {
        /// The body is GraphQL's.
        case graphQL
        case unauthorized(reason: String)
        /// Later, perhaps.
        case overloaded(reason: String)
        /// This body never.
        case malformed(reason: String)
    }

    var kind: Kind {
        switch status {
        case 200..<300: return .graphQL
        case 401, 403: return .unauthorized(reason: message ?? "the backend answers \(status)")
        case 400, 413, 414, 415, 422: return .malformed(reason: message ?? "the backend answers \(status)")
        default: return .overloaded(reason: message ?? "the backend answers \(status)")
        }
    }

    private var message: String? {
        guard let json = try? JSONValue(parsing: body) else { return nil }
        return ResponseError.list(json: json["errors"]).first?.description
    }
}
