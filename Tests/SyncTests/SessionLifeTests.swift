import AppSync
import Basics
import Models
import SQLite
import Testing

@testable import DataStore
@testable import SyncEngine

@Suite("A backend that begins another life, or a store that begins anew, meanwhile")
struct SessionLifeTests {
    private func announcing(_ epoch: String, _ more: JSONObject = JSONObject()) -> JSONValue {
        var object = more
        object["mutationIds"] = true
        object["batch"] = 100
        object["epoch"] = .string(epoch)
        return .object(object)
    }

    private func idle() throws -> SessionFixture {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.finishFetches(announcing: announcing("one"))
        return fixture
    }

    private func push(_ fixture: SessionFixture) throws -> SessionFixture.Sent {
        let pushes = fixture.takeSent().filter { $0.query.hasPrefix("mutation") }
        #expect(pushes.count == 1)
        return try #require(pushes.first)
    }

    private func answer(
        _ fixture: SessionFixture, _ push: SessionFixture.Sent, _ title: String, version: Int64,
        _ announcement: JSONValue
    ) {
        fixture.answer(
            push.id,
            [
                "data": ["m0": SessionFixture.json("a", title, version: version)],
                "extensions": ["bincount": announcement],
            ])
    }

    private func refuse(_ fixture: SessionFixture, _ push: SessionFixture.Sent, _ announcement: JSONValue) {
        fixture.answer(
            push.id,
            [
                "data": ["m0": nil],
                "errors": [["path": ["m0"], "errorType": "OtherLife", "message": "The hub was restored since"]],
                "extensions": ["bincount": announcement],
            ])
    }

    @Test("each push names the life it is meant for, and what is lost goes before what was made after it")
    func lostFirst() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"))
        let create = try push(fixture)
        #expect(create.body["extensions"]?["bincount"]?["epoch"] == "one")
        answer(fixture, create, "one", version: 1, announcing("one"))
        try fixture.save(SessionFixture.record("a", "two"))
        let lost = try push(fixture)
        answer(fixture, lost, "two", version: 2, announcing("one"))
        try fixture.save(SessionFixture.record("a", "two", state: "done"))
        let early = try push(fixture)
        // Restored to a backup that has the create (stamp 1) and not the update (stamp 2).
        let lives: JSONObject = ["lives": ["began": 8000, "has": ["one": 1]]]
        refuse(fixture, early, announcing("two", lives))
        let again = try push(fixture)
        #expect(again.body["extensions"]?["bincount"]?["epoch"] == "two")
        #expect(again.variables["i0"]?["title"] == "two")
        let ids = { (push: SessionFixture.Sent) in push.body["extensions"]?["bincount"]?["mutationIds"] }
        #expect(ids(again) == ids(lost), "under the name it had")
        answer(fixture, again, "two", version: 1_000_000, announcing("two", lives))
        let last = try push(fixture)
        #expect(last.variables["i0"]?["state"] == "done")
        #expect(last.variables["i0"]?["_version"] == 1_000_000, "on what the lost one made of it")
        #expect(ids(last) == ids(early))
        #expect(fixture.problems.current.compactMap(\.cause) == [.otherBackend, .lostChanges])
    }

    @Test("restored to the same backup once more, it is sent what it lacks, and nothing that it has")
    func sameBackup() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"))
        answer(fixture, try push(fixture), "one", version: 1, announcing("one"))
        try fixture.save(SessionFixture.record("a", "two"))
        answer(fixture, try push(fixture), "two", version: 2, announcing("one"))
        try fixture.save(SessionFixture.record("a", "two", state: "done"))
        let second = announcing("two", ["lives": ["began": 8000, "has": ["one": 1]]])
        refuse(fixture, try push(fixture), second)
        answer(fixture, try push(fixture), "two", version: 1_000_001, second)
        let third = announcing("three", ["lives": ["began": 1_500_000, "has": ["one": 1]]])
        refuse(fixture, try push(fixture), third)
        let lost = try push(fixture)
        #expect(lost.variables["i0"] == ["id": "a", "title": "two", "_version": 1])
        answer(fixture, lost, "two", version: 2_000_001, third)
        #expect(try push(fixture).variables["i0"] == ["id": "a", "state": "done", "_version": 2_000_001])
        #expect(fixture.takeEvents().allSatisfy { if case .conflict = $0 { false } else { true } })
    }

    /// Somebody else did the same as a change whose answer was cut off, in a part of the life that no backup has.
    private func hearsOfWhatIsLost(_ epoch: String, _ lives: JSONObject) throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"))
        answer(fixture, try push(fixture), "one", version: 1, announcing("one"))
        try fixture.save(SessionFixture.record("a", "two"))
        fixture.handle(.httpFailed(id: try push(fixture).id, reason: "cut"))
        try fixture.save(SessionFixture.record("a", "two", state: "done"))
        fixture.hear([SessionFixture.event(.onUpdate, SessionFixture.json("a", "two", state: "done", version: 3))])
        fixture.pass(1_000)
        answer(fixture, try push(fixture), "two", version: 2, announcing(epoch, lives))
        #expect(try push(fixture).variables["i0"] == ["id": "a", "state": "done", "_version": 2])
    }

    @Test("what was heard before a restore and is lost there does not stand for what waits here")
    func lostImage() throws {
        try hearsOfWhatIsLost("two", ["lives": ["began": 8000, "has": ["one": 2]]])
    }

    @Test("nor does it where the backend has the life that came between, and was restored to a backup of that")
    func lostImageOfTwoLivesAgo() throws {
        // The first life up to 2, the second from 8000 to 9000: 3 is in neither.
        try hearsOfWhatIsLost(
            "three",
            ["lives": ["began": 20_000, "has": ["one": 2, "two": 9000], "since": ["one": 0, "two": 8000]]])
    }

    @Test("what a backend of another life refused is not parked, even where another answer told of that life first")
    func lateRefusal() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"))
        let first = try push(fixture)
        try fixture.save(SessionFixture.record("b", "one"), as: "bob")
        let second = try push(fixture)
        answer(fixture, first, "one", version: 1_000_000, announcing("two", ["lives": ["began": 8000, "has": [:]]]))
        refuse(fixture, second, announcing("two", ["lives": ["began": 8000, "has": [:]]]))
        #expect(try fixture.core.read { try $0.outbox(state: .parked) }.isEmpty)
        let again = try push(fixture)
        #expect(again.person == "bob")
    }

    @Test(
        "what a backend that minds no life refused, or judged, in another one is asked again and not parked or decided")
    func judgedInAnotherLife() throws {
        for errorType in ["Unauthorized", "ConditionalCheckFailed", "ConflictUnhandled"] {
            let asked = Locked(0)
            let fixture = try SessionFixture(configure: {
                $0.conflictHandler = { _ in
                    asked.withLock { $0 += 1 }
                    return .applyRemote
                }
            })
            fixture.connect()
            fixture.finishFetches(announcing: announcing("one"))
            try fixture.save(SessionFixture.record("a", "one"))
            answer(fixture, try push(fixture), "one", version: 1, announcing("one"))
            try fixture.save(SessionFixture.record("a", "two"))
            let early = try push(fixture)
            let error: JSONValue = [
                "path": ["m0"], "errorType": .string(errorType), "message": "no",
                "data": SessionFixture.json("a", "other", version: 1),
            ]
            fixture.answer(
                early.id,
                [
                    "data": ["m0": nil], "errors": [error],
                    "extensions": ["bincount": announcing("two", ["lives": ["began": 8000, "has": [:]]])],
                ])
            #expect(fixture.core.outboxStatus.parked == 0 && asked.current == 0, "\(errorType)")
            // What is lost goes first, and this after it.
            #expect(try push(fixture).variables["i0"]?["title"] == "one", "\(errorType)")
            #expect(try fixture.core.read { try $0.outbox() }.map(\.kind) == [.create, .update], "\(errorType)")
        }
    }

    @Test("an answer that a full disk did not let the store keep is asked for again after a restore")
    func unkept() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"))
        let lost = try push(fixture)
        let connection = fixture.core.connection
        try connection.execute(
            "CREATE TEMP TRIGGER full BEFORE DELETE ON \"_outbox\" BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        answer(fixture, lost, "one", version: 1, announcing("one"))
        #expect(try fixture.core.read { try $0.outbox() }.count == 1)
        // Restored to a backup without it, which the session hears while its disk is still full.
        try fixture.save(SessionFixture.record("b", "two"), as: "bob")
        let second = try push(fixture)
        answer(fixture, second, "two", version: 1_000_000, announcing("two", ["lives": ["began": 8000, "has": [:]]]))
        try connection.execute("DROP TRIGGER full")
        fixture.pass(10_000)
        let again = fixture.takeSent().filter { $0.query.hasPrefix("mutation") }
        #expect(again.contains { $0.variables["i0"]?["title"] == "one" })
    }

    @Test("a store that another process cleared is fetched whole, and a page on its way is not kept")
    func cleared() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        let page = try #require(fixture.takeSent(of: "syncTasks"))
        _ = fixture.takeSent()
        // As another process would, behind the session's back.
        try fixture.core.clear(discardingUnsent: false)
        fixture.answerFetch(page, [SessionFixture.json("a", "a")], announcing: announcing("one"))
        #expect(try fixture.get("a") == nil)
        fixture.shakeHands()
        let whole = try #require(fixture.takeSent(of: "syncTasks"))
        #expect(whole.variables["lastSync"] == nil && whole.variables["nextToken"] == nil)
        fixture.answerFetch(whole, [SessionFixture.json("a", "a")], announcing: announcing("one"))
        #expect(try fixture.get("a") != nil)

        fixture.finishFetches()
        try fixture.core.clear(discardingUnsent: false)
        fixture.handle(.localCommit)
        fixture.shakeHands()
        #expect(fixture.takeSent(of: "syncTasks")?.variables["lastSync"] == nil, "also when nothing is on its way")
        #expect(try fixture.core.driverState("epoch") == "one")
    }

    @Test("on a full disk, what is lost is held with all that comes after it, told of, and sent once there is room")
    func fullDisk() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"))
        let create = try push(fixture)
        answer(fixture, create, "one", version: 1, announcing("one"))
        try fixture.save(SessionFixture.record("a", "two"))
        let lost = try push(fixture)
        answer(fixture, lost, "two", version: 2, announcing("one"))
        try fixture.save(SessionFixture.record("a", "three"))
        let early = try push(fixture)
        let connection = fixture.core.connection
        let lives: JSONObject = ["lives": ["began": 8000, "has": ["one": 1]]]
        // No room: first for anything at all, then only for what is to be queued again.
        let full = ["_meta", "_outbox"].map { table in
            "CREATE TEMP TRIGGER \"full\(table)\" BEFORE INSERT ON \"\(table)\" BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        }
        for sql in full { try connection.execute(sql) }
        refuse(fixture, early, announcing("two", lives))
        try connection.execute("DROP TRIGGER \"full_meta\"")
        var carried: [JSONValue?] = []
        func pushes() -> [SessionFixture.Sent] {
            let all = fixture.takeSent()
            for pull in all where pull.query.contains("sync") {
                fixture.answerFetch(pull, announcing: announcing("two", lives))
            }
            return all.filter { $0.query.hasPrefix("mutation") }
        }
        for _ in 0..<20 {
            fixture.pass(30_000)
            // What goes meanwhile is meant for the life that was, and nobody carries it out.
            for push in pushes() {
                carried.append(push.body["extensions"]?["bincount"]?["epoch"])
                fixture.answer(
                    push.id,
                    [
                        "data": ["m0": nil],
                        "errors": [["path": ["m0"], "errorType": "OtherLife", "message": "restored"]],
                        "extensions": ["bincount": announcing("two", lives)],
                    ])
            }
        }
        #expect(!carried.contains("two"), "nothing goes into the new life before what it lacks")
        #expect(try fixture.core.journalCount() == 2, "and what it lacks is kept")
        #expect(try fixture.core.read { try $0.outbox() }.map(\.id) == ["a"])
        #expect(fixture.core.outboxStatus.parked == 0)
        #expect(fixture.problems.current.contains { $0.message.contains("disk full") })

        try connection.execute("DROP TRIGGER \"full_outbox\"")
        var order: [JSONValue?] = []
        for round in 0..<20 as Range<Int64> where order.count < 2 {
            fixture.pass(6_000)
            for push in pushes() {
                #expect(push.body["extensions"]?["bincount"]?["epoch"] == "two")
                let title = push.variables["i0"]?["title"]
                order.append(title)
                answer(fixture, push, title?.string ?? "", version: 1_000_000 + round, announcing("two", lives))
            }
        }
        #expect(order == ["two", "three"])
        #expect(fixture.core.outboxStatus.isEmpty)
        #expect(try fixture.get("a")?["title"] == .text("three"))
    }

    @Test("knows another life with all that follows from it, or not at all, whenever the store dies")
    func deathBetween() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        for fetch in fixture.takeSent() {
            let items = fetch.query.contains("syncTasks") ? [SessionFixture.json("b", "another's", version: 2)] : []
            fixture.answerFetch(fetch, items, startedAt: 5000, announcing: announcing("one"))
        }
        let lives: JSONObject = ["lives": ["began": 8000, "has": ["one": 1], "since": ["one": 0]]]
        // It dies with the first thing that follows.
        let connection = fixture.core.connection
        try connection.execute(
            """
            CREATE TEMP TRIGGER dead BEFORE INSERT ON "_meta" WHEN NEW."key"='driver.keepUnknown' BEGIN \
            SELECT RAISE(ABORT, 'dead'); END
            """)
        try fixture.save(SessionFixture.record("a", "mine"))
        refuse(fixture, try push(fixture), announcing("two", lives))
        #expect(try fixture.core.driverState("epoch") == "one")
        fixture.handle(.stop)
        try connection.execute("DROP TRIGGER dead")
        _ = fixture.takeSent()
        fixture.connect()
        for _ in 0..<4 {
            for request in fixture.takeSent() {
                if request.query.hasPrefix("mutation") {
                    answer(fixture, request, "mine", version: 1, announcing("two", lives))
                } else {
                    fixture.answerFetch(request, startedAt: 9000, announcing: announcing("two", lives))
                }
            }
            if !fixture.session.connection.isLive { fixture.shakeHands() }
        }
        #expect(try fixture.core.driverState("epoch") == "two")
        #expect(try fixture.get("b") != nil, "what the backup lacks is nobody's deletion")
        #expect(try fixture.state("b") == .local)
    }
}
