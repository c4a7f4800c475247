import Basics

/// A wire value that a field does not take: what is wrong, for a person and for the protocol's error.
public struct WireError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The model, or the embedded type.
    public let type: String
    /// The field.
    public let field: String
    /// What is wrong, naming the value.
    public let message: String

    /// Makes the error.
    public init(type: String, field: String, message: String) {
        self.type = type
        self.field = field
        self.message = message
    }

    /// `Bin.code: …`.
    public var description: String { "\(type).\(field): \(message)" }
}

extension Schema {
    /// Turns a wire value into a field's storage form, validating it.
    ///
    /// - Parameter keepsDateTimes: whether an `AWSDateTime` that is not in the form which ``DateTime/iso8601`` writes stays the
    ///   text that it is, as AppSync keeps it, where that is ``DateTime/isStandard(_:)``; else it becomes the instant that it
    ///   names.
    /// - Throws: ``WireError`` for a null where none may be, a value of another type, an unknown enum case, a malformed
    ///   scalar.
    public func storageValue(
        of json: JSONValue, for field: FieldSchema, in type: String, keepsDateTimes: Bool = false
    ) throws(WireError) -> Value {
        if json.isNull {
            guard !field.isRequired else {
                throw WireError(type: type, field: field.name, message: "null is not allowed")
            }
            return .null
        }
        if field.isList {
            guard case .array(let elements) = json else { throw mismatch(json, field, type) }
            var result: [JSONValue] = []
            result.reserveCapacity(elements.count)
            for element in elements {
                if element.isNull {
                    guard !field.isElementRequired else {
                        throw WireError(type: type, field: field.name, message: "a null element is not allowed")
                    }
                    result.append(.null)
                } else {
                    result.append(try normalized(element, field, type, keepsDateTimes))
                }
            }
            return .text(JSONValue.array(result).text)
        }
        switch field.type {
        case .embedded: return .text(try normalized(json, field, type, keepsDateTimes).text)
        case .enumeration(let name):
            guard let text = json.string, enums[name]?.containsBytes(of: text) ?? false else {
                throw mismatch(json, field, type)
            }
            return .text(text)
        case .scalar(let scalar):
            guard let value = scalar.storageValue(of: json, keepsDateTimes) else { throw mismatch(json, field, type) }
            return value
        }
    }

    /// Turns a field's storage form into its wire value.
    ///
    /// A stored text that is no JSON where JSON belongs becomes null; the store never writes such text.
    public func wireValue(of value: Value, for field: FieldSchema) -> JSONValue {
        field.wireValue(of: value)
    }

    /// One non-null element, checked and with its keys in byte order.
    private func normalized(
        _ json: JSONValue, _ field: FieldSchema, _ type: String, _ keepsDateTimes: Bool
    ) throws(WireError) -> JSONValue {
        switch field.type {
        case .scalar(let scalar):
            guard let value = scalar.storageValue(of: json, keepsDateTimes) else { throw mismatch(json, field, type) }
            return scalar.wireValue(of: value)
        case .enumeration(let name):
            guard let text = json.string, enums[name]?.containsBytes(of: text) ?? false else {
                throw mismatch(json, field, type)
            }
            return json
        case .embedded(let name):
            guard case .object(let object) = json, let fields = embedded[name] else {
                throw mismatch(json, field, type)
            }
            for key in object.keys where !fields.contains(where: { $0.name == key }) {
                throw WireError(type: name, field: key, message: "there is no such field")
            }
            var members: [(key: String, value: JSONValue)] = []
            for inner in fields.sorted(by: { $0.name < $1.name }) {
                let value = try storageValue(
                    of: object[inner.name] ?? .null, for: inner, in: name, keepsDateTimes: keepsDateTimes)
                if !value.isNull { members.append((key: inner.name, value: wireValue(of: value, for: inner))) }
            }
            return .object(JSONObject(members))
        }
    }

    private func mismatch(_ json: JSONValue, _ field: FieldSchema, _ type: String) -> WireError {
        let name: String
        switch field.type {
        case .scalar(let scalar): name = scalar.graphQLName
        case .enumeration(let enumName), .embedded(let enumName): name = enumName
        }
        return WireError(
            type: type, field: field.name,
            message: "\(json.text.prefix(80)) is not a valid \(field.isList ? "[\(name)]" : name)")
    }
}

extension ScalarType {
    /// The same, where an `AWSDateTime` may stay a text.
    fileprivate func storageValue(of json: JSONValue, _ keepsDateTimes: Bool) -> Value? {
        let value = storageValue(of: json)
        guard keepsDateTimes, self == .awsDateTime, let value, wireValue(of: value) != json else { return value }
        // Words that not every client can read are given in the usual ones.
        return json.string.flatMap { DateTime.isStandard($0) ? .text($0) : nil } ?? value
    }

    /// Turns a non-null wire value into the storage form; nil where it is not of this type.
    public func storageValue(of json: JSONValue) -> Value? {
        switch self {
        case .id:
            switch json {
            case .string(let text): return .text(text)
            case .integer(let value): return .text(String(value))
            default: return nil
            }
        case .string: return json.string.map { .text($0) }
        case .int:
            guard let value = json.integer, Int64(Int32.min)...Int64(Int32.max) ~= value else { return nil }
            return .integer(value)
        case .awsTimestamp: return json.integer.map { .integer($0) }
        case .float:
            guard let value = json.double, value.isFinite else { return nil }
            return .real(value)
        case .boolean: return json.bool.map { .integer($0 ? 1 : 0) }
        case .decimal(let places):
            switch json {
            case .integer(let value): return decimalUnits(String(value), places: places).map { .integer($0) }
            case .number(let text): return decimalUnits(text, places: places).map { .integer($0) }
            default: return nil
            }
        case .awsDateTime:
            return json.string.flatMap { DateTime(iso8601: $0) }.map { .integer($0.milliseconds) }
        case .awsJSON:
            guard let text = json.string, let value = try? JSONValue(parsing: text) else { return nil }
            return .text(value.canonical.text)
        case .awsDate, .awsTime, .awsEmail, .awsPhone, .awsURL, .awsIPAddress:
            guard let text = json.string, isValid(text) else { return nil }
            return .text(text)
        }
    }

    /// Turns a non-null storage value into the wire form.
    public func wireValue(of value: Value) -> JSONValue {
        switch (self, value) {
        case (_, .null): return .null
        case (.boolean, .integer(let value)): return .bool(value != 0)
        case (.decimal(let places), .integer(let units)):
            let scale = powerOfTen(places)
            return units % scale == 0 ? .integer(units / scale) : .number(decimalText(units, places: places))
        case (.awsDateTime, .integer(let value)): return .string(DateTime(milliseconds: value).iso8601)
        case (_, .integer(let value)): return .integer(value)
        case (_, .real(let value)):
            return value == value.rounded() && abs(value) < 1e15 ? .integer(Int64(value)) : .number("\(value)")
        case (_, .text(let text)): return .string(text)
        }
    }
}
