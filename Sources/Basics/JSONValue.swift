/// A JSON value (RFC 8259).
///
/// Objects keep their order. Integers are exact; other numbers keep their digits, so that a decimal is never rounded
/// through a double.
///
/// Two are equal where they say the same bytes: texts that only look alike, as composed and decomposed letters do, differ.
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A number that is no 64-bit integer, as written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// Whether both are the same, texts byte by byte.
    public static func == (a: JSONValue, b: JSONValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.number(let a), .number(let b)), (.string(let a), .string(let b)): a.hasSameBytes(as: b)
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        case (.null, _), (.bool, _), (.integer, _), (.number, _), (.string, _), (.array, _), (.object, _): false
        }
    }
}

/// An ordered JSON object; look-up is linear, which is fastest at the sizes the protocol has.
public struct JSONObject: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// The members in order.
    public var members: [(key: String, value: JSONValue)]

    /// An object without members.
    public init() {
        members = []
    }

    /// An object with these members in this order; keys should differ.
    public init(_ members: [(key: String, value: JSONValue)]) {
        self.members = members
    }

    /// An object with these members in this order.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        members = elements.map { (key: $0.0, value: $0.1) }
    }

    /// The value of a key; setting nil removes it, setting a new key appends it.
    public subscript(key: String) -> JSONValue? {
        get { members.first { $0.key.hasSameBytes(as: key) }?.value }
        set {
            if let index = members.firstIndex(where: { $0.key.hasSameBytes(as: key) }) {
                if let newValue { members[index].value = newValue } else { members.remove(at: index) }
            } else if let newValue {
                members.append((key: key, value: newValue))
            }
        }
    }

    /// The keys in order.
    public var keys: [String] { members.map(\.key) }
    /// Whether it has no member.
    public var isEmpty: Bool { members.isEmpty }
    /// How many members it has.
    public var count: Int { members.count }

    /// Whether both have the same members in any order, keys byte by byte.
    public static func == (a: JSONObject, b: JSONObject) -> Bool {
        guard a.members.count == b.members.count else { return false }
        let places = a.members.indices
        if places.allSatisfy({ a.members[$0].key.hasSameBytes(as: b.members[$0].key) }) {
            return places.allSatisfy { a.members[$0].value == b.members[$0].value }
        }
        let others = Dictionary(
            b.members.map { (ByteText($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
        return a.members.allSatisfy { others[ByteText($0.key)] == $0.value }
    }

    /// Feeds the hash without regard to order.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(members.count)
        hasher.combine(
            members.reduce(0) { sum, member in
                var one = Hasher()
                one.combine(member.key)
                one.combine(member.value)
                return sum ^ one.finalize()
            })
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// Null.
    public init(nilLiteral: ()) { self = .null }
    /// An array.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object in the order written.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { (key: $0.0, value: $0.1) }))
    }
}

extension JSONValue {
    /// The member of an object, nil on anything else.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }

    /// The element of an array, nil out of bounds or on anything else.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let array) = self, array.indices.contains(index) else { return nil }
        return array[index]
    }

    /// The text of a string.
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    /// The value of a boolean.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The value of an integer.
    public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// The value of any number as a double.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let text): Double(text)
        default: nil
        }
    }
    /// The elements of an array.
    public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    /// The object.
    public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    /// Whether it is null.
    public var isNull: Bool { self == .null }
}
