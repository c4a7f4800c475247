import Basics

/// A value that the store keeps: one immutable record of a `@model` type.
///
/// Generated from a GraphQL schema by `modelgen`. A changed copy is made with ``updating(_:)``; a record's key never
/// changes.
public protocol Model: Sendable, Hashable, Codable, Identifiable where ID == String {
    /// The model's schema.
    static var schema: ModelSchema { get }
    /// The record's key: the `id` field, or a custom key's values joined with `#`.
    var id: String { get }
    /// Writes the fields in the schema's order.
    func encode(into encoder: inout some FieldEncoder)
    /// Reads the fields in the schema's order.
    ///
    /// - Throws: ``FieldError`` naming the field that could not be read.
    init(from decoder: inout some FieldDecoder) throws(FieldError)
}

/// Takes a model's fields one by one, in the schema's order.
public protocol FieldEncoder {
    /// Takes the next field.
    mutating func encode(_ value: Value)
}

extension FieldEncoder {
    /// Takes the next field from its Swift type.
    @inlinable
    public mutating func encode(_ value: some FieldValue) { encode(value.storageValue) }
}

/// Gives a model's fields one by one, in the schema's order.
public protocol FieldDecoder {
    /// Gives the next field.
    mutating func decode() -> Value
    /// Gives the next field as text, nil where it is null; throws where it is anything else.
    mutating func decodeText() throws(FieldError) -> String?
    /// Gives the next field as an integer, nil where it is null; throws where it is anything else.
    mutating func decodeInteger() throws(FieldError) -> Int64?
    /// The position of the field that ``decode()`` gives next.
    var position: Int { get }
}

extension FieldDecoder {
    /// Gives the next field as a Swift type.
    ///
    /// - Throws: ``FieldError`` with the field's position where it holds something else.
    @inlinable
    public mutating func decode<T: FieldValue>(_ type: T.Type = T.self) throws(FieldError) -> T {
        let index = position
        let value = decode()
        guard let result = T(storageValue: value) else {
            throw FieldError(position: index, value: value, expected: "\(T.self)")
        }
        return result
    }
}

/// A stored value that a field's type cannot hold, such as an enum case this client does not know.
public struct FieldError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The field's position in the model's schema.
    public let position: Int
    /// What was found.
    public let value: Value
    /// The Swift type that was expected.
    public let expected: String

    /// Makes the error.
    public init(position: Int, value: Value, expected: String) {
        self.position = position
        self.value = value
        self.expected = expected
    }

    /// One line for a person.
    public var description: String { "field \(position): \(value) is no \(expected)" }
}

/// Collects a model's fields into an array.
public struct ValueEncoder: FieldEncoder {
    /// The fields so far.
    public var values: [Value]

    /// Starts with room for `capacity` fields.
    public init(capacity: Int) {
        values = []
        values.reserveCapacity(capacity)
    }

    /// Takes the next field.
    public mutating func encode(_ value: Value) { values.append(value) }
}

/// Gives fields from an array; missing ones are null.
public struct ValueDecoder: FieldDecoder {
    private let values: [Value]
    /// The next field's position.
    public private(set) var position = 0

    /// Starts at the first value.
    public init(_ values: [Value]) {
        self.values = values
    }

    /// Gives the next field.
    public mutating func decode() -> Value {
        defer { position += 1 }
        return position < values.count ? values[position] : .null
    }
}

extension Model {
    /// The record's untyped form.
    public var record: Record {
        var encoder = ValueEncoder(capacity: Self.schema.fields.count)
        encode(into: &encoder)
        return Record(schema: Self.schema, values: encoder.values)
    }

    /// Reads an untyped record of this model.
    ///
    /// - Throws: ``FieldError`` where a value does not fit.
    public init(_ record: Record) throws(FieldError) {
        var decoder = ValueDecoder(record.values)
        try self.init(from: &decoder)
    }
}

/// One record in untyped form: what the sync engine and the hub work on.
public struct Record: Sendable, Hashable {
    /// The model it belongs to.
    public let schema: ModelSchema
    /// The fields' values in the schema's order.
    public var values: [Value]

    /// Makes a record; `values` has one value per field of `schema`.
    public init(schema: ModelSchema, values: [Value]) {
        self.schema = schema
        self.values = values
    }

    /// A field's value by name, null where there is no such field.
    public subscript(field: String) -> Value {
        get { schema.position(of: field).map { values[$0] } ?? .null }
        set { if let position = schema.position(of: field) { values[position] = newValue } }
    }

    /// The key: the `id` field, or the key's values joined with `#`.
    public var id: String {
        if schema.primaryKey.count == 1 { return keyText(self[schema.primaryKey[0]]) }
        return schema.primaryKey.map { keyText(self[$0]) }.joined(separator: "#")
    }
}

extension ModelSchema {
    /// The stored values of the key's fields, read back from the text that ``Record/id`` makes of them.
    ///
    /// A part that is no value of its field stays a text, and one that the text lacks is empty.
    public func keyValues(of id: String) -> [Value] {
        let parts =
            primaryKey.count == 1
            ? [Substring(id)]
            : id.split(separator: "#", maxSplits: primaryKey.count - 1, omittingEmptySubsequences: false)
        return primaryKey.enumerated().map { index, name in
            let text = index < parts.count ? String(parts[index]) : ""
            guard case .scalar(let scalar)? = field(name)?.type else { return .text(text) }
            return switch scalar {
            case .int, .boolean, .awsTimestamp, .awsDateTime, .decimal: Int64(text).map { .integer($0) } ?? .text(text)
            case .float: Double(text).map { .real($0) } ?? .text(text)
            case .id, .string, .awsDate, .awsTime, .awsEmail, .awsJSON, .awsPhone, .awsURL, .awsIPAddress: .text(text)
            }
        }
    }
}

/// A key field's value as text; equal values have the same, zero with a sign too.
public func keyText(_ value: Value) -> String {
    switch value {
    case .null: ""
    case .integer(let value): String(value)
    case .real(let value): String(value == 0 ? 0 : value)
    case .text(let value): value
    }
}
