import Basics
import Models
import Testing

@testable import DataStore

@Suite struct StoreSaveTests {
    @Test("C3: a new record costs one row and one outbox entry")
    func aNewRecordCostsOneRowAndOneOutboxEntry() throws {
        let core = try memoryCore()
        try core.save(Pass(id: "p"))
        let statements = try core.connection.recordingStatements {
            try core.save(Entry(id: "e0", passID: "p"))
            try core.save(Entry(id: "e", passID: "p"))
        }
        let second = statements.suffix(4)
        #expect(second.count == 4)
        #expect(second.first == "BEGIN IMMEDIATE" && second.last == "COMMIT")
        #expect(second.dropFirst().first?.hasPrefix("INSERT INTO \"Entry\"") ?? false)
        #expect(second.dropFirst(2).first?.hasPrefix("INSERT INTO \"_outbox\"") ?? false)
    }

    @Test func anUpdateSendsOnlyWhatChangedWithItsBase() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "b", code: "A", place: 1, note: "old"), 4)])
        try core.save(Bin(id: "b", code: "A", place: 2, note: nil))
        let entry = try #require(try core.outbox().first)
        #expect(entry.kind == .update)
        #expect(entry.baseVersion == 4)
        #expect(entry.fields == ["place": 2, "note": nil])
        #expect(entry.base == ["place": 1, "note": "old"])
    }

    @Test func aRecordEqualToTheOneKeptChangesNothing() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "b"), 1)])
        var told = 0
        _ = core.addObserver { _ in told += 1 }
        try core.save(Bin(id: "b"))
        #expect(try core.outbox().isEmpty)
        #expect(told == 0)
    }

    @Test("D57: read only fields of the backend survive a local save")
    func readOnlyFieldsOfTheBackendSurviveALocalSave() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "b").with { $0.updatedAt = DateTime(milliseconds: 5) }, 1)])
        try core.save(Bin(id: "b", place: 9))
        #expect(try core.bin("b")?.updatedAt == DateTime(milliseconds: 5))
        #expect(try core.outbox().first?.fields == ["place": 9])
    }

    @Test("D18: a missing required field is named")
    func aMissingRequiredFieldIsNamed() throws {
        let core = try memoryCore()
        var record = Bin(id: "b").record
        record["code"] = .null
        #expect(throws: StoreError.missingField(model: "Bin", id: "b", field: "code")) {
            try core.write(as: nil) { try $0.save(record) }
        }
        #expect(try core.bin("b") == nil)
    }

    @Test func anUnknownEnumCaseIsRefused() throws {
        let core = try memoryCore()
        var record = Bin(id: "b").record
        record["shape"] = .text("cave")
        #expect(throws: StoreError.self) { try core.write(as: nil) { try $0.save(record) } }
    }

    @Test("D30: a child without its parent is refused and nothing is kept")
    func aChildWithoutItsParentIsRefusedAndNothingIsKept() throws {
        let core = try memoryCore()
        #expect(
            throws: StoreError.missingParent(
                model: "Entry", id: "e", field: "passID", parent: "Pass", parentID: "nobody")
        ) { try core.save(Entry(id: "e", passID: "nobody")) }
        #expect(try core.outbox().isEmpty)
    }

    @Test func aParentSavedInARolledBackTransactionDoesNotCount() throws {
        struct Stop: Error {}
        let core = try memoryCore()
        #expect(throws: Stop.self) {
            try core.write(as: nil) {
                try $0.save(Pass(id: "p"))
                try $0.save(Entry(id: "e", passID: "p"))
                throw Stop()
            }
        }
        #expect(throws: StoreError.self) { try core.save(Entry(id: "e", passID: "p")) }
    }

    @Test func aCreateOnlyRecordIsNeitherChangedNorDeleted() throws {
        let core = try memoryCore()
        try core.save(Pass(id: "p"), Entry(id: "e", passID: "p", quantity: 1))
        try core.save(Entry(id: "e", passID: "p", quantity: 1))
        let refusal = StoreError.createOnly(model: "Entry", id: "e")
        #expect(throws: refusal) { try core.save(Entry(id: "e", passID: "p", quantity: 2)) }
        #expect(throws: refusal) { try core.write(as: nil) { try $0.delete(Entry.self, id: "e") } }
        #expect(try core.outbox().count == 2)
    }

    @Test("C17: a downstream model is refused unless the store is local only")
    func aDownstreamModelIsRefusedUnlessTheStoreIsLocalOnly() throws {
        #expect(throws: StoreError.downstreamOnly(model: "Item")) { try memoryCore().save(Item(id: "i")) }
        let local = try memoryCore { $0.isLocalOnly = true }
        try local.save(Item(id: "i"))
        #expect(try local.outbox().isEmpty)
        let desk = try memoryCore { $0.policies = ["Item": .both] }
        try desk.save(Item(id: "i"))
        #expect(try desk.outbox().count == 1)
    }

    @Test("D27: in a local store a parent whose model would only be sent is made here like any other, and must be here")
    func sentParentsLocally() throws {
        let core = try memoryCore {
            $0.policies = ["Zone": .upstream]
            $0.isLocalOnly = true
        }
        #expect(throws: StoreError.self) { try core.save(Bin(id: "b", zoneID: "nowhere")) }
        try core.save(Zone(id: "z"), Bin(id: "b", zoneID: "z"))
        #expect(try core.bin("b")?.zoneID == "z")
    }

    @Test("C16: a local model makes no outbox entry")
    func aLocalModelMakesNoOutboxEntry() throws {
        let core = try memoryCore()
        try core.save(Draft(id: "d", text: "x"))
        try core.write(as: nil) { try $0.delete(Draft(id: "d")) }
        try core.save(Draft(id: "d", text: "y"))
        #expect(try core.outbox().isEmpty)
        #expect(try core.read { try $0.syncState(model: "Draft", id: "d") } == .local)
    }

    @Test func deletingAParentDeletesItsChildrenFirst() throws {
        let core = try memoryCore()
        try core.applyRemote([
            remote(Zone(id: "z"), 1), remote(Bin(id: "b1", zoneID: "z"), 1), remote(Bin(id: "b2", zoneID: "z"), 2),
        ])
        try core.write(as: "ann") { try $0.delete(Zone.self, id: "z") }
        let entries = try core.outbox()
        #expect(entries.map(\.model) == ["Bin", "Bin", "Zone"])
        #expect(entries.allSatisfy { $0.kind == .delete && $0.identity == "ann" })
        #expect(try core.read { try $0.count(Bin.self) } == 0)
    }

    @Test("D25: a refused cascade leaves nothing even if the caller goes on")
    func aRefusedCascadeLeavesNothingEvenIfTheCallerGoesOn() throws {
        let core = try memoryCore { $0.createOnly = ["Bin"] }
        try core.applyRemote([remote(Zone(id: "z"), 1), remote(Bin(id: "b", zoneID: "z"), 1)])
        #expect(throws: StoreError.createOnly(model: "Bin", id: "b")) {
            try core.write(as: nil) {
                try $0.save(Zone(id: "other"))
                _ = try? $0.delete(Zone.self, id: "z")
            }
        }
        #expect(try core.read { try $0.get(Zone.self, id: "other") } == nil)
        #expect(try core.outbox().isEmpty)
    }

    @Test("D5: a condition is checked against what is kept")
    func aConditionIsCheckedAgainstWhatIsKept() throws {
        let core = try memoryCore()
        try core.save(Bin(id: "b", place: 1))
        try core.write(as: nil) {
            try $0.save(Bin(id: "b", place: 2), where: Predicate(.field("place", .equal(.integer(1)))))
        }
        #expect(throws: StoreError.conditionFailed(model: "Bin", id: "b")) {
            try core.write(as: nil) {
                try $0.save(Bin(id: "b", place: 3), where: Predicate(.field("place", .equal(.integer(1)))))
            }
        }
        #expect(throws: StoreError.conditionFailed(model: "Bin", id: "x")) {
            try core.write(as: nil) { try $0.delete(Bin(id: "x"), where: Predicate(.all)) }
        }
        #expect(try core.bin("b")?.place == 2)
    }

    @Test func sequencesHaveNoGapsOverRollbacks() throws {
        struct Stop: Error {}
        let core = try memoryCore()
        #expect(try core.write(as: nil) { try $0.nextSequence("entry") } == 1)
        #expect(throws: Stop.self) {
            try core.write(as: nil) {
                _ = try $0.nextSequence("entry")
                throw Stop()
            }
        }
        #expect(try core.write(as: nil) { try $0.nextSequence("entry") } == 2)
        #expect(try core.write(as: nil) { try $0.nextSequence("ticket") } == 1)
        #expect(try core.read { try $0.currentSequence("entry") } == 2)
    }

    @Test func settingsAreKept() throws {
        let core = try memoryCore()
        try core.write(as: nil) { try $0.setSetting("device", "T07") }
        #expect(try core.read { try $0.setting("device") } == "T07")
        try core.write(as: nil) { try $0.setSetting("device", nil) }
        #expect(try core.read { try $0.setting("device") } == nil)
    }

    @Test func aReadCannotWriteAndAFinishedTransactionCannotBeUsed() throws {
        let core = try memoryCore()
        #expect(throws: StoreError.readOnly) { try core.read { try $0.save(Zone(id: "z")) } }
        var kept: StoreTransaction?
        try core.write(as: nil) { kept = $0 }
        #expect(throws: StoreError.closed) { try kept?.save(Zone(id: "z")) }
        #expect(throws: StoreError.self) { try core.write(as: nil) { _ in try core.save(Zone(id: "z")) } }
    }

    @Test func theSameIdInTwoModelsIsTwoRecords() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "1"), Bin(id: "1"))
        try core.write(as: nil) { try $0.delete(Bin.self, id: "1") }
        #expect(try core.outbox().map(\.model) == ["Zone"])
        #expect(try core.read { try $0.get(Zone.self, id: "1") } != nil)
    }

    @Test("D44: observers hear of commits in order even when they write")
    func observersHearOfCommitsInOrderEvenWhenTheyWrite() throws {
        let core = try memoryCore()
        var heard: [String] = []
        _ = core.addObserver { changes in
            if changes.changes.first?.id == "a" { try? core.save(Zone(id: "b")) }
        }
        _ = core.addObserver { changes in heard += changes.changes.map(\.id) }
        try core.save(Zone(id: "a"))
        #expect(heard == ["a", "b"])
    }
}
