import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

@Suite("A session sends")
struct SessionPushTests {
    /// A session whose fetches are done, so that only its sending is seen.
    private func idle(_ profile: RemoteProfile = .hub) throws -> SessionFixture {
        let fixture = try SessionFixture(profile: profile)
        fixture.connect()
        fixture.finishFetches()
        return fixture
    }

    private func done(_ json: JSONValue...) -> JSONValue {
        .object(["data": .object(JSONObject(json.enumerated().map { (key: "m\($0)", value: $1) }))])
    }

    /// The answer to one mutation that is refused with the backend's record.
    private func refused(_ type: String, with record: JSONValue) -> JSONValue {
        [
            "data": ["m0": nil],
            "errors": [["path": ["m0"], "errorType": .string(type), "message": "it is refused", "data": record]],
        ]
    }

    @Test("at once, under the name of who saved, with a mutation id (D52)")
    func once() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"), as: "bob")
        let sent = try #require(fixture.takeSent().first)
        #expect(sent.person == "bob")
        #expect(sent.variables["i0"] == ["id": "a", "title": "one", "owner": "ann"])
        #expect(sent.body["extensions"]?["bincount"]?["mutationIds"]?["m0"]?.string != nil)
        #expect(fixture.status.unsent == 1)
        fixture.answer(sent.id, done(SessionFixture.json("a", "one")))
        #expect(try fixture.state("a") == .synced(version: 1))
        #expect(fixture.status.unsent == 0)
    }

    @Test("again under the same id where the answer is lost (D53, D83)")
    func lost() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"))
        let first = try #require(fixture.takeSent().first)
        fixture.handle(.httpFailed(id: first.id, reason: "cut"))
        #expect(fixture.takeSent().isEmpty)
        fixture.pass(1_000)
        let second = try #require(fixture.takeSent().first)
        #expect(second.body["extensions"] == first.body["extensions"])
        #expect(second.variables == first.variables)
        // The late answer to the first changes nothing.
        fixture.answer(first.id, done(SessionFixture.json("a", "one")))
        #expect(fixture.status.unsent == 1)
        fixture.answer(second.id, done(SessionFixture.json("a", "one")))
        #expect(fixture.status.unsent == 0)
    }

    @Test("again where nothing is heard at all (D56)")
    func silence() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"))
        let first = try #require(fixture.takeSent().first)
        fixture.pass(32_000)
        #expect(fixture.cancelled.contains(first.id))
        #expect(fixture.takeSent().contains { $0.query.hasPrefix("mutation") })
    }

    @Test("and takes its own echo, before or after the answer, for what it is (D58)")
    func echo() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"))
        let sent = try #require(fixture.takeSent().first)
        fixture.hear([SessionFixture.event(.onCreate, SessionFixture.json("a", "one"))])
        #expect(fixture.status.unsent == 1)
        fixture.answer(sent.id, done(SessionFixture.json("a", "one")))
        fixture.hear([SessionFixture.event(.onCreate, SessionFixture.json("a", "one"))])
        #expect(try fixture.state("a") == .synced(version: 1))
        #expect(try fixture.get("a") == SessionFixture.record("a", "one"))
        #expect(fixture.takeSent().isEmpty)
    }

    @Test("a later edit on the version of the answer before it (D48, D50, D89)")
    func chain() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"))
        let create = try #require(fixture.takeSent().first)
        try fixture.save(SessionFixture.record("a", "two"))
        #expect(fixture.takeSent().isEmpty, "two requests with one record were under way")
        fixture.hear([SessionFixture.event(.onCreate, SessionFixture.json("a", "one"))])
        #expect(try fixture.get("a")?["title"] == .text("two"), "the echo undid the newer edit")
        fixture.answer(create.id, done(SessionFixture.json("a", "one")))
        let update = try #require(fixture.takeSent().first)
        #expect(update.variables["i0"] == ["id": "a", "title": "two", "_version": 1])
        fixture.answer(update.id, done(SessionFixture.json("a", "two", version: 2)))
        #expect(try fixture.state("a") == .synced(version: 2))
    }

    @Test("an edit behind a lost create on the version it was made on, so that nobody's change is overwritten unseen")
    func chainBehindAnother() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "mine"))
        let create = try #require(fixture.takeSent().first)
        try fixture.save(SessionFixture.record("a", "mine", state: "open"))
        fixture.hear([SessionFixture.event(.onUpdate, SessionFixture.json("a", "theirs", state: "done", version: 2))])
        fixture.answer(create.id, done(SessionFixture.json("a", "mine")))
        let update = try #require(fixture.takeSent().first)
        #expect(update.variables["i0"] == ["id": "a", "state": "open", "_version": 1])
    }

    @Test("an edit over a change that one under way hid as a stale one, for nobody has seen what it would overwrite")
    func editOverHidden() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "mine"))
        let create = try #require(fixture.takeSent().first)
        fixture.hear([SessionFixture.event(.onCreate, SessionFixture.json("a", "mine"))])
        fixture.hear([SessionFixture.event(.onUpdate, SessionFixture.json("a", "theirs", version: 2))])
        #expect(try fixture.get("a")?["title"] == .text("mine"))
        try fixture.save(SessionFixture.record("a", "mine again"))
        fixture.answer(create.id, done(SessionFixture.json("a", "mine")))
        let update = try #require(fixture.takeSent().first)
        #expect(update.variables["i0"] == ["id": "a", "title": "mine again", "_version": 1])
    }

    @Test("what the one before left, and keeps it only where the one signed in now may read it (D95)")
    func foreign() throws {
        let fixture = try idle()
        try fixture.core.write(as: "ann") { transaction in
            for id in ["a", "b"] { try transaction.save(SessionFixture.record(id, id)) }
        }
        fixture.handle(.personChanged("bob"))
        fixture.handle(.localCommit)
        let sent = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        #expect(sent.person == "ann")
        fixture.answer(sent.id, done(SessionFixture.json("a", "a"), SessionFixture.json("b", "b")))
        let asked = fixture.takeSent().filter { $0.query.hasPrefix("query Get") }
        #expect(asked.map(\.person) == ["bob", "bob"])
        #expect(asked.map { $0.variables["id"] } == ["a", "b"])
        fixture.answer(asked[0].id, ["data": ["getTask": nil]])
        fixture.answer(asked[1].id, ["data": ["getTask": SessionFixture.json("b", "b")]])
        #expect(try fixture.get("a") == nil)
        #expect(try fixture.get("b") != nil)
        #expect(fixture.status.unsent == 0)
    }

    @Test("each row of the one before by the bytes of its key, whatever letters they make")
    func foreignSameLetters() throws {
        let fixture = try idle()
        let keys = ["M\u{FC}ller", "Mu\u{308}ller"]
        try fixture.core.write(as: "ann") { transaction in
            for key in keys { try transaction.save(SessionFixture.record(key, key)) }
        }
        fixture.handle(.personChanged("bob"))
        fixture.handle(.localCommit)
        let sent = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        fixture.answer(sent.id, done(SessionFixture.json(keys[0], keys[0]), SessionFixture.json(keys[1], keys[1])))
        let asked = fixture.takeSent().filter { $0.query.hasPrefix("query Get") }
        #expect(asked.count == 2)
        for request in asked { fixture.answer(request.id, ["data": ["getTask": nil]]) }
        #expect(try fixture.core.read { try $0.count(model: "Task") } == 0)
        #expect(try fixture.core.driverKeys(after: "foreign.").isEmpty)
    }

    @Test("and believes no answer that was asked for before a change of the row was answered")
    func staleForeign() throws {
        let fixture = try idle()
        try fixture.core.write(as: "ann") { try $0.save(SessionFixture.record("a", "one")) }
        fixture.handle(.personChanged("bob"))
        fixture.handle(.localCommit)
        let first = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        try fixture.core.write(as: "ann") { try $0.save(SessionFixture.record("a", "two")) }
        fixture.answer(first.id, done(SessionFixture.json("a", "one")))
        let between = fixture.takeSent()
        let early = try #require(between.first { $0.query.hasPrefix("query Get") })
        let second = try #require(between.first { $0.query.hasPrefix("mutation") })
        fixture.answer(second.id, done(SessionFixture.json("a", "two", version: 2)))
        let late = try #require(fixture.takeSent().first { $0.query.hasPrefix("query Get") })
        fixture.answer(early.id, ["data": ["getTask": nil]])
        #expect(try fixture.get("a") != nil)
        fixture.answer(late.id, ["data": ["getTask": SessionFixture.json("a", "two", version: 2)]])
        #expect(try fixture.get("a") == SessionFixture.record("a", "two"))
        #expect(fixture.status.unsent == 0)
    }

    @Test("and asks again after a restart for what the one before left")
    func foreignAfterRestart() throws {
        let fixture = try idle()
        try fixture.core.write(as: "ann") { try $0.save(SessionFixture.record("a", "a")) }
        fixture.handle(.personChanged("bob"))
        fixture.handle(.localCommit)
        let sent = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        fixture.answer(sent.id, done(SessionFixture.json("a", "a")))
        fixture.handle(.stop)
        _ = fixture.takeSent()
        fixture.connect()
        fixture.finishFetches()
        let asked = try #require(fixture.takeSent().first { $0.query.hasPrefix("query Get") })
        fixture.answer(asked.id, ["data": ["getTask": nil]])
        #expect(try fixture.get("a") == nil)
    }

    @Test("one refused change of a batch to its parking place, the others home (D77)")
    func partial() throws {
        let fixture = try idle()
        try fixture.core.write(as: "ann") { transaction in
            for id in ["a", "b", "c"] { try transaction.save(SessionFixture.record(id, id)) }
        }
        fixture.handle(.localCommit)
        let sent = try #require(fixture.takeSent().first)
        fixture.answer(
            sent.id,
            [
                "data": ["m0": SessionFixture.json("a", "a"), "m1": nil, "m2": SessionFixture.json("c", "c")],
                "errors": [["path": ["m1"], "errorType": "Unauthorized", "message": "Not Authorized"]],
            ])
        #expect(try fixture.state("a") == .synced(version: 1))
        #expect(try fixture.state("b") == .parked(reason: "Unauthorized: Not Authorized"))
        #expect(try fixture.state("c") == .synced(version: 1))
        #expect(fixture.status.parked == 1)
        #expect(try fixture.get("b") != nil, "what a person saved is gone from his screen")
        fixture.pass(60_000)
        #expect(!fixture.takeSent().contains { $0.query.hasPrefix("mutation") })
    }

    @Test("the entries of a request that the backend cannot digest one by one")
    func indigestible() throws {
        let fixture = try idle()
        try fixture.core.write(as: "ann") { transaction in
            for id in ["a", "b"] { try transaction.save(SessionFixture.record(id, id)) }
        }
        fixture.handle(.localCommit)
        let both = try #require(fixture.takeSent().first)
        let refusal: JSONValue = ["data": nil, "errors": [["message": "Variable 'i1' has an invalid value."]]]
        fixture.answer(both.id, refusal)
        let singles = fixture.takeSent()
        #expect(singles.map { $0.variables["i0"]?["id"]?.string } == ["a", "b"])
        #expect(singles.allSatisfy { $0.variables["i1"] == nil })
        fixture.answer(singles[0].id, done(SessionFixture.json("a", "a")))
        fixture.answer(singles[1].id, refusal)
        #expect(try fixture.state("a") == .synced(version: 1))
        #expect(try fixture.state("b") == .parked(reason: "Invalid: Variable 'i1' has an invalid value."))
    }

    @Test("nothing more once its key is refused, until it is told to try again (D81)")
    func refusedKey() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"))
        let sent = try #require(fixture.takeSent().first)
        fixture.answer(sent.id, ["errors": [["errorType": "UnauthorizedException", "message": "no"]]], status: 401)
        #expect(fixture.events.contains(.paused(.mutate, identity: "ann", detail: "UnauthorizedException: no")))
        try fixture.save(SessionFixture.record("b", "two"))
        fixture.pass(100_000)
        #expect(!fixture.takeSent().contains { $0.query.hasPrefix("mutation") })
        #expect(fixture.status.unsent == 2)
        fixture.handle(.tryAgain)
        #expect(fixture.takeSent().contains { $0.query.hasPrefix("mutation") })
    }

    @Test("again after the pause that an overloaded backend asks for (D81)")
    func overloaded() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"))
        let sent = try #require(fixture.takeSent().first)
        fixture.handle(.httpAnswer(id: sent.id, HTTPAnswer(status: 503, body: [], retryAfter: 7_000)))
        fixture.pass(6_900)
        #expect(fixture.takeSent().isEmpty)
        fixture.pass(200)
        #expect(fixture.takeSent().count == 1)
    }

    @Test("a stale update over the backend's record only as its handler says, and reports the conflict (D55, D78)")
    func conflict() throws {
        let fixture = try idle()
        fixture.hear([SessionFixture.event(.onCreate, SessionFixture.json("a", "one"))])
        try fixture.save(SessionFixture.record("a", "mine"))
        let sent = try #require(fixture.takeSent().first)
        fixture.answer(sent.id, refused("ConflictUnhandled", with: SessionFixture.json("a", "theirs", version: 5)))
        #expect(try fixture.get("a")?["title"] == .text("theirs"))
        #expect(fixture.events.contains(.conflict(model: "Task", id: "a", fields: ["title"])))
        #expect(fixture.status.unsent == 0)
    }

    @Test("a delete that finds nothing as done, whatever its key is made of")
    func deleteOfNothingByParts() throws {
        let fixture = try SessionFixture(schema: Sample.schema)
        fixture.connect()
        fixture.finishFetches()
        let lot = Record(schema: Sample.lot, values: [.text("s"), .integer(7), .text("t")])
        try fixture.core.applyRemote([RemoteRecord(record: lot, version: 1, deleted: false, lastChangedAt: 1)])
        try fixture.core.write(as: "ann") { try $0.delete(model: "Lot", id: "s#7") }
        fixture.handle(.localCommit)
        let sent = try #require(fixture.takeSent().last)
        fixture.answer(sent.id, ["data": ["m0": nil]])
        let told = try fixture.core.read { try $0.explain(model: "Lot", id: "s#7") }
        #expect(!told.isHere && told.entries.isEmpty && told.deletedVersion == 2)
    }

    @Test("a create over a deleted record for a person, who is told that there is none")
    func createOverDeleted() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "mine"))
        let sent = try #require(fixture.takeSent().first)
        let theirs = SessionFixture.json("a", "theirs", version: 2, deleted: true)
        fixture.answer(sent.id, refused("ConditionalCheckFailedException", with: theirs))
        let entry = try #require(try fixture.core.read { try $0.outbox() }.first)
        #expect(entry.state == .parked && entry.reason?.contains("was deleted; use a new id") == true)
    }

    @Test("a delete that finds nothing as done (D58)")
    func deleteOfNothing() throws {
        let fixture = try idle()
        fixture.hear([SessionFixture.event(.onCreate, SessionFixture.json("a", "one"))])
        try fixture.core.write(as: "ann") { try $0.delete(model: "Task", id: "a") }
        fixture.handle(.localCommit)
        let sent = try #require(fixture.takeSent().first)
        #expect(sent.variables["i0"] == ["id": "a", "_version": 1])
        fixture.answer(sent.id, ["data": ["m0": nil]])
        #expect(fixture.status.unsent == 0)
        #expect(fixture.status.parked == 0)
    }

    @Test("one change a request to AppSync, and looks up what it may have created before")
    func appSync() throws {
        let fixture = try idle(.appSync)
        try fixture.core.write(as: "ann") { transaction in
            for id in ["a", "b"] { try transaction.save(SessionFixture.record(id, id)) }
        }
        fixture.handle(.localCommit)
        let sent = fixture.takeSent()
        #expect(sent.map { $0.variables["i0"]?["id"]?.string } == ["a", "b"])
        #expect(sent.allSatisfy { $0.body["extensions"] == nil })
        for request in sent {
            fixture.answer(
                request.id,
                [
                    "data": ["m0": nil],
                    "errors": [
                        [
                            "path": ["m0"], "errorType": "ConditionalCheckFailedException", "data": nil,
                            "message": "The conditional request failed",
                        ]
                    ],
                ])
        }
        let lookups = fixture.takeSent()
        #expect(lookups.map { $0.variables["id"]?.string } == ["a", "b"])
        fixture.answer(lookups[0].id, ["data": ["getTask": SessionFixture.json("a", "a")]])
        fixture.answer(lookups[1].id, ["data": ["getTask": SessionFixture.json("b", "another")]])
        #expect(try fixture.state("a") == .synced(version: 1))
        guard case .parked = try fixture.state("b") else {
            Issue.record("another's record was taken for ours")
            return
        }
    }

    @Test("in batches as soon as the backend announces that it takes them")
    func learns() throws {
        let fixture = try idle(.appSync)
        try fixture.save(SessionFixture.record("a", "one"))
        let first = try #require(fixture.takeSent().first)
        fixture.answer(
            first.id,
            [
                "data": ["m0": SessionFixture.json("a", "one")],
                "extensions": ["bincount": ["batch": 50, "mutationIds": true, "epoch": "e"]],
            ])
        try fixture.core.write(as: "ann") { transaction in
            for id in ["b", "c", "d"] { try transaction.save(SessionFixture.record(id, id)) }
        }
        fixture.handle(.localCommit)
        let sent = fixture.takeSent()
        #expect(sent.count == 1)
        #expect(sent.first?.variables["i2"]?["id"] == "d")
        #expect(sent.first?.body["extensions"] != nil)
    }

    @Test("after a restart what was under way when it stopped (D51)")
    func restart() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "one"))
        let first = try #require(fixture.takeSent().first)
        fixture.handle(.stop)
        #expect(fixture.cancelled.contains(first.id))
        #expect(fixture.status.link == .stopped)
        fixture.handle(.start)
        let second = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        #expect(second.body["extensions"] == first.body["extensions"])
    }

    @Test("the rest of a batch where a change's condition cannot be written, and whole transactions")
    func unsayable() throws {
        let source = try SessionFixture()
        try source.core.write(as: "ann") { tx in
            for id in ["a", "b", "c"] { try tx.save(SessionFixture.record(id, id)) }
            try tx.sentAsOne {
                try tx.save(SessionFixture.record("d", "d"))
                try tx.save(SessionFixture.record("e", "e"))
            }
        }
        let lines = try source.core.read { try $0.exportOutbox() }.lines.map { line in
            var json = try JSONValue(parsing: line).object ?? JSONObject()
            let node = PredicateNode.field("gone", .equal(.text("x")))
            if ["b", "d"].contains(json["id"]?.string) { json["condition"] = node.json }
            return JSONValue.object(json).text
        }
        let fixture = try idle()
        _ = try fixture.core.write(as: "ann") { try $0.importOutbox(lines) }
        fixture.handle(.localCommit)
        let sent = try #require(fixture.takeSent().first)
        #expect(sent.variables["i0"]?["id"] == "a" && sent.variables["i1"]?["id"] == "c")
        #expect(sent.variables["i2"] == nil, "what goes as one with a refused change was sent")
        fixture.answer(sent.id, done(SessionFixture.json("a", "a"), SessionFixture.json("c", "c")))
        #expect(fixture.core.outboxStatus == OutboxStatus(parked: 3))
        let reason = try fixture.core.read { try $0.outbox(model: "Task", id: "b") }.first?.reason
        #expect(reason?.contains("its condition cannot be sent: Task has no filter on gone") == true)
    }

    @Test(
        "again what a resolver's source was too busy for, and not what it refuses",
        arguments: [
            "DynamoDB:ProvisionedThroughputExceededException", "DynamoDB:ThrottlingException",
            "Lambda:TooManyRequestsException", "ThrottlingException", "DynamoDB:RequestLimitExceeded",
            "DynamoDB:InternalServerErrorException", "ElasticsearchException:ServiceUnavailable",
            "DynamoDB:TransactionConflictException", "ExecutionTimeout", "InternalFailure",
        ])
    func busySource(_ code: String) throws {
        for hasPath in [true, false] {
            let fixture = try idle()
            try fixture.save(SessionFixture.record("a", "one"))
            let sent = try #require(fixture.takeSent().first)
            var error: JSONObject = ["errorType": .string(code), "message": "too busy"]
            if hasPath { error["path"] = ["m0"] }
            fixture.answer(sent.id, ["data": hasPath ? ["m0": nil] : nil, "errors": [.object(error)]])
            #expect(fixture.status.parked == 0)
            #expect(fixture.takeSent().isEmpty)
            fixture.pass(3_000)
            let again = try #require(fixture.takeSent().first)
            #expect(again.body["extensions"] == sent.body["extensions"])
            fixture.answer(
                again.id,
                ["data": ["m0": nil], "errors": [["path": ["m0"], "errorType": "Lambda:Unhandled", "message": "no"]]])
            #expect(try fixture.state("a") == .parked(reason: "Lambda:Unhandled: no"))
        }
    }

    @Test("and asks for few at a time of much that the one before left, each kept for itself (D95)")
    func muchForeign() throws {
        let fixture = try idle()
        let ids = (10..<70).map { "r.\($0)" }
        try fixture.core.write(as: "ann") { transaction in
            for id in ids { try transaction.save(SessionFixture.record(id, id)) }
        }
        fixture.handle(.personChanged("bob"))
        fixture.handle(.localCommit)
        let push = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        fixture.answer(
            push.id,
            ["data": .object(JSONObject(ids.enumerated().map { ("m\($0)", SessionFixture.json($1, $1)) }))])
        func kept() throws -> [String] { try fixture.core.driverKeys(after: "foreign.") }
        #expect(try kept() == ids.map { "Task.\($0)" })
        func asked() -> [SessionFixture.Sent] { fixture.takeSent().filter { $0.query.hasPrefix("query Get") } }
        var open = asked()
        #expect(open.count == SyncSession.foreignWindow)
        // Two come to nothing now, and are not asked for again at once.
        fixture.handle(.httpFailed(id: open.removeFirst().id, reason: "cut"))
        fixture.answer(open.removeFirst().id, [:], status: 503)
        #expect(asked().isEmpty)
        var answers = 0
        while let next = open.first {
            open.removeFirst()
            answers += 1
            fixture.answer(next.id, ["data": ["getTask": nil]])
            open += asked()
            #expect(open.count <= SyncSession.foreignWindow)
        }
        #expect(answers == 58)
        #expect(try kept() == ["Task.r.10", "Task.r.11"])
        // With the next round they are.
        fixture.shakeHands()
        fixture.finishFetches()
        let rest = asked()
        #expect(rest.map { $0.variables["id"] } == ["r.10", "r.11"])
        for request in rest { fixture.answer(request.id, ["data": ["getTask": nil]]) }
        #expect(try kept().isEmpty)
        #expect(try fixture.core.read { try $0.count(model: "Task") } == 0)
    }

    @Test("and asks for what a store kept of that in one list")
    func oldForeignList() throws {
        let fixture = try SessionFixture(person: "bob")
        try fixture.core.applyRemote([
            RemoteRecord(record: SessionFixture.record("a", "ann's"), version: 1, lastChangedAt: 1)
        ])
        try fixture.core.setDriverState("foreignRows", "[[\"Task\",\"a\"]]")
        fixture.connect()
        #expect(try fixture.core.driverState("foreignRows") == nil)
        #expect(try fixture.core.driverKeys(after: "foreign.") == ["Task.a"])
        fixture.finishFetches()
        let asked = fixture.takeSent().filter { $0.query.hasPrefix("query Get") }
        #expect(asked.map { $0.variables["id"] } == ["a"])
    }
}
