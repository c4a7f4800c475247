import Basics
import Models
import Testing

@testable import Hub

/// A client that says what fields were to it loses no change to a version that others made of other fields.
@Suite("Updates that say what was there")
struct BasesTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let field: String
        let base: JSONValue
        let theirs: JSONValue
        let mine: JSONValue
        let merged: JSONValue

        init(
            _ name: String, _ field: String, base: JSONValue, theirs: JSONValue, mine: JSONValue, merged: JSONValue
        ) {
            testDescription = name
            (self.field, self.base, self.theirs, self.mine, self.merged) = (field, base, theirs, mine, merged)
        }
    }

    static let rows = [
        Row("what nobody else changed is taken", "text", base: "a", theirs: "a", mine: "b", merged: "b"),
        Row("what another changed stays", "text", base: "a", theirs: "c", mine: "b", merged: "c"),
        Row("what was taken away is away", "text", base: "a", theirs: "a", mine: .null, merged: .null),
        Row("null erases nothing that another changed", "text", base: "a", theirs: "c", mine: .null, merged: "c"),
        Row("what another took away is there again", "text", base: "a", theirs: .null, mine: "b", merged: "b"),
        Row(
            "a list does not double", "list", base: ["a", "b"], theirs: ["a", "b"], mine: ["b", "c"],
            merged: ["b", "c"]),
        Row(
            "a list that both changed gets what is new", "list", base: ["a", "b"], theirs: ["a", "b", "x"],
            mine: ["a", "b", "b", "c"], merged: ["a", "b", "x", "b", "c"]),
        Row(
            "a set that both changed is united, without what was taken out", "set", base: ["a", "b"],
            theirs: ["a", "b", "x"], mine: ["b", "c"], merged: ["b", "x", "c"]),
        Row(
            "members that nobody else changed are taken, and lists beside them stay as they are", "spot",
            base: ["row": 1, "name": "n", "tags": ["a", "b"]], theirs: ["row": 2, "name": "n", "tags": ["a", "b"]],
            mine: ["row": 1, "name": "m", "tags": ["a", "b"]],
            merged: ["row": 2, "name": "m", "tags": ["a", "b"], "inner": .null]),
        Row(
            "members of members, too", "spot", base: ["row": 1, "inner": ["a": 1, "l": [1]]],
            theirs: ["row": 2, "inner": ["a": 1, "l": [1], "j": "{\"k\":1}"]],
            mine: ["row": 3, "inner": ["a": 2, "l": [1]]],
            merged: ["row": 2, "name": .null, "tags": .null, "inner": ["a": 2, "l": [1], "j": "{\"k\":1}"]]),
        Row(
            "a member that another changed stays, and what is new comes", "spot", base: ["row": 1],
            theirs: ["row": 2], mine: ["row": 3, "name": "m"],
            merged: ["row": 2, "name": "m", "tags": .null, "inner": .null]),
        Row(
            "a list of embedded values is merged where they stand", "spots",
            base: [["row": 1], ["row": 2]], theirs: [["row": 5], ["row": 2]], mine: [["row": 1], ["row": 7]],
            merged: [["row": 5], ["row": 7]]),
        Row(
            "no element becomes part of another one", "spots",
            base: [["name": "x", "row": 1], ["name": "y", "row": 2]],
            theirs: [["name": "y", "row": 2], ["name": "z", "row": 2]],
            mine: [["name": "x", "row": 1], ["name": "y", "row": 7]],
            merged: [["name": "y", "row": 2], ["name": "z", "row": 2], ["name": "y", "row": 7]]),
        Row(
            "what both added alike is there once", "list", base: ["a"], theirs: ["a", "x"], mine: ["a", "x"],
            merged: ["a", "x"]),
        Row(
            "also beside something else", "list", base: ["a"], theirs: ["a", "x", "y"], mine: ["a", "x", "z"],
            merged: ["a", "x", "y", "z"]),
        Row(
            "and one that grew gets what is new", "spots", base: [["row": 1]], theirs: [["row": 1], ["row": 8]],
            mine: [["row": 1], ["row": 9]], merged: [["row": 1], ["row": 8], ["row": 9]]),
        Row(
            "JSON is merged by its members", "json", base: "{\"a\":1,\"b\":[1],\"c\":1,\"d\":1}",
            theirs: "{\"a\":2,\"b\":[1],\"c\":1,\"d\":1}", mine: "{\"a\":1,\"b\":[1,2],\"d\":null,\"e\":5}",
            merged: "{\"a\":2,\"b\":[1,2],\"d\":null,\"e\":5}"),
    ]

    static let fields = """
        id text list set json spot { row name tags inner { a l j } } spots { row name tags } _version
        """

    private func update(_ hub: HubFixture, _ field: String, _ value: JSONValue, version: Int64, base: JSONValue? = nil)
        throws -> JSONValue
    {
        let input = JSONObject([
            (key: "id", value: "1"), (key: field, value: value), (key: "_version", value: .integer(version)),
        ])
        var body: JSONObject = [
            "query": .string("mutation M($i: UpdateThingInput!) { m: updateThing(input: $i) { \(Self.fields) } }"),
            "variables": ["i": .object(input)],
        ]
        if let base {
            body["extensions"] = ["bincount": ["bases": ["m": .object(JSONObject([(key: field, value: base)]))]]]
        }
        return try JSONValue(parsing: hub.raw(JSONValue.object(body).bytes, key: "counter").body)
    }

    @Test(arguments: rows)
    func aStaleUpdateTakesWhatNobodyElseChanged(_ row: Row) throws {
        let hub = try HubFixture(AutomergeTests.schema)
        let input = JSONObject([(key: "id", value: "1"), (key: row.field, value: row.base)])
        hub.send(
            "mutation M($i: CreateThingInput!) { createThing(input: $i) { id } }", ["i": .object(input)], key: "counter"
        )
        let others = try update(hub, row.field, row.theirs, version: 1)
        #expect(others.result?["_version"] == 2)
        let mine = try update(hub, row.field, row.mine, version: 1, base: row.base)
        #expect(mine["errors"] == nil)
        #expect(Self.plain(mine.result?[row.field]) == Self.plain(row.merged))
        #expect(mine.result?["_version"] == 3)
    }

    @Test func aChangeOfAnotherFieldIsNoContest() throws {
        let hub = try HubFixture(AutomergeTests.schema)
        hub.send(
            "mutation { createThing(input: {id: \"1\", text: \"a\", list: [\"x\"]}) { id } }", key: "counter")
        _ = try update(hub, "json", "1", version: 1)
        // As AppSync has it, for who says nothing.
        #expect(try update(hub, "list", ["x", "y"], version: 1).result?["list"] == ["x", "x", "y"])
        #expect(try update(hub, "text", "b", version: 1).result?["text"] == "a")
        #expect(try update(hub, "text", "b", version: 1, base: "a").result?["text"] == "b")
        #expect(try update(hub, "list", ["z"], version: 1, base: ["x", "x", "y"]).result?["list"] == ["z"])
    }

    @Test func theTimeOfTheChangeMovesWithWhatIsTaken() throws {
        let hub = try HubFixture(AutomergeTests.schema)
        hub.send("mutation { createThing(input: {id: \"1\", text: \"a\"}) { id } }", key: "counter")
        _ = try update(hub, "json", "1", version: 1)
        func time() -> JSONValue? {
            hub.send("{ getThing(id: \"1\") { updatedAt } }", key: "counter").result?["updatedAt"]
        }
        let before = time()
        hub.time.advance(milliseconds: 5_000)
        _ = try update(hub, "text", "b", version: 1, base: "x")
        #expect(time() == before, "nothing was taken")
        _ = try update(hub, "text", "b", version: 1, base: "a")
        #expect(time() != before)
    }

    @Test func aGuessAtAFieldThatIsHiddenIsNoBase() throws {
        let rule = "{ allow: groups, groups: [\"supervisors\"] }"
        let hub = try HubFixture(
            try Schema(
                sdl: """
                    type Card @model @auth(rules: [{ allow: public }]) {
                      id: ID! seen: String
                      note: String @auth(rules: [\(rule), { allow: public, operations: [create, update] }])
                    }
                    """))
        hub.send("mutation { createCard(input: {id: \"c\", note: \"4711\"}) { id } }", key: "counter")
        hub.send("mutation { updateCard(input: {id: \"c\", seen: \"x\", _version: 1}) { id } }", key: "counter")
        let body: JSONValue = [
            "query": "mutation { m: updateCard(input: {id: \"c\", note: \"new\", _version: 1}) { id } }",
            "extensions": ["bincount": ["bases": ["m": ["note": "4711"]]]],
        ]
        #expect(try JSONValue(parsing: hub.raw(body.bytes, key: "counter").body)["errors"] == nil)
        #expect(hub.send("{ getCard(id: \"c\") { note } }", key: "super").result?["note"] == "4711")
    }

    @Test func aDateInOtherWordsIsStillTheSameDate() throws {
        let hub = try HubFixture(AutomergeTests.schema)
        hub.send(
            "mutation { createThing(input: {id: \"1\", at: \"2024-05-01T12:00:00+02:00\"}) { id } }", key: "counter")
        _ = try update(hub, "text", "a", version: 1)
        _ = try update(
            hub, "at", "2024-06-01T10:00:00.000Z", version: 1, base: "2024-05-01T10:00:00.000Z")
        let at = hub.send("{ getThing(id: \"1\") { at } }", key: "counter").result?["at"]
        #expect(at == "2024-06-01T10:00:00.000Z")
    }

    @Test func datesInListsAreTheSameInOtherWords() throws {
        let hub = try HubFixture(DateTimeTextTests.schema, time: ManualTimeSource())
        let make = "mutation M($i: CreateEventInput!) { createEvent(input: $i) { id } }"
        let days: JSONValue = ["2024-05-01T12:00:00+02:00", "2024-05-02T10:00:00.000Z"]
        #expect(hub.send(make, ["i": ["id": "1", "days": days]])["errors"] == nil)
        hub.send("mutation { updateEvent(input: {id: \"1\", title: \"t\", _version: 1}) { id } }")
        let (first, second): (JSONValue, JSONValue) = ("2024-05-01T10:00:00.000Z", "2024-05-02T10:00:00.000Z")
        let body: JSONValue = [
            "query": "mutation M($i: UpdateEventInput!) { m: updateEvent(input: $i) { days } }",
            "variables": ["i": ["id": "1", "days": [first], "_version": 1]],
            "extensions": ["bincount": ["bases": ["m": ["days": [first, second]]]]],
        ]
        #expect(try JSONValue(parsing: hub.raw(body.bytes).body).result?["days"] == [first])
    }

    /// Nulls of maps are not told apart from what is missing, and JSON is a value.
    private static func plain(_ json: JSONValue?) -> JSONValue {
        switch json {
        case .object(let object)?:
            .object(
                JSONObject(object.members.filter { !$0.value.isNull }.map { (key: $0.key, value: plain($0.value)) }))
        case .array(let elements)?: .array(elements.map { plain($0) })
        case .string(let text)? where text.hasPrefix("{"): (try? JSONValue(parsing: text))?.canonical ?? .null
        default: json ?? .null
        }
    }
}
