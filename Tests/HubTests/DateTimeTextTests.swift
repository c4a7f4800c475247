import Basics
import Models
import SQLite
import Testing

@testable import Hub

/// `AWSDateTime`s come back as they were sent (`appsync-protocol.md` §1.7): amplify-js gives the next change of a record its
/// new version only where the answer repeats every field that was sent (§6.2).
@Suite("Texts of AWSDateTimes")
struct DateTimeTextTests {
    // Guard of try!: a constant text, which every test here reads first.
    static let schema = try! Schema(
        sdl: """
            type Span { from: AWSDateTime days: [AWSDateTime] }
            type Event @model @auth(rules: [{ allow: groups, groups: ["everyone"] }]) {
              id: ID!
              title: String
              at: AWSDateTime
              days: [AWSDateTime]
              span: Span
              room: ID @index(name: "byRoom", queryField: "eventsByRoom", sortKeyFields: ["at"])
            }
            type Slot @model @auth(rules: [{ allow: groups, groups: ["everyone"] }]) {
              room: ID! @primaryKey(sortKeyFields: ["at"])
              at: AWSDateTime!
              title: String
            }
            """)

    private static let fields = "id title at days span { from days } room _version"
    static let texts = [
        "2024-05-01T12:00:00+02:00", "2024-05-01T10:00:00Z", "2024-05-01T10:00:00.123456Z", "2024-05-01T10:00Z",
    ]

    private func create(_ hub: HubFixture, _ input: JSONValue) -> JSONValue? {
        hub.send("mutation M($i: CreateEventInput!) { createEvent(input: $i) { \(Self.fields) } }", ["i": input]).result
    }

    private func update(_ hub: HubFixture, _ input: JSONValue) -> JSONValue? {
        hub.send("mutation M($i: UpdateEventInput!) { updateEvent(input: $i) { \(Self.fields) } }", ["i": input]).result
    }

    private func get(_ hub: HubFixture, _ id: String) -> JSONValue? {
        hub.send("query Q($id: ID!) { getEvent(id: $id) { \(Self.fields) } }", ["id": .string(id)]).result
    }

    private func found(_ hub: HubFixture, _ filter: JSONValue) -> [String]? {
        hub.send("query Q($f: ModelEventFilterInput) { listEvents(filter: $f) { items { id } } }", ["f": filter])
            .result?["items"]?.array?.compactMap { $0["id"]?.string }
    }

    @Test("A date comes back as it was sent, by every path", arguments: texts)
    func aDateComesBackAsItWasSentByEveryPath(_ text: String) throws {
        let hub = try HubFixture(Self.schema)
        let at = JSONValue.string(text)
        let input: JSONValue = [
            "id": "1", "at": at, "days": [at, .null, "2024-05-01T10:00:00.000Z"], "span": ["from": at, "days": [at]],
        ]
        for answer in [create(hub, input), get(hub, "1")] {
            for field in ["at", "days", "span"] { #expect(answer?[field] == input[field], "\(field)") }
        }
        // What another field's change answers, and an update of the date itself.
        #expect(update(hub, ["id": "1", "title": "t", "_version": 1])?["at"] == at)
        #expect(update(hub, ["id": "1", "at": "2024-05-02T10:00:00.000Z", "_version": 2])?["at"]?.string != text)
        #expect(update(hub, ["id": "1", "at": at, "_version": 3])?["at"] == at)
        #expect(get(hub, "1")?["at"] == at)
        // Only its words change.
        #expect(update(hub, ["id": "1", "at": "2024-05-01T10:00:00.000+00:00", "_version": 4])?["_version"] == 5)
        #expect(get(hub, "1")?["at"] == "2024-05-01T10:00:00.000+00:00")
        let page = hub.send("{ syncEvents { items { at } } }").result
        #expect(page?["items"]?.array?.first?["at"] == "2024-05-01T10:00:00.000+00:00")
        #expect(hub.events.last.map { $0.row.values[2] } == .text("2024-05-01T10:00:00.000+00:00"))
    }

    @Test func `words that not every client reads come back in the usual ones`() throws {
        let hub = try HubFixture(Self.schema)
        let odd: JSONValue = "2024-05-01 24:00:00z"
        let made = create(hub, ["id": "1", "at": odd, "days": [odd], "span": ["from": odd]])
        let usual: JSONValue = "2024-05-02T00:00:00.000Z"
        #expect(made?["at"] == usual && made?["days"] == [usual] && made?["span"]?["from"] == usual)
    }

    @Test func `a key names no part of a millisecond, which would be lost`() throws {
        let hub = try HubFixture(Self.schema)
        let make = "mutation M($i: CreateSlotInput!) { createSlot(input: $i) { at } }"
        let refused = hub.send(make, ["i": ["room": "r", "at": "2024-05-01T10:00:00.1234Z"]])
        #expect(refused.errorMessage?.contains("part of a millisecond") == true)
        #expect(hub.send(make, ["i": ["room": "r", "at": "2024-05-01T10:00:00.123000Z"]])["errors"] == nil)
    }

    @Test func `what a merge takes from either side keeps the words of its dates`() throws {
        let hub = try HubFixture(Self.schema, time: ManualTimeSource())
        let (first, second): (JSONValue, JSONValue) = ("2024-05-01T12:00:00.123456+02:00", "2024-05-02T10:00Z")
        _ = create(hub, ["id": "1", "days": [first], "span": ["from": first, "days": [first, second]]])
        let base: JSONValue = [
            "days": ["2024-05-01T10:00:00.123Z"],
            "span": [
                "from": "2024-05-01T10:00:00.123Z", "days": ["2024-05-01T10:00:00.123Z", "2024-05-02T10:00:00.000Z"],
            ],
        ]
        // Another adds to what both change here.
        _ = update(hub, ["id": "1", "days": [first, second], "span": ["from": first, "days": []], "_version": 1])
        let later: JSONValue = "2024-06-01T10:00+01:00"
        let mine: JSONValue = [
            "id": "1", "days": ["2024-05-01T10:00:00.123Z", later],
            "span": ["from": later, "days": ["2024-05-01T10:00:00.123Z", "2024-05-02T10:00:00.000Z"]], "_version": 1,
        ]
        let body: JSONValue = [
            "query": "mutation M($i: UpdateEventInput!) { m: updateEvent(input: $i) { days span { from days } } }",
            "variables": ["i": mine], "extensions": ["bincount": ["bases": ["m": base]]],
        ]
        let merged = try JSONValue(parsing: hub.raw(body.bytes).body).result
        #expect(merged?["days"] == [first, second, later])
        #expect(merged?["span"] == ["from": later, "days": []])
    }

    @Test func `a stale change is merged and a lost answer given again with the texts that are there`() throws {
        let hub = try HubFixture(Self.schema)
        _ = create(hub, ["id": "1", "at": "2024-05-01T12:00:00+02:00"])
        _ = update(hub, ["id": "1", "title": "a", "_version": 1])
        #expect(
            update(hub, ["id": "1", "at": "2024-06-01T12:00:00+02:00", "_version": 1])?["at"]
                == "2024-05-01T12:00:00+02:00")
        func again() -> JSONValue? {
            hub.send(
                "mutation { m: updateEvent(input: {id: \"1\", at: \"2024-07-01T12:00:00+02:00\", _version: 3}) { at } }",
                ids: ["m": "m1"])["data"]?["m"]?["at"]
        }
        #expect(again() == "2024-07-01T12:00:00+02:00")
        _ = update(hub, ["id": "1", "at": "2024-08-01T12:00:00Z", "_version": 4])
        #expect(again() == "2024-07-01T12:00:00+02:00", "the answer is that of the version which it made")
    }

    @Test func `dates are compared and ordered as instants, and parts of them with their texts in UTC`() throws {
        let hub = try HubFixture(Self.schema)
        // In the order of the instants, which is not that of the texts.
        _ = create(hub, ["id": "1", "room": "r", "at": "2024-01-01T00:30:00+05:30"])
        _ = create(hub, ["id": "2", "room": "r", "at": "2023-12-31T20:00:00.000Z"])
        _ = create(hub, ["id": "3", "room": "r", "at": "2023-12-31T17:00:00-05:00"])
        #expect(found(hub, ["at": ["eq": "2023-12-31T19:00:00Z"]]) == ["1"])
        #expect(found(hub, ["at": ["lt": "2023-12-31T20:30:00.000Z"]]) == ["1", "2"])
        #expect(found(hub, ["at": ["between": ["2023-12-31T21:00:00+01:00", "2024-01-01T00:00:00Z"]]]) == ["2", "3"])
        // In UTC, as along the index.
        #expect(found(hub, ["at": ["beginsWith": "2023-12-31T2"]]) == ["2", "3"])
        #expect(found(hub, ["at": ["ge": "2024"]]) == [])
        var ids: [String] = []
        var token = ""
        for _ in 0..<5 {
            let page = hub.send("{ eventsByRoom(room: \"r\", limit: 1\(token)) { items { id } nextToken } }").result
            ids += (page?["items"]?.array ?? []).compactMap { $0["id"]?.string }
            guard let next = page?["nextToken"]?.string else { break }
            token = ", nextToken: \"\(next)\""
        }
        #expect(ids == ["1", "2", "3"])
    }

    @Test func `two texts of one instant are one key`() throws {
        let hub = try HubFixture(Self.schema)
        let make = "mutation M($i: CreateSlotInput!) { createSlot(input: $i) { at } }"
        #expect(hub.send(make, ["i": ["room": "r", "at": "2024-05-01T12:00:00+02:00"]])["errors"] == nil)
        #expect(hub.send(make, ["i": ["room": "r", "at": "2024-05-01T10:00:00Z", "title": "x"]])["errors"] != nil)
        let got = hub.send("{ getSlot(room: \"r\", at: \"2024-05-01T10:00:00Z\") { at } }").result
        #expect(got?["at"] == "2024-05-01T10:00:00.000Z")
    }

    @Test func `a text counts only while it names the instant beside it, and an older hub's database gets room for it`()
        throws
    {
        let hub = try HubFixture(Self.schema)
        _ = create(hub, ["id": "1", "at": "2024-05-01T12:00:00+02:00"])
        try hub.connection.run("UPDATE Event SET at=at+1000")
        #expect(get(hub, "1")?["at"] == "2024-05-01T10:00:01.000Z")
        for model in ["Event", "Slot"] { try hub.connection.run("ALTER TABLE \(model) DROP COLUMN _texts") }
        // An older hub's layout knows nothing of it either.
        let layout = #", \"_texts\" TEXT"#
        #expect(try hub.connection.run("UPDATE _schema SET layout=replace(layout,?,'')", [.text(layout)]) == 1)
        #expect(try hub.connection.value("SELECT instr(layout,'_texts') FROM _schema") == .integer(0))
        let after = try HubFixture(Self.schema, connection: hub.connection)
        #expect(get(after, "1")?["at"] == "2024-05-01T10:00:01.000Z")
        #expect(update(after, ["id": "1", "at": "2024-05-01T12:00:00+02:00", "_version": 1])?["_version"] == 2)
        #expect(get(after, "1")?["at"] == "2024-05-01T12:00:00+02:00")
    }
}
