import AppSync
import Basics
import Models
import SQLite

extension HubCore {
    /// Carries out one mutation within the open transaction. All checks come before the first write, so that a refused
    /// mutation leaves nothing behind.
    ///
    /// - Throws: `SQLiteError` only; everything the caller did wrong is the result's error.
    func mutate(
        _ root: RootField, _ field: SelectedField, _ request: RunnableRequest
    ) throws -> Result<HubRow, ResponseError> {
        let model = engine.schema.models[root.model]
        var mutation: Mutation
        do throws(InputError) {
            mutation = Mutation(
                root: root, model: model, field: field, rights: request.rights,
                input: try engine.mutationInput(of: field, request.variables),
                condition: try engine.filter("condition", of: field, model, request.variables),
                hasCondition: field.arguments.contains { $0.name == "condition" })
        } catch {
            return .failure(
                ResponseError(error.message, path: [.field(field.key)], locations: [field.location]))
        }
        let id = request.mutationIDs[field.key]
        let scope = id == nil ? 0 : Int64(bitPattern: request.rights.caller.scope.stableHash)
        if let id, let applied = try state.applied(id, scope, on: connection) {
            statistics.replayed += 1
            return noted(try replay(applied, mutation), mutation)
        }
        if let operations = request.operations[field.key] {
            do throws(InputError) {
                mutation.operations = try fieldChanges(operations, mutation)
            } catch {
                return .failure(mutation.error(error.message, ErrorType.badRequest))
            }
        }
        let result: Result<HubRow, ResponseError>
        switch root.kind {
        case .create: result = try create(mutation)
        case .update: result = try update(mutation)
        case .delete: result = try delete(mutation)
        default: result = .failure(mutation.error("\(root.name) is no mutation", ErrorType.unsupportedOperation))
        }
        if case .success(let row) = result {
            statistics.mutations += 1
            if let id {
                try state.note(
                    id, scope, AppliedMutation(model: model.schema.name, row: row.rowID, version: row.version),
                    expires: state.hubTime + Self.horizon, on: connection)
            }
        }
        return noted(result, mutation)
    }

    // MARK: Create

    private func create(_ mutation: Mutation) throws -> Result<HubRow, ResponseError> {
        let model = mutation.model
        let access = mutation.rights.access(model.index, .create)
        let needed = mutation.needed
        guard !needed.isNone else { return .failure(mutation.unauthorized) }
        var values = mutation.input.values.map { $0 ?? .null }
        if model.keyPositions.count == 1, values[model.keyPositions[0]].isNull {
            values[model.keyPositions[0]] = .text(random.uuid())
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
        let table = tables[model.index]
        do {
            let row = try table.insert(values, stamp: stamp, on: connection)
            let created = HubRow(rowID: row, values: values, version: 1, deleted: false, lastChangedAt: stamp)
            pending.append(
                CommittedChange(kind: .create, model: model.index, row: created, modelName: model.schema.name))
            return .success(created)
        } catch let error as SQLiteError where error.isUniqueViolation {
            // Sent again without a mutation id: the same content is the same create.
            // To who may not read it, the answer would tell whether a guess at its content is right.
            if let stored = try table.fetch(model.key(of: values), on: connection), stored.version == 1,
                !stored.deleted, maySee(stored, mutation), shown(stored, mutation.root, mutation.rights).hidden.isEmpty,
                Self.isSame(values, stored.values, mutation)
            {
                return .success(stored)
            }
            return .failure(mutation.conditionFailed)
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

    private func update(_ mutation: Mutation) throws -> Result<HubRow, ResponseError> {
        let stored: HubRow
        switch try target(mutation) {
        case .failure(let error): return .failure(error)
        case .success(let row): stored = row
        }
        if stored.deleted { return .failure(conflict(stored, mutation)) }
        let model = mutation.model
        var values = stored.values
        if mutation.input.version == stored.version {
            for position in values.indices where !model.keyPositions.contains(position) {
                if let value = mutation.input.values[position] { values[position] = value }
            }
            touch(&values, mutation)
        } else if mutation.operations.isEmpty || setsFields(mutation) {
            // What a merge leaves of a field tells what was in it, so that only who may see the row gets one.
            guard model.schema.conflictStrategy == .automerge, maySee(stored, mutation) else {
                return .failure(conflict(stored, mutation))
            }
            Automerge.merge(mutation.input.values, into: &values, model)
        } else {
            // Operations commute: no version is stale for them.
            touch(&values, mutation)
        }
        if let refusal = blindOperation(on: stored, mutation) { return .failure(refusal) }
        do throws(InputError) {
            try apply(mutation.operations, to: &values, model)
        } catch {
            return .failure(mutation.error(error.message, ErrorType.badRequest))
        }
        // A row may not be handed to somebody the caller could not have written it for.
        guard mutation.needed.allows(values) else { return .failure(mutation.unauthorized) }
        return .success(try write(stored, values, deleted: false, mutation))
    }

    private func delete(_ mutation: Mutation) throws -> Result<HubRow, ResponseError> {
        let stored: HubRow
        switch try target(mutation) {
        case .failure(let error): return .failure(error)
        case .success(let row): stored = row
        }
        guard !stored.deleted, mutation.input.version == stored.version else {
            return .failure(conflict(stored, mutation))
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
            rowID: stored.rowID, values: values, version: stored.version + 1, deleted: deleted, lastChangedAt: stamp)
        try state.keepImage(stored, model, expires: state.hubTime + Self.imageHorizon, on: connection)
        try tables[model.index].update(stored, to: row, expires: state.hubTime + Self.horizon, on: connection)
        var change = CommittedChange(
            kind: deleted ? .delete : .update, model: model.index, row: row, modelName: model.schema.name)
        if Departure.isOne(from: stored, to: row, model) {
            let departure = Departure(before: stored, version: row.version, stamp: stamp)
            try state.note(departure, model, expires: state.hubTime + Self.horizon, on: connection)
            change.departed = departure.told
        }
        pending.append(change)
        return row
    }

    /// A version conflict; the server's record goes along only to who may see it.
    private func conflict(_ stored: HubRow, _ mutation: Mutation) -> ResponseError {
        var data: JSONValue?
        if maySee(stored, mutation), let selection = mutation.field.selection {
            let (shown, hidden) = shown(stored, mutation.root, mutation.rights)
            var encoder = RowEncoder(engine.schema)
            encoder.encode(shown, selection, mutation.model, nil, hidden: hidden) { [.field(mutation.field.key)] }
            data = try? JSONValue(parsing: encoder.writer.bytes)
        }
        return mutation.error("Conflict resolver rejects mutation.", ErrorType.conflictUnhandled, data: data)
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
