import Basics
import Models
import Testing

@testable import DataStore

/// Changes of several people, all confirmed and all lost with a restore, that come back in whatever order at a backend that
/// merges nothing.
@Suite("Lost changes of one record that several people made")
struct LostByTwoTests {
    private let base = Bin(id: "b", place: 1, note: "n")
    private let told = Locked<[StoreEvent]>([])
    private let shown = Locked<[Conflict]>([])

    private func makeCore(_ resolution: ConflictResolution = .applyRemote) throws -> StoreCore {
        let core = try memoryCore { [shown] in
            $0.conflictHandler = { conflict in
                shown.withLock { $0.append(conflict) }
                return resolution
            }
        }
        core.onEvent = { [told] event in if case .conflict = event { told.withLock { $0.append(event) } } }
        core.setLife(epoch: "one", began: nil)
        try core.applyRemote([remote(base, 1)])
        return core
    }

    private func next(_ core: StoreCore) throws -> OutboxEntry {
        try #require(try core.nextMutations(limit: 1)?.entries.first)
    }

    private func settle(_ core: StoreCore, _ outcome: MutationResult.Outcome) throws {
        try core.settle([MutationResult(order: try next(core).order, outcome: outcome)])
    }

    /// A store whose change of place and note was confirmed as version 2, and lost.
    private func lost(_ resolution: ConflictResolution = .applyRemote) throws -> StoreCore {
        let core = try makeCore(resolution)
        let changed = base.with {
            $0.place = 2
            $0.note = "mine"
        }
        try core.save(changed)
        try settle(core, .applied(remote(changed, 2)))
        core.setLife(epoch: "two", began: 500_000, having: ["one": 1000])
        #expect(try core.recover(into: "two", having: ["one": 1000]) == 1)
        return core
    }

    private var theirs: RemoteRecord {
        RemoteRecord(record: base.with { $0.place = 9 }.record, version: 1_000_001, lastChangedAt: 600_000)
    }

    @Test("what somebody else changed since gives way and is told; the rest, which nobody contests, goes again")
    func partly() throws {
        let core = try lost()
        let made = try core.outbox()[0]
        try settle(core, .conflict(theirs))
        #expect(told.current == [.conflict(model: "Bin", id: "b", fields: ["place"])])
        #expect(try core.bin("b")?.place == 9 && core.bin("b")?.note == "mine")
        let rest = try next(core)
        #expect(rest.fields == ["note": "mine"] && rest.base == ["note": "n"] && rest.baseVersion == 1_000_001)
        #expect(rest.mutationID != made.mutationID, "another content has another name")
    }

    @Test("it is known to be lost though a try of it got no answer")
    func afterATry() throws {
        let core = try lost()
        try settle(core, .transient(reason: "cut", delay: 0))
        #expect(try core.outbox()[0].reason?.hasSuffix("(cut)") == true)
        try settle(core, .transient(reason: "cut again", delay: 0))
        try settle(core, .conflict(theirs))
        #expect(try core.outbox().map(\.fields) == [["note": "mine"]])
    }

    @Test("where all of it is contested it gives way whole, and is told whole")
    func wholly() throws {
        let core = try lost()
        var remote = theirs
        remote = RemoteRecord(
            record: base.with {
                $0.place = 9
                $0.note = "theirs"
            }.record, version: remote.version, lastChangedAt: remote.lastChangedAt)
        try settle(core, .conflict(remote))
        #expect(told.current.count == 1 && core.outboxStatus.isEmpty)
        guard case .conflict(_, _, let fields)? = told.current.first else { return }
        #expect(Set(fields) == ["place", "note"])
        #expect(try core.bin("b")?.note == "theirs")
    }

    @Test("a handler that wants its own has all of its own, on their record")
    func decided() throws {
        let core = try lost(.retryLocal)
        try settle(core, .conflict(theirs))
        #expect(shown.current.count == 1 && told.current.isEmpty)
        #expect(try core.outbox().map(\.fields) == [["place": 2, "note": "mine"]])
        #expect(try core.outbox().map(\.baseVersion) == [1_000_001])
    }

    @Test("a change that was never confirmed is judged whole, as any other")
    func never() throws {
        let core = try makeCore()
        try core.save(
            base.with {
                $0.place = 2
                $0.note = "mine"
            })
        try settle(core, .conflict(remote(base.with { $0.place = 9 }, 2)))
        #expect(core.outboxStatus.isEmpty)
        #expect(try core.bin("b")?.note == "n")
        guard case .conflict(_, _, let fields)? = told.current.first else {
            Issue.record("nobody was told")
            return
        }
        #expect(Set(fields) == ["place", "note"])
    }

    @Test("a change that waits for the record's author is not taken for a lost one")
    func waiting() throws {
        let core = try makeCore()
        core.setLife(epoch: "two", began: 500_000, having: [:])
        try core.save(
            base.with {
                $0.place = 2
                $0.note = "mine"
            })
        try settle(core, .refused(code: "ConditionalCheckFailed", message: "no such record"))
        let entry = try core.outbox()[0]
        #expect(entry.state != .parked && !entry.isLost)
    }
}
