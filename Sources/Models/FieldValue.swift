import Basics

/// A Swift type that a field can have: it converts to and from the storage form.
public protocol FieldValue: Sendable, Hashable {
    /// The storage form.
    var storageValue: Value { get }
    /// Reads the storage form; nil where it holds something else.
    init?(storageValue: Value)
}

extension String: FieldValue {
    /// Text.
    @inlinable
    public var storageValue: Value { .text(self) }
    /// Reads text.
    @inlinable
    public init?(storageValue: Value) {
        guard case .text(let value) = storageValue else { return nil }
        self = value
    }
}

extension Int: FieldValue {
    /// An integer.
    @inlinable
    public var storageValue: Value { .integer(Int64(self)) }
    /// Reads an integer.
    @inlinable
    public init?(storageValue: Value) {
        guard case .integer(let value) = storageValue else { return nil }
        self = Int(value)
    }
}

extension Bool: FieldValue {
    /// 0 or 1.
    @inlinable
    public var storageValue: Value { .integer(self ? 1 : 0) }
    /// Reads 0 or 1.
    @inlinable
    public init?(storageValue: Value) {
        guard case .integer(let value) = storageValue else { return nil }
        self = value != 0
    }
}

extension Double: FieldValue {
    /// A real.
    @inlinable
    public var storageValue: Value { .real(self) }
    /// Reads a real or an integer.
    @inlinable
    public init?(storageValue: Value) {
        switch storageValue {
        case .real(let value): self = value
        case .integer(let value): self = Double(value)
        default: return nil
        }
    }
}

extension DateTime: FieldValue {
    /// Milliseconds since 1970.
    @inlinable
    public var storageValue: Value { .integer(milliseconds) }
    /// Reads milliseconds since 1970.
    @inlinable
    public init?(storageValue: Value) {
        guard case .integer(let value) = storageValue else { return nil }
        self.init(milliseconds: value)
    }
}

extension FixedPointDecimal {
    /// Units of the last place.
    @inlinable
    public var storageValue: Value { .integer(units) }
    /// Reads units of the last place.
    @inlinable
    public init?(storageValue: Value) {
        guard case .integer(let value) = storageValue else { return nil }
        self.init(units: value)
    }
}

extension Optional: FieldValue where Wrapped: FieldValue {
    /// Null, or the wrapped value's form.
    @inlinable
    public var storageValue: Value { self?.storageValue ?? .null }
    /// Reads null or the wrapped value.
    @inlinable
    public init?(storageValue: Value) {
        if storageValue.isNull {
            self = .none
        } else {
            guard let value = Wrapped(storageValue: storageValue) else { return nil }
            self = .some(value)
        }
    }
}

/// A type whose storage form is JSON text: embedded types and the elements of lists.
public protocol JSONFieldValue: Sendable, Hashable {
    /// The wire form.
    var json: JSONValue { get }
    /// Reads the wire form; nil where it holds something else.
    init?(json: JSONValue)
}

extension Array: FieldValue where Element: JSONFieldValue {
    /// Canonical JSON text of the elements.
    @inlinable
    public var storageValue: Value { .text(JSONValue.array(map(\.json)).canonical.text) }
    /// Reads JSON text.
    @inlinable
    public init?(storageValue: Value) {
        guard case .text(let text) = storageValue, let parsed = try? JSONValue(parsing: text) else { return nil }
        self.init(json: parsed)
    }
}

extension Array: JSONFieldValue where Element: JSONFieldValue {
    /// A JSON array.
    public var json: JSONValue { .array(map(\.json)) }
    /// Reads a JSON array.
    public init?(json: JSONValue) {
        guard case .array(let elements) = json else { return nil }
        var result: [Element] = []
        result.reserveCapacity(elements.count)
        for element in elements {
            guard let value = Element(json: element) else { return nil }
            result.append(value)
        }
        self = result
    }
}

extension String: JSONFieldValue {
    /// A JSON string.
    public var json: JSONValue { .string(self) }
    /// Reads a JSON string.
    public init?(json: JSONValue) {
        guard let value = json.string else { return nil }
        self = value
    }
}

extension Int: JSONFieldValue {
    /// A JSON number.
    public var json: JSONValue { .integer(Int64(self)) }
    /// Reads a JSON integer.
    public init?(json: JSONValue) {
        guard let value = json.integer else { return nil }
        self = Int(value)
    }
}

extension Bool: JSONFieldValue {
    /// A JSON boolean.
    public var json: JSONValue { .bool(self) }
    /// Reads a JSON boolean.
    public init?(json: JSONValue) {
        guard let value = json.bool else { return nil }
        self = value
    }
}

extension Double: JSONFieldValue {
    /// A JSON number.
    public var json: JSONValue { ScalarType.float.wireValue(of: .real(self)) }
    /// Reads a JSON number.
    public init?(json: JSONValue) {
        guard let value = json.double else { return nil }
        self = value
    }
}

extension DateTime: JSONFieldValue {
    /// ISO 8601 text.
    public var json: JSONValue { .string(iso8601) }
    /// Reads ISO 8601 text.
    public init?(json: JSONValue) {
        guard let text = json.string else { return nil }
        self.init(iso8601: text)
    }
}

extension Decimal3: JSONFieldValue {}
extension Decimal4: JSONFieldValue {}

extension FixedPointDecimal {
    /// A JSON number with the exact digits.
    public var json: JSONValue { isWhole ? .integer(units / powerOfTen(Self.places)) : .number(description) }
    /// Reads a JSON number.
    public init?(json: JSONValue) {
        switch json {
        case .integer(let value): self.init(String(value))
        case .number(let text): self.init(text)
        default: return nil
        }
    }
}

extension Optional: JSONFieldValue where Wrapped: JSONFieldValue {
    /// Null or the wrapped value's form.
    public var json: JSONValue { self?.json ?? .null }
    /// Reads null or the wrapped value.
    public init?(json: JSONValue) {
        if json.isNull {
            self = .none
        } else {
            guard let value = Wrapped(json: json) else { return nil }
            self = .some(value)
        }
    }
}

/// The text of an `AWSJSON` field: any valid JSON.
public struct JSONText: TextFieldValue, JSONFieldValue, Codable {
    /// The parsed value.
    public let value: JSONValue

    /// Wraps a value.
    public init(_ value: JSONValue) {
        self.value = value
    }

    /// Canonical JSON text.
    public var storageValue: Value { .text(value.canonical.text) }
    /// Reads JSON text.
    public init?(storageValue: Value) {
        guard case .text(let text) = storageValue, let value = try? JSONValue(parsing: text) else { return nil }
        self.value = value
    }

    /// `AWSJSON` travels as a string that holds JSON.
    public var json: JSONValue { .string(value.canonical.text) }
    /// Reads a string that holds JSON.
    public init?(json: JSONValue) {
        guard let text = json.string, let value = try? JSONValue(parsing: text) else { return nil }
        self.value = value
    }

    /// Decodes a string that holds JSON.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        value = try JSONValue(parsing: try container.decode(String.self))
    }

    /// Encodes a string that holds JSON.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value.canonical.text)
    }
}

/// An enum of the schema: its raw value is the case's name in GraphQL.
public protocol EnumFieldValue: TextFieldValue, JSONFieldValue, RawRepresentable, Codable, CaseIterable
where RawValue == String {}

extension EnumFieldValue {
    /// The case's name.
    @inlinable
    public var storageValue: Value { .text(rawValue) }
    /// Reads a case's name.
    @inlinable
    public init?(storageValue: Value) {
        guard case .text(let text) = storageValue else { return nil }
        self.init(rawValue: text)
    }

    /// The case's name.
    public var json: JSONValue { .string(rawValue) }
    /// Reads a case's name.
    public init?(json: JSONValue) {
        guard let text = json.string else { return nil }
        self.init(rawValue: text)
    }
}

/// An embedded type of the schema: a value stored as JSON text in its model's row.
public protocol EmbeddedFieldValue: FieldValue, JSONFieldValue, Codable {}

extension EmbeddedFieldValue {
    /// Canonical JSON text.
    @inlinable
    public var storageValue: Value { .text(json.canonical.text) }
    /// Reads JSON text.
    @inlinable
    public init?(storageValue: Value) {
        guard case .text(let text) = storageValue, let value = try? JSONValue(parsing: text) else { return nil }
        self.init(json: value)
    }
}
