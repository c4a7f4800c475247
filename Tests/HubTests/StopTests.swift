import AppSync
import Basics
import System
import Testing
import Transport

@testable import Hub

/// A hub that is told to stop, with requests and sockets open.
@Suite(.timeLimit(.minutes(5)))
struct StopTests {
    private let directory: TempDirectory
    private let loop: WebSocketLoop

    init() throws {
        directory = try TempDirectory("stop")
        loop = try WebSocketLoop()
    }

    private func options() throws -> HubOptions {
        HubOptions(
            dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(["all:everyone"]),
            time: SystemTimeSource())
    }

    /// A socket that has been let in; what it hears ends with the code that it was closed with.
    private func connect(_ hub: HubServer, _ subprotocol: String, _ hello: [UInt8]) async throws -> Task<UInt16?, Never>
    {
        var options = WebSocketClientOptions(try URLParts(hub.url.replacing("http:", with: "ws:")))
        options.subprotocols = [subprotocol]
        options.headers = ["x-api-key": "all"]
        let (client, events) = WebSocketClient.connect(loop: loop, options: options)
        let isIn = AsyncStream<Void>.makeStream()
        let task = Task { () -> UInt16? in
            for await event in events {
                switch event {
                case .opened: client.send(hello)
                case .text: isIn.continuation.finish()
                case .closed(let code, _): return code
                case .failed: return nil
                }
            }
            return nil
        }
        for await _ in isIn.stream {}
        return task
    }

    @Test func whatWasTakenIsAnsweredAndKeptAndEverySocketIsToldToComeBack() async throws {
        let hub = try await HubServer.start(options())
        let apps = try await connect(hub, "graphql-ws", RealtimeFrame.connectionInit.bytes)
        let others = try await connect(
            hub, GraphQLTransportFrame.subprotocolName, GraphQLTransportFrame.connectionInit(payload: [:]).bytes)
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url))
        let gate = await hub.holdCommits()
        let answer = Task {
            let body: JSONValue = ["query": "mutation { createNote(input: {id: \"last\", title: \"t\"}) { id } }"]
            return try await client.send(
                HTTPRequest(path: "/graphql", headers: ["x-api-key": "all"], body: body.bytes))
        }
        while hub.worker.queue.current.requests == 0 { await Task.yield() }
        let stopped = Task { await hub.stop() }
        while !hub.worker.queue.current.isStopped { await Task.yield() }
        gate.open()
        let response = try await answer.value
        #expect(response.status == 200)
        #expect(try JSONValue(parsing: response.body)["data"]?["createNote"]?["id"] == "last")
        // AppSync's clients come back after 1011, those of graphql-transport-ws after 1012.
        #expect(await apps.value == 1011)
        #expect(await others.value == 1012)
        await stopped.value
        let again = try HubFixture(connection: try .open(path: HubBackup.database(in: directory.path)))
        #expect(again.send("{ getNote(id: \"last\") { title } }").result?["title"] == "t")
        loop.stop()
    }
}
