import Basics
import Models
import Testing

@testable import DataStore

/// What a person does to one change of a transaction that goes as one.
@Suite("A transaction that goes as one, in a person's hands")
struct UnitActsTests {
    /// A unit of a zone, a bin in it and a change of a bin that the backend has, before and after which others wait.
    private func makeCore(sending: Bool = false) throws -> StoreCore {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "old", place: 1), 3)])
        try core.save(Zone(id: "before"), identity: "ann")
        try core.write(as: "ann") { tx in
            try tx.sentAsOne {
                try tx.save(Zone(id: "z"))
                try tx.save(Bin(id: "b", zoneID: "z"))
                try tx.save(Bin(id: "old", place: 2))
            }
        }
        try core.save(Zone(id: "after"), identity: "ann")
        return core
    }

    private func order(_ id: String, _ core: StoreCore) throws -> Int64 {
        try #require(try core.outbox().first { $0.id == id }).order
    }

    private func refuse(_ core: StoreCore) throws {
        let batch = try #require(try core.nextMutations(limit: 10))
        try core.settle(
            batch.entries.map { entry in
                if batch.units[entry.order] == nil {
                    return MutationResult(order: entry.order, outcome: .transient(reason: "later", delay: 0))
                }
                return MutationResult(
                    order: entry.order,
                    outcome: entry.id == "b"
                        ? .refused(code: "Invalid", message: "no") : .transient(reason: "cancelled", delay: 0))
            })
    }

    @Test("C2 C14: a part of it is not taken back alone, whichever; it is said what goes with it, and nothing changes")
    func refusedRevert() throws {
        for isParked in [false, true] {
            let core = try makeCore()
            if isParked { try refuse(core) }
            let before = try core.outbox()
            let unit = try ["z", "b", "old"].map { try order($0, core) }
            for (id, others) in [("z", [1, 2]), ("b", [0, 2]), ("old", [0, 1])] {
                let number = try order(id, core)
                let error = #expect(throws: StoreError.partOfUnit(number, others: others.map { unit[$0] })) {
                    try core.write(as: nil) { _ = try $0.revertOutbox(number) }
                }
                #expect(error?.description.contains("half of a transaction") == true)
            }
            #expect(try core.outbox() == before)
            #expect(try core.read { try $0.unit(of: unit[1]).map(\.order) } == unit)
            #expect(try core.read { try $0.unit(of: before[0].order).map(\.order) } == [before[0].order])
        }
    }

    @Test("C2 C14: it is taken back whole, and what is not of it stays", arguments: ["z", "b", "old"])
    func wholeRevert(id: String) throws {
        let core = try makeCore()
        try refuse(core)
        let unit = try ["z", "b", "old"].map { try order($0, core) }
        let number = try order(id, core)
        #expect(try core.write(as: nil) { try $0.revertOutbox(number, wholeUnit: true) } == unit)
        #expect(try core.outbox().map(\.id) == ["before", "after"])
        #expect(try core.read { try $0.count(Zone.self) } == 2)
        #expect(try core.bin("b") == nil)
        #expect(try core.bin("old")?.place == 1)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "old") } == .synced(version: 3))
        #expect(core.outboxStatus == OutboxStatus(queued: 2))
        #expect(try core.connection.value("SELECT count(*) FROM _unit") == .integer(0))
    }

    @Test("C2 C14: a create is not taken back from under a transaction that goes as one, but with it")
    func revertedBefore() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "a"))
        try core.write(as: nil) { tx in
            try tx.sentAsOne {
                try tx.save(Zone(id: "a", code: "changed"))
                try tx.save(Zone(id: "other"))
            }
        }
        let orders = try core.outbox().map(\.order)
        #expect(throws: StoreError.partOfUnit(orders[0], others: [orders[1], orders[2]])) {
            try core.write(as: nil) { _ = try $0.revertOutbox(orders[0]) }
        }
        #expect(try core.write(as: nil) { try $0.revertOutbox(orders[0], wholeUnit: true) } == orders)
        #expect(try core.read { try $0.count(Zone.self) } == 0)
        #expect(try core.outbox().isEmpty)
    }

    @Test("C2 C14: with a record of a create-only model in it, it is not taken back at all")
    func createOnly() throws {
        let core = try memoryCore()
        try core.write(as: nil) { tx in
            try tx.sentAsOne {
                try tx.save(Zone(id: "z"))
                try tx.save(Pass(id: "p"))
            }
        }
        let number = try order("z", core)
        for isWhole in [false, true] {
            let error = #expect(throws: StoreError.self) {
                try core.write(as: nil) { _ = try $0.revertOutbox(number, wholeUnit: isWhole) }
            }
            #expect(error?.description.contains("Pass p goes as one with it") == true)
        }
        #expect(core.outboxStatus == OutboxStatus(queued: 2))
    }

    @Test("C2 C14: what belongs to a record of it holds it, and what is sent cannot be taken back")
    func held() throws {
        let core = try makeCore()
        try core.save(Bin(id: "child", zoneID: "z"))
        let other = try order("b", core)
        let error = #expect(throws: StoreError.self) {
            try core.write(as: nil) { _ = try $0.revertOutbox(other, wholeUnit: true) }
        }
        #expect(error?.description.contains("Bin child belongs to Zone z") == true)
        #expect(try core.outbox().count == 6)
        _ = try core.nextMutations(limit: 10)
        let number = try order("z", core)
        #expect(throws: StoreError.self) {
            try core.write(as: nil) { _ = try $0.revertOutbox(number, wholeUnit: true) }
        }
    }

    @Test("C2 C14: it is retried whole, by whichever of its changes; an edit of one sends all of it again")
    func retried() throws {
        for isEdited in [false, true] {
            let core = try makeCore()
            try refuse(core)
            #expect(core.outboxStatus == OutboxStatus(queued: 2, parked: 3))
            let number = try order("b", core)
            try core.write(as: nil) { tx in
                if isEdited {
                    try tx.editOutbox(number, fields: ["code": "mended"])
                } else {
                    try tx.retryOutbox(number)
                }
            }
            #expect(core.outboxStatus == OutboxStatus(queued: 5))
            let batch = try #require(try core.nextMutations(limit: 10))
            #expect(Set(batch.units.keys) == Set(try ["z", "b", "old"].map { try order($0, core) }))
            #expect(Set(batch.units.values).count == 1)
            #expect(try core.bin("b")?.code == (isEdited ? "mended" : "B"))
        }
    }

    @Test("C2 C14: while it may have arrived no part of it is edited")
    func editedInDoubt() throws {
        let core = try makeCore()
        let number = try order("b", core)
        try core.write(as: nil) { try $0.editOutbox(number, fields: ["code": "early"]) }
        #expect(try core.bin("b")?.code == "early", "before it was ever sent there is no doubt")
        let batch = try #require(try core.nextMutations(limit: 10))
        try core.settle(
            batch.entries.map { MutationResult(order: $0.order, outcome: .transient(reason: "cut", delay: 0)) })
        let before = try core.outbox()
        let error = #expect(throws: StoreError.self) {
            try core.write(as: nil) { try $0.editOutbox(number, fields: ["code": "late"]) }
        }
        #expect(error?.description.contains("may have arrived") == true)
        #expect(try core.outbox() == before)
    }

    @Test("C14: deleting a record that it makes comes after it, and takes nothing out of it")
    func deleted() throws {
        for isParked in [false, true] {
            let core = try makeCore()
            if isParked { try refuse(core) }
            let unit = try ["z", "b", "old"].map { try order($0, core) }
            try core.write(as: "ann") { _ = try $0.delete(model: "Bin", id: "b") }
            #expect(try core.read { try $0.unit(of: unit[0]).map(\.order) } == unit)
            #expect(try core.outbox().filter { $0.id == "b" }.map(\.kind) == [.create, .delete])
            if isParked {
                let gone = try core.write(as: nil) { try $0.revertOutbox(unit[0], wholeUnit: true) }
                #expect(gone.count == 4, "the delete has nothing to delete any more")
                #expect(try core.outbox().map(\.id) == ["before", "after"])
            } else {
                try core.sendAll()
                #expect(core.outboxStatus.isEmpty)
            }
            #expect(try core.bin("b") == nil)
        }
    }

    // MARK: To another store

    private func exported() throws -> [String] { try makeCore().read { try $0.exportOutbox() }.lines }

    private func otherStore() throws -> StoreCore { try memoryCore { $0.random = SeededRandom(seed: 99) } }

    @Test("C2 C14: a file that holds only a part of it is refused, and nothing of it is taken in")
    func partOfAFile() throws {
        let lines = try exported()
        for missing in 1...3 {
            var some = lines
            some.remove(at: missing)
            let other = try otherStore()
            let error = #expect(throws: StoreError.self) { try other.write(as: nil) { try $0.importOutbox(some) } }
            #expect(error?.description.contains("1 more changes go as one with it") == true)
            #expect(other.outboxStatus.isEmpty)
            #expect(try other.read { try $0.count(Zone.self) } == 0)
        }
    }

    @Test("C2 C14: it is taken in whole though records of it are here, or are not; the backend judges it as one")
    func overRecords() throws {
        let lines = try exported()
        let other = try otherStore()
        // A record of the same key as one that it makes is here, and the one that it changes is not.
        try other.applyRemote([remote(Zone(id: "z", code: "theirs"), 8)])
        #expect(try other.write(as: nil) { try $0.importOutbox(lines) } == 5)
        let unit = try ["z", "b", "old"].map { try order($0, other) }
        #expect(try other.read { try $0.unit(of: unit[0]).map(\.order) } == unit)
        #expect(try other.read { try $0.get(Zone.self, id: "z") }?.code == "Z")
        #expect(try other.bin("old") == nil)
        try refuse(other)
        #expect(other.outboxStatus == OutboxStatus(queued: 2, parked: 3))
        try other.write(as: nil) { _ = try $0.revertOutbox(unit[2], wholeUnit: true) }
        #expect(try other.read { try $0.get(Zone.self, id: "z") }?.code == "theirs")
        #expect(try other.read { try $0.syncState(model: "Zone", id: "z") } == .synced(version: 8))
        #expect(try other.bin("b") == nil && other.bin("old") == nil)
    }

    @Test("C2 C14: it is passed over whole where any of it waits here already")
    func alreadyHere() throws {
        let core = try makeCore()
        let lines = try core.read { try $0.exportOutbox() }.lines
        let number = try order("b", core)
        try core.write(as: nil) { try $0.editOutbox(number, fields: ["code": "mended"]) }
        let before = try core.outbox()
        #expect(try core.write(as: nil) { try $0.importOutbox(lines) } == 0)
        #expect(try core.outbox() == before)
    }
}
