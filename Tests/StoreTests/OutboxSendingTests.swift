import Basics
import Models
import Testing

@testable import DataStore

@Suite struct OutboxSendingTests {
    @Test func aBatchHasOneIdentityAndTheOldestLaneGoesFirst() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "1"), identity: "bob")
        try core.save(Zone(id: "2"), identity: "ann")
        try core.save(Zone(id: "3"), identity: "bob")
        try core.save(Zone(id: "4"))
        let first = try #require(try core.nextMutations(limit: 10))
        #expect(first.identity == "bob" && first.entries.map(\.id) == ["1", "3"])
        let second = try #require(try core.nextMutations(limit: 10, busy: ["bob"]))
        #expect(second.identity == "ann" && second.entries.map(\.id) == ["2"])
        let third = try #require(try core.nextMutations(limit: 10, busy: ["bob", "ann"]))
        #expect(third.identity == nil && third.entries.map(\.id) == ["4"])
        #expect(try core.nextMutations(limit: 10) == nil)
        #expect(core.outboxStatus == OutboxStatus(sending: 4))
    }

    @Test func theLimitHolds() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "1"), Zone(id: "2"), Zone(id: "3"))
        #expect(try core.nextMutations(limit: 2)?.entries.map(\.id) == ["1", "2"])
        #expect(try core.nextMutations(limit: 2)?.entries.map(\.id) == ["3"])
    }

    @Test("A request takes no more changes when it is large, and one that is larger than that goes alone")
    func theBytesOfARequest() throws {
        let core = try memoryCore()
        let part = String(repeating: "x", count: Gathering.byteLimit * 2 / 5)
        for id in ["a", "b", "c", "d"] { try core.save(Bin(id: id, note: part)) }
        #expect(try core.nextMutations(limit: 10)?.entries.map(\.id) == ["a", "b", "c"])
        #expect(try core.nextMutations(limit: 10)?.entries.map(\.id) == ["d"])
        try core.write(as: nil) { tx in
            try tx.sentAsOne { for id in ["u", "v", "w"] { try tx.save(Bin(id: id, note: part)) } }
        }
        try core.save(Zone(id: "z"))
        #expect(try core.nextMutations(limit: 10)?.entries.map(\.id) == ["u", "v", "w"])
        #expect(try core.nextMutations(limit: 10)?.entries.map(\.id) == ["z"])
    }

    @Test("C4: a change that names a record made later goes behind that record's create")
    func whatNamesALaterCreateGoesBehindIt() throws {
        let core = try memoryCore()
        try core.save(Bin(id: "b"))
        try core.save(Zone(id: "z"))
        try core.save(Bin(id: "b", zoneID: "z"))
        #expect(try core.outbox().map(\.kind) == [.create, .create, .update])
        let first = try #require(try core.nextMutations(limit: 10))
        #expect(first.entries.map(\.id) == ["b", "z"])
        try core.settle([
            MutationResult(order: first.entries[0].order, outcome: .applied(remote(Bin(id: "b"), 1))),
            MutationResult(order: first.entries[1].order, outcome: .refused(code: "Unauthorized", message: "no")),
        ])
        #expect(try core.nextMutations(limit: 10) == nil, "it is held with the refused create")
    }

    @Test("C16: what was made while nothing was sent goes parents first")
    func unsentParentsFirst() throws {
        let core = try StoreCore(
            schema: Schema(models: [Bin.schema, Zone.schema], enums: testSchema.enums), at: .memory,
            options: testOptions())
        try core.setPolicies(["Zone": .none, "Bin": .none], as: nil)
        try core.save(Zone(id: "z"), Bin(id: "b", zoneID: "z"))
        try core.setPolicies([:], as: nil)
        #expect(try core.outbox().map(\.id) == ["z", "b"])
    }

    @Test("C4: what depends on a parked create is held and the rest flows")
    func whatDependsOnAParkedCreateIsHeldAndTheRestFlows() throws {
        let core = try memoryCore()
        try core.save(Pass(id: "p1"), Entry(id: "e1", passID: "p1"), Pass(id: "p2"), Entry(id: "e2", passID: "p2"))
        let batch = try #require(try core.nextMutations(limit: 1))
        try core.settle([
            MutationResult(order: batch.entries[0].order, outcome: .refused(code: "Unauthorized", message: "not you"))
        ])
        #expect(try core.nextMutations(limit: 10)?.entries.map(\.id) == ["p2", "e2"])
        #expect(try core.nextMutations(limit: 10) == nil)
        #expect(try core.read { try $0.syncState(model: "Pass", id: "p1") } == .parked(reason: "Unauthorized: not you"))
        #expect(try core.read { try $0.syncState(model: "Entry", id: "e1") } == .queued)
        try core.write(as: nil) { try $0.retryOutbox(batch.entries[0].order) }
        #expect(try core.nextMutations(limit: 10)?.entries.map(\.id) == ["p1", "e1"])
    }

    @Test func aHeldRecordHoldsWhatRefersToItThoughLanesDiffer() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "z"), identity: "ann")
        try core.save(Bin(id: "b", zoneID: "z"), identity: "bob")
        // Ann's lane is busy, so the zone waits: the bin may not overtake it.
        #expect(try core.nextMutations(limit: 10, busy: ["ann"]) == nil)
        let batch = try #require(try core.nextMutations(limit: 10))
        #expect(batch.identity == "ann")
        #expect(try core.nextMutations(limit: 10) == nil, "the zone may still be refused")
        try core.settle([MutationResult(order: batch.entries[0].order, outcome: .applied(remote(Zone(id: "z"), 1)))])
        #expect(try core.nextMutations(limit: 10)?.entries.map(\.id) == ["b"])
    }

    @Test func aParkedUpdateHoldsOnlyItsOwnRecord() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(Zone(id: "z"), 1)])
        try core.save(Zone(id: "z", code: "new"))
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: .refused(code: "", message: "no"))])
        try core.save(Bin(id: "b", zoneID: "z"))
        try core.save(Zone(id: "z", code: "newer"))
        #expect(try core.nextMutations(limit: 10)?.entries.map(\.id) == ["b"])
        #expect(try core.nextMutations(limit: 10) == nil)
    }

    @Test("C31: a transient failure waits by the machines clock")
    func aTransientFailureWaitsByTheMachinesClock() throws {
        let time = ManualTimeSource()
        let core = try memoryCore { $0.time = time }
        try core.save(Zone(id: "z"))
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: .transient(reason: "503", delay: 2000))])
        #expect(try core.nextMutations(limit: 1) == nil)
        #expect(core.nextRetryDelay() == 2000)
        time.jump(milliseconds: 9_000_000)
        #expect(try core.nextMutations(limit: 1) == nil)
        time.advance(milliseconds: 2000)
        #expect(try core.nextMutations(limit: 1)?.entries.first?.attempts == 1)
    }

    @Test("D51: what was being sent is sent again after a reset")
    func whatWasBeingSentIsSentAgainAfterAReset() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "z"))
        let first = try #require(try core.nextMutations(limit: 1))
        try core.resetSending()
        #expect(core.outboxStatus == OutboxStatus(queued: 1))
        #expect(try core.nextMutations(limit: 1)?.entries.map(\.mutationID) == first.entries.map(\.mutationID))
    }

    @Test func theOutboxIsReadByIndexAndNeverSorted() throws {
        let core = try memoryCore()
        for text in [
            StoreSQL.lane, StoreSQL.nextLane, StoreSQL.entriesOfRecord, StoreSQL.otherEntriesOfRecord,
            StoreSQL.createOf, StoreSQL.hasEntries, StoreSQL.hasUnsentCreates,
            StoreCore.earlierText,
        ] {
            let plan = try core.connection.rows("EXPLAIN QUERY PLAN " + text.sql).compactMap { $0.last?.text }
            #expect(plan.allSatisfy { !$0.hasPrefix("SCAN") }, "\(text.sql): \(plan)")
        }
        let lane = try core.connection.rows("EXPLAIN QUERY PLAN " + StoreSQL.lane.sql).compactMap { $0.last?.text }
        #expect(lane.allSatisfy { !$0.contains("TEMP B-TREE") })
        let hold = try core.connection.rows("EXPLAIN QUERY PLAN " + StoreCore.holdText.sql).compactMap { $0.last?.text }
        let release = try core.connection.rows("EXPLAIN QUERY PLAN " + StoreCore.releaseText.sql)
            .compactMap { $0.last?.text }
        #expect(release.count { $0.contains("USING INDEX _outbox.holder (held=?)") } == 2, "\(release)")
        #expect(hold.contains { $0.hasPrefix("SEARCH _outbox USING INTEGER PRIMARY KEY") }, "\(hold)")
    }

    @Test("C12: a long outbox is read in small parts")
    func aLongOutboxIsReadInSmallParts() throws {
        let core = try memoryCore()
        try core.write(as: nil) { transaction in
            for number in 0..<5000 { try transaction.save(Zone(id: "z\(number)")) }
        }
        #expect(core.outboxStatus.queued == 5000)
        let statements = try core.connection.recordingStatements {
            let batch = try core.nextMutations(limit: 25)
            #expect(batch?.entries.count == 25)
        }
        #expect(statements.count < 60)
        #expect(try core.sendAll() == 4975)
    }

    @Test(
        "C12: ten thousand entries that are held for one record cost one look at it, and the free ones behind them go")
    func heldInFront() throws {
        let core = try memoryCore()
        try core.save(Pass(id: "p"))
        let pass = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: pass, outcome: .refused(code: "Invalid", message: "no"))])
        try core.write(as: nil) { transaction in
            for number in 0..<10_000 { try transaction.save(Entry(id: "e\(number)", passID: "p")) }
            for number in 0..<30 { try transaction.save(Zone(id: "z\(number)")) }
        }
        let statements = try core.connection.recordingStatements {
            let batch = try core.nextMutations(limit: 25)
            #expect(batch?.entries.map(\.model) == Array(repeating: "Zone", count: 25))
        }
        #expect(statements.count < 60, "\(statements.count)")
    }

    @Test func entriesWhoseParentsAreThereCostNoLookEach() throws {
        let core = try memoryCore()
        try core.save(Pass(id: "p"))
        #expect(try core.sendAll() == 1)
        try core.write(as: nil) { transaction in
            for number in 0..<50 { try transaction.save(Entry(id: "e\(number)", passID: "p")) }
        }
        let statements = try core.connection.recordingStatements {
            let batch = try core.nextMutations(limit: 50)
            #expect(batch?.entries.count == 50)
        }
        // One mark each; begin, commit, and a few looks for all of them.
        #expect(statements.count <= 50 + 12, "\(statements.count)")
    }
}

extension OutboxSendingTests {
    @Test("C4: a change that goes together with the create of its parent needs it, where the backend minds that")
    func needsItsParent() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "z"), Bin(id: "b", zoneID: "z"), Bin(id: "c"), identity: "ann")
        let orders = try core.outbox().map(\.order)
        let batch = try #require(try core.nextMutations(limit: 10))
        #expect(batch.entries.map(\.id) == ["z", "b", "c"])
        #expect(batch.needs == [orders[1]: [orders[0]]])
        try core.resetSending()
        let apart = try #require(try core.nextMutations(limit: 10, joinsParents: false))
        #expect(apart.entries.map(\.id) == ["z", "c"] && apart.needs.isEmpty)
        #expect(try core.nextMutations(limit: 10, joinsParents: false) == nil, "it may still be refused")
    }

    @Test("C4 C14: a unit needs what it refers to outside of itself, and says nothing of what is inside")
    func unitNeedsParent() throws {
        let core = try memoryCore()
        try core.write(as: nil) { tx in
            try tx.save(Zone(id: "before"))
            try tx.sentAsOne {
                try tx.save(Zone(id: "inside"))
                try tx.save(Bin(id: "a", zoneID: "inside"))
                try tx.save(Bin(id: "b", zoneID: "before"))
            }
        }
        let orders = try core.outbox().map(\.order)
        let batch = try #require(try core.nextMutations(limit: 10))
        #expect(batch.entries.map(\.order) == orders)
        #expect(batch.needs == [orders[3]: [orders[0]]])
        try core.resetSending()
        let apart = try #require(try core.nextMutations(limit: 10, joinsParents: false))
        #expect(apart.entries.map(\.id) == ["before"])
    }

    @Test("C4: records that name each other, or whose parent was made after them, wait for nothing that waits for them")
    func namedBefore() throws {
        let core = try memoryCore { $0.checksParents = false }
        try core.save(Bin(id: "b", zoneID: "z"), Zone(id: "z"))
        #expect(try core.nextMutations(limit: 10)?.entries.map(\.id) == ["b", "z"])
    }
}
