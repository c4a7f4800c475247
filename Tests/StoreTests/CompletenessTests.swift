import Basics
import Models
import System
import Testing

@testable import DataStore

/// What a live query says of whether its model is complete.
@Suite("Whether a model is complete")
struct CompletenessTests {
    private func store(_ location: StoreLocation = .memory, seed: UInt64 = 7) async throws -> DataStore {
        try await DataStore(
            schema: testSchema, at: location, options: testOptions { $0.random = SeededRandom(seed: seed) },
            driver: IdleDriver())
    }

    @Test("D35: a model that is not fetched is complete as it is, and follows its policy")
    func unfetched() async throws {
        let store = try await store()
        var drafts = store.observeQuery(Draft.self).makeAsyncIterator()
        #expect(try await drafts.next()?.isSynced == true)
        try await store.setPolicies(["Draft": .both])
        #expect(try await drafts.next()?.isSynced == false)
        store.port.emit(.modelSynced(model: "Draft", isFullSync: true, ModelCounts()))
        #expect(try await drafts.next()?.isSynced == true)
        try await store.clear(.refuse)
        var complete: [Bool] = []
        while complete.last != false { complete.append(try await drafts.next()?.isSynced ?? false) }
        try await store.setPolicies(["Draft": .upstream])
        #expect(try await drafts.next()?.isSynced == true)
        // A mark that is left over from before says nothing of it.
        try await store.port.perform { try $0.setMark(SyncMark(model: "Draft")) }
        try await store.save(Draft(id: "d"))
        #expect(try await drafts.next()?.isSynced == true)
        await store.close()
    }

    @Test("D35 D92: a model that is fetched from the beginning again is not complete until that is done")
    func anew() async throws {
        let store = try await store()
        var zones = store.observeQuery(Zone.self).makeAsyncIterator()
        #expect(try await zones.next()?.isSynced == false)
        store.port.emit(.modelSynced(model: "Zone", isFullSync: true, ModelCounts()))
        #expect(try await zones.next()?.isSynced == true)
        // The next changes of a model that is complete leave it so.
        try await store.port.perform { try $0.setMark(SyncMark(model: "Zone", lastSync: 9, nextToken: "t")) }
        try await store.save(Zone(id: "z"))
        #expect(try await zones.next()?.isSynced == true)
        // Another scope, person or life of the backend.
        try await store.port.perform { try $0.setMark(SyncMark(model: "Zone", scope: "other")) }
        #expect(try await zones.next()?.isSynced == false)
        await store.close()
    }

    @Test("C27: a process that follows another's synchronising sees what is complete there")
    func followers() async throws {
        let directory = try TempDirectory()
        let leader = try await store(.directory(directory.path), seed: 1)
        let follower = try await store(.directory(directory.path), seed: 2)
        try await leader.start()
        try await follower.start()
        var zones = follower.observeQuery(Zone.self).makeAsyncIterator()
        #expect(try await zones.next()?.isSynced == false)
        func after(_ mark: SyncMark) async throws -> Bool {
            let before = try await follower.observeQuery(Zone.self).first { _ in true }?.isSynced
            try await leader.port.perform { try $0.setMark(mark) }
            try await follower.followForeignChanges()
            while let snapshot = try await zones.next() {
                if snapshot.isSynced != before { return snapshot.isSynced }
            }
            return false
        }
        #expect(try await after(SyncMark(model: "Zone", lastSync: 5, lastFullSync: 5)))
        #expect(try await !after(SyncMark(model: "Zone")))
        await leader.close()
        await follower.close()
    }
}
