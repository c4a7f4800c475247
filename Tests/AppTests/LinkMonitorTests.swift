import Basics
import Models
import Testing
import WarehouseModels

@testable import CountingApp
@testable import DataStore

@Suite("What the screens know of the link")
struct LinkMonitorTests {
    @Test("says how many records are here, though a fetch of changes brought none")
    func rows() async throws {
        let store = try await DataStore(
            schema: warehouse, at: .memory,
            options: StoreOptions(
                time: ManualTimeSource(), random: SeededRandom(seed: 1), policies: syncPolicies(for: .terminal)))
        try await store.port.perform { core in
            try core.applyRemote(
                (1...3).map { number in
                    RemoteRecord(
                        record: Zone(id: "z\(number)", code: "Z\(number)", name: "Zone", walkSequence: number).record,
                        version: 1, lastChangedAt: 1)
                })
        }
        let monitor = LinkMonitor(store: store) { LinkFacts(isOnline: true) }
        store.port.emit(.progress(model: "Zone", rows: 3))
        store.port.emit(.modelSynced(model: "Zone", isFullSync: true, ModelCounts(rows: 3, created: 3)))
        // As after a sign-out: nothing has changed.
        store.port.emit(.progress(model: "Zone", rows: 1))
        store.port.emit(.modelSynced(model: "Zone", isFullSync: false, ModelCounts(rows: 0)))
        store.port.emit(.modelSynced(model: "Bin", isFullSync: true, ModelCounts()))
        for await state in monitor.states() where state.progress["Bin"] != nil {
            #expect(state.progress["Zone"] == LinkState.SyncProgress(rows: 3, isComplete: true))
            break
        }
        await store.close()
    }
}
