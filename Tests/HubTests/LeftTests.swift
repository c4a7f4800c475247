import AppSync
import Basics
import Models
import Testing

@testable import Hub

/// Rows that a change moves out of somebody's filter, told to who asks for that.
@Suite struct LeftTests {
    private static let asking: JSONValue = ["bincount": ["left": true]]

    private func delta(_ hub: HubFixture, _ since: Int64, asks: Bool) -> (items: [JSONValue], left: JSONValue?) {
        var body: JSONObject = [
            "query": .string(
                "query Q($f: ModelNoteFilterInput, $s: AWSTimestamp) { syncNotes(filter: $f, lastSync: $s, limit: 10) "
                    + "{ items { id size } nextToken startedAt } }"),
            "variables": ["f": ["size": ["lt": 5]], "s": .integer(since)],
        ]
        if asks { body["extensions"] = Self.asking }
        let answer = try? JSONValue(parsing: hub.raw(JSONValue.object(body).bytes).body)
        return (
            answer?["data"]?["syncNotes"]?["items"]?.array ?? [],
            answer?["extensions"]?["bincount"]?["left"]?["syncNotes"]
        )
    }

    @Test("A delta names the rows that changed and are outside of its filter, for who asks")
    func deltas() throws {
        let hub = try HubFixture()
        for id in ["moved", "stays", "gone", "other"] {
            hub.create(["id": .string(id), "title": "t", "size": id == "other" ? 9 : 1])
        }
        let since = hub.syncAll().startedAt + 1
        hub.update(["id": "moved", "size": 7, "_version": 1])
        hub.update(["id": "stays", "size": 2, "_version": 1])
        hub.update(["id": "gone", "size": 8, "_version": 1])
        hub.delete("gone", version: 2)
        let told = delta(hub, since, asks: true)
        #expect(told.items.map { $0["id"] } == ["stays"])
        #expect(Set(told.left?.array?.compactMap(\.string) ?? []) == ["moved", "gone"])
        #expect(delta(hub, since, asks: false).left == nil)
        #expect(delta(hub, 0, asks: true).left == nil, "everything is no delta")
    }

    @Test("Rows that a caller may not read are not named to him")
    func rights() throws {
        let hub = try HubFixture()
        let create = "mutation C($i: CreateDiaryInput!) { createDiary(input: $i) { id } }"
        for author in ["ann", "bob"] {
            hub.send(create, ["i": ["id": .string("of-" + author), "text": "a"]], key: "counter", person: author)
        }
        let body: JSONValue = [
            "query": "query Q($f: ModelDiaryFilterInput) { syncDiaries(filter: $f, lastSync: 1) { items { id } } }",
            "variables": ["f": ["text": ["eq": "b"]]], "extensions": Self.asking,
        ]
        let answer = try JSONValue(parsing: hub.raw(body.bytes, key: "counter", person: "ann").body)
        #expect(!answer.text.contains("of-bob"))
    }

    @Test("Nor are rows whose key a caller may not see")
    func keys() throws {
        let schema = try Schema(
            sdl: """
                type Job @model @auth(rules: [{ allow: groups, groups: ["leads"] }]) {
                  id: ID!
                  state: String @auth(rules: [
                    { allow: groups, groups: ["leads"] }, { allow: groups, groups: ["counters"], operations: [read] }
                  ])
                }
                """)
        let hub = try TokenFixture(schema)
        hub.admit("lead", groups: ["leads"])
        hub.admit("bob", groups: ["counters"])
        _ = hub.send("lead", "mutation { createJob(input: {id: \"secret\", state: \"open\"}) { id } }")
        for (who, isNamed) in [("lead", true), ("bob", false)] {
            let answer = hub.send(
                who, "{ syncJobs(lastSync: 1, filter: {state: {eq: \"none\"}}) { items { state } } }",
                bincount: ["left": true])
            #expect(answer.text.contains("secret") == isNamed)
        }
    }

    @Test("A subscription that asks gives the change by which a row leaves its filter, and nothing of it later")
    func events() throws {
        var floor = RealtimeFixture(try HubFixture())
        let query = "subscription S($f: ModelSubscriptionNoteFilterInput) { onUpdateNote(filter: $f) { id size } }"
        floor.connect(1)
        floor.connect(2)
        floor.start(1, "1", query, ["f": ["size": ["lt": 5]]], extensions: Self.asking)
        floor.start(2, "1", query, ["f": ["size": ["lt": 5]]])
        floor.mutate("mutation { createNote(input: {id: \"n\", title: \"t\", size: 1}) { id } }")
        for (version, size) in [(1, 2), (2, 7), (3, 8), (4, 3)] {
            floor.mutate("mutation { updateNote(input: {id: \"n\", size: \(size), _version: \(version)}) { id size } }")
        }
        #expect(floor.data(1).map { $0["size"] } == [2, 7, 3])
        #expect(floor.data(2).map { $0["size"] } == [2, 3])
    }
}
