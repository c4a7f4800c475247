import Basics
import DataStore
import Hub
import Models
import SyncEngine
import System
import Testing
import WarehouseModels

/// The whole way on real sockets: store, engine, hub, engine, store.
@Suite(.timeLimit(.minutes(5)))
struct LinkTests {
    @Test func `an entry on one terminal reaches the other`() async throws {
        let link = try RealLink()
        let hub = try await link.startHub()
        let ann = try await link.open("T01", kind: .terminal, url: hub.url, key: RealLink.counterKey, person: "ann")
        let bob = try await link.open("T02", kind: .terminal, url: hub.url, key: RealLink.counterKey, person: "bob")
        ann.store.identity = "ann"
        try await ann.store.save(entry("T01", 1, author: "ann"))
        try await bob.store.wait(for: CountEntry.self) { $0.map(\.id) == ["T01-1"] }
        try await ann.store.waitUntilSent()
        #expect(try await ann.store.syncState(of: entry("T01", 1, author: "ann")) == .synced(version: 1))
        await ann.store.close()
        await bob.store.close()
        await hub.stop()
    }

    @Test func `a blind counter's store never holds another's entries or the book`() async throws {
        let link = try RealLink()
        let hub = try await link.startHub()
        let desk = try await link.open("D01", kind: .desk, url: hub.url, key: RealLink.deskKey)
        let ann = try await link.open("T01", kind: .terminal, url: hub.url, key: RealLink.counterKey, person: "ann")
        let bob = try await link.open("T02", kind: .terminal, url: hub.url, key: RealLink.counterKey, person: "bob")
        let zone = Zone(id: "Z", code: "Z", name: "Zone", walkSequence: 1)
        try await desk.store.save(
            BookLine(id: "L", snapshotID: "X", binID: "B", itemID: "I", quantity: 100))
        ann.store.identity = "ann"
        try await ann.store.save(entry("T01", 1, author: "ann", audience: []))
        try await desk.store.wait(for: CountEntry.self) { $0.count == 1 }
        // What Bob may see arrives after what he may not: when it is here, the rest would be too.
        try await desk.store.save(zone)
        try await bob.store.wait(for: Zone.self) { $0.count == 1 }
        #expect(try await bob.store.query(CountEntry.self).isEmpty)
        #expect(try await bob.store.query(BookLine.self).isEmpty)
        for store in [desk.store, ann.store, bob.store] { await store.close() }
        await hub.stop()
    }

    @Test func `500 entries made while the hub is down arrive after its return, each once`() async throws {
        let link = try RealLink()
        var hub = try await link.startHub()
        let port = hub.port
        let ann = try await link.open("T01", kind: .terminal, url: hub.url, key: RealLink.counterKey, person: "ann")
        ann.store.identity = "ann"
        try await ann.store.save(entry("T01", 1, author: "ann"))
        try await ann.store.waitUntilSent()
        await hub.stop()
        for number in 2...500 { try await ann.store.save(entry("T01", number, author: "ann")) }
        hub = try await link.startHub(port: port)
        ann.driver.tryAgain()
        try await ann.store.waitUntilSent()
        let lead = try await link.open("S01", kind: .supervisor, url: hub.url, key: RealLink.supervisorKey)
        try await lead.store.wait(for: CountEntry.self) { $0.count == 500 }
        for entry in try await lead.store.query(CountEntry.self) {
            #expect(try await lead.store.syncState(of: entry) == .synced(version: 1))
        }
        await ann.store.close()
        await lead.store.close()
        await hub.stop()
    }

    @Test func `a manual sync says what it moved, and a stopped engine that it is stopped`() async throws {
        let link = try RealLink()
        let hub = try await link.startHub()
        let desk = try await link.open("D01", kind: .desk, url: hub.url, key: RealLink.deskKey)
        #expect(await desk.store.sync() == .done(SyncCounts()))
        let ann = try await link.open("T01", kind: .terminal, url: hub.url, key: RealLink.counterKey, person: "ann")
        ann.store.identity = "ann"
        try await desk.store.save(Zone(id: "Z", code: "Z", name: "Zone", walkSequence: 1))
        guard case .done(let sent) = await desk.store.sync(Zone.self), case .done = await ann.store.sync(Zone.self)
        else {
            Issue.record("the link is up")
            return
        }
        #expect(sent.sent <= 1 && sent.parked == 0)
        #expect(try await desk.store.outboxStatus().isEmpty)
        #expect(try await ann.store.count(Zone.self) == 1)
        try await ann.store.save(entry("T01", 1, author: "bob"))
        guard case .done(let refused) = await ann.store.sync(CountEntry.self) else {
            Issue.record("the link is up")
            return
        }
        #expect(refused.parked == 1)
        await ann.store.stop()
        #expect(await ann.store.sync() == .failed("synchronising is stopped"))
        await ann.store.close()
        await desk.store.close()
        await hub.stop()
    }

    @Test func `a refused key pauses, and another key sends what waited, untouched`() async throws {
        let link = try RealLink()
        let hub = try await link.startHub()
        let ann = try await link.open("T01", kind: .terminal, url: hub.url, key: "expired", person: "ann")
        let events = ann.store.events
        ann.store.identity = "ann"
        try await ann.store.save(entry("T01", 1, author: "ann"))
        let waiting = try await ann.store.outbox.list()
        if ann.driver.status.pausedReason == nil {
            for await case .paused(_, let identity, let detail) in events {
                #expect(identity == "ann" && !detail.isEmpty)
                break
            }
        }
        let paused = try await ann.store.outbox.list()
        #expect(paused.map(\.mutationID) == waiting.map(\.mutationID))
        #expect(paused.allSatisfy { $0.state != .parked })
        ann.driver.setKey(RealLink.counterKey)
        try await ann.store.waitUntilSent()
        #expect(try await ann.store.syncState(of: entry("T01", 1, author: "ann")) == .synced(version: 1))
        await ann.store.close()
        await hub.stop()
    }

    @Test func `a policy changed at run time lets go of a model and fetches it again`() async throws {
        let link = try RealLink()
        let hub = try await link.startHub()
        let desk = try await link.open("D01", kind: .desk, url: hub.url, key: RealLink.deskKey)
        try await desk.store.save(Zone(id: "Z", code: "Z", name: "Zone", walkSequence: 1))
        let ann = try await link.open("T01", kind: .terminal, url: hub.url, key: RealLink.counterKey, person: "ann")
        try await ann.store.wait(for: Zone.self) { $0.count == 1 }
        var policies = syncPolicies(for: .terminal)
        policies["Zone"] = SyncPolicy.none
        try await ann.store.setPolicies(policies)
        #expect(try await ann.store.count(Zone.self) == 0)
        try await desk.store.save(Zone(id: "Y", code: "Y", name: "Zone", walkSequence: 2))
        #expect(await ann.store.sync(Zone.self) == .done(SyncCounts()) || !ann.driver.status.isLive)
        #expect(try await ann.store.count(Zone.self) == 0)
        try await ann.store.setPolicies(syncPolicies(for: .terminal))
        try await ann.store.wait(for: Zone.self) { Set($0.map(\.id)) == ["Y", "Z"] }
        await ann.store.close()
        await desk.store.close()
        await hub.stop()
    }

    @Test func `a refused entry is parked with its reason and stops nothing else`() async throws {
        let link = try RealLink()
        let hub = try await link.startHub()
        let ann = try await link.open("T01", kind: .terminal, url: hub.url, key: RealLink.counterKey, person: "ann")
        ann.store.identity = "ann"
        try await ann.store.save(entry("T01", 1, author: "bob"))
        try await ann.store.save(entry("T01", 2, author: "ann"))
        let bob = try await link.open("T02", kind: .terminal, url: hub.url, key: RealLink.counterKey, person: "bob")
        try await bob.store.wait(for: CountEntry.self) { $0.map(\.id) == ["T01-2"] }
        let parked = try await ann.store.outbox.list(state: .parked)
        #expect(parked.map(\.id) == ["T01-1"])
        #expect(parked.first?.reason?.contains("Unauthorized") == true)
        await ann.store.close()
        await bob.store.close()
        await hub.stop()
    }
}
