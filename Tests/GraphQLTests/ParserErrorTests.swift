import Basics
import Testing

@testable import GraphQL

struct Broken: Sendable, CustomTestStringConvertible {
    let text: String
    let place: String
    let message: String

    init(_ text: String, _ place: String, _ message: String) {
        self.text = text
        self.place = place
        self.message = message
    }

    var testDescription: String { "\(place): \(message)" }
}

@Suite("What is no GraphQL is refused with its place")
struct ParserErrorTests {
    @Test(arguments: [
        Broken("", "1:1", "expected a definition, found the end"),
        Broken("  # only a comment", "1:19", "expected a definition, found the end"),
        Broken("{", "1:2", "expected a field, found the end"),
        Broken("{}", "1:2", "expected a field, found '}'"),
        Broken("\n\n  notAnOperator Foo { field }", "3:3", "expected a definition, found 'notAnOperator'"),
        Broken("{ ...MissingOn }\nfragment MissingOn Type", "2:20", "expected 'on', found 'Type'"),
        Broken("{ field: {} }", "1:10", "expected a field, found '{'"),
        Broken("{ ... on }", "1:10", "expected a type, found '}'"),
        Broken("{ a(b: $c) ? }", "1:12", "unexpected character '?'"),
        Broken("query ($a: Int = $b) { c }", "1:18", "a variable cannot stand here"),
        Broken("query () { c }", "1:8", "expected '$', found ')'"),
        Broken("{ a() }", "1:5", "expected an argument, found ')'"),
        Broken("{ a(b: .1) }", "1:8", "a lone '.' means nothing; a spread is '...'"),
        Broken("{ a(b: 01) }", "1:8", "a number does not begin with 0"),
        Broken("{ a(b: 1.) }", "1:10", "expected a digit"),
        Broken("{ a(b: 1e) }", "1:10", "expected a digit"),
        Broken("{ a(b: -) }", "1:9", "expected a digit"),
        Broken("{ a(b: 1x) }", "1:9", "unexpected 'x' after a number"),
        Broken("{ a(b: 0xF1) }", "1:9", "unexpected 'x' after a number"),
        Broken("{ a(b: 1.2.3) }", "1:11", "unexpected '.' after a number"),
        Broken("{ a(b: \"x) }", "1:13", "the string is not closed"),
        Broken("{ a(b: \"x\n\") }", "1:10", "the string is not closed on its line"),
        Broken("{ a(b: \"\u{7}\") }", "1:9", "control character in a string"),
        Broken("{ a(b: \"\\x\") }", "1:8", "unknown escape in a string"),
        Broken("{ a(b: \"\\u12\") }", "1:8", "unfinished escape"),
        Broken("{ a(b: \"\\uXYZ1\") }", "1:8", "an escape needs hexadecimal digits"),
        Broken("{ a(b: \"\\uD800\") }", "1:8", "the escape is no character"),
        Broken("{ a(b: \"\\uD800\\u0041\") }", "1:8", "half a surrogate pair in an escape"),
        Broken("{ a(b: \"\\u{}\") }", "1:8", "unfinished escape"),
        Broken("{ a(b: \"\\u{0000041}\") }", "1:8", "too many digits in an escape"),
        Broken("{ a(b: \"\\u{110000}\") }", "1:8", "the escape is no character"),
        Broken("{ a(b: \"\"\"x) }", "1:15", "the block string is not closed"),
        Broken("enum E { A true }", "1:12", "true, false and null are no enum values"),
        Broken("type A { b }", "1:12", "expected ':', found '}'"),
        Broken("type A { b: [C }", "1:16", "expected ']', found '}'"),
        Broken("type A { b: C!! }", "1:15", "expected a field, found '!'"),
        Broken("type A {}", "1:9", "expected a field, found '}'"),
        Broken("schema { x: Y }", "1:10", "expected query, mutation or subscription, found 'x'"),
        Broken("directive @a(b: C)", "1:19", "expected 'on', found the end"),
        Broken("\"text\" query { a }", "1:8", "expected a definition, found 'query'"),
        Broken("\"text\" extend type A { a: B }", "1:8", "expected a definition, found 'extend'"),
        Broken("union A = ", "1:11", "expected a type, found the end"),
    ])
    func aMistakeIsNamedAtItsPlace(broken: Broken) throws {
        let error = try #require(throws: GraphQLSyntaxError.self) { try Document(parsing: broken.text) }
        #expect(error.description == "\(broken.place): \(broken.message)")
    }

    @Test func bytesThatAreNoUTF8AreRefusedInStrings() {
        for bytes: [UInt8] in [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]] {
            #expect(throws: GraphQLSyntaxError.self) {
                try Document(parsing: Array("{a(b:\"".utf8) + bytes + Array("\")}".utf8))
            }
            #expect(throws: GraphQLSyntaxError.self) {
                try Document(parsing: Array("{a(b:\"\"\"".utf8) + bytes + Array("\"\"\")}".utf8))
            }
            #expect(throws: GraphQLSyntaxError.self) {
                try Document(parsing: Array("{a".utf8) + bytes + Array("}".utf8))
            }
        }
    }

    @Test(arguments: [("{a", "}", "selections"), ("[", "]", "lists"), ("{a:", "}", "objects")])
    func nestingIsLimited(open: String, close: String, what: String) {
        let limit = Parser.depthLimit
        func text(_ depth: Int) -> String {
            let inner = what == "selections" ? "" : "1"
            let nest = String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
            return what == "selections" ? nest : "{ a(b: \(nest)) }"
        }
        let outer = what == "selections" ? 0 : 1
        #expect(throws: Never.self) { try Document(parsing: text(limit - outer)) }
        for depth in [limit + 1, 100_000] {
            let error = #expect(throws: GraphQLSyntaxError.self) { try Document(parsing: text(depth)) }
            #expect(error?.message == "nested too deep")
        }
    }

    @Test func typesNestToTheSameLimit() {
        let deep = String(repeating: "[", count: 100_000)
        let error = #expect(throws: GraphQLSyntaxError.self) { try Document(parsing: "type A { b: \(deep)") }
        #expect(error?.message == "nested too deep")
    }
}

@Suite("No bytes make the parser fail otherwise than with an error")
struct ParserFuzzTests {
    /// A parsed document's text must parse to the same text; anything else must be an error.
    private func check(_ bytes: [UInt8]) throws -> Bool {
        guard let document = try? Document(parsing: bytes) else { return false }
        let text = document.text
        let again = try Document(parsing: text)
        #expect(again.text == text)
        return true
    }

    @Test func everyPrefixIsSurvived() throws {
        let bytes = Array(kitchenSink.utf8)
        for length in 0..<bytes.count { _ = try check(Array(bytes[..<length])) }
    }

    @Test(arguments: 1...8)
    func mutatedTextIsSurvived(seed: Int) throws {
        let random = SeededRandom(seed: UInt64(seed))
        let tokens = [
            "{", "}", "(", ")", "[", "]", "!", "\"", "\"\"\"", "...", "@", "$", "&", "|", ":", "=", "type", "extend",
            "on",
            "\\u", "\\", "-", "0", ".", "#", "\n", "\r", "\u{FEFF}", "é", "null",
        ].map { Array($0.utf8) }
        let source = Array(kitchenSink.utf8)
        var parsed = 0
        for _ in 0..<400 {
            var bytes = source
            for _ in 0...random.below(3) {
                let place = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.insert(contentsOf: tokens[random.below(tokens.count)], at: place)
                case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(12)))
                default:
                    let from = random.below(bytes.count)
                    bytes.insert(
                        contentsOf: Array(bytes[from..<min(bytes.count, from + 1 + random.below(40))]), at: place)
                }
            }
            if try check(bytes) { parsed += 1 }
        }
        // Some changes leave a document: otherwise this would only test the errors.
        #expect(parsed > 0)
    }

    @Test(arguments: 1...4)
    func randomBytesAreSurvived(seed: Int) throws {
        let random = SeededRandom(seed: UInt64(seed))
        for _ in 0..<2000 {
            _ = try check((0..<random.below(60)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        }
    }

    @Test(arguments: 1...4)
    func mutatedSchemasGiveASchemaOrMistakes(seed: Int) throws {
        let random = SeededRandom(seed: UInt64(seed))
        let source = Array(try file("../SampleModels/Sample.graphql").utf8)
        for _ in 0..<60 {
            var bytes = source
            for _ in 0...random.below(4) {
                let place = random.below(bytes.count)
                let from = random.below(bytes.count)
                let piece = Array(bytes[from..<min(bytes.count, from + 1 + random.below(30))])
                bytes.replaceSubrange(place..<min(bytes.count, place + random.below(20)), with: piece)
            }
            _ = mistakes(String(decoding: bytes, as: UTF8.self))
        }
    }
}
