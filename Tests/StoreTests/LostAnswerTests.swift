import Basics
import Models
import Testing

@testable import DataStore

/// A backend that merges nothing (`OPTIMISTIC_CONCURRENCY`) and a change whose answer was lost, perhaps with the backend's
/// database.
@Suite("A conflict that a change meets after a try without an answer")
struct LostAnswerTests {
    private let base = Bin(id: "b", place: 1, note: "n")
    private let asked = Locked(0)

    private func makeCore(_ resolution: ConflictResolution = .applyRemote) throws -> StoreCore {
        let core = try memoryCore { [asked] in
            $0.conflictHandler = { _ in
                asked.withLock { $0 += 1 }
                return resolution
            }
        }
        core.setLife(epoch: "one", began: nil)
        try core.applyRemote([remote(base, 1)])
        return core
    }

    private func lose(_ core: StoreCore) throws {
        let batch = try #require(try core.nextMutations(limit: 10))
        try core.settle(
            batch.entries.map { MutationResult(order: $0.order, outcome: .transient(reason: "no answer", delay: 0)) })
    }

    private func meet(_ bin: Bin, _ version: Int64, _ core: StoreCore) throws {
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.settle([MutationResult(order: entry.order, outcome: .conflict(remote(bin, version)))])
    }

    @Test("is none where the record has all of it: it is its own earlier carrying out")
    func ownCarryingOut() throws {
        let core = try makeCore()
        core.setLife(epoch: nil, began: nil)
        try core.save(base.with { $0.place = 2 })
        try lose(core)
        try meet(base.with { $0.place = 2 }, 2, core)
        #expect(asked.current == 0 && core.outboxStatus.isEmpty)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 2))
    }

    @Test("is none where others changed other fields: it goes again on their record, under its name")
    func othersFields() throws {
        let core = try makeCore()
        try core.save(base.with { $0.place = 2 })
        let made = try core.outbox()
        try lose(core)
        try meet(base.with { $0.note = "theirs" }, 8, core)
        let again = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(asked.current == 0)
        #expect(again.mutationID == made[0].mutationID && again.baseVersion == 8)
        #expect(again.fields == ["place": 2] && again.base == ["place": 1])
        #expect(try core.bin("b")?.note == "theirs" && core.bin("b")?.place == 2)
        // A backend that does not know mutations again may have carried it out, and somebody undone it.
        let plain = try makeCore()
        plain.setLife(epoch: nil, began: nil)
        try plain.save(base.with { $0.place = 2 })
        try lose(plain)
        try meet(base.with { $0.note = "theirs" }, 8, plain)
        #expect(asked.current == 1)
    }

    @Test("is one where others changed the same fields, at any try")
    func conflicts() throws {
        let core = try makeCore()
        try core.save(base.with { $0.place = 2 })
        try lose(core)
        try meet(base.with { $0.place = 9 }, 8, core)
        #expect(asked.current == 1 && core.outboxStatus.isEmpty)
        #expect(try core.bin("b")?.place == 9)
        try core.save(base.with { $0.place = 3 })
        try meet(
            base.with {
                $0.place = 9; $0.note = "theirs"
            }, 11, core)
        #expect(asked.current == 1)
        #expect(try core.outbox().map(\.baseVersion) == [11])
        #expect(try core.outbox().map(\.fields) == [["place": 3]])
        #expect(try core.bin("b")?.note == "theirs")
        try meet(base.with { $0.place = 4 }, 12, core)
        #expect(asked.current == 2 && core.outboxStatus.isEmpty)
    }

    @Test("a delete goes again over the record that it was made of, and is a conflict over any other")
    func deletes() throws {
        for (found, isSame) in [(base, true), (base.with { $0.note = "theirs" }, false)] {
            let core = try makeCore()
            try core.write(as: nil) { _ = try $0.delete(model: "Bin", id: "b") }
            try lose(core)
            let before = asked.current
            try meet(found, 1_000_000, core)
            #expect((asked.current == before) == isSame)
            #expect(try core.outbox().map(\.baseVersion) == (isSame ? [1_000_000] : []))
            #expect((try core.bin("b") == nil) == isSame)
        }
    }

    @Test("what was sent over a change that a restored backend lost follows it there, though it got no answer")
    func behindWhatIsLost() throws {
        let core = try makeCore()
        try core.save(base.with { $0.place = 2 })
        let confirmed = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.settle([
            MutationResult(order: confirmed.order, outcome: .applied(remote(base.with { $0.place = 2 }, 2)))
        ])
        try core.save(
            base.with {
                $0.place = 2
                $0.note = "later"
            })
        try lose(core)
        core.setLife(epoch: "two", began: 500_000)
        // It has the record (stamp 1000) and not the change of it (stamp 2000).
        #expect(try core.recover(into: "two", having: ["one": 1000]) == 1)
        #expect(try core.outbox().map(\.attempts) == [0, 0])
        let lost = try #require(try core.nextMutations(limit: 10)?.entries)
        #expect(lost.map(\.mutationID) == [confirmed.mutationID])
        let there = RemoteRecord(
            record: base.with { $0.place = 2 }.record, version: 1_000_000, lastChangedAt: 600_000)
        try core.settle([MutationResult(order: lost[0].order, outcome: .applied(there))])
        let next = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(next.baseVersion == 1_000_000 && next.fields == ["note": "later"])
    }

    @Test("a lost change on which others built before it could be sent again goes on theirs")
    func builtUpon() throws {
        let core = try makeCore()
        try core.save(base.with { $0.place = 2 })
        let confirmed = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.settle([
            MutationResult(order: confirmed.order, outcome: .applied(remote(base.with { $0.place = 2 }, 2)))
        ])
        core.setLife(epoch: "two", began: 500_000)
        #expect(try core.recover(into: "two", having: ["one": 1000]) == 1)
        try meet(base.with { $0.note = "who built on it" }, 1_000_000, core)
        let again = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(asked.current == 0)
        #expect(again.mutationID == confirmed.mutationID && again.baseVersion == 1_000_000)
        #expect(again.fields == ["place": 2])
    }

    @Test("that comes again and again is shown to a person")
    func bounded() throws {
        let core = try makeCore()
        try core.save(base.with { $0.place = 2 })
        try lose(core)
        for round in 0..<20 as Range<Int64> where core.outboxStatus.parked == 0 {
            try meet(base.with { $0.note = "n\(round)" }, 10 + round, core)
            if core.outboxStatus.parked == 0 { try lose(core) }
        }
        #expect(core.outboxStatus == OutboxStatus(parked: 1))
    }
}
