import Basics
import DataStore
import Models
import SyncEngine
import System
import Testing
import WarehouseModels

/// The built programs, as a user starts them. `BINCOUNT_BIN` names the folder they were built into; without it these
/// tests look beside the test bundle's own folder.
enum Built {
    static var folder: String? {
        if let folder = environment("BINCOUNT_BIN") { return folder }
        let root = Files.parent(of: Files.parent(of: Files.parent(of: #filePath)))
        return [root + "/.build/debug"].first { Files.exists($0 + "/bincount") }
    }

    static var program: String { (folder ?? ".") + "/bincount" }
    static var isThere: Bool { folder.map { Files.exists($0 + "/bincount") } ?? false }
    static var rounds: Int { environment("KILL_ROUNDS").flatMap { Int($0) } ?? 6 }

    static func environment(_ name: String) -> String? {
        guard let entry = ProcessEnvironment.all.first(where: { $0.hasPrefix(name + "=") }) else { return nil }
        return String(entry.dropFirst(name.count + 1))
    }
}

/// This process's environment, read once from the kernel.
enum ProcessEnvironment {
    static let all: [String] = {
        let bytes = (try? Files.read("/proc/self/environ")) ?? []
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }()
}

/// A real `bincount hub` in a process of its own, on loopback.
final class HubProcess: Sendable {
    static let keys = ["counter-key", "desk-key:desk,admins", "supervisor-key:supervisors"]

    let child: ChildProcess
    let url: String
    let port: Int

    init(directory: String, port: Int = 0) async throws {
        let keyFile = directory + ".keys"
        try Files.writeAtomically(HubProcess.keys.joined(separator: "\n"), to: keyFile, mode: 0o600)
        child = try ChildProcess([
            Built.program, "hub", "--data", directory, "--listen", "127.0.0.1:\(port)", "--api-key-file", keyFile,
            "--no-desk",
        ])
        guard let line = await child.readLine(), line.hasPrefix("listening on ") else {
            _ = await child.wait()
            throw Failure(description: "the hub did not start: \(child.standardErrorText)")
        }
        url = String(line.dropFirst("listening on ".count))
        self.port = try URLParts(url).port
    }

    func kill() async {
        child.send(.kill)
        _ = await child.wait()
    }

    func stop() async {
        child.send(.terminate)
        _ = await child.wait()
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }
}

func entry(_ device: String, _ sequence: Int) throws -> CountEntry {
    try CountEntry(
        id: "\(device)-\(sequence)", sessionID: "S", passID: "\(device)-P", kind: .TALLY, itemID: "I",
        quantity: Decimal3(1), unit: "EA", baseQuantity: Decimal3(1), authorID: "ann", deviceID: device,
        sequence: sequence, at: DateTime(milliseconds: 1_800_000_000_000), bootID: "b", uptimeMs: "1", previousHash: "",
        hash: "h", crewIDs: ["ann"], audience: ["counters"])
}

@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(60)))
struct RealTests {
    @Test func `a hub killed with -9 again and again loses nothing and doubles nothing`() async throws {
        let directory = try TempDirectory("kill")
        var hub = try await HubProcess(directory: directory.file("hub"))
        let port = hub.port
        let driver = try AppSyncDriver(url: hub.url, key: "counter-key", device: "T01", person: "ann")
        let store = try await DataStore(
            schema: warehouse, at: .directory(directory.file("T01")),
            options: StoreOptions(
                time: SystemTimeSource(), policies: syncPolicies(for: .terminal), checksParents: false), driver: driver)
        store.identity = "ann"
        try await store.start()
        var made = 0
        for round in 0..<Built.rounds {
            for _ in 0..<(20 + round * 7) {
                made += 1
                try await store.save(entry("T01", made))
            }
            // At whatever point of sending, committing or answering it is now.
            await hub.kill()
            for _ in 0..<10 {
                made += 1
                try await store.save(entry("T01", made))
            }
            hub = try await HubProcess(directory: directory.file("hub"), port: port)
            driver.tryAgain()
        }
        try await store.flush(timeout: 120_000)
        let leadDriver = try AppSyncDriver(url: hub.url, key: "supervisor-key", device: "S01", person: "sue")
        let lead = try await DataStore(
            schema: warehouse, at: .memory,
            options: StoreOptions(time: SystemTimeSource(), policies: syncPolicies(for: .supervisor)),
            driver: leadDriver)
        try await lead.start()
        for try await snapshot in lead.observeQuery(CountEntry.self) where snapshot.items.count >= made { break }
        let entries = try await lead.query(CountEntry.self)
        #expect(Set(entries.map(\.sequence)) == Set(1...made))
        #expect(entries.count == made)
        for entry in entries { #expect(try await lead.syncState(of: entry) == .synced(version: 1)) }
        await lead.close()
        await store.close()
        await hub.stop()
    }

    @Test func `wrong input gets one clear line and the right exit code`() async throws {
        let directory = try TempDirectory("wrong")
        let text = directory.file("text")
        try Files.writeAtomically("not a database at all, only text\n", to: text)
        try Files.createDirectory(directory.file("broken"))
        try Files.writeAtomically(
            "this is not a database ".utf8 + Array(repeating: UInt8(1), count: 5000),
            to: directory.file("broken/store.sqlite"))
        let cases: [(words: [String], code: Int32, says: String)] = [
            ([], 2, ""), (["nonsense"], 2, "no command"), (["hub"], 2, "--data"),
            (["hub", "--data", directory.file("h"), "--api-key", "k", "--listen", "0.0.0.0:0"], 1, "TLS"),
            (["count", "--data", directory.file("c")], 2, "terminal"),
            (["import", "--data", directory.file("i"), text], 2, "mapping"),
            (["status", "--data", directory.file("nothing")], 1, "no store"),
            (["status", "--data", directory.file("broken")], 1, "database"),
            (["screens", "check", directory.file("no-such-directory")], 1, "no-such-directory"),
        ]
        for (words, code, says) in cases {
            let result = try await ChildProcess.run([Built.program] + words)
            let error = String(decoding: result.standardError, as: UTF8.self)
            #expect(result.status == .code(code), "\(words): \(result.status) \(error)")
            #expect(says.isEmpty || error.contains(says), "\(words): \(error)")
            #expect(error.split(separator: "\n").count <= 1, "\(words): more than one line: \(error)")
        }
    }
}
