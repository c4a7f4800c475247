import AppSync
import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

@Suite("What leaves a session's scope")
struct SessionLeavingTests {
    /// A session that keeps open tasks, two of which are here, at a backend that tells what leaves.
    private func idle() throws -> SessionFixture {
        let fixture = try SessionFixture(scope: SyncScope(filters: ["Task": .field("state", .equal(.text("open")))]))
        fixture.connect()
        for request in fixture.takeSent() {
            let isTasks = request.query.contains("syncTasks")
            fixture.answerFetch(
                request, isTasks ? ["a", "b"].map { SessionFixture.json($0, $0, state: "open") } : [],
                startedAt: 1000, announcing: ["mutationIds": true, "batch": 100, "left": true])
        }
        return fixture
    }

    private func here(_ fixture: SessionFixture) throws -> [String] {
        try fixture.core.read { try $0.query(model: "Task") }.map(\.id).sorted()
    }

    private func hear(_ id: String, _ state: String, _ version: Int64, in fixture: SessionFixture) {
        fixture.hear([
            SessionFixture.event(.onUpdate, SessionFixture.json(id, id, state: state, version: version))
        ])
    }

    @Test("goes when the change is heard by which it leaves, and comes back with the one by which it returns")
    func live() throws {
        let fixture = try idle()
        #expect(try here(fixture) == ["a", "b"])
        hear("a", "done", 2, in: fixture)
        #expect(try here(fixture) == ["b"])
        hear("other", "done", 1, in: fixture)
        #expect(try here(fixture) == ["b"])
        hear("a", "open", 3, in: fixture)
        #expect(try here(fixture) == ["a", "b"])
        // An older change that comes late moves nothing.
        hear("a", "done", 2, in: fixture)
        #expect(try here(fixture) == ["a", "b"])
    }

    @Test("stays while something of it is unsent, and goes with the answer")
    func unsent() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("b", "mine", state: "open"))
        hear("b", "done", 2, in: fixture)
        #expect(try here(fixture) == ["a", "b"])
        #expect(try fixture.get("b")?["title"] == .text("mine"))
        let sent = try #require(fixture.takeSent().first)
        fixture.answer(
            sent.id, ["data": ["m0": SessionFixture.json("b", "mine", state: "done", version: 3)]])
        #expect(try here(fixture) == ["a"])
    }

    @Test("goes with the delta that names it, unless something of it is unsent")
    func deltas() throws {
        let fixture = try idle()
        fixture.handle(.socketClosed(socket: fixture.opened.last?.socket ?? 0, reason: "cut"))
        try fixture.save(SessionFixture.record("b", "mine", state: "open"))
        fixture.pass(60_000)
        fixture.shakeHands()
        let tasks = try #require(fixture.takeSent().first { $0.query.contains("syncTasks") })
        #expect(tasks.variables["lastSync"] == 1000)
        #expect(tasks.body["extensions"]?["bincount"]?["left"] == true)
        fixture.answerFetch(
            tasks, [], startedAt: 5000,
            announcing: ["mutationIds": true, "batch": 100, "left": ["syncTasks": ["a", "b", "never"]]])
        #expect(try here(fixture) == ["b"])
    }

    /// A change of `b` that the backend refused.
    private func parked(in fixture: SessionFixture) throws -> Int64 {
        try fixture.save(SessionFixture.record("b", "mine", state: "open"))
        let sent = try #require(fixture.takeSent().first)
        fixture.answer(
            sent.id,
            [
                "data": .null,
                "errors": [["path": ["m0"], "errorType": "Unauthorized", "message": "Not Authorized"]],
            ])
        return try #require(try fixture.core.read { try $0.outbox(state: .parked).first?.order })
    }

    @Test("goes when the parked change is taken back that it stayed for", arguments: [true, false])
    func takenBack(byDelta: Bool) throws {
        let fixture = try idle()
        let order = try parked(in: fixture)
        if byDelta {
            fixture.handle(.socketClosed(socket: fixture.opened.last?.socket ?? 0, reason: "cut"))
            fixture.pass(60_000)
            fixture.shakeHands()
            // What was asked for without a link, and what with it.
            for start: Int64 in [5000, 5001] {
                fixture.finishFetches(
                    startedAt: start, announcing: ["mutationIds": true, "batch": 100, "left": ["syncTasks": ["b"]]])
            }
        } else {
            hear("b", "done", 2, in: fixture)
        }
        #expect(try fixture.get("b")?["title"] == .text("mine"))
        let explained = try fixture.core.read { try $0.explain(model: "Task", id: "b") }
        #expect(explained.hasLeft && explained.description.contains("others moved it out"))
        try fixture.core.write(as: "ann") { _ = try $0.revertOutbox(order) }
        #expect(try here(fixture) == ["a"])
        // It left no tombstone: back it comes.
        hear("b", "open", 3, in: fixture)
        #expect(try here(fixture) == ["a", "b"])
    }

    @Test("stays where it comes back before the parked change is taken back")
    func backInTime() throws {
        let fixture = try idle()
        let order = try parked(in: fixture)
        hear("b", "done", 2, in: fixture)
        hear("b", "open", 3, in: fixture)
        try fixture.core.write(as: "ann") { _ = try $0.revertOutbox(order) }
        #expect(try here(fixture) == ["a", "b"])
        #expect(try fixture.get("b")?["title"] == .text("b"))
    }

    @Test("goes with its deletion here, where that is taken back")
    func deletedHere() throws {
        let fixture = try idle()
        try fixture.core.write(as: "ann") { try $0.delete(model: "Task", id: "b") }
        let order = try #require(try fixture.core.read { try $0.outbox().first?.order })
        hear("b", "done", 2, in: fixture)
        try fixture.core.write(as: "ann") { _ = try $0.revertOutbox(order) }
        #expect(try here(fixture) == ["a"])
    }

    @Test("stays where it came back after the delta that names it was made")
    func backAgain() throws {
        let fixture = try idle()
        fixture.handle(.socketClosed(socket: fixture.opened.last?.socket ?? 0, reason: "cut"))
        fixture.pass(60_000)
        fixture.shakeHands()
        let tasks = try #require(fixture.takeSent().first { $0.query.contains("syncTasks") })
        // Its own change, answered later than the page was read.
        try fixture.core.applyRemote([
            RemoteRecord(
                record: SessionFixture.record("a", "back", state: "open"), version: 7, lastChangedAt: 6000)
        ])
        fixture.answerFetch(
            tasks, [], startedAt: 5000,
            announcing: ["mutationIds": true, "batch": 100, "left": ["syncTasks": ["a", "b"]]])
        #expect(try here(fixture) == ["a"])
    }

    @Test("is asked for by the subscription too, where the backend tells it")
    func subscription() throws {
        let fixture = try idle()
        func asks() throws -> [Bool] {
            try fixture.frames.compactMap { frame in
                guard case .start(_, let data, _) = frame, data.contains("onUpdateTask") else { return nil }
                return try JSONValue(parsing: data)["extensions"]?["bincount"]?["left"]?.bool ?? false
            }
        }
        #expect(try asks() == [true])
        // A backend that does not tell it is not asked.
        fixture.session.profile.tellsLeft = false
        fixture.handle(.scopeChanged(SyncScope(filters: ["Task": .field("state", .equal(.text("done")))])))
        fixture.shakeHands()
        #expect(try asks() == [true, false])
    }
}
