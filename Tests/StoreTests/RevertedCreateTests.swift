import Basics
import Models
import Testing

@testable import DataStore

/// What belongs to a record holds its create only where the record would exist nowhere without it.
@Suite("A create taken back, with records that belong to its record")
struct RevertedCreateTests {
    private static let exists = MutationResult.Outcome.refused(
        code: "ConditionalCheckFailedException", message: "The conditional request failed")

    @Test("C4: gives way to the record that the backend has under its key, and what waited for it goes")
    func naturalKey() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "z", code: "ours"), Bin(id: "b", zoneID: "z"))
        try core.applyPage(model: "Zone", items: [remote(Zone(id: "z", code: "theirs"), 1)], mark: nil)
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: Self.exists)])
        #expect(try core.nextMutations(limit: 10) == nil)
        #expect(try core.write(as: nil) { try $0.revertOutbox(order) } == [order])
        #expect(try core.read { try $0.get(Zone.self, id: "z") }?.code == "theirs")
        #expect(try core.read { try $0.syncState(model: "Zone", id: "z") } == .synced(version: 1))
        #expect(try core.nextMutations(limit: 10)?.entries.map(\.id) == ["b"])
    }

    @Test("C4: so it does where that record is not known here but by the refusal, which says what helps")
    func unknownThere() throws {
        for outcome in [Self.exists, .conflict(remote(Zone(id: "z", code: "theirs"), 1))] {
            let core = try memoryCore()
            // Evicted, and made again by somebody who did not see it.
            try core.applyRemote([remote(Zone(id: "z", code: "theirs"), 1)])
            #expect(try core.evict(model: "Zone", where: .all) == 1)
            try core.save(Zone(id: "z", code: "ours"), Bin(id: "b", zoneID: "z"))
            let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
            try core.settle([MutationResult(order: order, outcome: outcome)])
            try core.write(as: nil) { _ = try $0.revertOutbox(order) }
            #expect(try core.read { try $0.get(Zone.self, id: "z") } == nil)
            #expect(try core.read { try $0.orphanCount(model: "Bin") } == 1)
            #expect(try core.nextMutations(limit: 10)?.entries.map(\.id) == ["b"])
        }
        let told = Locked<[String]>([])
        let core = try memoryCore { options in
            options.errorHandler = { problem in told.withLock { $0.append(problem.recovery) } }
        }
        try core.save(Zone(id: "z"))
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: Self.exists)])
        #expect(told.current == ["revert outbox entry \(order) to keep the record that the backend has"])
    }

    @Test("C4: is kept where the backend has none under its key, or deleted that")
    func nowhere() throws {
        let deleted = "a record with this id was deleted; use a new id"
        for (code, message) in [("Unauthorized", "no"), ("ConditionalCheckFailedException", deleted)] {
            let core = try memoryCore()
            try core.save(Zone(id: "z"), Bin(id: "b", zoneID: "z"))
            let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
            try core.settle([MutationResult(order: order, outcome: .refused(code: code, message: message))])
            let before = try core.outbox()
            let error = #expect(throws: StoreError.self) {
                try core.write(as: nil) { _ = try $0.revertOutbox(order) }
            }
            #expect(error?.description.contains("Bin b belongs to its record") == true)
            #expect(try core.outbox() == before)
            #expect(try core.read { try $0.count(Zone.self) } == 1)
        }
    }

    @Test("C4: is kept where its record is deleted here, and the delete of one that belongs to it was taken back")
    func deletedHere() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "z"), Bin(id: "b", zoneID: "z"))
        // What may have arrived stays, with the deletes behind it.
        let sent = try #require(try core.nextMutations(limit: 2)?.entries.map(\.order))
        try core.settle(sent.map { MutationResult(order: $0, outcome: .transient(reason: "no link", delay: 0)) })
        try core.write(as: nil) { _ = try $0.delete(Zone.self, id: "z") }
        let child = try #require(try core.outbox().first { $0.kind == .delete && $0.model == "Bin" })
        try core.write(as: nil) { _ = try $0.revertOutbox(child.order) }
        let before = try core.outbox()
        #expect(before.map(\.kind) == [.create, .create, .delete])
        let error = #expect(throws: StoreError.self) {
            try core.write(as: nil) { _ = try $0.revertOutbox(sent[0]) }
        }
        #expect(error?.description.contains("Bin b belongs to its record") == true)
        #expect(try core.outbox() == before)
        try core.write(as: nil) { _ = try $0.revertOutbox(sent[1]) }
        #expect(try core.write(as: nil) { try $0.revertOutbox(sent[0]) } == [sent[0], before[2].order])
    }

    @Test("C4: is kept where the record that it met has been deleted since")
    func deletedSince() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "z"), Bin(id: "b", zoneID: "z"))
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.applyRemote([remote(Zone(id: "z", code: "theirs"), 2, deleted: true)])
        try core.settle([MutationResult(order: order, outcome: Self.exists)])
        let error = #expect(throws: StoreError.self) {
            try core.write(as: nil) { _ = try $0.revertOutbox(order) }
        }
        #expect(error?.description.contains("Bin b belongs to its record") == true)
        #expect(try core.read { try $0.count(Zone.self) } == 1)
    }

    @Test("C14: a transaction that makes a record and moves an older one into it is taken back whole")
    func movedInto() throws {
        for id in ["new", "b"] {
            let core = try memoryCore()
            try core.applyRemote([remote(Zone(id: "old"), 1), remote(Bin(id: "b", zoneID: "old"), 1)])
            try core.write(as: nil) { tx in
                try tx.sentAsOne {
                    try tx.save(Zone(id: "new"))
                    try tx.save(Bin(id: "b", zoneID: "new"))
                }
            }
            let batch = try #require(try core.nextMutations(limit: 10))
            try core.settle(
                batch.entries.map {
                    MutationResult(order: $0.order, outcome: .refused(code: "Unauthorized", message: "no"))
                })
            let order = try #require(try core.outbox().first { $0.id == id }).order
            let unit = try core.outbox().map(\.order)
            #expect(try core.write(as: nil) { try $0.revertOutbox(order, wholeUnit: true) } == unit)
            #expect(try core.bin("b") == Bin(id: "b", zoneID: "old"))
            #expect(try core.read { try $0.count(Zone.self) } == 1)
            #expect(core.outboxStatus.isEmpty)
        }
    }

    @Test("C14: what others moved into the record since holds it, and then nothing is taken back")
    func movedIntoSince() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "b"), 1), remote(Bin(id: "c"), 1)])
        try core.write(as: nil) { tx in
            try tx.sentAsOne {
                try tx.save(Zone(id: "new"))
                try tx.save(Bin(id: "b", zoneID: "new"))
            }
        }
        try core.save(Bin(id: "c", zoneID: "new"))
        let before = try core.outbox()
        let error = #expect(throws: StoreError.self) {
            try core.write(as: nil) { _ = try $0.revertOutbox(before[0].order, wholeUnit: true) }
        }
        #expect(error?.description.contains("Bin c belongs to its record") == true)
        #expect(try core.outbox() == before)
        #expect(try core.bin("b")?.zoneID == "new")
        #expect(core.outboxStatus == OutboxStatus(queued: 3))
    }

    @Test("C4: what the backend itself has under a record that it does not have keeps nothing here")
    func strayThere() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "stray", zoneID: "z"), 1)])
        try core.save(Zone(id: "z"))
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: .refused(code: "Unauthorized", message: "no"))])
        try core.write(as: nil) { _ = try $0.revertOutbox(order) }
        #expect(try core.read { try $0.count(Zone.self) } == 0)
        #expect(try core.read { try $0.orphanCount(model: "Bin") } == 1)
    }
}
