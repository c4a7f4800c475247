import Basics
import Models
import SQLite
import System
import Testing

@testable import DataStore

/// Counts what it is told and does nothing.
final class IdleDriver: SyncDriver {
    let told = Locked<[String]>([])
    let failing: Bool

    init(failing: Bool = false) { self.failing = failing }

    func start(_ port: SyncPort) async throws {
        told.withLock { $0.append("start") }
        if failing { throw StoreError.database("no link") }
    }
    func stop() async { told.withLock { $0.append("stop") } }
    func outboxChanged() { told.withLock { $0.append("changed") } }
    func policiesChanged() { told.withLock { $0.append("policies") } }
}

/// Sends everything that waits at once, as a perfect link and backend would.
final class PerfectDriver: SyncDriver {
    private let port = Locked<SyncPort?>(nil)

    func start(_ port: SyncPort) async throws {
        self.port.withLock { $0 = port }
        outboxChanged()
    }
    func stop() async { port.withLock { $0 = nil } }
    func outboxChanged() { port.current?.enqueue { core in _ = try? core.sendAll() } }
}

@Suite struct StoreLifecycleTests {
    @Test("D49 C7: a restart keeps rows outbox marks and counters")
    func aRestartKeepsRowsOutboxMarksAndCounters() throws {
        let directory = try TempDirectory()
        let location = StoreLocation.directory(directory.path)
        var core: StoreCore? = try StoreCore(schema: testSchema, at: location, options: testOptions())
        let id = core?.storeID
        try core?.save(Pass(id: "p"), Entry(id: "e", passID: "p"), identity: "ann")
        try core?.applyRemote([remote(Zone(id: "z"), 3), remote(Zone(id: "gone"), 2, deleted: true)])
        try core?.setMark(SyncMark(model: "Zone", lastSync: 9))
        _ = try core?.write(as: nil) { try $0.nextSequence("entry") }
        let sent = try core?.nextMutations(limit: 1)?.entries.first
        core = nil
        let again = try StoreCore(
            schema: testSchema, at: location, options: testOptions { $0.random = SeededRandom(seed: 8) })
        #expect(again.storeID == id)
        #expect(again.outboxStatus == OutboxStatus(queued: 1, sending: 1))
        try again.resetSending()
        #expect(try again.nextMutations(limit: 5)?.entries.map(\.mutationID).first == sent?.mutationID)
        #expect(try again.read { try $0.syncState(model: "Zone", id: "z") } == .synced(version: 3))
        try again.applyRemote([remote(Zone(id: "gone"), 1)])
        #expect(try again.read { try $0.get(Zone.self, id: "gone") } == nil)
        #expect(try again.mark(of: "Zone").lastSync == 9)
        #expect(try again.write(as: nil) { try $0.nextSequence("entry") } == 2)
    }

    @Test("C12: a full disk loses nothing and the store goes on afterwards")
    func aFullDiskLosesNothingAndTheStoreGoesOnAfterwards() throws {
        let directory = try TempDirectory()
        let core = try StoreCore(schema: testSchema, at: .directory(directory.path), options: testOptions())
        try core.save(Draft(id: "first"))
        let pages = try #require(try core.connection.value("PRAGMA page_count")?.integer)
        _ = try core.connection.value("PRAGMA max_page_count=\(pages + 8)")
        var kept = 0
        #expect(throws: StoreError.diskFull) {
            while kept < 1000 {
                let text = String(repeating: "x", count: 2000)
                try core.save(Bin(id: "b\(kept)", note: text))
                kept += 1
            }
        }
        #expect(try core.read { try $0.count(Bin.self) } == kept)
        #expect(core.outboxStatus.queued == kept)
        #expect(try core.outbox().count == kept)
        _ = try core.connection.value("PRAGMA max_page_count=100000")
        try core.save(Bin(id: "after"))
        #expect(try core.outbox().count == kept + 1)
        #expect(try core.connection.integrityProblems().isEmpty)
    }

    @Test("C3: a write that fails halfway cannot be committed by going on")
    func aWriteThatFailsHalfwayCannotBeCommittedByGoingOn() throws {
        let directory = try TempDirectory()
        let core = try StoreCore(schema: testSchema, at: .directory(directory.path), options: testOptions())
        try core.connection.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON _outbox BEGIN SELECT RAISE(FAIL, 'broken'); END")
        #expect(throws: StoreError.self) {
            try core.write(as: nil) { transaction in try? transaction.save(Zone(id: "z")) }
        }
        #expect(try core.read { try $0.get(Zone.self, id: "z") } == nil)
    }

    @Test("D94: a grown schema keeps rows and waiting changes")
    func aGrownSchemaKeepsRowsAndWaitingChanges() throws {
        let directory = try TempDirectory()
        let location = StoreLocation.directory(directory.path)
        do {
            let core = try StoreCore(schema: testSchema, at: location, options: testOptions())
            try core.applyRemote([remote(Zone(id: "z"), 1)])
            try core.save(Bin(id: "b", place: 4), identity: "ann")
            try core.setMark(SyncMark(model: "Bin", lastSync: 5))
            try core.setMark(SyncMark(model: "Zone", lastSync: 5))
            let cave = UnreadableRecord(
                model: "Bin", id: "c", version: 2,
                json: #"{"id":"c","code":"C","place":1,"tags":[],"shape":"cave"}"#, reason: "shape")
            try core.applyRemote([], unreadable: [cave])
            core.close()
        }
        let bin = ModelSchema(
            "Bin", pluralName: "Bins", fields: Bin.schema.fields + [FieldSchema("depth", .scalar(.int))],
            indexes: Bin.schema.indexes, relations: Bin.schema.relations)
        let grown = Schema(
            models: [Zone.schema, bin, Pass.schema, Entry.schema, Draft.schema, Item.schema],
            enums: ["Shape": ["rack", "shelf", "cave"]])
        let core = try StoreCore(
            schema: grown, at: location, options: testOptions { $0.random = SeededRandom(seed: 9) })
        #expect(try core.read { try $0.get(model: "Bin", id: "b") }?["place"] == .integer(4))
        #expect(try core.outbox().map(\.identity) == ["ann"])
        #expect(try core.mark(of: "Bin").lastSync == nil)
        #expect(try core.mark(of: "Zone").lastSync == 5)
        #expect(try core.quarantined().isEmpty)
        #expect(try core.read { try $0.get(model: "Bin", id: "c") }?["shape"] == .text("cave"))
        #expect(try core.sendAll() == 1)
    }

    @Test func aForeignFileIsRefusedAndLeftAsItIs() throws {
        let directory = try TempDirectory()
        let path = StoreOpening.path(directory.path)
        try Connection.open(path: path).execute("CREATE TABLE t(a); PRAGMA application_id=77")
        #expect(throws: StoreError.self) {
            try StoreCore(schema: testSchema, at: .directory(directory.path), options: testOptions())
        }
        #expect(try Connection.open(path: path).rows("SELECT name FROM sqlite_schema").count == 1)
    }

    @Test("D42 C8: clear refuses while something is unsent")
    func clearRefusesWhileSomethingIsUnsent() async throws {
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        try await store.save(Zone(id: "z"))
        await #expect(throws: StoreError.unsentChanges(1)) { try await store.clear(.refuse) }
        #expect(try await store.get(Zone.self, id: "z") != nil)
        try await store.clear(.discard)
        #expect(try await store.get(Zone.self, id: "z") == nil)
        #expect(try await store.outboxStatus().isEmpty)
        try await store.save(Zone(id: "z"))
        #expect(try await store.outboxStatus().queued == 1)
    }

    @Test func clearMaySendEverythingFirst() async throws {
        let store = try await DataStore(
            schema: testSchema, at: .memory, options: testOptions(), driver: PerfectDriver())
        try await store.save(Zone(id: "z"))
        try await store.start()
        try await store.clear(.flush(timeout: 60_000))
        #expect(try await store.count(Zone.self) == 0)
    }

    @Test func aFlushWithoutALinkTellsWhatIsLeft() async throws {
        let store = try await DataStore(
            schema: testSchema, at: .memory, options: testOptions(), driver: IdleDriver())
        try await store.save(Zone(id: "z"))
        await #expect(throws: StoreError.flushTimedOut(left: 1)) { try await store.clear(.flush(timeout: 1)) }
        #expect(try await store.get(Zone.self, id: "z") != nil)
    }

    @Test("a record that is missing is not said to be awaited where nothing is ever fetched")
    func missingInALocalStore() async throws {
        let alone = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        #expect(try await alone.explain(Zone.self, id: "z").lines == ["it is not here, and this store is local only"])
        let core = try memoryCore { $0.isLocalOnly = true }
        let lines = try core.read { try $0.explain(model: "Zone", id: "z").lines }
        #expect(lines == ["it is not here, and this store is local only"])
        let other = try await DataStore(
            schema: testSchema, at: .memory, options: testOptions(), driver: IdleDriver())
        #expect(try await other.explain(Zone.self, id: "z").lines == ["it is not here: its model was not fetched yet"])
        for store in [alone, other] { await store.close() }
    }

    @Test("D38 D40: start and stop may be repeated")
    func startAndStopMayBeRepeated() async throws {
        let driver = IdleDriver()
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions(), driver: driver)
        await store.stop()
        try await store.start()
        try await store.start()
        try await store.save(Zone(id: "z"))
        await store.stop()
        await store.stop()
        try await store.save(Zone(id: "y"))
        #expect(driver.told.current == ["start", "changed", "stop"])
        try await store.start()
        await store.close()
        await store.close()
        await #expect(throws: StoreError.closed) { try await store.start() }
        await #expect(throws: StoreError.closed) { try await store.save(Zone(id: "x")) }
        #expect(driver.told.current.suffix(2) == ["start", "stop"])
    }

    @Test("D43: many calls at once leave nothing running")
    func manyCallsAtOnceLeaveNothingRunning() async throws {
        let driver = IdleDriver()
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions(), driver: driver)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    switch number % 4 {
                    case 0: try? await store.start()
                    case 1: await store.stop()
                    case 2: try? await store.clear(.discard)
                    default: try? await store.save(Zone(id: "\(number)"))
                    }
                }
            }
        }
        await store.close()
        let acts = driver.told.current.filter { $0 != "changed" }
        for (index, act) in acts.enumerated() { #expect(act == (index % 2 == 0 ? "start" : "stop")) }
        #expect(acts.last != "start")
    }

    @Test("D43: a driver that cannot start leaves the store usable")
    func aDriverThatCannotStartLeavesTheStoreUsable() async throws {
        let driver = IdleDriver(failing: true)
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions(), driver: driver)
        await #expect(throws: StoreError.self) { try await store.start() }
        try await store.save(Zone(id: "z"))
        #expect(driver.told.current == ["start", "stop"])
    }

    @Test func identityAtTheTimeOfTheSaveIsKept() async throws {
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        store.identity = "ann"
        try await store.save(Zone(id: "1"))
        store.identity = "bob"
        try await store.save(Zone(id: "2"))
        #expect(try await store.outbox.list().map(\.identity) == ["ann", "bob"])
        #expect(try await store.unsentCounts().map(\.count) == [1, 1])
    }

    @Test("C33: a read sees what was saved before it")
    func aReadSeesWhatWasSavedBeforeIt() async throws {
        let directory = try TempDirectory()
        let store = try await DataStore(schema: testSchema, at: .directory(directory.path), options: testOptions())
        for number in 0..<20 {
            try await store.save(Zone(id: "\(number)"))
            #expect(try await store.count(Zone.self) == number + 1)
        }
        await #expect(throws: StoreError.readOnly) { try await store.read { try $0.save(Zone(id: "x")) } }
        await store.close()
    }

    @Test func oneProcessSynchronisesAndAnotherFollows() async throws {
        let directory = try TempDirectory()
        let location = StoreLocation.directory(directory.path)
        let (one, two) = (IdleDriver(), IdleDriver())
        let first = try await DataStore(schema: testSchema, at: location, options: testOptions(), driver: one)
        let second = try await DataStore(
            schema: testSchema, at: location, options: testOptions { $0.random = SeededRandom(seed: 3) }, driver: two)
        try await first.start()
        try await second.start()
        #expect(two.told.current.isEmpty)
        try await first.followForeignChanges()
        let changes = first.observe(Zone.self)
        try await second.save(Zone(id: "z"))
        try await first.followForeignChanges()
        var iterator = changes.makeAsyncIterator()
        #expect(await iterator.next() == .reset)
        #expect(try await first.outboxStatus().queued == 1)
        #expect(one.told.current.contains("changed"))
        await first.close()
        try await second.followForeignChanges()
        #expect(two.told.current.first == "start")
        await second.close()
    }

    @Test func aDirectoryCanBeTakenByOneProgramOfAKind() throws {
        let directory = try TempDirectory()
        let held = try DataStore.lock(directory.path, as: "app")
        #expect(throws: StoreError.self) { try DataStore.lock(directory.path, as: "app") }
        _ = try DataStore.lock(directory.path, as: "import")
        withExtendedLifetime(held) {}
    }

    @Test("D44: events reach every reader")
    func eventsReachEveryReader() async throws {
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        let (one, two) = (store.events, store.events)
        try await store.save(Zone(id: "z"))
        for events in [one, two] {
            var iterator = events.makeAsyncIterator()
            #expect(await iterator.next() == .outboxStatus(OutboxStatus(queued: 1)))
        }
    }

    @Test func everyErrorSaysWhatToDoInOneLine() {
        let errors: [StoreError] = [
            .unknownModel("M"), .missingField(model: "M", id: "1", field: "f"), .createOnly(model: "M", id: "1"),
            .downstreamOnly(model: "M"), .deleted(model: "M", id: "1"), .readOnly, .closed, .unsentChanges(2),
            .flushTimedOut(left: 1), .unknownEntry(1), .diskFull, .locked(path: "/d"),
            .conditionFailed(model: "M", id: "1"),
        ]
        for error in errors {
            #expect(!error.description.contains("\n") && error.description.contains(where: { ";,".contains($0) }))
        }
    }
}
