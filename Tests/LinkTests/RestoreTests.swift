import Basics
import DataStore
import Hub
import Models
import SyncEngine
import System
import Testing
import WarehouseModels

/// A hub that goes back to a backup, under real stores on real sockets.
@Suite(.timeLimit(.minutes(5)))
struct RestoreTests {
    @Test func `what a restored hub lost comes back from those who made it`() async throws {
        let link = try RealLink()
        var hub = try await link.startHub()
        let port = hub.port
        let ann = try await link.open("T01", kind: .terminal, url: hub.url, key: RealLink.counterKey, person: "ann")
        let bob = try await link.open("T02", kind: .terminal, url: hub.url, key: RealLink.counterKey, person: "bob")
        let sue = try await link.open("S01", kind: .supervisor, url: hub.url, key: RealLink.supervisorKey)
        ann.store.identity = "ann"
        bob.store.identity = "bob"
        for number in 1...50 { try await ann.store.save(entry("T01", number, author: "ann")) }
        try await ann.store.waitUntilSent()

        // Under load: the backup has a part of what Bob writes meanwhile.
        let backup = link.directory.file("hub-backup.sqlite")
        let hubDirectory = link.hubDirectory
        let taken = Task.detached { try HubBackup.take(of: hubDirectory, to: backup, time: SystemTimeSource()) }
        for number in 1...200 { try await bob.store.save(entry("T02", number, author: "bob")) }
        let manifest = try await taken.value
        try await bob.store.waitUntilSent()
        for number in 51...100 { try await ann.store.save(entry("T01", number, author: "ann")) }
        try await ann.store.waitUntilSent()
        try await sue.store.wait(for: CountEntry.self) { $0.count == 300 }
        await hub.stop()

        _ = try HubRestore.restore(backup, into: hubDirectory, replacing: true, time: SystemTimeSource())
        #expect(manifest.rows["CountEntry"] ?? 0 < 300)
        hub = try await link.startHub(port: port)
        // Made while nobody could know that the hub has gone back.
        for number in 101...110 { try await ann.store.save(entry("T01", number, author: "ann")) }
        for driver in [ann.driver, bob.driver, sue.driver] { driver.tryAgain() }

        let fresh = try await link.open(
            "S02", kind: .supervisor, url: hub.url, key: RealLink.supervisorKey)
        try await fresh.store.wait(for: CountEntry.self) { $0.count == 310 }
        let entries = try await fresh.store.query(CountEntry.self)
        #expect(Set(entries.map(\.id)).count == 310)
        #expect(Set(entries.filter { $0.deviceID == "T01" }.map(\.sequence)) == Set(1...110))
        #expect(entries.allSatisfy { $0.authorID == ($0.deviceID == "T01" ? "ann" : "bob") })
        // Who only watched has all of it again, as the hub has it.
        while true {
            let own = try await sue.store.count(CountEntry.self, in: [.local])
            let all = try await sue.store.query(CountEntry.self).count
            if own == 0, all == 310 { break }
            try await sue.store.wait(for: CountEntry.self) { _ in true }
        }
        for store in [ann.store, bob.store, sue.store, fresh.store] { await store.close() }
        await hub.stop()
    }
}
