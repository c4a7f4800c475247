import AppSync
import Basics
import System
import Testing
import Transport

@testable import Hub

/// What the thread that commits does itself, and what it leaves to others.
@Suite(.timeLimit(.minutes(5)))
struct QueryHandoverTests {
    private let directory: TempDirectory
    private let loop: WebSocketLoop

    init() throws {
        directory = try TempDirectory("handover")
        loop = try WebSocketLoop()
    }

    /// Queries in forms that do not look like one at the first glance.
    private static let disguised: [JSONValue] = [
        ["query": "# a remark\nquery { listNotes { items { id } } }"],
        ["query": "fragment F on Note { id } { listNotes { items { ...F } } }"],
        ["query": "\u{FEFF}query { listNotes { items { id } } }"],
        ["variables": ["x": .string(String(repeating: "x", count: 400))], "query": "{ listNotes { items { id } } }"],
        [
            "query": "mutation M { deleteNote(input: {id: \"0\"}) { id } } query Q { listNotes { items { id } } }",
            "operationName": "Q",
        ],
    ]

    private func options(_ time: any TimeSource = SystemTimeSource()) throws -> HubOptions {
        HubOptions(
            dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(["all:everyone"]), time: time)
    }

    private func holdReader(of hub: HubServer) async -> ThreadGate {
        let gate = ThreadGate()
        let held = AsyncStream<Void>.makeStream()
        hub.worker.reader.executor.async {
            held.continuation.finish()
            gate.wait()
        }
        for await _ in held.stream {}
        return gate
    }

    @Test func `a query is answered beside the commits however it is written`() async throws {
        let hub = try await HubServer.start(options())
        var clientOptions = HTTPClientOptions()
        clientOptions.maximumConnections = 16
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url), options: clientOptions)
        @Sendable func send(_ body: JSONValue) async throws -> HTTPResponse {
            try await client.send(HTTPRequest(path: "/graphql", headers: ["x-api-key": "all"], body: body.bytes))
        }
        let gate = await holdReader(of: hub)
        let answered = Locked(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for body in Self.disguised {
                group.addTask {
                    let response = try await send(body)
                    #expect(try JSONValue(parsing: response.body).result?["items"] == [], "\(body.text)")
                    answered.withLock { $0 += 1 }
                }
            }
            while hub.worker.queue.current.reads < Self.disguised.count, answered.current == 0 { await Task.yield() }
            // All of them wait for the reader, and a mutation for none of them.
            let written = try await send(["query": "mutation { deleteNote(input: {id: \"1\"}) { id } }"])
            #expect(written.status == 200)
            #expect(answered.current == 0)
            gate.open()
            try await group.waitForAll()
        }
        #expect(hub.worker.queue.current.answeredReads == UInt64(Self.disguised.count))
        await hub.stop()
        loop.stop()
    }

    @Test func `a query over a socket is answered beside the commits however it is written`() async throws {
        let hub = try await HubServer.start(options())
        var clientOptions = WebSocketClientOptions(try URLParts(hub.url.replacing("http:", with: "ws:")))
        clientOptions.subprotocols = [GraphQLTransportFrame.subprotocolName]
        clientOptions.headers = ["x-api-key": "all"]
        let (client, events) = WebSocketClient.connect(loop: loop, options: clientOptions)
        let gate = await holdReader(of: hub)
        var heard: [String] = []
        for await event in events {
            if case .opened = event { client.send(GraphQLTransportFrame.connectionInit(payload: [:]).bytes) }
            guard case .text(let bytes) = event, let message = try? JSONValue(parsing: Array(bytes)) else { continue }
            switch message["type"]?.string {
            case "connection_ack":
                client.send(GraphQLTransportFrame.subscribe(id: "q", request: Self.disguised[0].bytes).bytes)
                let write: JSONValue = ["query": "mutation { createNote(input: {id: \"1\", title: \"t\"}) { id } }"]
                client.send(GraphQLTransportFrame.subscribe(id: "m", request: write.bytes).bytes)
            case "next":
                #expect(message["payload"]?["errors"] == nil)
                heard.append(message["id"]?.string ?? "?")
                if heard == ["m"] { gate.open() }
                if heard.count == 2 { client.close() }
            default: break
            }
            // An answer out of turn leaves nobody waiting.
            if heard.first == "q" { gate.open() }
        }
        #expect(heard == ["m", "q"])
        await hub.stop()
        loop.stop()
    }

    @Test func `queries of one socket that wait to be read hold so many bytes, and then others find room still`()
        async throws
    {
        let hub = try await HubServer.start(options())
        var clientOptions = WebSocketClientOptions(try URLParts(hub.url.replacing("http:", with: "ws:")))
        clientOptions.subprotocols = [GraphQLTransportFrame.subprotocolName]
        clientOptions.headers = ["x-api-key": "all"]
        let (client, events) = WebSocketClient.connect(loop: loop, options: clientOptions)
        let gate = await holdReader(of: hub)
        let pad = String(repeating: "x", count: 200_000)
        let long: JSONValue = ["query": "{ listNotes { items { id } } }", "variables": ["pad": .string(pad)]]
        let held = SocketBytes.perSocket / (long.bytes.count + SocketBytes.perMessage)
        var refused: [String] = []
        var answered: [String] = []
        for await event in events {
            if case .opened = event { client.send(GraphQLTransportFrame.connectionInit(payload: [:]).bytes) }
            guard case .text(let bytes) = event, let message = try? JSONValue(parsing: Array(bytes)),
                let id = message["id"]?.string ?? message["type"]?.string
            else { continue }
            switch message["type"]?.string {
            case "connection_ack":
                for number in 1...held + 2 {
                    client.send(GraphQLTransportFrame.subscribe(id: "\(number)", request: long.bytes).bytes)
                    // One after the other, so that they do not wait as messages.
                    while hub.worker.queue.current.reads < min(number, held) { await Task.yield() }
                }
            case "next":
                if message["payload"]?["errors"] == nil { answered.append(id) } else { refused.append(id) }
                if refused.count == 2 { gate.open() }
            case "error": refused.append(id)
            default: break
            }
            if refused.count == 2 { gate.open() }
            if refused.count + answered.count == held + 2 { client.close() }
        }
        #expect(refused == ["\(held + 1)", "\(held + 2)"])
        #expect(answered.count == held)
        #expect(hub.worker.queue.current.readBytes.total == 0)
        await hub.stop()
        loop.stop()
    }

    @Test func `neither one caller's queries nor strangers' take a place from another's`() async throws {
        var options = try options()
        options.keys = try APIKeys(["all:everyone", "other:everyone"])
        options.limits.waitingReadsPerCaller = 3
        let hub = try await HubServer.start(options)
        var clientOptions = HTTPClientOptions()
        clientOptions.maximumConnections = 16
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url), options: clientOptions)
        @Sendable func send(_ field: String, _ value: String) async throws -> HTTPResponse {
            let body: JSONValue = ["query": "{ listNotes { items { id } } }"]
            return try await client.send(HTTPRequest(path: "/graphql", headers: [field: value], body: body.bytes))
        }
        let gate = await holdReader(of: hub)
        try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
            // No two strangers' tokens are alike; whose they are is not known before they are judged.
            for number in 0..<5 { group.addTask { try await send("authorization", "token-\(number)") } }
            for _ in 0..<5 { group.addTask { try await send("x-api-key", "all") } }
            for _ in 0..<4 {
                let early = try #require(try await group.next())
                #expect(early.status == 503 && early.headers["retry-after"] != nil)
            }
            group.addTask { try await send("x-api-key", "other") }
            while hub.worker.queue.current.reads < 7 { await Task.yield() }
            gate.open()
            var statuses: [Int] = []
            while let answer = try await group.next() { statuses.append(answer.status) }
            #expect(statuses.sorted() == [200, 200, 200, 200, 401, 401, 401])
        }
        #expect(hub.worker.queue.current.reads == 0)
        await hub.stop()
        loop.stop()
    }

    @Test func `callers are served in turn, and each has his places`() {
        var queue = ReadQueue<Int>(share: 3)
        func add(_ number: Int, _ payer: String?) -> Bool { queue.add(number, of: payer) }
        let taken = (1...5).map { add($0, "a") }
        #expect(taken == [true, true, true, false, false])
        let others = [add(11, "b"), add(12, "b"), add(21, "c")]
        #expect(others == [true, true, true])
        var served = (0..<2).compactMap { _ in queue.next() }
        let again = [add(6, "a"), add(7, "a")]
        #expect(again == [true, false], "a place is free when its query is served")
        while let next = queue.next() { served.append(next) }
        #expect(served == [1, 11, 21, 2, 12, 3, 6])
        // Who is not known yet has places like a caller, until he is.
        let strangers = (31...34).map { add($0, nil) }
        #expect(strangers == [true, true, true, false])
        let known = add(1, "a")
        let unknown = queue.takeUnknown()
        #expect(known && unknown == [31, 32, 33])
        let later = [add(35, nil), add(36, nil)]
        #expect(later == [true, true])
        var rest: [Int] = []
        while let next = queue.next() { rest.append(next) }
        #expect(rest.sorted() == [1, 35, 36])
        let nothing = queue.takeUnknown()
        #expect(nothing.isEmpty && queue.next() == nil)
    }

    @Test func `what the reader leaves is answered by the thread that commits, and once`() throws {
        let hub = try HubFixture()
        var request = HubRequest(apiKey: "all", body: Self.disguised[0].bytes)
        let given = hub.core.perform([request], leavesQueries: true)
        #expect(given.queries.map(\.index) == [0])
        #expect(given.answers == [nil] && given.tickets == [nil])
        request.isReturned = true
        let answered = hub.core.perform([request], leavesQueries: true)
        #expect(answered.queries.isEmpty)
        #expect(answered.answers[0]?.status == 200)
    }

    /// A clock that gives the hub one more thing to do each time it is looked at.
    private final class Refill: TimeSource {
        let hub = Locked<HubServer?>(nil)
        let left = Locked(0)
        private let clock = ManualTimeSource()
        var bootID: String { clock.bootID }

        func now() -> DateTime { clock.now() }
        func uptime() -> Int64 {
            let isMore = left.withLock { left in
                guard left > 0 else { return false }
                left -= 1
                return true
            }
            if isMore { hub.current?.worker.add(.sweep) }
            return clock.uptime()
        }
    }

    /// The service manager's watchdog asks for a sign of life; a hub that has no pause is not one that hangs.
    @Test func `a hub whose work never ends is alive`() async throws {
        let refill = Refill()
        let hub = try await HubServer.start(options(refill))
        let (gate, held) = (ThreadGate(), AsyncStream<Void>.makeStream())
        hub.whenAlive {
            held.continuation.finish()
            gate.wait()
        }
        for await _ in held.stream {}
        let enough = 2_000
        refill.hub.withLock { $0 = hub }
        refill.left.withLock { $0 = enough }
        hub.worker.add(.sweep)
        let left = await withCheckedContinuation { continuation in
            hub.whenAlive { continuation.resume(returning: refill.left.current) }
            gate.open()
        }
        #expect(left > enough / 2, "it came in its turn, not when all was done")
        refill.left.withLock { $0 = 0 }
        refill.hub.withLock { $0 = nil }
        await hub.stop()
        loop.stop()
    }
}
