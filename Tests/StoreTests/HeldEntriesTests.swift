import Basics
import Models
import Testing

@testable import DataStore

private let place = Field<Bin, Int>("place")

/// What waits for another entry costs the batches nothing, however much of it there is, and goes once it may.
@Suite("Entries that are held")
struct HeldEntriesTests {
    /// A store in which a pass was refused; gives its entry's number.
    private func refused(_ core: StoreCore) throws -> Int64 {
        try core.save(Pass(id: "p"))
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: .refused(code: "Invalid", message: "no"))])
        return order
    }

    private struct Taken: Equatable {
        var looks: Int
        var ids: [String] = []
    }

    /// Takes a batch that is as good as sent; gives how many entries were looked at for it, and what it holds.
    private func take(_ core: StoreCore, _ limit: Int) throws -> Taken {
        let before = core.lookedAt
        let entries = try core.nextMutations(limit: limit)?.entries ?? []
        try core.settle(
            entries.map { MutationResult(order: $0.order, outcome: .applied(try core.accepted($0, 1))) })
        return Taken(looks: core.lookedAt - before, ids: entries.map(\.id))
    }

    private func marked(_ core: StoreCore) throws -> Int64 {
        try core.connection.value("SELECT count(*) FROM \"_outbox\" WHERE \"held\" IS NOT NULL")?.integer ?? -1
    }

    @Test("C12: a batch looks at as many entries as it takes, whatever is held in front of them")
    func looks() throws {
        let core = try memoryCore()
        let pass = try refused(core)
        let held = 10_000
        try core.write(as: nil) { transaction in
            for number in 0..<held { try transaction.save(Entry(id: "e\(number)", passID: "p")) }
            for number in 0..<200 { try transaction.save(Zone(id: "z\(number)")) }
        }
        // Each is found out about once, some thousands at a time.
        var all = 0
        for _ in 0..<3 { all += try take(core, 25).looks }
        #expect(try marked(core) == held)
        #expect(all < 3 * held)
        for _ in 0..<4 { #expect(try take(core, 25).looks == 25) }
        // Also after a restart, once more.
        try core.resetSending()
        #expect(try marked(core) == 0)
        while case let taken = try take(core, 25), taken != Taken(looks: 0) {}
        #expect(core.outboxStatus == OutboxStatus(queued: held, parked: 1))
        let statements = try core.connection.recordingStatements {
            let batch = try core.nextMutations(limit: 25)
            #expect(batch == nil)
        }
        #expect(statements.count < 10, "\(statements)")
        try core.write(as: nil) { try $0.retryOutbox(pass) }
        #expect(try take(core, 3).ids == ["p", "e0", "e1"])
        #expect(try core.sendAll() == held - 2)
        #expect(core.outboxStatus.isEmpty)
    }

    @Test func whatFollowsARefusedChangeOfItsRecordIsHeldOneByTheOther() throws {
        let core = try memoryCore()
        let bin = Bin(id: "b", code: "c")
        try core.applyRemote([remote(bin, 1)])
        // A change with a condition stands for itself.
        for number in 1...500 {
            try core.write(as: nil) { try $0.save(bin.with { $0.place = number }, where: place < number) }
        }
        let first = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: first, outcome: .refused(code: "Invalid", message: "no"))])
        try core.save(Zone(id: "free"))
        #expect(try take(core, 10).ids == ["free"])
        #expect(try take(core, 10) == Taken(looks: 0))
        try core.write(as: nil) { _ = try $0.revertOutbox(first) }
        // One goes, and the next is found to wait for it no more.
        #expect(try take(core, 10).looks <= 2)
        _ = try core.sendAll()
        #expect(core.outboxStatus.isEmpty)
    }

    @Test func whatWaitsForTheRecordOfSomebodyWhoIsAwayGoesOnceHeIsBack() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "z"), identity: "ann")
        for number in 0..<100 { try core.save(Bin(id: "b\(number)", zoneID: "z"), identity: "bob") }
        #expect(try core.nextMutations(limit: 10, busy: ["ann"]) == nil)
        let before = core.lookedAt
        #expect(try core.nextMutations(limit: 10, busy: ["ann"]) == nil)
        #expect(core.lookedAt == before)
        #expect(try take(core, 10).ids == ["z"])
        #expect(try take(core, 10).ids.count == 10)
    }

    @Test func aTransactionThatGoesAsOneIsHeldAndGoesWhole() throws {
        let core = try memoryCore()
        let pass = try refused(core)
        try core.write(as: nil) { transaction in
            try transaction.sentAsOne {
                for number in 0..<20 { try transaction.save(Zone(id: "z\(number)")) }
                try transaction.save(Entry(id: "e", passID: "p"))
            }
        }
        #expect(try take(core, 50).ids.isEmpty)
        #expect(try take(core, 50) == Taken(looks: 0))
        try core.write(as: nil) { try $0.retryOutbox(pass) }
        #expect(try take(core, 50).ids.count == 22)
    }

    @Test func whatIsChangedToWaitForNothingGoes() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "z"))
        let zone = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: zone, outcome: .refused(code: "Invalid", message: "no"))])
        let bins = ["a", "b", "c"].map { Bin(id: $0, zoneID: "z") }
        for bin in bins { try core.save(bin) }
        #expect(try take(core, 10).ids.isEmpty)
        // By an edit, by another change that is merged into it, by the record's way.
        let order = try #require(try core.outbox().first { $0.id == "a" }?.order)
        try core.write(as: nil) { try $0.editOutbox(order, fields: ["zoneID": nil]) }
        try core.save(bins[1].with { $0.zoneID = nil })
        #expect(try take(core, 10).ids == ["a", "b"])
        try core.write(as: nil) { _ = try $0.delete(Bin.self, id: "c") }
        try core.write(as: nil) { _ = try $0.revertOutbox(zone) }
        #expect(core.outboxStatus.isEmpty)
    }

    @Test func whatIsDueAndHeldWaitsForNoTime() throws {
        let time = ManualTimeSource()
        let core = try memoryCore { $0.time = time }
        try core.save(Pass(id: "p"), Entry(id: "e", passID: "p"))
        let batch = try #require(try core.nextMutations(limit: 2))
        #expect(batch.entries.count == 2)
        try core.settle([
            MutationResult(order: batch.entries[0].order, outcome: .refused(code: "Invalid", message: "no")),
            MutationResult(order: batch.entries[1].order, outcome: .transient(reason: "with it", delay: 1000)),
        ])
        #expect(try core.nextMutations(limit: 2) == nil)
        #expect(core.nextRetryDelay() == 1000)
        time.advance(milliseconds: 1000)
        #expect(try core.nextMutations(limit: 2) == nil)
        #expect(core.nextRetryDelay() == nil, "it would be looked for without end")
        try core.write(as: nil) { try $0.retryOutbox(batch.entries[0].order) }
        #expect(try core.nextMutations(limit: 2)?.entries.map(\.id) == ["p", "e"])
    }

    @Test("a batch steps over what waits for a time, or for its model to be sent, no more than once")
    func waits() throws {
        let time = ManualTimeSource()
        let core = try memoryCore { $0.time = time }
        let many = 3000
        try core.write(as: nil) { transaction in
            for number in 0..<many { try transaction.save(Pass(id: "i\(number)")) }
            try transaction.sentAsOne {
                for number in 0..<100 { try transaction.save(Pass(id: "u\(number)")) }
            }
        }
        // All fail for now, the later ones for longer.
        var delay: Int64 = 10_000
        while let batch = try core.nextMutations(limit: 100) {
            delay += 1000
            try core.settle(
                batch.entries.map {
                    MutationResult(order: $0.order, outcome: .transient(reason: "busy", delay: delay))
                })
        }
        #expect(try marked(core) == many + 100)
        try core.write(as: nil) { transaction in
            for number in 0..<50 { try transaction.save(Zone(id: "z\(number)")) }
        }
        for _ in 0..<2 { #expect(try take(core, 25).looks == 25) }
        #expect(core.nextRetryDelay() == 11_000)
        // They go when their time has come, and not before.
        time.advance(milliseconds: 12_000)
        #expect(try core.sendAll() == 200)

        try core.setPolicies(["Pass": .downstream], as: nil)
        time.advance(milliseconds: 600_000)
        #expect(try core.nextMutations(limit: 25) == nil)
        #expect(try take(core, 25) == Taken(looks: 0))
        try core.save(Zone(id: "late"))
        #expect(try take(core, 25) == Taken(looks: 1, ids: ["late"]))
        try core.setPolicies([:], as: nil)
        #expect(try core.sendAll() == many - 200 + 100)
        #expect(core.outboxStatus.isEmpty)
    }
}
