import AppSync
import Basics
import Models
import Testing

@testable import DataStore
@testable import SyncEngine

/// A backend that lost its database altogether and had no backup: it begins with nothing, in its first life.
@Suite("A backend whose database was made anew")
struct SessionAnewTests {
    private let anew: JSONValue = ["mutationIds": true, "batch": 100, "epoch": "two", "began": 8000]

    private func json(_ id: String, _ title: String, _ version: Int64, _ stamp: Int64) -> JSONValue {
        var object = SessionFixture.json(id, title, version: version).object ?? JSONObject()
        object["_lastChangedAt"] = .integer(stamp)
        return .object(object)
    }

    private func push(_ fixture: SessionFixture) throws -> SessionFixture.Sent {
        let pushes = fixture.takeSent().filter { $0.query.hasPrefix("mutation") }
        #expect(pushes.count == 1)
        return try #require(pushes.first)
    }

    private func answer(_ fixture: SessionFixture, _ id: Int, _ json: JSONValue, _ announcement: JSONValue) {
        fixture.answer(id, ["data": ["m0": json], "extensions": ["bincount": announcement]])
    }

    /// A store with a record of its own and two of others, all of the lost database.
    private func lost() throws -> SessionFixture {
        let fixture = try SessionFixture()
        let one: JSONValue = ["mutationIds": true, "batch": 100, "epoch": "one", "began": 0]
        fixture.connect()
        for request in fixture.takeSent() {
            let items = request.query.contains("syncTasks") ? [json("b", "old", 5, 50), json("c", "old", 5, 51)] : []
            fixture.answerFetch(request, items, announcing: one)
        }
        try fixture.save(SessionFixture.record("a", "one"))
        answer(fixture, try push(fixture).id, json("a", "one", 7, 70), one)
        #expect(try fixture.state("a") == .synced(version: 7))
        try fixture.save(SessionFixture.record("a", "two"))
        let early = try push(fixture)
        fixture.answer(
            early.id,
            [
                "data": ["m0": nil],
                "errors": [["path": ["m0"], "errorType": "OtherLife", "message": "ask again"]],
                "extensions": ["bincount": anew],
            ])
        return fixture
    }

    @Test("gets what was made here again, and what it says of it holds, though its versions begin at one")
    func ownRecords() throws {
        let fixture = try lost()
        let create = try push(fixture)
        #expect(create.variables["i0"]?["title"] == "one")
        answer(fixture, create.id, json("a", "one", 1, 8001), anew)
        let update = try push(fixture)
        #expect(update.variables["i0"] == ["id": "a", "title": "two", "_version": 1])
        answer(fixture, update.id, json("a", "two", 2, 8002), anew)
        #expect(try fixture.state("a") == .synced(version: 2))
        // What somebody does to it there is heard, and is no older version of anything.
        fixture.shakeHands()
        for request in fixture.takeSent() {
            let items = request.query.contains("syncTasks") ? [json("a", "two", 2, 8002)] : []
            fixture.answerFetch(request, items, startedAt: 9000, announcing: anew)
        }
        fixture.hear([SessionFixture.event(.onUpdate, json("a", "three", 3, 9001))])
        #expect(try fixture.get("a")?["title"] == .text("three"))
    }

    @Test("has of others' records what they brought back, and the others are only here: also after a restart")
    func others() throws {
        for isRestarted in [false, true] {
            let fixture = try lost()
            _ = fixture.takeSent()
            if isRestarted {
                fixture.handle(.stop)
                fixture.connect()
            } else {
                fixture.shakeHands()
            }
            for request in fixture.takeSent() where request.query.contains("sync") {
                let items = request.query.contains("syncTasks") ? [json("c", "new", 1, 8100)] : []
                fixture.answerFetch(request, items, startedAt: 9000, announcing: anew)
            }
            #expect(try fixture.get("c")?["title"] == .text("new"), "restarted: \(isRestarted)")
            #expect(try fixture.state("c") == .synced(version: 1))
            #expect(try fixture.state("b") == .local, "its author brings it back")
        }
    }

    @Test("is nothing of the kind for a store that never knew another")
    func first() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        for request in fixture.takeSent() {
            let items = request.query.contains("syncTasks") ? [json("b", "b", 5, 8100)] : []
            fixture.answerFetch(request, items, startedAt: 9000, announcing: anew)
        }
        // A change that is refused for want of its record is not one that waits for an author.
        try fixture.save(SessionFixture.record("b", "mine"))
        fixture.answer(
            try push(fixture).id,
            [
                "data": ["m0": nil],
                "errors": [["path": ["m0"], "errorType": "ConditionalCheckFailed", "message": "no such record"]],
                "extensions": ["bincount": anew],
            ])
        #expect(fixture.core.outboxStatus.parked == 1)
        #expect(fixture.problems.current.allSatisfy { $0.cause == nil })
    }
}
