/// A lexical token of GraphQL (October 2021, §2.1.7) with its place.
struct Token {
    enum Kind: Equatable {
        case end, name, int, float, string, blockString, spread
        /// One of ! $ & ( ) : = @ [ ] { | }
        case punctuator(UInt8)
    }

    var kind: Kind
    /// The bytes of a name or a number; of a string, those between the quotes.
    var range: Range<Int>
    var hasEscapes = false
    var position: SourcePosition
}

/// Splits UTF-8 bytes into tokens, one at a time.
struct Lexer {
    let bytes: UnsafeBufferPointer<UInt8>
    private var index = 0
    private var line = 1
    private var lineStart = 0
    /// UTF-8 continuation bytes since `lineStart`, which are no columns.
    private var continuations = 0

    init(bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
            index = 3
            lineStart = 3
        }
    }

    private var here: SourcePosition { SourcePosition(line: line, column: index - lineStart - continuations + 1) }

    private func fail(_ message: String) -> GraphQLSyntaxError {
        GraphQLSyntaxError(line: here.line, column: here.column, message: message)
    }

    private mutating func newLine() {
        index += bytes[index] == 13 && index + 1 < bytes.count && bytes[index + 1] == 10 ? 2 : 1
        line += 1
        lineStart = index
        continuations = 0
    }

    private mutating func skipIgnored() {
        while index < bytes.count {
            switch bytes[index] {
            case 32, 9, UInt8(ascii: ","): index += 1
            case 10, 13: newLine()
            case UInt8(ascii: "#"):
                while index < bytes.count, bytes[index] != 10, bytes[index] != 13 {
                    if bytes[index] & 0xC0 == 0x80 { continuations += 1 }
                    index += 1
                }
            default: return
            }
        }
    }

    /// The next token; `.end` for ever after the last.
    mutating func next() throws(GraphQLSyntaxError) -> Token {
        skipIgnored()
        let position = here
        let start = index
        guard index < bytes.count else { return Token(kind: .end, range: start..<start, position: position) }
        let byte = bytes[index]
        if isNameStart(byte) {
            repeat { index += 1 } while index < bytes.count && isNameContinue(bytes[index])
            return Token(kind: .name, range: start..<index, position: position)
        }
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: "["), UInt8(ascii: "]"),
            UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
            index += 1
            return Token(kind: .punctuator(byte), range: start..<index, position: position)
        case UInt8(ascii: "."):
            guard index + 2 < bytes.count, bytes[index + 1] == byte, bytes[index + 2] == byte else {
                throw fail("a lone '.' means nothing; a spread is '...'")
            }
            index += 3
            return Token(kind: .spread, range: start..<index, position: position)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(position)
        case UInt8(ascii: "\""):
            if index + 2 < bytes.count, bytes[index + 1] == byte, bytes[index + 2] == byte {
                return try blockString(position)
            }
            return try string(position)
        default: throw fail("unexpected character \(described(byte))")
        }
    }

    private func described(_ byte: UInt8) -> String {
        byte > 32 && byte < 127 ? "'\(Character(Unicode.Scalar(byte)))'" : "0x" + String(byte, radix: 16)
    }

    private mutating func number(_ position: SourcePosition) throws(GraphQLSyntaxError) -> Token {
        let start = index
        var kind = Token.Kind.int
        if bytes[index] == UInt8(ascii: "-") { index += 1 }
        let first = index
        try digits()
        if bytes[first] == UInt8(ascii: "0"), index > first + 1 {
            index = first
            throw fail("a number does not begin with 0")
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            kind = .float
            index += 1
            try digits()
        }
        if index < bytes.count, bytes[index] | 32 == UInt8(ascii: "e") {
            kind = .float
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
                index += 1
            }
            try digits()
        }
        if index < bytes.count, isNameStart(bytes[index]) || bytes[index] == UInt8(ascii: ".") {
            throw fail("unexpected \(described(bytes[index])) after a number")
        }
        return Token(kind: kind, range: start..<index, position: position)
    }

    private mutating func digits() throws(GraphQLSyntaxError) {
        let start = index
        while index < bytes.count, isDigit(bytes[index]) { index += 1 }
        guard index > start else { throw fail("expected a digit") }
    }

    private mutating func string(_ position: SourcePosition) throws(GraphQLSyntaxError) -> Token {
        index += 1
        let start = index
        var escapes = false
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return Token(kind: .string, range: start..<index - 1, hasEscapes: escapes, position: position)
            case UInt8(ascii: "\\"):
                escapes = true
                index += index + 1 < bytes.count && bytes[index + 1] != 10 && bytes[index + 1] != 13 ? 2 : 1
            case 10, 13: throw fail("the string is not closed on its line")
            case 0..<32 where byte != 9: throw fail("control character in a string")
            default:
                if byte & 0xC0 == 0x80 { continuations += 1 }
                index += 1
            }
        }
        throw fail("the string is not closed")
    }

    private mutating func blockString(_ position: SourcePosition) throws(GraphQLSyntaxError) -> Token {
        index += 3
        let start = index
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\"") where isTripleQuote(index):
                index += 3
                return Token(kind: .blockString, range: start..<index - 3, position: position)
            case UInt8(ascii: "\\") where isTripleQuote(index + 1): index += 4
            case 10, 13: newLine()
            case 0..<9, 11, 12, 14..<32: throw fail("control character in a string")
            default:
                if bytes[index] & 0xC0 == 0x80 { continuations += 1 }
                index += 1
            }
        }
        throw fail("the block string is not closed")
    }

    private func isTripleQuote(_ index: Int) -> Bool {
        index + 2 < bytes.count && bytes[index] == UInt8(ascii: "\"") && bytes[index + 1] == UInt8(ascii: "\"")
            && bytes[index + 2] == UInt8(ascii: "\"")
    }
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

@inline(__always)
func isNameStart(_ byte: UInt8) -> Bool {
    (byte | 32 >= UInt8(ascii: "a") && byte | 32 <= UInt8(ascii: "z")) || byte == UInt8(ascii: "_")
}

@inline(__always)
func isNameContinue(_ byte: UInt8) -> Bool { isNameStart(byte) || isDigit(byte) }
