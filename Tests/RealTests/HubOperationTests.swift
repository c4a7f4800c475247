import Basics
import System
import Testing

/// What the keeper of a hub does from day to day, with the program as it is.
@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(5)))
struct HubOperationTests {
    private let site: Site

    init() throws { site = try Site() }

    private static let schema = """
        type Note @model @auth(rules: [{ allow: groups, groups: ["writers", "readers"] }]) { id: ID! title: String! }
        """

    private func schemaFile() throws -> String {
        let path = site.directory.file("schema.graphql")
        try Files.writeAtomically(Self.schema, to: path)
        return path
    }

    @Test func `what a function does not take is listed, tried again and dropped, beside the hub and over the network`()
        async throws
    {
        let open = site.directory.file("open")
        let script = site.directory.file("after")
        try Files.writeAtomically("#!/bin/sh\n[ -e \(open) ]\n", to: script, mode: 0o755)
        let hub = try await site.start(
            "--schema", try schemaFile(), "--api-key", "w:writers", "--api-key", "admin-key:admins",
            "--function", "tell=\(script)", "--after", "Note.create=tell")
        let client = try SiteClient(hub)
        for number in 1...4 {
            _ = try await client.ask(
                "mutation { createNote(input: {id: \"\(number)\", title: \"t\"}) { id } }", key: "w")
        }
        func list(_ place: String...) async throws -> [JSONValue] {
            let result = try await ChildProcess.run([Built.program, "hub", "deliveries", "list", "--json"] + place)
            #expect(result.status == .code(0), "\(String(decoding: result.standardError, as: UTF8.self))")
            return try JSONValue(parsing: result.standardOutput).array ?? []
        }
        var seen: [JSONValue] = []
        while seen.count != 4 || !seen.allSatisfy({ $0["attempts"]?.integer ?? 0 > 0 }) {
            seen = try await list("--data", site.hub)
        }
        #expect(seen.map { $0["state"]?.string } == ["waiting", "waiting", "waiting", "waiting"])
        #expect(try await list("--hub", hub.url, "--api-key", "admin-key").count == 4)
        let text = try await bincount("hub", "deliveries", "--data", site.hub)
        #expect(text.out.hasPrefix("1  waiting  tell  Note#1  since 20"), "\(text.out)")
        #expect(text.out.contains("Z  tried ") && text.out.contains(", next 20"), "\(text.out)")
        let shown = try await bincount("hub", "deliveries", "show", "2", "--data", site.hub)
        #expect(shown.out.contains("\"title\":\"t\""))

        let dropped = try await bincount("hub", "deliveries", "drop", "1", "9", "--data", site.hub)
        #expect(dropped.code == .code(1) && dropped.out == "1 delivery dropped\n")
        #expect(dropped.error.contains("there is no delivery 9"))
        let more = try await bincount(
            "hub", "deliveries", "drop", "2", "--hub", hub.url, "--api-key", "admin-key", "--json")
        #expect(more.code == .code(0) && more.out == "{\"done\":[2],\"missing\":[]}\n")
        let stranger = try await bincount("hub", "deliveries", "drop", "3", "--hub", hub.url, "--api-key", "w")
        #expect(stranger.code == .code(1) && stranger.error.contains("only admins may"))
        try Files.writeAtomically("", to: open)
        let tried = try await bincount("hub", "deliveries", "retry", "3", "4", "--data", site.hub)
        #expect(tried.out == "2 deliveries will be tried again\n")
        while try await !list("--data", site.hub).isEmpty {}
        await hub.stop()

        // The same without a hub, and what cannot be asked.
        let none = try await bincount("hub", "deliveries", "list", "--parked", "--data", site.hub)
        #expect(none.code == .code(0) && none.out == "nothing is parked\n")
        let all = try await bincount("hub", "deliveries", "retry", "all", "--data", site.hub)
        #expect(all.code == .code(0) && all.out == "nothing is parked\n")
        for words in [
            ["drop"], ["drop", "all"], ["show"], ["mend", "1"], ["list", "--hub", hub.url], ["retry", "x"],
        ] {
            let result = try await ChildProcess.run(
                [Built.program, "hub", "deliveries"] + words + ["--data", site.hub, "--api-key", "k"])
            #expect(result.status == .code(2), "\(words)")
        }
        let nowhere = try await bincount("hub", "deliveries", "--data", site.hub + "x")
        #expect(nowhere.code == .code(1) && nowhere.error.contains("no hub's data"))
    }

    @Test func `a group that no rule names is refused with those that there are, by the schema that was served`()
        async throws
    {
        // Nothing was served here yet: it may be meant for another schema.
        let early = try await bincount("hub", "key", "add", "--data", site.hub, "--group", "writer")
        #expect(early.code == .code(0))
        #expect(early.error.contains("warning: no rule of the schema names the group writer"))
        let check = try await bincount(
            "hub", "--data", site.hub, "--schema", try schemaFile(), "--no-desk", "--api-key", "k:writer", "--check")
        #expect(check.out.contains("warning: an API key has no rights by its group"), "\(check)")
        let hub = try await site.start("--schema", try schemaFile(), "--api-key", "k:writer")
        let words = [
            ["key", "add", "--group", "writer"], ["person", "groups", "ann", "--group", "counters"],
            ["person", "set-pin", "ann", "--group", "writers", "--group", "reader"], ["enrol-code", "--group", "desk"],
        ]
        for words in words {
            let result = try await ChildProcess.run(
                [Built.program, "hub"] + words + ["--data", site.hub], input: Array("4711\n".utf8))
            let error = String(decoding: result.standardError, as: UTF8.self)
            #expect(result.status == .code(2), "\(words): \(error)")
            #expect(
                error.contains("those that it names are admins, readers, writers; --any-group takes it"), "\(error)")
        }
        for words in [["--group", "writers", "--group", "admins"], ["--group", "guests", "--any-group"]] {
            let result = try await ChildProcess.run([Built.program, "hub", "key", "add", "--data", site.hub] + words)
            #expect(result.status == .code(0), "\(words)")
        }
        await hub.stop()
        #expect(hub.child.standardErrorText.contains("an API key has no rights by its group"))
    }

    @Test func `--check shows each limit with its value and where it came from`() async throws {
        let config = site.directory.file("hub.conf")
        try Files.writeAtomically("api-key = k\n# more\nlimit-depth = 33\nlimit-answer = 2M\n", to: config)
        let check = try await bincount(
            "hub", "--data", site.hub, "--config", config, "--limit-frames", "50", "--check")
        #expect(check.code == .code(0), "\(check.error)")
        for line in [
            "  limit-depth = 33 (\(config):3)\n", "  limit-answer = 2M (\(config):4)\n",
            "  limit-frames = 50 (--limit-frames)\n", "  limit-tokens = 15000 (standard)\n",
        ] {
            #expect(check.out.contains(line), "\(line)")
        }
        try Files.writeAtomically("api-key = k\nlimit-depth = 0\n", to: config)
        let wrong = try await bincount("hub", "--data", site.hub, "--config", config, "--check")
        #expect(wrong.code == .code(2))
        #expect(wrong.error.contains("\(config):2: limit-depth 0: it is a whole number from 2 to 1000"))
        #expect(try await bincount("help", "hub").out.contains("--limit-subscription-alternatives N"))
    }

    @Test func `a limit that is set holds`() async throws {
        let hub = try await site.start(
            "--schema", try schemaFile(), "--api-key", "w:writers", "--introspection", "no", "--limit-tokens", "100")
        let client = try SiteClient(hub)
        let types = try await client.ask("{ __schema { types { name } } }", key: "w")
        #expect(types.json?["errors"]?[0]?["message"]?.string?.contains("FieldUndefined") == true)
        let many = String(repeating: "id ", count: 120)
        let long = try await client.ask("{ listNotes { items { \(many) } } }", key: "w")
        #expect(long.json?["errors"]?[0]?["errorType"] == "QueryTooLarge")
        await hub.stop()
    }

    @Test func `a backup says how far it is where it is asked to, and is silent in a nightly job`() async throws {
        let hub = try await site.start("--schema", try schemaFile(), "--api-key", "w:writers")
        let target = site.directory.file("copy.sqlite")
        let quiet = try await bincount("hub", "backup", "--data", site.hub, "--to", target)
        #expect(quiet.code == .code(0) && quiet.error.isEmpty)
        let told = try await bincount("hub", "backup", "--data", site.hub, "--to", target, "--progress")
        #expect(told.code == .code(0))
        let lines = told.error.split(separator: "\n")
        #expect(lines.allSatisfy { $0.hasPrefix("backing up: ") } && lines.contains("backing up: 100 %"))
        #expect(lines.last == "backing up: copied, verifying")
        let terminal = try PseudoTerminal([Built.program, "hub", "backup", "--data", site.hub, "--to", target])
        try await terminal.expect("backing up: 100 %")
        try await terminal.expect("verified")
        #expect(await terminal.wait() == .code(0))
        await hub.stop()
    }

    @Test func `a backup that finds no room, or something else in its place, says so and changes nothing`() async throws
    {
        let hub = try await site.start("--schema", try schemaFile(), "--api-key", "w:writers")
        let target = site.directory.file("copy.sqlite")
        #expect(try await bincount("hub", "backup", "--data", site.hub, "--to", target).code == .code(0))
        let before = try (Files.read(target), Files.read(target + ".json"))
        // Blocks of 512 bytes, or of 1024: in both cases less than the database has.
        let words = "trap '' XFSZ; ulimit -f 16; exec \"$0\" hub backup --data \"$1\" --to \"$2\""
        let result = try await ChildProcess.run(["/bin/sh", "-c", words, Built.program, site.hub, target])
        #expect(result.status == .code(1))
        #expect(String(decoding: result.standardError, as: UTF8.self).split(separator: "\n").count == 1)
        #expect(try Files.read(target) == before.0 && Files.read(target + ".json") == before.1)
        let slip = try await bincount("hub", "backup", "--data", site.hub, "--to", site.hub + "/hub.sqlite")
        #expect(slip.code == .code(1) && slip.error.contains("is no backup"), "\(slip.error)")
        for directory in [site.directory.path, site.hub] {
            #expect(try Files.list(directory).filter { $0.contains("partial") } == [])
        }
        let answer = try await SiteClient(hub).ask("mutation { createNote(input: {title: \"t\"}) { id } }", key: "w")
        #expect(answer.status == 200 && answer.json?["errors"] == nil)
        await hub.stop()
    }

    @Test func `a directory that others can read is said with what ends it`() async throws {
        let first = try await site.start("--schema", try schemaFile(), "--api-key", "w:writers")
        await first.stop()
        #expect(!first.child.standardErrorText.contains("others on this machine"))
        _ = try await ChildProcess.run(["/bin/chmod", "755", site.hub])
        _ = try await ChildProcess.run(["/bin/chmod", "644", site.hub + "/hub.sqlite"])
        let mend = "mend it: chmod -R go-rwx \(site.hub)"
        let check = try await bincount(
            "hub", "--data", site.hub, "--schema", try schemaFile(), "--no-desk", "--api-key", "w:writers", "--check")
        #expect(check.code == .code(0) && check.out.contains(mend), "\(check)")
        let second = try await site.start("--schema", try schemaFile(), "--api-key", "w:writers")
        await second.stop()
        #expect(second.child.standardErrorText.contains(mend))
        _ = try await ChildProcess.run(["/bin/chmod", "-R", "go-rwx", site.hub])
        let third = try await site.start("--schema", try schemaFile(), "--api-key", "w:writers")
        await third.stop()
        #expect(!third.child.standardErrorText.contains("others on this machine"))
    }

    @Test func `the desk inside keeps the models that it works with`() async throws {
        let root = Files.parent(of: Files.parent(of: Files.parent(of: #filePath)))
        let text = try Files.readText(root + "/schema.graphql")
        let changed = site.directory.file("changed.graphql")
        let hub = try await RunningHub([
            "--data", site.hub, "--listen", "127.0.0.1:0", "--api-key", "admin-key:admins",
        ])
        try Files.writeAtomically(text.replacing("  parked: Int!\n", with: ""), to: changed)
        try #require(try Files.readText(changed) != text)
        let refused = try await bincount(
            "schema", "push", changed, "--hub", hub.url, "--api-key", "admin-key", "--allow-destructive")
        #expect(refused.code == .code(1))
        #expect(refused.error.contains("the control desk runs in the hub") && refused.error.contains("--no-desk"))
        let look = try await bincount("schema", "status", changed, "--hub", hub.url, "--api-key", "admin-key")
        #expect(look.code == .code(0) && look.out.contains("a push is refused: the control desk runs in the hub"))
        await hub.stop()
        let alone = try await site.start("--api-key", "admin-key:admins")
        let pushed = try await bincount(
            "schema", "push", changed, "--hub", alone.url, "--api-key", "admin-key", "--allow-destructive")
        #expect(pushed.code == .code(0), "\(pushed.error)")
        await alone.stop()
        let again = try await bincount("hub", "--data", site.hub, "--api-key", "k", "--check")
        #expect(again.code == .code(1) && again.error.contains("the control desk cannot work with the schema"))
    }
}
