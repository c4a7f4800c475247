import Basics
import GraphQL
import Hub
import Models
import System
import Testing
import WarehouseModels

#if canImport(Glibc)
    import Glibc
#endif

/// Python with the packages `gql` (with its aiohttp and websockets extras) and `httpx`; named by `GQL_PYTHON`.
private let python: String? = getenv("GQL_PYTHON").map { String(cString: $0) }

@Suite("Clients made by others")
struct GQLClientTests {
    @Test(
        .enabled(if: python != nil, "set GQL_PYTHON to a Python that has gql[aiohttp,websockets] and httpx"),
        arguments: ["appsync_gql", "generic_gql", "appsync_frames", "appsync_http"])
    func aClientMadeByOthersFindsWhatItExpects(_ script: String) async throws {
        try await run(script, warehouse)
    }

    @Test(.enabled(if: python != nil, "set GQL_PYTHON to a Python that has gql[aiohttp,websockets] and httpx"))
    func `one that asks for the schema takes an API that has no subscriptions`() async throws {
        let quiet = "type Note @model(subscriptions: null) @auth(rules: [{ allow: public }]) { id: ID! title: String }"
        try await run("quiet_gql", try Schema(sdl: quiet))
    }

    private func run(_ script: String, _ schema: Schema) async throws {
        let directory = try TempDirectory("gql-test")
        let server = try await HubServer.start(
            HubOptions(
                dataDirectory: directory.file("hub"), schema: schema, keys: try APIKeys(["c-key", "d-key:desk"]),
                time: SystemTimeSource()))
        let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let result = try await ChildProcess.run(
            [python ?? "", "/\(folder)/Clients/\(script).py", server.url, "c-key", "d-key"])
        await server.stop()
        #expect(
            result.status.isSuccess,
            "\(String(decoding: result.standardOutput + result.standardError, as: UTF8.self))")
    }
}
