import Basics
import SQLite
import System
import Testing

/// What a hub finds when it starts, and says of it.
@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(5)))
struct HubStartTests {
    private let directory: TempDirectory
    private var data: String { directory.file("hub") }
    private var desk: String { data + "/desk" }

    init() throws { directory = try TempDirectory("hub-start") }

    private func start(_ options: String...) async throws -> RunningHub {
        try await RunningHub(["--data", data, "--listen", "127.0.0.1:0", "--api-key", "k:supervisors"] + options)
    }

    private func check(_ options: String...) async throws -> Outcome {
        let result = try await ChildProcess.run(
            [Built.program, "hub", "--data", data, "--api-key", "k:supervisors", "--check"] + options)
        return Outcome(
            code: result.status, out: String(decoding: result.standardOutput, as: UTF8.self),
            error: String(decoding: result.standardError, as: UTF8.self))
    }

    @Test func `the desk runs for a site's own schema where it can work with it, and where it cannot that is said`()
        async throws
    {
        let root = Files.parent(of: Files.parent(of: Files.parent(of: #filePath)))
        let larger = directory.file("larger.graphql")
        let other = directory.file("other.graphql")
        let rule = "@model @auth(rules: [{ allow: groups, groups: [\"supervisors\"] }])"
        let text = try Files.readText(root + "/schema.graphql")
        try Files.writeAtomically(text + "\ntype Forklift \(rule) { id: ID! name: String }\n", to: larger)
        try Files.writeAtomically("type Forklift \(rule) { id: ID! name: String }\n", to: other)
        let drop = directory.file("drop")
        let fits = try await check("--schema", larger, "--export-csv", drop)
        #expect(fits.code == .code(0) && !fits.out.contains("control desk"), "\(fits)")
        let hub = try await start("--schema", larger)
        await hub.stop()
        #expect(Files.exists(desk + "/store.sqlite"))
        try Files.removeTree(data)

        let said = "the control desk does not run: \(other) is no schema that it can work with"
        let unfit = try await check("--schema", other)
        #expect(unfit.code == .code(0) && unfit.out.contains("warning: \(said)"), "\(unfit)")
        let without = try await start("--schema", other)
        await without.stop()
        #expect(without.child.standardErrorText.contains(said))
        #expect(!Files.exists(desk))
        for words in [["--schema", other], ["--no-desk"]] {
            let refused = try await ChildProcess.run(
                [Built.program, "hub", "--data", data, "--api-key", "k", "--export-csv", drop] + words)
            let error = String(decoding: refused.standardError, as: UTF8.self)
            #expect(refused.status == .code(2), "\(words)")
            #expect(error.contains("--export-csv: documents are exported by the control desk"), "\(error)")
        }
    }

    /// Makes a desk's store, and spoils the root page of a table that every start reads, or the whole of it.
    private func damage(wholly: Bool) async throws {
        await (try start()).stop()
        let path = desk + "/store.sqlite"
        var bytes: [UInt8]
        do {
            let store = try Connection.open(path: path)
            // As when the hub has everything; a desk that stops may leave something to be sent.
            try store.run("DELETE FROM _outbox")
            let page = try #require(
                try store.value("SELECT rootpage FROM sqlite_schema WHERE name='_schema'")?.integer)
            let size = try #require(try store.value("PRAGMA page_size")?.integer)
            try store.leaveWriteAheadLog()
            bytes = try Files.read(path)
            for place in Int((page - 1) * size)..<Int(page * size) { bytes[place] = 0xFF }
        }
        if wholly { for place in bytes.indices { bytes[place] = 0xFF } }
        try Files.writeAtomically(bytes, to: path, mode: 0o600)
        for suffix in ["-wal", "-shm"] { try? Files.remove(path + suffix) }
    }

    @Test func `a damaged store of the desk is set aside where nothing in it is unsent, and the hub serves`()
        async throws
    {
        try await damage(wholly: false)
        let looked = try await check()
        #expect(looked.code == .code(0) && looked.out.contains("warning: the control desk's store"), "\(looked)")
        #expect(!Files.exists(desk + "-damaged"))
        let hub = try await start()
        let answer = try await SiteClient(hub).ask("{ listZones { items { id } } }", key: "k")
        #expect(answer.status == 200 && answer.json?["errors"] == nil)
        await hub.stop()
        let said = hub.child.standardErrorText
        #expect(said.contains("it was set aside as \(desk)-damaged"), "\(said)")
        #expect(Files.exists(desk + "-damaged/store.sqlite") && Files.exists(desk + "/store.sqlite"))
        #expect(try await !check().out.contains("control desk"))
    }

    @Test func `a store of the desk that may hold something unsent stays, and the hub serves without the desk`()
        async throws
    {
        try await damage(wholly: true)
        let hub = try await start()
        let answer = try await SiteClient(hub).ask("{ listZones { items { id } } }", key: "k")
        #expect(answer.status == 200 && answer.json?["errors"] == nil)
        await hub.stop()
        let said = hub.child.standardErrorText
        #expect(said.contains("the hub serves without the control desk"), "\(said)")
        #expect(said.contains("move \(desk) aside and start the hub again"), "\(said)")
        #expect(!Files.exists(desk + "-damaged"))
        try Files.rename(desk, to: directory.file("aside"))
        let again = try await start()
        await again.stop()
        #expect(!again.child.standardErrorText.contains("control desk"), "\(again.child.standardErrorText)")
    }

    @Test func `what keeps the desk from beginning and may pass is said, and the hub serves and tries again`()
        async throws
    {
        await (try start()).stop()
        try Files.rename(desk, to: directory.file("aside"))
        try Files.writeAtomically("", to: desk)
        let hub = try await start()
        let answer = try await SiteClient(hub).ask("{ listZones { items { id } } }", key: "k")
        #expect(answer.status == 200 && answer.json?["errors"] == nil)
        await hub.stop()
        let said = hub.child.standardErrorText
        #expect(said.contains("the hub serves without the control desk") && said.contains("every minute"), "\(said)")
        #expect(!said.contains("aside"), "\(said)")
    }

    @Test func `keys in settings that anybody can read are said, and so are too few descriptors`() async throws {
        let config = directory.file("hub.conf")
        try Files.writeAtomically("api-key = k:supervisors\n", to: config)
        let note = "warning: everybody on this machine can read the keys in \(config); mend it: chmod o-rwx \(config)"
        for (mode, isSaid) in [("644", true), ("640", false)] {
            _ = try await ChildProcess.run(["/bin/chmod", mode, config])
            let check = try await bincount("hub", "--data", data, "--config", config, "--check")
            #expect(check.code == .code(0) && check.out.contains(note) == isSaid, "\(check)")
        }
        let words = "ulimit -n 300; exec \"$0\" hub --data \"$1\" --config \"$2\" --check"
        let few = try await ChildProcess.run(["/bin/sh", "-c", words, Built.program, data, config])
        let out = String(decoding: few.standardOutput, as: UTF8.self)
        #expect(few.status == .code(0))
        #expect(out.contains("for limit-connections = 10000: it takes 150 connections at once"), "\(out)")
    }

    @Test func `one key with two sets of groups is refused, by its fingerprint`() async throws {
        let keys = directory.file("keys")
        try Files.writeAtomically("office-key:desk,admins\n", to: keys, mode: 0o600)
        let words = [Built.program, "hub", "--data", data, "--api-key-file", keys, "--check"]
        let twice = try await ChildProcess.run(words + ["--api-key", "office-key"])
        let error = String(decoding: twice.standardError, as: UTF8.self)
        #expect(twice.status == .code(1))
        #expect(error.contains("is given twice with other groups") && !error.contains("office-key"), "\(error)")
        #expect(try await ChildProcess.run(words).status == .code(0))
    }
}
