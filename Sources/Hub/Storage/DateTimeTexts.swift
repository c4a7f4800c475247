import Basics
import Models

/// The words in which `AWSDateTime`s came, where they are not those that the service writes itself.
///
/// AppSync keeps such a value as the text that it is, and its clients rely on it: amplify-js takes a mutation's answer for
/// its own only where every field that it sent comes back unchanged (`appsync-protocol.md` §1.7, §6.2). The service orders,
/// indexes and compares dates as instants, so a row has both: in its column the instant, and in ``column`` the texts by
/// field, null where there are none. In memory such a field is a ``Value/text(_:)``. A text counts only while it
/// names the instant beside it, so that nothing which changes the instant alone has to know of it.
///
/// Keys, and fields that refer to them, are instants only: two texts of one instant are one key. So are sets, whose elements
/// are found by what they are. Lists and embedded values are stored as JSON, which holds the texts itself.
enum DateTimeTexts {
    /// The metadata column's name.
    static let column = "_texts"

    /// Whether the fields of a model keep their texts, by position.
    static func fields(of schema: ModelSchema) -> [Bool] {
        let keys = Set(schema.primaryKey + schema.relations.flatMap(\.fields))
        return schema.fields.map { $0.merge != .set && !keys.contains($0.name) }
    }

    /// The positions of the fields whose text stands beside their instant.
    static func dateTimes(of schema: ModelSchema) -> [Int] {
        let keeps = fields(of: schema)
        return schema.fields.indices.filter { keeps[$0] && isDateTime(schema.fields[$0]) }
    }

    /// What a row's columns hold: instants, and the texts beside them.
    static func columns(of values: [Value], _ model: ModelInfo) -> (values: [Value], texts: Value) {
        var columns = values
        var texts = JSONObject()
        for (position, field) in model.schema.fields.enumerated() {
            guard let text = text(values[position], field) else { continue }
            columns[position] = instant(values[position], field)
            texts.members.append((field.name, .string(text)))
        }
        return (columns, texts.isEmpty ? .null : .text(JSONValue.object(texts).text))
    }

    /// What a row's column holds.
    struct Texts {
        private let json: JSONValue?

        init(_ column: String) { json = try? JSONValue(parsing: column) }

        /// The text that ``DateTimeTexts/columns(of:_:)`` put beside a field's instant.
        func text(of field: FieldSchema, at instant: Int64) -> String? {
            guard let text = json?[field.name]?.string, DateTime(iso8601: text)?.milliseconds == instant else {
                return nil
            }
            return text
        }
    }

    /// The instant that a single date names; every other value stays.
    static func instant(_ value: Value, _ field: FieldSchema) -> Value {
        guard let text = text(value, field), let date = DateTime(iso8601: text) else { return value }
        return .integer(date.milliseconds)
    }

    private static func text(_ value: Value, _ field: FieldSchema) -> String? {
        guard case .text(let text) = value, isDateTime(field) else { return nil }
        return text
    }

    private static func isDateTime(_ field: FieldSchema) -> Bool {
        field.type == .scalar(.awsDateTime) && !field.isList
    }
}
