import Basics
import Models

/// Reads one field's wire value into its storage form.
struct FieldReader: Sendable {
    private enum Kind: Sendable {
        case text
        case id
        case integer32, integer64
        case boolean
        case dateTime
        case decimal(places: Int)
        /// The cases' bytes beside their text, so that no string is made.
        case enumeration([(bytes: [UInt8], value: Value)])
        /// Lists of strings are mostly stored as they came.
        case textList
        /// Everything else goes by way of `JSONValue`.
        case general
    }

    private let field: FieldSchema
    private let schema: Schema
    private let kind: Kind

    init(_ field: FieldSchema, _ schema: Schema) {
        self.field = field
        self.schema = schema
        if field.isList {
            switch field.type {
            case .scalar(.id), .scalar(.string): kind = .textList
            default: kind = .general
            }
            return
        }
        switch field.type {
        case .scalar(.string): kind = .text
        case .scalar(.id): kind = .id
        case .scalar(.int): kind = .integer32
        case .scalar(.awsTimestamp): kind = .integer64
        case .scalar(.boolean): kind = .boolean
        case .scalar(.awsDateTime): kind = .dateTime
        case .scalar(.decimal(let places)): kind = .decimal(places: places)
        case .enumeration(let name):
            kind = .enumeration((schema.enums[name] ?? []).map { (Array($0.utf8), .text($0)) })
        default: kind = .general
        }
    }

    /// Reads the value.
    ///
    /// - Returns: nil, or what is wrong with the value; it is stepped over then.
    func read(_ cursor: inout JSONCursor, into value: inout Value) throws(JSONError) -> String? {
        if try cursor.takeNull() {
            value = .null
            return nil
        }
        let first = cursor.peek()
        switch kind {
        case .text where first == quote:
            value = .text(try cursor.string())
            return nil
        case .id where first == quote:
            value = .text(try cursor.string())
            return nil
        case .integer32 where isNumber(first):
            let range = try cursor.number()
            if let number = cursor.integer(range), Int64(Int32.min)...Int64(Int32.max) ~= number {
                value = .integer(number)
                return nil
            }
            return problem(cursor.text(range))
        case .integer64 where isNumber(first):
            let range = try cursor.number()
            guard let number = cursor.integer(range) else { return problem(cursor.text(range)) }
            value = .integer(number)
            return nil
        case .boolean where first == UInt8(ascii: "t") || first == UInt8(ascii: "f"):
            value = .integer(try cursor.bool() ? 1 : 0)
            return nil
        case .decimal(let places) where isNumber(first):
            let range = try cursor.number()
            let units = cursor.integer(range).flatMap { Self.scaled($0, places) }
            guard let units = units ?? decimalUnits(cursor.text(range), places: places) else {
                return problem(cursor.text(range))
            }
            value = .integer(units)
            return nil
        case .dateTime where first == quote:
            let start = cursor.index
            if let milliseconds = cursor.takeCanonicalDateTime() {
                value = .integer(milliseconds)
                return nil
            }
            cursor.index = start
            return try general(&cursor, into: &value)
        case .enumeration(let cases) where first == quote:
            let range = try cursor.skipValue()
            let inner = range.lowerBound + 1..<range.upperBound - 1
            if let match = cases.first(where: { cursor.matches(inner, $0.bytes) }) {
                value = match.value
                return nil
            }
            return problem(cursor.text(range))
        case .textList where first == UInt8(ascii: "["):
            let start = cursor.index
            if let text = try cursor.takeCompactTextList() {
                value = .text(text)
                return nil
            }
            cursor.index = start
            return try general(&cursor, into: &value)
        case .text, .id, .integer32, .integer64, .boolean, .dateTime, .decimal, .enumeration, .textList, .general:
            return try general(&cursor, into: &value)
        }
    }

    private func general(_ cursor: inout JSONCursor, into value: inout Value) throws(JSONError) -> String? {
        let range = try cursor.skipValue()
        let json = try JSONValue(parsing: Array(cursor.bytes[range]))
        do throws(WireError) {
            value = try schema.storageValue(of: json, for: field, in: "")
            return nil
        } catch {
            return "\(error.field): \(error.message)"
        }
    }

    private func problem(_ text: String) -> String { "\(field.name): \(text.prefix(80)) does not fit" }

    private static func scaled(_ number: Int64, _ places: Int) -> Int64? {
        let (product, overflow) = number.multipliedReportingOverflow(by: powerOfTen(places))
        return overflow ? nil : product
    }
}

private let quote = UInt8(ascii: "\"")

private func isNumber(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") || (48...57).contains(byte) }

extension JSONCursor {
    /// Takes `"YYYY-MM-DDThh:mm:ss.fffZ"`, the form that services send; nil (position undefined) for any other.
    mutating func takeCanonicalDateTime() -> Int64? {
        let start = index
        guard start + 26 <= bytes.count, bytes[start + 25] == quote, bytes[start + 24] == UInt8(ascii: "Z"),
            bytes[start + 5] == UInt8(ascii: "-"), bytes[start + 8] == UInt8(ascii: "-"),
            bytes[start + 11] == UInt8(ascii: "T"), bytes[start + 14] == UInt8(ascii: ":"),
            bytes[start + 17] == UInt8(ascii: ":"), bytes[start + 20] == UInt8(ascii: ".")
        else { return nil }
        func digits(_ offset: Int, _ count: Int) -> Int? {
            var value = 0
            for position in start + offset..<start + offset + count {
                let byte = bytes[position]
                guard byte >= 48, byte <= 57 else { return nil }
                value = value * 10 + Int(byte - 48)
            }
            return value
        }
        guard let year = digits(1, 4), let month = digits(6, 2), let day = digits(9, 2), let hour = digits(12, 2),
            let minute = digits(15, 2), let second = digits(18, 2), let milli = digits(21, 3),
            hour < 24, minute < 60, second < 60, let date = CivilDate(year: year, month: month, day: day)
        else { return nil }
        index = start + 26
        let seconds = date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second
        return Int64(seconds) * 1000 + Int64(milli)
    }

    /// Takes a list of strings written without blanks and escapes, which is its canonical text already; nil (position
    /// undefined) for any other.
    mutating func takeCompactTextList() throws(JSONError) -> String? {
        let start = index
        index += 1
        if index < bytes.count, bytes[index] == UInt8(ascii: "]") {
            index += 1
            return "[]"
        }
        while index < bytes.count {
            guard bytes[index] == quote else { return nil }
            index += 1
            while index < bytes.count, bytes[index] != quote {
                guard bytes[index] >= 32, bytes[index] != UInt8(ascii: "\\") else { return nil }
                index += 1
            }
            index += 1
            guard index < bytes.count else { return nil }
            if bytes[index] == UInt8(ascii: "]") {
                index += 1
                return String(validating: UnsafeBufferPointer(rebasing: bytes[start..<index]), as: UTF8.self)
            }
            guard bytes[index] == UInt8(ascii: ",") else { return nil }
            index += 1
        }
        return nil
    }
}
