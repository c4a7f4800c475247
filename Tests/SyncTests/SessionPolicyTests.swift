import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

@Suite("At run time a session")
struct SessionPolicyTests {
    private func idle(scope: SyncScope = .all) throws -> SessionFixture {
        let fixture = try SessionFixture(scope: scope)
        fixture.connect()
        for request in fixture.takeSent() {
            let items = request.query.contains("syncTasks") ? [SessionFixture.json("a", "a")] : []
            fixture.answerFetch(request, items)
        }
        return fixture
    }

    private func setPolicies(_ policies: [String: SyncPolicy], in fixture: SessionFixture) throws {
        try fixture.core.setPolicies(policies, as: "ann")
        fixture.handle(.policiesChanged)
    }

    @Test("lets go of a model that is received no more, keeps what is unsent, and subscribes to the others only (D65)")
    func receivesNoMore() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("b", "unsent"))
        _ = fixture.takeSent()
        try setPolicies(["Task": .none], in: fixture)
        #expect(try fixture.get("a") == nil)
        #expect(try fixture.get("b") != nil)
        fixture.shakeHands()
        let fetches = fixture.takeSent()
        #expect(fetches.allSatisfy { !$0.query.contains("syncTasks") })
        #expect(fixture.frames.suffix(3).allSatisfy { if case .start = $0 { true } else { false } })
    }

    @Test("fetches and sends a model again, with what was made meanwhile")
    func receivesAgain() throws {
        let fixture = try idle()
        try setPolicies(["Task": .none], in: fixture)
        fixture.shakeHands()
        fixture.finishFetches()
        try fixture.core.write(as: "ann") { try $0.save(SessionFixture.record("c", "made alone")) }
        fixture.handle(.localCommit)
        #expect(fixture.takeSent().isEmpty)
        #expect(fixture.core.outboxStatus.isEmpty)
        try setPolicies([:], in: fixture)
        fixture.shakeHands()
        let sent = fixture.takeSent()
        let mutation = try #require(sent.first { $0.query.hasPrefix("mutation") })
        #expect(mutation.variables["i0"]?["title"] == "made alone")
        #expect(mutation.person == "ann")
        let fetch = try #require(sent.first { $0.query.contains("syncTasks") })
        #expect(fetch.variables["lastSync"] == nil)
    }

    @Test("sends what was made alone under the name of who made it, whoever is there when it may be sent")
    func makers() throws {
        let fixture = try idle()
        try setPolicies(["Task": .none], in: fixture)
        try fixture.core.write(as: "bob") { try $0.save(SessionFixture.record("c", "bob's", owner: "bob")) }
        try fixture.core.write(as: nil) { try $0.save(SessionFixture.record("d", "nobody's")) }
        try fixture.core.write(as: "bob") {
            try $0.save(SessionFixture.record("e", "gone", owner: "bob"))
            try $0.delete(model: "Task", id: "e")
            try $0.save(SessionFixture.record("e", "again", owner: "ann"))
            try $0.delete(model: "Task", id: "e")
        }
        try fixture.core.write(as: "ann") { try $0.save(SessionFixture.record("e", "ann's")) }
        try setPolicies([:], in: fixture)
        let entries = try fixture.core.read { try $0.outbox() }
        #expect(entries.map(\.id) == ["c", "d", "e"])
        #expect(entries.map(\.identity) == ["bob", "ann", "ann"])
    }

    @Test("holds what waits of a model that is not sent for now")
    func holds() throws {
        let fixture = try SessionFixture()
        try fixture.core.write(as: "ann") { try $0.save(SessionFixture.record("b", "unsent")) }
        try fixture.core.setPolicies(["Task": .downstream], as: "ann")
        fixture.connect()
        fixture.finishFetches()
        #expect(fixture.takeSent().isEmpty)
        #expect(fixture.status.unsent == 1)
        try setPolicies([:], in: fixture)
        #expect(fixture.takeSent().contains { $0.query.hasPrefix("mutation") })
    }

    @Test("lets go of what it sent and does not keep")
    func sentOutside() throws {
        let scope = SyncScope(filters: ["Task": .field("state", .equal(.text("open")))])
        let fixture = try SessionFixture(scope: scope)
        fixture.connect()
        fixture.finishFetches()
        try fixture.save(SessionFixture.record("b", "closed", state: "closed"))
        let sent = try #require(fixture.takeSent().first)
        #expect(try fixture.get("b") != nil)
        fixture.answer(sent.id, ["data": ["m0": SessionFixture.json("b", "closed", state: "closed")]])
        #expect(try fixture.get("b") == nil)
    }

    @Test("lets go of a model that it may not have any more")
    func revoked() throws {
        let fixture = try idle()
        fixture.handle(.syncNow(id: 1, models: ["Task"]))
        let fetch = try #require(fixture.takeSent().last { $0.query.contains("syncTasks") })
        fixture.answer(
            fetch.id,
            [
                "data": ["syncTasks": nil],
                "errors": [["path": ["syncTasks"], "errorType": "Unauthorized", "message": "no"]],
            ])
        #expect(try fixture.get("a") == nil)
        #expect(fixture.status.deniedModels == ["Task"])
        #expect(fixture.results == [.done(SyncCounts(denied: ["Task"]))])
    }

    @Test("says which model the backend could not give, and ends")
    func unfetched() throws {
        let fixture = try idle()
        fixture.handle(.syncNow(id: 1, models: ["Task"]))
        let fetch = try #require(fixture.takeSent().last { $0.query.contains("syncTasks") })
        fixture.answer(
            fetch.id,
            ["data": ["syncTasks": nil], "errors": [["path": ["syncTasks"], "errorType": "Broken", "message": "no"]]])
        #expect(try fixture.get("a") != nil)
        #expect(fixture.status.unfetchedModels == ["Task"] && fixture.status.deniedModels.isEmpty)
        #expect(fixture.results == [.done(SyncCounts(unfetched: ["Task"]))])
    }

    @Test("syncs a model when asked, and says what came of it")
    func manual() throws {
        let fixture = try idle()
        try fixture.core.write(as: "ann") { transaction in
            try transaction.save(SessionFixture.record("b", "b"))
            try transaction.save(SessionFixture.record("c", "c"))
        }
        fixture.handle(.syncNow(id: 1, models: ["Task"]))
        let sent = fixture.takeSent()
        #expect(sent.filter { $0.query.hasPrefix("query Sync") }.count == 1)
        #expect(fixture.results.isEmpty)
        let mutation = try #require(sent.first { $0.query.hasPrefix("mutation") })
        fixture.answer(
            mutation.id,
            [
                "data": ["m0": SessionFixture.json("b", "b"), "m1": nil],
                "errors": [["path": ["m1"], "errorType": "Unauthorized", "message": "no"]],
            ])
        let fetch = try #require(sent.first { $0.query.hasPrefix("query Sync") })
        fixture.answerFetch(fetch, [SessionFixture.json("d", "d")])
        #expect(fixture.results == [.done(SyncCounts(received: 1, sent: 1, parked: 1))])
    }

    @Test("waits for no model that is received no more, and counts what was parked before for nothing")
    func manualMeanwhile() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("p", "p"))
        fixture.answer(
            try #require(fixture.takeSent().first).id,
            ["data": ["m0": nil], "errors": [["path": ["m0"], "errorType": "Unauthorized", "message": "no"]]])
        #expect(fixture.status.parked == 1)
        try fixture.core.write(as: "ann") { try $0.save(SessionFixture.record("b", "b")) }
        fixture.handle(.syncNow(id: 1, models: nil))
        let mutation = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        fixture.answer(mutation.id, ["data": ["m0": SessionFixture.json("b", "b")]])
        try setPolicies(["Zone": .none], in: fixture)
        fixture.shakeHands()
        fixture.finishFetches()
        #expect(fixture.results == [.done(SyncCounts(sent: 1, parked: 1))])
    }

    @Test("says that it cannot sync where there is no link, where it is refused, and where it is stopped")
    func manualFails() throws {
        let fixture = try idle()
        fixture.handle(.syncNow(id: 1, models: nil))
        for fetch in fixture.takeSent() { fixture.handle(.httpFailed(id: fetch.id, reason: "cut")) }
        #expect(fixture.results.count == 1)
        fixture.handle(.stop)
        fixture.handle(.syncNow(id: 2, models: nil))
        #expect(fixture.results.last == .failed("synchronising is stopped"))
        fixture.connect()
        _ = fixture.takeSent()
        fixture.handle(.syncNow(id: 3, models: nil))
        fixture.handle(.stop)
        #expect(fixture.results.last == .failed("synchronising stopped"))
        #expect(fixture.results.count == 3)
    }

    @Test("goes on with a renewed key where the old one was refused, with every entry as it was (D81, D95)")
    func renewed() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("b", "b"))
        let first = try #require(fixture.takeSent().first)
        fixture.answer(
            first.id, ["errors": [["errorType": "UnauthorizedException", "message": "expired"]]], status: 401)
        #expect(fixture.takeSent().isEmpty)
        #expect(fixture.status.unsent == 1)
        #expect(fixture.status.parked == 0)
        #expect(fixture.events.contains { if case .paused = $0 { true } else { false } })
        let opened = fixture.opened.count
        fixture.handle(.credentialsChanged)
        let again = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        #expect(again.body == first.body)
        #expect(fixture.opened.count == opened + 1)
    }

    @Test("tells its error handler once of what it was refused, with the entry and what helps (D82)")
    func problems() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("b", "b"))
        let sent = try #require(fixture.takeSent().first)
        fixture.answer(
            sent.id, ["data": ["m0": nil], "errors": [["path": ["m0"], "errorType": "Unauthorized", "message": "no"]]])
        let problem = try #require(fixture.problems.current.first)
        #expect(problem.process == .mutate)
        #expect(problem.id == "b")
        #expect(problem.errorType == .unauthorized)
        #expect(problem.operation == .create)
        #expect(problem.local?["title"] == .text("b"))
        #expect(problem.message.contains("Unauthorized: no"))
        #expect(problem.recovery.contains("retry"))
        #expect(try fixture.core.read { try $0.outboxEntry(problem.entry?.order ?? 0) }?.state == .parked)
        #expect(fixture.problems.current.count == 1)
    }

    @Test("fetches nothing of a model of which its scope keeps nothing, lets all of it go, and is complete")
    func emptyScope() throws {
        let fixture = try idle()
        #expect(try fixture.get("a") != nil)
        fixture.handle(.scopeChanged(SyncScope(filters: ["Task": .field("state", .isIn([]))])))
        fixture.shakeHands()
        let asked = fixture.takeSent()
        #expect(asked.contains { $0.query.contains("syncZones") })
        #expect(!asked.contains { $0.query.contains("syncTasks") })
        #expect(try fixture.get("a") == nil)
        for request in asked { fixture.answerFetch(request) }
        #expect(fixture.status.isComplete)
        // An event of it is not kept either.
        fixture.hear([SessionFixture.event(.onUpdate, SessionFixture.json("a", "a", version: 9))])
        #expect(try fixture.get("a") == nil)
        fixture.handle(.syncNow(id: 1, models: ["Task"]))
        #expect(fixture.results == [.done(SyncCounts())])
        // Wider again: all is fetched.
        fixture.handle(.scopeChanged(.all))
        fixture.shakeHands()
        let again = try #require(fixture.takeSent().first { $0.query.contains("syncTasks") })
        #expect(again.variables["lastSync"] == nil && again.variables["filter"] == nil)
    }

    @Test(
        "never asks for everything where the backend cannot be asked for its scope, but says so",
        arguments: [
            PredicateNode.field("title", .equalsIgnoringCase("a")), .related("zone", .all),
            .and([.field("state", .equal(.text("open"))), .field("nowhere", .exists(true))]),
            .field("title", .less(.null)),
        ])
    func unspeakable(_ condition: PredicateNode) throws {
        let scope = SyncScope(filters: ["Task": condition])
        let fixture = try idle()
        fixture.handle(.scopeChanged(scope))
        #expect(fixture.takeSent().isEmpty)
        #expect(try fixture.get("a") != nil)
        let problem = try #require(fixture.problems.current.last)
        #expect(problem.model == "Task" && problem.errorType == .configuration)

        let other = try SessionFixture(scope: scope)
        other.connect()
        let sent = other.takeSent()
        #expect(!sent.contains { $0.query.contains("syncTasks") })
        #expect(other.problems.current.contains { $0.model == "Task" })
        // Nobody denied it, and it is not here.
        for request in sent { other.answerFetch(request) }
        #expect(other.status.unfetchedModels == ["Task"] && other.status.deniedModels.isEmpty)
        other.handle(.syncNow(id: 1, models: ["Task"]))
        #expect(other.results == [.done(SyncCounts(unfetched: ["Task"]))])
    }

    @Test("neither fetches nor sends a model of which no document can ask for all, but says so")
    func endless() throws {
        let plan = ModelSchema(
            "Plan", pluralName: "Plans",
            fields: [FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("tree", .embedded("Tree"))])
        let schema = Schema(
            models: [SessionFixture.task, plan],
            embedded: [
                "Tree": [FieldSchema("n", .scalar(.int)), FieldSchema("twigs", .embedded("Twig"), isList: true)],
                "Twig": [FieldSchema("tree", .embedded("Tree"))],
            ])
        let fixture = try SessionFixture(schema: schema) { $0.policies = ["Plan": .none] }
        let tree = Value.text(#"{"n":1,"twigs":[{"tree":{"n":2}}]}"#)
        try fixture.save(Record(schema: plan, values: [.text("here"), tree]))
        fixture.connect()
        fixture.finishFetches()
        #expect(fixture.problems.current.isEmpty && fixture.status.isComplete)
        try fixture.core.setPolicies(["Plan": .both], as: nil)
        fixture.handle(.policiesChanged)
        // That, and that what was kept here only waits for a person now.
        #expect(fixture.problems.current.map(\.model) == ["Plan", "Plan"])
        #expect(fixture.problems.current.first?.errorType == .configuration)
        fixture.shakeHands()
        #expect(!fixture.takeSent().contains { $0.query.contains("Plan") })
        try fixture.save(Record(schema: plan, values: [.text("p"), tree]))
        let entry = try #require(try fixture.core.read { try $0.outbox(model: "Plan", id: "p") }.first)
        #expect(entry.state == .parked && entry.reason?.contains("Tree contains itself") == true)
        #expect(try fixture.core.read { try $0.get(model: "Plan", id: "p") }?["tree"] == tree)
    }
}
