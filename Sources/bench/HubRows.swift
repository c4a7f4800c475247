import Basics
import CSQLite
import Models
import System
import Transport
import WarehouseModels

/// Rows about the hub alone: durable mutations from 80 connections, and one mutation to 80 subscribers.
enum HubRows {
    /// Requests of so many entries each, for each of some clients.
    private static func bodies(
        _ prefix: String, clients: Int, requests: Int, of size: Int, audience: [String] = []
    ) async throws -> [[[UInt8]]] {
        var result: [[[UInt8]]] = []
        var writer = EntryWriter()
        for client in 0..<clients {
            result.append(
                try (0..<requests).map { request in
                    try writer.body(
                        (0..<size).map {
                            try Floor.entry(
                                prefix, (client * requests + request) * size + $0, person: client, audience: audience)
                        })
                })
        }
        return result
    }

    /// Seconds until every request of every client is acknowledged; each client waits for its answer.
    static func push(_ clients: [ProtocolClient], _ bodies: [[[UInt8]]], of size: Int) async throws -> Double {
        try await asyncSeconds {
            try await withThrowingDiscardingTaskGroup { group in
                for (client, requests) in zip(clients, bodies) {
                    group.addTask { for body in requests { try await client.push(body, of: size) } }
                }
            }
        }
    }

    static func mutations(_ scale: Double) async throws -> Row {
        let floor = try await Floor("mutations")
        let clients = try floor.clients(80)
        let requests = max(1, Int(20 * scale))
        let total = 80 * requests * 25
        let batches = try await bodies("M-", clients: 80, requests: requests, of: 25)
        let singles = try await bodies("O-", clients: 80, requests: requests * 2, of: 1)
        let warm = try await bodies("W-", clients: 80, requests: 1, of: 25)
        let seen = Tally()
        let lead = try ProtocolClient(loop: floor.loop, url: floor.hub.url, key: Floor.supervisorKey, name: "lead")
        let socket = try await lead.subscribe { _ in seen.add() }
        _ = try await push(clients, warm, of: 25)
        let before = try await floor.gauge("commits")
        let time = try await push(clients, batches, of: 25)
        let commits = try await floor.gauge("commits") - before
        let oneTime = try await push(clients, singles, of: 1)
        let all = total + 80 * 25 + 80 * requests * 2
        _ = try await seen.wait(for: all, since: .now, "entries at the subscriber")
        socket.close()
        await floor.hub.stop()
        let reference = try raw(floor, perCommit: max(1, total / max(1, commits)))
        floor.loop.stop()
        let value = Double(total) / time
        return Row(
            id: "hub-mutations", value: value, unit: "mutations/s", reference: reference, ratio: value / reference,
            target: ">= 10000/s", met: value >= 10_000,
            note:
                "\(total) creates, 80 connections, 25 per request, \(commits) commits, one subscriber saw all; one per "
                + "request: \(short(Double(80 * requests * 2) / oneTime))/s; clients on one thread of this process; "
                + "raw: the same rows of the hub's tables, as many per commit")
    }

    /// Mutations per second of raw SQLite that inserts the rows of the hub's tables with as many mutations per commit.
    private static func raw(_ floor: Floor, perCommit: Int) throws -> Double {
        let source = try RawSQLite(floor.directory.file("hub") + "/hub.sqlite")
        let database = try RawSQLite(floor.directory.file("raw.sqlite"))
        try database.copySchema(of: source)
        let total = Int(try source.rows("SELECT count(*) FROM \"CountEntry\"")[0][0].integer ?? 0)
        var tables: [(statement: OpaquePointer, rows: [[Value]])] = []
        for row in try source.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
            let copy = try source.copy(of: row[0].text ?? "")
            // What grows with the mutations: base rows, delta log, mutation ids.
            if copy.rows.count >= total { tables.append((try database.prepare(copy.sql), copy.rows)) }
        }
        let time = try seconds {
            var next = 0
            while next < total {
                let end = min(total, next + perCommit)
                try database.execute("BEGIN IMMEDIATE")
                for table in tables {
                    for index in next..<end { try database.insert(table.statement, table.rows[index]) }
                }
                try database.execute("COMMIT")
                next = end
            }
        }
        for table in tables { sqlite3_finalize(table.statement) }
        return Double(total) / time
    }

    static func fanout(_ scale: Double) async throws -> Row {
        let floor = try await Floor("fanout")
        let clients = try floor.clients(80)
        let count = min(2000, max(100, Int(2000 * scale) / 100 * 100))
        let seen = Tally()
        // Nothing is timed before the steady load begins: a burst's receivers do no more than the reference's.
        struct Timing {
            var first: [UInt8] = []
            var sentAt: [Int: ContinuousClock.Instant] = [:]
            var latency = Samples()
        }
        let timing = Locked(Timing())
        var sockets: [WebSocketClient] = []
        for client in clients {
            sockets.append(
                try await client.subscribe { frame in
                    seen.add()
                    timing.withLock { timing in
                        if timing.first.isEmpty { timing.first = frame }
                        guard !timing.sentAt.isEmpty, let number = number(after: "\"id\":\"L-", in: frame),
                            let start = timing.sentAt[number]
                        else { return }
                        timing.latency.add((.now - start).inSeconds)
                    }
                })
        }
        // Four writers, so that the hub always has the next request; the best of three bursts, as of the reference.
        var time = Double.infinity
        for round in 1...3 {
            let batches = try await bodies(
                "F\(round)-", clients: 4, requests: count / 100, of: 25, audience: ["counters"])
            let start = ContinuousClock.now
            _ = try await push(clients, batches, of: 25)
            time = min(time, try await seen.wait(for: round * count * 80, since: start, "deliveries"))
        }

        let load = SteadyLoad(
            clients, perSecond: 260, entry: { try Floor.entry("L-", $0, person: $1, audience: ["counters"]) },
            sent: { number in timing.withLock { $0.sentAt[number] = .now } })
        try await Task.sleep(for: .milliseconds(Int64(max(2, 10 * min(1, scale)) * 1000)))
        let live = try await load.stop()
        _ = try await seen.wait(for: (3 * count + live) * 80, since: .now, "deliveries")
        for socket in sockets { socket.close() }
        await floor.hub.stop()

        let reference = try await bare(floor.loop, timing.current.first, count)
        floor.loop.stop()
        let value = Double(count * 80) / time
        let tail = timing.current.latency
        return Row(
            id: "hub-fanout", value: value, unit: "deliveries/s", reference: reference, ratio: value / reference,
            target: ">= 0.5 x bare", met: value / reference >= 0.5 && tail.percentile(0.99) <= 0.05,
            note:
                "\(count) mutations to 80 subscribers, committing included, best of three; at 260 mutations/s, \(live) of them, "
                + "sent to received: \(tail.milliseconds); clients on one thread of this process")
    }

    /// Deliveries per second of a server that does nothing but broadcast these bytes.
    private static func bare(_ loop: WebSocketLoop, _ bytes: [UInt8], _ count: Int) async throws -> Double {
        let handler = BareHandler()
        var options = HTTPServerOptions()
        options.maximumQueuedBytes = 256 << 20
        options.slowBytes = 256 << 20
        options.maximumHeldBytes = .max
        let server = try HTTPServer(handler: handler, options: options, threadName: "bare")
        let seen = Tally()
        let opened = Tally()
        var sockets: [WebSocketClient] = []
        for _ in 0..<80 {
            let address = try URLParts("ws://127.0.0.1:\(server.port)/graphql")
            sockets.append(
                WebSocketClient(loop: loop, options: WebSocketClientOptions(address)) { event in
                    switch event {
                    case .opened: opened.add()
                    case .text(let bytes): if isData(bytes) { seen.add() }
                    case .closed, .failed: break
                    }
                })
        }
        try await waitUntil(for: "80 bare sockets") { opened.count == 80 && handler.sockets.current.count == 80 }
        let targets = handler.sockets.current
        var time = Double.infinity
        for round in 1...3 {
            let start = ContinuousClock.now
            for _ in 0..<count { server.broadcast(WebSocketFrame(text: bytes), to: targets) }
            time = min(time, try await seen.wait(for: round * count * 80, since: start, "bare deliveries"))
        }
        for socket in sockets { socket.close() }
        server.stop()
        return Double(count * 80) / time
    }
}

/// Keeps the sockets that open.
private final class BareHandler: HTTPServerHandler {
    let sockets = Locked<[WebSocketConnection]>([])

    func request(_ request: HTTPRequest, _ responder: HTTPResponder) { responder.respond(.text(404, "nothing here")) }
    func opened(_ socket: WebSocketConnection, _ request: HTTPRequest) { sockets.withLock { $0.append(socket) } }
}
