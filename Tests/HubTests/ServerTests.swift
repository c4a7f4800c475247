import AppSync
import Basics
import Models
import SQLite
import System
import Testing
import Transport
import WarehouseModels

@testable import Hub

@Suite struct ServerTests {
    let directory: TempDirectory

    init() throws {
        directory = try TempDirectory("hub-test")
    }

    private func options(_ name: String = "hub") throws -> HubOptions {
        HubOptions(
            dataDirectory: directory.file(name), schema: HubFixture.notes, keys: try APIKeys(HubFixture.keys),
            time: SystemTimeSource())
    }

    private func post(_ client: HTTPClient, _ query: String, key: String? = "all") async throws -> (Int, JSONValue) {
        var headers: HTTPHeaders = ["content-type": "application/json"]
        if let key { headers.append("x-api-key", key) }
        let body: JSONValue = ["query": .string(query)]
        let response = try await client.send(
            HTTPRequest(method: "POST", path: "/graphql", headers: headers, body: body.bytes))
        return (response.status, try JSONValue(parsing: response.body))
    }

    private func client(_ server: HubServer, _ loop: WebSocketLoop) throws -> HTTPClient {
        try HTTPClient(loop: loop, origin: try URLParts(server.url))
    }

    @Test func whatWasAnsweredIsThereAfterARestart() async throws {
        let loop = try WebSocketLoop()
        var server = try await HubServer.start(options())
        #expect(server.url.hasSuffix("/graphql"))
        let made = try await post(
            client(server, loop), "mutation { createNote(input: {id: \"1\", title: \"kept\"}) { id } }")
        #expect(made.0 == 200)
        await server.stop()
        server = try await HubServer.start(options())
        let found = try await post(client(server, loop), "{ getNote(id: \"1\") { title } }")
        #expect(found.1.result?["title"] == "kept")
        await server.stop()
        loop.stop()
    }

    @Test func healthMetricsAndStrangePathsAreAnswered() async throws {
        let loop = try WebSocketLoop()
        let server = try await HubServer.start(options())
        let client = try client(server, loop)
        func get(_ path: String, query: String? = nil, _ headers: HTTPHeaders = [:]) async throws -> HTTPResponse {
            try await client.send(HTTPRequest(method: "GET", path: path, query: query, headers: headers))
        }
        #expect(try await get("/health").status == 200)
        let metrics = try await get("/metrics")
        #expect(String(decoding: metrics.body, as: UTF8.self).contains("bincount_hub_commits_total "))
        #expect(try await get("/nothing").status == 404)
        #expect(try await client.send(HTTPRequest(method: "PUT", path: "/graphql")).status == 405)
        let asked = try await get(
            "/graphql", query: "query=%7B%20__typename%20%7D", ["x-api-key": "all"])
        #expect(String(decoding: asked.body, as: UTF8.self).contains("\"__typename\":\"Query\""))
        #expect(try await post(client, "{ __typename }", key: nil).0 == 401)
        #expect(try await post(client, "{", key: "all").0 == 400)
        await server.stop()
        loop.stop()
    }

    @Test(arguments: [
        ("{\"query\":\"{ __typename }\"}", true), (" {\n\"query\"", true), ("{}", true), ("{ __typename }", false),
        ("{# \"\n__typename }", false), ("query Q { __typename }", false), ("[1,1,1]", false), ("\"text\"", false),
        ("{", false),
    ])
    func whatIsSentAsADocumentIsJSONWhereItBeginsAsAnObject(text: String, isJSON: Bool) {
        for (type, staysSo) in [("application/graphql; charset=utf-8", isJSON), ("application/json", true)] {
            let request = HTTPRequest(path: "/graphql", headers: ["content-type": type], body: Array(text.utf8))
            let document: JSONValue = ["query": .string(text)]
            #expect(HubHandler.body(ofPost: request) == (staysSo ? request.body : document.bytes))
        }
    }

    @Test func aSubscriberHearsOfACommitOnARealSocket() async throws {
        let loop = try WebSocketLoop()
        let server = try await HubServer.start(options())
        let authorization = RealtimeAuthorization(host: "h", apiKey: "all")
        for way in 0..<3 {
            var url = try URLParts(server.url.replacing("http:", with: "ws:") + (way == 1 ? "/realtime" : ""))
            var socketOptions = WebSocketClientOptions(url)
            if way == 0 {
                url = try URLParts(
                    server.url.replacing("http:", with: "ws:") + "?header=\(authorization.queryValue)&payload=e30=")
                socketOptions = WebSocketClientOptions(url)
            } else if way == 1 {
                socketOptions.subprotocols = ["graphql-ws", authorization.subprotocol]
            } else {
                socketOptions.headers = ["x-api-key": "all"]
            }
            let (socket, events) = WebSocketClient.connect(loop: loop, options: socketOptions)
            var frames: [RealtimeFrame] = []
            for await event in events {
                switch event {
                case .opened: socket.send(RealtimeFrame.connectionInit.bytes)
                case .text(let bytes):
                    let frame = try RealtimeFrame(parsing: Array(bytes))
                    if frame == .keepAlive { continue }
                    frames.append(frame)
                    if case .connectionAck = frame {
                        socket.send(
                            RealtimeFrame.start(
                                id: "7", data: "{\"query\":\"subscription { onCreateNote { title } }\"}",
                                authorization: authorization
                            ).bytes)
                    } else if case .startAck = frame {
                        let client = try client(server, loop)
                        _ = try await post(client, "mutation { createNote(input: {title: \"way \(way)\"}) { id } }")
                    } else if case .data = frame {
                        socket.close()
                    }
                case .closed, .failed: break
                }
            }
            guard case .data(let id, let payload)? = frames.last else {
                Issue.record("no data frame by way \(way), but \(frames)")
                continue
            }
            #expect(id == "7")
            #expect(
                String(decoding: payload, as: UTF8.self) == "{\"data\":{\"onCreateNote\":{\"title\":\"way \(way)\"}}}")
        }
        await server.stop()
        loop.stop()
    }

    @Test func whatCannotWorkIsRefusedInOneLine() async throws {
        var remote = try options()
        try remote.listen(on: "0.0.0.0:0")
        await #expect(throws: HubError.self) { try await HubServer.start(remote) }
        #expect(throws: HubError.self) { try remote.listen(on: "host:port") }
        try remote.listen(on: "127.hub.example.com:0")
        #expect(!remote.isLoopback, "a name that only looks like this machine's address")
        var keyless = try options()
        keyless.keys = APIKeys()
        await #expect(throws: HubError.self) { try await HubServer.start(keyless) }

        let server = try await HubServer.start(options())
        await #expect(throws: HubError.self) { try await HubServer.start(options()) }
        await server.stop()

        try Files.createDirectory(directory.file("foreign"))
        try Files.writeAtomically(
            "this is no database, but a text that is long enough", to: directory.file("foreign/hub.sqlite"))
        let foreign = try options("foreign")
        await #expect(throws: SQLiteError.self) { try await HubServer.start(foreign) }
    }

    @Test func waitingRequestsShareACommit() async throws {
        let loop = try WebSocketLoop()
        let server = try await HubServer.start(options())
        var clientOptions = HTTPClientOptions()
        clientOptions.maximumConnections = 40
        let client = try HTTPClient(loop: loop, origin: try URLParts(server.url), options: clientOptions)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<200 {
                group.addTask {
                    try await post(client, "mutation { createNote(input: {id: \"\(index)\", title: \"t\"}) { id } }").0
                }
            }
            for try await status in group { #expect(status == 200) }
        }
        let all = try await post(client, "{ syncNotes(limit: 1000) { items { _lastChangedAt } } }")
        let stamps = Set(all.1.result?["items"]?.array?.compactMap { $0["_lastChangedAt"]?.integer } ?? [])
        #expect(all.1.result?["items"]?.array?.count == 200)
        #expect(stamps.count < 200)
        await server.stop()
        loop.stop()
    }
}
