import Basics
import Models
import System
import Testing

@testable import DataStore

/// Stores on one file are processes: one synchronises, others are opened beside it, perhaps with other policies.
@Suite("The policies of a store that several processes have open")
struct PolicyProcessTests {
    private let directory: TempDirectory

    init() throws { directory = try TempDirectory() }

    private func open(_ policies: [String: SyncPolicy] = [:], seed: UInt64 = 1) throws -> StoreCore {
        try StoreCore(
            schema: testSchema, at: .directory(directory.path),
            options: testOptions {
                $0.random = SeededRandom(seed: seed)
                $0.policies = policies
            })
    }

    private func policy(_ model: String, _ core: StoreCore) -> SyncPolicy {
        core.options.policy(of: testSchema.model(model) ?? Zone.schema)
    }

    @Test("C15 C27: opening it with others, or with none, evicts nothing, queues nothing and changes none")
    func opening() throws {
        let leader = try open(["Zone": .downstream, "Draft": .none])
        try leader.lead()
        try leader.applyRemote([remote(Zone(id: "theirs"), 1)])
        try leader.setMark(SyncMark(model: "Zone", lastSync: 7))
        try leader.save(Draft(id: "mine"))
        let choices: [[String: SyncPolicy]] = [[:], ["Zone": .none, "Draft": .both], ["Zone": .upstream]]
        for (seed, policies) in choices.enumerated() {
            let other = try open(policies, seed: UInt64(10 + seed))
            #expect(policy("Zone", other) == .downstream && policy("Draft", other) == .none)
            #expect(try other.read { try $0.count(Zone.self) } == 1)
            #expect(throws: StoreError.downstreamOnly(model: "Zone")) { try other.save(Zone(id: "new")) }
            try other.save(Draft(id: "draft\(seed)"))
            #expect(try other.outbox().isEmpty)
        }
        #expect(try leader.mark(of: "Zone").lastSync == 7)
        #expect(policy("Zone", leader) == .downstream)
    }

    @Test("C16 C27: what one sets holds for all, also before they are told, and after all are closed")
    func explicit() throws {
        let leader = try open(["Draft": .none])
        let other = try open(seed: 2)
        try leader.applyRemote([remote(Zone(id: "theirs"), 1)])
        var told = 0
        leader.onPolicies = { told += 1 }
        try other.setPolicies(["Zone": .none, "Draft": .upstream], as: "bob")
        #expect(try leader.read { try $0.count(Zone.self) } == 0, "who sets them lets go of what is received no more")
        try leader.save(Zone(id: "private"), Draft(id: "d"), identity: "ann")
        #expect(try leader.outbox().map(\.model) == ["Draft"], "at once, whether or not it has heard of it")
        #expect(told == 1)
        #expect(policy("Zone", leader) == .none)
        try leader.lead()
        #expect(policy("Zone", leader) == .none, "what was set last holds, not what the leader was opened with")
        _ = try leader.noticeForeignChanges()
        #expect(told == 1, "it is told once")
        let later = try open(seed: 3)
        #expect(policy("Zone", later) == .none && policy("Draft", later) == .upstream)
    }

    @Test("C16 C27: policies switched to and fro by another process are heard of: what went is fetched again")
    func toAndFro() throws {
        let leader = try open()
        try leader.applyRemote([remote(Zone(id: "theirs"), 1), remote(Item(id: "kept"), 1)])
        for model in ["Zone", "Item"] { try leader.setMark(SyncMark(model: model, lastSync: 7, lastFullSync: 7)) }
        let other = try open(seed: 2)
        var told = 0
        var anew: Set<String> = []
        leader.onPolicies = { told += 1 }
        leader.onBegunAnew = { anew.formUnion($0) }
        try other.setPolicies(["Zone": .none], as: nil)
        try other.setPolicies([:], as: nil)
        _ = try leader.noticeForeignChanges()
        #expect(told == 1)
        #expect(anew.contains("Zone") && !anew.contains("Item"))
        try leader.setPolicies(["Zone": .upstream], as: nil)
        try leader.save(Draft(id: "d"))
        #expect(told == 1, "its own choice is no news")
    }

    @Test("C27: who begins to synchronise has its own hold, where it was opened with some")
    func leading() throws {
        let first = try open(["Zone": .downstream])
        try first.applyRemote([remote(Zone(id: "theirs"), 1)])
        let plain = try open(seed: 2)
        try plain.lead()
        #expect(policy("Zone", plain) == .downstream, "opened with none, it goes by those that hold")
        let second = try open(["Zone": .none], seed: 3)
        #expect(try second.read { try $0.count(Zone.self) } == 1)
        try second.lead()
        #expect(policy("Zone", second) == .none)
        #expect(try second.read { try $0.count(Zone.self) } == 0)
        try first.save(Draft(id: "looks"))
        #expect(policy("Zone", first) == .none)
    }

    @Test("C16: a store from before choices were kept goes on with what it had, whatever it is opened with")
    func earlier() throws {
        do {
            let old = try open(["Zone": .upstream])
            try old.connection.run("DELETE FROM _meta WHERE key=?", [.text(StoreCore.chosenKey)])
        }
        let core = try open(["Zone": .none], seed: 2)
        #expect(policy("Zone", core) == .upstream && policy("Bin", core) == .both)
        #expect(core.options.policies == ["Zone": .upstream], "the schema's own are not taken for choices")
    }

    @Test("C16 C27: through the public store: readers and the driver follow what another process sets")
    func stores() async throws {
        let drivers = [IdleDriver(), IdleDriver()]
        var stores: [DataStore] = []
        for (index, driver) in drivers.enumerated() {
            stores.append(
                try await DataStore(
                    schema: testSchema, at: .directory(directory.path),
                    options: testOptions {
                        $0.random = SeededRandom(seed: UInt64(index + 1))
                        $0.policies = index == 0 ? ["Zone": .downstream] : ["Zone": .none]
                        $0.followInterval = nil
                    }, driver: driver))
        }
        let (leader, follower) = (stores[0], stores[1])
        try await leader.start()
        try await follower.start()
        for store in stores {
            for _ in 0..<3 { #expect(try await store.explain(Zone.self, id: "z").policy == .downstream) }
        }
        try await follower.setPolicies(["Zone": .upstream])
        try await leader.followForeignChanges()
        for _ in 0..<3 { #expect(try await leader.explain(Zone.self, id: "z").policy == .upstream) }
        #expect(drivers[0].told.current.filter { $0 == "policies" }.count == 1)
        await leader.close()
        // Opened with others once, it has set its own since: those hold when it takes over.
        try await follower.followForeignChanges()
        #expect(drivers[1].told.current.contains("start"))
        for _ in 0..<3 { #expect(try await follower.explain(Zone.self, id: "z").policy == .upstream) }
        await follower.close()
    }
}
