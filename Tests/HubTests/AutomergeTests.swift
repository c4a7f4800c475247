import Basics
import GraphQL
import Models
import Testing

@testable import Hub

/// The table of `appsync-protocol.md` §3.2, field kind by field kind.
@Suite struct AutomergeTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let field: String
        let stored: JSONValue
        let incoming: JSONValue
        let merged: JSONValue

        init(_ text: String, _ field: String, _ stored: JSONValue, _ incoming: JSONValue, _ merged: JSONValue) {
            (testDescription, self.field) = (text, field)
            (self.stored, self.incoming, self.merged) = (stored, incoming, merged)
        }
    }

    static let schema = try! Schema(
        sdl: """
            enum Mood { calm cross }
            type Inner { a: Int l: [Int] j: AWSJSON }
            type Spot { row: Int name: String tags: [String] inner: Inner }
            type Thing @model @auth(rules: [{ allow: public, operations: [create, update, delete, read] }]) {
              id: ID!
              text: String
              number: Int
              real: Float
              money: Float @decimal(places: 4)
              flag: Boolean
              mood: Mood
              at: AWSDateTime
              json: AWSJSON
              list: [String]
              moods: [Mood]
              jsons: [AWSJSON]
              set: [String!] @set
              count: Int @counter
              spot: Spot
              spots: [Spot]
            }
            """)

    static let rows: [Row] = [
        Row("a text that is there wins", "text", "theirs", "mine", "theirs"),
        Row("an empty text is there too", "text", "", "mine", ""),
        Row("a number that is there wins", "number", 1, 2, 1),
        Row("zero is there too", "number", 0, 2, 0),
        Row("a real that is there wins", "real", .number("1.5"), .number("2.5"), .number("1.5")),
        Row("a decimal that is there wins", "money", .number("1.25"), .number("9.75"), .number("1.25")),
        Row("false is there too", "flag", false, true, false),
        Row("an enum that is there wins", "mood", "calm", "cross", "calm"),
        Row(
            "a time that is there wins", "at", "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z",
            "2026-01-01T00:00:00.000Z"),
        Row("a counter that is set is a scalar", "count", 3, 9, 3),
        Row("what is missing is taken", "text", .null, "mine", "mine"),
        Row("a missing list is taken", "list", .null, ["a"], ["a"]),
        Row(
            "a missing map is taken", "spot", .null, ["row": 1],
            ["row": 1, "name": .null, "tags": .null, "inner": .null]),
        Row("null erases no scalar", "text", "theirs", .null, "theirs"),
        Row("null erases no list", "list", ["a"], .null, ["a"]),
        Row("a list is appended with its doubles", "list", ["a", "b"], ["b", "c"], ["a", "b", "b", "c"]),
        Row("an empty list grows", "list", [], ["a"], ["a"]),
        Row("an empty list adds nothing", "list", ["a"], [], ["a"]),
        Row("a list of nulls is appended", "list", ["a", .null], [.null], ["a", .null, .null]),
        Row("a list of enums is appended", "moods", ["calm"], ["calm", "cross"], ["calm", "calm", "cross"]),
        Row(
            "a list of JSON is appended", "jsons", ["{\"a\":1}"], ["{\"a\":1}", "2"], ["{\"a\":1}", "{\"a\":1}", "2"]),
        Row("a set is united", "set", ["a", "b"], ["b", "c"], ["a", "b", "c"]),
        Row(
            "a map is merged member by member", "spot", ["row": 1, "tags": ["x"]],
            ["row": 2, "name": "n", "tags": ["x", "y"]],
            ["row": 1, "name": "n", "tags": ["x", "x", "y"], "inner": .null]),
        Row(
            "a map in a map is merged too", "spot", ["inner": ["a": 1, "l": [1], "j": "{\"k\":1}"]],
            ["inner": ["a": 2, "l": [2], "j": "{\"k\":2,\"m\":3}"]],
            ["row": .null, "name": .null, "tags": .null, "inner": ["a": 1, "l": [1, 2], "j": "{\"k\":1,\"m\":3}"]]),
        Row(
            "null in a map erases nothing", "spot", ["row": 1], ["row": .null, "name": "n"],
            ["row": 1, "name": "n", "tags": .null, "inner": .null]),
        Row(
            "a list of maps is appended, not merged", "spots", [["row": 1]], [["row": 1]],
            [
                ["row": 1, "name": .null, "tags": .null, "inner": .null],
                ["row": 1, "name": .null, "tags": .null, "inner": .null],
            ]),
        Row(
            "a JSON map is merged as a map", "json", "{\"a\":1,\"l\":[1],\"m\":{\"x\":1}}",
            "{\"a\":2,\"b\":3,\"l\":[1,2],\"m\":{\"x\":5,\"y\":6}}",
            "{\"a\":1,\"b\":3,\"l\":[1,1,2],\"m\":{\"x\":1,\"y\":6}}"),
        Row("a JSON list is appended", "json", "[1]", "[1,2]", "[1,1,2]"),
        Row("a JSON scalar that is there wins", "json", "5", "6", "5"),
        Row("a JSON null is nothing there", "json", "null", "{\"a\":1}", "{\"a\":1}"),
        Row("a JSON null erases nothing", "json", "[1]", "null", "[1]"),
        Row("two kinds of JSON leave what is there", "json", "{\"a\":1}", "[2]", "{\"a\":1}"),
    ]

    @Test(arguments: rows)
    func aStaleUpdateIsMergedFieldByField(_ row: Row) throws {
        let hub = try HubFixture(Self.schema)
        let fields = """
            id text number real money flag mood at json list moods jsons set count \
            spot { row name tags inner { a l j } } spots { row name tags inner { a l } } updatedAt _version
            """
        let created = hub.send(
            "mutation M($i: CreateThingInput!) { createThing(input: $i) { updatedAt } }",
            ["i": .object(JSONObject([(key: "id", value: "1"), (key: row.field, value: row.stored)]))], key: "counter"
        ).result
        hub.time.advance(milliseconds: 5_000)
        let update = "mutation M($i: UpdateThingInput!) { updateThing(input: $i) { \(fields) } }"
        let json = hub.send(
            update,
            [
                "i": .object(
                    JSONObject([
                        (key: "id", value: "1"), (key: row.field, value: row.incoming), (key: "_version", value: 7),
                    ]))
            ], key: "counter")
        #expect(json["errors"] == nil)
        #expect(Self.plain(json.result?[row.field]) == Self.plain(row.merged))
        #expect(json.result?["_version"] == 2, "the version grows, whatever was taken")
        #expect(json.result?["updatedAt"] == created?["updatedAt"], "a scalar that is there: the time stays too")
        #expect(hub.events.count == 2, "subscribers are told")
    }

    /// The inner list of maps has no `j`, and nulls of maps are not told apart from what is missing.
    private static func plain(_ json: JSONValue?) -> JSONValue {
        switch json {
        case .object(let object)?:
            .object(
                JSONObject(object.members.filter { !$0.value.isNull }.map { (key: $0.key, value: plain($0.value)) }))
        case .array(let elements)?: .array(elements.map { plain($0) })
        default: json ?? .null
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aLargeMapIsMergedInTimeThatGrowsWithIt() throws {
        let stored = JSONObject((0..<100_000).map { (key: "\($0)", value: JSONValue.integer(1)) })
        var values: [Value] = Self.schema.models[0].fields.map { _ in .null }
        var input: [Value?] = values.map { _ in nil }
        let position = try #require(Self.schema.models[0].position(of: "json"))
        values[position] = .text(JSONValue.object(stored).text)
        input[position] = .text("{\"0\":2,\"caf\u{E9}\":1,\"cafe\u{301}\":2}")
        let hub = try HubFixture(Self.schema)
        Automerge(codec: hub.core.codec).merge(input, into: &values, hub.core.engine.schema.models[0])
        let merged = try JSONValue(parsing: try #require(values[position].text)).object
        #expect(merged?.count == 100_002, "members whose names only look alike are two")
        #expect(merged?["0"] == 1)
    }

    @Test func whatTheInputLeavesOutStays() throws {
        let hub = try HubFixture(Self.schema)
        hub.send("mutation { createThing(input: {id: \"1\", text: \"a\", list: [\"x\"]}) { id } }", key: "counter")
        let json = hub.send(
            "mutation { updateThing(input: {id: \"1\", number: 4}) { text number list } }", key: "counter")
        #expect(json.result == ["text": "a", "number": 4, "list": ["x"]])
    }
}
