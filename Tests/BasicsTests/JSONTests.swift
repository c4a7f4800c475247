import Testing

@testable import Basics

@Suite("JSON is parsed strictly")
struct JSONParserTests {
    @Test(
        arguments: [
            ("null", JSONValue.null), ("true", true), ("false", false), ("0", 0), ("-0", 0), ("42", 42), ("-7", -7),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number("9223372036854775808")), ("1.50", .number("1.50")), ("1e3", .number("1e3")),
            ("-1.5E+10", .number("-1.5E+10")), ("\"\"", ""),
            ("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "a\"\\/\u{8}\u{c}\n\r\t"),
            ("\"\\u00e9\\uD83D\\uDE00\"", "é😀"), ("\"\\uD800x\"", "\u{FFFD}x"), ("[]", []),
            ("[1, [2],{}]", [1, [2], [:]]),
            (" {\"a\" : 1 ,\"b\":[null]}\n", ["a": 1, "b": [nil]]),
        ] as [(String, JSONValue)])
    func aTextIsRead(text: String, value: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test(arguments: [
        ("", 0), (" ", 1), ("nul", 0), ("nulL", 0), ("tru", 0), ("01", 2), ("-", 1), ("1.", 2), ("1e", 2), (".5", 0),
        ("+1", 0), ("NaN", 0),
        ("\"", 1), ("\"\\x\"", 3), ("\"\\u12\"", 3), ("\"\n\"", 1), ("[1,]", 3), ("[1 2]", 3), ("{\"a\"}", 4),
        ("{\"a\":1,}", 7),
        ("{a:1}", 1), ("{\"a\":1 \"b\":2}", 7), ("1 2", 2), ("'a'", 0), ("[", 1), ("{", 1), ("// x", 0),
    ])
    func anythingElseIsRefusedAtItsByte(text: String, offset: Int) throws {
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(error.offset == offset, "\(error)")
    }

    @Test func bytesThatAreNoUTF8AreRefused() {
        for bytes: [UInt8] in [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF5, 0x80, 0x80, 0x80]] {
            #expect(throws: JSONError.self) { try JSONValue(parsing: [34] + bytes + [34]) }
            #expect(throws: JSONError.self) { try JSONValue(parsing: [34, 92, 110] + bytes + [34]) }
        }
    }

    @Test func nestingIsLimitedTo512() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try JSONValue(parsing: nested(512)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: nested(513)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[{\"a\":", count: 100_000)) }
    }

    @Test func aRepeatedKeyKeepsItsFirstValueForReaders() throws {
        let value = try JSONValue(parsing: "{\"a\":1,\"a\":2}")
        #expect(value["a"] == 1)
    }
}

@Suite("JSON is written compactly")
struct JSONWriterTests {
    @Test func everyKindIsWritten() {
        let value: JSONValue = [
            "a": [nil, true, false, 0, -1, .integer(.min), .integer(.max), .number("1.50")],
            "b": "x\"\\\n\r\t\u{1}\u{1f}\u{7f}é😀", "c": [:],
        ]
        #expect(
            value.text
                == "{\"a\":[null,true,false,0,-1,-9223372036854775808,9223372036854775807,1.50],"
                + "\"b\":\"x\\\"\\\\\\n\\r\\t\\u0001\\u001f\u{7f}é😀\",\"c\":{}}")
    }

    @Test func theCanonicalFormSortsKeysByTheirBytes() throws {
        let value: JSONValue = ["é": 1, "b": ["z": 1, "A": 2], "a": 3, "aa": 4, "😀": 5, "\u{FFFD}": 6]
        #expect(value.canonical.text == "{\"a\":3,\"aa\":4,\"b\":{\"A\":2,\"z\":1},\"é\":1,\"\u{FFFD}\":6,\"😀\":5}")
        #expect(value.canonical == value)
    }

    @Test func objectsAreEqualInAnyOrder() {
        let a: JSONValue = ["x": 1, "y": [2]]
        let b: JSONValue = ["y": [2], "x": 1]
        #expect(a == b)
        #expect(a.hashValue == b.hashValue)
        #expect(a != ["x": 1])
        #expect(a != ["x": 1, "y": [3]])
    }

    @Test func keysAreToldApartByTheirBytes() {
        let composed: JSONValue = ["caf\u{E9}": 1, "b": 2]
        let decomposed: JSONValue = ["cafe\u{301}": 1, "b": 2]
        #expect(composed != decomposed)
        #expect(composed != ["b": 2, "cafe\u{301}": 1])
        #expect(composed["cafe\u{301}"] == nil)
        #expect(ByteText("caf\u{E9}") != ByteText("cafe\u{301}"))
        #expect(["K"].containsBytes(of: "K") && !["K"].containsBytes(of: "\u{212A}"))
    }

    @Test(.timeLimit(.minutes(1)))
    func largeObjectsAreComparedInTimeThatGrowsWithThem() {
        let members = (0..<100_000).map { (key: "\($0)", value: JSONValue.integer(Int64($0))) }
        let (there, back) = (JSONObject(members), JSONObject(members.reversed()))
        #expect(there == JSONObject(members))
        #expect(there == back)
        #expect(there != JSONObject(members.dropLast() + [(key: "x", value: 1)]))
    }

    @Test func anObjectsMembersAreSetAppendedAndRemoved() {
        var object: JSONObject = ["a": 1, "b": 2]
        object["a"] = 3
        object["c"] = 4
        object["b"] = nil
        #expect(object.keys == ["a", "c"])
        #expect(object["a"] == 3)
        #expect(object["b"] == nil)
        #expect(object.count == 2)
    }

    @Test(arguments: 1...5)
    func whatIsWrittenIsReadBack(seed: Int) throws {
        let random = SeededRandom(seed: UInt64(seed))
        for _ in 0..<300 {
            let value = randomValue(random, depth: 4)
            #expect(try JSONValue(parsing: value.text) == value)
            #expect(try JSONValue(parsing: value.bytes).text == value.text)
        }
    }

    @Test(arguments: 1...5)
    func mutatedTextIsReadOrRefused(seed: Int) throws {
        let random = SeededRandom(seed: UInt64(seed))
        let pieces = ["{", "}", "[", "]", "\"", "\\", "\\u", ",", ":", "-", "e", ".", "0", "null", "é"].map {
            Array($0.utf8)
        }
        var refused = 0
        for _ in 0..<1000 {
            var bytes = randomValue(random, depth: 3).bytes
            let place = random.below(bytes.count + 1)
            switch random.below(3) {
            case 0: bytes.insert(contentsOf: pieces[random.below(pieces.count)], at: place)
            case 1: bytes.removeLast(random.below(bytes.count) / 2)
            default: if place < bytes.count { bytes[place] = UInt8(truncatingIfNeeded: random.next()) }
            }
            if let value = try? JSONValue(parsing: bytes) {
                #expect(try JSONValue(parsing: value.text) == value)
            } else {
                refused += 1
            }
        }
        #expect(refused > 0)
    }

    private func randomValue(_ random: SeededRandom, depth: Int) -> JSONValue {
        switch random.below(depth == 0 ? 5 : 7) {
        case 0: return .null
        case 1: return .bool(random.below(2) == 0)
        case 2: return .integer(Int64(bitPattern: random.next()) >> Int64(random.below(63)))
        case 3: return .number("\(random.below(1000)).\(random.below(1000))")
        case 4: return .string(randomText(random))
        case 5: return .array((0..<random.below(5)).map { _ in randomValue(random, depth: depth - 1) })
        default:
            var object = JSONObject()
            for _ in 0..<random.below(5) { object[randomText(random)] = randomValue(random, depth: depth - 1) }
            return .object(object)
        }
    }

    private func randomText(_ random: SeededRandom) -> String {
        let scalars: [Unicode.Scalar] = ["a", "Z", "\"", "\\", "\n", "\u{0}", "\u{7f}", "é", "€", "😀", "/", "\u{2028}"]
        var view = String.UnicodeScalarView()
        for _ in 0..<random.below(8) { view.append(scalars[random.below(scalars.count)]) }
        return String(view)
    }
}
