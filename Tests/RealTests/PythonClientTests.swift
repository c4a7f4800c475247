import Basics
import System
import Testing

/// A Python with `gql` (its aiohttp and websockets extras), `httpx` and `pyjwt` (its crypto extra).
private let python = Built.environment("GQL_PYTHON")

/// Clients made by others against the built program.
@Suite(
    .enabled(if: Built.isThere && python != nil, "build the programs, and set GQL_PYTHON"),
    .serialized,
    .timeLimit(.minutes(5)))
struct PythonClientTests {
    private static let folder = Files.parent(of: Files.parent(of: #filePath)) + "/Clients"

    private func run(_ script: String, _ words: String...) async throws {
        let result = try await ChildProcess.run([python ?? "", "\(Self.folder)/\(script).py"] + words)
        #expect(
            result.status.isSuccess,
            "\(String(decoding: result.standardOutput + result.standardError, as: UTF8.self))")
    }

    @Test func `over TLS they believe the site's authority and no other`() async throws {
        let site = try Site()
        let other = site.directory.file("other")
        for data in [site.hub, other] {
            let made = try await bincount("hub", "init", "--data", data)
            try #require(made.code == .code(0), "\(made.error)")
        }
        let counter = try await site.key("counters")
        let desk = try await site.key("desk")
        let hub = try await site.start(host: "0.0.0.0")
        try await run(
            "tls_clients", "\(hub.port)", counter, desk, site.authority, other + "/tls/authority.pem")
        await hub.stop()
    }

    @Test func `a hub that takes nothing but an issuer's tokens gives each person what is his`() async throws {
        let issuer = try ChildProcess([python ?? "", Self.folder + "/oidc_issuer.py"], errorOutput: .inherit)
        defer { issuer.send(.kill) }
        let url = try #require(await issuer.readLine())
        let site = try Site()
        let hub = try await site.start(
            "--schema", Self.folder + "/tokens.graphql", "--oidc-issuer", url, "--oidc-audience", "bincount")
        try await run("jwt_gql", hub.url, url)
        await hub.stop()
    }
}
