import Basics
import GraphQL
import Hub
import Models
import System
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Python with the package `gql`; named by `GQL_PYTHON`.
private let python: String? = getenv("GQL_PYTHON").map { String(cString: $0) }

@Suite struct ConflictClientTests {
    /// Decides by the title: resolves to both, rejects, is slow, removes.
    private static let handler = """
        import json, signal, sys
        event = json.load(sys.stdin)
        new, old = event["newItem"], event["existingItem"]
        if event["resolver"]["field"].startswith("delete"):
            print(json.dumps({"action": "REMOVE"}))
        elif new["title"] == "reject":
            print(json.dumps({"action": "REJECT"}))
        elif new["title"] == "slow":
            signal.pause()
        else:
            print(json.dumps({"action": "RESOLVE", "item": {**old, "title": old["title"] + " and " + new["title"]}}))
        """

    @Test(.enabled(if: python != nil, "set GQL_PYTHON to a Python that has gql[aiohttp,websockets]"))
    func aConflictIsAnsweredToEachStrategy() async throws {
        let directory = try TempDirectory("conflicts")
        let script = directory.file("decide.py")
        try Files.writeAtomically(Self.handler, to: script)
        let rules = "@auth(rules: [{ allow: public, operations: [create, update, delete, read] }])"
        let fields = "{ id: ID! title: String! tags: [String] }"
        let schema = try Schema(
            sdl: """
                type Merged @model \(rules) \(fields)
                type Strict @model @conflict(strategy: OPTIMISTIC_CONCURRENCY) \(rules) \(fields)
                type Decided @model @conflict(strategy: LAMBDA) \(rules) \(fields)
                """)
        var options = HubOptions(
            dataDirectory: directory.file("hub"), schema: schema, keys: try APIKeys(["key"]), time: SystemTimeSource())
        try options.resolvers.addFunction("decide=\(python ?? "") \(script)")
        try options.resolvers.addConflictHandler("Decided=decide")
        options.resolvers.functions[0].timeoutMilliseconds = 8_000
        let server = try await HubServer.start(options)
        let clients = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let result = try await ChildProcess.run(
            [python ?? "", "/\(clients)/Clients/conflicts_gql.py", server.url, "key"])
        await server.stop()
        let text = String(decoding: result.standardOutput + result.standardError, as: UTF8.self)
        #expect(result.status.isSuccess, "\(text)")
        #expect(text.contains("checks hold"))
    }
}
