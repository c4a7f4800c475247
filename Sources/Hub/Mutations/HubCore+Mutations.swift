import AppSync
import Basics
import Models
import SQLite

extension HubCore {
    /// Carries out one mutation within the open transaction. All checks come before the first write, so that a refused
    /// mutation leaves nothing behind.
    ///
    /// - Throws: ``NeedsFunction`` where a function must decide first, else `SQLiteError` only; everything the caller did
    ///   wrong is the result's error.
    func mutate(
        _ root: RootField, _ field: SelectedField, _ request: RunnableRequest, _ decided: FieldDecisions?
    ) throws -> MutationOutcome {
        let model = engine.schema.models[root.model]
        var mutation: Mutation
        do throws(InputError) {
            mutation = Mutation(
                root: root, model: model, field: field, rights: request.rights,
                input: try engine.mutationInput(of: field, request.variables),
                condition: try engine.filter(
                    "condition", of: field, model, request.variables, atMost: engine.limits.conditionParts),
                hasCondition: field.arguments.contains { $0.name == "condition" }, request: request.id)
        } catch {
            return .failure(
                ResponseError(error.message, path: [.field(field.key)], locations: [field.location]))
        }
        let id = request.mutationIDs[field.key]
        mutation.id = id
        if asksFunctions {
            mutation.decided = decided
            if mutation.hasCondition {
                mutation.conditionJSON = (try? engine.argument("condition", of: field, request.variables)) ?? nil
            }
        }
        let caller = request.rights.caller
        if let id, let applied = try state.applied(id, by: caller, on: connection) {
            statistics.replayed += 1
            return noted(try replay(applied, mutation), mutation).map { told($0, mutation, isReplay: true) }
        }
        if let life = request.epoch, life != state.epoch {
            // What came before it in the life that was lost is missing here; its author brings that back first.
            return .failure(mutation.error("The hub was restored since; ask again.", ErrorType.otherLife))
        }
        if let denied = deniedAnswer(mutation) {
            return noted(.failure(mutation.unauthorized(field: denied)), mutation).map { told($0, mutation) }
        }
        if let operations = request.operations[field.key] {
            do throws(InputError) {
                mutation.operations = try fieldChanges(operations, mutation)
            } catch {
                return .failure(mutation.error(error.message, ErrorType.badRequest))
            }
        }
        if let bases = request.bases[field.key] { mutation.bases = self.bases(bases, mutation) }
        let result: Result<HubRow, ResponseError>
        switch root.kind {
        case .create: result = try create(&mutation)
        case .update: result = try update(&mutation)
        case .delete: result = try delete(&mutation)
        default: result = .failure(mutation.error("\(root.name) is no mutation", ErrorType.unsupportedOperation))
        }
        if case .success(let row) = result {
            statistics.mutations += 1
            if let id {
                try state.note(
                    id, caller.scope, AppliedMutation(model: model.schema.name, row: row.rowID, version: row.version),
                    expires: state.hubTime + state.horizon, on: connection)
            }
        }
        return noted(result, mutation).map { told($0, mutation) }
    }

    // MARK: Create

    private func create(_ mutation: inout Mutation) throws -> Result<HubRow, ResponseError> {
        let model = mutation.model
        let access = mutation.rights.access(model.index, .create)
        let needed = mutation.needed
        guard !needed.isNone else { return .failure(mutation.unauthorized) }
        var values = mutation.input.values.map { $0 ?? .null }
        if model.keyPositions.count == 1, values[model.keyPositions[0]].isNull {
            let made = mutation.decided?.madeID ?? random.uuid()
            values[model.keyPositions[0]] = .text(made)
            mutation.madeID = made
        }
        let now = Value.integer(time.now().milliseconds)
        if let position = model.createdAt, values[position].isNull { values[position] = now }
        if let position = model.updatedAt, values[position].isNull { values[position] = now }
        fillOwner(&values, mutation, access)
        guard needed.allows(values) else { return .failure(mutation.unauthorized) }
        let absent = HubRow(
            rowID: 0, values: Array(repeating: .null, count: values.count), version: 0, deleted: false, lastChangedAt: 0
        )
        guard mutation.condition.matches(absent, model.schema) else { return .failure(mutation.conditionFailed) }
        if asksFunctions {
            if let refusal = try askBefore(&mutation, nil) { return .failure(refusal) }
            for change in mutation.changes { values[change.position] = change.value }
        }
        if let refusal = sizeRefusal(of: values, mutation) { return .failure(refusal) }
        let table = tables[model.index]
        let version = try state.firstVersion(of: values, model, on: connection)
        do {
            let row = try table.insert(values, version: version, stamp: stamp, on: connection)
            let created = HubRow(
                rowID: row, values: values, version: version, deleted: false, lastChangedAt: stamp)
            pending.append(
                CommittedChange(kind: .create, model: model.index, row: created, modelName: model.schema.name))
            if asksFunctions { try enqueueDelivery(mutation, created, previous: nil) }
            return .success(created)
        } catch let error as SQLiteError where error.isUniqueViolation {
            // Sent again without a mutation id: the same content is the same create.
            // To who may not read it, the answer would tell whether a guess at its content is right.
            guard let stored = try table.fetch(model.key(of: values), on: connection) else {
                return .failure(mutation.conditionFailed)
            }
            if try state.isFirst(stored.version, of: stored.values, model, on: connection),
                !stored.deleted, maySee(stored, mutation), shown(stored, mutation).hidden.positions.isEmpty,
                Self.isSame(values, stored.values, mutation)
            {
                return .success(stored)
            }
            // Who sends mutation ids learns that no record has the key any more; AppSync's answer leaves that open.
            guard stored.deleted, mutation.id != nil else { return .failure(mutation.conditionFailed) }
            return .failure(withRecord(stored, mutation.conditionFailed, mutation))
        }
    }

    /// Puts the caller into an owner field that the input leaves out.
    private func fillOwner(_ values: inout [Value], _ mutation: Mutation, _ access: Access) {
        guard case .rows(let rules) = access else { return }
        for rule in rules
        where rule.isOwner && mutation.input.values[rule.position] == nil && values[rule.position].isNull {
            values[rule.position] =
                rule.isList ? .text(JSONValue.array([.string(rule.accepted[0])]).text) : .text(rule.accepted[0])
        }
    }

    /// Whether a repeated create says what is stored; times that the service filled in are its own.
    private static func isSame(_ values: [Value], _ stored: [Value], _ mutation: Mutation) -> Bool {
        let model = mutation.model
        return values.indices.allSatisfy { position in
            if position == model.createdAt || position == model.updatedAt, mutation.input.values[position] == nil {
                return true
            }
            return values[position] == stored[position]
        }
    }

    // MARK: Update and delete

    private func update(_ mutation: inout Mutation) throws -> Result<HubRow, ResponseError> {
        let stored: HubRow
        switch try target(mutation) {
        case .failure(let error): return .failure(error)
        case .success(let row): stored = row
        }
        if stored.deleted { return .failure(conflict(stored, mutation)) }
        if let refusal = blindOperation(on: stored, mutation) { return .failure(refusal) }
        // What is merged is never less than what comes in, so that none of the work need be done.
        if let refusal = sizeRefusal(of: mutation.input.values.map { $0 ?? .null }, from: stored.values, mutation) {
            return .failure(refusal)
        }
        if asksFunctions, let refusal = try askBefore(&mutation, stored) { return .failure(refusal) }
        let model = mutation.model
        var values = stored.values
        let isCurrent = state.lives.isCurrent(mutation.input.version, stored.version)
        // Operations commute: no version is stale for them.
        let isStale = !isCurrent && (mutation.operations.isEmpty || setsFields(mutation))
        if isStale {
            // What a merge leaves of a field tells what was in it, so that only who may see the row gets one.
            guard maySee(stored, mutation) else { return .failure(conflict(stored, mutation)) }
            mutation.isMerged = true
            switch resolvers[model].strategy {
            case .optimisticConcurrency: return .failure(conflict(stored, mutation))
            case .automerge:
                let bases = bases(of: mutation, stored)
                Automerge(codec: codec).merge(mutation.effectiveInput, over: bases, into: &values, model)
                if bases.keys.contains(where: { values[$0] != stored.values[$0] }) { touch(&values, mutation) }
            case .lambda: return try resolve(stored, mutation)
            }
        } else if isCurrent {
            put(inputKeepingMembers(mutation, stored), into: &values, mutation)
        } else {
            touch(&values, mutation)
        }
        do throws(InputError) {
            try apply(mutation.operations, to: &values, model)
        } catch {
            return .failure(mutation.error(error.message, ErrorType.badRequest))
        }
        // A row may not be handed to somebody the caller could not have written it for.
        guard mutation.needed.allows(values) else { return .failure(mutation.unauthorized) }
        // A merge has weighed them already.
        if !isStale { for change in mutation.changes { values[change.position] = change.value } }
        if let refusal = sizeRefusal(of: values, from: stored.values, mutation) { return .failure(refusal) }
        return .success(try write(stored, values, deleted: false, mutation))
    }

    /// Puts an input over the stored values, as on the right version.
    private func put(_ input: [Value?], into values: inout [Value], _ mutation: Mutation) {
        for position in values.indices where !mutation.model.keyPositions.contains(position) {
            if let value = input[position] { values[position] = value }
        }
        touch(&values, mutation)
    }

    /// Lets the model's conflict handler decide an update on a stale version.
    private func resolve(_ stored: HubRow, _ mutation: Mutation) throws -> Result<HubRow, ResponseError> {
        var preview = stored.values
        put(mutation.input.values, into: &preview, mutation)
        do throws(InputError) {
            try apply(mutation.operations, to: &preview, mutation.model)
        } catch {
            return .failure(mutation.error(error.message, ErrorType.badRequest))
        }
        guard mutation.needed.allows(preview) else { return .failure(mutation.unauthorized) }
        // What the site's own function puts in needs no right of the caller's.
        for change in mutation.changes { preview[change.position] = change.value }
        switch try conflictDecision(mutation, stored, preview: preview, deleted: false) {
        case .resolve(let values):
            if let refusal = sizeRefusal(of: values, from: stored.values, mutation) { return .failure(refusal) }
            return .success(try write(stored, values, deleted: false, mutation))
        case .remove, .reject: return .failure(conflict(stored, mutation))
        case .failed(let reason, let type): return .failure(undecided(mutation, reason, type))
        }
    }

    private func delete(_ mutation: inout Mutation) throws -> Result<HubRow, ResponseError> {
        let stored: HubRow
        switch try target(mutation) {
        case .failure(let error): return .failure(error)
        case .success(let row): stored = row
        }
        guard !stored.deleted else { return .failure(conflict(stored, mutation)) }
        if asksFunctions, let refusal = try askBefore(&mutation, stored) { return .failure(refusal) }
        if !state.lives.isCurrent(mutation.input.version, stored.version) {
            guard resolvers[mutation.model].strategy == .lambda, maySee(stored, mutation) else {
                return .failure(conflict(stored, mutation))
            }
            switch try conflictDecision(mutation, stored, preview: stored.values, deleted: true) {
            case .remove: break
            case .resolve, .reject: return .failure(conflict(stored, mutation))
            case .failed(let reason, let type): return .failure(undecided(mutation, reason, type))
            }
        }
        return .success(try write(stored, stored.values, deleted: true, mutation))
    }

    /// The stored row that an update or delete is for, once the caller's rights and his condition are checked.
    private func target(_ mutation: Mutation) throws -> Result<HubRow, ResponseError> {
        let model = mutation.model
        let needed = mutation.needed
        guard !needed.isNone else { return .failure(mutation.unauthorized) }
        let key = model.key(of: mutation.input.values.map { $0 ?? .null })
        guard let stored = try tables[model.index].fetch(key, on: connection) else {
            return .failure(needed.isAll ? mutation.conditionFailed : mutation.unauthorized)
        }
        guard needed.allows(stored.values) else { return .failure(mutation.unauthorized) }
        if !maySee(stored, mutation), let hidden = hiddenField(mutation) {
            return .failure(mutation.unauthorized(field: hidden))
        }
        if mutation.hasCondition, mutation.condition != .all {
            if let failure = failedCondition(on: stored, mutation) { return .failure(failure) }
        }
        return .success(stored)
    }

    private func write(_ stored: HubRow, _ values: [Value], deleted: Bool, _ mutation: Mutation) throws -> HubRow {
        let model = mutation.model
        let row = HubRow(
            rowID: stored.rowID, values: values, version: state.lives.version(after: stored.version), deleted: deleted,
            lastChangedAt: stamp)
        try state.keepImage(stored, model, expires: state.hubTime + state.imageHorizon, on: connection)
        try tables[model.index].update(stored, to: row, expires: state.hubTime + state.horizon, on: connection)
        var change = CommittedChange(
            kind: deleted ? .delete : .update, model: model.index, row: row, modelName: model.schema.name,
            before: stored)
        if Departure.isOne(from: stored, to: row, model) {
            let departure = Departure(before: stored, version: row.version, stamp: stamp)
            try state.note(departure, model, expires: state.hubTime + state.horizon, on: connection)
            change.departed = departure.told
        }
        pending.append(change)
        if asksFunctions { try enqueueDelivery(mutation, row, previous: stored) }
        return row
    }

    /// A version conflict, with the server's record.
    private func conflict(_ stored: HubRow, _ mutation: Mutation) -> ResponseError {
        withRecord(
            stored, mutation.error("Conflict resolver rejects mutation.", ErrorType.conflictUnhandled), mutation)
    }

    /// A refusal with the server's record, which goes along only to who may see it.
    ///
    /// Where it finds no room in the answer, the mutation is refused for that: without the record it could not be decided.
    private func withRecord(_ stored: HubRow, _ refusal: ResponseError, _ mutation: Mutation) -> ResponseError {
        var refusal = refusal
        if maySee(stored, mutation), let selection = mutation.field.selection {
            let shown = shown(stored, mutation)
            guard conflictBytes < engine.limits.answerBytes else {
                return mutation.error(engine.limits.answerTooLarge.message, ErrorType.limitExceeded)
            }
            var encoder = RowEncoder(engine.limits)
            encoder.encode(shown.row, selection, mutation.model, nil, hidden: shown.hidden) {
                [.field(mutation.field.key)]
            }
            conflictBytes += encoder.written
            refusal.data = try? JSONValue(parsing: encoder.writer.bytes)
        }
        return refusal
    }

    /// A conflict that nobody has decided. It is no conflict for the client, who would give up his change for the server's
    /// record: the change may be sent again.
    private func undecided(_ mutation: Mutation, _ reason: String, _ type: String) -> ResponseError {
        mutation.error("The conflict was not resolved, \(reason); nothing was stored.", type)
    }
}

extension RootField {
    /// The right that a root field needs.
    var operation: AuthRule.Operation {
        switch kind {
        case .get: .get
        case .list, .index: .list
        case .sync: .sync
        case .create: .create
        case .update: .update
        case .delete: .delete
        case .onCreate, .onUpdate, .onDelete: .listen
        }
    }
}
