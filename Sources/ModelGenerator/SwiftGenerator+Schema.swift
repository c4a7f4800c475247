import Models

extension SwiftGenerator {
    /// The static schema of one model. Lists are constants of their own with a named type: the type checker then looks
    /// at one element at a time.
    func emitSchema(_ model: ModelSchema, _ output: inout SourceText) {
        fieldList("private static let schemaFields", model.fields, &output)
        output.line()
        if !model.authRules.isEmpty {
            output.block("private static let schemaRules: [AuthRule] = [", close: "]") { output in
                for rule in model.authRules { output.line("\(text(rule)),") }
            }
            output.line()
        }
        output.line("/// The model's schema.")
        output.block("public static let schema: ModelSchema = ModelSchema(", close: ")") { output in
            output.line("\(SwiftNames.quoted(model.name)), pluralName: \(SwiftNames.quoted(model.pluralName)),")
            output.line("fields: schemaFields, primaryKey: \(list(model.primaryKey)),")
            if !model.indexes.isEmpty {
                output.block("indexes: [", close: "],") { output in
                    for index in model.indexes {
                        let query = index.queryField.map { ", queryField: \(SwiftNames.quoted($0))" } ?? ""
                        output.line(
                            "IndexSchema(\(SwiftNames.quoted(index.name)), fields: \(list(index.fields))\(query)),")
                    }
                }
            }
            if !model.relations.isEmpty {
                output.block("relations: [", close: "],") { output in
                    for relation in model.relations {
                        let isHeld = relation.kind == .hasOne && relation.isKeyInTarget ? ", isKeyInTarget: true" : ""
                        let limit = relation.limit.map { ", limit: \($0)" } ?? ""
                        output.line(
                            "RelationSchema(\(SwiftNames.quoted(relation.name)), .\(relation.kind.rawValue), "
                                + "target: \(SwiftNames.quoted(relation.target)), "
                                + "fields: \(list(relation.fields))\(isHeld)\(limit)),")
                    }
                }
            }
            if !model.authRules.isEmpty { output.line("authRules: schemaRules,") }
            let strategy = model.declaredConflictStrategy.map { ", conflictStrategy: .\($0)" } ?? ""
            var last = ["syncPolicy: .\(model.syncPolicy)\(strategy)"]
            if model.timestamps != .standard {
                let names = [model.timestamps.createdAt, model.timestamps.updatedAt].map {
                    $0.map(SwiftNames.quoted) ?? "nil"
                }
                last.append("timestamps: TimestampNames(createdAt: \(names[0]), updatedAt: \(names[1]))")
            }
            if model.operations != .standard {
                let names = model.operations.names.sorted { $0.key < $1.key }.map {
                    "\(SwiftNames.quoted($0.key)): \(SwiftNames.quoted($0.value))"
                }
                last.append(
                    "operations: OperationNames(names: [\(names.isEmpty ? ":" : names.joined(separator: ", "))], "
                        + "removed: \(list(model.operations.removed.sorted())))")
            }
            for (index, text) in last.enumerated() { output.line(text + (index + 1 < last.count ? "," : "")) }
        }
        output.line()
    }

    /// `declaration: [FieldSchema] = […]`
    func fieldList(_ declaration: String, _ fields: [FieldSchema], _ output: inout SourceText) {
        output.block("\(declaration): [FieldSchema] = [", close: "]") { output in
            for field in fields { output.line("\(text(field)),") }
        }
    }

    private func list(_ names: [String]) -> String { "[\(names.map(SwiftNames.quoted).joined(separator: ", "))]" }

    private func text(_ field: FieldSchema) -> String {
        var parts = [SwiftNames.quoted(field.name)]
        switch field.type {
        case .scalar(.decimal(let places)): parts.append("FieldType.scalar(ScalarType.decimal(places: \(places)))")
        case .scalar(let scalar): parts.append("FieldType.scalar(ScalarType.\(scalar))")
        case .enumeration(let name): parts.append("FieldType.enumeration(\(SwiftNames.quoted(name)))")
        case .embedded(let name): parts.append("FieldType.embedded(\(SwiftNames.quoted(name)))")
        }
        if field.isRequired { parts.append("isRequired: true") }
        if field.isList { parts.append("isList: true") }
        if field.isElementRequired { parts.append("isElementRequired: true") }
        if let value = field.defaultValue { parts.append("defaultValue: \(SwiftNames.quoted(value))") }
        if field.isReadOnly { parts.append("isReadOnly: true") }
        if !field.authRules.isEmpty {
            parts.append("authRules: [\(field.authRules.map(text).joined(separator: ", "))]")
        }
        if let merge = field.merge { parts.append("merge: FieldMerge.\(merge.rawValue)") }
        return "FieldSchema(\(parts.joined(separator: ", ")))"
    }

    private func text(_ rule: AuthRule) -> String {
        var parts = ["allow: AuthRule.Strategy.\(SwiftNames.escaped(rule.allow.rawValue))"]
        if !rule.groups.isEmpty { parts.append("groups: \(list(rule.groups))") }
        for (label, value) in [
            ("ownerField", rule.ownerField), ("groupsField", rule.groupsField), ("identityClaim", rule.identityClaim),
            ("provider", rule.provider),
        ] {
            if let value { parts.append("\(label): \(SwiftNames.quoted(value))") }
        }
        let operations = AuthRule.Operation.allCases.filter(rule.operations.contains).map { ".\($0.rawValue)" }
        parts.append("operations: [\(operations.joined(separator: ", "))]")
        if let claim = rule.groupClaim { parts.append("groupClaim: \(SwiftNames.quoted(claim))") }
        return "AuthRule(\(parts.joined(separator: ", ")))"
    }
}
