import Basics

// The overloads below say the same as the generic `decode(_:)` for the types that most fields have. Generated code picks
// them by itself; they need no generic metadata at run time, which took half the time of reading a row.
extension FieldDecoder {
    /// Gives the next field as text, nil where it is null.
    @inlinable
    public mutating func decodeText() throws(FieldError) -> String? {
        switch decode() {
        case .text(let text): return text
        case .null: return nil
        case let value: throw mismatch(value, "String")
        }
    }

    /// Gives the next field as an integer, nil where it is null.
    @inlinable
    public mutating func decodeInteger() throws(FieldError) -> Int64? {
        switch decode() {
        case .integer(let number): return number
        case .null: return nil
        case let value: throw mismatch(value, "Int")
        }
    }

    /// Gives the next field as text.
    @inlinable
    public mutating func decode(_ type: String.Type) throws(FieldError) -> String {
        guard let text = try decodeText() else { throw mismatch(.null, "String") }
        return text
    }

    /// Gives the next field as text or nothing.
    @inlinable
    public mutating func decode(_ type: String?.Type) throws(FieldError) -> String? { try decodeText() }

    @inlinable
    mutating func integer(_ expected: StaticString) throws(FieldError) -> Int64 {
        guard let number = try decodeInteger() else { throw mismatch(.null, expected) }
        return number
    }

    /// Gives the next field as an integer.
    @inlinable
    public mutating func decode(_ type: Int.Type) throws(FieldError) -> Int { Int(try integer("Int")) }
    /// Gives the next field as an integer or nothing.
    @inlinable
    public mutating func decode(_ type: Int?.Type) throws(FieldError) -> Int? {
        try decodeInteger().map { Int($0) }
    }
    /// Gives the next field as a truth value.
    @inlinable
    public mutating func decode(_ type: Bool.Type) throws(FieldError) -> Bool { try integer("Bool") != 0 }
    /// Gives the next field as a truth value or nothing.
    @inlinable
    public mutating func decode(_ type: Bool?.Type) throws(FieldError) -> Bool? {
        try decodeInteger().map { $0 != 0 }
    }
    /// Gives the next field as an instant.
    @inlinable
    public mutating func decode(_ type: DateTime.Type) throws(FieldError) -> DateTime {
        DateTime(milliseconds: try integer("DateTime"))
    }
    /// Gives the next field as an instant or nothing.
    @inlinable
    public mutating func decode(_ type: DateTime?.Type) throws(FieldError) -> DateTime? {
        try decodeInteger().map { DateTime(milliseconds: $0) }
    }
    /// Gives the next field as a quantity.
    @inlinable
    public mutating func decode(_ type: Decimal3.Type) throws(FieldError) -> Decimal3 {
        Decimal3(units: try integer("Decimal3"))
    }
    /// Gives the next field as a quantity or nothing.
    @inlinable
    public mutating func decode(_ type: Decimal3?.Type) throws(FieldError) -> Decimal3? {
        try decodeInteger().map { Decimal3(units: $0) }
    }
    /// Gives the next field as an amount.
    @inlinable
    public mutating func decode(_ type: Decimal4.Type) throws(FieldError) -> Decimal4 {
        Decimal4(units: try integer("Decimal4"))
    }
    /// Gives the next field as an amount or nothing.
    @inlinable
    public mutating func decode(_ type: Decimal4?.Type) throws(FieldError) -> Decimal4? {
        try decodeInteger().map { Decimal4(units: $0) }
    }

    /// Gives the next field as a case of an enum.
    @inlinable
    public mutating func decode<E: EnumFieldValue>(_ type: E.Type) throws(FieldError) -> E {
        let text = try decodeText()
        guard let text, let result = E(rawValue: text) else {
            throw mismatch(text.map { .text($0) } ?? .null, "\(E.self)")
        }
        return result
    }

    /// Gives the next field as a case of an enum or nothing.
    @inlinable
    public mutating func decode<E: EnumFieldValue>(_ type: E?.Type) throws(FieldError) -> E? {
        guard let text = try decodeText() else { return nil }
        guard let result = E(rawValue: text) else { throw mismatch(.text(text), "\(E.self)?") }
        return result
    }

    /// Gives the next field as a list of texts.
    @inlinable
    public mutating func decode(_ type: [String].Type) throws(FieldError) -> [String] {
        let text = try decodeText()
        guard let text, let list = textList(text) else {
            throw mismatch(text.map { .text($0) } ?? .null, "[String]")
        }
        return list
    }

    @inlinable
    func mismatch(_ value: Value, _ expected: StaticString) -> FieldError { mismatch(value, "\(expected)") }

    @inlinable
    func mismatch(_ value: Value, _ expected: String) -> FieldError {
        FieldError(position: position - 1, value: value, expected: expected)
    }
}

/// Reads the JSON text of a list of strings; nil where it is anything else.
///
/// What the store writes has no escapes as a rule and is read in one pass; everything else goes through the parser.
@usableFromInline
func textList(_ text: String) -> [String]? {
    var copy = text
    let quick: [String]? = copy.withUTF8 { bytes in
        guard bytes.count >= 2, bytes[0] == UInt8(ascii: "["), bytes[bytes.count - 1] == UInt8(ascii: "]") else {
            return nil
        }
        if bytes.count == 2 { return [] }
        var result: [String] = []
        var index = 1
        while true {
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { return nil }
            let start = index + 1
            index = start
            while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                guard bytes[index] != UInt8(ascii: "\\") else { return nil }
                index += 1
            }
            guard index + 1 < bytes.count else { return nil }
            result.append(String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<index]), as: UTF8.self))
            index += 1
            if index == bytes.count - 1 { return result }
            guard bytes[index] == UInt8(ascii: ",") else { return nil }
            index += 1
        }
    }
    return quick ?? [String](storageValue: .text(text))
}
