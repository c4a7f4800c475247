import DataStore
import Models
import Testing

@testable import SyncEngine

@Suite("A frame of a device's own create") struct OwnEchoesTests {
    /// Entries that are on their way, and the frames that the backend sends of them.
    private func sent(_ ids: String...) throws -> (OwnEchoes, [OutboxEntry]) {
        let fixture = try SessionFixture()
        try fixture.core.write(as: "ann") { transaction in
            for id in ids { try transaction.save(SessionFixture.record(id, "t")) }
        }
        let entries = try #require(try fixture.core.nextMutations(limit: 10)).entries
        var echoes = OwnEchoes()
        echoes.sent(entries)
        return (echoes, entries)
    }

    private func frame(_ id: String, _ version: Int64 = 1, deleted: Bool = false) -> RemoteRecord {
        RemoteRecord(
            record: SessionFixture.record(id, "t"), version: version, deleted: deleted, lastChangedAt: version)
    }

    private func applied(_ entry: OutboxEntry) -> MutationResult {
        MutationResult(order: entry.order, outcome: .applied(frame(entry.id)))
    }

    @Test("waits for the answer and goes with it")
    func beforeTheAnswer() throws {
        var (echoes, entries) = try sent("a", "b")
        #expect(echoes.absorbs(frame("a")))
        #expect(echoes.heldCount == 1)
        #expect(echoes.settled(applied(entries[0])) == nil)
        #expect(echoes.settled(applied(entries[1])) == nil)
        #expect(echoes.heldCount == 0)
    }

    @Test("is nothing after the answer, until the store may have lost the row")
    func afterTheAnswer() throws {
        var (echoes, entries) = try sent("a")
        _ = echoes.settled(applied(entries[0]))
        #expect(echoes.absorbs(frame("a")))
        #expect(!echoes.absorbs(frame("a", 2)))
        echoes.forgetAnswers()
        #expect(!echoes.absorbs(frame("a")))
    }

    @Test("comes in where the answer does not bring the record")
    func withoutAnAnswer() throws {
        var (echoes, entries) = try sent("a", "b")
        #expect(echoes.absorbs(frame("a")) && echoes.absorbs(frame("b")))
        let lost = MutationResult(order: entries[0].order, outcome: .transient(reason: "lost", delay: 0))
        #expect(echoes.settled(lost) == frame("a"))
        let refused = MutationResult(order: entries[1].order, outcome: .refused(code: "", message: "exists"))
        #expect(echoes.settled(refused) == frame("b"))
        #expect(!echoes.absorbs(frame("a")), "nothing is under way any more")
    }

    @Test("never hides what another made of the record, nor that it is gone")
    func others() throws {
        var (echoes, _) = try sent("a")
        #expect(!echoes.absorbs(frame("a", 2)))
        #expect(!echoes.absorbs(frame("a", 1, deleted: true)))
        #expect(!echoes.absorbs(frame("b")))
    }
}
