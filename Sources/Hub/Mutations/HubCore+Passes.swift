import AppSync
import Basics
import SQLite

extension HubCore {
    /// Carries out what can be carried out of a request, in order, within the open transaction; nil where some of it
    /// must wait.
    ///
    /// What waits holds up only what comes after it in the same request and concerns the same records.
    func answer(_ run: inout MutationRun, isolated: Bool) throws -> HubAnswer? {
        guard run.roots.count <= Self.batchLimit else {
            return RequestFailure.invalid([
                ResponseError(
                    "A request holds at most \(Self.batchLimit) mutations, not \(run.roots.count).",
                    errorType: ErrorType.limitExceeded)
            ]).answer(extensions: extensions)
        }
        conflictBytes = 0
        var isWhole = true
        var held: Set<String> = []
        for index in run.mutations where run.outcomes[index] == nil {
            guard let members = run.members(of: index) else { continue }
            if !run.waiting.isEmpty || !held.isEmpty {
                let records = records(of: members, run)
                if run.waiting.contains(index) || !records.isDisjoint(with: held) {
                    held.formUnion(records)
                    isWhole = false
                    continue
                }
            }
            if let isReady = settleNeeds(of: members, index, &run) {
                if isReady { continue }
                held.formUnion(records(of: members, run))
                isWhole = false
                continue
            }
            if try !carryOut(index, members, &run, isolated: isolated) {
                held.formUnion(records(of: members, run))
                isWhole = false
            }
        }
        // Where no step waits for a function or another request, nothing would ever wake the rest.
        return isWhole || run.waiting.isEmpty ? encoded(run) : nil
    }

    /// Looks at what a step needs of the steps before it: nil where all of that is carried out, true where the step is
    /// refused for want of it, false where the step waits with it.
    private func settleNeeds(of members: [Int], _ index: Int, _ run: inout MutationRun) -> Bool? {
        guard !run.request.needs.isEmpty else { return nil }
        let own = Set(members.map { run.roots[$0].key })
        var missing: String?
        for key in members.flatMap({ run.request.needs[run.roots[$0].key] ?? [] }) where !own.contains(key) {
            guard let place = run.places[key], place < index else {
                missing = key
                continue
            }
            switch run.outcomes[place] {
            case .success?: continue
            case .failure?: missing = key
            case nil: return false
            }
        }
        guard let missing else { return nil }
        for member in members {
            run.outcomes[member] = .failure(
                ResponseError(
                    "Not carried out: \(missing), which it needs, was not.", errorType: ErrorType.transactionCanceled,
                    path: [.field(run.roots[member].key)], locations: [run.roots[member].location]))
        }
        if run.ticket != 0 { run.settled.append(index) }
        return true
    }

    /// Carries out one step; false where it waits now.
    private func carryOut(_ index: Int, _ members: [Int], _ run: inout MutationRun, isolated: Bool) throws -> Bool {
        if !run.inherited.isEmpty, inherit(members, &run) { return true }
        if !room.isEmpty || !asking.isEmpty, let key = keyUnderWay(of: members, index, run) {
            run.waiting.insert(index)
            run.asked.append(.join(step: index, key))
            return false
        }
        do {
            if members.count == 1, run.request.units[run.roots[index].key] == nil {
                let field = run.roots[index]
                guard case .root(let root) = field.definition.source else { return true }
                let decided = run.decisions.isEmpty ? nil : run.decisions[field.key]
                run.outcomes[index] =
                    isolated
                    ? try isolatedOutcome(root, field, run.request, decided)
                    : try mutate(root, field, run.request, decided)
            } else {
                let outcomes = try unitOutcomes(
                    of: members.map { run.roots[$0] }, run.request, run.decisions, isolated: isolated)
                for member in members { run.outcomes[member] = outcomes[run.roots[member].key] }
            }
        } catch let needs as NeedsFunction {
            run.decisions[needs.question.key, default: FieldDecisions()].madeID = needs.madeID
            let keys = Set(keys(of: members, run))
            asking.formUnion(keys)
            run.waiting.insert(index)
            run.asked.append(.question(step: index, needs.question, keys))
            return false
        }
        if run.ticket != 0 { run.settled.append(index) }
        return true
    }

    private func isolatedOutcome(
        _ root: RootField, _ field: SelectedField, _ request: RunnableRequest, _ decided: FieldDecisions?
    ) throws -> MutationOutcome {
        let count = pending.count
        do {
            return try connection.savepoint { try mutate(root, field, request, decided) }
        } catch let error as SQLiteError where !error.isEnvironmental {
            pending.removeLast(pending.count - count)
            log(.error, "\(root.name) failed: \(error)", request: request.id)
            return .failure(
                ResponseError(
                    "The hub could not store this mutation.", errorType: ErrorType.internalFailure,
                    path: [.field(field.key)], locations: [field.location]))
        }
    }

    /// The whole answer, once every step has its outcome; one that has none says so in an error.
    private func encoded(_ run: MutationRun) -> HubAnswer {
        let caller = run.request.rights.caller
        reader.budget = reader.budgetBesideCommits(for: caller)
        var encoder = RowEncoder(
            engine.limits, isCarriedOut: true, capacity: 256 + 768 * run.roots.count)
        encoder.writer.raw("{\"data\":{")
        for (index, field) in run.roots.enumerated() {
            if index > 0 { encoder.writer.raw(",") }
            encoder.writer.bytes.append(contentsOf: field.keyBytes)
            guard case .root(let root) = field.definition.source, let selection = field.selection else {
                encoder.writer.string("Mutation")
                continue
            }
            switch run.outcomes[index] {
            case .success(let told)?:
                // What was carried out is answered up to the answer's ceiling; what it leads to has a lower limit.
                let (start, before) = (encoder.written, reader.budget.bytes)
                let model = engine.schema.models[root.model]
                if selection.hasRelations {
                    reader.besideCommits(for: caller) {
                        encoder.encode(told.row, selection, model, reader.resolver(run.request), hidden: told.hidden) {
                            [.field(field.key)]
                        }
                    }
                } else {
                    encoder.encode(told.row, selection, model, nil, hidden: told.hidden) { [.field(field.key)] }
                }
                reader.budget.count(grown: encoder.written - start, since: before)
                engine.accessLog.refused(encoder.errors.takeDenied(), root, run.request)
            case .failure(let error)?:
                statistics.refused += 1
                encoder.errors.append(error)
                encoder.writer.raw("null")
            case nil:
                log(.error, "\(root.name) was left without an outcome", request: run.request.id)
                encoder.errors.append(
                    ResponseError(
                        "The hub did not carry out this mutation.", errorType: ErrorType.internalFailure,
                        path: [.field(field.key)], locations: [field.location]))
                encoder.writer.raw("null")
            }
        }
        return encoder.finished(extensions)
    }

    // MARK: What a step concerns

    /// The records of a step, as far as its input names them.
    private func records(of members: [Int], _ run: MutationRun) -> Set<String> {
        var records: Set<String> = []
        for member in members {
            let field = run.roots[member]
            guard case .root(let root) = field.definition.source,
                let input = try? engine.mutationInput(of: field, run.request.variables)
            else { continue }
            let model = engine.schema.models[root.model]
            guard model.keyPositions.allSatisfy({ !(input.values[$0] ?? .null).isNull }) else { continue }
            records.insert("\(root.model)#\(model.key(of: input.values.map { $0 ?? .null }))")
        }
        return records
    }

    /// The mutation ids of a step.
    func keys(of members: [Int], _ run: MutationRun) -> [WaitingRoom.MutationKey] {
        guard !run.request.mutationIDs.isEmpty else { return [] }
        let scope = run.request.rights.caller.scope
        return members.compactMap { member in
            run.request.mutationIDs[run.roots[member].key].map { WaitingRoom.MutationKey(scope: scope, id: $0) }
        }
    }

    /// A mutation id of a step that another step waits with.
    private func keyUnderWay(of members: [Int], _ index: Int, _ run: MutationRun) -> WaitingRoom.MutationKey? {
        let step = WaitingRoom.Step(ticket: run.ticket, index: index)
        return keys(of: members, run).first { key in
            if let owner = room.owner(of: key) { return owner != step }
            return asking.contains(key)
        }
    }

    /// Takes over what was refused where a step had joined; false where it is to be carried out by itself.
    private func inherit(_ members: [Int], _ run: inout MutationRun) -> Bool {
        let keys = keys(of: members, run)
        guard keys.count == members.count else { return false }
        let errors = keys.compactMap { run.inherited[$0] }
        guard errors.count == members.count else { return false }
        for (member, error) in zip(members, errors) {
            var own = error
            own.path = [.field(run.roots[member].key)]
            own.locations = [run.roots[member].location]
            run.outcomes[member] = .failure(own)
        }
        return true
    }
}
