import Basics
import Models
import SQLite
import Testing

@testable import DataStore

private let place: Field<Bin, Int> = Field("place")

/// Changes that come back to what was, while the backend's newer record is kept aside.
@Suite("A change taken back by hand, over what others wrote meanwhile")
struct KeptRecordTests {
    private let base = Bin(id: "b", place: 1, note: "n")

    /// A waiting change of a place to 2, over which the backend's place 9 came in version 2.
    private func contested(_ change: (inout Bin) -> Void = { $0.place = 2 }) throws -> StoreCore {
        let core = try memoryCore()
        try core.applyRemote([remote(base, 1)])
        try core.save(base.with(change))
        try core.applyRemote([remote(base.with { $0.place = 9 }, 2)])
        return core
    }

    private func keepsNothing(_ core: StoreCore) throws -> Bool {
        try core.outboxStatus.isEmpty && core.connection.value("SELECT 1 FROM \"_shadow\"") == nil
    }

    @Test("is a change still: the backend judges it, and who made it hears of the other")
    func update() throws {
        let core = try contested()
        try core.save(base)
        #expect(try core.outbox().map(\.fields) == [["place": 1]])
        #expect(try core.outbox().map(\.baseVersion) == [1])
        #expect(try core.bin("b")?.place == 1)
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        var told: [String] = []
        core.onEvent = { if case .conflict(_, let id, _) = $0 { told.append(id) } }
        try core.settle([MutationResult(order: entry.order, outcome: .applied(remote(base.with { $0.place = 9 }, 2)))])
        #expect(try core.bin("b")?.place == 9)
        #expect(told == ["b"])
        #expect(try keepsNothing(core))
    }

    @Test("of one field leaves the other, and stays contested itself")
    func oneOfTwo() throws {
        let core = try contested {
            $0.place = 2
            $0.note = "mine"
        }
        try core.save(base.with { $0.note = "mine" })
        #expect(try core.outbox().map(\.fields) == [["place": 1, "note": "mine"]])
    }

    @Test("goes where the backend came back to it too, and the backend's record is shown")
    func bothBack() throws {
        let core = try contested()
        try core.applyRemote([
            remote(
                base.with {
                    $0.note = "theirs"
                }, 3)
        ])
        try core.save(base.with { $0.note = "theirs" })
        #expect(try keepsNothing(core))
        #expect(try core.bin("b") == base.with { $0.note = "theirs" })
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 3))
    }

    @Test("a record made here, and by another under the same key, is the other's once it is deleted here")
    func createDeleted() throws {
        let core = try memoryCore()
        try core.save(base)
        let theirs = base.with { $0.place = 7 }
        try core.applyRemote([remote(theirs, 4)])
        var told: [Change.Kind] = []
        _ = core.addObserver { told += $0.changes.map(\.kind) }
        try core.write(as: nil) { _ = try $0.delete(model: "Bin", id: "b") }
        #expect(try keepsNothing(core))
        #expect(try core.bin("b") == theirs)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 4))
        #expect(told.first == .deleted && told.last == .created)
    }

    @Test("a delete that is taken back by a save is an update of the newer record, which is shown beneath it")
    func deleteTakenBack() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(base, 1)])
        try core.write(as: nil) { _ = try $0.delete(model: "Bin", id: "b") }
        try core.applyRemote([
            remote(
                base.with {
                    $0.place = 9; $0.zoneID = "z"
                }, 2)
        ])
        try core.save(base)
        #expect(try core.outbox().map(\.kind) == [.update])
        #expect(try core.outbox().map(\.fields) == [["place": 1]])
        #expect(try core.bin("b")?.zoneID == "z", "what the delete had not seen")
        #expect(try core.sendAll(version: 3) == 1)
        #expect(try keepsNothing(core))
    }

    @Test("of a record that the backend deleted is judged there")
    func deletedThere() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(base, 1)])
        try core.save(base.with { $0.place = 2 })
        try core.applyRemote([remote(base, 2, deleted: true)])
        #expect(try core.bin("b")?.place == 2)
        try core.save(base)
        #expect(try core.outbox().map(\.fields) == [["place": 1]])
    }

    // MARK: Deleting what has no version here

    /// A store whose bin of somebody else's a restored backend has not.
    private func disownedCore() throws -> StoreCore {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        try core.applyRemote([remote(base, 3)])
        core.setLife(epoch: "two", began: 500_000, having: ["one": 1000], since: ["one": 0])
        #expect(try core.disown(model: "Bin") { _ in true } == 1)
        return core
    }

    @Test("A row that a restored backend lost is deleted there too, once its author has brought it back")
    func disowned() throws {
        let core = try disownedCore()
        try core.write(as: "ann") { _ = try $0.delete(model: "Bin", id: "b") }
        #expect(try core.bin("b") == nil)
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(entry.kind == .delete && entry.baseVersion == nil)
        try core.settle([
            MutationResult(
                order: entry.order, outcome: .refused(code: "ConditionalCheckFailedException", message: "no record"))
        ])
        #expect(core.outboxStatus.queued == 1, "it waits for the author")
        let again = RemoteRecord(record: base.record, version: 1_000_000, lastChangedAt: 600_000)
        try core.applyRemote([again])
        #expect(try core.bin("b") == nil)
        core.retryAt.removeAll()
        let second = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.settle([MutationResult(order: second.order, outcome: .conflict(again))])
        #expect(try core.outbox().map(\.baseVersion) == [1_000_000])
        #expect(try core.outbox().map(\.kind) == [.delete])
    }

    @Test("A row that a restored backend lost, deleted and saved again here, is made there again")
    func disownedAndSaved() throws {
        let core = try disownedCore()
        try core.write(as: nil) { try $0.delete(base, where: place == 1) }
        #expect(try core.outbox().map { $0.condition != nil } == [true], "a delete under a condition goes under it")
        let other = try disownedCore()
        try other.write(as: nil) { _ = try $0.delete(model: "Bin", id: "b") }
        try other.save(base)
        #expect(try other.outbox().map(\.kind) == [.create])
    }

    @Test("A record that is deleted and saved again while its create is on its way is an update of that")
    func savedAgainBehindItsCreate() throws {
        let core = try memoryCore()
        try core.save(base)
        let create = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.write(as: nil) { _ = try $0.delete(model: "Bin", id: "b") }
        try core.save(base.with { $0.place = 5 })
        #expect(try core.outbox().map(\.kind) == [.create, .update])
        try core.settle([MutationResult(order: create.order, outcome: .applied(remote(base, 1)))])
        #expect(try core.sendAll(version: 2) == 1)
        #expect(try core.bin("b")?.place == 5 && core.outboxStatus.parked == 0)
    }

    @Test("A row whose confirmed form could not be read is deleted in that version")
    func unreadable() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "z"))
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        let row = UnreadableRecord(
            model: "Zone", id: "z", version: 5, json: #"{"id":"z","code":7,"_lastChangedAt":2000}"#, reason: "code")
        try core.settle([MutationResult(order: entry.order, outcome: .appliedUnreadable(row))])
        try core.write(as: nil) { _ = try $0.delete(model: "Zone", id: "z") }
        #expect(try core.outbox().map(\.kind) == [.delete])
        #expect(try core.outbox().map(\.baseVersion) == [5])
    }

    // MARK: Units

    @Test("A record that is taken back in a transaction that goes as one is a part of it")
    func takenBackInUnit() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(base, 1)])
        try core.write(as: nil) { _ = try $0.delete(model: "Bin", id: "b") }
        try core.write(as: nil) { tx in
            try tx.sentAsOne {
                try tx.save(base.with { $0.place = 2 })
                try tx.save(Zone(id: "z"))
            }
        }
        let batch = try #require(try core.nextMutations(limit: 10))
        #expect(Set(batch.entries.map(\.id)) == ["b", "z"])
        #expect(Set(batch.units.values).count == 1 && batch.units.count == 2)
    }

    @Test("Records whose keys only look the same are two, also in a transaction that goes as one")
    func sameLetters() throws {
        let core = try memoryCore()
        let keys = ["M\u{FC}ller", "Mu\u{308}ller"]
        try core.write(as: nil) { tx in
            try tx.sentAsOne { for key in keys { try tx.save(Zone(id: key)) } }
        }
        #expect(try core.outbox().count == 2)
    }

    @Test("A transaction that goes as one changes no record twice under a condition: nothing of it is written")
    func conditionalTwice() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(base, 1)])
        #expect(throws: StoreError.changedTwiceInUnit(model: "Bin", id: "b")) {
            try core.write(as: nil) { tx in
                try tx.sentAsOne {
                    try tx.save(base.with { $0.place = 2 }, where: place == 1)
                    try tx.save(
                        base.with {
                            $0.place = 2
                            $0.note = "more"
                        })
                }
            }
        }
        #expect(core.outboxStatus.isEmpty)
        #expect(try core.bin("b") == base)
    }

    // MARK: Imports

    @Test("An import of a record that is being changed here waits behind that, and the next save behind both")
    func importedBeside() throws {
        let other = try memoryCore()
        // Both draw their names from the same series, in which the other store is one ahead.
        try other.save(Zone(id: "z"))
        try other.sendAll()
        try other.applyRemote([remote(base, 1)])
        try other.save(base.with { $0.note = "imported" })
        let lines = try other.read { try $0.exportOutbox() }.lines
        let core = try memoryCore()
        try core.applyRemote([remote(base, 1)])
        try core.save(base.with { $0.place = 2 })
        try core.write(as: nil) { _ = try $0.importOutbox(lines) }
        let shown = try #require(try core.bin("b"))
        try core.save(shown.with { $0.place = 3 })
        let fields = try core.outbox().map(\.fields)
        #expect(fields == [["place": 2], ["note": "imported"], ["place": 3]])
        for version in 2...4 { #expect(try core.sendAll(version: Int64(version)) >= 0) }
        #expect(core.outboxStatus.isEmpty)
    }

    // MARK: Texts

    @Test("A text in another form of Unicode is another text, which is kept and sent")
    func forms() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(base.with { $0.note = "Caf\u{E9}" }, 1)])
        try core.save(base.with { $0.note = "Cafe\u{301}" })
        let kept = try #require(try core.bin("b")?.note)
        #expect(Array(kept.utf8) == Array("Cafe\u{301}".utf8))
        #expect(try core.outbox().first?.fields["note"] == "Cafe\u{301}")
        #expect(JSONValue("\u{E9}") != "e\u{301}" && Value.text("\u{E9}") != .text("e\u{301}"))
    }
}
