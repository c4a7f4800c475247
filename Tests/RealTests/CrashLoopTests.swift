import Basics
import DataStore
import Models
import SyncEngine
import System
import Testing
import WarehouseModels

/// A hub that is killed, backed up and restored, as an operator has it.
@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(20)))
struct CrashLoopTests {
    private struct Terminal {
        let name: String
        let store: DataStore
        let driver: AppSyncDriver
    }

    private func open(_ name: String, _ directory: TempDirectory, _ url: String) async throws -> Terminal {
        let driver = try AppSyncDriver(url: url, key: "counter-key", device: name, person: "ann")
        let store = try await DataStore(
            schema: warehouse, at: .directory(directory.file(name)),
            options: StoreOptions(
                time: SystemTimeSource(), policies: syncPolicies(for: .terminal), checksParents: false), driver: driver)
        store.identity = "ann"
        try await store.start()
        return Terminal(name: name, store: store, driver: driver)
    }

    private func supervisor(_ directory: TempDirectory, _ name: String, _ url: String) async throws -> Terminal {
        let driver = try AppSyncDriver(url: url, key: "supervisor-key", device: name, person: "sue")
        let store = try await DataStore(
            schema: warehouse, at: .directory(directory.file(name)),
            options: StoreOptions(time: SystemTimeSource(), policies: syncPolicies(for: .supervisor)), driver: driver)
        try await store.start()
        return Terminal(name: name, store: store, driver: driver)
    }

    /// Saves entries, and its own device's row now and then: create-only rows, and one that goes through versions.
    private func work(_ terminal: Terminal, _ numbers: ClosedRange<Int>) async throws {
        for number in numbers {
            try await terminal.store.save(entry(terminal.name, number))
            if number % 5 == 0 {
                try await terminal.store.save(
                    Device(
                        id: terminal.name, code: terminal.name, kind: .terminal, lastSequence: number, unsent: 0,
                        parked: 0, beatAt: DateTime(milliseconds: Int64(number)), version: "1"))
            }
        }
    }

    private func verify(_ directory: String) async throws {
        let result = try await ChildProcess.run(
            [Built.program, "verify", "--data", directory])
        #expect(result.status == .code(0), "\(String(decoding: result.standardOutput, as: UTF8.self))")
    }

    @Test func `killed under the load of many, a hub loses nothing, gives no version twice and leaves no gap`()
        async throws
    {
        let directory = try TempDirectory("crash")
        var hub = try await HubProcess(directory: directory.file("hub"))
        let port = hub.port
        var terminals: [Terminal] = []
        for number in 1...4 { terminals.append(try await open("T0\(number)", directory, hub.url)) }
        let lead = try await supervisor(directory, "S01", hub.url)
        // Every version that the hub ever confirmed of a terminal's own row.
        let versions = Locked<[String: [Int64]]>([:])
        let watches = terminals.map { terminal in
            let events = terminal.store.eventsWithMutations
            return Task {
                for await event in events {
                    guard case .outboxMutationProcessed("Device", let id, _, let confirmed) = event else { continue }
                    versions.withLock { $0[id, default: []].append(confirmed.version) }
                }
            }
        }
        let each = 12
        for round in 0..<Built.rounds {
            let numbers = (round * each + 1)...((round + 1) * each)
            // One of them is the clock: the hub dies when so many of his are confirmed, and the others are anywhere.
            let clock = terminals[round % terminals.count]
            let confirmed = clock.store.eventsWithMutations
            let others = terminals
            let work = Task {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for terminal in others { group.addTask { try await self.work(terminal, numbers) } }
                    try await group.waitForAll()
                }
            }
            var seen = 0
            for await event in confirmed {
                if case .outboxMutationProcessed = event { seen += 1 }
                if seen > round % each { break }
            }
            await hub.kill()
            try await work.value
            hub = try await HubProcess(directory: directory.file("hub"), port: port)
            for terminal in terminals + [lead] { terminal.driver.tryAgain() }
        }
        for terminal in terminals { try await terminal.store.flush(timeout: 120_000) }
        let total = Built.rounds * each * terminals.count
        for try await snapshot in lead.store.observeQuery(CountEntry.self) where snapshot.items.count >= total { break }
        let entries = try await lead.store.query(CountEntry.self)
        #expect(entries.count == total)
        for terminal in terminals {
            let own = entries.filter { $0.deviceID == terminal.name }.map(\.sequence)
            #expect(Set(own) == Set(1...(Built.rounds * each)))
        }
        await hub.stop()
        try await verify(directory.file("hub"))
        for watch in watches { watch.cancel() }
        #expect(Set(versions.current.keys) == Set(terminals.map(\.name)), "of each some version was seen")
        for (id, given) in versions.current {
            #expect(Set(given).count == given.count, "\(id) was given a version twice: \(given)")
            #expect(given == given.sorted(), "\(id) went back: \(given)")
        }
        for terminal in terminals + [lead] { await terminal.store.close() }
    }

    @Test func `a backup under load is restored, and terminals bring back what it lacks`() async throws {
        let directory = try TempDirectory("restore")
        let data = directory.file("hub")
        var hub = try await HubProcess(directory: data)
        let port = hub.port
        let ann = try await open("T01", directory, hub.url)
        let bob = try await open("T02", directory, hub.url)
        try await work(ann, 1...40)
        let load = Task { try await self.work(bob, 1...60) }
        let backup = try await ChildProcess.run(
            [Built.program, "hub", "backup", "--data", data, "--to", directory.file("backups") + "/", "--keep", "2"])
        #expect(backup.status == .code(0), "\(String(decoding: backup.standardError, as: UTF8.self))")
        try await load.value
        try await work(ann, 41...80)
        for terminal in [ann, bob] { try await terminal.store.flush(timeout: 120_000) }
        let file = try #require(
            try Files.list(directory.file("backups")).first { $0.hasSuffix(".sqlite") })
        let words = [
            Built.program, "hub", "restore", "--data", data, "--from", directory.file("backups") + "/" + file,
        ]
        let early = try await ChildProcess.run(words + ["--replace"])
        #expect(early.status == .code(1))
        #expect(String(decoding: early.standardError, as: UTF8.self).contains("a hub runs on"))
        await hub.kill()
        let unasked = try await ChildProcess.run(words)
        #expect(unasked.status == .code(1))
        #expect(String(decoding: unasked.standardError, as: UTF8.self).contains("--replace"))
        let restored = try await ChildProcess.run(words + ["--replace"])
        #expect(restored.status == .code(0), "\(String(decoding: restored.standardError, as: UTF8.self))")
        hub = try await HubProcess(directory: data, port: port)
        for terminal in [ann, bob] { terminal.driver.tryAgain() }
        let lead = try await supervisor(directory, "S01", hub.url)
        for try await snapshot in lead.store.observeQuery(CountEntry.self) where snapshot.items.count >= 140 { break }
        let entries = try await lead.store.query(CountEntry.self)
        #expect(entries.count == 140)
        #expect(Set(entries.filter { $0.deviceID == "T01" }.map(\.sequence)) == Set(1...80))
        #expect(Set(entries.filter { $0.deviceID == "T02" }.map(\.sequence)) == Set(1...60))
        for terminal in [ann, bob, lead] { await terminal.store.close() }
        await hub.stop()
        try await verify(data)
    }
}
