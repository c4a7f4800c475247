import Basics
import Models
import SampleModels
import Testing

/// A field of a type, required, under a name of its own.
private func field(_ type: ScalarType) -> FieldSchema { FieldSchema("f", .scalar(type), isRequired: true) }

@Suite("Wire values become storage values and back")
struct WireCodecTests {
    @Test(
        arguments: [
            (ScalarType.id, "x", .text("x")), (.string, "", .text("")), (.string, "é😀\n", .text("é😀\n")),
            (.int, 0, .integer(0)),
            (.int, 2_147_483_647, .integer(2_147_483_647)), (.int, -2_147_483_648, .integer(-2_147_483_648)),
            (.float, .number("0.5"), .real(0.5)),
            (.float, .number("1e-07"), .real(1e-7)), (.float, 3, .real(3)), (.boolean, true, .integer(1)),
            (.boolean, false, .integer(0)),
            (.awsTimestamp, 1_795_254_060_123, .integer(1_795_254_060_123)),
            (.awsDateTime, "2026-11-21T09:41:00.123Z", .integer(1_795_254_060_123)),
            (.decimal(places: 3), .number("0.125"), .integer(125)), (.decimal(places: 3), -2, .integer(-2000)),
            (.decimal(places: 4), .number("0.0001"), .integer(1)), (.awsJSON, "{\"a\":1}", .text("{\"a\":1}")),
            (.awsJSON, "null", .text("null")),
            (.awsDate, "2026-02-28", .text("2026-02-28")), (.awsDate, "2026-02-28+01:00", .text("2026-02-28+01:00")),
            (.awsDate, "2026-02-28Z", .text("2026-02-28Z")),
            (.awsTime, "09:41", .text("09:41")),
            (.awsTime, "09:41:00.123456789-07:30", .text("09:41:00.123456789-07:30")),
            (.awsTime, "12:00:34.", .text("12:00:34.")),
            (.awsEmail, "a.b+c@d.example", .text("a.b+c@d.example")),
            (.awsPhone, "+44 20 7946-0958", .text("+44 20 7946-0958")),
            (.awsPhone, "212 555 0100", .text("212 555 0100")),
            (.awsURL, "https://a.example/b?c=//d", .text("https://a.example/b?c=//d")),
            (.awsURL, "mailto:a@b.c", .text("mailto:a@b.c")),
            (.awsIPAddress, "10.0.0.255", .text("10.0.0.255")), (.awsIPAddress, "10.0.0.0/8", .text("10.0.0.0/8")),
            (.awsIPAddress, "::1", .text("::1")),
            (.awsIPAddress, "2001:db8::/32", .text("2001:db8::/32")),
            (.awsIPAddress, "::ffff:1.2.3.4", .text("::ffff:1.2.3.4")),
            (.awsIPAddress, "1:2:3:4:5:6:7:8", .text("1:2:3:4:5:6:7:8")),
        ] as [(ScalarType, JSONValue, Value)])
    func aScalarIsTakenAndGivenBack(type: ScalarType, json: JSONValue, value: Value) throws {
        #expect(try sample.storageValue(of: json, for: field(type), in: "A") == value)
        #expect(sample.wireValue(of: value, for: field(type)) == (json == .number("1e-07") ? .number("1e-07") : json))
    }

    @Test(
        arguments: [
            (ScalarType.id, true), (.id, .number("1.5")), (.string, 1), (.string, ["x"]), (.int, "1"),
            (.int, .number("1.0")), (.int, 2_147_483_648),
            (.int, -2_147_483_649), (.float, "1"), (.float, .number("1e999")), (.boolean, 1), (.boolean, "true"),
            (.awsTimestamp, "1"),
            (.awsTimestamp, .number("1.5")), (.awsDateTime, 1), (.awsDateTime, "yesterday"),
            (.awsDateTime, "2026-11-21"), (.decimal(places: 3), "1"),
            (.decimal(places: 3), .number("0.0005")), (.decimal(places: 3), .integer(.max)), (.awsJSON, "{"),
            (.awsJSON, ["a": 1]), (.awsDate, "2026-02-29"),
            (.awsDate, "2026-2-1"), (.awsDate, "2026-02-28T00:00:00Z"), (.awsDate, "2026-02-28+25:00"),
            (.awsTime, "24:00"), (.awsTime, "9:41"), (.awsTime, "09:60"),
            (.awsEmail, "a"), (.awsEmail, "@b"), (.awsEmail, "a@"), (.awsEmail, "a b@c"), (.awsEmail, "a@b@c"),
            (.awsEmail, "a@b..c"), (.awsPhone, "123"),
            (.awsPhone, "call me"), (.awsPhone, "+1"), (.awsPhone, "+1234567890123456"), (.awsURL, "example.com"),
            (.awsURL, "http://"), (.awsURL, "http://a//b"),
            (.awsURL, "http://a b"), (.awsURL, "1x://a"), (.awsURL, "http:///a"), (.awsIPAddress, "256.1.1.1"),
            (.awsIPAddress, "1.2.3"), (.awsIPAddress, "1.2.3.4/33"),
            (.awsIPAddress, "::1/129"), (.awsIPAddress, "1::2::3"), (.awsIPAddress, "1:2:3:4:5:6:7"),
            (.awsIPAddress, "12345::"), (.awsIPAddress, ":::"), (.awsIPAddress, "1::2:"), (.awsIPAddress, ":1::2"),
            (.awsIPAddress, "1.2.3.4/x"), (.awsIPAddress, "1.2.3.٤"), (.awsIPAddress, "1.2.3.4/+8"),
        ] as [(ScalarType, JSONValue)])
    func anythingElseIsRefused(type: ScalarType, json: JSONValue) throws {
        let error = try #require(throws: WireError.self) {
            try sample.storageValue(of: json, for: field(type), in: "A")
        }
        #expect(error.description == "A.f: \(json.text.prefix(80)) is not a valid \(type.graphQLName)")
    }

    @Test func anIDMayBeAnInteger() throws {
        #expect(try sample.storageValue(of: 7, for: field(.id), in: "A") == .text("7"))
    }

    @Test("D23: times are folded into UTC")
    func timesAreFoldedIntoUTC() throws {
        let value = try sample.storageValue(of: "2026-11-21T10:41:00+01:00", for: field(.awsDateTime), in: "A")
        #expect(sample.wireValue(of: value, for: field(.awsDateTime)) == "2026-11-21T09:41:00.000Z")
    }

    @Test func jsonIsKeptInItsCanonicalForm() throws {
        #expect(
            try sample.storageValue(of: "{ \"b\": 1, \"a\" : [ ] }", for: field(.awsJSON), in: "A")
                == .text("{\"a\":[],\"b\":1}"))
    }

    @Test func nullIsTakenWhereItMayBe() throws {
        #expect(try sample.storageValue(of: .null, for: FieldSchema("f", .scalar(.int)), in: "A") == .null)
        #expect(sample.wireValue(of: .null, for: field(.int)) == .null)
        let error = #expect(throws: WireError.self) { try sample.storageValue(of: .null, for: field(.int), in: "A") }
        #expect(error?.description == "A.f: null is not allowed")
    }

    @Test func listsCheckEachElement() throws {
        let strict = FieldSchema("f", .scalar(.int), isRequired: true, isList: true, isElementRequired: true)
        let loose = FieldSchema("f", .scalar(.awsDateTime), isList: true)
        #expect(try sample.storageValue(of: [1, 2], for: strict, in: "A") == .text("[1,2]"))
        #expect(try sample.storageValue(of: [], for: strict, in: "A") == .text("[]"))
        let times = try sample.storageValue(of: ["1970-01-01T01:00:00+01:00", nil], for: loose, in: "A")
        #expect(times == .text("[\"1970-01-01T00:00:00.000Z\",null]"))
        #expect(sample.wireValue(of: times, for: loose) == ["1970-01-01T00:00:00.000Z", nil])
        for (json, message) in [
            ([1, nil], "A.f: a null element is not allowed"), ([1, "2"], "A.f: \"2\" is not a valid [Int]"),
            (1, "A.f: 1 is not a valid [Int]"),
        ] as [(JSONValue, String)] {
            let error = #expect(throws: WireError.self) { try sample.storageValue(of: json, for: strict, in: "A") }
            #expect(error?.description == message)
        }
    }

    @Test func aCaseIsNamedByItsBytes() throws {
        let schema = Schema(models: [], enums: ["Unit": ["K"]])
        let field = FieldSchema("f", .enumeration("Unit"))
        #expect(try schema.storageValue(of: "K", for: field, in: "M") == .text("K"))
        #expect(throws: WireError.self) { try schema.storageValue(of: "\u{212A}", for: field, in: "M") }
    }

    @Test func enumsTakeTheirCasesOnly() throws {
        let field = FieldSchema("f", .enumeration("Color"), isRequired: true)
        #expect(try sample.storageValue(of: "default", for: field, in: "A") == .text("default"))
        for bad: JSONValue in ["Red", "", 1, nil] {
            #expect(throws: WireError.self) { try sample.storageValue(of: bad, for: field, in: "A") }
        }
    }

    @Test func embeddedValuesAreCheckedAndSorted() throws {
        let field = FieldSchema("f", .embedded("Address"), isRequired: true)
        let value = try sample.storageValue(
            of: [
                "street": "S", "places": [["longitude": 2, "latitude": .number("1.50")]], "flag": nil,
                "since": "1970-01-01T00:00Z",
            ], for: field, in: "A")
        #expect(
            value
                == .text(
                    "{\"places\":[{\"latitude\":1.5,\"longitude\":2}],\"since\":\"1970-01-01T00:00:00.000Z\",\"street\":\"S\"}"
                ))
        for (json, message) in [
            (["street": "S", "places": [], "stret": 1], "Address.stret: there is no such field"),
            (["places": []], "Address.street: null is not allowed"),
            (["street": 1, "places": []], "Address.street: 1 is not a valid String"),
            ([], "A.f: [] is not a valid Address"),
            (["street": "S", "places": [["latitude": 1]]], "Position.longitude: null is not allowed"),
        ] as [(JSONValue, String)] {
            let error = #expect(throws: WireError.self) { try sample.storageValue(of: json, for: field, in: "A") }
            #expect(error?.description == message)
        }
    }

    @Test func aLongWrongValueIsCutInTheMessage() throws {
        let long = JSONValue.string(String(repeating: "x", count: 1000))
        let error = try #require(throws: WireError.self) {
            try sample.storageValue(of: long, for: field(.int), in: "A")
        }
        #expect(error.description.count < 130)
    }
}
