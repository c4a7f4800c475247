import Models

extension SchemaBuilder {
    /// The argument that is a condition on the sort fields of a key: one field's own, or one for several together, named
    /// and typed as Amplify's transformer does (`appsync-protocol.md` §1.2).
    ///
    /// - Parameter key: `Primary`, or the index's name.
    mutating func sortCondition(_ model: ModelInfo, _ names: [String], key: String) -> [APIArgument] {
        let fields = names.compactMap { model.schema.field($0) }
        guard fields.count == names.count, let first = fields.first else { return [] }
        guard fields.count > 1 else {
            return [APIArgument(first.name, .named("Model\(Self.keyFamily(first))KeyConditionInput"))]
        }
        // An index may be called as no type can be: `gsi-Task.list`.
        let word = capitalizedFirst(key.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
        let stem = "Model\(model.schema.capitalizedName)\(word)CompositeKey"
        let one: TypeShape = .named(stem + "Input")
        add(
            .input(
                APIInputObject(
                    stem + "Input",
                    fields.map { APIArgument($0.name, Self.reference($0, input: true, nullable: true)) })))
        add(
            .input(
                APIInputObject(
                    stem + "ConditionInput",
                    ["eq", "le", "lt", "ge", "gt"].map { APIArgument($0, one) }
                        + [APIArgument("between", .list(one)), APIArgument("beginsWith", one)])))
        return [APIArgument(compositeName(names), .named(stem + "ConditionInput"))]
    }

    /// Which of the key conditions a field takes.
    private static func keyFamily(_ field: FieldSchema) -> String {
        guard case .scalar(let scalar) = field.type else { return "String" }
        switch scalar {
        case .id: return "ID"
        case .int, .awsTimestamp: return "Int"
        case .float, .decimal: return "Float"
        default: return "String"
        }
    }
}

/// The name of the argument for several sort fields: `areaPlace` for `area` and `place`.
func compositeName(_ names: [String]) -> String {
    names.enumerated().map { index, name in
        (index == 0 ? name.prefix(1).lowercased() : name.prefix(1).uppercased()) + name.dropFirst()
    }.joined()
}

private func capitalizedFirst(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
