import AppSync
import Basics
import GraphQL
import Models
import System
import Testing
import Transport

@testable import Hub

/// Sockets whose sender cannot be judged at once wait for the verdict, as requests over HTTP do.
@Suite(.timeLimit(.minutes(5)))
struct WaitingSocketTests {
    private let directory: TempDirectory
    private let loop: WebSocketLoop

    private static let schema = try! Schema(
        sdl: "type Post @model @auth(rules: [{ allow: custom }]) { id: ID! text: String }")

    init() throws {
        directory = try TempDirectory("waiting-socket")
        loop = try WebSocketLoop()
    }

    /// A hub whose authorizer lets in whoever does not call himself a stranger; each answer comes when its file is there.
    ///
    /// The event holds random hexadecimal digits too, so the word must not be made of those.
    private func start() async throws -> HubServer {
        let path = directory.file("authorizer")
        let text = """
            #!/bin/sh
            read -r event
            touch \(directory.file("asked"))
            while ! test -e \(directory.file("go")); do sleep 0.02; done
            case "$event" in *stranger*) echo '{"isAuthorized": false}';; *) echo '{"isAuthorized": true}';; esac

            """
        try Files.writeAtomically(Array(text.utf8), to: path, mode: 0o755)
        var options = HubOptions(
            dataDirectory: directory.file("hub"), schema: Self.schema, keys: try APIKeys(["all:everyone"]),
            time: SystemTimeSource())
        try options.resolvers.addFunction("authorizer=\(path)")
        options.resolvers.authorizer = "authorizer"
        // It answers when the test says so, however long that takes.
        options.resolvers.functions[0].timeoutMilliseconds = 250_000
        options.limits.handshakeMilliseconds = 250_000
        return try await HubServer.start(options)
    }

    private func go() throws { try Files.writeAtomically([], to: directory.file("go"), mode: 0o644) }

    private func connect(
        _ hub: HubServer, _ subprotocol: String, token: String
    ) throws -> (WebSocketClient, AsyncStream<WebSocketEvent>) {
        var options = WebSocketClientOptions(try URLParts(hub.url.replacing("http:", with: "ws:")))
        options.subprotocols = [subprotocol]
        options.headers = ["authorization": token]
        return WebSocketClient.connect(loop: loop, options: options)
    }

    private static let subscription: JSONValue = ["query": "subscription { onCreatePost { id } }"]

    @Test func `whoever comes first over a socket waits for the authorizer, and all he sends with him`() async throws {
        let hub = try await start()
        let (client, events) = try connect(hub, "graphql-ws", token: "guest")
        var heard: [String] = []
        for await event in events {
            switch event {
            case .opened:
                client.send(RealtimeFrame.connectionInit.bytes)
                let data = Self.subscription.text
                for (id, token) in [("1", "guest"), ("2", "another"), ("3", "stranger"), ("4", "guest")] {
                    let start = RealtimeFrame.start(
                        id: id, data: data, authorization: RealtimeAuthorization(["authorization": .string(token)]))
                    client.send(start.bytes)
                }
                while !Files.exists(directory.file("asked")) { await Task.yield() }
                try go()
            case .text(let bytes):
                let message = try JSONValue(parsing: Array(bytes))
                guard message["type"] != "ka" else { continue }
                heard.append("\(message["type"]?.string ?? "?") \(message["id"]?.string ?? "-")")
                if heard.count == 5 { client.close() }
            case .closed, .failed: break
            }
        }
        #expect(heard == ["connection_ack -", "start_ack 1", "start_ack 2", "error 3", "start_ack 4"])
        await hub.stop()
        loop.stop()
    }

    @Test func `others of graphql-transport-ws wait too, and who is refused is told so once`() async throws {
        let hub = try await start()
        try go()
        for (token, isGood) in [("guest", true), ("stranger", false)] {
            let (client, events) = try connect(hub, GraphQLTransportFrame.subprotocolName, token: token)
            var heard: [String] = []
            var code: UInt16?
            for await event in events {
                switch event {
                case .opened: client.send(GraphQLTransportFrame.connectionInit(payload: [:]).bytes)
                case .text(let bytes):
                    let type = try JSONValue(parsing: Array(bytes))["type"]?.string ?? "?"
                    if type == "ping" { continue }
                    heard.append(type)
                    client.close()
                case .closed(let ended, _): code = ended
                case .failed: break
                }
            }
            #expect(heard == (isGood ? ["connection_ack"] : []))
            if !isGood { #expect(code == GraphQLTransportFrame.CloseCode.forbidden) }
        }
        await hub.stop()
        loop.stop()
    }

    @Test func `a socket that says more than may wait is closed, and one that goes leaves nothing`() async throws {
        let hub = try await start()
        let (client, events) = try connect(hub, "graphql-ws", token: "guest")
        let filler = "{\"type\":\"" + String(repeating: "x", count: 200_000) + "\"}"
        var code: UInt16?
        for await event in events {
            switch event {
            case .opened:
                client.send(RealtimeFrame.connectionInit.bytes)
                while !Files.exists(directory.file("asked")) { await Task.yield() }
                for _ in 0..<30 { client.send(filler) }
            case .closed(let ended, _): code = ended
            case .text, .failed: break
            }
        }
        #expect(code == 1013)
        try go()
        var held = -1
        while held != 0 {
            held = await withCheckedContinuation { continuation in
                hub.whenAlive { continuation.resume(returning: hub.worker.heldBytes.total) }
            }
        }
        await hub.stop()
        loop.stop()
    }
}
