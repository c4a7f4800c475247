import Basics
import Models
import Testing

@testable import DataStore

/// What may have arrived, and what is answered late, apart or for somebody else.
@Suite("A change that may have arrived")
struct InFlightTests {
    private let base = Bin(id: "b", place: 1, note: "n")

    /// A bin at version 1 whose change was sent once and got no answer.
    private func unanswered(_ change: (inout Bin) -> Void) throws -> (StoreCore, OutboxEntry) {
        let core = try memoryCore()
        try core.applyRemote([remote(base, 1)])
        try core.save(base.with(change))
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.settle([MutationResult(order: entry.order, outcome: .transient(reason: "no answer", delay: 0))])
        return (core, try #require(try core.outbox().first))
    }

    @Test("stays as it is when the backend's record changes, also where that shows what it wants already")
    func notRebased() throws {
        let (core, entry) = try unanswered { $0.place = 2 }
        let theirs = base.with {
            $0.note = "theirs"
            $0.place = 2
        }
        try core.applyRemote([remote(theirs, 2)])
        let now = try #require(try core.outbox().first)
        #expect(now.fields == entry.fields && now.base == entry.base)
        #expect(now.baseVersion == 1 && now.mutationID == entry.mutationID)
        #expect(try core.bin("b") == theirs, "what others did is seen all the same")
        // One that was never sent is put on the new record, or is done with it.
        let fresh = try memoryCore()
        try fresh.applyRemote([remote(base, 1)])
        try fresh.save(base.with { $0.place = 2 })
        try fresh.applyRemote([remote(base.with { $0.note = "theirs" }, 2)])
        #expect(try fresh.outbox().map(\.baseVersion) == [2])
        try fresh.applyRemote([remote(theirs, 3)])
        #expect(try fresh.outbox().isEmpty)
    }

    @Test("stays as it is when the change before it is settled")
    func notRebasedAfterAnother() throws {
        let other = try memoryCore { $0.random = SeededRandom(seed: 9) }
        try other.applyRemote([remote(base, 1)])
        try other.save(base.with { $0.place = 2 })
        _ = try other.nextMutations(limit: 1)
        try other.save(base.with { $0.place = 3 })
        let lines = try other.read { try $0.exportOutbox() }.lines
        let core = try memoryCore()
        try core.applyRemote([remote(base, 1)])
        // The other store may have sent both.
        #expect(try core.write(as: nil) { try $0.importOutbox(lines) } == 2)
        let before = try core.outbox()
        let first = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.settle([
            MutationResult(order: first.order, outcome: .applied(remote(base.with { $0.place = 2 }, 7)))
        ])
        let next = try #require(try core.outbox().first)
        #expect(next.fields == before[1].fields && next.base == before[1].base)
        #expect(next.baseVersion == before[1].baseVersion)
        #expect(try core.bin("b")?.place == 3)
    }

    @Test("a late row in an older version, or in the same, changes nothing while changes wait for its record")
    func lateRows() throws {
        let core = try memoryCore()
        let newest = base.with { $0.code = "newest" }
        try core.applyRemote([remote(newest, 5)])
        try core.save(newest.with { $0.place = 2 })
        let before = try core.outbox()
        for version in [3, 5] as [Int64] {
            let report = try core.applyRemote([remote(base.with { $0.code = "old" }, version)])
            #expect(report.ignored == 1 && report.updated == 0, "version \(version)")
            #expect(try core.bin("b")?.code == "newest" && core.bin("b")?.place == 2)
            #expect(try core.outbox() == before)
            #expect(try core.shadow("Bin", "b") == nil)
        }
        // Also while the newest is known only beside the row.
        try core.applyRemote([remote(newest.with { $0.note = "six" }, 6)])
        #expect(try core.applyRemote([remote(base, 4)]).ignored == 1)
        #expect(try core.shadow("Bin", "b")?.version == 6)
        #expect(try core.bin("b")?.note == "six")
    }

    @Test("a record that one deleted and another takes back before anyone heard of it is the other's change")
    func takenBack() throws {
        for (code, kinds) in [("other", [MutationKind.update]), ("Z", [])] {
            let core = try memoryCore()
            try core.applyRemote([remote(Zone(id: "z"), 4)])
            try core.write(as: "ann") { _ = try $0.delete(model: "Zone", id: "z") }
            try core.save(Zone(id: "z", code: code), identity: "bob")
            let entries = try core.outbox()
            #expect(entries.map(\.kind) == kinds, "\(code)")
            #expect(entries.allSatisfy { $0.identity == "bob" && $0.baseVersion == 4 })
            #expect(entries.first.map { $0.fields == ["code": "other"] && $0.base == ["code": "Z"] } ?? true)
            let row = try #require(try core.context.table("Zone").fetch("z", on: core.connection))
            #expect(row.version == 4, "the backend's version is its own again")
            #expect(core.outboxStatus == OutboxStatus(queued: kinds.count))
        }
    }

    @Test("of a unit of which one change was not decided nothing is taken as decided")
    func undecidedUnit() throws {
        let outcomes: [MutationResult.Outcome] = [
            .transient(reason: "later", delay: 0), .untouched(reason: "another life"),
        ]
        for outcome in outcomes {
            let core = try memoryCore()
            try core.write(as: nil) { tx in
                try tx.sentAsOne { for id in ["a", "b", "c"] { try tx.save(Zone(id: id)) } }
            }
            let batch = try #require(try core.nextMutations(limit: 10))
            let report = try core.settle(
                batch.entries.map { entry in
                    let done = MutationResult.Outcome.applied(remote(Zone(id: entry.id), 1))
                    return MutationResult(order: entry.order, outcome: entry.id == "b" ? outcome : done)
                })
            #expect(report.settled == 0 && report.requeued == 3)
            #expect(core.outboxStatus == OutboxStatus(queued: 3))
            let again = try #require(try core.nextMutations(limit: 10))
            #expect(again.entries.map(\.mutationID) == batch.entries.map(\.mutationID))
            #expect(Set(again.units.values).count == 1 && again.units.count == 3)
        }
    }

    @Test("a try that did not arrive does not undo that one before it may have")
    func untouchedTries() throws {
        let (core, _) = try unanswered { $0.place = 2 }
        let again = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.settle([MutationResult(order: again.order, outcome: .untouched(reason: "another life"))])
        #expect(try core.outbox().map(\.attempts) == [1])
        let first = try memoryCore()
        try first.save(base)
        let create = try #require(try first.nextMutations(limit: 1)?.entries.first)
        try first.settle([MutationResult(order: create.order, outcome: .untouched(reason: "another life"))])
        try first.write(as: nil) { _ = try $0.delete(model: "Bin", id: "b") }
        #expect(try first.outbox().isEmpty, "nobody ever heard of it")
    }

    /// A bin at version 1 whose change is being sent, with another made over it meanwhile.
    private func followed(_ sent: (inout Bin) -> Void, by later: (inout Bin) -> Void) throws -> (StoreCore, Int64) {
        let core = try memoryCore()
        try core.applyRemote([remote(base, 1)])
        try core.save(base.with(sent))
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first).order
        try core.save(base.with(sent).with(later))
        return (core, order)
    }

    @Test("what the backend's merge dropped of a change is nobody's, for the change that waits behind it")
    func droppedBefore() throws {
        let (core, order) = try followed({ $0.place = 2 }, by: { $0.place = 3 })
        try core.settle([MutationResult(order: order, outcome: .applied(remote(base, 4)))])
        let entries = try core.outbox()
        // The later value is sent, on the answer's version, and the earlier one is not sent again before it.
        #expect(entries.map(\.fields) == [["place": 3]])
        #expect(entries.map(\.base) == [["place": 1]] && entries.map(\.baseVersion) == [4])
    }

    @Test("what the merge dropped and somebody else changed since is told as a conflict, and his stands")
    func droppedAndOverruled() throws {
        let core = try memoryCore()
        var events: [StoreEvent] = []
        core.onEvent = { events.append($0) }
        try core.applyRemote([remote(base, 2)])
        try core.save(base.with { $0.place = 2 })
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first).order
        try core.applyRemote([remote(base.with { $0.place = 9 }, 6)])
        try core.settle([MutationResult(order: order, outcome: .applied(remote(base.with { $0.note = "theirs" }, 4)))])
        #expect(events.contains(.conflict(model: "Bin", id: "b", fields: ["place"])))
        #expect(try core.bin("b")?.place == 9)
        #expect(core.outboxStatus.isEmpty)
    }

    @Test("a change that waits behind another is done where the answer shows all of it")
    func doneBehind() throws {
        let (core, order) = try followed({ $0.place = 2 }, by: { $0.note = "same" })
        let answer = base.with {
            $0.place = 2
            $0.note = "same"
        }
        try core.settle([MutationResult(order: order, outcome: .applied(remote(answer, 4)))])
        #expect(try core.outbox().isEmpty)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 4))
    }

    @Test("a delete that is answered after a change of its record was heard of leaves its tombstone all the same")
    func deletedAfterNews() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(base, 1)])
        try core.write(as: nil) { _ = try $0.delete(model: "Bin", id: "b") }
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first).order
        try core.applyRemote([remote(base.with { $0.note = "theirs" }, 2)])
        try core.settle([MutationResult(order: order, outcome: .applied(remote(base, 3, deleted: true)))])
        try core.applyRemote([remote(base, 2)])
        #expect(try core.bin("b") == nil)
    }
}
