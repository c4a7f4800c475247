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
        let isHeld = echoes.absorbs(frame("a"))
        #expect(isHeld)
        #expect(echoes.heldCount == 1)
        let left = entries.compactMap { echoes.settled(applied($0)) }
        #expect(left.isEmpty)
        #expect(echoes.heldCount == 0)
    }

    @Test("is nothing after the answer, until the store may have lost the row")
    func afterTheAnswer() throws {
        var (echoes, entries) = try sent("a")
        _ = echoes.settled(applied(entries[0]))
        let late = echoes.absorbs(frame("a"))
        let newer = echoes.absorbs(frame("a", 2))
        #expect(late && !newer)
        echoes.forgetAnswers()
        let afterwards = echoes.absorbs(frame("a"))
        #expect(!afterwards)
    }

    @Test("is not one of another's record, whose key only looks the same")
    func sameLetters() throws {
        let (composed, decomposed) = ("M\u{FC}ller", "Mu\u{308}ller")
        var (echoes, entries) = try sent(composed)
        let early = echoes.absorbs(frame(decomposed))
        _ = echoes.settled(applied(entries[0]))
        let late = echoes.absorbs(frame(decomposed))
        #expect(!early && !late)
    }

    @Test("comes in where the answer does not bring the record")
    func withoutAnAnswer() throws {
        var (echoes, entries) = try sent("a", "b")
        let held = [echoes.absorbs(frame("a")), echoes.absorbs(frame("b"))]
        #expect(held == [true, true])
        let lost = echoes.settled(
            MutationResult(order: entries[0].order, outcome: .transient(reason: "lost", delay: 0)))
        #expect(lost == frame("a"))
        let refused = echoes.settled(
            MutationResult(order: entries[1].order, outcome: .refused(code: "", message: "exists")))
        #expect(refused == frame("b"))
        let isHeld = echoes.absorbs(frame("a"))
        #expect(!isHeld, "nothing is under way any more")
    }

    @Test("never hides what another made of the record, nor that it is gone")
    func others() throws {
        var (echoes, _) = try sent("a")
        let hidden = [
            echoes.absorbs(frame("a", 2)), echoes.absorbs(frame("a", 1, deleted: true)), echoes.absorbs(frame("b")),
        ]
        #expect(hidden == [false, false, false])
    }
}
