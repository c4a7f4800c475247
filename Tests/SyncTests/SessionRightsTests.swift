import AppSync
import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

/// What a store does when the backend says that its person may see less, or something else, than before.
@Suite("Rights that change")
struct SessionRightsTests {
    private func announcing(_ rights: String, _ more: JSONObject = [:]) -> JSONValue {
        var object: JSONObject = [
            "mutationIds": true, "batch": 100, "digest": true, "rights": ["syncTasks": .string(rights)],
        ]
        for member in more.members { object[member.key] = member.value }
        return .object(object)
    }

    private func fetch(_ fixture: SessionFixture) throws -> SessionFixture.Sent {
        let sent = fixture.takeSent()
        for other in sent where !other.query.contains("syncTasks") { fixture.answerFetch(other) }
        return try #require(sent.first { $0.query.contains("syncTasks") })
    }

    /// A session with two tasks, fetched under the rights `one`, that has come back and asks for changes.
    private func back(_ rights: String = "one") throws -> SessionFixture {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.answerFetch(
            try fetch(fixture), [SessionFixture.json("mine", "m"), SessionFixture.json("theirs", "t", owner: "bob")],
            announcing: announcing(rights))
        #expect(try fixture.get("theirs") != nil)
        fixture.handle(.stop)
        _ = fixture.takeSent()
        fixture.connect()
        return fixture
    }

    @Test("are found by the next fetch, which compares and lets go of what is not given any more")
    func fewer() throws {
        let fixture = try back()
        let delta = try fetch(fixture)
        #expect(delta.variables["lastSync"] == 1000)
        fixture.answerFetch(delta, startedAt: 2000, announcing: announcing("two"))
        let compare = try fetch(fixture)
        #expect(compare.variables["lastSync"] == nil)
        #expect(compare.body["extensions"]?["bincount"]?["digest"]?["syncTasks"]?["sums"] != nil)
        let every = (0..<8).map { JSONValue.integer($0) }
        fixture.answerFetch(
            compare, startedAt: 2000, announcing: announcing("two", ["digest": ["syncTasks": .array(every)]]))
        fixture.answerFetch(try fetch(fixture), [SessionFixture.json("mine", "m")], startedAt: 2000)
        #expect(try fixture.get("theirs") == nil)
        #expect(try fixture.get("mine") != nil)
        #expect(try fixture.core.mark(of: "Task").lastSync == 2000)
    }

    @Test("leave what is unsent")
    func unsent() throws {
        let fixture = try back()
        var changed = SessionFixture.record("theirs", "t", owner: "bob")
        changed["state"] = .text("mine")
        let delta = try fetch(fixture)
        try fixture.core.write(as: "ann") { try $0.save(changed) }
        fixture.answerFetch(delta, startedAt: 2000, announcing: announcing("two"))
        let every = (0..<8).map { JSONValue.integer($0) }
        fixture.answerFetch(
            try fetch(fixture), startedAt: 2000, announcing: announcing("two", ["digest": ["syncTasks": .array(every)]])
        )
        fixture.answerFetch(try fetch(fixture), [SessionFixture.json("mine", "m")], startedAt: 2000)
        #expect(try fixture.get("theirs")?["state"] == .text("mine"))
    }

    @Test("that are as before cost nothing")
    func same() throws {
        let fixture = try back()
        fixture.answerFetch(try fetch(fixture), startedAt: 2000, announcing: announcing("one"))
        #expect(fixture.takeSent().isEmpty)
        #expect(try fixture.get("theirs") != nil)
    }

    @Test("to fields make every row be fetched anew, whose version does not tell")
    func fields() throws {
        let fixture = try back("one.a")
        fixture.answerFetch(try fetch(fixture), startedAt: 2000, announcing: announcing("one.b"))
        #expect(try fixture.get("mine") == nil)
        let again = try fetch(fixture)
        #expect(again.variables["lastSync"] == nil)
        #expect(again.body["extensions"] == nil)
        fixture.answerFetch(again, [SessionFixture.json("mine", "m")], startedAt: 2000, announcing: announcing("one.b"))
        #expect(try fixture.get("mine") != nil)
        #expect(fixture.takeSent().isEmpty)
    }

    @Test("are not known to a store of before, which takes them as they are")
    func unknown() throws {
        let fixture = try back()
        try fixture.core.setDriverState("rights.Task", nil)
        fixture.answerFetch(try fetch(fixture), startedAt: 2000, announcing: announcing("two"))
        #expect(fixture.takeSent().isEmpty)
    }

    @Test("over one row: its tombstone comes by a subscription, and it is let go of")
    func departure() throws {
        let fixture = try back()
        fixture.answerFetch(try fetch(fixture), startedAt: 2000, announcing: announcing("one"))
        fixture.hear([
            SessionFixture.event(.onUpdate, SessionFixture.json("theirs", "t", owner: "bob", version: 2, deleted: true))
        ])
        #expect(try fixture.get("theirs") == nil)
        fixture.hear([SessionFixture.event(.onUpdate, SessionFixture.json("theirs", "t", owner: "ann", version: 3))])
        #expect(try fixture.get("theirs") != nil, "and is there again when it comes back")
    }
}
