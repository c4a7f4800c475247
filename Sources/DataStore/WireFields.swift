import Basics
import Models

/// One model's way between a row's values and the JSON of an outbox entry, which is the wire's form.
final class WireFields: Sendable {
    /// How a value is written.
    private enum Form: Sendable {
        case text, int, integer, boolean, real, dateTime
        /// - limit: The units from which it is too long.
        case decimal(places: Int, limit: UInt64)
        /// Stored as JSON text that goes out as it is.
        case json
        /// Stored as JSON text that goes out as a string.
        case jsonString
    }

    let schema: Schema
    let model: ModelSchema
    /// Fields that clients may set.
    let writable: [Int]
    /// Positions of the key's fields.
    let keyPositions: [Int]
    /// Fields of clients that must hold something.
    private let required: [Int]
    private let names: [[UInt8]]
    private let forms: [Form]
    /// Lists and embedded values that can hold something wrong although Swift's types are right.
    private let checkedJSON: [Bool]

    init(_ schema: Schema, _ model: ModelSchema) {
        self.schema = schema
        self.model = model
        writable = model.fields.indices.filter { !model.fields[$0].isReadOnly }
        required = writable.filter { model.fields[$0].isRequired }
        keyPositions = model.primaryKey.compactMap { model.position(of: $0) }
        names = model.fields.map { Array("\"\($0.name)\":".utf8) }
        forms = model.fields.map(WireFields.form)
        checkedJSON = model.fields.map { WireFields.isChecked($0, schema, inside: []) }
    }

    private static func isChecked(_ field: FieldSchema, _ schema: Schema, inside: Set<String>) -> Bool {
        switch field.type {
        case .enumeration, .scalar(.id), .scalar(.string), .scalar(.boolean), .scalar(.awsJSON), .scalar(.awsTimestamp):
            return false
        case .scalar: return field.isList || !inside.isEmpty
        case .embedded(let name):
            guard !inside.contains(name) else { return false }
            return schema.embedded[name]?.contains { isChecked($0, schema, inside: inside.union([name])) } ?? false
        }
    }

    private static func form(_ field: FieldSchema) -> Form {
        if field.isList { return .json }
        switch field.type {
        case .embedded: return .json
        case .enumeration: return .text
        case .scalar(let scalar):
            switch scalar {
            case .awsJSON: return .jsonString
            case .int: return .int
            case .awsTimestamp: return .integer
            case .boolean: return .boolean
            case .float: return .real
            case .awsDateTime: return .dateTime
            case .decimal(let places): return .decimal(places: places, limit: ScalarType.decimalLimit(places: places))
            case .id, .string, .awsDate, .awsTime, .awsEmail, .awsPhone, .awsURL, .awsIPAddress: return .text
            }
        }
    }

    /// The object of these fields; those that hold nothing are written as null, or left out with `skippingNull`.
    func json(_ values: [Value], _ positions: [Int], skippingNull: Bool = false) -> [UInt8] {
        var writer = JSONWriter(capacity: 32 * positions.count + 16)
        writer.raw("{")
        var isFirst = true
        for position in positions {
            let value = values[position]
            if skippingNull, value.isNull { continue }
            if !isFirst { writer.raw(",") }
            isFirst = false
            writer.bytes.append(contentsOf: names[position])
            write(value, position, &writer)
        }
        writer.raw("}")
        return writer.bytes
    }

    private func write(_ value: Value, _ position: Int, _ writer: inout JSONWriter) {
        switch (forms[position], value) {
        case (_, .null): writer.raw("null")
        case (.json, .text(let text)): writer.raw(text)
        case (.boolean, .integer(let value)): if value != 0 { writer.raw("true") } else { writer.raw("false") }
        case (.decimal(let places, _), .integer(let units)): writer.raw(decimalText(units, places: places))
        case (.dateTime, .integer(let value)): writer.string(DateTime(milliseconds: value).iso8601)
        case (.real, .real(let value)):
            if value == value.rounded(), abs(value) < 1e15 {
                writer.integer(Int64(value))
            } else {
                writer.raw("\(value)")
            }
        case (_, .integer(let value)): writer.integer(value)
        case (_, .real(let value)): writer.raw("\(value)")
        case (_, .text(let text)): writer.string(text)
        }
    }

    /// The object of all fields of a record, as parsed JSON.
    func object(_ values: [Value]) -> JSONObject {
        JSONObject(
            model.fields.indices.filter { !values[$0].isNull }
                .map { (key: model.fields[$0].name, value: wire(values[$0], $0)) })
    }

    /// One field's wire value.
    func wire(_ value: Value, _ position: Int) -> JSONValue { schema.wireValue(of: value, for: model.fields[position]) }

    /// The values with an object's members laid over them; a member that is no field here is passed over.
    ///
    /// - Throws: ``WireError`` where a member does not fit its field.
    func values(_ object: JSONObject, over values: [Value]? = nil) throws(WireError) -> [Value] {
        var result = values ?? Array(repeating: .null, count: model.fields.count)
        for member in object.members {
            guard let position = model.position(of: member.key) else { continue }
            // Null is judged by whoever keeps the result: a base of a field that was added later holds nothing.
            result[position] =
                member.value.isNull
                ? .null : try schema.storageValue(of: member.value, for: model.fields[position], in: model.name)
        }
        return result
    }

    /// The values with the defaults of required fields that hold none: what was kept beside the rows may be older than they.
    ///
    /// - Throws: ``WireError`` for a required field that has neither a value nor a default.
    func completed(_ values: [Value]) throws(WireError) -> [Value] {
        guard required.contains(where: { values[$0].isNull }) else { return values }
        var result = values
        for position in required where values[position].isNull {
            guard let standard = model.fields[position].storedDefault else {
                throw WireError(
                    type: model.name, field: model.fields[position].name, message: "null is not allowed")
            }
            result[position] = standard
        }
        return result
    }

    /// Positions of writable fields in which two records differ.
    func differences(_ a: [Value], _ b: [Value]) -> [Int] { writable.filter { a[$0] != b[$0] } }

    /// What keeps a record from being kept: a required field without a value, a value of another type.
    ///
    /// - Parameter isRemote: The backend fills read-only fields, so they must be there.
    func problem(_ values: [Value], isRemote: Bool = false) -> (field: String, reason: String, isMissing: Bool)? {
        for position in model.fields.indices {
            let field = model.fields[position]
            let value = values[position]
            if value.isNull {
                if field.isRequired, !field.isReadOnly || isRemote { return (field.name, "null is not allowed", true) }
                continue
            }
            switch (forms[position], value) {
            case (.text, .text(let text)):
                if let reason = textProblem(text, field) { return (field.name, reason, false) }
            case (.int, .integer(let number)):
                if Int32(exactly: number) == nil { return slowProblem(values) }
            case (.real, .real(let number)):
                if !number.isFinite { return slowProblem(values) }
            case (.json, .text):
                // What came from the backend was checked when it was read.
                if checkedJSON[position], !isRemote, let problem = slowProblem(values) { return problem }
            case (.decimal(_, let limit), .integer(let units)):
                if !isRemote, units.magnitude >= limit { return slowProblem(values) }
            case (.dateTime, .integer(let number)):
                if !DateTime.writable.contains(number) { return slowProblem(values) }
            case (.jsonString, .text), (.integer, .integer), (.boolean, .integer):
                continue
            default: return (field.name, "\(value) is of another type", false)
            }
        }
        return model.primaryKey.count > 1 ? slowProblem(values) : nil
    }

    private func slowProblem(_ values: [Value]) -> (field: String, reason: String, isMissing: Bool)? {
        model.problem(values, in: schema).map { ($0.field, $0.reason, $0.isMissing) }
    }

    private func textProblem(_ text: String, _ field: FieldSchema) -> String? {
        switch field.type {
        case .enumeration(let name):
            return schema.enums[name]?.containsBytes(of: text) ?? false ? nil : "\(name) has no case \(printable(text))"
        case .scalar(let scalar):
            return scalar.isValid(text) ? nil : "\(printable(text)) is not a valid \(scalar.graphQLName)"
        case .embedded: return nil
        }
    }
}
