import AppSync
import Basics
import System
import Testing
import Transport

@testable import Hub

extension HubServer {
    /// Holds the thread that commits until the gate is opened.
    func holdCommits() async -> ThreadGate {
        let gate = ThreadGate()
        let held = AsyncStream<Void>.makeStream()
        whenAlive {
            held.continuation.finish()
            gate.wait()
        }
        for await _ in held.stream {}
        return gate
    }
}

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

    /// Messages of a socket wait for the thread that commits; whoever sends more than may wait, be it before he has said
    /// who he is, is closed while that is busy, and nobody else.
    @Test(
        .timeLimit(.minutes(5)),
        arguments: [
            ("{\"type\":\"" + String(repeating: "x", count: 200_000) + "\"}", 30),
            // What has no byte waits all the same.
            ("", SocketBytes.perSocket / SocketBytes.perMessage + 1),
        ])
    func `a socket that sends more than may wait is closed and the others stay`(_ frame: String, _ count: Int)
        async throws
    {
        let hub = try await HubServer.start(
            HubOptions(
                dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(["all:everyone"]),
                time: SystemTimeSource()))
        let url = try URLParts(hub.url.replacing("http:", with: "ws:"))
        let gate = await hub.holdCommits()
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
        var code: UInt16?
        for await event in ends {
            switch event {
            case .opened: for _ in 0..<count { stranger.send(frame) }
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

    @Test func `a place in the queue counts for what it holds, and is given back whole`() {
        #expect(MemoryLayout<HubEvent>.stride + 64 <= SocketBytes.perMessage)
        var bytes = SocketBytes()
        for socket in 1...2 as ClosedRange<UInt64> {
            var taken = 0
            while bytes.take(0, of: socket) { taken += 1 }
            #expect(taken == SocketBytes.perSocket / SocketBytes.perMessage)
            for _ in 0..<taken { bytes.giveBack(0, of: socket) }
        }
        #expect(bytes.total == 0)
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
        let gate = await hub.holdCommits()
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

    /// Operations over `graphql-transport-ws` are requests like others: so many wait for the thread that commits, or for the
    /// one that reads, and the next are refused by their ids.
    @Test(arguments: [true, false])
    func whatComesOverASocketWaitsWithinTheSameLimit(_ writes: Bool) async throws {
        var options = HubOptions(
            dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(["all:everyone"]),
            time: SystemTimeSource())
        options.limits.waitingRequests = 6
        let hub = try await HubServer.start(options)
        var clientOptions = WebSocketClientOptions(try URLParts(hub.url.replacing("http:", with: "ws:")))
        clientOptions.subprotocols = [GraphQLTransportFrame.subprotocolName]
        clientOptions.headers = ["x-api-key": "all"]
        let (client, heard) = WebSocketClient.connect(loop: loop, options: clientOptions)
        var events = heard.makeAsyncIterator()
        func next() async throws -> JSONValue {
            while let event = await events.next() {
                if case .opened = event { client.send(GraphQLTransportFrame.connectionInit(payload: [:]).bytes) }
                // A machine that is busy for half a minute hears pings in between.
                guard case .text(let bytes) = event, let message = try? JSONValue(parsing: Array(bytes)),
                    message["type"] != "ping"
                else { continue }
                return message
            }
            return .null
        }
        func send(_ number: Int) {
            let query =
                writes
                ? "mutation { createNote(input: {title: \"t\"}) { id } }" : "query { listNotes { items { id } } }"
            let request: JSONValue = ["query": .string(query)]
            client.send(GraphQLTransportFrame.subscribe(id: "\(number)", request: request.bytes).bytes)
        }
        #expect(try await next()["type"] == "connection_ack")
        let gate = ThreadGate()
        let held = AsyncStream<Void>.makeStream()
        let hold: @Sendable () -> Void = {
            held.continuation.finish()
            gate.wait()
        }
        if writes { hub.whenAlive(hold) } else { hub.worker.reader.executor.async(hold) }
        for await _ in held.stream {}
        for number in 0..<10 { send(number) }
        if writes { while hub.worker.queue.current.events.count < 10 { await Task.yield() } }
        var refused: [String] = []
        var answered: [String] = []
        if writes { gate.open() }
        while refused.count + answered.count < 10 {
            let message = try await next()
            let id = message["id"]?.string ?? "?"
            switch message["type"]?.string {
            case "error":
                #expect(message["payload"]?[0]?["errorType"] == "ThrottledException")
                refused.append(id)
            case "complete": answered.append(id)
            case "next": #expect(message["payload"]?["errors"] == nil)
            default:
                // The connection is over: nothing more comes.
                if message.isNull { refused = Array(repeating: "", count: 10) }
                Issue.record("\(message.text)")
            }
            if !writes, refused.count == 4, answered.isEmpty { gate.open() }
        }
        #expect(refused.sorted() == ["6", "7", "8", "9"] && answered.sorted() == ["0", "1", "2", "3", "4", "5"])
        send(10)
        #expect(try await next()["type"] == "next")
        await hub.stop()
        loop.stop()
    }
}
