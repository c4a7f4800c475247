import AppSync
import Basics
import GraphQL
import Models
import System
import Testing
import Transport

@testable import Hub

/// A running hub whose schema tests change, with an HTTP client and subscribers on real sockets.
final class SchemaPushFixture: Sendable {
    static let notes = """
        enum Mood { calm cross }
        type Note @model @auth(rules: [{ allow: groups, groups: ["everyone"] }]) {
          id: ID!
          title: String!
          body: String
          mood: Mood
        }
        type Box @model @auth(rules: [{ allow: groups, groups: ["everyone"] }]) { id: ID! label: String! }
        """
    /// One field, one case, one model more.
    static let larger =
        notes.replacing("calm cross", with: "calm cross glad").replacing(
            "  mood: Mood",
            with:
                "  size: Int! @default(value: \"7\")\n  mood: Mood @index(name: \"notesByMood\", queryField: \"notesByMood\")"
        )
        + "\ntype Shelf @model @auth(rules: [{ allow: groups, groups: [\"everyone\"] }]) { id: ID! name: String }"
    /// Without the body.
    static let smaller = notes.replacing("  body: String\n", with: "")

    let directory: TempDirectory
    let loop: WebSocketLoop
    private let running = Locked<HubServer?>(nil)

    init() throws {
        directory = try TempDirectory("hub-schema")
        loop = try WebSocketLoop()
    }

    var data: String { directory.file("hub") }
    var server: HubServer { get throws { try #require(running.current) } }

    func start(
        _ text: String = notes, resident: SchemaResident? = nil, log: Log = .none,
        progress: (@Sendable () -> Void)? = nil, resolvers: ResolverOptions = ResolverOptions()
    ) async throws {
        var options = HubOptions(
            dataDirectory: data, schema: try Schema(sdl: text),
            keys: try APIKeys(["all:everyone", "admin:admins,everyone"]), time: SystemTimeSource(),
            log: log)
        options.schemaText = text
        options.progress = progress
        options.resident = resident
        options.resolvers = resolvers
        let server = try await HubServer.start(options)
        running.withLock { $0 = server }
    }

    func stop() async throws {
        let server = try server
        running.withLock { $0 = nil }
        await server.stop()
    }

    func send(
        _ method: String, _ path: String, _ body: JSONValue? = nil, key: String?
    ) async throws -> HTTPResponse {
        var headers: HTTPHeaders = ["content-type": "application/json"]
        if let key { headers.append("x-api-key", key) }
        let client = try HTTPClient(loop: loop, origin: try URLParts(try server.url))
        return try await client.send(
            HTTPRequest(method: method, path: path, headers: headers, body: body?.bytes ?? []))
    }

    func push(
        _ text: String, destructive: Bool = false, trial: Bool = false, key: String? = "admin"
    ) async throws -> (status: Int, json: JSONValue) {
        let answer = try await send(
            "POST", "/schema",
            ["schema": .string(text), "allowDestructive": .bool(destructive), "dryRun": .bool(trial)], key: key)
        return (answer.status, try JSONValue(parsing: answer.body))
    }

    @discardableResult
    func ask(_ query: String, id: String? = nil) async throws -> JSONValue {
        var body: JSONObject = ["query": .string(query)]
        if let id { body["extensions"] = ["bincount": ["mutationIds": ["m": .string(id)]]] }
        return try JSONValue(parsing: try await send("POST", "/graphql", .object(body), key: "all").body)
    }

    /// Opens a socket with a subscription for each document, by the ids "0", "1", …; returns when all have begun.
    func subscribe(_ documents: [String], extensions: JSONValue? = nil) async throws -> SchemaSubscriber {
        let authorization = RealtimeAuthorization(host: "h", apiKey: "all")
        var options = WebSocketClientOptions(
            try URLParts(try server.url.replacing("http:", with: "ws:") + "/realtime"))
        options.subprotocols = ["graphql-ws", authorization.subprotocol]
        let (socket, events) = WebSocketClient.connect(loop: loop, options: options)
        let subscriber = SchemaSubscriber(socket, events)
        for (index, document) in documents.enumerated() {
            var body: JSONObject = ["query": .string(document)]
            if let extensions { body["extensions"] = extensions }
            let data = JSONValue.object(body).text
            if index == 0 {
                try await subscriber.opened()
                socket.send(RealtimeFrame.connectionInit.bytes)
            }
            socket.send(RealtimeFrame.start(id: "\(index)", data: data, authorization: authorization).bytes)
        }
        var begun = 0
        while begun < documents.count { if try await subscriber.next()["type"] == "start_ack" { begun += 1 } }
        return subscriber
    }
}

/// One socket, read frame by frame by one test.
final class SchemaSubscriber {
    let socket: WebSocketClient
    private var events: AsyncStream<WebSocketEvent>.Iterator

    init(_ socket: WebSocketClient, _ events: AsyncStream<WebSocketEvent>) {
        self.socket = socket
        self.events = events.makeAsyncIterator()
    }

    struct Ended: Error { let event: String }

    func opened() async throws {
        guard case .opened? = await events.next() else { throw Ended(event: "it was not opened") }
    }

    /// The next frame but `ka` and the acknowledgement of the connection.
    func next() async throws -> JSONValue {
        while let event = await events.next() {
            guard case .text(let bytes) = event else { throw Ended(event: "\(event)") }
            let frame = try JSONValue(parsing: Array(bytes))
            if frame["type"] != "ka", frame["type"] != "connection_ack" { return frame }
        }
        throw Ended(event: "the end")
    }
}
