import Basics
import DataStore
import InventoryControl
import SyncEngine
import System
import WarehouseModels

/// A control desk at work on its own store, as a client of a hub.
package struct DeskProcess: Sendable {
    private let device: DeviceStore
    private let runner: DeskRunner

    /// The desk's device code.
    package var deviceCode: String { device.deviceCode }

    /// Opens the desk's store and begins to work; it waits by itself while another desk leads.
    package static func start(
        directory: String, hub: HubLink, connectors: [ConnectorOptions], time: any TimeSource = SystemTimeSource(),
        log: Log = .none
    ) async throws -> DeskProcess {
        let device = try await DeviceStore.open(
            directory: directory, kind: .desk, hub: hub, checksParents: false, time: time, log: log)
        // What another desk did must be here first, however long that takes.
        let (driver, isFetched) = (device.driver, Locked(false))
        let runner = DeskRunner(
            store: device.store, deviceCode: device.deviceCode, connectors: connectors, time: time, log: log,
            isFetched: {
                isFetched.withLock { known in
                    known = known || driver.map { hasFetched($0.status) } ?? true
                    return known
                }
            })
        do {
            try await device.waitUntilSynced()
        } catch let refused as DeviceStore.Refused {
            // A hub that is away, or gives for long, keeps the process from nothing but its work.
            log(.warning, "the desk works once it has all that the hub has: \(refused)")
        }
        if let missing = driver?.status.unfetchedModels, !missing.isEmpty {
            log(.warning, "the desk works once these are fetched too: \(missing.sorted().joined(separator: ", "))")
        }
        await runner.start()
        return DeskProcess(device: device, runner: runner)
    }

    /// Whether a round of fetching is over that left nothing out for want of an answer.
    package static func hasFetched(_ status: SyncStatus) -> Bool {
        status.isComplete && status.progress == nil && status.unfetchedModels.isEmpty
    }

    /// Ends after the step that runs, and closes the store.
    package func stop() async {
        await runner.stop()
        await device.close()
    }
}
