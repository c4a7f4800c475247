extension JSONValue: Codable {
    /// Decodes any JSON.
    public init(from decoder: any Decoder) throws {
        if let keyed = try? decoder.container(keyedBy: JSONKey.self) {
            var members: [(key: String, value: JSONValue)] = []
            for key in keyed.allKeys {
                members.append((key: key.stringValue, value: try keyed.decode(JSONValue.self, forKey: key)))
            }
            self = JSONValue.object(JSONObject(members)).canonical
        } else if var list = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !list.isAtEnd { elements.append(try list.decode(JSONValue.self)) }
            self = .array(elements)
        } else {
            let single = try decoder.singleValueContainer()
            if single.decodeNil() {
                self = .null
            } else if let value = try? single.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? single.decode(Int64.self) {
                self = .integer(value)
            } else if let value = try? single.decode(Double.self) {
                self = .number("\(value)")
            } else {
                self = .string(try single.decode(String.self))
            }
        }
    }

    /// Encodes it; a number that a double does not hold exactly becomes a string of its digits.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let object):
            var keyed = encoder.container(keyedBy: JSONKey.self)
            for member in object.members { try keyed.encode(member.value, forKey: JSONKey(stringValue: member.key)) }
        case .array(let elements):
            var list = encoder.unkeyedContainer()
            for element in elements { try list.encode(element) }
        case .null:
            var single = encoder.singleValueContainer()
            try single.encodeNil()
        case .bool(let value):
            var single = encoder.singleValueContainer()
            try single.encode(value)
        case .integer(let value):
            var single = encoder.singleValueContainer()
            try single.encode(value)
        case .string(let value):
            var single = encoder.singleValueContainer()
            try single.encode(value)
        case .number(let text):
            var single = encoder.singleValueContainer()
            // 15 significant digits survive a double.
            if text.utf8.count(where: { $0 >= 48 && $0 <= 57 }) <= 15, let value = Double(text), value.isFinite {
                try single.encode(value)
            } else {
                try single.encode(text)
            }
        }
    }
}

/// Any key of a JSON object.
public struct JSONKey: CodingKey {
    /// The key.
    public let stringValue: String
    /// There are no integer keys.
    public var intValue: Int? { nil }

    /// Wraps a key.
    public init(stringValue: String) {
        self.stringValue = stringValue
    }

    /// There are no integer keys.
    public init?(intValue: Int) { nil }
}
