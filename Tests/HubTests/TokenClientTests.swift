import Basics
import GraphQL
import Hub
import Models
import System
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Python with the packages `gql` (with its aiohttp and websockets extras), `httpx` and `pyjwt` (with its crypto extra).
private let python: String? = getenv("GQL_PYTHON").map { String(cString: $0) }

@Suite("Clients made by others, with tokens of an issuer made by others", .timeLimit(.minutes(5)))
struct TokenClientTests {
    @Test(.enabled(if: python != nil, "set GQL_PYTHON to a Python with gql[aiohttp,websockets], httpx, pyjwt[crypto]"))
    func tokensOfAnIssuerOpenTheHubWhileItsKeysChangeAndTimePasses() async throws {
        let folder = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/") + "/Clients"
        let issuer = try ChildProcess([python ?? "", folder + "/oidc_issuer.py"], errorOutput: .inherit)
        defer { issuer.send(.kill) }
        let issuerURL = try #require(await issuer.readLine())
        let directory = try TempDirectory("token-clients")
        let schema = try Schema(sdl: try Files.readText(folder + "/tokens.graphql"))
        let clock = PassingTime()
        var options = HubOptions(
            dataDirectory: directory.file("hub"), schema: schema, keys: APIKeys(), time: clock)
        options.identity.issuers = [try IssuerOptions(url: issuerURL, audiences: ["bincount"])]
        let server = try await HubServer.start(options)
        let client = try ChildProcess(
            [python ?? "", folder + "/jwt_gql.py", server.url, issuerURL, "--clock"])
        var said: [String] = []
        while let line = await client.readLine() {
            if line.hasPrefix("clock "), let seconds = Int64(line.dropFirst("clock ".count)) {
                clock.pass(milliseconds: seconds * 1000)
            } else {
                said.append(line)
            }
        }
        let status = await client.wait()
        await server.stop()
        #expect(status.isSuccess, "\(said.joined(separator: "\n")) \(client.standardErrorText)")
    }
}

/// The system's clocks, and what a test has let pass beyond that.
private final class PassingTime: TimeSource {
    private let system = SystemTimeSource()
    private let passed = Locked<Int64>(0)

    var bootID: String { system.bootID }
    func now() -> DateTime { system.now().advanced(by: passed.current) }
    func uptime() -> Int64 { system.uptime() + passed.current }
    func pass(milliseconds: Int64) { passed.withLock { $0 += milliseconds } }
}
