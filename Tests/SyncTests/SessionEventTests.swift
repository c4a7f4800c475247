import AppSync
import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

@Suite("What a store's readers hear of synchronising")
struct SessionEventTests {
    /// The events since the last call, without the outbox's and without what only says that the status is another.
    private func take(_ fixture: SessionFixture) -> [StoreEvent] {
        fixture.takeEvents().filter { if case .outboxStatus = $0 { false } else { true } }
    }

    private func fetch(_ name: String, _ fixture: SessionFixture) throws -> SessionFixture.Sent {
        try #require(fixture.takeSent(of: "sync" + name))
    }

    private let zone: JSONValue = ["id": "z1", "code": "A", "_version": 1, "_lastChangedAt": 1]

    @Test("at a first start: the outbox, the link, subscriptions, each model with its counts, ready (Amplify's order)")
    func firstStart() throws {
        let fixture = try SessionFixture()
        fixture.handle(.start)
        #expect(fixture.takeEvents() == [.outboxStatus(OutboxStatus())])
        fixture.shakeHands()
        #expect(
            take(fixture) == [
                .networkStatus(isActive: true, detail: ""), .subscriptionsEstablished,
                .syncQueriesStarted(models: ["Task", "Zone"]),
            ])
        let tasks = try fetch("Tasks", fixture)
        fixture.answerFetch(
            tasks, [SessionFixture.json("a", "one"), SessionFixture.json("b", "two")], next: "t", startedAt: 5)
        #expect(take(fixture) == [.progress(model: "Task", rows: 2)])
        fixture.answerFetch(
            try fetch("Tasks", fixture),
            [
                SessionFixture.json("b", "newer", version: 2),
                SessionFixture.json("a", "one", version: 3, deleted: true),
            ],
            startedAt: 5)
        let counts = ModelCounts(rows: 4, created: 2, updated: 1, deleted: 1)
        #expect(
            take(fixture) == [
                .progress(model: "Task", rows: 4), .modelSynced(model: "Task", isFullSync: true, counts),
            ])
        fixture.answerFetch(try fetch("Zones", fixture), [zone])
        #expect(
            take(fixture) == [
                .progress(model: "Zone", rows: 1),
                .modelSynced(model: "Zone", isFullSync: true, ModelCounts(rows: 1, created: 1)),
                .syncQueriesReady, .ready,
            ])
    }

    @Test("at an outage and after it: why, and then only what is new; a round between tells nothing of being ready")
    func outage() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.finishFetches()
        _ = fixture.takeEvents()
        fixture.handle(.socketClosed(socket: 1, reason: "cut"))
        #expect(take(fixture) == [.networkStatus(isActive: false, detail: "cut")])
        fixture.pass(1_000)
        #expect(take(fixture).isEmpty)
        fixture.shakeHands()
        #expect(
            take(fixture) == [
                .networkStatus(isActive: true, detail: ""), .subscriptionsEstablished,
                .syncQueriesStarted(models: ["Task", "Zone"]),
            ])
        fixture.answerFetch(try fetch("Tasks", fixture), [SessionFixture.json("a", "one")])
        fixture.answerFetch(try fetch("Zones", fixture))
        #expect(
            take(fixture) == [
                .progress(model: "Task", rows: 1),
                .modelSynced(model: "Task", isFullSync: false, ModelCounts(rows: 1, created: 1)),
                .modelSynced(model: "Zone", isFullSync: false, ModelCounts()),
                .syncQueriesReady, .ready,
            ])
        for _ in 0..<11 {
            fixture.pass(29_000)
            fixture.hear([.keepAlive])
        }
        fixture.finishFetches()
        let later = take(fixture)
        #expect(later.contains(.syncQueriesReady))
        #expect(!later.contains(.ready))
    }

    @Test("of each change: made, sent with the backend's record, and an outbox that is empty again")
    func mutations() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.finishFetches()
        _ = fixture.takeEvents()
        try fixture.save(SessionFixture.record("b", "x"))
        let sent = try #require(fixture.takeSent().first)
        fixture.answer(sent.id, ["data": ["m0": SessionFixture.json("b", "x", version: 1)]])
        let told = fixture.takeEvents()
        guard case .outboxMutationEnqueued("Task", "b", .create, let made?)? = told.first else {
            Issue.record("\(told)")
            return
        }
        #expect(made["title"] == .text("x"))
        let statuses = told.compactMap { if case .outboxStatus(let status) = $0 { status } else { nil } }
        #expect(
            statuses == [OutboxStatus(queued: 1), OutboxStatus(sending: 1), OutboxStatus()])
        #expect(
            told.contains {
                if case .outboxMutationProcessed("Task", "b", .create, let remote) = $0 {
                    remote.version == 1
                } else {
                    false
                }
            })
    }

    @Test("when the backend forgot what changed since the last fetch, and of the rows that went with it")
    func truncated() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.answerFetch(try fetch("Tasks", fixture), [SessionFixture.json("a", "one")])
        fixture.answerFetch(try fetch("Zones", fixture))
        fixture.handle(.socketClosed(socket: 1, reason: "cut"))
        fixture.pass(1_000)
        fixture.shakeHands()
        _ = fixture.takeEvents()
        let announcing: JSONValue = ["gap": ["syncTasks"], "epoch": "e"]
        fixture.answerFetch(try fetch("Tasks", fixture), startedAt: 9_000, announcing: announcing)
        #expect(take(fixture) == [.truncated(model: "Task", .history)])
        fixture.answerFetch(
            try fetch("Tasks", fixture), [SessionFixture.json("b", "two")], startedAt: 9_000,
            announcing: ["epoch": "e"])
        #expect(
            take(fixture).contains(
                .modelSynced(model: "Task", isFullSync: true, ModelCounts(rows: 1, created: 1, deleted: 1))))
    }

    @Test("of each kind of work that pauses for want of credentials")
    func paused() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        _ = fixture.takeEvents()
        let tasks = try fetch("Tasks", fixture)
        fixture.answer(
            tasks.id, ["errors": [["errorType": "UnauthorizedException", "message": "expired"]]], status: 401)
        #expect(
            take(fixture) == [.paused(.sync, identity: "ann", detail: "UnauthorizedException: expired")])
        // That it stops is told by the store, whatever its driver.
        fixture.handle(.stop)
        #expect(take(fixture).isEmpty)
    }

    @Test("of being ready where nothing is fetched")
    func nothingToFetch() throws {
        let fixture = try SessionFixture(configure: { options in
            options.policies = ["Task": .upstream, "Zone": .none]
        })
        fixture.handle(.start)
        fixture.handle(.socketOpened(socket: 1))
        fixture.hear([.connectionAck(timeoutMilliseconds: 60_000)])
        #expect(take(fixture).suffix(2) == [.syncQueriesReady, .ready])
        #expect(fixture.status.isComplete)
    }
}
