import AppSync
import Basics
import System
import Testing
import Transport

@testable import Hub

/// What is measured of requests.
@Suite struct MetricsTests {
    @Test func `each request is observed by itself, from its own arrival, however long the others of its commit took`()
    {
        let meter = RequestMeter(slowMilliseconds: nil, log: .none, time: ManualTimeSource())
        let now = ContinuousClock.now
        let waits: [Duration] = [.zero, .milliseconds(700), .seconds(3), .seconds(60)]
        meter.answered(
            waits.map { wait in
                RequestMeter.Answered(mark: RequestMark("r", arrived: now - wait), work: .mutation, status: 200)
            } + [RequestMeter.Answered(mark: RequestMark("r", arrived: now - .seconds(9)), work: .sync, status: 200)])
        let mutations = meter.timings.current.requests[.mutation]
        // One at once, one in (0.5, 1], one in (2.5, 5], one beyond 10; a loaded machine moves none of the last three.
        #expect(mutations?.counts.reduce(0, +) == 4)
        #expect(mutations?.counts[9] == 1 && mutations?.counts[11] == 1 && mutations?.counts[13] == 1)
        #expect((mutations?.sum ?? 0) >= 63.7 && (mutations?.sum ?? 0) < 70)
        #expect(meter.timings.current.requests[.sync]?.counts[12] == 1)
        #expect(meter.timings.current.requests[.query] == nil)
    }

    @Test func `what was refused before anything was carried out is in no histogram`() {
        let meter = RequestMeter(slowMilliseconds: nil, log: .none, time: ManualTimeSource())
        meter.answered(RequestMark("r"), nil, status: 401)
        meter.answered(nil, .mutation, status: 200)
        #expect(meter.timings.current.requests.isEmpty)
        let lines = meter.timings.current.metrics.split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("bincount_hub_request_seconds_count{") }.count == WorkKind.allCases.count)
    }

    @Test func `slow and failed requests are said with their names, and not without end`() {
        let time = ManualTimeSource()
        let lines = Locked<[String]>([])
        let log = Log(level: .notice) { level, line in lines.withLock { $0.append("\(level) \(line)") } }
        let meter = RequestMeter(slowMilliseconds: 2_000, log: log, time: time)
        meter.answered(RequestMark("quick"), .query, status: 200)
        meter.answered(RequestMark("slow", arrived: .now - .seconds(3)), .sync, status: 200)
        meter.answered(RequestMark("full"), .mutation, status: 507)
        meter.answered(RequestMark("refused"), nil, status: 401)
        #expect(lines.current.count == 2)
        #expect(lines.current.first?.hasPrefix("notice slow request kind=sync milliseconds=3") == true)
        #expect(lines.current.first?.hasSuffix(" request=slow") == true)
        #expect(lines.current.last == "warning request not carried out kind=mutation status=507 request=full")
        for _ in 0..<1000 { meter.answered(RequestMark("full"), .mutation, status: 507) }
        #expect(lines.current.count == 1 + LogAllowance.burst)
        time.advance(milliseconds: LogAllowance.refill)
        meter.answered(RequestMark("full"), .mutation, status: 507)
        #expect(lines.current.last?.contains("suppressed=981") == true, "\(lines.current.last ?? "")")
    }

    /// The disk is looked at beside the threads that answer: one that hangs holds up no answer.
    @Test func `what is on the disk is told as it was when that was last looked at`() async throws {
        let directory = try TempDirectory("metrics-disk")
        let hub = try await HubServer.start(
            HubOptions(
                dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(HubFixture.keys),
                time: SystemTimeSource()))
        let loop = try WebSocketLoop()
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url))
        func logBytes() async throws -> Int? {
            let answer = try await client.send(HTTPRequest(method: "GET", path: "/metrics"))
            let lines = String(decoding: answer.body, as: UTF8.self).split(separator: "\n")
            return lines.first { $0.hasPrefix("bincount_hub_log_bytes ") }.flatMap { Int($0.split(separator: " ")[1]) }
        }
        let (gate, held) = (ThreadGate(), AsyncStream<Void>.makeStream())
        hub.worker.checkpointer.perform {
            held.continuation.finish()
            gate.wait()
        }
        for await _ in held.stream {}
        let before = try #require(try await logBytes())
        let text = String(repeating: "x", count: 100_000)
        let body: JSONValue = ["query": .string("mutation { createNote(input: {title: \"\(text)\"}) { id } }")]
        let made = try await client.send(
            HTTPRequest(path: "/graphql", headers: ["x-api-key": "all"], body: body.bytes))
        #expect(made.status == 200)
        #expect(try await logBytes() == before)
        #expect(try await client.send(HTTPRequest(method: "GET", path: "/health")).status == 200)
        gate.open()
        hub.worker.lookAtDisk()
        while try await logBytes() == before {}
        await hub.stop()
        loop.stop()
    }

    @Test func `a hub counts each kind of request exactly, over HTTP and over sockets`() async throws {
        let directory = try TempDirectory("metrics")
        let hub = try await HubServer.start(
            HubOptions(
                dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(HubFixture.keys),
                time: SystemTimeSource()))
        let loop = try WebSocketLoop()
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url))
        func post(_ query: String, key: String = "all") async throws {
            let body: JSONValue = ["query": .string(query)]
            _ = try await client.send(HTTPRequest(path: "/graphql", headers: ["x-api-key": key], body: body.bytes))
        }
        for number in 0..<3 { try await post("mutation { createNote(input: {title: \"\(number)\"}) { id } }") }
        // A query that does not look like one goes to the thread that commits, and is a query all the same.
        for query in ["{ listNotes { items { id } } }", "fragment F on Note { id } { listNotes { items { ...F } } }"] {
            try await post(query)
        }
        try await post("query S { a: syncNotes { items { id } } }")
        try await post("{ nonsense }")
        try await post("{ listNotes { items { id } } }", key: "nobody")
        var options = WebSocketClientOptions(try URLParts(hub.url.replacing("http:", with: "ws:") + "/realtime"))
        options.subprotocols = ["graphql-transport-ws"]
        options.headers = ["x-api-key": "all"]
        let (socket, events) = WebSocketClient.connect(loop: loop, options: options)
        func send(_ id: String, _ query: String) {
            let frame: JSONValue = ["type": "subscribe", "id": .string(id), "payload": ["query": .string(query)]]
            socket.send(frame.bytes)
        }
        for await event in events {
            switch event {
            case .opened: socket.send(Array("{\"type\":\"connection_init\"}".utf8))
            case .text(let bytes):
                let frame = try JSONValue(parsing: Array(bytes))
                switch (frame["type"]?.string, frame["id"]?.string) {
                case ("connection_ack", _):
                    send("s", "subscription { onCreateNote { id } }")
                    send("q", "{ listNotes { items { id } } }")
                case ("complete", "q"?): send("m", "mutation { createNote(input: {title: \"x\"}) { id } }")
                case ("complete", "m"?): socket.close()
                default: break
                }
            case .closed, .failed: break
            }
        }
        // The answer is on its way before it is counted; the counts are asked for until they have come.
        let wanted = ["query": 3, "mutation": 4, "sync": 1, "subscribe": 1]
        var found: [String: Int] = [:]
        while found != wanted {
            let text = String(
                decoding: try await client.send(HTTPRequest(method: "GET", path: "/metrics")).body, as: UTF8.self)
            for kind in WorkKind.allCases.map(\.rawValue) {
                let start = "bincount_hub_request_seconds_count{kind=\"\(kind)\"} "
                let line = text.split(separator: "\n").first { $0.hasPrefix(start) }
                found[kind] = line.flatMap { Int($0.dropFirst(start.count)) }
            }
        }
        #expect(found == wanted)
        await hub.stop()
        loop.stop()
    }
}
