import GraphQL
import Models

extension SwiftGenerator {
    /// One embedded type's struct.
    mutating func emitEmbedded(_ type: TypeDefinition, _ fields: [FieldSchema]) {
        document(type.description, "The embedded type `\(type.name)` of the schema.")
        let descriptions = fields.map { description($0, of: type) }
        var output = output
        output.block("public struct \(SwiftNames.escaped(type.name)): EmbeddedFieldValue {", close: "}") { output in
            for (field, description) in zip(fields, descriptions) {
                output.documentation(description)
                output.line("public let \(field.swiftName): \(field.swiftType)")
            }
            output.line()
            output.line("/// Makes a value.")
            output.block("public init(", close: ") {") { output in
                for (index, field) in fields.enumerated() {
                    output.line(field.parameter(named: field.swiftName) + (index + 1 < fields.count ? "," : ""))
                }
            }
            output.indented { output in
                for field in fields { output.line("self.\(field.swiftName) = \(field.swiftName)") }
            }
            output.line("}")
            output.line()
            emitJSON(fields, &output)
            fieldList("static let fields", fields, &output)
        }
        self.output = output
    }

    private func emitJSON(_ fields: [FieldSchema], _ output: inout SourceText) {
        output.line("/// The wire form: keys in byte order, missing values left out.")
        output.block("public var json: JSONValue {", close: "}") { output in
            output.line("var members: [(key: String, value: JSONValue)] = []")
            for field in fields.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
                let key = SwiftNames.quoted(field.name)
                if field.isRequired {
                    output.line("members.append((key: \(key), value: self.\(field.swiftName).json))")
                } else {
                    output.line(
                        "if let value = self.\(field.swiftName) { members.append((key: \(key), value: value.json)) }")
                }
            }
            output.line("return .object(JSONObject(members))")
        }
        output.line()
        output.line("/// Reads the wire form; nil where it holds something else.")
        output.block("public init?(json: JSONValue) {", close: "}") { output in
            output.line("guard case .object(let object) = json else { return nil }")
            for (index, field) in fields.enumerated() {
                let key = SwiftNames.quoted(field.name)
                output.line(
                    "guard let value\(index) = (\(field.swiftType))(json: object[\(key)] ?? .null) else { return nil }")
            }
            for (index, field) in fields.enumerated() { output.line("self.\(field.swiftName) = value\(index)") }
        }
        output.line()
    }
}
