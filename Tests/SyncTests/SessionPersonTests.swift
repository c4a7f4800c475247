import AppSync
import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

@Suite("What is here for one person")
struct SessionPersonTests {
    /// Read by owner, crew and audience, as a count's entries are.
    private static let slip = ModelSchema(
        "Slip", pluralName: "Slips",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("owner", .scalar(.string)),
            FieldSchema("crew", .scalar(.id), isList: true), FieldSchema("audience", .scalar(.string), isList: true),
        ],
        authRules: [
            AuthRule(allow: .owner, ownerField: "owner", operations: AuthRule.Operation.read.union([.create])),
            AuthRule(allow: .owner, ownerField: "crew", operations: AuthRule.Operation.read),
            AuthRule(allow: .groups, groupsField: "audience", operations: AuthRule.Operation.read),
        ])
    private static let ownerRules = [
        AuthRule(allow: .owner, ownerField: "owner", operations: AuthRule.Operation.read.union([.create]))
    ]
    private static let lot = ModelSchema(
        "Lot", pluralName: "Lots",
        fields: [
            FieldSchema("site", .scalar(.id), isRequired: true), FieldSchema("number", .scalar(.int), isRequired: true),
            FieldSchema("owner", .scalar(.string)),
        ], primaryKey: ["site", "number"], authRules: ownerRules)
    private static let ticket = ModelSchema(
        "Ticket", pluralName: "Tickets",
        fields: [
            FieldSchema("number", .scalar(.int), isRequired: true), FieldSchema("owner", .scalar(.string)),
        ], primaryKey: ["number"], authRules: ownerRules)

    private func fetches(_ fixture: SessionFixture) -> [SessionFixture.Sent] {
        fixture.takeSent().filter { $0.query.hasPrefix("query Sync") }
    }

    /// A session of ann's, complete, with her task `a`.
    private func anns() throws -> SessionFixture {
        let fixture = try SessionFixture()
        fixture.connect()
        for fetch in fetches(fixture) {
            let isTasks = fetch.query.contains("syncTasks")
            fixture.answerFetch(fetch, isTasks ? [SessionFixture.json("a", "ann's")] : [])
        }
        _ = fixture.takeSent()
        return fixture
    }

    @Test("stays when that one signs out, fetched no further; who comes back goes on from there, without a link too")
    func signedOut() throws {
        let fixture = try anns()
        fixture.handle(.personChanged(nil))
        #expect(try fixture.get("a") != nil)
        fixture.shakeHands()
        let fetched = fetches(fixture)
        #expect(fetched.map { $0.query.contains("syncZones") } == [true], "the tasks of nobody were asked for")
        #expect(!fixture.frames.suffix(3).contains { "\($0)".contains("Task") })
        for fetch in fetched { fixture.answerFetch(fetch) }
        #expect(fixture.status.isComplete && fixture.status.unfetchedModels == ["Task"])
        fixture.handle(.personChanged("ann"))
        #expect(try fixture.get("a") != nil)
        fixture.shakeHands()
        let again = try #require(fetches(fixture).first { $0.query.contains("syncTasks") })
        #expect(again.variables["lastSync"] == 1000 && again.person == "ann")
    }

    @Test("stays over a restart under nobody's name, and goes with the first start under another's")
    func restarts() throws {
        let fixture = try anns()
        fixture.handle(.stop)
        let nobody = fixture.restarted(as: nil)
        nobody.handle(.start)
        #expect(try fixture.get("a") != nil)
        nobody.handle(.stop)
        let ann = fixture.restarted(as: "ann")
        ann.handle(.start)
        #expect(try fixture.get("a") != nil)
        ann.handle(.stop)
        // No hub answers any of them.
        let bob = fixture.restarted(as: "bob")
        bob.handle(.start)
        #expect(try fixture.get("a") == nil)
    }

    @Test("stays where a version before noted with its marks only whom it is for")
    func marks() throws {
        let fixture = try anns()
        fixture.handle(.stop)
        try fixture.core.setDriverState("reader", nil)
        let nobody = fixture.restarted(as: nil)
        nobody.handle(.start)
        nobody.handle(.personChanged("ann"))
        #expect(try fixture.get("a") != nil)
        nobody.handle(.personChanged("bob"))
        #expect(try fixture.get("a") == nil)
    }

    @Test("of a model that is only sent, what one has sent goes with another's coming, and what is sent later then")
    func upstream() throws {
        let memo = ModelSchema(
            "Memo", pluralName: "Memos",
            fields: [FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("owner", .scalar(.string))],
            authRules: Self.ownerRules, syncPolicy: .upstream)
        let fixture = try SessionFixture(schema: Schema(models: [SessionFixture.zone, memo]))
        fixture.connect()
        fixture.finishFetches()
        func save(_ id: String, _ owner: String) throws -> (push: SessionFixture.Sent, answer: JSONValue) {
            try fixture.core.write(as: "ann") { try $0.save(Record(schema: memo, values: [.text(id), .text(owner)])) }
            fixture.handle(.localCommit)
            let push = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
            let row: JSONValue = ["id": .string(id), "owner": .string(owner), "_version": 1, "_lastChangedAt": 1]
            return (push, ["data": ["m0": row]])
        }
        func memos() throws -> [String] { try fixture.core.read { try $0.query(model: "Memo") }.map(\.id) }
        for (id, owner) in [("a", "ann"), ("b", "bob")] {
            let sent = try save(id, owner)
            fixture.answer(sent.push.id, sent.answer)
        }
        fixture.handle(.personChanged(nil))
        #expect(try memos() == ["a", "b"])
        fixture.handle(.personChanged("ann"))
        let late = try save("c", "ann")
        fixture.handle(.personChanged("bob"))
        #expect(try memos() == ["b", "c"])
        fixture.answer(late.push.id, late.answer)
        let asked = try #require(fixture.takeSent().first { $0.query.hasPrefix("query Get") })
        #expect(asked.person == "bob" && asked.variables == ["id": "c"])
        fixture.answer(asked.id, ["data": ["getMemo": .null]])
        #expect(try memos() == ["b"])
    }

    @Test("what is the device's own stays, whoever uses it")
    func device() throws {
        let rule = AuthRule(
            allow: .owner, ownerField: "owner", identityClaim: "device", operations: AuthRule.Operation.read)
        let beat = ModelSchema(
            "Beat", pluralName: "Beats",
            fields: [FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("owner", .scalar(.string))],
            authRules: [rule], syncPolicy: .upstream)
        let fixture = try SessionFixture(
            schema: Schema(models: [SessionFixture.zone, beat]), sync: { $0.device = "T07" })
        fixture.connect()
        fixture.finishFetches()
        for code in ["T07", "T08"] {
            try fixture.core.write(as: nil) { try $0.save(Record(schema: beat, values: [.text(code), .text(code)])) }
            fixture.handle(.localCommit)
            let push = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
            let row: JSONValue = ["id": .string(code), "owner": .string(code), "_version": 1, "_lastChangedAt": 1]
            fixture.answer(push.id, ["data": ["m0": row]])
        }
        fixture.handle(.personChanged("bob"))
        #expect(try fixture.core.read { try $0.query(model: "Beat") }.map(\.id) == ["T07"])
    }

    @Test("what a group may read goes with another's coming, unless the store belongs to that group")
    func groups() throws {
        let report = ModelSchema(
            "Report", pluralName: "Reports", fields: [FieldSchema("id", .scalar(.id), isRequired: true)],
            authRules: [AuthRule(allow: .groups, groups: ["supervisors"], operations: AuthRule.Operation.read)])
        for own in [[], ["supervisors"]] as [Set<String>] {
            let fixture = try SessionFixture(schema: Schema(models: [report]), sync: { $0.groups = own })
            fixture.connect()
            let fetch = try #require(fetches(fixture).first)
            fixture.answerFetch(fetch, [["id": "r", "_version": 1, "_lastChangedAt": 1]])
            fixture.handle(.personChanged(nil))
            #expect(try fixture.core.read { try $0.query(model: "Report") }.count == 1)
            fixture.handle(.personChanged("bob"))
            #expect(try fixture.core.read { try $0.query(model: "Report") }.count == own.count)
        }
    }

    @Test("who asks for a sync while nobody is signed in hears which models that leaves out")
    func manual() throws {
        let fixture = try anns()
        fixture.handle(.personChanged(nil))
        fixture.shakeHands()
        fixture.handle(.syncNow(id: 1, models: nil))
        while let fetch = fetches(fixture).first { fixture.answerFetch(fetch) }
        guard case .done(let counts)? = fixture.results.first else {
            Issue.record("no result: \(fixture.results)")
            return
        }
        #expect(counts.unfetched == ["Task"])
    }

    @Test("what was sent of one who signed out is asked about once another comes, and not before")
    func unsentAtSignOut() throws {
        let fixture = try anns()
        try fixture.save(SessionFixture.record("b", "unsent"))
        fixture.handle(.personChanged(nil))
        let push = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        fixture.answer(push.id, ["data": ["m0": SessionFixture.json("b", "unsent")]])
        fixture.shakeHands()
        for fetch in fetches(fixture) { fixture.answerFetch(fetch) }
        #expect(fixture.takeSent().isEmpty)
        #expect(try fixture.get("b") != nil)
        fixture.handle(.personChanged("bob"))
        #expect(try fixture.get("b") == nil)
    }

    @Test("another keeps what is surely his too: as owner, as one of a crew, as one of its audience")
    func keeps() throws {
        let fixture = try SessionFixture(schema: Schema(models: [Self.slip]), sync: { $0.groups = ["counters"] })
        fixture.connect()
        func json(_ id: String, _ owner: String, _ crew: [JSONValue], _ audience: [JSONValue]) -> JSONValue {
            [
                "id": .string(id), "owner": .string(owner), "crew": .array(crew), "audience": .array(audience),
                "_version": 1, "_lastChangedAt": 1,
            ]
        }
        let fetch = try #require(fetches(fixture).first)
        fixture.answerFetch(
            fetch,
            [
                json("own", "bob", ["ann"], []), json("crew", "ann", ["cid", "bob"], []),
                json("floor", "ann", [], ["counters"]), json("anns", "ann", [], []),
                json("other", "ann", ["bobby"], ["desk"]),
            ])
        fixture.handle(.personChanged("bob"))
        #expect(try fixture.core.read { try $0.query(model: "Slip") }.map(\.id).sorted() == ["crew", "floor", "own"])
        fixture.shakeHands()
        // He may read more, and perhaps less, than a record says.
        #expect(try #require(fetches(fixture).first).variables["lastSync"] == nil)
    }

    @Test("another keeps nothing of a model whose fields have rules of their own")
    func fieldRules() throws {
        let secret = FieldSchema(
            "note", .scalar(.string), authRules: [AuthRule(allow: .owner, ownerField: "owner", operations: [.get])])
        let model = ModelSchema(
            "Slip", pluralName: "Slips", fields: Self.slip.fields + [secret], authRules: Self.slip.authRules)
        let fixture = try SessionFixture(schema: Schema(models: [model]), sync: { $0.groups = ["counters"] })
        fixture.connect()
        let fetch = try #require(fetches(fixture).first)
        fixture.answerFetch(
            fetch,
            [
                [
                    "id": "floor", "owner": "ann", "audience": ["counters"], "note": "ann's alone", "_version": 1,
                    "_lastChangedAt": 1,
                ]
            ])
        fixture.handle(.personChanged("bob"))
        #expect(try fixture.core.read { try $0.query(model: "Slip") }.isEmpty)
    }

    @Test("what the one before left is asked about and goes whatever its key is: of several fields, or a number")
    func keys() throws {
        let fixture = try SessionFixture(schema: Schema(models: [Self.lot, Self.ticket]))
        fixture.connect()
        fixture.finishFetches()
        try fixture.core.write(as: "ann") { tx in
            try tx.save(Record(schema: Self.lot, values: [.text("north"), .integer(7), .text("ann")]))
            try tx.save(Record(schema: Self.ticket, values: [.integer(9), .text("ann")]))
        }
        fixture.handle(.personChanged("bob"))
        fixture.handle(.localCommit)
        let push = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        let lot: JSONValue = ["site": "north", "number": 7, "owner": "ann", "_version": 1, "_lastChangedAt": 1]
        let ticket: JSONValue = ["number": 9, "owner": "ann", "_version": 1, "_lastChangedAt": 1]
        fixture.answer(push.id, ["data": ["m0": lot, "m1": ticket]])
        let asked = fixture.takeSent().filter { $0.query.hasPrefix("query Get") }
        #expect(asked.map(\.variables) == [["site": "north", "number": 7], ["number": 9]])
        for (request, field) in zip(asked, ["getLot", "getTicket"]) {
            fixture.answer(request.id, .object(["data": .object(JSONObject([(field, .null)]))]))
        }
        #expect(try fixture.core.read { try $0.query(model: "Lot") }.isEmpty)
        #expect(try fixture.core.read { try $0.query(model: "Ticket") }.isEmpty)
        #expect(try fixture.core.driverKeys(after: "foreign.").isEmpty)
    }

    @Test("the clock's measure outlives a restart of the program, and says nothing after one of the machine")
    func clock() throws {
        let time = ManualTimeSource(DateTime(milliseconds: 1_800_000_000_000), bootID: "one")
        let fixture = try SessionFixture(configure: { $0.time = time })
        fixture.connect()
        let fetch = try #require(fixture.takeSent().first)
        let server = time.now().milliseconds + 90_000
        fixture.handle(
            .httpAnswer(
                id: fetch.id, HTTPAnswer(status: 200, body: JSONValue.object([:]).bytes, serverTime: server)))
        #expect(fixture.status.clockOffsetMilliseconds == 90_000)
        fixture.handle(.stop)
        time.advance(milliseconds: 3_600_000)
        let again = fixture.restarted(as: "ann")
        again.handle(.start)
        #expect(again.status.clockOffsetMilliseconds == 90_000)
        let kept = try #require(try fixture.core.driverState("clock"))
        #expect(ClockOffset(kept, boot: "one", uptime: time.uptime()) != nil)
        #expect(ClockOffset(kept, boot: "two", uptime: time.uptime()) == nil)
    }
}
