import AppSync
import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

/// What a store does that was away for too long to fetch only what changed.
@Suite("A reconciliation")
struct SessionReconcileTests {
    private static let able: JSONValue = ["mutationIds": true, "batch": 100, "digest": true]
    /// Of a few rows: all of them differ.
    private static let everyBucket = JSONValue.array(
        (0..<1 << RecordDigest(forRows: 4).bits).map { .integer(Int64($0)) })

    /// A session with three confirmed tasks, one of which the backend has no more, whose fetches are under way.
    private func away(scope: SyncScope = .all) throws -> SessionFixture {
        let fixture = try SessionFixture(scope: scope)
        for (id, version) in [("a", 1), ("b", 2), ("gone", 3)] {
            try fixture.core.applyRemote([
                RemoteRecord(
                    record: SessionFixture.record(id, id), version: Int64(version), lastChangedAt: Int64(version))
            ])
        }
        let scopeName = SyncScope.all.name(of: SessionFixture.task, reader: "ann", groups: [])
        try fixture.core.setMark(SyncMark(model: "Task", lastSync: 500, scope: scopeName))
        fixture.connect()
        return fixture
    }

    private func fetch(_ fixture: SessionFixture, _ name: String = "syncTasks") throws -> SessionFixture.Sent {
        let sent = fixture.takeSent()
        for other in sent where !other.query.contains(name) { fixture.answerFetch(other, announcing: Self.able) }
        return try #require(sent.first { $0.query.contains(name) })
    }

    private func announcing(_ more: JSONObject) -> JSONValue {
        var object = Self.able.object ?? JSONObject()
        for member in more.members { object[member.key] = member.value }
        return .object(object)
    }

    @Test("compares after a gap, fetches what differs, and lets go of what the backend has no more (D64)")
    func compares() throws {
        let fixture = try away()
        let delta = try fetch(fixture)
        #expect(delta.variables["lastSync"] == 500)
        fixture.answerFetch(delta, startedAt: 9000, announcing: announcing(["gap": ["syncTasks"]]))
        #expect(fixture.status.gaps == 1)
        let compare = try fetch(fixture)
        let request = try #require(compare.body["extensions"]?["bincount"]?["digest"]?["syncTasks"])
        guard case .compare(let digest)? = DigestRequest(json: request) else {
            Issue.record("it does not compare: \(request)")
            return
        }
        var mine = RecordDigest(bits: digest.bits)
        for (id, version) in [("a", Int64(1)), ("b", 2), ("gone", 3)] { mine.add(id: id, version: version) }
        #expect(digest == mine)
        var theirs = RecordDigest(bits: digest.bits)
        for (id, version) in [("a", Int64(1)), ("b", 4), ("new", 1)] { theirs.add(id: id, version: version) }
        let differing = theirs.differing(from: digest).map { JSONValue.integer(Int64($0)) }
        fixture.answerFetch(
            compare, startedAt: 9000, announcing: announcing(["digest": ["syncTasks": .array(differing)]]))
        let fetched = try fetch(fixture)
        #expect(
            fetched.body["extensions"]?["bincount"]?["digest"]?["syncTasks"]?["buckets"]?.array?.count
                == differing.count)
        fixture.answerFetch(
            fetched, [SessionFixture.json("a", "a"), SessionFixture.json("b", "newer", version: 4)], next: "t",
            startedAt: 9500)
        let second = try fetch(fixture)
        #expect(second.variables["nextToken"] == "t")
        fixture.answerFetch(second, [SessionFixture.json("new", "new")], startedAt: 9500)
        #expect(try fixture.get("a") != nil)
        #expect(try fixture.get("b")?["title"] == .text("newer"))
        #expect(try fixture.get("new") != nil)
        #expect(try fixture.get("gone") == nil)
        #expect(try fixture.core.mark(of: "Task").lastSync == 9000, "what changed while it fetched would be missed")
    }

    @Test("lets go of nothing where the digests agree, though nothing of it comes")
    func agreeing() throws {
        let fixture = try away()
        fixture.answerFetch(try fetch(fixture), announcing: announcing(["gap": ["syncTasks"]]))
        let compare = try fetch(fixture)
        let bits = RecordDigest(forRows: 3).bits
        let bucket = RecordDigest.bucket(of: "gone", bits: bits)
        let differing: JSONValue = [.integer(Int64(bucket))]
        fixture.answerFetch(compare, startedAt: 9000, announcing: announcing(["digest": ["syncTasks": differing]]))
        fixture.answerFetch(try fetch(fixture), startedAt: 9000)
        #expect(try fixture.get("gone") == nil)
        for id in ["a", "b"] {
            try #require(RecordDigest.bucket(of: id, bits: bits) != bucket)
            #expect(try fixture.get(id) != nil)
        }
    }

    @Test("lets go of nothing where a row came without its key, which may be any that did not come")
    func keyless() throws {
        let fixture = try away()
        fixture.answerFetch(try fetch(fixture), announcing: announcing(["gap": ["syncTasks"]]))
        fixture.answerFetch(
            try fetch(fixture), startedAt: 9000, announcing: announcing(["digest": ["syncTasks": Self.everyBucket]]))
        fixture.answerFetch(try fetch(fixture), [SessionFixture.json("a", "a"), .null], next: "t", startedAt: 9000)
        fixture.answerFetch(try fetch(fixture), [], startedAt: 9000)
        for id in ["a", "b", "gone"] { #expect(try fixture.get(id) != nil) }
        #expect(fixture.status.quarantined == 1 && fixture.status.isComplete)
        #expect(try fixture.core.mark(of: "Task").lastSync == 9000)
    }

    @Test("fetches nothing where all is equal")
    func equal() throws {
        let fixture = try away()
        fixture.answerFetch(try fetch(fixture), announcing: announcing(["gap": ["syncTasks"]]))
        fixture.answerFetch(
            try fetch(fixture), startedAt: 9000, announcing: announcing(["digest": ["syncTasks": []]]))
        #expect(fixture.takeSent().isEmpty)
        #expect(try fixture.get("gone") != nil)
        #expect(try fixture.core.mark(of: "Task").lastSync == 9000)
    }

    @Test("is told of deletions while it compares, also of records that were confirmed since its digest was made")
    func deletedMeanwhile() throws {
        let fixture = try away()
        fixture.answerFetch(try fetch(fixture), announcing: announcing(["gap": ["syncTasks"], "epoch": "e"]))
        let compare = try fetch(fixture)
        fixture.hear([SessionFixture.event(.onDelete, SessionFixture.json("a", "a", version: 5, deleted: true))])
        fixture.hear([SessionFixture.event(.onUpdate, SessionFixture.json("b", "old", version: 4))])
        fixture.answerFetch(
            compare, startedAt: 9000, announcing: announcing(["digest": ["syncTasks": []], "epoch": "e"]))
        #expect(try fixture.get("a") == nil)
        #expect(try fixture.get("b")?["title"] == .text("b"), "pages answer for what changed before them")
    }

    @Test("makes a digest that it sends again anew")
    func digestAgain() throws {
        let fixture = try away()
        fixture.answerFetch(try fetch(fixture), announcing: announcing(["gap": ["syncTasks"]]))
        func digest(_ sent: SessionFixture.Sent) throws -> JSONValue {
            try #require(sent.body["extensions"]?["bincount"]?["digest"]?["syncTasks"]?["sums"])
        }
        let first = try fetch(fixture)
        try fixture.core.applyRemote([
            RemoteRecord(record: SessionFixture.record("mine", "m"), version: 1, lastChangedAt: 1)
        ])
        fixture.answer(first.id, [:], status: 503)
        fixture.pass(120_000)
        #expect(try digest(try fetch(fixture)) != digest(first))
    }

    @Test("keeps what is unsent, and what changed after it began")
    func keeps() throws {
        let fixture = try away()
        var gone = SessionFixture.record("gone", "gone")
        gone["state"] = .text("mine")
        try fixture.core.write(as: "ann") { try $0.save(gone) }
        fixture.answerFetch(try fetch(fixture), announcing: announcing(["gap": ["syncTasks"]]))
        let compare = try fetch(fixture)
        try fixture.core.applyRemote([
            RemoteRecord(record: SessionFixture.record("late", "late"), version: 1, lastChangedAt: 9001)
        ])
        fixture.answerFetch(
            compare, startedAt: 9000, announcing: announcing(["digest": ["syncTasks": Self.everyBucket]]))
        fixture.answerFetch(try fetch(fixture), [SessionFixture.json("a", "a")], startedAt: 9100)
        #expect(try fixture.get("gone")?["state"] == .text("mine"))
        #expect(try fixture.get("late") != nil)
        #expect(try fixture.get("b") == nil)
    }

    @Test("reads all again at a backend without digests, where deletions may be forgotten, and lets go of the rest")
    func rereads() throws {
        let fixture = try away()
        let month: Int64 = 31 * 86_400_000
        for request in fixture.takeSent() { fixture.answerFetch(request, startedAt: month, isSilent: true) }
        let base = try #require(fixture.takeSent().first)
        #expect(base.variables["lastSync"] == nil)
        #expect(base.body["extensions"] == nil)
        fixture.answerFetch(base, [SessionFixture.json("a", "a")], next: "t", startedAt: month)
        let second = try #require(fixture.takeSent().first)
        fixture.answerFetch(second, [SessionFixture.json("b", "b", version: 2)], startedAt: month)
        #expect(try fixture.get("gone") == nil)
        #expect(try fixture.get("a") != nil)
        #expect(try fixture.get("b") != nil)
    }

    @Test("that was interrupted begins again, and lets go of nothing that it has not looked for")
    func interrupted() throws {
        let fixture = try away()
        let month: Int64 = 31 * 86_400_000
        for request in fixture.takeSent() { fixture.answerFetch(request, startedAt: month, isSilent: true) }
        let base = try #require(fixture.takeSent().first)
        fixture.answerFetch(base, [SessionFixture.json("a", "a")], next: "t", startedAt: month)
        fixture.handle(.stop)
        _ = fixture.takeSent()
        fixture.connect()
        let again = try #require(fixture.takeSent().first { $0.query.contains("syncTasks") })
        #expect(again.variables["nextToken"] == nil)
        fixture.answerFetch(
            again, [SessionFixture.json("a", "a"), SessionFixture.json("b", "b", version: 2)], startedAt: month)
        #expect(try fixture.get("a") != nil)
        #expect(try fixture.get("gone") == nil)
    }

    /// Connects again, to a backend in another life, which has nothing of the tasks but `a`.
    private func reconnect(_ fixture: SessionFixture, to life: JSONObject, startedAt: Int64 = 9000) throws {
        _ = fixture.takeSent()
        fixture.handle(.stop)
        fixture.connect()
        for request in fixture.takeSent() { fixture.answerFetch(request, announcing: announcing(life)) }
        fixture.shakeHands()
        let compare = try fetch(fixture)
        var compared = life
        compared["digest"] = ["syncTasks": Self.everyBucket]
        fixture.answerFetch(compare, startedAt: startedAt, announcing: announcing(compared))
        fixture.answerFetch(
            try fetch(fixture), [SessionFixture.json("a", "a")], startedAt: startedAt, announcing: announcing(life))
    }

    /// A session with a backend that was put back from a backup without `b`.
    private func restoredWithout() throws -> SessionFixture {
        let fixture = try away()
        for request in fixture.takeSent() {
            fixture.answerFetch(request, announcing: announcing(["epoch": "one"]))
        }
        try reconnect(fixture, to: ["epoch": "two", "lives": ["began": 8000, "has": [:]]])
        return fixture
    }

    @Test("with a restored backend keeps what came after its backup")
    func restored() throws {
        let fixture = try restoredWithout()
        #expect(try fixture.get("b") != nil)
        #expect(try fixture.state("b") == .local)
    }

    @Test("leaves a row that a restored backend lost to who made it, and sends it for whoever saves it again")
    func savedAgain() throws {
        let fixture = try restoredWithout()
        let lost = try #require(try fixture.get("b"))
        #expect(fixture.takeSent(of: "createTask") == nil)
        try fixture.save(lost)
        #expect(try fixture.state("b") != .local)
        let push = try #require(fixture.takeSent(of: "createTask"))
        #expect(push.variables["i0"]?["id"] == "b")
        #expect(push.variables["i0"]?["title"] == "b")
        // Once is enough.
        try fixture.save(lost)
        #expect(try fixture.core.read { try $0.outbox(model: "Task", id: "b") }.count == 1)
    }

    @Test("with a restored backend lets go of what that has and this person does not get to see")
    func restoredAndHidden() throws {
        let fixture = try away()
        for request in fixture.takeSent() {
            fixture.answerFetch(request, announcing: announcing(["epoch": "one"]))
        }
        // Somebody else's work went out from here; whether it may be seen was not answered any more.
        try fixture.core.write(as: "bob") { try $0.save(SessionFixture.record("bobs", "bobs")) }
        let entry = try #require(try fixture.core.nextMutations(limit: 1)?.entries.first)
        let confirmed = RemoteRecord(record: SessionFixture.record("bobs", "bobs"), version: 1, lastChangedAt: 10)
        try fixture.core.settle([MutationResult(order: entry.order, outcome: .applied(confirmed))])
        // Changed after the backup.
        let later = RemoteRecord(record: SessionFixture.record("b", "later"), version: 4, lastChangedAt: 30)
        try fixture.core.applyRemote([later])
        try reconnect(fixture, to: ["epoch": "two", "lives": ["began": 8000, "has": ["one": 20]]])
        #expect(try fixture.get("bobs") == nil)
        #expect(try fixture.get("b") != nil)
        #expect(try fixture.get("gone") == nil, "it had that, and has it no more")
    }

    @Test("with a restored backend lets go of what that had and has no more, and keeps what it lost")
    func restoredAndDeleted() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        let rows = [("a", 1), ("gone", 2), ("lost", 5), ("later", 8200)].map { id, version in
            SessionFixture.json(id, id, version: Int64(version))
        }
        for request in fixture.takeSent() {
            let items = request.query.contains("syncTasks") ? rows : []
            fixture.answerFetch(request, items, startedAt: 9500, announcing: announcing(["epoch": "two"]))
        }
        // The second life was put back into a backup from 8100 of it, and came itself from one of the first, from 3.
        let life: JSONObject = [
            "epoch": "three",
            "lives": ["began": 20_000, "has": ["one": 3, "two": 8100], "since": ["one": 0, "two": 8000]],
        ]
        try reconnect(fixture, to: life, startedAt: 21_000)
        #expect(try fixture.get("gone") == nil, "it had that, so that somebody deleted it")
        #expect(try fixture.state("a") == .synced(version: 1))
        #expect(try fixture.state("lost") == .local, "that is in no part of the first life that it has")
        #expect(try fixture.state("later") == .local, "nor that of the second")
    }

    @Test("shows nothing that was heard before the restore, by a session that learns of it only now")
    func heardBefore() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.hear([SessionFixture.event(.onCreate, SessionFixture.json("lost", "lost", version: 7))])
        fixture.hear([SessionFixture.event(.onCreate, SessionFixture.json("new", "new", version: 9000))])
        let life = announcing(["epoch": "two", "lives": ["began": 8000, "has": ["one": 5]]])
        for request in fixture.takeSent() { fixture.answerFetch(request, startedAt: 8500, announcing: life) }
        #expect(try fixture.get("lost") == nil)
        #expect(try fixture.get("new") != nil)
    }

    @Test("and pages from the beginning answer for what was heard of before they began")
    func heardAndGone() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.hear([
            SessionFixture.event(.onCreate, SessionFixture.json("gone", "its deletion is forgotten", version: 7)),
            SessionFixture.event(.onCreate, SessionFixture.json("here", "in the pages", version: 8)),
            SessionFixture.event(.onCreate, SessionFixture.json("new", "since", version: 9001)),
        ])
        for request in fixture.takeSent() {
            let items = request.query.contains("syncTasks") ? [SessionFixture.json("here", "here", version: 8)] : []
            fixture.answerFetch(request, items, startedAt: 9000, announcing: announcing(["epoch": "one"]))
        }
        #expect(try fixture.get("gone") == nil)
        #expect(try fixture.get("here") != nil)
        #expect(try fixture.get("new") != nil)
    }

    @Test("is not made by a store that has nothing yet")
    func first() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        for request in fixture.takeSent() {
            #expect(request.body["extensions"] == nil)
            fixture.answerFetch(request, announcing: announcing(["rows": ["syncTasks": 500]]))
        }
    }

    @Test("and any long fetch say how long they still take")
    func estimate() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        let request = try #require(fixture.takeSent().first { $0.query.contains("syncTasks") })
        fixture.pass(1_000)
        fixture.answerFetch(
            request, [SessionFixture.json("a", "a"), SessionFixture.json("b", "b")], next: "t",
            announcing: announcing(["rows": ["syncTasks": 8]]))
        #expect(fixture.status.progress?.remainingMilliseconds == 3_000)
    }
}
