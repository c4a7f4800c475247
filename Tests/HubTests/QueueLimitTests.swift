import AppSync
import Basics
import System
import Testing
import Transport

@testable import Hub

/// What may wait for a commit, and how much goes into one.
@Suite struct QueueLimitTests {
    private let directory: TempDirectory
    private let loop: WebSocketLoop

    init() throws {
        directory = try TempDirectory("queue")
        loop = try WebSocketLoop()
    }

    private func commits(_ client: HTTPClient) async throws -> Int {
        let answer = try await client.send(HTTPRequest(method: "GET", path: "/metrics"))
        let text = String(decoding: answer.body, as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("bincount_hub_commit_seconds_count ") }
        return try #require(line.flatMap { Int($0.split(separator: " ")[1]) })
    }

    /// Holds the thread that commits until the gate is opened.
    private func holdCommits(of hub: HubServer) async -> ThreadGate {
        let gate = ThreadGate()
        let held = AsyncStream<Void>.makeStream()
        hub.whenAlive {
            held.continuation.finish()
            gate.wait()
        }
        for await _ in held.stream {}
        return gate
    }

    /// Messages of a socket wait for the thread that commits; whoever sends more than may wait, be it before he has said
    /// who he is, is closed while that is busy, and nobody else.
    @Test func `a socket that sends more than may wait is closed and the others stay`() async throws {
        let hub = try await HubServer.start(
            HubOptions(
                dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(["all:everyone"]),
                time: SystemTimeSource()))
        let url = try URLParts(hub.url.replacing("http:", with: "ws:"))
        let gate = await holdCommits(of: hub)
        var options = WebSocketClientOptions(url)
        options.subprotocols = ["graphql-ws"]
        let (stranger, ends) = WebSocketClient.connect(loop: loop, options: options)
        options.headers = ["x-api-key": "all"]
        let (friend, heard) = WebSocketClient.connect(loop: loop, options: options)
        var events = heard.makeAsyncIterator()
        guard case .opened? = await events.next() else {
            Issue.record("the friend is not connected")
            return
        }
        friend.send(RealtimeFrame.connectionInit.bytes)
        let large = "{\"type\":\"" + String(repeating: "x", count: 200_000) + "\"}"
        var code: UInt16?
        for await event in ends {
            switch event {
            case .opened: for _ in 0..<30 { stranger.send(large) }
            case .closed(let ended, _): code = ended
            case .text, .failed: break
            }
        }
        #expect(code == 1013)
        gate.open()
        guard case .text(let bytes)? = await events.next() else {
            Issue.record("the friend hears nothing")
            return
        }
        #expect(try JSONValue(parsing: Array(bytes))["type"] == "connection_ack")
        await hub.stop()
        loop.stop()
    }

    /// While the thread that commits is held, as many wait as may, and the next are told so at once.
    @Test(arguments: [(perCommit: 256, commits: 1), (perCommit: 2, commits: 3)])
    func `as many wait as the limits say and go into as many commits`(_ limit: (perCommit: Int, commits: Int))
        async throws
    {
        var options = HubOptions(
            dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(["all:everyone"]),
            time: SystemTimeSource())
        options.limits.waitingRequests = 6
        options.limits.requestsPerCommit = limit.perCommit
        let hub = try await HubServer.start(options)
        var clientOptions = HTTPClientOptions()
        clientOptions.maximumConnections = 16
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url), options: clientOptions)
        @Sendable func create() async throws -> HTTPResponse {
            let body: JSONValue = ["query": "mutation { createNote(input: {title: \"t\"}) { id } }"]
            return try await client.send(
                HTTPRequest(path: "/graphql", headers: ["x-api-key": "all"], body: body.bytes))
        }
        let before = try await commits(client)
        let gate = await holdCommits(of: hub)
        let statuses = try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
            for _ in 0..<6 + 5 { group.addTask { try await create() } }
            var early: [HTTPResponse] = []
            while early.count < 5, let answer = try await group.next() { early.append(answer) }
            #expect(early.map(\.status) == Array(repeating: 503, count: 5))
            #expect(early.allSatisfy { !$0.body.isEmpty && $0.headers["retry-after"] != nil })
            gate.open()
            var late: [Int] = []
            while let answer = try await group.next() { late.append(answer.status) }
            return late
        }
        #expect(statuses == Array(repeating: 200, count: 6))
        #expect(try await commits(client) == before + limit.commits)
        await hub.stop()
        loop.stop()
    }
}
