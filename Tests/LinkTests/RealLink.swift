import Basics
import DataStore
import Hub
import Models
import SyncEngine
import System
import Testing
import WarehouseModels

/// A real hub on loopback and real stores on it; everything is stopped and removed at the end of a test.
struct RealLink {
    static let deskKey = "desk-key"
    static let counterKey = "counter-key"
    static let supervisorKey = "supervisor-key"

    let directory: TempDirectory
    let hubDirectory: String

    init() throws {
        directory = try TempDirectory("link-test")
        hubDirectory = directory.file("hub")
    }

    func startHub(port: Int = 0) async throws -> HubServer {
        var options = HubOptions(
            dataDirectory: hubDirectory, schema: warehouse,
            keys: try APIKeys([
                "\(Self.deskKey):desk,admins", Self.counterKey, "\(Self.supervisorKey):supervisors",
            ]), time: SystemTimeSource())
        options.port = port
        return try await HubServer.start(options)
    }

    func open(
        _ name: String, kind: DeviceKind, url: String, key: String, person: String? = nil
    ) async throws -> (store: DataStore, driver: AppSyncDriver) {
        let driver = try AppSyncDriver(url: url, key: key, device: name, person: person)
        let store = try await DataStore(
            schema: warehouse, at: .directory(directory.file(name)),
            options: StoreOptions(
                time: SystemTimeSource(), policies: syncPolicies(for: kind), checksParents: false), driver: driver)
        try await store.start()
        return (store, driver)
    }
}

/// An entry of one counter, readable by all counters.
func entry(_ device: String, _ sequence: Int, author: String, audience: [String] = ["counters"]) throws -> CountEntry {
    try CountEntry(
        id: "\(device)-\(sequence)", sessionID: "S", passID: "\(device)-P", kind: .TALLY, itemID: "I",
        quantity: Decimal3(sequence), unit: "EA", baseQuantity: Decimal3(sequence), authorID: author, deviceID: device,
        sequence: sequence, at: DateTime(milliseconds: 1_800_000_000_000), bootID: "b", uptimeMs: "1", previousHash: "",
        hash: "h", crewIDs: [author], audience: audience)
}

extension DataStore {
    /// Waits until a live query's result satisfies a condition.
    func wait<M: Model>(for type: M.Type, until condition: ([M]) -> Bool) async throws {
        for try await snapshot in observeQuery(type) where condition(Array(snapshot.items)) { return }
    }

    /// Waits until nothing is unsent.
    func waitUntilSent() async throws {
        let events = events
        if try await outboxStatus().isEmpty { return }
        for await event in events {
            if case .outboxStatus(let status) = event, status.isEmpty { return }
        }
    }
}
