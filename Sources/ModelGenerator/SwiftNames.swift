import GraphQL

/// How names of a schema are written in Swift, and which cannot be.
enum SwiftNames {
    private static let keywords: Set<String> = [
        "Any", "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit",
        "do",
        "else", "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import",
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

    /// Members that every generated type has or inherits.
    private static let members: Set<String> = [
        "hashValue", "self", "Self", "Type", "Protocol", "Draft", "Changes", "CodingKeys",
    ]
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
    static func fieldConstant(_ name: String) -> String { name == "schema" ? "schemaField" : escaped(name) }

    /// The names that cannot be Swift's.
    static func mistakes(in document: Document) -> [SchemaMistake] {
        var result: [SchemaMistake] = []
        func check(_ name: String, _ position: SourcePosition, _ taken: Set<String>, _ what: String) {
            guard taken.contains(name) else { return }
            result.append(
                SchemaMistake(
                    line: position.line, column: position.column,
                    message: "\(what) \(name): generated Swift code needs this name for something else"))
        }
        for type in document.types {
            check(type.name, type.namePosition, typesInUse, "type")
            let isModel = type.directive("model") != nil
            var taken = isModel ? members : members.union(embeddedMembers)
            let hasOwnKey = isModel && type.fields.contains { $0.directive("primaryKey") != nil }
            if hasOwnKey, type.fields.contains(where: { $0.name == "id" }) { taken.insert(idBesideKey) }
            for field in type.fields { check(field.name, field.position, taken, "field") }
            if case .enumeration(let values) = type.kind {
                for value in values { check(value.name, value.position, enumMembers, "enum value") }
            }
        }
        return result
    }
}
