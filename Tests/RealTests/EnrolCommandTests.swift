import Basics
import System
import Testing

/// `bincount hub init`, `hub enrol-code`, `enrol`, `status` and `count`: a terminal becomes one of a site's over TLS.
@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(5)))
struct EnrolCommandTests {
    private let site: Site
    private var terminal: String { site.directory.file("T01") }

    init() throws { site = try Site() }

    private func makeAuthority(_ hub: String, _ options: String...) async throws -> String {
        let result = try await ChildProcess.run([Built.program, "hub", "init", "--data", hub] + options)
        try #require(result.status.isSuccess, "\(String(decoding: result.standardError, as: UTF8.self))")
        return String(decoding: result.standardOutput, as: UTF8.self)
    }

    private func report(_ directory: String) async throws -> JSONValue {
        let result = try await bincount("status", "--data", directory, "--json")
        #expect(result.code == .code(0), "\(result.error)")
        return try JSONValue(parsing: result.out)
    }

    /// The first report that says so of the hub: the command gives it three seconds, which a busy machine may miss.
    private func report(_ directory: String, until isRight: (JSONValue) -> Bool) async throws -> JSONValue {
        while true {
            let report = try await report(directory)
            if let problem = report["hubProblem"], isRight(problem) { return report }
        }
    }

    @Test func `a terminal enrols with a code that is typed, counts and synchronises until its key is withdrawn`()
        async throws
    {
        let made = try await makeAuthority(site.hub)
        #expect(rights(site.hub) == 0o700 && rights(site.hub + "/tls/authority.key") == 0o600)
        let hub = try await site.start()
        #expect(hub.url.hasPrefix("https://127.0.0.1:"))
        let lead = try await site.key("supervisors", "admins", options: ["--name", "office"])
        let code = try await site.code("--device", "T01")

        let enrol = try PseudoTerminal([Built.program, "enrol", "127.0.0.1:\(hub.port)", "--data", terminal])
        try await enrol.expect("Code: ")
        enrol.type("AAAA-AAAA-AAA\r")
        try await enrol.expect("That is no code")
        try await enrol.expect("Code: ")
        enrol.type(code.lowercased().filter { $0 != "-" } + "\r")
        try await enrol.expect("Enrolled as T01 at \(hub.url), as counters.")
        #expect(await enrol.wait() == .code(0))
        #expect(rights(terminal + "/hub.json") == 0o600)
        // The same authority as `hub init` told, so that two people can compare it.
        let fingerprint = try #require(made.split(separator: "\n").first { $0.contains(":") && $0.hasPrefix("  ") })
        #expect(enrol.shown.contains(String(fingerprint).trimmed))
        #expect(try await report(terminal) { $0.isNull }["device"]?.string == "T01")

        // The code was good once.
        let other = site.directory.file("T02")
        let used = try await bincount("enrol", hub.url, "--data", other, input: code + "\n")
        #expect(used.code == .code(1) && used.error.contains("used already"), "\(used.error)")
        #expect(!Files.exists(other + "/hub.json"))

        // From the hub to the terminal: a person made there signs in on its screen; and back: the hub hears of it.
        let client = try SiteClient(hub, authority: site.authority)
        let person =
            "mutation { createPerson(input: {id: \"P-ann\", login: \"ann\", name: \"Ann Ames\", roles: [counters], "
            + "language: \"en\", active: true}) { id } }"
        try await client.ask(person, key: lead) { status, json in
            status == 200 && json?["data"]?["createPerson"]?["id"] != nil
        }
        let screen = try PseudoTerminal([Built.program, "count", "--data", terminal])
        try await screen.expect("SCAN YOUR BADGE")
        while try await report(terminal)["records"]?["Person"]?.integer != 1 {}
        screen.type("ann\r")
        try await client.ask("{ getDevice(id: \"T01\") { personID } }", key: lead) { _, json in
            json?["data"]?["getDevice"]?["personID"]?.string == "P-ann"
        }

        // Another enrolment must wait until the app has ended.
        let busy = try await bincount("enrol", hub.url, "--data", terminal, input: code + "\n")
        #expect(busy.code == .code(2) && busy.error.contains("close that one first"), "\(busy.error)")

        #expect(try await bincount("hub", "key", "revoke", "--data", site.hub, "T01").code == .code(0))
        _ = try await report(terminal) { $0.string?.contains("does not take this terminal's key") == true }
        screen.send(.terminate)
        #expect(await screen.wait() == .code(0))

        // A new code lets it in again, as the same terminal.
        let next = try await site.code("--device", "T01")
        let again = try await bincount("enrol", hub.url, "--data", terminal, input: next + "\n")
        #expect(again.code == .code(0), "\(again.error)")
        _ = try await report(terminal) { $0.isNull }

        // With a code for any terminal too, since it shows its key; whoever only calls himself so does not become it.
        let open = try await site.code()
        let thief = site.directory.file("T99")
        try Files.createDirectory(thief)
        try Files.writeAtomically("T01\n", to: thief + "/device")
        let taken = try await bincount("enrol", hub.url, "--data", thief, input: open + "\n")
        #expect(taken.code == .code(1) && taken.error.contains("--device"), "\(taken.error)")
        let shown = try await bincount("enrol", hub.url, "--data", terminal, input: open + "\n")
        #expect(shown.code == .code(0), "\(shown.error)")
        _ = try await report(terminal) { $0.isNull }
        await hub.stop()
        #expect(try await report(terminal)["hubProblem"]?.string?.contains("cannot connect") == true)
    }

    @Test func `the counting app ends by its key and by a signal, and leaves the terminal as it was`() async throws {
        for signal in [nil, Signal.terminate, .hangUp] {
            let screen = try PseudoTerminal([Built.program, "count", "--data", terminal])
            try await screen.expect("SCAN YOUR BADGE")
            #expect(!screen.echoes)
            if let signal {
                screen.send(signal)
            } else {
                // Over the question whether it is meant, which no key answers as soon as it is there.
                screen.type("\u{1B}OR")
                try await screen.expect("SWITCH OFF?")
                screen.type("\u{3}")
                try await screen.expect("Ctrl-C once more")
                screen.type("\u{3}")
            }
            #expect(await screen.wait() == .code(0), "\(signal.map { "\($0)" } ?? "F3")")
            #expect(screen.echoes)
        }
    }

    @Test func `another authority in the hub's place is refused, in words that say what to do`() async throws {
        _ = try await makeAuthority(site.hub)
        let hub = try await site.start()
        let code = try await site.code()
        let enrolled = try await bincount("enrol", hub.url, "--data", terminal, input: code + "\n")
        #expect(enrolled.code == .code(0), "\(enrolled.error)")
        // Whoever has not enrolled believes nobody's own authority, unless he is given it.
        let stranger = try await bincount("login", "--hub", hub.url, "--print", input: "ann\n4711\n")
        #expect(stranger.code == .code(1) && stranger.error.contains("enrol this device"), "\(stranger.error)")
        let told = try await bincount(
            "login", "--hub", hub.url, "--print", "--tls-authority", site.authority, input: "ann\n4711\n")
        #expect(told.error.contains("The badge or the PIN is wrong."), "\(told.error)")
        await hub.stop()

        let thief = try Site()
        _ = try await makeAuthority(thief.hub)
        let false_ = try await thief.start(port: hub.port)
        let problem = try await report(terminal) {
            $0.string?.contains("another machine answers in the hub's place") == true
        }
        #expect(problem["hubProblem"]?.string?.contains("at enrolment it was") == true)
        let login = try await bincount("login", "--data", terminal, input: "ann\n4711\n")
        #expect(login.code == .code(1) && login.error.contains("another machine answers"), "\(login.error)")
        // Nor does it get anything from a terminal that shows it a code of the right hub.
        let fresh = site.directory.file("T03")
        let asked = try await bincount("enrol", hub.url, "--data", fresh, input: try await site.code() + "\n")
        #expect(asked.code == .code(1) && asked.error.contains("the code is wrong"), "\(asked.error)")
        #expect(!Files.exists(fresh + "/hub.json"))
        await false_.stop()
    }

    @Test func `a certificate for other names is refused until the hub has one for this name too`() async throws {
        _ = try await makeAuthority(site.hub, "--name", "hub.example")
        let hub = try await site.start(host: "127.0.0.2")
        let code = try await site.code()
        let refused = try await bincount("enrol", hub.url, "--data", terminal, input: code + "\n")
        #expect(refused.code == .code(1), "\(refused)")
        #expect(refused.error.contains("hub.example") && refused.error.contains("hub renew --name 127.0.0.2"))
        let renewed = try await bincount("hub", "renew", "--data", site.hub, "--name", "127.0.0.2")
        #expect(renewed.code == .code(0) && renewed.out.contains("127.0.0.2"))
        // The running hub takes the new one over, and the code was not used up.
        let end = SystemTimeSource().uptime() + 60_000
        var last = refused
        while last.code != .code(0), SystemTimeSource().uptime() < end {
            last = try await bincount("enrol", hub.url, "--data", terminal, input: code + "\n")
        }
        #expect(last.code == .code(0), "\(last.error)")
        await hub.stop()
    }

    @Test func `without TLS, without a hub and with a bad code enrolling says what is wrong`() async throws {
        let noTLS = try await bincount("hub", "enrol-code", "--data", site.hub)
        #expect(noTLS.code == .code(1) && noTLS.error.contains("hub init"), "\(noTLS.error)")
        _ = try await site.key()
        let hub = try await site.start()
        let code = "K7Q2-M9XR-4TD"
        let cases: [(url: String, input: String, says: String)] = [
            (hub.url, code, "there was no code"), (hub.url, "", "there was no code"),
            ("127.0.0.1:1", "0000-0000-000", "cannot connect to 127.0.0.1:1"),
            (hub.url, "0000-0000-000", "over TLS only"),
            ("https://127.0.0.1:\(hub.port)/", "0000-0000-000", "TLS"),
            ("https://127.0.0.1:\(hub.port)/other", "0000-0000-000", "is no hub's URL"),
        ]
        for (url, input, says) in cases {
            let result = try await bincount("enrol", url, "--data", terminal, input: input + "\n")
            #expect(result.code == .code(1) && result.error.contains(says), "\(url) \(input): \(result)")
            #expect(result.error.split(separator: "\n").count == 1)
        }
        #expect(!Files.exists(terminal + "/hub.json"))
        await hub.stop()
    }
}
