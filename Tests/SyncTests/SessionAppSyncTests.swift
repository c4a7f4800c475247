import AppSync
import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

/// What a session does at a backend that is AppSync, or that is not known yet to be our hub.
@Suite("At AppSync a session")
struct SessionAppSyncTests {
    /// A session that takes its backend for a hub, and hears from it as from AppSync.
    private func idle() throws -> SessionFixture {
        let fixture = try SessionFixture()
        try fixture.core.applyRemote([
            RemoteRecord(record: SessionFixture.record("u", "old"), version: 1, lastChangedAt: 1)
        ])
        fixture.connect()
        for request in fixture.takeSent() {
            let isTasks = request.query.contains("syncTasks")
            fixture.answerFetch(request, isTasks ? [SessionFixture.json("u", "old")] : [], isSilent: true)
        }
        return fixture
    }

    private func refusal(_ type: String, _ field: String = "m0") -> JSONValue {
        [
            "data": .object([field: nil]),
            "errors": [["path": [.string(field)], "errorType": .string(type), "data": nil, "message": "no"]],
        ]
    }

    private func attempts(_ fixture: SessionFixture) throws -> [Int] {
        try fixture.core.read { try $0.outbox() }.map(\.attempts)
    }

    @Test("sends as AppSync takes it, once it has heard of nothing more, and looks up a create whose answer was lost")
    func learnsSilence() throws {
        let fixture = try idle()
        try fixture.core.write(as: "ann") { transaction in
            for id in ["a", "b"] { try transaction.save(SessionFixture.record(id, id)) }
        }
        fixture.handle(.localCommit)
        let sent = fixture.takeSent()
        #expect(sent.map { $0.variables["i0"]?["id"]?.string } == ["a", "b"])
        #expect(sent.allSatisfy { $0.body["extensions"] == nil && $0.personal })
        fixture.answer(sent[0].id, refusal("ConditionalCheckFailedException"))
        let lookup = try #require(fixture.takeSent().first)
        #expect(lookup.personal)
        fixture.answer(lookup.id, ["data": ["getTask": SessionFixture.json("a", "a")]])
        #expect(try fixture.state("a") == .synced(version: 1))
        // A hub after all.
        fixture.answer(
            sent[1].id, ["data": ["m0": SessionFixture.json("b", "b")], "extensions": ["bincount": SessionFixture.hub]])
        try fixture.save(SessionFixture.record("c", "c"))
        #expect(try #require(fixture.takeSent().first).body["extensions"] != nil)
    }

    @Test("learns nothing from what a gateway says in the backend's place")
    func gateway() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        for request in fixture.takeSent() { fixture.answer(request.id, ["message": "sign in to this network"]) }
        try fixture.save(SessionFixture.record("a", "a"))
        #expect(try #require(fixture.takeSent().first).body["extensions"] != nil)
        // What was announced holds, whoever answers without it.
        let hub = try SessionFixture()
        hub.connect()
        hub.finishFetches()
        try hub.save(SessionFixture.record("a", "a"))
        hub.answer(try #require(hub.takeSent().first).id, ["data": ["m0": SessionFixture.json("a", "a")]])
        try hub.save(SessionFixture.record("b", "b"))
        #expect(try #require(hub.takeSent().first).body["extensions"] != nil)
    }

    @Test("parks no create because its look-up was throttled, or came to nothing for want of its person's token")
    func failedLookUp() throws {
        let credentials = Locked("ann")
        let fixture = try SessionFixture(
            profile: .appSync, sync: { $0.maySend = { $0 == nil || $0 == credentials.current } })
        fixture.connect()
        fixture.finishFetches()
        try fixture.save(SessionFixture.record("a", "a"))
        fixture.answer(try #require(fixture.takeSent().first).id, refusal("ConditionalCheckFailedException"))
        fixture.answer(try #require(fixture.takeSent().first).id, refusal("DynamoDB:ThrottlingException", "getTask"))
        #expect(fixture.status.parked == 0)
        fixture.pass(3_000)
        let again = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        credentials.withLock { $0 = "bob" }
        fixture.answer(again.id, refusal("ConditionalCheckFailedException"))
        #expect(fixture.takeSent().isEmpty, "Bob's token looks for what only Ann may see")
        #expect(fixture.status.parked == 0)
        credentials.withLock { $0 = "ann" }
        fixture.handle(.credentialsChanged)
        let third = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        fixture.answer(third.id, refusal("ConditionalCheckFailedException"))
        fixture.answer(
            try #require(fixture.takeSent().first { $0.query.hasPrefix("query Get") }).id,
            ["errors": [["errorType": "UnauthorizedException", "message": "expired"]]], status: 401)
        #expect(fixture.status.parked == 0)
        #expect(fixture.events.contains { if case .paused(.mutate, _, _) = $0 { true } else { false } })
    }

    @Test("looks whether an update arrived whose answer was lost, before it sends it again", arguments: [true, false])
    func repeatedUpdate(arrived: Bool) throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("u", "new"))
        let first = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        for _ in 1...2 {
            fixture.handle(.httpFailed(id: fixture.session.lastRequest, reason: "cut"))
            fixture.pass(2_000)
            let lookup = try #require(fixture.takeSent().first)
            #expect(lookup.query.hasPrefix("query Get") && lookup.variables["id"] == "u")
            let found = SessionFixture.json("u", arrived ? "new" : "old", version: arrived ? 2 : 1)
            fixture.answer(lookup.id, ["data": ["getTask": found]])
            if arrived { break }
            let again = try #require(fixture.takeSent().first)
            #expect(again.variables == first.variables && again.query == first.query)
        }
        guard arrived else { return #expect(fixture.status.unsent == 1) }
        #expect(fixture.takeSent().isEmpty)
        #expect(try fixture.state("u") == .synced(version: 2))
    }

    @Test(
        "asks a backend that it has not heard yet what it knows, before it repeats an update", arguments: [true, false])
    func unknownBackend(isHub: Bool) throws {
        let fixture = try SessionFixture()
        try fixture.core.applyRemote([
            RemoteRecord(record: SessionFixture.record("u", "old"), version: 1, lastChangedAt: 1)
        ])
        let scope = SyncScope.all.name(of: SessionFixture.task, reader: "ann", groups: [])
        try fixture.core.setMark(SyncMark(model: "Task", lastSync: 500, scope: scope))
        fixture.handle(.start)
        try fixture.save(SessionFixture.record("u", "new"))
        let first = try #require(fixture.takeSent().first)
        fixture.handle(.httpFailed(id: first.id, reason: "cut"))
        fixture.pass(2_000)
        let probes = fixture.takeSent()
        #expect(probes.map(\.query) == ["query Probe { __typename }"])
        #expect(try attempts(fixture) == [1])
        // Whoever answers something else is none.
        fixture.answer(try #require(probes.first).id, ["message": "sign in to this network"])
        #expect(fixture.takeSent().isEmpty)
        fixture.pass(4_000)
        let probe = try #require(fixture.takeSent().first)
        var answer: JSONObject = ["data": ["__typename": "Query"]]
        if isHub { answer["extensions"] = ["bincount": SessionFixture.hub] }
        fixture.answer(probe.id, .object(answer))
        let next = try #require(fixture.takeSent().first)
        if isHub { #expect(next.body == first.body) } else { #expect(next.query.hasPrefix("query Get")) }
    }

    @Test("counts no try that never left, and waits all the same")
    func neverSent() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("u", "new"))
        let first = try #require(fixture.takeSent().first)
        fixture.handle(.httpFailed(id: first.id, reason: "nobody answers there", mayHaveArrived: false))
        #expect(fixture.takeSent().isEmpty)
        #expect(try attempts(fixture) == [0])
        fixture.pass(1_000)
        let second = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        #expect(second.variables == first.variables)
        fixture.answer(second.id, ["errors": [["errorType": "UnauthorizedException", "message": "no"]]], status: 401)
        #expect(try attempts(fixture) == [0])
        #expect(fixture.takeSent().isEmpty)
        fixture.handle(.credentialsChanged)
        let third = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        fixture.handle(.httpFailed(id: third.id, reason: "cut"))
        #expect(try attempts(fixture) == [1])
    }

    @Test(
        "takes a create whose answer was lost for its own though somebody changed it since, and parks it if it was deleted",
        arguments: [false, true], [true, false])
    func changedSince(isDeleted: Bool, hasOwnKey: Bool) throws {
        let fixture = try idle()
        let id = hasOwnKey ? "00000000-0000-4000-8000-1000000000aF" : "B-17"
        try fixture.save(SessionFixture.record(id, "mine"))
        let first = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        fixture.handle(.httpFailed(id: first.id, reason: "cut"))
        fixture.pass(3_000)
        let again = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        fixture.answer(again.id, refusal("ConditionalCheckFailedException"))
        let lookup = try #require(fixture.takeSent().first)
        let theirs = SessionFixture.json(id, "theirs", version: 2, deleted: isDeleted)
        fixture.answer(lookup.id, ["data": ["getTask": theirs]])
        if hasOwnKey && !isDeleted {
            #expect(try fixture.core.read { try $0.outbox() }.isEmpty)
            #expect(try fixture.get(id)?["title"] == .text("theirs"))
        } else {
            // Somebody else may have read the same key off the same thing.
            #expect(fixture.status.parked == 1)
        }
    }

    @Test("parks a create at its first try whose key another record has")
    func anothersAtOnce() throws {
        let fixture = try idle()
        let id = "00000000-0000-4000-8000-100000000000"
        try fixture.save(SessionFixture.record(id, "mine"))
        let first = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        fixture.answer(first.id, refusal("ConditionalCheckFailedException"))
        let lookup = try #require(fixture.takeSent().first)
        fixture.answer(lookup.id, ["data": ["getTask": SessionFixture.json(id, "theirs", version: 2)]])
        #expect(fixture.status.parked == 1)
        // What was refused did not arrive: trying again makes another's record ours no more than before.
        let order = try #require(try fixture.core.read { try $0.outbox() }.first).order
        try fixture.core.write(as: nil) { try $0.retryOutbox(order) }
        fixture.handle(.localCommit)
        let again = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        fixture.answer(again.id, refusal("ConditionalCheckFailedException"))
        let second = try #require(fixture.takeSent().first)
        fixture.answer(second.id, ["data": ["getTask": SessionFixture.json(id, "theirs", version: 2)]])
        #expect(fixture.status.parked == 1)
    }
}
