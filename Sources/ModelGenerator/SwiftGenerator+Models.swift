import Basics
import GraphQL
import Models

extension SwiftGenerator {
    /// One model's struct.
    mutating func emit(_ model: ModelSchema, _ type: TypeDefinition) {
        let name = SwiftNames.escaped(model.name)
        let draft = SwiftNames.draft(of: model)
        document(type.description, "The model `\(model.name)` of the schema.")
        output.line("public struct \(name): Model {")
        body(model, type, draft)
        output.line("}")
    }

    private mutating func body(_ model: ModelSchema, _ type: TypeDefinition, _ draft: String) {
        let descriptions = Dictionary(
            model.fields.map { ($0.name, description($0, of: type)) }, uniquingKeysWith: { first, _ in first })
        let changing = model.fields.filter { !$0.isReadOnly && !model.primaryKey.contains($0.name) }
        var output = output
        output.indented { output in
            for field in model.fields {
                output.documentation(field.isReadOnly ? readOnlyText : descriptions[field.name] ?? "")
                output.line("public let \(model.swiftName(field)): \(field.swiftType)")
            }
            if model.primaryKey != ["id"] {
                output.line("/// The key: \(model.primaryKey.joined(separator: "#")).")
                let parts = model.keyFields.map { "keyText(\(model.swiftName($0)).storageValue)" }
                let text = "[\(parts.joined(separator: ", "))].joined(separator: \"#\")"
                output.line("public var id: String { \(text) }")
                let parameters = model.keyFields.map { "\(model.swiftName($0)): \($0.swiftType)" }
                output.line("/// The key of the record with these values, to get or delete it by.")
                output.line("public static func key(\(parameters.joined(separator: ", "))) -> String { \(text) }")
            }
            output.line()
            emitInitializers(model, draft, changing, &output)
            emitDraft(model, draft, changing, descriptions, &output)
            emitCoding(model, &output)
            emitSchema(model, &output)
            for field in model.fields {
                output.documentation("The field `\(field.name)`, for predicates and sorts.")
                output.line(
                    "public static var \(model.constantName(field)): Field<\(SwiftNames.escaped(model.name)), "
                        + "\(field.swiftType)> { Field(\(SwiftNames.quoted(field.name))) }")
            }
            for relation in model.relations { emit(relation, of: model, &output) }
        }
        self.output = output
    }

    private func emit(_ relation: RelationSchema, of model: ModelSchema, _ output: inout SourceText) {
        let kind = relation.kind == .hasMany ? "ToMany" : "ToOne"
        output.documentation("The relation `\(relation.name)`, for predicates and for loading what it leads to.")
        output.line(
            "public static var \(SwiftNames.fieldConstant(relation.name)): \(kind)<\(SwiftNames.escaped(model.name)), "
                + "\(SwiftNames.escaped(relation.target))> { \(kind)(\(SwiftNames.quoted(relation.name))) }")
    }

    private var readOnlyText: String { "Filled by the server, nil until it answered." }

    private func emitInitializers(
        _ model: ModelSchema, _ draft: String, _ changing: [FieldSchema], _ output: inout SourceText
    ) {
        let given = model.fields.filter { !$0.isReadOnly }
        let checked =
            schema.admitsWrongText(model.fields) ? given.filter { schema.admitsWrongValues($0, in: model) } : []
        let isChecked = !checked.isEmpty
        output.line("/// Makes a record.")
        if isChecked {
            output.line("///")
            output.line(
                "/// - Throws: `InvalidValue` with model, field and value where text is not what its field holds.")
        }
        output.block("public init(", close: isChecked ? ") throws(InvalidValue) {" : ") {") { output in
            for (index, field) in given.enumerated() {
                output.line(field.parameter(named: model.swiftName(field)) + (index + 1 < given.count ? "," : ""))
            }
        }
        output.indented { output in
            for name in given.map(model.swiftName) { output.line("self.\(name) = \(name)") }
            for field in model.fields where field.isReadOnly { output.line("self.\(model.swiftName(field)) = nil") }
            emitChecks(checked, model, &output)
        }
        output.line("}")
        output.line()
        guard !changing.isEmpty else {
            output.line("/// The same record: it has nothing that can change.")
            output.line("public func updating(_ change: (inout \(draft)) throws -> Void) rethrows -> Self {")
            output.indented { output in
                output.line("var draft = \(draft)()")
                output.line("try change(&draft)")
                output.line("return self")
            }
            output.line("}")
            output.line()
            return
        }
        let header = "private init(_ original: Self, _ draft: \(draft)) \(isChecked ? "throws(InvalidValue) " : ""){"
        output.block(header, close: "}") { output in
            for field in model.fields {
                let isKept = field.isReadOnly || model.primaryKey.contains(field.name)
                let name = model.swiftName(field)
                output.line("self.\(name) = \(isKept ? "original" : "draft").\(name)")
            }
            emitChecks(checked.filter { !model.primaryKey.contains($0.name) }, model, &output)
        }
        output.line()
        output.line("/// A changed copy; the key stays.")
        if isChecked { output.line("/// - Throws: `InvalidValue`, or what `change` throws.") }
        let effect = isChecked ? "throws" : "rethrows"
        output.block(
            "public func updating(_ change: (inout \(draft)) throws -> Void) \(effect) -> Self {", close: "}"
        ) { output in
            output.line("var draft = \(draft)(self)")
            output.line("try change(&draft)")
            output.line(isChecked ? "return try Self(self, draft)" : "return Self(self, draft)")
        }
        output.line()
    }

    /// What Swift's types let pass and the schema's do not, in the generated file's own schema.
    private func emitChecks(_ fields: [FieldSchema], _ model: ModelSchema, _ output: inout SourceText) {
        for field in fields {
            let name = SwiftNames.quoted(field.name)
            output.line("try Self.schema.check(self.\(model.swiftName(field)), of: \(name), in: modelSchema)")
        }
    }

    private func emitDraft(
        _ model: ModelSchema, _ draft: String, _ changing: [FieldSchema], _ descriptions: [String: String],
        _ output: inout SourceText
    ) {
        output.line("/// A record's fields while they are changed.")
        output.block("public struct \(draft): Sendable {", close: "}") { output in
            for field in changing {
                output.documentation(descriptions[field.name] ?? "")
                output.line("public var \(model.swiftName(field)): \(field.swiftType)")
            }
            guard !changing.isEmpty else { return output.line("fileprivate init() {}") }
            output.line()
            output.block("fileprivate init(_ original: \(SwiftNames.escaped(model.name))) {", close: "}") { output in
                for name in changing.map(model.swiftName) { output.line("self.\(name) = original.\(name)") }
            }
        }
        output.line()
    }

    private func emitCoding(_ model: ModelSchema, _ output: inout SourceText) {
        output.line("/// Writes the fields in the schema's order.")
        output.block("public func encode(into encoder: inout some FieldEncoder) {", close: "}") { output in
            for field in model.fields { output.line("encoder.encode(self.\(model.swiftName(field)).storageValue)") }
        }
        output.line()
        output.line("/// Reads the fields in the schema's order.")
        output.block("public init(from decoder: inout some FieldDecoder) throws(FieldError) {", close: "}") { output in
            for field in model.fields {
                output.line("self.\(model.swiftName(field)) = try decoder.decode((\(field.swiftType)).self)")
            }
        }
        output.line()
    }
}

extension ModelSchema {
    fileprivate var keyFields: [FieldSchema] { primaryKey.compactMap { field($0) } }

    /// Whether a field's name is taken by the key's text, `Model.id`, which is something else than the field.
    private func isBesideKey(_ field: FieldSchema) -> Bool { field.name == "id" && primaryKey != ["id"] }

    /// A field's property.
    fileprivate func swiftName(_ field: FieldSchema) -> String {
        isBesideKey(field) ? SwiftNames.idBesideKey : field.swiftName
    }

    /// The static member for a field's `Field`.
    fileprivate func constantName(_ field: FieldSchema) -> String {
        isBesideKey(field) ? SwiftNames.idBesideKey : SwiftNames.fieldConstant(field.name)
    }
}

extension FieldSchema {
    /// The name as Swift writes it.
    var swiftName: String { SwiftNames.escaped(name) }

    /// `name: Type = default` of an initializer.
    func parameter(named name: String) -> String {
        let standard = defaultLiteral ?? (isRequired ? (isList ? "[]" : nil) : "nil")
        return "\(name): \(swiftType)" + (standard.map { " = \($0)" } ?? "")
    }

    /// `@default(value:)` in Swift.
    private var defaultLiteral: String? {
        guard let defaultValue else { return nil }
        switch type {
        case .embedded: return nil
        // In an optional `.none` would be nil.
        case .enumeration: return "\(swiftElement).\(SwiftNames.escaped(defaultValue))"
        case .scalar(let scalar):
            switch scalar {
            case .int, .awsTimestamp, .boolean: return defaultValue
            case .float: return Double(defaultValue).map { "\($0)" }
            case .decimal(let places):
                return decimalUnits(defaultValue, places: places).map { "\(swiftElement)(units: \($0))" }
            case .awsDateTime:
                return DateTime(iso8601: defaultValue).map { "DateTime(milliseconds: \($0.milliseconds))" }
            // No literal without a parser that can fail: the value is filled by the server.
            case .awsJSON: return nil
            default: return SwiftNames.quoted(defaultValue)
            }
        }
    }
}
