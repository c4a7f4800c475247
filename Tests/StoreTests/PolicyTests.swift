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
}
