import AppSync
import Basics
import SQLite
import System
import Testing
import Transport

@testable import Hub

/// Each request has a name, in its answer and in the log.
@Suite struct RequestIDTests {
    private let directory: TempDirectory
    private let lines = Locked<[(line: String, request: String?)]>([])

    init() throws {
        directory = try TempDirectory("request-id")
    }

    private func start(_ configure: (inout HubOptions) -> Void = { _ in }) async throws -> HubServer {
        let lines = lines
        var options = HubOptions(
            dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(HubFixture.keys),
            time: SystemTimeSource(), random: SeededRandom(seed: 7),
            log: Log(level: .notice) { (_: LogLevel, line: String, request: String?) in
                lines.withLock { $0.append((line, request)) }
            })
        configure(&options)
        return try await HubServer.start(options)
    }

    private func request(_ query: String, key: String = "all", _ headers: HTTPHeaders = [:]) -> HTTPRequest {
        var all: HTTPHeaders = ["content-type": "application/json", "x-api-key": key]
        for (name, value) in headers { all.append(name, value) }
        let body: JSONValue = ["query": .string(query)]
        return HTTPRequest(path: "/graphql", headers: all, body: body.bytes)
    }

    @Test(arguments: [
        "", "short-7", "with blank", "quote\"d-name", "a=b-member", "line\nbreak-1", "ümlaut-name", "semi;colon",
        String(repeating: "x", count: 65), "reason=none request",
    ])
    func `a foreign name that could be anything but a name is not taken`(_ text: String) {
        #expect(!RequestID.isWellFormed(text))
        let random = SeededRandom(seed: 1)
        #expect(RequestID.of(["x-request-id": text], random) == SeededRandom(seed: 1).uuid())
    }

    @Test(arguments: [
        "0123abcd", "7f0e3a52-8c1d-4f7e-9a54-2f1f6b1f0f11", "1-67891233-abcdef012345678912345678", "a_b.c-d_e",
        String(repeating: "x", count: 64),
    ])
    func `a name that is one is taken, of AppSync's field before the other`(_ text: String) {
        let random = SeededRandom(seed: 1)
        #expect(RequestID.of(["x-request-id": text], random) == text)
        #expect(RequestID.of(["x-request-id": "other-name-1", "X-Amzn-RequestId": text], random) == text)
        #expect(RequestID.of(["x-amzn-requestid": "no name", "x-request-id": text], random) == text)
    }

    @Test func `whatever answers a request names it, and each by its own name`() async throws {
        let hub = try await start()
        let loop = try WebSocketLoop()
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url))
        var seen: Set<String> = []
        let requests = [
            request("{ listNotes { items { id } } }"), request("mutation { createNote(input: {title: \"a\"}) { id } }"),
            request("{", key: "nobody"), HTTPRequest(method: "GET", path: "/health"),
            HTTPRequest(method: "GET", path: "/nothing"), HTTPRequest(method: "PUT", path: "/graphql"),
            HTTPRequest(path: "/login"), HTTPRequest(method: "GET", path: "/schema"),
        ]
        for request in requests {
            let names = try await client.send(request).headers.all("x-amzn-requestid")
            #expect(names.count == 1 && names[0].count == 36, "\(request.method) \(request.path): \(names)")
            seen.formUnion(names)
        }
        #expect(seen.count == requests.count)
        let kept = try await client.send(request("{ __typename }", ["x-request-id": "from-the-proxy-1"]))
        #expect(kept.headers.all("x-amzn-requestid") == ["from-the-proxy-1"])
        let refused = try await client.send(request("{ __typename }", ["x-request-id": "a\" reason=none"]))
        #expect(refused.headers["x-amzn-requestid"]?.count == 36)
        await hub.stop()
        loop.stop()
    }

    @Test func `what is refused, slow or failed is logged under the request's name`() async throws {
        let hub = try await start { $0.slowMilliseconds = 0 }
        let loop = try WebSocketLoop()
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url))
        _ = try await client.send(
            request("{ listBoxes { items { id } } }", key: "counter", ["x-request-id": "read-denied"]))
        _ = try await client.send(
            request(
                "mutation { deleteNote(input: {id: \"1\"}) { id } }", key: "counter", ["x-request-id": "write-denied"]))
        _ = try await client.send(request("{ __typename }", key: "stranger", ["x-request-id": "not-let-in"]))
        await hub.stop()
        loop.stop()
        let said = lines.current
        func names(_ start: String) -> [String?] { said.filter { $0.line.hasPrefix(start) }.map(\.request) }
        #expect(Set(names("access refused")) == ["read-denied", "write-denied"])
        #expect(names("credentials refused") == ["not-let-in"])
        #expect(names("slow request kind=query") == ["read-denied"])
        #expect(names("slow request kind=mutation") == ["write-denied"])
    }

    @Test func `a connection has a name, which stands with what is refused over it`() async throws {
        let hub = try await start()
        let loop = try WebSocketLoop()
        var options = WebSocketClientOptions(try URLParts(hub.url.replacing("http:", with: "ws:") + "/realtime"))
        options.subprotocols = ["graphql-transport-ws"]
        options.headers = ["x-api-key": "counter", "x-request-id": "connection-1"]
        let (socket, events) = WebSocketClient.connect(loop: loop, options: options)
        for await event in events {
            switch event {
            case .opened: socket.send(Array("{\"type\":\"connection_init\"}".utf8))
            case .text(let bytes):
                let frame = try JSONValue(parsing: Array(bytes))
                switch (frame["type"]?.string, frame["id"]?.string) {
                case ("connection_ack", _):
                    socket.send(Array(Self.subscribe("s", "subscription { onCreateNote { id } }").utf8))
                case ("error", "s"?): socket.send(Array(Self.subscribe("q", "{ listBoxes { items { id } } }").utf8))
                case ("next", "q"?):
                    socket.send(Array(Self.subscribe("m", "mutation { deleteNote(input: {id: \"1\"}) { id } }").utf8))
                case ("next", "m"?): socket.close()
                default: break
                }
            case .closed, .failed: break
            }
        }
        await hub.stop()
        loop.stop()
        let refused = lines.current.filter { $0.line.hasPrefix("access refused") }
        #expect(refused.count == 3)
        #expect(refused.allSatisfy { $0.request == "connection-1" }, "\(refused)")
    }

    private static func subscribe(_ id: String, _ query: String) -> String {
        let frame: JSONValue = ["type": "subscribe", "id": .string(id), "payload": ["query": .string(query)]]
        return frame.text
    }

    @Test func `a commit that fails names the requests in it`() throws {
        let lines = lines
        let connection = try Connection.memory()
        let core = try HubCore(
            engine: try HubEngine(HubFixture.notes, keys: try APIKeys(["all:everyone"])), schema: HubFixture.notes,
            connection: connection, time: ManualTimeSource(), random: SeededRandom(seed: 1),
            log: Log(level: .error) { (_: LogLevel, line: String, request: String?) in
                lines.withLock { $0.append((line, request)) }
            })
        let pages = try #require(try connection.value("PRAGMA page_count")?.integer)
        _ = try connection.rows("PRAGMA max_page_count=\(pages)")
        let title = String(repeating: "x", count: 50_000)
        let requests = (0..<10).map { number in
            let body: JSONValue = ["query": .string("mutation { createNote(input: {title: \"\(title)\"}) { id } }")]
            var request = HubRequest(apiKey: "all", body: body.bytes)
            request.mark = RequestMark("request-\(number)")
            return request
        }
        #expect(core.execute(requests).answers.allSatisfy { $0.status == 507 })
        let names = (0..<8).map { "request-\($0)" }.joined(separator: ",")
        #expect(lines.current.last?.line.hasSuffix(" requests=\(names) and 2 more") == true, "\(lines.current)")
    }

    @Test func `what a function could not decide names the request that it was asked for`() throws {
        let lines = lines
        var resolvers = ResolverOptions()
        resolvers.functions = [FunctionDefinition(name: "decide", target: .program(["decide"]))]
        try resolvers.addConflictHandler("*=decide")
        try resolvers.addBefore("Plain.create=decide")
        let core = try HubCore(
            engine: try HubEngine(FunctionHub.schema, keys: try APIKeys(["all:everyone"])), schema: FunctionHub.schema,
            connection: try Connection.memory(), time: ManualTimeSource(), random: SeededRandom(seed: 1),
            log: Log(level: .warning) { (_: LogLevel, line: String, request: String?) in
                lines.withLock { $0.append((line, request)) }
            }, resolvers: resolvers)
        let body: JSONValue = ["query": "mutation { createPlain(input: {title: \"a\"}) { id } }"]
        var request = HubRequest(apiKey: "all", body: body.bytes)
        request.mark = RequestMark("request-1")
        let call = try #require(core.perform([request]).calls.first)
        let outcome = core.perform([], answered: [(call.id, .failure(.timedOut))])
        #expect(outcome.finished.count == 1)
        #expect(lines.current.map(\.request) == ["request-1"])
        #expect(lines.current.first?.line.hasPrefix("createPlain is not carried out: the function decide ") == true)
    }
}
