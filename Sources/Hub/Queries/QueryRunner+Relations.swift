import AppSync
import Basics
import Models
import SQLite

/// Reads the records that a row is related to, with the rights of who asks.
struct CallerRelations: RelationResolver {
    let runner: QueryRunner
    let request: RunnableRequest

    func encodeRelation(
        _ relation: RelationSchema, of row: some RowSource, _ model: ModelInfo, _ field: SelectedField,
        into encoder: inout RowEncoder, path: () -> [ResponseError.PathElement]
    ) {
        guard let target = runner.engine.schema.model(relation.target), let selection = field.selection else {
            encoder.writer.raw("null")
            return
        }
        let mark = encoder.mark
        do {
            if request.rights.caller.isDenied(relation.name, on: model.schema.name) { throw refused(field, model) }
            if relation.kind == .hasMany {
                try many(relation, row, model, target, field, selection, &encoder, path: path)
            } else if relation.isKeyInTarget {
                try holder(relation, row, model, target, field, &encoder, path: path)
            } else {
                try one(relation, row, model, target, field, selection, &encoder, path: path)
            }
        } catch {
            encoder.takeBack(to: mark)
            if let denied = error as? FieldDenied {
                return encoder.errors.deny(denied, path: path(), locations: [field.location])
            }
            let (message, type) =
                (error as? ResponseError).map { ($0.message, $0.errorType) }
                ?? ("The hub's database cannot be read.", ErrorType.internalFailure)
            encoder.errors.append(
                ResponseError(message, errorType: type, path: path(), locations: [field.location]))
        }
    }

    private func refused(_ field: SelectedField, _ model: ModelInfo) -> FieldDenied {
        FieldDenied(field: field.definition.name, type: model.schema.name)
    }

    private func one(
        _ relation: RelationSchema, _ row: some RowSource, _ model: ModelInfo, _ target: ModelInfo,
        _ field: SelectedField, _ selection: ObjectSelection, _ encoder: inout RowEncoder,
        path: () -> [ResponseError.PathElement]
    ) throws {
        try runner.budget.resolve()
        let keys = relation.fields.compactMap { model.schema.position(of: $0) }
        guard keys.count == relation.fields.count, keys.allSatisfy({ !row.isNull($0) }) else {
            encoder.writer.raw("null")
            return
        }
        let sight = request.rights.sight(target.index, .get)
        guard !sight.rows.isNone else { throw refused(field, model) }
        guard let key = ModelInfo.key(joining: keys.map { row.value($0) }),
            let found = try runner.tables[target.index].fetch(key, on: runner.connection),
            sight.rows.allows(found.values)
        else {
            encoder.writer.raw("null")
            return
        }
        let (shown, hidden) = sight.shown(found)
        let (start, before) = (encoder.written, runner.budget.bytes)
        encoder.encode(shown, selection, target, self, hidden: hidden, path: path)
        runner.budget.count(grown: encoder.written - start, since: before)
    }

    /// The record that names the row's key: of a `hasOne` with `references`.
    ///
    /// It is found by what it holds and not by its own key, so that it takes the right to list.
    private func holder(
        _ relation: RelationSchema, _ row: some RowSource, _ model: ModelInfo, _ target: ModelInfo,
        _ field: SelectedField, _ encoder: inout RowEncoder, path: () -> [ResponseError.PathElement]
    ) throws {
        try runner.budget.resolve()
        let sight = request.rights.sight(target.index, .list)
        let required = Set(relation.fields.compactMap { target.schema.position(of: $0) })
        guard !sight.rows.isNone, sight.closed(among: required) == nil else { throw refused(field, model) }
        var walk = Walk(
            kind: .index, model: target, sight: sight, filter: .all, limit: 1, startedAt: nil, binding: "")
        walk.required = required
        runner.planHolder(&walk, relation, keys: model.keyPositions.map { row.value($0) })
        try runner.encodeOnly(walk, field, request, into: &encoder, path: path)
    }

    private func many(
        _ relation: RelationSchema, _ row: some RowSource, _ model: ModelInfo, _ target: ModelInfo,
        _ field: SelectedField, _ selection: ObjectSelection, _ encoder: inout RowEncoder,
        path: () -> [ResponseError.PathElement]
    ) throws {
        let sight = request.rights.sight(target.index, .list)
        let required = Set(relation.fields.compactMap { target.schema.position(of: $0) })
        guard !sight.rows.isNone, sight.closed(among: required) == nil else { throw refused(field, model) }
        let walk: Walk
        do {
            let engine = runner.engine
            let limit = try runner.limit(
                field, request.variables, standard: relation.limit ?? QueryRunner.defaultLimit)
            try runner.budget.resolve()
            let filter = try engine.filter("filter", of: field, target, request.variables)
            try FieldDenied.check(filter.positions, sight, target)
            let values = model.keyPositions.map { row.value($0) }
            var binding = "\(model.schema.name).\(relation.name)|\(values.map(keyText).joined(separator: "#"))|"
            binding += try runner.boundArguments(of: field, request.variables)
            var plan = Walk(
                kind: .index, model: target, sight: sight, filter: filter, limit: limit, startedAt: nil,
                binding: binding)
            plan.required = required
            let text = try engine.argument("nextToken", of: field, request.variables)?.string
            try runner.planRelation(
                &plan, relation, keys: values, field, request, runner.open(text, binding))
            walk = plan
        } catch let error as PageError {
            throw ResponseError(error.message, errorType: ErrorType.badRequest)
        } catch let error as InputError {
            throw ResponseError(error.message)
        }
        try runner.encode(walk, selection, target, request, into: &encoder, path: path)
    }
}

extension QueryRunner {
    /// Reads relations as the sender of a request may.
    func resolver(_ request: RunnableRequest) -> CallerRelations { CallerRelations(runner: self, request: request) }
}
