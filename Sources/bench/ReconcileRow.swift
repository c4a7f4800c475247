import Basics
import DataStore
import Models
import SyncEngine
import System
import WarehouseModels

/// A terminal that was away for so long that the hub does not know any more what changed: it compares digests.
enum ReconcileRow {
    /// What was added at the hub meanwhile.
    private static let added = 20

    static func reconcile(_ scale: Double) async throws -> Row {
        let floor = try await Floor("reconcile")
        let count = max(1000, Int(200_000 * scale))
        try await SyncRows.seedMore(floor, from: 0, to: count)
        let (store, driver) = try await floor.store("T01", .terminal, person: "ann")
        let whole = try await ready(store, driver)
        await store.stop()
        try await SyncRows.seedMore(floor, from: count, to: count + added)
        try await store.port.perform { core in
            for model in core.schema.models { try core.setMark(SyncMark(model: model.name)) }
        }
        let compared = try await ready(store, driver)
        let rows = try await store.count(Barcode.self)
        await store.close()
        await floor.stop()
        return Row(
            id: "reconcile", value: compared.seconds * 1000, unit: "ms", reference: whole.seconds * 1000,
            ratio: compared.seconds / whole.seconds, target: "<= 0.1 of the first sync's bytes, whole",
            met: rows == count + added && compared.received * 10 <= whole.received,
            note: "\(count) rows here, \(added) more there: \(compared.requests) requests, "
                + "\(compared.sent / 1024) KB sent, \(compared.received / 1024) KB received; fetching all of it: "
                + "\(short(whole.seconds)) s, \(whole.requests) requests, \(whole.received / 1024) KB")
    }

    /// Starts and waits until everything is here; gives what that took.
    private static func ready(
        _ store: DataStore, _ driver: AppSyncDriver
    ) async throws -> (seconds: Double, requests: Int, sent: Int, received: Int) {
        let before = driver.traffic
        let events = store.events
        let time = try await asyncSeconds {
            try await store.start()
            for await event in events where event == .ready { break }
        }
        let after = driver.traffic
        return (
            time, after.requests - before.requests, after.bytesSent - before.bytesSent,
            after.bytesReceived - before.bytesReceived
        )
    }
}
