import Basics
import Models
import Testing

@testable import DataStore

@Suite struct OutboxActsTests {
    private let bin = Bin(id: "b", place: 1, note: "n")

    private func parkedUpdate() throws -> (StoreCore, Int64) {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 1)])
        try core.save(bin.with { $0.place = 2 }, identity: "ann")
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: .refused(code: "Invalid", message: "place"))])
        return (core, order)
    }

    @Test("C2: the difference shows base sent here and there")
    func theDifferenceShowsBaseSentHereAndThere() throws {
        let (core, order) = try parkedUpdate()
        try core.applyRemote([remote(bin.with { $0.place = 5 }, 2)])
        let differences = try core.read { try $0.difference(try #require(try $0.outboxEntry(order))) }
        #expect(differences == [OutboxDifference(field: "place", base: 1, sent: 2, local: 2, remote: 5)])
    }

    @Test("an edit names no parent that is not here, as a save may not")
    func anEditIsHeldToItsParents() throws {
        let (core, order) = try parkedUpdate()
        let missing = StoreError.missingParent(
            model: "Bin", id: "b", field: "zoneID", parent: "Zone", parentID: "nowhere")
        #expect(throws: missing) {
            try core.write(as: nil) { try $0.editOutbox(order, fields: ["zoneID": "nowhere"]) }
        }
        #expect(try core.outbox().first?.fields == ["place": 2])
        try core.save(Zone(id: "z"))
        try core.write(as: nil) { try $0.editOutbox(order, fields: ["zoneID": "z"]) }
        #expect(try core.bin("b")?.zoneID == "z")
        try core.save(Bin(id: "new"))
        let create = try #require(try core.outbox().last?.order)
        #expect(throws: StoreError.self) {
            try core.write(as: nil) { try $0.editOutbox(create, fields: ["zoneID": "nowhere"]) }
        }
    }

    @Test func aRevertedUpdateShowsTheBackendsRecord() throws {
        let (core, order) = try parkedUpdate()
        try core.write(as: nil) { try $0.revertOutbox(order) }
        #expect(try core.bin("b") == bin)
        #expect(core.outboxStatus.isEmpty)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 1))
    }

    @Test func aRevertKeepsLaterChanges() throws {
        let (core, order) = try parkedUpdate()
        try core.save(
            bin.with {
                $0.place = 3; $0.note = "later"
            })
        try core.write(as: nil) { try $0.revertOutbox(order) }
        #expect(
            try core.bin("b")
                == bin.with {
                    $0.place = 3; $0.note = "later"
                })
        let left = try core.outbox()
        #expect(left.count == 1)
        #expect(left[0].base == ["place": 1, "note": "n"] && left[0].baseVersion == 1)
    }

    @Test func aRevertedCreateTakesTheRecordAndWhatFollowedIt() throws {
        let core = try memoryCore()
        try core.save(bin)
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: .refused(code: "", message: "no"))])
        try core.save(bin.with { $0.place = 2 })
        try core.write(as: nil) { try $0.revertOutbox(order) }
        #expect(try core.bin("b") == nil)
        #expect(try core.outbox().isEmpty)
        #expect(core.outboxStatus.isEmpty)
    }

    @Test func aRevertedDeleteBringsTheRecordBack() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 4)])
        try core.write(as: nil) { try $0.delete(Bin.self, id: "b") }
        let order = try core.outbox()[0].order
        try core.write(as: nil) { try $0.revertOutbox(order) }
        #expect(try core.bin("b") == bin)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 4))
    }

    @Test("C2: an edit sends other values as a new mutation")
    func anEditSendsOtherValuesAsANewMutation() throws {
        let (core, order) = try parkedUpdate()
        let old = try core.outbox()[0].mutationID
        try core.write(as: nil) { try $0.editOutbox(order, fields: ["place": 8, "note": "fixed"]) }
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(entry.fields == ["place": 8, "note": "fixed"])
        #expect(entry.base == ["place": 1, "note": "n"])
        #expect(entry.mutationID != old && entry.identity == "ann")
        #expect(
            try core.bin("b")
                == bin.with {
                    $0.place = 8; $0.note = "fixed"
                })
    }

    @Test func anEditIsCheckedLikeASave() throws {
        let (core, order) = try parkedUpdate()
        for fields: JSONObject in [["place": "x"], ["code": nil], ["id": "c"], ["nothing": 1], ["shape": "cave"]] {
            #expect(throws: StoreError.self) { try core.write(as: nil) { try $0.editOutbox(order, fields: fields) } }
        }
        #expect(core.outboxStatus == OutboxStatus(parked: 1))
    }

    @Test func createOnlyModelsRefuseEditAndRevertButNotRetry() throws {
        let core = try memoryCore()
        try core.save(Pass(id: "p"))
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: .refused(code: "", message: "no"))])
        let refusal = StoreError.createOnly(model: "Pass", id: "p")
        #expect(throws: refusal) { try core.write(as: nil) { try $0.revertOutbox(order) } }
        #expect(throws: refusal) { try core.write(as: nil) { try $0.editOutbox(order, fields: [:]) } }
        try core.write(as: nil) { try $0.retryOutbox(order) }
        #expect(core.outboxStatus == OutboxStatus(queued: 1))
    }

    @Test func whatIsBeingSentIsLeftAlone() throws {
        let core = try memoryCore()
        try core.save(bin)
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        #expect(throws: StoreError.self) { try core.write(as: nil) { try $0.revertOutbox(order) } }
        #expect(throws: StoreError.unknownEntry(99)) { try core.write(as: nil) { try $0.retryOutbox(99) } }
    }

    @Test("D49 D100: lists by state and identity")
    func listsByStateAndIdentity() throws {
        let (core, _) = try parkedUpdate()
        try core.save(Zone(id: "z"), identity: "bob")
        #expect(try core.read { try $0.outbox(state: .parked) }.map(\.model) == ["Bin"])
        #expect(try core.read { try $0.outbox(state: .queued) }.map(\.model) == ["Zone"])
        #expect(try core.read { try $0.outbox(identity: .some("bob")) }.map(\.model) == ["Zone"])
        #expect(
            try core.read { try $0.unsentCounts() }.map { "\($0.identity ?? "-") \($0.count)" } == ["ann 1", "bob 1"])
        #expect(try core.read { try $0.outboxStatus(identity: .some("ann")) } == OutboxStatus(parked: 1))
    }

    @Test func anExportedOutboxIsTakenInOnce() throws {
        let (core, _) = try parkedUpdate()
        try core.save(Pass(id: "p"), Entry(id: "e", passID: "p", quantity: 3), identity: "bob")
        let lines = try core.read { try $0.exportOutbox() }.lines
        #expect(lines.count == 3)
        let other = try memoryCore { $0.random = SeededRandom(seed: 99) }
        try other.applyRemote([remote(bin, 1)])
        #expect(try other.write(as: nil) { try $0.importOutbox(lines) } == 3)
        #expect(try other.write(as: nil) { try $0.importOutbox(lines) } == 0)
        #expect(try other.read { try $0.get(Entry.self, id: "e") }?.quantity == 3)
        #expect(try other.bin("b")?.place == 2)
        #expect(try other.outbox().map(\.mutationID) == core.outbox().map(\.mutationID))
        #expect(try other.outbox().map(\.identity) == ["ann", "bob", "bob"])
        #expect(other.outboxStatus == OutboxStatus(queued: 2, parked: 1))
    }

    @Test func aWrongLineIsNamedAndNothingIsTakenIn() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "z"))
        let lines = try core.read { try $0.exportOutbox() }.lines
        let other = try memoryCore()
        #expect(throws: StoreError.invalidImport(line: 2, reason: "this is no outbox entry: rubbish")) {
            try other.write(as: nil) { try $0.importOutbox(lines + ["rubbish"]) }
        }
        #expect(other.outboxStatus.isEmpty)
    }

    @Test("C2: an edited create whose first form may have arrived is deleted there too")
    func editedAndDeleted() throws {
        let core = try memoryCore()
        try core.save(bin)
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: .transient(reason: "no answer", delay: 0))])
        try core.write(as: nil) { try $0.editOutbox(order, fields: ["place": 7]) }
        try core.write(as: nil) { _ = try $0.delete(model: "Bin", id: "b") }
        #expect(try core.outbox().map(\.kind) == [.create, .delete])
    }

    @Test("C2: a create is not taken back from under what belongs to it")
    func revertedParent() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "z"))
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: .refused(code: "Invalid", message: "no"))])
        try core.save(Bin(id: "b", zoneID: "z"))
        let error = #expect(throws: StoreError.self) { try core.write(as: nil) { try $0.revertOutbox(order) } }
        #expect(error?.description.contains("Bin b belongs to its record") == true)
        #expect(try core.outbox().map(\.state) == [.parked, .queued])
        try core.save(Bin(id: "b"))
        try core.write(as: nil) { try $0.revertOutbox(order) }
        #expect(try core.read { try $0.count(Zone.self) } == 0)
        #expect(try core.outbox().map(\.id) == ["b"])
    }

    @Test("C2 C14: what was to go as one goes as one from the store that it is imported into")
    func importedUnit() throws {
        let core = try memoryCore()
        try core.write(as: "ann") { tx in
            try tx.sentAsOne {
                for id in ["a", "b"] { try tx.save(Zone(id: id)) }
            }
            try tx.save(Zone(id: "c"))
        }
        let lines = try core.read { try $0.exportOutbox() }.lines
        let other = try memoryCore { $0.random = SeededRandom(seed: 9) }
        #expect(try other.write(as: nil) { try $0.importOutbox(lines) } == 3)
        let batch = try #require(try other.nextMutations(limit: 10))
        let units = batch.entries.map { batch.units[$0.order] }
        #expect(batch.entries.map(\.id) == ["a", "b", "c"])
        #expect(units[0] != nil && units[0] == units[1] && units[2] == nil)
    }

    @Test("C2: an imported create may have been sent by the other store, so deleting its record is sent too")
    func importedAndDeleted() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "z"))
        let lines = try core.read { try $0.exportOutbox() }.lines
        let other = try memoryCore { $0.random = SeededRandom(seed: 9) }
        try other.write(as: nil) { tx in
            _ = try tx.importOutbox(lines)
            _ = try tx.delete(model: "Zone", id: "z")
        }
        #expect(try other.outbox().map(\.kind) == [.create, .delete])
    }

    @Test("C2: what may have arrived stays as it was sent, and an edit of it is a change made after it")
    func editedInDoubt() throws {
        for isCreate in [true, false] {
            let core = try memoryCore()
            if !isCreate { try core.applyRemote([remote(bin, 1)]) }
            try core.save(bin.with { $0.place = 2 }, identity: "ann")
            let sent = try #require(try core.nextMutations(limit: 1)?.entries.first)
            try core.settle([MutationResult(order: sent.order, outcome: .transient(reason: "cut", delay: 0))])
            try core.write(as: nil) { try $0.editOutbox(sent.order, fields: ["place": 8]) }
            #expect(try core.bin("b")?.place == 8)
            let left = try core.outbox()
            #expect(left.map(\.kind) == [sent.kind, .update])
            #expect(left[0].mutationID == sent.mutationID && left[0].fields == sent.fields)
            #expect(left[1].fields == ["place": 8] && left[1].base == ["place": 2] && left[1].identity == "ann")
            var conflicts = 0
            core.onEvent = { if case .conflict = $0 { conflicts += 1 } }
            let again = try #require(try core.nextMutations(limit: 2)?.entries)
            #expect(again.map(\.mutationID) == [sent.mutationID])
            try core.settle([
                MutationResult(order: sent.order, outcome: .applied(remote(bin.with { $0.place = 2 }, 4)))
            ])
            let next = try #require(try core.nextMutations(limit: 1)?.entries.first)
            #expect(next.fields == ["place": 8] && next.base == ["place": 2] && next.baseVersion == 4)
            try core.settle([
                MutationResult(order: next.order, outcome: .applied(remote(bin.with { $0.place = 8 }, 5)))
            ])
            #expect(try core.bin("b")?.place == 8)
            #expect(conflicts == 0 && core.outboxStatus.isEmpty)
        }
    }

    @Test(
        "C2: what may have arrived is not edited where a later change has the same field, nor changed by what it says")
    func editedUnderAnother() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 1)])
        try core.save(bin.with { $0.place = 2 })
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: .transient(reason: "cut", delay: 0))])
        try core.save(bin.with { $0.place = 3 })
        let before = try core.outbox()
        let error = #expect(throws: StoreError.self) {
            try core.write(as: nil) { try $0.editOutbox(order, fields: ["place": 8]) }
        }
        #expect(error?.description.contains("a later change has place too") == true)
        try core.write(as: nil) { try $0.editOutbox(order, fields: ["place": 2]) }
        #expect(try core.outbox() == before)
        // Another field joins what waits behind.
        try core.write(as: nil) { try $0.editOutbox(order, fields: ["note": "fixed"]) }
        #expect(try core.outbox().map(\.fields) == [["place": 2], ["place": 3, "note": "fixed"]])
        #expect(try core.bin("b") == bin.with { ($0.place, $0.note) = (3, "fixed") })
    }

    @Test("C2: a change under a condition that may have arrived is not edited, for its edit would be without")
    func conditionInDoubt() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 1)])
        try core.write(as: nil) {
            try $0.save(bin.with { $0.place = 2 }, where: Field<Bin, Int>("place") == 1)
        }
        let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
        try core.settle([MutationResult(order: order, outcome: .transient(reason: "cut", delay: 0))])
        let before = try core.outbox()
        let error = #expect(throws: StoreError.self) {
            try core.write(as: nil) { try $0.editOutbox(order, fields: ["place": 8]) }
        }
        #expect(error?.description.contains("it has a condition") == true)
        #expect(try core.outbox() == before)
    }

    @Test("C2: what was refused counts no try when it is sent again; one before it that was not answered does")
    func triesInDoubt() throws {
        for doubts in [0, 1] {
            let core = try memoryCore()
            try core.save(bin)
            for _ in 0..<doubts {
                let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
                try core.settle([MutationResult(order: order, outcome: .transient(reason: "cut", delay: 0))])
            }
            let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
            try core.settle([MutationResult(order: order, outcome: .refused(code: "Unauthorized", message: "no"))])
            #expect(try core.outbox().map(\.attempts) == [doubts + 1])
            // What another store takes in knows as much.
            let lines = try core.read { try $0.exportOutbox() }.lines
            let other = try memoryCore()
            try other.write(as: nil) { _ = try $0.importOutbox(lines) }
            #expect(try other.outbox().map(\.attempts) == [doubts + 1])
            try core.write(as: nil) { try $0.retryOutbox(order) }
            #expect(try core.outbox().map(\.attempts) == [doubts])
        }
    }

    @Test("C2: an edit of what was refused after all, and is there by an earlier try, is a change of what is there")
    func editedAndThere() throws {
        for isCreate in [true, false] {
            let core = try memoryCore()
            if !isCreate { try core.applyRemote([remote(bin, 1)]) }
            try core.save(bin.with { $0.place = 2 })
            let order = try #require(try core.nextMutations(limit: 1)?.entries.first?.order)
            try core.settle([MutationResult(order: order, outcome: .transient(reason: "cut", delay: 0))])
            _ = try core.nextMutations(limit: 1)
            try core.settle([MutationResult(order: order, outcome: .refused(code: "Unauthorized", message: "no"))])
            try core.applyRemote([remote(bin.with { $0.place = 2 }, 2)])
            try core.write(as: nil) { try $0.editOutbox(order, fields: ["place": 8]) }
            let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
            #expect(entry.kind == .update && entry.fields == ["place": 8])
            #expect(entry.base == ["place": 2] && entry.baseVersion == 2)
            #expect(try core.bin("b")?.place == 8)
        }
    }

    @Test("C2: edited or taken back over a record that the backend has deleted, the rest of what waits stays visible")
    func deletedThere() throws {
        let (core, order) = try parkedUpdate()
        try core.applyRemote([remote(bin, 2, deleted: true)])
        try core.write(as: nil) { try $0.editOutbox(order, fields: ["place": 8]) }
        #expect(try core.bin("b")?.place == 8)
        #expect(core.outboxStatus == OutboxStatus(queued: 1))

        let (other, first) = try parkedUpdate()
        try other.save(bin.with { ($0.place, $0.note) = (2, "later") })
        try other.applyRemote([remote(bin, 2, deleted: true)])
        try other.write(as: nil) { _ = try $0.revertOutbox(first) }
        #expect(try other.bin("b") == bin.with { $0.note = "later" })
        let last = try #require(try other.outbox().first).order
        try other.write(as: nil) { _ = try $0.revertOutbox(last) }
        #expect(try other.bin("b") == nil)
    }
}
