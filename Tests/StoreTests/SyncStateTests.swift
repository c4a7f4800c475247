import Basics
import Models
import SampleModels
import Testing

@testable import DataStore

@Suite("Each record's way to the backend")
struct SyncStateTests {
    /// One bin in each state; Draft is local.
    private func mixed() throws -> StoreCore {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "synced"), 3)])
        try core.save(Bin(id: "parked"), Bin(id: "sending"), Draft(id: "local"))
        let sent = try #require(try core.nextMutations(limit: 2)).entries
        try core.settle([MutationResult(order: sent[0].order, outcome: .refused(code: "E", message: "no"))])
        try core.save(Bin(id: "queued"))
        return core
    }

    @Test("D9 D100 C23: records are found by their sync state")
    func found() throws {
        let core = try mixed()
        func bins(_ states: Set<SyncState.Kind>) throws -> [String] {
            try core.read {
                try $0.query(Bin.self, in: states, sort: [.ascending(Field<Bin, String>("id"))]).map(\.id)
            }
        }
        for state in [SyncState.Kind.parked, .sending, .queued, .synced] {
            #expect(try bins([state]) == [state.rawValue])
        }
        #expect(try bins(SyncState.Kind.unsent) == ["parked", "queued", "sending"])
        #expect(try bins([.local]).isEmpty && bins([]).isEmpty)
        #expect(try core.read { try $0.count(Draft.self, in: [.local]) } == 1)
        #expect(
            try core.read { try $0.count(Bin.self, in: [.synced, .queued], where: Field<Bin, String>("id") != "x") }
                == 2)
    }

    @Test("C23: a record's sync state can be observed from its making to its confirmation")
    func observed() async throws {
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        var states = store.syncStates(of: Bin.self, id: "b").makeAsyncIterator()
        #expect(await states.next() == .unknown)
        try await store.save(Bin(id: "b"))
        #expect(await states.next() == .queued)
        try await store.port.perform { core in
            let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
            #expect(entry.id == "b")
        }
        #expect(await states.next() == .sending)
        try await store.port.perform { core in
            let entry = try #require(try core.outbox().first)
            try core.settle([MutationResult(order: entry.order, outcome: .applied(remote(Bin(id: "b"), 4)))])
        }
        #expect(await states.next() == .synced(version: 4))
        await store.close()
        #expect(await states.next() == nil)
    }

    @Test("explain says why a record is here, missing, waiting or parked")
    func explained() throws {
        let core = try mixed()
        func first(_ id: String, _ model: String = "Bin") throws -> String {
            try core.read { try $0.explain(model: model, id: id) }.lines[0]
        }
        #expect(try first("synced") == "the backend has it, as version 3")
        #expect(try first("parked") == "a change of it was refused and waits for a person: E: no")
        #expect(try first("sending") == "a change of it is being sent")
        #expect(try first("queued") == "a change of it waits to be sent")
        #expect(try first("local", "Draft") == "it is kept here only")
        #expect(try first("no", "Draft") == "it is not here, and its model is not fetched")
        #expect(try first("no") == "it is not here: its model was not fetched yet")
        try core.setMark(SyncMark(model: "Bin", lastSync: 1, nextToken: "t"))
        #expect(try first("no") == "it is not here: its model is still being fetched")
        try core.setMark(SyncMark(model: "Bin", lastSync: 1, scope: "s"))
        #expect(try first("no") == "it is not here: the backend has none in the scope that is fetched")
        try core.applyRemote([remote(Bin(id: "gone"), 7, deleted: true)])
        #expect(try first("gone") == "it is not here: the backend deleted it as version 7")
    }

    @Test("explain names what a record waits for, what is kept aside and which parents are missing")
    func particulars() throws {
        let core = try memoryCore()
        try core.save(Pass(id: "p"), Entry(id: "e", passID: "p"))
        let pass = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.settle([MutationResult(order: pass.order, outcome: .refused(code: "E", message: "no"))])
        let entry = try core.read { try $0.explain(model: "Entry", id: "e") }
        #expect(entry.heldBy?.model == "Pass")
        #expect(entry.lines.contains("it waits for the create of Pass p, which is parked"))
        #expect(entry.lines.contains { $0.hasPrefix("create 2 is queued, not sent yet") })

        try core.applyRemote([remote(Bin(id: "b", zoneID: "z", place: 1), 1)])
        try core.save(Bin(id: "b", zoneID: nil, place: 1))
        try core.applyRemote([remote(Bin(id: "b", zoneID: "y", place: 2), 2)])
        let bin = try core.read { try $0.explain(model: "Bin", id: "b") }
        #expect(bin.asideVersion == 2)
        #expect(bin.description.hasPrefix("Bin b\n  a change of it waits to be sent"))
        try core.applyRemote([remote(Bin(id: "c", zoneID: "nowhere"), 1)])
        #expect(try core.read { try $0.explain(model: "Bin", id: "c") }.missingParents == ["Zone nowhere"])
    }

    @Test("C4: everything that waits for a parked change can be listed, however far down")
    func dependants() throws {
        let core = try sampleCore()
        try core.save(
            SampleModels.Post(id: "p", title: "t"), SampleModels.Comment(id: "c", text: "", postCommentsId: "p"))
        let orders = try core.outbox().map(\.order)
        #expect(try core.read { try $0.dependants(of: orders[0]) }.map(\.model) == ["Comment"])
        #expect(try core.read { try $0.dependants(of: orders[1]) }.isEmpty)
        #expect(throws: StoreError.unknownEntry(99)) { try core.read { try $0.dependants(of: 99) } }
    }

    @Test("all parked changes may be sent again at once")
    func retryAll() async throws {
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        try await store.save(Bin(id: "a"))
        try await store.save(Bin(id: "b"))
        try await store.port.perform { core in
            let entries = try #require(try core.nextMutations(limit: 2)).entries
            try core.settle(
                entries.map { MutationResult(order: $0.order, outcome: .refused(code: "E", message: "no")) })
        }
        let parked = try await store.outbox.list(state: .parked)
        #expect(
            parked.count == 2 && parked.allSatisfy { $0.lastTriedAt != nil && $0.attempts == 1 && $0.reason != nil })
        #expect(try await store.outbox.retryAll() == 2)
        #expect(try await store.outboxStatus() == OutboxStatus(queued: 2))
    }

    @Test("explain names whatever keeps a change from being sent: its policy, its transaction, its time")
    func holds() throws {
        let time = ManualTimeSource()
        let core = try memoryCore { $0.time = time }
        func lines(_ model: String, _ id: String) throws -> [String] {
            try core.write(as: nil) { try $0.explain(model: model, id: id) }.lines
        }
        try core.save(Zone(id: "z"))
        #expect(try core.read { try $0.explain(model: "Zone", id: "z") }.holds.isEmpty)
        try core.setPolicies(["Zone": .downstream], as: nil)
        #expect(try lines("Zone", "z").contains("it waits until its model is sent, whose policy is DOWNSTREAM"))
        try core.setPolicies([:], as: nil)

        let zone = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.settle([MutationResult(order: zone.order, outcome: .transient(reason: "busy", delay: 4000))])
        let then = DateTime(milliseconds: time.now().milliseconds + 4000).iso8601
        #expect(try lines("Zone", "z").contains("it is tried again at \(then)"))
        time.advance(milliseconds: 4000)
        #expect(try !lines("Zone", "z").contains { $0.contains("tried again") })

        try core.save(Pass(id: "p"))
        try core.write(as: nil) { tx in
            try tx.sentAsOne {
                try tx.save(Bin(id: "b"))
                try tx.save(Entry(id: "e", passID: "p"))
            }
        }
        let held = "it goes as one with the create of Entry e, which waits for the create of Pass p, which is queued"
        #expect(try lines("Bin", "b").contains(held))
        #expect(try lines("Entry", "e").contains("it waits for the create of Pass p, which is queued"))
        try core.write(as: nil) { tx in
            try tx.sentAsOne {
                try tx.save(Bin(id: "b", note: "later"))
                try tx.save(Bin(id: "c"))
            }
        }
        let earlier = "it goes as one with the update of Bin b, which waits for the create of Bin b, which is queued"
        #expect(try lines("Bin", "c").contains(earlier))
    }

    @Test("explain names the person whose token is needed, and the time of the next try")
    func driverHolds() async throws {
        let time = ManualTimeSource()
        let store = try await DataStore(
            schema: testSchema, at: .memory, options: testOptions { $0.time = time }, driver: OnePersonDriver())
        store.identity = "bob"
        try await store.save(Zone(id: "z"))
        #expect(try await store.explain(Zone.self, id: "z").holds == [.person("bob")])
        #expect(try await store.explain(Zone.self, id: "z").lines.contains("it waits for bob to sign in, who made it"))
        store.identity = "ann"
        try await store.save(Pass(id: "p"))
        try await store.port.perform { core in
            let entry = try #require(try core.nextMutations(limit: 1, busy: ["bob"])?.entries.first)
            try core.settle([MutationResult(order: entry.order, outcome: .transient(reason: "busy", delay: 4000))])
        }
        let then = DateTime(milliseconds: time.now().milliseconds + 4000)
        #expect(try await store.explain(Pass.self, id: "p").holds == [.retry(then)])
        await store.close()
    }
}

/// A driver with a token of ann's.
private struct OnePersonDriver: SyncDriver {
    func start(_ port: SyncPort) async throws {}
    func stop() async {}
    func outboxChanged() {}
    func maySend(as identity: String?) -> Bool { identity == "ann" }
}
