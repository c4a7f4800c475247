import Basics
import Crypto
import SQLite
import System
import Testing
import Transport

/// The token that a terminal keeps: whom it is shown to.
@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(5)))
struct TokenCommandTests {
    /// Somebody who says that he is a hub, and hears what he is told.
    private final class Stranger: HTTPServerHandler {
        let heard = Locked<[HTTPRequest]>([])

        func request(_ request: HTTPRequest, _ responder: HTTPResponder) {
            heard.withLock { $0.append(request) }
            responder.respond(.text(200, "type A @model { id: ID! }"))
        }
    }

    private let site: Site
    private let stranger = Stranger()
    private let server: HTTPServer
    private var strange: String { "http://127.0.0.1:\(server.port)/graphql" }
    private var data: String { site.directory.file("D01") }

    init() throws {
        site = try Site()
        server = try HTTPServer(handler: stranger)
    }

    private func setPIN() async throws {
        let words = [
            "hub", "person", "set-pin", "--data", site.hub, "--badge", "dora", "--group", "desk", "--group", "admins",
        ]
        let result = try await ChildProcess.run([Built.program] + words, input: Array("4711\n".utf8))
        try #require(result.status.isSuccess, "\(String(decoding: result.standardError, as: UTF8.self))")
    }

    /// Starts a desk, which takes the kept token, and ends it once it works.
    private func deskWorks(_ words: String...) async throws {
        let desk = try ChildProcess([Built.program, "desk", "--data", data] + words)
        let line = await desk.readLine()
        #expect(line?.hasSuffix(" at work") == true, "\(desk.standardErrorText)")
        desk.send(.terminate)
        #expect(await desk.wait() == .code(0))
        // Without the right it starts all the same, with what it has, and says so.
        #expect(!desk.standardErrorText.contains("starts with what it has"), "\(desk.standardErrorText)")
    }

    private func deskIsRefused(_ says: String, _ words: String...) async throws {
        let result = try await ChildProcess.run(
            [Built.program, "desk", "--data", data] + words)
        let error = String(decoding: result.standardError, as: UTF8.self)
        #expect(result.status == .code(2) && error.contains(says), "\(result.status) \(error)")
        #expect(stranger.heard.current.isEmpty)
    }

    @Test func `nothing secret goes to another machine in clear`() async throws {
        let key = site.directory.file("key")
        try Files.writeAtomically("secret\n", to: key)
        for words in [
            ["login", "--print", "--badge", "dora"], ["schema", "pull", "--api-key-file", key],
            ["supervise", "--data", data, "--api-key-file", key],
        ] {
            let result = try await ChildProcess.run(
                [Built.program] + words + ["--hub", "http://hub.example:8420/graphql"], input: Array("4711\n".utf8))
            let error = String(decoding: result.standardError, as: UTF8.self)
            #expect(result.status == .code(2) && error.contains("write https://"), "\(words) \(error)")
        }
    }

    @Test func `a token that was got by signing in is shown to the hub that gave it and to no other`() async throws {
        try await setPIN()
        let hub = try await site.start()
        let login = try await bincount("login", "--hub", hub.url, "--data", data, input: "dora\n4711\n")
        #expect(login.code == .code(0), "\(login.error)")
        try await deskWorks("--hub", hub.url)
        try await deskIsRefused("is for \(hub.url) and is shown to no other", "--hub", strange)

        // Whoever names the file himself means it: the stranger does hear what he is told.
        let named = try await bincount("schema", "pull", "--hub", strange, "--token-file", data + "/token")
        #expect(named.code == .code(0), "\(named.error)")
        let token = try #require(try Files.readText(data + "/token").split(separator: "\n").first)
        #expect(stranger.heard.current.map { $0.headers["authorization"] } == [String(token)])
        server.stop()
        await hub.stop()
    }

    @Test func `a token that is about to end is renewed by the program that works with it, and kept in its place`()
        async throws
    {
        try await setPIN()
        let hub = try await site.start()
        let login = try await bincount("login", "--hub", hub.url, "--data", data, input: "dora\n4711\n")
        try #require(login.code == .code(0), "\(login.error)")
        let file = data + "/token"
        let first = try JSONWebToken(parsing: try #require(try words(of: file).first))
        // The hub's own signature under the same claims, most of whose time is over.
        let database = try Connection.open(path: site.hub + "/hub.sqlite", options: .readOnly)
        let secret = try #require(try database.value("SELECT secret FROM _access WHERE id=1")?.text)
        let now = SystemTimeSource().now().milliseconds / 1000
        var claims = first.claims
        claims["iat"] = .integer(now - 3_600)
        claims["exp"] = .integer(now + 600)
        let old = JSONWebToken.make(claims, secret: SHA256.digest(secret))
        try Files.writeAtomically("\(old)\n\(hub.url)\n", to: file, mode: 0o600)

        let desk = try ChildProcess([Built.program, "desk", "--data", data, "--hub", hub.url])
        #expect(await desk.readLine()?.hasSuffix(" at work") == true, "\(desk.standardErrorText)")
        let client = try SiteClient(hub)
        try await client.ask(query, token: old) { _, _ in try words(of: file).first != old }
        let kept = try words(of: file)
        let renewed = try JSONWebToken(parsing: try #require(kept.first))
        #expect(kept.dropFirst() == [hub.url])
        #expect(rights(file) == 0o600)
        #expect(renewed.claims["sub"]?.string == first.claims["sub"]?.string)
        #expect(renewed.claims["exp"]?.integer ?? 0 > now + 3_600)
        // The sign-in is the same: renewing does not put off when the PIN is asked for again.
        #expect(renewed.claims["auth_time"]?.integer == first.claims["auth_time"]?.integer)
        desk.send(.terminate)
        #expect(await desk.wait() == .code(0))
        // The next start finds it.
        #expect(try await client.ask(query, token: kept[0]).status == 200)
        try await deskWorks("--hub", hub.url)
        #expect(try words(of: file) == kept)
        server.stop()
        await hub.stop()
    }

    private let query = "{ listBins { items { id } } }"

    private func words(of file: String) throws -> [String] {
        try Files.readText(file).split(separator: "\n").map(String.init)
    }

    @Test func `an enrolled terminal shows its token and its key to its own hub alone`() async throws {
        let made = try await bincount("hub", "init", "--data", site.hub)
        try #require(made.code == .code(0), "\(made.error)")
        try await setPIN()
        let hub = try await site.start()
        let code = try await site.code("--group", "desk")
        let enrolled = try await bincount("enrol", hub.url, "--data", data, input: code + "\n")
        try #require(enrolled.code == .code(0), "\(enrolled.error)")
        try await deskWorks()
        try await deskIsRefused("wants to know who asks", "--hub", strange)

        let login = try await bincount("login", "--data", data, input: "dora\n4711\n")
        #expect(login.code == .code(0), "\(login.error)")
        try await deskWorks()
        try await deskIsRefused("is shown to no other", "--hub", strange)
        // As an earlier version kept it: without the hub's name it is the enrolled one's.
        let token = try #require(try Files.readText(data + "/token").split(separator: "\n").first)
        try Files.writeAtomically(token + "\n", to: data + "/token", mode: 0o600)
        try await deskWorks()
        try await deskIsRefused("is shown to no other", "--hub", strange)

        // A token of another hub's in the same directory does not go to the enrolled one: that gets the key.
        try Files.writeAtomically("e30.e30.AA\n\(strange)\n", to: data + "/token", mode: 0o600)
        try await deskWorks()
        server.stop()
        await hub.stop()
    }
}
