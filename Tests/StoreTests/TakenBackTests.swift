import Basics
import Models
import Testing

@testable import DataStore

/// What stands here is what the backend has, however the last waiting change went.
@Suite("A change taken back or edited, among others of its record")
struct TakenBackTests {
    private let bin = Bin(id: "b", place: 1, note: "n")

    /// A store in which a change of a place to 2 was refused.
    private func refused() throws -> (core: StoreCore, order: Int64) {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 3)])
        try core.save(bin.with { $0.place = 2 })
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: .refused(code: "Invalid", message: "no"))])
        return (core, order)
    }

    private func state(_ core: StoreCore) throws -> SyncState {
        try core.read { try $0.syncState(model: "Bin", id: "b") }
    }

    @Test("leaves the delete behind it on the backend's values")
    func underDelete() throws {
        let (core, order) = try refused()
        try core.write(as: nil) { try $0.delete(Bin.self, id: "b") }
        try core.write(as: nil) { _ = try $0.revertOutbox(order) }
        let delete = try #require(try core.outbox().first)
        try core.write(as: nil) { _ = try $0.revertOutbox(delete.order) }
        #expect(try core.bin("b") == bin)
        #expect(try state(core) == .synced(version: 3))
    }

    @Test("is a delete: what only the backend writes is back too, as it is where the record is saved again instead")
    func backendsOwn() throws {
        let theirs = bin.with { $0.updatedAt = DateTime(milliseconds: 7000) }
        let core = try memoryCore()
        try core.applyRemote([remote(theirs, 3)])
        func delete() throws { try core.write(as: nil) { try $0.delete(Bin.self, id: "b") } }
        try delete()
        try core.write(as: nil) { _ = try $0.revertOutbox(try #require(try $0.outbox().first?.order)) }
        #expect(try core.bin("b") == theirs)
        try delete()
        try core.save(bin)
        #expect(try core.bin("b") == theirs)
        #expect(core.outboxStatus.isEmpty, "nothing of it is to be sent")
        try delete()
        try core.save(bin.with { $0.place = 2 })
        #expect(try core.bin("b") == theirs.with { $0.place = 2 })
        #expect(try core.outbox().map(\.fields) == [["place": 2]])
        #expect(try state(core) == .queued)
    }

    @Test("moves the base of the first later change of each of its fields, over others between them")
    func overOthers() throws {
        let (core, order) = try refused()
        try core.save(
            bin.with {
                $0.place = 2; $0.note = "between"
            }, identity: "bob")
        try core.save(
            bin.with {
                $0.place = 3; $0.note = "between"
            }, identity: "cleo")
        try core.write(as: nil) { _ = try $0.revertOutbox(order) }
        let left = try core.outbox()
        #expect(left.map(\.fields) == [["note": "between"], ["place": 3]])
        #expect(left.map(\.base) == [["note": "n"], ["place": 1]])
    }

    @Test("edited, is what the later change of the same field was made on")
    func edited() throws {
        let (core, order) = try refused()
        try core.save(bin.with { $0.place = 3 })
        try core.write(as: nil) { try $0.editOutbox(order, fields: ["place": 5]) }
        #expect(try core.bin("b")?.place == 3)
        var told = 0
        core.onEvent = { if case .conflict = $0 { told += 1 } }
        let first = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(first.fields == ["place": 5])
        try core.settle([
            MutationResult(order: first.order, outcome: .applied(remote(bin.with { $0.place = 5 }, 4)))
        ])
        let second = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(second.fields == ["place": 3] && second.base == ["place": 5] && second.baseVersion == 4)
        #expect(told == 0 && core.outboxStatus.unsent == 1)
    }

    @Test("an operation shows nobody a record that has left")
    func operation() throws {
        let shelf = ModelSchema(
            "Shelf", pluralName: "Shelves",
            fields: [
                FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("count", .scalar(.int), merge: .counter),
            ])
        let core = try StoreCore(schema: Schema(models: [shelf]), at: .memory, options: testOptions())
        let record = Record(schema: shelf, values: [.text("s"), .integer(4)])
        try core.applyRemote([RemoteRecord(record: record, version: 1, lastChangedAt: 1000)])
        try core.write(as: nil) { try $0.operate(model: "Shelf", id: "s", ["count": .increment(1)]) }
        try core.applyPage(model: "Shelf", items: [], left: ["s"], leftUpTo: 9000, mark: nil)
        var told: [Change.Kind] = []
        _ = core.addObserver { told += $0.changes.map(\.kind) }
        try core.write(as: nil) { try $0.operate(model: "Shelf", id: "s", ["count": .increment(-1)]) }
        #expect(try core.read { try $0.get(model: "Shelf", id: "s") } == nil)
        #expect(told.last == .deleted)
    }

    @Test("goes with its row where that was evicted meanwhile, unless it is fetched again")
    func evicted() throws {
        for isFetched in [false, true] {
            let (core, order) = try refused()
            #expect(try core.evict(model: "Bin", where: .all) == 0)
            #expect(try core.confirmedCount("Bin") == 0, "a comparison brings it again where it is asked for")
            if isFetched { try core.applyPage(model: "Bin", items: [remote(bin, 3)], mark: nil) }
            try core.write(as: nil) { _ = try $0.revertOutbox(order) }
            #expect(try core.bin("b") == (isFetched ? bin : nil))
        }
    }

    @Test("stays where only the change itself was meant to be evicted")
    func evictedByTheChange() throws {
        let (core, order) = try refused()
        #expect(try core.evict(model: "Bin", where: .field("place", .equal(.integer(2)))) == 0)
        try core.write(as: nil) { _ = try $0.revertOutbox(order) }
        #expect(try core.bin("b") == bin)
    }

    @Test("leaves the delete behind it on the version that was shown")
    func underDeleteOfNewer() throws {
        let (core, order) = try refused()
        try core.applyRemote([remote(bin.with { $0.note = "theirs" }, 4)])
        try core.write(as: nil) { try $0.delete(Bin.self, id: "b") }
        try core.write(as: nil) { _ = try $0.revertOutbox(order) }
        let delete = try #require(try core.outbox().first)
        #expect(delete.kind == .delete && delete.baseVersion == 4)
    }

    // MARK: Imported

    /// What another store exported: a place set to 2 on version 3.
    private func exported() throws -> [String] {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 3)])
        try core.save(bin.with { $0.place = 2 })
        return try core.read { try $0.exportOutbox() }.lines
    }

    @Test("imported onto a newer record, leaves that")
    func importedAndTakenBack() throws {
        let newer = bin.with { $0.place = 9 }
        let core = try memoryCore()
        try core.applyRemote([remote(newer, 5)])
        try core.write(as: nil) { _ = try $0.importOutbox(try exported()) }
        #expect(try core.bin("b")?.place == 2)
        let order = try #require(try core.outbox().first?.order)
        try core.write(as: nil) { _ = try $0.revertOutbox(order) }
        #expect(try core.bin("b") == newer)
        #expect(try state(core) == .synced(version: 5))
    }

    @Test("imported and answered with what is known here already, is seen as the backend has it")
    func importedAndAnswered() throws {
        let newer = bin.with { $0.place = 9 }
        let core = try memoryCore()
        try core.applyRemote([remote(newer, 5)])
        try core.write(as: nil) { _ = try $0.importOutbox(try exported()) }
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        // It had been carried out as version 4 once.
        try core.settle([MutationResult(order: entry.order, outcome: .applied(remote(newer, 5)))])
        #expect(try core.bin("b") == newer)
        #expect(core.outboxStatus.unsent == 0)
    }
}
