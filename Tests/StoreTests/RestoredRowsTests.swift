import Basics
import Models
import Testing

@testable import DataStore

/// Rows and changes of a store whose backend was put back from a backup, beside those that the journal is about.
@Suite("What a restored backend lacks")
struct RestoredRowsTests {
    private func restored(_ core: StoreCore) {
        core.setLife(epoch: "two", began: 500_000, having: ["one": 1000], since: ["one": 0])
    }

    @Test("a row that was changed here stays the backend's: its change goes on the version that it had")
    func changed() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        try core.applyRemote([remote(Bin(id: "b", place: 1), 3)])
        try core.save(Bin(id: "b", place: 2))
        restored(core)
        #expect(try core.disown(model: "Bin") { _ in true } == 0)
        #expect(try core.context.table("Bin").fetch("b", on: core.connection)?.version == 3)
        #expect(try core.outbox().map(\.baseVersion) == [3])
    }

    @Test("such a row does not pass for the backend's any more once its change is taken back, which may be a delete")
    func takenBack() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        for id in ["lost", "deleted", "cancelled"] { try core.applyRemote([remote(Bin(id: id, place: 1), 3)]) }
        try core.applyRemote([remote(Bin(id: "there", place: 1), 1)])
        try core.save(Bin(id: "lost", place: 2))
        try core.save(Bin(id: "there", place: 2))
        try core.save(Bin(id: "cancelled", place: 2))
        try core.write(as: nil) { try $0.delete(Bin.self, id: "deleted") }
        restored(core)
        #expect(try core.disown(model: "Bin") { $0 != "there" } == 0)
        try core.save(Bin(id: "cancelled", place: 1))
        // Of what was deleted here only the backend can say that it lacks it.
        let delete = try #require(try core.nextMutations(limit: 3)?.entries.last)
        let missing = MutationResult.Outcome.refused(code: "ConditionalCheckFailed", message: "no such record")
        try core.settle([MutationResult(order: delete.order, outcome: missing)])
        try core.resetSending()
        for entry in try core.outbox() { try core.write(as: nil) { try $0.revertOutbox(entry.order) } }
        #expect(try core.bin("lost")?.place == 1)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "lost") } == .local)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "cancelled") } == .local)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "there") } == .synced(version: 1))
        #expect(try core.read { try $0.syncState(model: "Bin", id: "deleted") } == .local)
        #expect(try core.bin("deleted")?.place == 1)
    }

    @Test("a row of somebody else's that is lost is not sent from here, also when its model begins to be sent")
    func policies() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        try core.setPolicies(["Zone": .downstream], as: nil)
        try core.applyRemote([remote(Zone(id: "theirs"), 3)])
        restored(core)
        #expect(try core.disown(model: "Zone") { _ in true } == 1)
        try core.setPolicies(["Zone": .none], as: nil)
        try core.save(Zone(id: "mine"), identity: "ann")
        try core.setPolicies([:], as: "ann")
        #expect(try core.outbox().map(\.id) == ["mine"], "his author sends the other")
        #expect(try core.read { try $0.syncState(model: "Zone", id: "theirs") } == .local)
    }

    @Test("a change that the backend took, and answered in a form that is not understood here, is sent again too")
    func unreadable() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        try core.save(Zone(id: "z"), identity: "ann")
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        let row = UnreadableRecord(
            model: "Zone", id: "z", version: 1, json: #"{"id":"z","code":7,"_lastChangedAt":2000}"#, reason: "code")
        try core.settle([MutationResult(order: entry.order, outcome: .appliedUnreadable(row))])
        #expect(core.outboxStatus.isEmpty)
        #expect(try core.journalCount() == 1)
        restored(core)
        #expect(try core.recover(into: "two", having: ["one": 2000]) == 0, "it has that")
        #expect(try core.recover(into: "three", having: ["one": 1999]) == 1)
        #expect(try core.outbox().map(\.mutationID) == [entry.mutationID])
    }

    @Test(
        "a change of a record that is lost waits some minutes for its author, longer each time, and then for a person")
    func waits() throws {
        let time = ManualTimeSource()
        let core = try memoryCore { $0.time = time }
        core.setLife(epoch: "one", began: nil)
        try core.applyRemote([remote(Zone(id: "z"), 3)])
        restored(core)
        try core.save(Zone(id: "z", code: "new"))
        var delays: [Int64] = []
        while core.outboxStatus.parked == 0 {
            try #require(delays.count < 100, "it waits for ever")
            let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
            let refused = MutationResult.Outcome.refused(code: "ConditionalCheckFailed", message: "no such record")
            try core.settle([MutationResult(order: entry.order, outcome: refused)])
            guard core.outboxStatus.parked == 0 else { break }
            #expect(try core.nextMutations(limit: 1) == nil, "not before its time")
            let delay = try #require(core.nextRetryDelay())
            delays.append(delay)
            time.advance(milliseconds: delay)
        }
        #expect(delays == delays.sorted() && delays.first.map { $0 >= 1000 } == true)
        #expect((60_000...900_000).contains(delays.reduce(0, +)), "\(delays)")
        #expect(try core.outbox()[0].reason?.contains("no such record") == true)
    }

    @Test("within one life of the backend such a change waits for nobody; nor does a create, or one with a condition")
    func waitsForNobody() throws {
        let refused = MutationResult.Outcome.refused(code: "ConditionalCheckFailed", message: "no")
        func parked(_ prepare: (StoreCore) throws -> Void) throws -> Int {
            let core = try memoryCore()
            core.setLife(epoch: "one", began: nil)
            try core.applyRemote([remote(Zone(id: "z"), 3)])
            try prepare(core)
            let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
            try core.settle([MutationResult(order: entry.order, outcome: refused)])
            return core.outboxStatus.parked
        }
        let code = Field<Zone, String>("code")
        #expect(try parked { try $0.save(Zone(id: "z", code: "new")) } == 1)
        #expect(
            try parked {
                restored($0)
                try $0.save(Zone(id: "new"))
            } == 1)
        #expect(
            try parked {
                restored($0)
                try $0.write(as: nil) { try $0.save(Zone(id: "z", code: "new"), where: code == "Z") }
            } == 1)
        #expect(
            try parked {
                restored($0)
                try $0.save(Zone(id: "z", code: "new"))
            } == 0)
    }
}
