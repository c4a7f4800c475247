import Basics
import SQLite
import System
import Testing

/// A backup put back over a disk that does not do what it should, or by a process that dies: afterwards there is the old
/// database with all that was committed, or the restored one, whole; never neither and never half of one.
///
/// `faults.c` comes between `bincount hub restore` and the system. The old database was left by a hub that was killed, so
/// that its last commits are in its log alone.
@Suite(.enabled(if: RestoreFaults.isPossible, "needs cc and the built programs"), .timeLimit(.minutes(30)))
struct RestoreFaultTests {
    @Test func `a restore that dies at any barrier leaves the one or the other`() async throws {
        let faults = try await RestoreFaults.shared.value
        for moment in 1...faults.barriers { try await faults.check(["FAULT_MODE": "kill", "FAULT_AT": "\(moment)"]) }
    }

    @Test func `a machine that dies in a restore leaves the one or the other`() async throws {
        let faults = try await RestoreFaults.shared.value
        for moment in RestoreFaults.moments(faults.barriers) {
            try await faults.check(["FAULT_MODE": "cut", "FAULT_AT": "\(moment)"])
        }
    }

    @Test(arguments: ["full", "full-on", "short"])
    func `a disk that is full at any write of a restore takes nothing away`(_ mode: String) async throws {
        let faults = try await RestoreFaults.shared.value
        for moment in RestoreFaults.moments(faults.writes) {
            try await faults.check(["FAULT_MODE": mode, "FAULT_AT": "\(moment)"])
        }
    }

    @Test func `a disk whose syncs fail from some moment on takes nothing away`() async throws {
        let faults = try await RestoreFaults.shared.value
        for moment in RestoreFaults.moments(faults.barriers) {
            try await faults.check(["FAULT_MODE": "eio-on", "FAULT_AT": "\(moment)"])
        }
    }

    @Test func `a file that the system lets grow no further takes nothing away`() async throws {
        let faults = try await RestoreFaults.shared.value
        let data = try await faults.copy("limited")
        // Blocks of 512 bytes, or of 1024: in both cases less than the database has.
        let words = "trap '' XFSZ; ulimit -f 16; exec \"$0\" hub restore --data \"$1\" --from \"$2\" --replace"
        let result = try await ChildProcess.run(["/bin/sh", "-c", words, Built.program, data, faults.backup])
        #expect(result.status == .code(1))
        #expect(String(decoding: result.standardError, as: UTF8.self).split(separator: "\n").count == 1)
        #expect(try await faults.found(data) == .old)
    }
}

/// What is restored, over what, and what is left.
struct RestoreFaults: Sendable {
    enum Found: Sendable, Equatable {
        case old, restored
        case wrong(String)
    }

    static let isPossible = Built.isThere && Files.exists("/usr/bin/cc")
    static let shared = Task { try await RestoreFaults() }
    private static let isLong = Built.environment("TORTURE") != nil

    private let directory: TempDirectory
    private let shim: String
    private let base: String
    let backup: String
    let barriers: Int
    let writes: Int

    private static let schema = """
        type Note @model @auth(rules: [{ allow: groups, groups: ["everyone"] }]) { id: ID! title: String! }
        """

    init() async throws {
        directory = try TempDirectory("restore-faults")
        shim = directory.file("faults.so")
        base = directory.file("base")
        backup = directory.file("backup.sqlite")
        let source = Files.parent(of: #filePath) + "/faults.c"
        let built = try await ChildProcess.run(
            ["/usr/bin/cc", "-shared", "-fPIC", "-O2", source, "-o", shim, "-ldl"])
        try #require(built.status.isSuccess, "\(String(decoding: built.standardError, as: UTF8.self))")
        try Files.writeAtomically(Self.schema, to: directory.file("schema.graphql"))
        let hub = try await RunningHub([
            "--data", base, "--listen", "127.0.0.1:0", "--no-desk", "--schema", directory.file("schema.graphql"),
            "--api-key", "all:everyone",
        ])
        let client = try SiteClient(hub)
        let title = String(repeating: "t", count: 9_000)
        func make(_ numbers: ClosedRange<Int>) async throws {
            for number in numbers {
                let answer = try await client.ask(
                    "mutation { createNote(input: {id: \"\(number)\", title: \"\(title)\"}) { id } }", key: "all")
                try #require(answer.status == 200)
            }
        }
        try await make(1...3)
        let taken = try await bincount("hub", "backup", "--data", base, "--to", backup)
        try #require(taken.code == .code(0), "\(taken.error)")
        try await make(4...6)
        hub.child.send(.kill)
        _ = await hub.child.wait()
        try #require(Files.size(base + "/hub.sqlite-wal") ?? 0 > 0, "the last commits are in the log alone")

        let count = directory.file("count")
        let whole = directory.file("whole")
        _ = try await ChildProcess.run(["/bin/cp", "-a", base, whole])
        let result = try await Self.restore(
            whole, backup, shim, ["FAULT_MODE": "count", "FAULT_COUNT": count])
        try #require(result.status.isSuccess, "\(String(decoding: result.standardError, as: UTF8.self))")
        let numbers = try Files.readText(count).split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        (barriers, writes) = (numbers.first ?? 0, numbers.last ?? 0)
        try #require(barriers > 5 && writes > 10, "the shim counts nothing: \(numbers)")
        try #require(try await found(whole) == .restored)
    }

    /// Each in a long run, else some, the first and the last among them.
    static func moments(_ count: Int) -> [Int] {
        isLong
            ? Array(1...count) : Array(Set(stride(from: 1, through: count, by: 1 + count / 6)).union([count])).sorted()
    }

    /// A copy of the directory that the killed hub left.
    func copy(_ name: String) async throws -> String {
        let path = directory.file(name)
        let result = try await ChildProcess.run(["/bin/cp", "-a", base, path])
        try #require(result.status.isSuccess)
        return path
    }

    private static func restore(
        _ data: String, _ backup: String, _ shim: String, _ faults: [String: String]
    ) async throws -> ChildResult {
        var environment = faults
        environment["LD_PRELOAD"] = shim
        environment["FAULT_ROOT"] = data
        return try await ChildProcess.run(
            [Built.program, "hub", "restore", "--data", data, "--from", backup, "--replace"],
            environment: environment)
    }

    /// Hurts one restore, and looks at what is left, and that the next restore works.
    func check(_ faults: [String: String]) async throws {
        let name = faults.sorted { $0.key < $1.key }.map(\.value).joined(separator: "-")
        let data = try await copy(name)
        let result = try await Self.restore(data, backup, shim, faults)
        let found = try await found(data)
        switch result.status {
        case .code(0): #expect(found == .restored, "\(name)")
        case .code(1), .signal(9): #expect(found == .old || found == .restored, "\(name)")
        default:
            Issue.record("\(name): \(result.status) \(String(decoding: result.standardError, as: UTF8.self))")
        }
        let again = try await bincount("hub", "restore", "--data", data, "--from", backup, "--replace")
        #expect(again.code == .code(0), "\(name): \(again.error)")
        #expect(try await self.found(data) == .restored, "\(name), restored again")
        try Files.removeTree(data)
    }

    /// What a hub's directory holds, once the next command has ended what was begun.
    func found(_ data: String) async throws -> Found {
        let next = try await bincount("hub", "key", "list", "--data", data)
        guard next.code == .code(0) else { return .wrong("the next command: \(next.error)") }
        let connection = try Connection.open(path: data + "/hub.sqlite")
        let problems = try connection.integrityProblems()
        guard problems.isEmpty else { return .wrong("\(problems)") }
        let rows = try connection.value("SELECT count(*) FROM Note")?.integer ?? -1
        let lives = try connection.value("SELECT count(*) FROM _life")?.integer ?? -1
        switch (rows, lives) {
        case (6, 1): return .old
        case (3, 2): return .restored
        default: return .wrong("\(rows) rows in life \(lives)")
        }
    }
}
