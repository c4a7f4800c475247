import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

/// Transactions that go as one.
@Suite("A transaction sent as one")
struct SessionUnitTests {
    private static let able: JSONValue = ["mutationIds": true, "batch": 100, "atomic": true, "operations": true]

    private func idle(announcing: JSONValue? = able) throws -> SessionFixture {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.finishFetches(announcing: announcing)
        return fixture
    }

    private func save(_ ids: [String], in fixture: SessionFixture) throws {
        try fixture.core.write(as: "ann") { transaction in
            try transaction.sentAsOne {
                for id in ids { try transaction.save(SessionFixture.record(id, id)) }
            }
        }
        fixture.handle(.localCommit)
    }

    private func refusal(_ alias: String, _ kind: String) -> JSONValue {
        ["path": [.string(alias)], "errorType": .string(kind), "message": .string(kind)]
    }

    @Test("is one request with one list of aliases, beside others")
    func sent() throws {
        let fixture = try idle()
        try fixture.core.write(as: "ann") { transaction in
            try transaction.save(SessionFixture.record("x", "x"))
            try transaction.sentAsOne {
                try transaction.save(SessionFixture.record("a", "a"))
                try transaction.save(SessionFixture.record("b", "b"))
            }
        }
        fixture.handle(.localCommit)
        let sent = try #require(fixture.takeSent().first)
        #expect(sent.variables.object?.count == 3)
        #expect(sent.body["extensions"]?["bincount"]?["atomic"] == [["m1", "m2"]])
    }

    @Test("is parked whole where the backend refuses a part of it, and retried whole")
    func refused() throws {
        let fixture = try idle()
        try save(["a", "b", "c"], in: fixture)
        let sent = try #require(fixture.takeSent().first)
        fixture.answer(
            sent.id,
            [
                "data": ["m0": nil, "m1": nil, "m2": nil],
                "errors": [
                    refusal("m0", "TransactionCanceledException"), refusal("m1", "Unauthorized"),
                    refusal("m2", "TransactionCanceledException"),
                ],
            ])
        #expect(fixture.status.parked == 3)
        #expect(fixture.status.unsent == 0)
        let entries = try fixture.core.read { try $0.outbox() }
        #expect(entries[0].reason?.contains("Task b of its transaction: Unauthorized") == true)
        #expect(fixture.takeSent().isEmpty)
        try fixture.core.write(as: "ann") { try $0.retryOutbox(entries[2].order) }
        fixture.handle(.localCommit)
        let again = try #require(fixture.takeSent().first)
        #expect(again.body["extensions"] == sent.body["extensions"])
        #expect(fixture.status.parked == 0)
    }

    @Test("goes again whole, under the same ids, where the answer is lost or nothing was decided")
    func undecided() throws {
        let fixture = try idle()
        try save(["a", "b"], in: fixture)
        let first = try #require(fixture.takeSent().first)
        fixture.answer(
            first.id,
            [
                "data": ["m0": nil, "m1": nil],
                "errors": [
                    refusal("m0", "InternalFailure"), refusal("m1", "TransactionCanceledException"),
                ],
            ])
        #expect(fixture.status.parked == 0)
        fixture.pass(3_000)
        let second = try #require(fixture.takeSent().first)
        #expect(second.body["extensions"] == first.body["extensions"])
        fixture.handle(.httpFailed(id: second.id, reason: "cut"))
        fixture.pass(1_000)
        let third = try #require(fixture.takeSent().first)
        #expect(third.body["extensions"] == first.body["extensions"])
    }

    @Test("takes up no change of before and gives none to later ones")
    func apart() throws {
        let fixture = try SessionFixture()
        try fixture.core.write(as: "ann") { try $0.save(SessionFixture.record("a", "before")) }
        try fixture.core.write(as: "ann") { transaction in
            try transaction.sentAsOne {
                try transaction.save(SessionFixture.record("a", "in it"))
                try transaction.save(SessionFixture.record("b", "b"))
            }
        }
        try fixture.core.write(as: "ann") { try $0.save(SessionFixture.record("b", "after")) }
        let kinds = try fixture.core.read { try $0.outbox().map { "\($0.id) \($0.kind.name)" } }
        #expect(kinds == ["a create", "a update", "b create", "b update"])
    }

    @Test("waits until all of it may go")
    func waits() throws {
        let fixture = try idle()
        try fixture.save(SessionFixture.record("a", "before"))
        let create = try #require(fixture.takeSent().first)
        try fixture.core.write(as: "ann") { transaction in
            try transaction.sentAsOne {
                try transaction.save(SessionFixture.record("a", "in it"))
                try transaction.save(SessionFixture.record("b", "b"))
            }
        }
        fixture.handle(.localCommit)
        #expect(fixture.takeSent().isEmpty, "half of a transaction was sent")
        fixture.answer(create.id, ["data": ["m0": SessionFixture.json("a", "before")]])
        #expect(try #require(fixture.takeSent().first).variables.object?.count == 2)
    }

    @Test("is not sent before the backend is known to apply it whole, and is parked where it cannot")
    func unable() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        let fetches = fixture.takeSent()
        try save(["a", "b"], in: fixture)
        let probe = try #require(fixture.takeSent().first)
        #expect(probe.query == "query Probe { __typename }")
        fixture.answer(probe.id, ["data": ["__typename": "Query"]])
        #expect(fixture.status.parked == 2)
        #expect(fixture.takeSent().isEmpty)
        let reason = try fixture.core.read { try $0.outbox().first?.reason }
        #expect(reason?.contains("cannot apply several changes as one") == true)
        for fetch in fetches { fixture.answerFetch(fetch) }
    }

    @Test("of more changes than any backend takes is refused at once, and nothing of it is kept")
    func tooLarge() throws {
        let fixture = try idle()
        #expect(throws: StoreError.transactionTooLarge(101, limit: 100)) {
            try save((0...100).map { "t\($0)" }, in: fixture)
        }
        #expect(fixture.core.outboxStatus.isEmpty)
        #expect(try fixture.get("t0") == nil)
    }

    @Test("whose request cannot be read is parked whole, not taken apart")
    func indigestible() throws {
        let fixture = try idle()
        try save(["a", "b"], in: fixture)
        let sent = try #require(fixture.takeSent().first)
        fixture.answer(sent.id, ["errors": [["errorType": "BadRequest", "message": "too long"]]], status: 400)
        #expect(fixture.status.parked == 2)
        #expect(fixture.takeSent().isEmpty)
    }

    @Test("survives a restart as one")
    func restart() throws {
        let fixture = try idle()
        try save(["a", "b"], in: fixture)
        let first = try #require(fixture.takeSent().first)
        fixture.handle(.stop)
        fixture.connect()
        let again = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        #expect(again.body["extensions"] == first.body["extensions"])
    }
}
