import AppSync
import Basics
import Models

extension QueryRunner {
    /// Plans a query along an index: `@index(queryField:)`, or `list` of a custom key with its hash field.
    func planIndex(
        _ walk: inout Walk, _ root: RootField, _ field: SelectedField, _ request: RunnableRequest, _ token: PageToken?
    ) throws {
        let schema = walk.model.schema
        let names: [String]
        switch root.kind {
        case .index(let position): names = schema.indexes[position].fields
        case .list where schema.primaryKey != ["id"]: names = schema.primaryKey
        default: return
        }
        guard let hash = names.first, let hashField = schema.field(hash) else { return }
        let sort = Array(names.dropFirst())
        guard let value = try engine.argument(hash, of: field, request.variables) else {
            // Without its hash field a key says nothing about order; Amplify's resolvers refuse the same.
            for name in [sort.isEmpty ? nil : sortArgument(sort), "sortDirection"] {
                guard let name, try engine.argument(name, of: field, request.variables) != nil else { continue }
                throw ResponseError(
                    "When providing argument '\(name)' you must also provide arguments \(hash)",
                    errorType: "InvalidArgumentsError")
            }
            return
        }
        // Its order tells of every field of the index, so that each row must show them all.
        walk.required = Set(names.compactMap { schema.position(of: $0) })
        try FieldDenied.check(walk.required, walk.sight, walk.model)
        var plan = KeyPlan(
            model: walk.model, sort: sort, equal: [hash], values: [try storage(value, hashField, walk.model)])
        try finish(&plan, &walk, field, request, token)
    }

    /// Plans the records of a `hasMany`: those that name a row's key, sorted as their index is.
    func planRelation(
        _ walk: inout Walk, _ relation: RelationSchema, keys: [Value], _ field: SelectedField,
        _ request: RunnableRequest, _ token: PageToken?
    ) throws {
        let count = min(keys.count, relation.fields.count)
        var sort = walk.model.index(serving: relation)?.rest ?? []
        if !walk.sight.isClear, !sort.isEmpty {
            if try engine.argument(sortArgument(sort), of: field, request.variables) == nil {
                // The order of what not every row shows would tell of it.
                sort = []
            } else {
                walk.required.formUnion(sort.compactMap { walk.model.schema.position(of: $0) })
                try FieldDenied.check(walk.required, walk.sight, walk.model)
            }
        }
        var plan = KeyPlan(
            model: walk.model, sort: sort, equal: Array(relation.fields.prefix(count)),
            values: Array(keys.prefix(count)))
        try finish(&plan, &walk, field, request, token)
    }

    /// Plans the record that names a row's key, of which there is one: the first that is not deleted.
    func planHolder(_ walk: inout Walk, _ relation: RelationSchema, keys: [Value]) {
        let plan = KeyPlan(model: walk.model, sort: [], equal: relation.fields, values: keys)
        walk.skipsDeleted = true
        walk.parts = plan.parts(tables[walk.model.index], after: nil)
    }

    private func finish(
        _ plan: inout KeyPlan, _ walk: inout Walk, _ field: SelectedField, _ request: RunnableRequest,
        _ token: PageToken?
    ) throws {
        if !plan.sort.isEmpty,
            let json = try engine.argument(sortArgument(plan.sort), of: field, request.variables)
        {
            try addCondition(json, &plan)
        }
        plan.isDescending = try engine.argument("sortDirection", of: field, request.variables)?.string == "DESC"
        walk.kind = .index
        walk.sort = plan.sort.compactMap { plan.model.schema.position(of: $0) }
        let table = tables[walk.model.index]
        walk.parts = plan.parts(table, after: try token.map { try place($0, walk.sort, table) })
    }

    /// Where the page before ended.
    private func place(_ token: PageToken, _ sort: [Int], _ table: BaseTable) throws -> KeyPlan.Place {
        guard token.walk == .index else { throw PageError.invalidToken }
        if let key = token.sortKey {
            guard key.count == sort.count else { throw PageError.invalidToken }
            return KeyPlan.Place(sortKey: key, row: token.row)
        }
        guard let row = try table.fetch(row: token.row, on: connection) else { throw PageError.lostPlace }
        let fields = table.model.schema.fields
        let key = sort.map { DateTimeTexts.instant(row.values[$0], fields[$0]) }
        return KeyPlan.Place(sortKey: key, row: token.row, isFound: true)
    }

    private func sortArgument(_ sort: [String]) -> String { sort.count == 1 ? sort[0] : compositeName(sort) }

    /// Adds the condition on the sort fields. Several are compared in their order, as one joined key would be.
    private func addCondition(_ json: JSONValue, _ plan: inout KeyPlan) throws {
        let signs = ["eq": "=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="]
        for (key, operand) in json.object?.members ?? [] where !operand.isNull {
            if let sign = signs[key] {
                try addBound(sign, operand, &plan)
            } else if key == "between" {
                guard let bounds = operand.array, bounds.count == 2 else {
                    throw InputError("between takes two values")
                }
                for (bound, sign) in zip(bounds, [">=", "<="]) { try addBound(sign, bound, &plan) }
            } else if key == "beginsWith" {
                try addPrefix(operand, &plan)
            }
        }
    }

    private func addBound(_ sign: String, _ operand: JSONValue, _ plan: inout KeyPlan) throws {
        if isSortedByDate(plan), let text = operand.string, ScalarType.awsDateTime.storageValue(of: operand) == nil {
            return plan.add(sign, partOfDate: text)
        }
        let values = try sortValues(operand, plan)
        plan.add(sign, values)
    }

    /// Whether the condition is on one date, which it takes as text: a part of one is something to compare with too.
    private func isSortedByDate(_ plan: KeyPlan) -> Bool {
        plan.sort.count == 1 && plan.model.schema.field(plan.sort[0])?.type == .scalar(.awsDateTime)
    }

    /// All given fields but the last are equal, and the last begins so.
    private func addPrefix(_ json: JSONValue, _ plan: inout KeyPlan) throws {
        if isSortedByDate(plan), let text = json.string { return plan.addPrefix(ofDate: text) }
        var values = plan.sort.count == 1 ? [] : try sortValues(json, plan)
        if plan.sort.count == 1, let text = json.string { values = [.text(text)] }
        guard let last = values.last else { return }
        plan.addPrefix(values, last)
    }

    /// An operand for one sort field. A field that is stored as text is compared as text, with whatever text is given.
    private func sortValue(_ json: JSONValue, _ field: FieldSchema, _ model: ModelInfo) throws -> Value {
        switch field.type {
        case .enumeration, .scalar(.awsDate), .scalar(.awsTime), .scalar(.awsEmail), .scalar(.awsPhone),
            .scalar(.awsURL), .scalar(.awsIPAddress):
            if let text = json.string { return .text(text) }
        case .scalar, .embedded: break
        }
        return try storage(json, field, model)
    }

    /// The operand for the sort fields: one value, or an object that names the first ones without a gap.
    private func sortValues(_ json: JSONValue, _ plan: KeyPlan) throws -> [Value] {
        let schema = plan.model.schema
        if plan.sort.count == 1, let field = schema.field(plan.sort[0]) {
            return [try sortValue(json, field, plan.model)]
        }
        var values: [Value] = []
        var gap: String?
        for name in plan.sort {
            guard let member = json[name], !member.isNull, let field = schema.field(name) else {
                gap = gap ?? name
                continue
            }
            if let gap {
                throw ResponseError(
                    "When providing argument '\(name)' you must also provide arguments \(gap)",
                    errorType: "InvalidArgumentsError")
            }
            values.append(try sortValue(member, field, plan.model))
        }
        guard !values.isEmpty else {
            throw InputError("\(compositeName(plan.sort)) names none of \(plan.sort.joined(separator: ", "))")
        }
        return values
    }
}
