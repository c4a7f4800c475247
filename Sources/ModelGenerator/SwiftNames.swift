import GraphQL
import Models

/// How names of a schema are written in Swift, and which cannot be.
enum SwiftNames {
    private static let keywords: Set<String> = [
        "Any", "as", "associatedtype", "await", "break", "case", "catch", "class", "continue", "default", "defer",
        "deinit", "do", "else", "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard",
        "if", "import",
        "in",
        "init", "inout", "internal", "is", "let", "nil", "operator", "precedencegroup", "private", "protocol", "public",
        "repeat", "rethrows", "return", "static", "struct", "subscript", "super", "switch", "throw", "throws", "true",
        "try", "typealias", "var", "where", "while",
    ]

    /// Types that generated code names, which a schema's type would hide.
    private static let typesInUse: Set<String> = [
        "Any", "Array", "Bool", "Codable", "DateTime", "Decimal3", "Decimal4", "Double", "EmbeddedFieldValue",
        "EnumFieldValue",
        "Field", "FieldDecoder", "FieldEncoder", "FieldError", "FieldSchema", "FieldType", "IndexSchema", "Int",
        "InvalidValue", "JSONObject", "JSONText", "JSONValue", "Model", "ModelSchema", "Optional", "AuthRule",
        "RelationSchema",
        "FieldMerge", "OperationNames", "ScalarType", "Schema", "SchemaDocumentation", "Self", "Set", "TimestampNames",
        "Type", "Value", "Protocol", "ToMany", "ToOne",
    ]

    /// What generated code has or calls outside of its types.
    private static let globals: Set<String> = ["modelSchema", "modelSchemaText", "keyText"]

    /// Members of generated types, which hide a type of that name, and words that are no names of types.
    private static let typesHidden: Set<String> = [
        "self", "some", "any", "each", "id", "key", "hash", "hashValue", "record", "schema", "json", "fields", "object",
        "encode", "encoder", "decoder", "updating", "storageValue", "schemaFields", "schemaRules", "createdAt",
        "updatedAt", "Sendable", "Void",
    ]

    /// Members that every generated type has or inherits.
    private static let members: Set<String> = [
        "hashValue", "self", "Self", "Type", "Protocol", "CodingKeys", "String", "ID", "Sendable", "Void",
    ]
    private static let modelMembers: Set<String> = ["schemaFields", "schemaRules"]
    private static let embeddedMembers: Set<String> = ["json", "storageValue"]
    private static let enumMembers: Set<String> = [
        "allCases", "AllCases", "RawValue", "rawValue", "hashValue", "json", "storageValue", "self", "Self", "Type",
        "Protocol",
    ]

    static func escaped(_ name: String) -> String { keywords.contains(name) ? "`\(name)`" : name }

    /// A Swift string literal.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.value < 32 || 127...159 ~= scalar.value || scalar.value | 1 == 0x2029 {
                    result += "\\u{\(String(scalar.value, radix: 16))}"
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    /// The property of a field `id` that is not the whole key: `Model.id` is the key's text.
    static let idBesideKey = "idField"

    /// A static member for a field's `Field`; `schema` is taken by the model itself.
    static func fieldConstant(_ name: String) -> String { name == "schema" ? schemaConstant : escaped(name) }
    private static let schemaConstant = "schemaField"

    /// The nested type of a model's fields while they are changed: it must hide no type that the model names.
    static func draft(of model: ModelSchema) -> String {
        let named = namedTypes(model).union([model.name])
        return drafts.first { !named.contains($0) } ?? drafts[0]
    }
    private static let drafts = ["Draft", "Changes", "Edits", "Revision"]

    private static func namedTypes(_ model: ModelSchema) -> Set<String> {
        Set(model.fields.compactMap(\.typeName) + model.relations.map(\.target))
    }

    /// The names that cannot be Swift's.
    static func mistakes(in document: Document, _ schema: Schema) -> [SchemaMistake] {
        var result: [SchemaMistake] = []
        func check(_ name: String, _ position: SourcePosition, _ taken: Set<String>, _ what: String) {
            guard taken.contains(name) else { return }
            result.append(
                SchemaMistake(
                    line: position.line, column: position.column,
                    message: "\(what) \(name): generated Swift code needs this name for something else"))
        }
        for type in document.types {
            check(type.name, type.namePosition, typesInUse.union(globals).union(typesHidden), "type")
            if case .enumeration(let values) = type.kind {
                for value in values { check(value.name, value.position, enumMembers, "enum value") }
                continue
            }
            if let model = schema.model(type.name), model.syncPolicy != .none,
                let endless = schema.endlessType(in: model)
            {
                result.append(
                    SchemaMistake(
                        line: type.namePosition.line, column: type.namePosition.column,
                        message:
                            "model \(model.name): \(endless) contains itself, so that no document can ask a backend for all "
                            + "of it; give the model @sync(policy: NONE), or the list an end"))
            }
            let taken = takenMembers(type, schema)
            // Also what something adds: keys, owners, timestamps.
            let model = schema.model(type.name)
            let names = model.map { $0.fields.map(\.name) + $0.relations.map(\.name) } ?? type.fields.map(\.name)
            for name in names {
                let position = type.fields.first { $0.name == name }?.position ?? type.namePosition
                check(name, position, taken, "field")
            }
        }
        return result
    }

    /// The names that a type's members cannot have: inside of it they would hide what the code there names.
    private static func takenMembers(_ type: TypeDefinition, _ schema: Schema) -> Set<String> {
        let taken = members.union(typesInUse).union([type.name])
        guard let model = schema.model(type.name) else {
            return taken.union(embeddedMembers).union((schema.embedded[type.name] ?? []).compactMap(\.typeName))
        }
        var result = taken.union(modelMembers).union(globals).union(namedTypes(model)).union([draft(of: model)])
        let names = Set(model.fields.map(\.name) + model.relations.map(\.name))
        if names.contains("schema") { result.insert(schemaConstant) }
        if names.contains("id"), model.primaryKey != ["id"] { result.insert(idBesideKey) }
        return result
    }
}

extension FieldSchema {
    /// The enum or embedded type that it holds.
    fileprivate var typeName: String? {
        switch type {
        case .enumeration(let name), .embedded(let name): name
        case .scalar: nil
        }
    }
}
