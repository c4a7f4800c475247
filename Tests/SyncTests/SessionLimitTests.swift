import AppSync
import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

@Suite("A model whose scope has a limit")
struct SessionLimitTests {
    private static func limited(to limit: Int) -> SyncScope { SyncScope(limits: ["Task": limit]) }

    /// A session that keeps two tasks, and takes one a page.
    private func limited() throws -> SessionFixture {
        let fixture = try SessionFixture(scope: Self.limited(to: 2), sync: { $0.pageSize = 1 })
        fixture.connect()
        return fixture
    }

    /// One that has its two tasks, from a backend that has more.
    private func atLimit(_ announcing: JSONValue? = nil) throws -> SessionFixture {
        let fixture = try limited()
        fixture.answerFetch(try fetch(fixture, "syncZones"), announcing: announcing)
        for (id, title, next) in [("a", "one", "t2"), ("b", "two", "t3")] {
            fixture.answerFetch(
                try fetch(fixture), [SessionFixture.json(id, title)], next: next, announcing: announcing)
        }
        return fixture
    }

    private func fetch(_ fixture: SessionFixture, _ name: String = "syncTasks") throws -> SessionFixture.Sent {
        try #require(fixture.takeSent(of: name))
    }

    private func tasks(_ fixture: SessionFixture) throws -> [String] {
        try fixture.core.read { try $0.query(model: "Task") }.map(\.id)
    }

    private func reason(_ fixture: SessionFixture) throws -> String {
        try fixture.core.read { try $0.explain(model: "Task", id: "c") }.lines[0]
    }

    @Test("is fetched up to it, and says that there is more (C11)")
    func first() throws {
        let fixture = try atLimit()
        #expect(fixture.takeSent().isEmpty && fixture.status.isComplete)
        #expect(fixture.status.truncatedModels == ["Task"])
        #expect(fixture.takeEvents().contains(.truncated(model: "Task", .limit(2))))
        #expect(try reason(fixture).contains("only 2 records were fetched"))
    }

    @Test("is asked for no more than fits, and says nothing where that is all")
    func all() throws {
        let fixture = try SessionFixture(scope: Self.limited(to: 2))
        fixture.connect()
        let request = try fetch(fixture)
        #expect(request.variables["limit"] == 2)
        // What was deleted takes no place.
        fixture.answerFetch(request, [SessionFixture.json("a", "one", deleted: true)], next: "t2")
        fixture.answerFetch(try fetch(fixture), [SessionFixture.json("b", "two"), SessionFixture.json("c", "three")])
        #expect(fixture.status.truncatedModels.isEmpty)
        #expect(!fixture.takeEvents().contains { if case .truncated = $0 { true } else { false } })
    }

    @Test("is current all the same: what others make or change comes, live and after an absence")
    func current() throws {
        let fixture = try atLimit()
        fixture.hear([SessionFixture.event(.onUpdate, SessionFixture.json("x", "heard", version: 3))])
        fixture.handle(.socketClosed(socket: 1, reason: "cut"))
        fixture.pass(1_000)
        fixture.shakeHands()
        let delta = try fetch(fixture)
        #expect(delta.variables["lastSync"] == 1000 && delta.variables["limit"] == 1)
        fixture.answerFetch(delta, [SessionFixture.json("y", "new", version: 2)], next: "t")
        fixture.answerFetch(try fetch(fixture), [SessionFixture.json("z", "new", version: 2)])
        #expect(try tasks(fixture) == ["a", "b", "x", "y", "z"])
        #expect(fixture.status.truncatedModels == ["Task"])
    }

    @Test("is fetched anew under another one, and says so no more where all came")
    func raised() throws {
        let fixture = try atLimit()
        fixture.handle(.scopeChanged(.all))
        fixture.shakeHands()
        let base = try fetch(fixture)
        #expect(base.variables["lastSync"] == nil)
        fixture.answerFetch(base, ["a", "b", "c"].map { SessionFixture.json($0, "x", version: 2) })
        #expect(try tasks(fixture) == ["a", "b", "c"])
        #expect(fixture.status.truncatedModels.isEmpty)
        #expect(try fixture.restarted(as: "ann").core.driverKeys(after: "truncated.").isEmpty)
    }

    @Test("lets go under a lower one of what did not come, and of nothing that is unsent")
    func lowered() throws {
        let fixture = try atLimit()
        try fixture.save(SessionFixture.record("mine", "unsent"))
        fixture.handle(.scopeChanged(Self.limited(to: 1)))
        fixture.shakeHands()
        fixture.answerFetch(try fetch(fixture), [SessionFixture.json("a", "one")], next: "t2")
        #expect(try tasks(fixture) == ["a", "mine"])
    }

    @Test("goes on after a restart where it was, and still says what it left out")
    func restarted() throws {
        let fixture = try limited()
        fixture.answerFetch(try fetch(fixture), [SessionFixture.json("a", "one")], next: "t2")
        fixture.handle(.stop)
        _ = fixture.takeSent()
        fixture.connect()
        let second = try fetch(fixture)
        #expect(second.variables["nextToken"] == "t2")
        fixture.answerFetch(second, [SessionFixture.json("b", "two")], next: "t3")
        // Older than the subscriptions: what changed meanwhile is fetched.
        fixture.answerFetch(try fetch(fixture))
        #expect(fixture.status.truncatedModels == ["Task"])
        fixture.handle(.stop)
        _ = fixture.takeSent()
        fixture.connect()
        #expect(fixture.status.truncatedModels == ["Task"])
        #expect(try fetch(fixture).variables["lastSync"] == 1000)
    }

    @Test("keeps what did not come from a restored backend, which may have it")
    func restoredBackend() throws {
        func life(_ name: String) -> JSONValue {
            [
                "mutationIds": true, "batch": 100, "digest": true, "epoch": .string(name),
                "lives": ["began": 5_000, "has": [:]],
            ]
        }
        let fixture = try atLimit(life("one"))
        fixture.handle(.stop)
        fixture.connect()
        for request in fixture.takeSent() {
            fixture.answerFetch(request, startedAt: 6_000, announcing: life("two"))
        }
        fixture.shakeHands()
        for (id, next) in [("c", "t2"), ("d", "t3")] {
            fixture.answerFetch(
                try fetch(fixture), [SessionFixture.json(id, "x", version: 9)], next: next, startedAt: 6_000,
                announcing: life("two"))
        }
        #expect(try tasks(fixture) == ["a", "b", "c", "d"])
        #expect(try fixture.state("b") == .synced(version: 1))
    }
}
