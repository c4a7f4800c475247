import Basics
import System
import Testing

/// `bincount hub person` and `bincount login`, typed and from a pipe, beside a hub that runs.
@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(5)))
struct PersonCommandTests {
    private let site: Site
    private let query = "{ listBins { items { id } } }"

    init() throws { site = try Site() }

    private func setPIN(_ badge: String, _ pin: String, _ options: String...) async throws {
        let words = ["hub", "person", "set-pin", "--data", site.hub, "--badge", badge] + options
        let result = try await ChildProcess.run([Built.program] + words, input: Array((pin + "\n").utf8))
        try #require(result.status.isSuccess, "\(String(decoding: result.standardError, as: UTF8.self))")
    }

    private func person(_ words: String...) async throws -> Outcome {
        let result = try await ChildProcess.run(
            [Built.program, "hub", "person"] + words + ["--data", site.hub])
        return Outcome(
            code: result.status, out: String(decoding: result.standardOutput, as: UTF8.self),
            error: String(decoding: result.standardError, as: UTF8.self))
    }

    @Test func `a PIN is typed twice without being seen, and the person signs in at a terminal`() async throws {
        let set = ["hub", "person", "set-pin", "--data", site.hub, "--badge", "sue", "--group", "supervisors"]
        let terminal = try PseudoTerminal([Built.program] + set)
        for question in ["PIN of sue: ", "again: "] {
            try await terminal.expect(question)
            #expect(!terminal.echoes)
            terminal.type("471108\r")
        }
        try await terminal.expect("sue signs in with the badge sue as supervisors")
        #expect(await terminal.wait() == .code(0))
        #expect(!terminal.shown.contains("471108"))

        let hub = try await site.start()
        let data = site.directory.file("S01")
        let login = try PseudoTerminal([Built.program, "login", "--hub", hub.url, "--data", data])
        try await login.expect("Badge: ")
        #expect(login.echoes)
        // All at once, as a reader of badges and a quick hand do: nothing of it is lost.
        login.type("sue\r")
        try await login.expect("PIN: ")
        #expect(!login.echoes)
        login.type("471108\r")
        try await login.expect("signed in: sue (supervisors)")
        #expect(await login.wait() == .code(0))
        #expect(!login.shown.contains("471108"))
        #expect(rights(data + "/token") == 0o600)
        let client = try SiteClient(hub)
        let kept = try Files.readText(data + "/token").split(separator: "\n").map(String.init)
        let token = try #require(kept.first)
        #expect(kept.dropFirst() == [hub.url])
        #expect(try await client.ask(query, token: token).status == 200)

        // Other groups hold at once for who is signed in, and whoever is removed is out.
        #expect(try await person("groups", "--badge", "sue", "--group", "auditors").code == .code(0))
        let list = try await person("list", "--json")
        #expect(try JSONValue(parsing: list.out).array?.first?["groups"]?.array?.first?.string == "auditors")
        #expect(try await person("remove", "--badge", "sue").code == .code(0))
        try await client.ask(query, token: token) { status, _ in status == 401 }
        #expect(try await person("remove", "--badge", "sue").error.contains("nobody signs in with the badge sue"))
        await hub.stop()
    }

    @Test func `two PINs that differ, one that everybody guesses and Ctrl-C change nothing`() async throws {
        func ask() throws -> PseudoTerminal {
            try PseudoTerminal(
                [Built.program, "hub", "person", "set-pin", "--data", site.hub, "--badge", "ann"])
        }
        let differing = try ask()
        try await differing.expect("PIN of ann: ")
        differing.type("471108\r")
        try await differing.expect("again: ")
        differing.type("471208\r")
        try await differing.expect("the two differ")
        #expect(await differing.wait() == .code(1))

        let guessed = try ask()
        try await guessed.expect("PIN of ann: ")
        guessed.type("1234\r")
        try await guessed.expect("everybody guesses that PIN")
        #expect(await guessed.wait() == .code(1))

        let ended = try ask()
        try await ended.expect("PIN of ann: ")
        ended.type("47\u{3}")
        #expect(await ended.wait() == .signal(2))
        #expect(ended.echoes, "the terminal is left as it was")
        #expect(!Files.exists(site.hub))
    }

    @Test func `wrong PINs lock a badge, which the list shows, until somebody unlocks it`() async throws {
        try await setPIN("ann", "471108")
        let hub = try await site.start()
        for _ in 0..<5 {
            let wrong = try await bincount("login", "--hub", hub.url, "--print", input: "ann\n471208\n")
            #expect(wrong.code == .code(1) && wrong.error.contains("The badge or the PIN is wrong."), "\(wrong)")
        }
        // Beside each other: it is locked for half a minute.
        async let list = person("list")
        let locked = try await bincount("login", "--hub", hub.url, "--print", "--badge", "ann", input: "471108\n")
        #expect(locked.code == .code(1) && locked.error.contains("Too many tries; try again in"), "\(locked)")
        #expect(locked.out.isEmpty)
        #expect(try await list.out.contains("locked until"))
        #expect(locked.error.contains("bincount hub person unlock ann"))
        #expect(try await person("unlock", "ann").code == .code(0))
        #expect(try await person("unlock", "ann", "--badge", "bob").code == .code(2))
        #expect(try await person("unlock").code == .code(2))
        #expect(try await !person("list").out.contains("locked until"))
        // Restarted, it knows of it at once.
        await hub.stop()
        let next = try await site.start()
        let right = try await bincount("login", "--hub", next.url, "--print", input: "ann\n471108\n")
        #expect(right.code == .code(0), "\(right.error)")
        let client = try SiteClient(next)
        #expect(try await client.ask(query, token: right.out.trimmed).status == 200)
        // Another PIN ends what was signed in under the one before.
        try await setPIN("ann", "2580")
        try await client.ask(query, token: right.out.trimmed) { status, _ in status == 401 }
        await next.stop()
        let log = next.child.standardErrorText + hub.child.standardErrorText
        #expect(log.contains("sign-in refused") && !log.contains("471108") && !log.contains("471208"))
    }

    @Test func `login says what is missing or unreachable`() async throws {
        let cases: [(words: [String], input: String, code: Int32, says: String)] = [
            (["--print"], "", 2, "--hub URL is missing"),
            (["--hub", "http://127.0.0.1:9/graphql"], "", 2, "either --data DIR or --print"),
            (["--hub", "http://127.0.0.1:9/graphql", "--print"], "", 2, "without a badge"),
            (["--hub", "http://127.0.0.1:9/graphql", "--print"], "ann\n", 1, "no line with the secret"),
            (["--hub", "http://127.0.0.1:1/graphql", "--print"], "ann\n471108\n", 1, "cannot connect to 127.0.0.1:1"),
            (["--hub", "http://127.0.0.1:1/", "--print"], "ann\n471108\n", 2, "ending in /graphql"),
            (["--hub", "http://hub.example/graphql", "--print"], "ann\n471108\n", 2, "write https://"),
        ]
        for (words, input, code, says) in cases {
            let result = try await ChildProcess.run([Built.program, "login"] + words, input: Array(input.utf8))
            let error = String(decoding: result.standardError, as: UTF8.self)
            #expect(result.status == .code(code) && error.contains(says), "\(words): \(result.status) \(error)")
            #expect(error.split(separator: "\n").count == 1)
        }
    }
}
