import AppSync
import Basics
import Models

/// What a mutation's answer, its refusal and its condition may tell its sender of the row.
extension HubCore {
    /// Whether a mutation's answer may show the row: to who may read it, to who may write it by a rule on the row itself,
    /// and to who makes it.
    func maySee(_ row: HubRow, _ mutation: Mutation, isOwnWork: Bool = false) -> Bool {
        let index = mutation.model.index
        if mutation.rights.sight(index, .get).rows.allows(row.values) { return true }
        let access = mutation.rights.access(index, mutation.root.operation)
        if isOwnWork { return access.allows(row.values) }
        guard case .rows = access else { return false }
        return access.allows(row.values)
    }

    /// A row as whoever sends a mutation is shown it: without the fields that he may not read. Who may not read the row at
    /// all, but is told of it because he may write it, is shown no field that has rules of its own.
    func shown(_ row: HubRow, _ mutation: Mutation) -> ToldRow {
        let sight = mutation.rights.sight(mutation.model.index, .get)
        var hidden = sight.rows.allows(row.values) ? sight.hidden(in: row.values) : sight.withheld
        // He has named the record himself; without its key the answer would be a refusal of what was carried out.
        hidden.positions.subtract(mutation.model.keyPositions)
        var shown = row
        for position in hidden.positions { shown.values[position] = .null }
        return ToldRow(row: shown, hidden: hidden)
    }

    /// What a mutation's answer shows of the row that it has left. Of a row that its sender may not read he is told of the
    /// fields with rules of their own what he has put into them himself, where they hold just that.
    ///
    /// A merge, of the record or of the members of one embedded value, would tell him by that what was in them before,
    /// and a retry, which may name other values, whether a guess is right: nothing of the former is told, and to the
    /// latter always what it says itself.
    func told(_ row: HubRow, _ mutation: Mutation, isReplay: Bool = false) -> ToldRow {
        var told = shown(row, mutation)
        let model = mutation.model
        guard !told.hidden.positions.isEmpty, !mutation.rights.sight(model.index, .get).rows.allows(row.values) else {
            return told
        }
        for position in told.hidden.positions where !mutation.rights.caller.isDenied(position, of: model) {
            let named = mutation.input.values[position]
            // What a create leaves out is null or the default, whoever makes the record.
            guard let own = named ?? (mutation.root.kind == .create ? .null : nil) else { continue }
            let isMixed = mutation.isMerged || mutation.keepsMembers(at: position)
            guard isReplay && named != nil || !isMixed && own == row.values[position] else { continue }
            told.row.values[position] = own
            told.hidden.positions.remove(position)
        }
        return told
    }

    /// A selected field that the caller's authorizer denies him and that may not be null: the whole answer would be, so
    /// that what was carried out would look refused.
    func deniedAnswer(_ mutation: Mutation) -> String? {
        let (model, caller) = (mutation.model, mutation.rights.caller)
        guard caller.provider == .function else { return nil }
        let denied = model.schema.fields.indices.filter {
            !model.keyPositions.contains($0) && caller.isDenied($0, of: model)
        }
        let hidden = Hidden(positions: Set(denied), metadata: caller.deniedMetadata(of: model))
        let field = mutation.field.selection?.fields.first { $0.isNonNull && hidden.covers($0, model) }
        return field?.definition.name
    }

    /// A selected field that a caller without the right to read would learn: neither a key nor of his own input.
    func hiddenField(_ mutation: Mutation) -> String? {
        for field in mutation.field.selection?.fields ?? [] {
            switch field.definition.source {
            case .column(let position):
                if mutation.model.keyPositions.contains(position) || mutation.input.values[position] != nil { continue }
                return field.definition.name
            case .relation: return field.definition.name
            default: continue
            }
        }
        return nil
    }

    /// So many bytes a condition may look at before it counts.
    private static let freeConditionBytes = 64 << 10

    /// Why a mutation's condition refuses it; nil where it holds. A condition on what the caller may not read would tell
    /// him what is in it: on a row it is refused, on a field too, and where only some rows show the field, it is null to
    /// him in the others.
    func failedCondition(on stored: HubRow, _ mutation: Mutation) -> ResponseError? {
        let model = mutation.model
        let sight = mutation.rights.sight(model.index, .get)
        guard sight.rows.allows(stored.values) else { return mutation.unauthorized }
        do throws(FieldDenied) {
            try FieldDenied.check(mutation.condition.positions, sight, model)
        } catch {
            return mutation.unauthorized(field: error.field)
        }
        let row = sight.shown(stored).row
        guard mutation.condition.bytes(in: row) > Self.freeConditionBytes else {
            return mutation.condition.matches(row, model.schema) ? nil : mutation.conditionFailed
        }
        // Whoever compares much does it in the time that he may make others wait.
        let caller = mutation.rights.caller
        guard !reader.isSpent(by: caller) else {
            return mutation.error("The conditions compare too much at once; try again later.", ErrorType.limitExceeded)
        }
        return reader.besideCommits(for: caller) {
            mutation.condition.matches(row, model.schema) ? nil : mutation.conditionFailed
        }
    }

    /// Refuses operations on what the caller may not read: where they end in an error, that tells what they began with.
    func blindOperation(on stored: HubRow, _ mutation: Mutation) -> ResponseError? {
        guard !mutation.operations.isEmpty else { return nil }
        guard maySee(stored, mutation) else { return mutation.unauthorized }
        let hidden = shown(stored, mutation).hidden
        guard let change = mutation.operations.first(where: { hidden.positions.contains($0.position) }) else {
            return nil
        }
        return mutation.unauthorized(field: mutation.model.schema.fields[change.position].name)
    }

    /// Answers a retry: the row as the mutation left it, if the caller may still have it.
    func replay(_ applied: AppliedMutation, _ mutation: Mutation) throws -> Result<HubRow, ResponseError> {
        let model = mutation.model
        let reused = mutation.error("The mutation id was used for another mutation.", ErrorType.badRequest)
        // Under another name, an id would ask for a row with the rights to something else.
        guard applied.model == model.schema.name else { return .failure(reused) }
        guard let current = try tables[model.index].fetch(row: applied.row, on: connection) else {
            return .failure(mutation.conditionFailed)
        }
        let wasCreate = try state.isFirst(applied.version, of: current.values, model, on: connection)
        guard wasCreate == (mutation.root.kind == .create) else { return .failure(reused) }
        let isOther = model.keyPositions.contains { position in
            mutation.input.values[position].map { !$0.isNull && $0 != current.values[position] } ?? false
        }
        guard !isOther else { return .failure(reused) }
        let image =
            current.version == applied.version
            ? current : try state.image(model, row: applied.row, version: applied.version, on: connection)
        let row = image ?? current
        // What he made himself he may have back, but not what others have made of it.
        if maySee(row, mutation, isOwnWork: mutation.root.kind == .create && image != nil) { return .success(row) }
        guard mutation.needed.isAll else { return .failure(mutation.unauthorized) }
        if let hidden = hiddenField(mutation) { return .failure(mutation.unauthorized(field: hidden)) }
        // He is told what this request says and not what the row holds: the retry may name other values.
        var echo = row
        for position in echo.values.indices where !model.keyPositions.contains(position) {
            echo.values[position] = mutation.input.values[position] ?? .null
        }
        return .success(echo)
    }

    /// Logs how a mutation was decided, where that was a question of rights.
    func noted(_ result: Result<HubRow, ResponseError>, _ mutation: Mutation) -> Result<HubRow, ResponseError> {
        let caller = mutation.rights.caller
        var act = AccessLog.Act(
            operation: mutation.root.name, model: mutation.model.schema.name, request: mutation.request)
        switch result {
        case .success: engine.accessLog.granted(caller, act)
        case .failure(let error):
            guard error.errorType == ErrorType.unauthorized else { break }
            let needed = mutation.needed
            let operation = mutation.root.operation
            if error == mutation.unauthorized {
                let reason =
                    needed.isNone
                    ? "no rule gives \(operation)" : "the rules of \(operation) do not name him in the row"
                engine.accessLog.refused(caller, act, reason)
            } else {
                act.field = mutation.model.schema.fields.first { error == mutation.unauthorized(field: $0.name) }?.name
                engine.accessLog.refused(caller, act, "the field may not be read by who asks for it")
            }
        }
        return result
    }
}

/// A row as whoever sent a mutation is told it.
struct ToldRow {
    var row: HubRow
    var hidden: Hidden
}

/// What came of a mutation.
typealias MutationOutcome = Result<ToldRow, ResponseError>
