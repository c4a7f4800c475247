import AppSync
import Basics
import DataStore
import Hub
import Models
import SyncEngine
import System
import Transport
import WarehouseModels

/// What went wrong while measuring.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A hub on loopback in this process, with real stores and protocol clients on it.
///
/// The protocol clients share one thread, the hub has two, each real store its own: all of them share the machine.
final class Floor: Sendable {
    static let deskKey = "desk-key"
    static let counterKey = "counter-key"
    static let supervisorKey = "supervisor-key"

    let directory: TempDirectory
    let hub: HubServer
    /// The thread of all protocol clients.
    let loop: WebSocketLoop

    init(_ name: String) async throws {
        directory = try TempDirectory("bench-" + name)
        var options = HubOptions(
            dataDirectory: directory.file("hub"), schema: warehouse,
            keys: try APIKeys([
                "\(Self.deskKey):desk,admins", Self.counterKey, "\(Self.supervisorKey):supervisors",
            ]), time: SystemTimeSource())
        options.port = 0
        hub = try await HubServer.start(options)
        loop = try WebSocketLoop(name: "clients")
    }

    /// Terminals that only speak the protocol, numbered from 0; each has its own connection and person.
    func clients(_ count: Int) throws -> [ProtocolClient] {
        try (0..<count).map { number in
            try ProtocolClient(loop: loop, url: hub.url, key: Self.counterKey, name: Self.person(number))
        }
    }

    /// A client with the desk's rights.
    func desk() throws -> ProtocolClient {
        try ProtocolClient(loop: loop, url: hub.url, key: Self.deskKey, name: "desk")
    }

    /// The person at a protocol client.
    static func person(_ number: Int) -> String { "p\(number)" }

    /// A real store on the hub; it is not started.
    func store(_ name: String, _ kind: DeviceKind, person: String? = nil) async throws -> (
        store: DataStore, driver: AppSyncDriver
    ) {
        let driver = try AppSyncDriver(
            url: hub.url, key: kind == .supervisor ? Self.supervisorKey : Self.counterKey, device: name, person: person)
        let store = try await DataStore(
            schema: warehouse, at: .directory(directory.file(name)),
            options: StoreOptions(time: SystemTimeSource(), policies: syncPolicies(for: kind), checksParents: false),
            driver: driver)
        store.identity = person
        return (store, driver)
    }

    func stop() async {
        await hub.stop()
        loop.stop()
    }

    /// A number that the hub tells of itself.
    func gauge(_ name: String) async throws -> Int {
        let http = try HTTPClient(loop: loop, origin: URLParts(hub.url))
        let answer = try await http.send(HTTPRequest(method: "GET", path: "/health"))
        return Int(try JSONValue(parsing: answer.body)[name]?.integer ?? 0)
    }

    /// An entry of a protocol client's person.
    static func entry(_ prefix: String, _ number: Int, person: Int, audience: [String] = []) throws -> CountEntry {
        let text = String(number)
        return try CountEntry(
            id: prefix + text, sessionID: "S-1", passID: "P-\(person)", kind: .TALLY,
            itemID: "I-" + String(number % 500),
            quantity: Decimal3(number % 90 + 1), unit: "EA", baseQuantity: Decimal3(number % 90 + 1),
            expression: "4*6+" + text, code: "09521000000012", rawScan: "MDk1MjEwMDAwMDAxMg==", symbology: "]E0",
            authorID: Self.person(person), deviceID: "T\(person)", sequence: number,
            at: DateTime(milliseconds: 1_800_000_000_000 + Int64(number)), clockOffsetMs: 12, bootID: "b-1",
            uptimeMs: text, previousHash: "0f5a8f0c1d2e3f405162738495a6b7c8d9eaf0b1c2d3e4f5061728394a5b6c7d",
            hash: "1f5a8f0c1d2e3f405162738495a6b7c8d9eaf0b1c2d3e4f5061728394a5b6c7d", crewIDs: [Self.person(person)],
            audience: audience)
    }
}

/// Waits, looking every two milliseconds, until a condition holds; gives up after a time.
func waitUntil(seconds limit: Double = 120, for what: String, _ condition: () async throws -> Bool) async throws {
    let clock = ContinuousClock()
    let start = clock.now
    while try await !condition() {
        if (clock.now - start).inSeconds > limit { throw BenchFailure("waited \(Int(limit)) s in vain for \(what)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// What arrived so far, and when the last of it did.
final class Tally: Sendable {
    private let state = Locked((count: 0, last: ContinuousClock.now))

    var count: Int { state.current.count }
    var last: ContinuousClock.Instant { state.current.last }

    func add(_ more: Int = 1) {
        state.withLock { state in
            state.count += more
            state.last = .now
        }
    }

    /// Waits for so many and gives the seconds from `start` to the last of them.
    func wait(for count: Int, since start: ContinuousClock.Instant, _ what: String) async throws -> Double {
        try await waitUntil(for: "\(count) \(what)") { self.count >= count }
        return (last - start).inSeconds
    }
}
