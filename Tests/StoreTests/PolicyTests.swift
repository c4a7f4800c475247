import Models
import System
import Testing

@testable import DataStore

@Suite("A model's policy, changed while the store is used")
struct PolicyTests {
    static let all: [SyncPolicy] = [.none, .upstream, .downstream, .both]

    @Test(
        "from any to any: what is clean and received no more goes, what is unsent stays and is sent once it may be",
        arguments: all, all)
    func matrix(_ before: SyncPolicy, _ after: SyncPolicy) throws {
        let core = try memoryCore()
        try core.applyRemote([remote(Zone(id: "clean"), 1), remote(Zone(id: "changed"), 1)])
        try core.save(Zone(id: "changed", code: "C"), Zone(id: "new"), identity: "ann")
        try core.setPolicies(["Zone": before], as: "bob")
        try core.setMark(SyncMark(model: "Zone", lastSync: 7))
        // Where nothing was received before, it came while it was.
        if !before.receives { try core.applyRemote([remote(Zone(id: "clean"), 1)]) }
        try core.setPolicies(["Zone": after], as: "bob")

        let ids = try core.read { try $0.query(Zone.self, sort: [.ascending(Field<Zone, String>("id"))]) }.map(\.id)
        let isGone = before.receives && !after.receives
        #expect(ids == (isGone ? ["changed", "new"] : ["changed", "clean", "new"]))
        let entries = try core.outbox()
        #expect(entries.map(\.id) == ["changed", "new"], "nothing is queued twice and nothing forgotten")
        #expect(entries.map(\.kind) == [.update, .create])
        #expect(entries.allSatisfy { $0.identity == "ann" })
        let batch = try core.nextMutations(limit: 10)
        #expect((batch != nil) == after.sends)
        let mark = try core.mark(of: "Zone")
        #expect(mark == SyncMark(model: "Zone", lastSync: isGone ? nil : 7), "what went is fetched anew one day")
    }

    @Test("C16: what was changed of a record that the backend has, while its model was not sent, waits until it is")
    func changedMeanwhile() throws {
        let core = try memoryCore()
        try core.setPolicies(["Zone": .upstream], as: nil)
        try core.save(Zone(id: "a"), Zone(id: "b"), identity: "ann")
        try core.sendAll()
        try core.setPolicies(["Zone": .none], as: nil)
        try core.save(Zone(id: "a", code: "two"), Zone(id: "alone"), identity: "bob")
        try core.write(as: "bob") { _ = try $0.delete(model: "Zone", id: "b") }
        #expect(try core.read { try $0.syncState(model: "Zone", id: "a") } == .queued, "it waits, and says so")
        #expect(try core.nextMutations(limit: 10) == nil)
        try core.setPolicies([:], as: "cleo")
        let entries = try core.outbox()
        #expect(entries.map(\.id) == ["a", "b", "alone"])
        #expect(entries.map(\.kind) == [.update, .delete, .create])
        #expect(entries.allSatisfy { $0.identity == "bob" })
        #expect(entries[0].baseVersion == 1 && entries[0].base == ["code": "Z"])
    }

    @Test("C16: what was made while its model did not travel waits, and is not overwritten, where it is only received")
    func onlyReceived() throws {
        let core = try memoryCore()
        try core.setPolicies(["Zone": .none], as: nil)
        try core.save(Zone(id: "z", code: "mine"), identity: "ann")
        try core.setPolicies(["Zone": .downstream], as: "bob")
        try core.applyPage(model: "Zone", items: [remote(Zone(id: "z", code: "theirs"), 3)], mark: nil)
        #expect(try core.read { try $0.get(Zone.self, id: "z") }?.code == "mine")
        #expect(try core.nextMutations(limit: 10) == nil)
        try core.setPolicies(["Zone": .both], as: "bob")
        let entry = try #require(try core.nextMutations(limit: 10)?.entries.first)
        #expect(entry.kind == .create && entry.fields["code"] == "mine" && entry.identity == "ann")
        try core.settle([
            MutationResult(order: entry.order, outcome: .refused(code: "ConditionalCheckFailed", message: "exists"))
        ])
        #expect(core.outboxStatus == OutboxStatus(parked: 1))
        try core.write(as: nil) { _ = try $0.revertOutbox(entry.order) }
        #expect(try core.read { try $0.get(Zone.self, id: "z") }?.code == "theirs")
    }

    @Test("C16: nothing is queued of a store's own where its model stops to be received")
    func stopped() throws {
        let core = try memoryCore { $0.isLocalOnly = true }
        try core.save(Item(id: "i"))
        try core.setPolicies(["Item": .none], as: nil)
        #expect(core.outboxStatus.isEmpty)
        try core.setPolicies(["Item": .downstream], as: nil)
        #expect(core.outboxStatus == OutboxStatus(queued: 1))
    }

    @Test("is what an explanation says of it, by whichever connection that is read")
    func explained() async throws {
        let directory = try TempDirectory()
        let store = try await DataStore(
            schema: testSchema, at: .directory(directory.path), options: testOptions())
        for _ in 0..<2 { #expect(try await store.explain(Zone.self, id: "z").policy == .both) }
        try await store.setPolicies(["Zone": .none])
        for _ in 0..<3 { #expect(try await store.explain(Zone.self, id: "z").policy == .none) }
        await store.close()
    }

    @Test("are of models that there are: a slip in a name is told, and nothing changes")
    func unknown() async throws {
        let store = try await DataStore(
            schema: testSchema, at: .memory, options: testOptions(), driver: PerfectDriver())
        await #expect(throws: StoreError.unknownModel("Nope")) {
            try await store.setPolicies(["Zone": .none, "Nope": .none])
        }
        #expect(try await store.explain(Zone.self, id: "z").policy == .both)
        try await store.start()
        let text = StoreError.unknownModel("Nope").description
        #expect(await store.sync(["Nope", "Zone"]) == .failed(text))
        await store.close()
    }
}
