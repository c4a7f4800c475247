import Basics
import Models
import System
import Testing

@testable import DataStore

@Suite("Clearing")
struct ClearTests {
    @Test("C8: what was refused and waits for a person is unsent too: clear and flush refuse for it alone")
    func parked() async throws {
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        try await store.save(Zone(id: "z"))
        try await store.port.perform { core in
            let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
            try core.settle([MutationResult(order: entry.order, outcome: .refused(code: "Invalid", message: "no"))])
        }
        #expect(try await store.outboxStatus() == OutboxStatus(parked: 1))
        await #expect(throws: StoreError.unsentChanges(1)) { try await store.clear(.refuse) }
        // Nothing moves any more, so it is not waited for.
        await #expect(throws: StoreError.unsentChanges(1)) { try await store.clear(.flush(timeout: 600_000)) }
        #expect(try await store.count(Zone.self) == 1)
        await store.close()
    }

    @Test("C8: what waits behind a refused change is not waited for either: only a person lets it go")
    func behindParked() async throws {
        let store = try await DataStore(
            schema: testSchema, at: .memory, options: testOptions(), driver: IdleDriver())
        try await store.save(Zone(id: "z"))
        try await store.port.perform { core in
            let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
            try core.settle([MutationResult(order: entry.order, outcome: .refused(code: "Invalid", message: "no"))])
        }
        try await store.save(Bin(id: "b", zoneID: "z"))
        try await store.save(Zone(id: "z", code: "later"))
        #expect(try await store.outboxStatus() == OutboxStatus(queued: 2, parked: 1))
        await #expect(throws: StoreError.unsentChanges(3)) { try await store.flush(timeout: 600_000) }
        // Something else may go, so that it is waited for.
        try await store.save(Zone(id: "free"))
        await #expect(throws: StoreError.flushTimedOut(left: 4)) { try await store.flush(timeout: 1) }
        await store.close()
    }

    @Test("C8: a flush that is cancelled says so, and blames no link")
    func cancelledFlush() async throws {
        let store = try await DataStore(
            schema: testSchema, at: .memory, options: testOptions(), driver: IdleDriver())
        try await store.save(Zone(id: "z"))
        let flush = Task { try await store.flush(timeout: 600_000) }
        flush.cancel()
        await #expect(throws: CancellationError.self) { try await flush.value }
        await store.close()
    }

    @Test("C8: a store that nobody sends for refuses to flush at once, instead of waiting for nothing")
    func localOnly() async throws {
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        try await store.save(Zone(id: "z"))
        await #expect(throws: StoreError.unsentChanges(1)) { try await store.clear(.flush(timeout: 600_000)) }
        #expect(try await store.count(Zone.self) == 1)
    }

    @Test("D41: what has been cleared is cleared, though synchronising does not begin again: that is told")
    func restartFails() async throws {
        let driver = OnceDriver()
        let problems = Locked<[StoreProblem]>([])
        let store = try await DataStore(
            schema: testSchema, at: .memory,
            options: testOptions { $0.errorHandler = { problem in problems.withLock { $0.append(problem) } } },
            driver: driver)
        try await store.start()
        try await store.save(Draft(id: "d"))
        try await store.clear(.refuse)
        #expect(try await store.count(Draft.self) == 0)
        #expect(problems.current.map(\.message) == ["synchronising did not begin again: the database failed: no link"])
        try await store.save(Zone(id: "z"))
        // And where there is something unsent, that is what is said.
        await #expect(throws: StoreError.unsentChanges(1)) { try await store.clear(.refuse) }
        await store.close()
    }

    @Test("C8: what is being sent is unsent too")
    func sending() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "z"))
        _ = try core.nextMutations(limit: 1)
        #expect(throws: StoreError.unsentChanges(1)) { try core.clear(discardingUnsent: false) }
        #expect(try core.outbox().count == 1)
    }

    @Test("D41: leaves nothing in any table but names, counters and settings, and the store begins as a new one")
    func everything() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        try core.save(Zone(id: "confirmed"))
        try core.sendAll()
        try core.write(as: "ann") { tx in
            try tx.sentAsOne {
                try tx.save(Zone(id: "a"))
                try tx.save(Zone(id: "b"))
            }
            try tx.save(Draft(id: "d"))
            _ = try tx.nextSequence("entry")
            try tx.setSetting("site", "N1")
        }
        try core.applyRemote([remote(Bin(id: "aside", place: 1), 1), remote(Bin(id: "gone"), 7, deleted: true)])
        try core.save(Bin(id: "aside", place: 2))
        try core.applyRemote([remote(Bin(id: "aside", place: 3), 2)])
        try core.applyPage(
            model: "Bin", items: [],
            unreadable: [UnreadableRecord(model: "Bin", id: "odd", version: 1, json: "{}", reason: "code")],
            mark: SyncMark(model: "Bin", lastSync: 5))
        try core.setDriverState("epoch", "one")
        func filled() throws -> Set<String> {
            let names = try core.connection.rows("SELECT name FROM sqlite_schema WHERE type='table'")
            return Set(
                try names.compactMap { $0[0].text }.filter { name in
                    try core.connection.value("SELECT 1 FROM \"\(name)\" LIMIT 1") != nil
                })
        }
        let emptied: Set = [
            "Zone", "Bin", "Draft", "_outbox", "_unit", "_shadow", "_tombstone", "_quarantine", "_mark", "_journal",
        ]
        let before = try filled()
        #expect(before.isSuperset(of: emptied.union(["_meta", "_sequence"])), "there is something in each")
        let name = core.storeID
        try core.clear(discardingUnsent: true)
        #expect(try filled() == before.subtracting(emptied))
        #expect(try core.read { try $0.currentSequence("entry") } == 1 && core.read { try $0.setting("site") } == "N1")
        #expect(core.storeID == name && core.outboxStatus.isEmpty)
        #expect(try core.driverState("epoch") == nil)
        // What was deleted before is no news any more, what was aside neither, and numbers go on.
        try core.applyRemote([remote(Bin(id: "gone"), 6), remote(Bin(id: "aside", place: 3), 1)])
        #expect(try core.read { try $0.count(Bin.self) } == 2)
        #expect(try core.quarantined().isEmpty)
        try core.save(Zone(id: "a"))
        #expect(try core.outbox().first?.order ?? 0 > 4)
    }

    @Test("D41: what is given up goes from the backups of migrations too", arguments: [true, false])
    func backups(_ isDiscarded: Bool) throws {
        let directory = try TempDirectory()
        let path = StoreOpening.path(directory.path)
        func open(_ models: [ModelSchema]) throws -> StoreCore {
            try StoreCore(schema: Schema(models: models), at: .directory(directory.path), options: testOptions())
        }
        let before = try open([Zone.schema])
        try before.save(Zone(id: "z"))
        try before.sendAll()
        before.close()
        let core = try open([Zone.schema, Draft.schema])
        #expect(Files.exists(path + ".backup-1"))
        try core.clear(discardingUnsent: isDiscarded)
        #expect(Files.exists(path + ".backup-1") == !isDiscarded && Files.exists(path))
    }

    @Test("D42: what synchronised goes on after a clear, and after one that was refused", arguments: [true, false])
    func goesOn(_ isRefused: Bool) async throws {
        let driver = IdleDriver()
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions(), driver: driver)
        try await store.start()
        try await store.save(Zone(id: "z"))
        if isRefused {
            await #expect(throws: StoreError.unsentChanges(1)) { try await store.clear(.refuse) }
        } else {
            try await store.clear(.discard)
        }
        #expect(driver.told.current.filter { $0 != "changed" } == ["start", "stop", "start"])
        try await store.save(Zone(id: "y"))
        #expect(driver.told.current.last == "changed", "and hears of what is saved")
        await store.close()
    }
}

/// Starts once and never again.
private final class OnceDriver: SyncDriver {
    private let starts = Locked(0)

    func start(_ port: SyncPort) async throws {
        let count = starts.withLock { starts in
            starts += 1
            return starts
        }
        if count > 1 { throw StoreError.database("no link") }
    }
    func stop() async {}
    func outboxChanged() {}
}
