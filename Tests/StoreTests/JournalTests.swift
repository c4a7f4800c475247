import Basics
import Models
import System
import Testing

@testable import DataStore

@Suite struct JournalTests {
    private func confirmed(_ core: StoreCore, stamp: Int64, version: Int64 = 1) throws {
        while let batch = try core.nextMutations(limit: 100) {
            try core.settle(
                batch.entries.map { entry in
                    let accepted = try core.accepted(entry, version)
                    let record = RemoteRecord(
                        record: accepted.record, version: version, deleted: entry.kind == .delete,
                        lastChangedAt: stamp)
                    return MutationResult(order: entry.order, outcome: .applied(record))
                })
        }
    }

    @Test func whatARestoredBackendLacksIsQueuedAgainAsItWasMade() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        try core.write(as: "ann") { try $0.save(Bin(id: "kept", place: 1)) }
        try confirmed(core, stamp: 10)
        try core.write(as: "ann") { try $0.save(Bin(id: "lost", place: 2)) }
        let made = try core.outbox()
        try confirmed(core, stamp: 20)
        try core.write(as: "bob") { try $0.save(Bin(id: "lost", place: 3)) }
        try confirmed(core, stamp: 30, version: 2)
        try core.write(as: "ann") { try $0.save(Bin(id: "waits")) }
        #expect(try core.journalCount() == 3)
        #expect(try core.hasLostChanges(in: "one", having: [:]) == false)

        core.setLife(epoch: "two", began: 1000)
        #expect(try core.hasLostChanges(in: "two", having: ["one": 15]))
        #expect(try core.recover(into: "two", having: ["one": 15]) == 2)
        #expect(try core.recover(into: "two", having: ["one": 15]) == 0)
        let entries = try core.outbox()
        #expect(entries.map(\.id) == ["lost", "lost", "waits"])
        #expect(entries.map(\.kind) == [.create, .update, .create])
        #expect(entries.map(\.identity) == ["ann", "bob", "ann"])
        #expect(entries.first?.mutationID == made.first?.mutationID)
        #expect(core.outboxStatus.queued == 3)
        // The first of a record goes first, and each under its own name.
        let first = try #require(try core.nextMutations(limit: 10))
        #expect(first.identity == "ann")
        #expect(first.entries.map(\.id) == ["lost", "waits"])
        // What the restored backend had is kept.
        #expect(try core.hasLostChanges(in: "two", having: ["one": 15]) == false)
        #expect(try core.journalCount() == 1)
    }

    @Test func aDatabaseMadeAnewGetsEverything() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        for number in 0..<5 { try core.save(Bin(id: "b\(number)")) }
        try confirmed(core, stamp: 10)
        core.setLife(epoch: "other", began: nil)
        #expect(try core.recover(into: "other", having: [:]) == 5)
    }

    @Test func transactionsThatWentAsOneGoAsOneAgain() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        for name in ["a", "b"] {
            try core.write(as: nil) { transaction in
                try transaction.sentAsOne {
                    try transaction.save(Bin(id: name + "1"))
                    try transaction.save(Bin(id: name + "2"))
                }
            }
            try confirmed(core, stamp: name == "a" ? 10 : 20)
        }
        core.setLife(epoch: "two", began: 100)
        #expect(try core.recover(into: "two", having: [:]) == 4)
        let batch = try #require(try core.nextMutations(limit: 10))
        #expect(batch.entries.map(\.id) == ["a1", "a2", "b1", "b2"])
        #expect(Set(batch.units.values).count == 2)
        #expect(batch.units.count == 4)
    }

    @Test func aBackendWithoutEpochsCostsNoJournal() throws {
        let core = try memoryCore()
        try core.save(Bin(id: "b"))
        try confirmed(core, stamp: 10)
        #expect(try core.journalCount() == 0)
    }

    @Test func theJournalForgetsWhatIsOldByBothClocksAndWhatIsTooMuch() throws {
        let time = ManualTimeSource()
        let core = try memoryCore {
            $0.time = time
            $0.journalLifetime = 1000
            $0.journalLimit = 3
        }
        core.setLife(epoch: "one", began: nil)
        try core.save(Bin(id: "old"))
        try confirmed(core, stamp: 10)
        time.jump(milliseconds: 5000)
        try core.save(Bin(id: "new"))
        try confirmed(core, stamp: 20)
        // This device's clock jumped, the backend's did not.
        try core.connection.transaction(.immediate) { try core.pruneJournal() }
        #expect(try core.journalCount() == 2)
        for number in 0..<3 {
            try core.save(Bin(id: "n\(number)"))
            try confirmed(core, stamp: 30)
        }
        try core.connection.transaction(.immediate) { try core.pruneJournal() }
        #expect(try core.journalCount() == 3)
    }

    /// A terminal that is started each shift never confirms so much in one life that it would forget on the way.
    @Test func aStoreThatBeginsToSynchroniseForgetsWhatItsJournalHeldTooLong() async throws {
        let directory = try TempDirectory()
        let time = ManualTimeSource()
        let options = testOptions {
            $0.time = time
            $0.journalLifetime = 1000
            $0.journalLimit = 1500
        }
        func fill(_ count: Int, _ name: String, stamp: Int64) throws {
            let core = try StoreCore(schema: testSchema, at: .directory(directory.path), options: options)
            core.setLife(epoch: "one", began: nil)
            try core.write(as: nil) { for number in 0..<count { try $0.save(Zone(id: "\(name)\(number)")) } }
            try confirmed(core, stamp: stamp)
            core.close()
        }
        func journal() throws -> Int {
            try StoreCore(schema: testSchema, at: .directory(directory.path), options: options).journalCount()
        }
        func start() async throws {
            let store = try await DataStore(
                schema: testSchema, at: .directory(directory.path), options: options, driver: IdleDriver())
            try await store.start()
            await store.close()
        }
        try fill(900, "old", stamp: 10)
        time.advance(milliseconds: 5000)
        try fill(900, "new", stamp: 5000)
        #expect(try journal() == 1800)
        try await start()
        #expect(try journal() == 900, "what is old goes, over more than one part")
        try fill(900, "newer", stamp: 5100)
        try await start()
        #expect(try journal() == 1500, "and what is too much")
    }

    @Test func clearingKeepsWhatWasConfirmedUnlessAllIsGivenUp() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        try core.save(Bin(id: "b"))
        try confirmed(core, stamp: 10)
        try core.clear(discardingUnsent: false)
        #expect(try core.journalCount() == 1)
        try core.clear(discardingUnsent: true)
        #expect(try core.journalCount() == 0)
    }

    @Test func rowsOfOthersThatTheBackendLostGoWhereSomebodyElseLooks() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        try core.applyRemote([remote(Bin(id: "theirs", place: 1), 3), remote(Bin(id: "changed", place: 1), 3)])
        core.setLife(epoch: "two", began: 1_000_000)
        #expect(try core.disown(model: "Bin") { _ in true } == 2)
        try core.save(Bin(id: "changed", place: 2))
        try core.save(Bin(id: "mine"))
        #expect(try core.letGoOfDisowned(model: "Bin") == 1)
        #expect(try core.bin("theirs") == nil)
        #expect(try core.bin("changed")?.place == 2, "with what was not sent")
        #expect(try core.bin("mine") != nil)
    }

    @Test func theJournalTellsWhatTheBackendSurelyHas() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        try core.save(Bin(id: "mine"))
        try confirmed(core, stamp: 10)
        core.setLife(epoch: "two", began: 1_000_000)
        #expect(try core.recover(into: "two", having: ["one": 20]) == 0)
        #expect(try core.journaledIDs("Bin") == [ByteText("mine")])
        #expect(try core.recover(into: "three", having: [:]) == 1)
        #expect(try core.journaledIDs("Bin").isEmpty)
    }

    @Test func rowsOfOthersThatTheBackendLostStayAsThisStoresOwn() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        try core.applyRemote([remote(Bin(id: "theirs", place: 1), 3)])
        core.setLife(epoch: "two", began: 1_000_000)
        #expect(try core.disown(model: "Bin") { $0 == "theirs" } == 1)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "theirs") } == .local)
        #expect(try core.bin("theirs")?.place == 1)
        #expect(core.outboxStatus.isEmpty)
        // Nothing evicts it, and a change of it is a change, never another's work under this name.
        #expect(try core.evict(model: "Bin", where: .all) == 0)
        try core.save(Bin(id: "theirs", place: 2))
        #expect(try core.outbox().map(\.fields) == [["place": 2]])
        #expect(try core.outbox().map(\.kind) == [.update])
        // The backend has no such record yet: the change waits a little for the author, and is not parked.
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        let refused = MutationResult.Outcome.refused(code: "DynamoDB:ConditionalCheckFailedException", message: "no")
        #expect(try core.settle([MutationResult(order: entry.order, outcome: refused)]).parked == 0)
        #expect(core.nextRetryDelay() != nil)
        // Its author's comes back in the same way.
        try core.applyRemote([
            RemoteRecord(record: Bin(id: "other").record, version: 1_000_000, lastChangedAt: 2_000_000)
        ])
        #expect(try core.bin("other") != nil)
    }

    @Test func aRowThatARestoreTookBackIsShownAsTheBackendHasIt() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        func at(_ place: Int, _ version: Int64, _ stamp: Int64, deleted: Bool = false) -> RemoteRecord {
            RemoteRecord(
                record: Bin(id: "b", place: place).record, version: version, deleted: deleted, lastChangedAt: stamp)
        }
        try core.applyRemote([at(5, 5, 50)])
        // Within one life an older version is nothing.
        try core.applyRemote([at(3, 3, 30)])
        #expect(try core.bin("b")?.place == 5)
        core.setLife(epoch: "two", began: 1000)
        try core.applyRemote([at(3, 3, 30)])
        #expect(try core.bin("b")?.place == 3)
        try core.applyRemote([at(7, 1_000_001, 1001)])
        try core.applyRemote([at(3, 3, 30)])
        #expect(try core.bin("b")?.place == 7)
        // A delete that is lost there is lost here, until who deleted it brings it back.
        try core.applyRemote([at(7, 1_000_002, 1002, deleted: true)])
        core.setLife(epoch: "three", began: 5000)
        try core.applyRemote([at(7, 1_000_001, 1001)])
        #expect(try core.bin("b")?.place == 7)
    }
}
