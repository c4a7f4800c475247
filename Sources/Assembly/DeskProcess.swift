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
        let (driver, wait) = (device.driver, Locked(FetchWait()))
        let runner = DeskRunner(
            store: device.store, deviceCode: device.deviceCode, connectors: connectors, time: time, log: log,
            isFetched: {
                guard let driver else { return true }
                return wait.withLock { $0.isOver(driver.status, log) }
            })
        do {
            try await device.waitUntilSynced()
        } catch let refused as DeviceStore.Refused {
            // A hub that is away, or gives for long, keeps the process from nothing but its work.
            log(.warning, "the desk works once it has all that the hub has: \(refused)")
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

/// How far a desk is with waiting for all that the hub has.
private struct FetchWait {
    private var isOver = false
    private var named: Set<String> = []

    /// Whether the wait is over; models that stand against it are named in the log, whenever that comes about.
    mutating func isOver(_ status: SyncStatus, _ log: Log) -> Bool {
        isOver = isOver || DeskProcess.hasFetched(status)
        let missing = isOver || !status.isComplete || status.progress != nil ? [] : status.unfetchedModels
        if !missing.isEmpty, missing != named {
            log(.warning, "the desk works once these are fetched too: \(missing.sorted().joined(separator: ", "))")
            named = missing
        }
        return isOver
    }
}
