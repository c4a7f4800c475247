import Basics

/// Reads JSON straight from bytes, member by member, without building a tree.
///
/// It checks what it reads as strictly as `JSONValue`'s parser, except inside skipped values, where it checks structure
/// only. Ranges are positions in the buffer given at the start; the buffer must outlive the cursor.
package struct JSONCursor {
    package let bytes: UnsafeBufferPointer<UInt8>
    package var index = 0

    package init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    package func fail(_ message: String) -> JSONError { JSONError(message: message, offset: index) }

    @inline(__always)
    package mutating func skipSpace() {
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == 32 || byte == 10 || byte == 13 || byte == 9 else { return }
            index += 1
        }
    }

    /// The next significant byte, 0 at the end.
    @inline(__always)
    package mutating func peek() -> UInt8 {
        skipSpace()
        return index < bytes.count ? bytes[index] : 0
    }

    @inline(__always)
    package mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        index += 1
        return true
    }

    /// Nothing may follow.
    package mutating func end() throws(JSONError) {
        skipSpace()
        guard index == bytes.count else { throw fail("text after the end") }
    }

    // MARK: Structure

    /// Enters an object; false where it is empty.
    package mutating func beginObject() throws(JSONError) -> Bool {
        guard take(UInt8(ascii: "{")) else { throw fail("expected an object") }
        return !take(UInt8(ascii: "}"))
    }

    /// After a member's value: true where another follows.
    package mutating func nextMember() throws(JSONError) -> Bool {
        if take(UInt8(ascii: ",")) { return true }
        guard take(UInt8(ascii: "}")) else { throw fail("expected ',' or '}'") }
        return false
    }

    /// Enters an array; false where it is empty.
    package mutating func beginArray() throws(JSONError) -> Bool {
        guard take(UInt8(ascii: "[")) else { throw fail("expected an array") }
        return !take(UInt8(ascii: "]"))
    }

    /// After an element: true where another follows.
    package mutating func nextElement() throws(JSONError) -> Bool {
        if take(UInt8(ascii: ",")) { return true }
        guard take(UInt8(ascii: "]")) else { throw fail("expected ',' or ']'") }
        return false
    }

    /// A member's key with its colon; the bytes between the quotes, escapes untouched.
    package mutating func key() throws(JSONError) -> Range<Int> {
        let range = try quoted()
        guard take(UInt8(ascii: ":")) else { throw fail("expected ':'") }
        return range
    }

    /// Whether a range holds exactly this ASCII text.
    @inline(__always)
    package func matches(_ range: Range<Int>, _ text: StaticString) -> Bool {
        matches(range, UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Whether a range holds exactly these bytes.
    @inline(__always)
    package func matches(_ range: Range<Int>, _ text: [UInt8]) -> Bool {
        range.count == text.count && text.withUnsafeBytes { matches(range, $0) }
    }

    /// Eight bytes at a time: names are compared for every member that is read.
    private func matches(_ range: Range<Int>, _ text: UnsafeRawBufferPointer) -> Bool {
        guard range.count == text.count else { return false }
        let raw = UnsafeRawBufferPointer(bytes)
        var offset = 0
        while offset + 8 <= text.count {
            let mine = raw.loadUnaligned(fromByteOffset: range.lowerBound + offset, as: UInt64.self)
            if mine != text.loadUnaligned(fromByteOffset: offset, as: UInt64.self) { return false }
            offset += 8
        }
        while offset < text.count {
            if raw[range.lowerBound + offset] != text[offset] { return false }
            offset += 1
        }
        return true
    }

    /// The text of a range.
    package func text(_ range: Range<Int>) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }

    // MARK: Values

    /// A string's bytes between the quotes; escapes are stepped over.
    private mutating func quoted() throws(JSONError) -> Range<Int> {
        guard take(UInt8(ascii: "\"")) else { throw fail("expected a string") }
        let start = index
        while true {
            index = endOfPlainJSONText(bytes, from: index).end
            guard index < bytes.count else { throw fail("unterminated string") }
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                index += 1
                return start..<index - 1
            }
            guard byte >= 32 else { throw fail("control character in a string") }
            index = min(index + 2, bytes.count)
        }
    }

    /// A string.
    package mutating func string() throws(JSONError) -> String {
        guard take(UInt8(ascii: "\"")) else { throw fail("expected a string") }
        let start = index
        let plain = endOfPlainJSONText(bytes, from: start)
        index = plain.end
        guard index < bytes.count else { throw fail("unterminated string") }
        if bytes[index] == UInt8(ascii: "\"") {
            index += 1
            let slice = UnsafeBufferPointer(rebasing: bytes[start..<plain.end])
            // ASCII, which most strings are, needs no validation; `validating` is generic and slow.
            if plain.isASCII { return String(decoding: slice, as: UTF8.self) }
            guard let text = String(validating: slice, as: UTF8.self) else { throw fail("text is not UTF-8") }
            return text
        }
        guard bytes[index] >= 32 else { throw fail("control character in a string") }
        // Rare: the full parser undoes the escapes.
        index = start - 1
        let range = try skipValue()
        guard let text = try JSONValue(parsing: Array(bytes[range])).string else { throw fail("expected a string") }
        return text
    }

    /// A string, or nil for null.
    package mutating func optionalString() throws(JSONError) -> String? {
        if try takeNull() { return nil }
        return try string()
    }

    /// Takes `null` if it comes next.
    package mutating func takeNull() throws(JSONError) -> Bool {
        guard peek() == UInt8(ascii: "n") else { return false }
        try word("null")
        return true
    }

    /// `true` or `false`.
    package mutating func bool() throws(JSONError) -> Bool {
        switch peek() {
        case UInt8(ascii: "t"):
            try word("true")
            return true
        case UInt8(ascii: "f"):
            try word("false")
            return false
        default: throw fail("expected true or false")
        }
    }

    /// A number's characters.
    package mutating func number() throws(JSONError) -> Range<Int> {
        skipSpace()
        let start = index
        while index < bytes.count {
            switch bytes[index] {
            case 48...57, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                index += 1
                continue
            default: break
            }
            break
        }
        guard index > start, bytes[start] == UInt8(ascii: "-") || (48...57).contains(bytes[start]) else {
            index = start
            throw fail("expected a number")
        }
        return start..<index
    }

    /// A range of number characters as a 64-bit integer; nil where it is none.
    package func integer(_ range: Range<Int>) -> Int64? {
        var position = range.lowerBound
        let negative = bytes[position] == UInt8(ascii: "-")
        if negative { position += 1 }
        guard position < range.upperBound else { return nil }
        var value: Int64 = 0
        while position < range.upperBound {
            let byte = bytes[position]
            guard byte >= 48, byte <= 57 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let digit = Int64(byte - 48)
            let (sum, carry) =
                negative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !overflow, !carry else { return nil }
            value = sum
            position += 1
        }
        return value
    }

    package mutating func word(_ text: StaticString) throws(JSONError) {
        let count = text.utf8CodeUnitCount
        guard index + count <= bytes.count else { throw fail("unexpected end") }
        for offset in 0..<count where bytes[index + offset] != text.utf8Start[offset] { throw fail("unexpected word") }
        index += count
    }

    /// Steps over any value; the range of its bytes.
    package mutating func skipValue() throws(JSONError) -> Range<Int> {
        skipSpace()
        let start = index
        var depth = 0
        repeat {
            switch peek() {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= 512 else { throw fail("nested too deep") }
                index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                index += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw fail("expected a value") }
                index += 1
            case UInt8(ascii: "\""): _ = try quoted()
            case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try bool()
            case UInt8(ascii: "n"): try word("null")
            default: _ = try number()
            }
        } while depth > 0
        guard depth == 0 else { throw fail("expected a value") }
        return start..<index
    }
}
