import Basics
import Glibc
import Models
import SQLite
import System
import Testing

@testable import DataStore

@Suite("Several processes")
struct ProcessTests {
    @Test("D51 C27: a process that dies while it leads leaves whole data, and another takes over by itself")
    func takeover() async throws {
        let directory = try TempDirectory()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory.path as String] in
            let store = try await DataStore(
                schema: testSchema, at: .directory(path),
                options: testOptions { $0.random = SeededRandom(seed: 12) }, driver: IdleDriver())
            try await store.start()
            try await store.save(Zone(id: "theirs"))
            // In the middle of sending, without a word of farewell.
            _ = try await store.port.perform { try $0.nextMutations(limit: 1) }
            kill(getpid(), SIGKILL)
        }
        let driver = IdleDriver()
        let store = try await DataStore(
            schema: testSchema, at: .directory(directory.path), options: testOptions(), driver: driver)
        #expect(try await store.get(Zone.self, id: "theirs") != nil)
        #expect(try await store.outboxStatus() == OutboxStatus(sending: 1))
        try await store.start()
        #expect(driver.told.current.first == "start")
        #expect(try await store.outboxStatus() == OutboxStatus(queued: 1), "it may have arrived, and is sent again")
        await store.close()
    }

    @Test(
        "C27: another process's writes are seen without being asked for, and a follower leads when the leader is gone")
    func byItself() async throws {
        let directory = try TempDirectory()
        func open(_ seed: UInt64, _ driver: IdleDriver) async throws -> DataStore {
            try await DataStore(
                schema: testSchema, at: .directory(directory.path),
                options: testOptions {
                    $0.random = SeededRandom(seed: seed)
                    $0.followInterval = 1
                }, driver: driver)
        }
        let (one, two) = (IdleDriver(), IdleDriver())
        let first = try await open(1, one)
        let second = try await open(2, two)
        try await first.start()
        try await second.start()
        #expect(two.told.current.isEmpty)
        guard case .failed(let reason) = await second.sync() else { throw StoreError.closed }
        #expect(reason.hasPrefix("another process synchronises this store"))
        var changes = first.observe(Zone.self).makeAsyncIterator()
        try await second.save(Zone(id: "z"))
        #expect(await changes.next() == .reset)
        #expect(try await first.get(Zone.self, id: "z") != nil)
        await first.close()
        while !two.told.current.contains("start") { try await second.followForeignChanges() }
        await second.close()
    }

    /// A process that writes and is killed at a row change it does not choose.
    @Test("G12: killed at any row change, a store opens whole: every acknowledged save is there, each with its entry")
    func killedAnywhere() async throws {
        for moment in [1, 4, 10, 34] {
            let directory = try TempDirectory()
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = directory.path as String, moment = moment as Int] in
                let core = try StoreCore(schema: testSchema, at: .directory(path), options: testOptions())
                var changes = 0
                core.connection.onRowChange { _, _, _ in
                    changes += 1
                    if changes == moment { kill(getpid(), SIGKILL) }
                }
                for number in 0..<20 {
                    try core.write(as: "ann") { tx in
                        try tx.save(Zone(id: "z\(number)"))
                        try tx.save(Bin(id: "b\(number)", zoneID: "z\(number)"))
                    }
                    // What the program has been told is durable.
                    try Files.writeAtomically("\(number + 1)", to: path + "/acknowledged")
                    if number % 3 == 2 { try core.sendAll() }
                }
            }
            let core = try StoreCore(
                schema: testSchema, at: .directory(directory.path),
                options: testOptions { $0.random = SeededRandom(seed: 2) })
            let told = (try? Files.readText(directory.path + "/acknowledged")).flatMap { Int($0) } ?? 0
            let zones = try core.read { try $0.count(Zone.self) }
            #expect(zones >= told && zones <= told + 1, "moment \(moment)")
            #expect(try core.read { try $0.count(Bin.self) } == zones, "a transaction is whole")
            let unsent = try core.read { try $0.count(Zone.self, in: SyncState.Kind.unsent) }
            let synced = try core.read { try $0.count(Zone.self, in: [.synced]) }
            #expect(unsent + synced == zones, "no row without its way to the backend")
            #expect(try core.connection.integrityProblems().isEmpty)
            try core.resetSending()
            try core.sendAll(version: 5)
            #expect(core.outboxStatus.isEmpty)
        }
    }

    @Test("C1: killed in the middle of a migration, a store is as it was before and migrates the next time")
    func killedWhileMigrating() async throws {
        let directory = try TempDirectory()
        try fixture(1, in: directory.path)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory.path as String] in
            let last = SchemaVersion(
                1,
                [
                    .rewrite("Bin") { bin in
                        // Rows come before waiting changes; these have only a part of the fields.
                        if bin["id"] == nil { kill(getpid(), SIGKILL) }
                        bin["note"] = "half done"
                    }
                ])
            _ = try StoreCore(schema: testSchema, at: .directory(path), options: testOptions { $0.migrations = [last] })
        }
        let version = SchemaVersion(1, [.rewrite("Bin") { bin in if bin["id"] != nil { bin["note"] = "done" } }])
        do {
            let before = try Connection.open(path: StoreOpening.path(directory.path))
            #expect(try before.userVersion == 1)
            #expect(try before.value("SELECT note FROM Bin WHERE id='b1'") == .text("mine"))
        }
        let core = try StoreCore(
            schema: testSchema, at: .directory(directory.path), options: testOptions { $0.migrations = [version] })
        #expect(try core.bin("b1")?.note == "done")
        #expect(try core.outbox().count == 6)
        #expect(try core.connection.integrityProblems().isEmpty)
    }
}
