import Basics
import DataStore
import InventoryControl
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
        let runner = DeskRunner(
            store: device.store, deviceCode: device.deviceCode, connectors: connectors, time: time, log: log)
        do {
            // What another desk did must be here first; a hub that is away must not keep this one from starting.
            try await device.waitUntilSynced()
        } catch let refused as DeviceStore.Refused {
            log(.warning, "the desk starts with what it has: \(refused)")
        }
        await runner.start()
        return DeskProcess(device: device, runner: runner)
    }

    /// Ends after the step that runs, and closes the store.
    package func stop() async {
        await runner.stop()
        await device.close()
    }
}
