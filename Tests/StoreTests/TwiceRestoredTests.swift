import Basics
import Models
import Testing

@testable import DataStore

/// A backend that is put back from a backup more than once, perhaps twice from the same, and changes that it merges nothing
/// of: nothing of them is lost, and nobody meets a conflict with himself.
@Suite("A backend that is restored again")
struct TwiceRestoredTests {
    private let first = Bin(id: "b", place: 1, note: "n")
    private let asked = Locked(0)

    private func makeCore() throws -> StoreCore {
        let core = try memoryCore { [asked] in
            $0.conflictHandler = { _ in
                asked.withLock { $0 += 1 }
                return .applyRemote
            }
        }
        core.setLife(epoch: "one", began: nil)
        return core
    }

    private func next(_ core: StoreCore) throws -> OutboxEntry {
        let batch = try #require(try core.nextMutations(limit: 10))
        #expect(batch.entries.count == 1)
        return try #require(batch.entries.first)
    }

    private func answer(_ entry: OutboxEntry, _ bin: Bin, _ version: Int64, stamp: Int64, _ core: StoreCore) throws {
        let remote = RemoteRecord(record: bin.record, version: version, lastChangedAt: stamp)
        try core.settle([MutationResult(order: entry.order, outcome: .applied(remote))])
    }

    private func untouched(_ entry: OutboxEntry, _ core: StoreCore) throws {
        try core.settle([MutationResult(order: entry.order, outcome: .untouched(reason: "restored"))])
    }

    private func restore(_ core: StoreCore, _ name: String, began: Int64, _ lives: [String: Int64]) throws -> Int {
        core.setLife(epoch: name, began: began, having: lives)
        return try core.recover(into: name, having: lives)
    }

    @Test("gets again what it lacks and nothing that it has, though the life between the two is gone whole")
    func sameBackup() throws {
        let core = try makeCore()
        try core.save(first)
        let create = try next(core)
        try answer(create, first, 1, stamp: 10, core)
        try core.save(first.with { $0.place = 2 })
        let update = try next(core)
        try answer(update, first.with { $0.place = 2 }, 2, stamp: 20, core)
        try core.save(first.with { $0.place = 3 })
        let last = try next(core)
        try untouched(last, core)

        #expect(try restore(core, "two", began: 1000, ["one": 10]) == 1)
        let again = try next(core)
        #expect(again.mutationID == update.mutationID && again.baseVersion == 1)
        try answer(again, first.with { $0.place = 2 }, 1_000_001, stamp: 1001, core)
        let late = try next(core)
        #expect(late.mutationID == last.mutationID && late.baseVersion == 1_000_001)
        try untouched(late, core)

        // To the same backup once more: it has the create still, and knows nothing of the life between.
        #expect(try restore(core, "three", began: 2000, ["one": 10]) == 1)
        let third = try next(core)
        #expect(third.mutationID == update.mutationID)
        try answer(third, first.with { $0.place = 2 }, 2_000_001, stamp: 2001, core)
        let end = try next(core)
        #expect(end.mutationID == last.mutationID && end.baseVersion == 2_000_001 && end.fields == ["place": 3])
        try answer(end, first.with { $0.place = 3 }, 2_000_002, stamp: 2002, core)
        #expect(core.outboxStatus.isEmpty && asked.current == 0)

        // From a backup of the last life, which comes from the first: it has all, each in the life that it came in.
        let lives: [String: Int64] = ["one": 10, "three": 2002]
        #expect(try core.hasLostChanges(in: "four", having: lives) == false)
        #expect(try restore(core, "four", began: 3000, lives) == 0)
        #expect(try core.hasLostChanges(in: "five", having: ["one": 9]), "an older backup lacks the create too")
        #expect(try restore(core, "five", began: 4000, ["one": 9]) == 3)
        #expect(try core.outbox().map(\.mutationID) == [create, update, last].map(\.mutationID))
    }

    @Test("has of a record what it answers, and not what was heard of it before: what waits is not taken for done")
    func lostImage() throws {
        let core = try makeCore()
        try core.applyRemote([RemoteRecord(record: first.record, version: 1, lastChangedAt: 10)])
        try core.save(first.with { $0.place = 2 })
        let tried = try next(core)
        try core.settle([MutationResult(order: tried.order, outcome: .transient(reason: "no answer", delay: 0))])
        try core.save(
            first.with {
                $0.place = 2
                $0.note = "x"
            })
        // Somebody wrote the same note; the restored backend has what was tried, and not this.
        let theirs = first.with {
            $0.place = 2
            $0.note = "x"
        }
        try core.applyRemote([RemoteRecord(record: theirs.record, version: 3, lastChangedAt: 30)])
        #expect(try restore(core, "two", began: 1000, ["one": 20]) == 0)
        let again = try next(core)
        #expect(again.mutationID == tried.mutationID)
        try answer(again, first.with { $0.place = 2 }, 2, stamp: 20, core)
        let note = try next(core)
        #expect(note.fields == ["note": "x"] && note.base == ["note": "n"] && note.baseVersion == 2)
        try answer(note, theirs, 1_000_000, stamp: 1001, core)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 1_000_000))
    }

    @Test("a late answer about an older state takes nothing back that the backup has")
    func keptImage() throws {
        let core = try makeCore()
        try core.applyRemote([RemoteRecord(record: first.record, version: 1, lastChangedAt: 10)])
        try core.save(first.with { $0.place = 2 })
        let tried = try next(core)
        try core.settle([MutationResult(order: tried.order, outcome: .transient(reason: "no answer", delay: 0))])
        let theirs = first.with {
            $0.place = 2
            $0.note = "theirs"
        }
        try core.applyRemote([RemoteRecord(record: theirs.record, version: 3, lastChangedAt: 30)])
        #expect(try restore(core, "two", began: 1000, ["one": 30]) == 0)
        // Asked again, it answers what the change made of the record then.
        try answer(try next(core), first.with { $0.place = 2 }, 2, stamp: 20, core)
        #expect(try core.bin("b")?.note == "theirs")
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 3))
    }

    /// Up to 10 of the first life, and of the second from 1000 to 1500.
    private let kept: [String: Int64] = ["one": 10, "two": 1500]
    private let since: [String: Int64] = ["one": 0, "two": 1000]

    private func at(_ place: Int, _ version: Int64, _ stamp: Int64, deleted: Bool = false) -> RemoteRecord {
        RemoteRecord(
            record: first.with { $0.place = place }.record, version: version, deleted: deleted, lastChangedAt: stamp)
    }

    @Test("rows give way to an older state where theirs lies in no part of a life that the backend has, and only there")
    func parts() throws {
        for (stamp, isLost) in [(10, false), (11, true), (999, true), (1000, false), (1500, false), (1501, true)] {
            let core = try makeCore()
            try core.applyRemote([at(5, 5, Int64(stamp))])
            core.setLife(epoch: "three", began: 2000, having: kept, since: since)
            try core.applyRemote([at(3, 3, 9)])
            #expect(try core.bin("b")?.place == (isLost ? 3 : 5), "\(stamp)")
            #expect(core.isTakenBack(Int64(stamp)) == isLost)
            #expect(try core.disown(model: "Bin") { _ in true } == 0, "what is known to be there is not disowned")
        }
    }

    @Test("so do rows over which something waits, and deletions")
    func partsUnderChanges() throws {
        for (stamp, isLost) in [(10, false), (11, true), (1500, false), (1501, true)] {
            let core = try makeCore()
            try core.applyRemote([at(5, 5, Int64(stamp))])
            try core.save(
                first.with {
                    $0.place = 5; $0.note = "mine"
                })
            core.setLife(epoch: "three", began: 2000, having: kept, since: since)
            try core.applyRemote([at(3, 3, 9)])
            #expect(try core.bin("b")?.place == (isLost ? 3 : 5), "\(stamp)")
            #expect(try core.bin("b")?.note == "mine")

            let other = try makeCore()
            try other.applyRemote([at(5, 4, 9), at(5, 5, Int64(stamp), deleted: true)])
            other.setLife(epoch: "three", began: 2000, having: kept, since: since)
            try other.applyRemote([at(3, 3, 9)])
            #expect((try other.bin("b") != nil) == isLost, "\(stamp)")
        }
    }

    @Test(
        "rows that are missing are left here only where the backend lost them; without its lives' beginnings, all are")
    func disowned() throws {
        for (begins, left) in [(since, 3), ([:], 6)] as [([String: Int64], Int)] {
            let core = try makeCore()
            for stamp in [10, 11, 999, 1000, 1500, 1501] as [Int64] {
                try core.applyRemote([
                    RemoteRecord(record: Bin(id: "r\(stamp)").record, version: 1, lastChangedAt: stamp)
                ])
            }
            core.setLife(epoch: "three", began: 2000, having: kept, since: begins)
            #expect(core.knowsEarlierLives == !begins.isEmpty)
            #expect(try core.disown(model: "Bin") { _ in true } == left)
        }
    }
}
