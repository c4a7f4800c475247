import AppSync
import Basics
import Glibc
import Hub
import System
import Transport
import WarehouseModels

/// 80 connections, all subscribed to everything, at a steady 260 mutations a second against a hub in a process of its
/// own: times of mutation and delivery, and what the hub's memory does meanwhile.
enum SoakRow {
    /// How long it runs, in seconds: short unless `--minutes` asks for more.
    static let length = Locked<Double>(15)

    static func soak(_ scale: Double) async throws -> Row {
        let directory = try TempDirectory("bench-soak")
        let program = executablePath()
        let hub = try ChildProcess([program, "hub", directory.file("hub")], errorOutput: .inherit)
        defer { hub.send(.terminate) }
        guard let url = await hub.readLine() else { throw BenchFailure("the hub's process did not start") }
        let loop = try WebSocketLoop(name: "clients")
        let clients = try (0..<80).map {
            try ProtocolClient(loop: loop, url: url, key: Floor.counterKey, name: Floor.person($0))
        }
        let times = SoakTimes()
        var sockets: [WebSocketClient] = []
        for client in clients {
            sockets.append(try await client.subscribe { times.received($0) })
        }
        let start = ContinuousClock.now
        try await write(clients, times, seconds: 3 * min(1, scale), from: start)
        let (atBegin, warm) = (try residentMegabytes(hub.pid), times.sentCount)
        let measured = length.current * min(1, scale)
        // What only grows while caches fill comes to rest; a leak does not.
        var memory: [String] = []
        // One bad time of the machine is seen by the quarter it spoils.
        var quarters: [String] = []
        let meter = try MachineMeter(directory: directory.path)
        defer { meter.stop() }
        for _ in 0..<4 {
            times.quarter.withLock { $0 = Histogram() }
            try await write(clients, times, seconds: measured / 4, from: .now)
            memory.append(short(try residentMegabytes(hub.pid)))
            quarters.append(short(times.quarter.current.percentile(0.99) * 1000))
        }
        let machine = meter.seen
        let total = times.sentCount
        _ = try await times.deliveries.wait(for: total * clients.count, since: .now, "deliveries")
        for socket in sockets { socket.close() }
        hub.send(.terminate)
        _ = await hub.wait()
        loop.stop()
        let (mutation, delivery) = (times.mutation.current, times.delivery.current)
        let p99 = delivery.percentile(0.99) * 1000
        return Row(
            id: "soak", value: p99, unit: "ms", target: "<= 50 ms", met: p99 <= 50 && mutation.count == total,
            note:
                "p99 of delivery; \(short(measured)) s at 260 mutations/s, \(total - warm) of them, 80 connections, each "
                + "subscribed to all; mutation \(mutation.milliseconds), delivery \(delivery.milliseconds) of "
                + "\(delivery.count), p99 of each quarter \(quarters.joined(separator: ", ")) ms; \(machine); "
                + "the hub's memory \(short(atBegin)) MB at the begin, after each "
                + "quarter \(memory.joined(separator: ", ")) MB; "
                + "hub in a process of its own, clients on one thread of this one")
    }

    /// Writes one by one at the rate, each on the next connection, until the time is over and all are acknowledged.
    private static func write(
        _ clients: [ProtocolClient], _ times: SoakTimes, seconds: Double, from start: ContinuousClock.Instant
    ) async throws {
        var writer = EntryWriter()
        let count = Int(seconds * 260)
        try await withThrowingDiscardingTaskGroup { group in
            for turn in 0..<count {
                try await Task.sleep(
                    until: start + .nanoseconds(Int64(turn) * 1_000_000_000 / 260), clock: .continuous)
                let number = times.sentCount
                let client = clients[number % clients.count]
                let body = try writer.body([
                    Floor.entry("L-", number, person: number % clients.count, audience: ["counters"])
                ])
                let sent = times.send()
                group.addTask {
                    try await client.push(body, of: 1)
                    times.mutation.withLock { $0.add((.now - sent).inSeconds) }
                }
            }
        }
    }

    /// `bench hub DIR`: serves until SIGTERM, prints its URL first.
    static func serve(_ directory: String) async throws {
        let signals = try SignalReader()
        let hub = try await HubServer.start(
            HubOptions(
                dataDirectory: directory, schema: warehouse,
                keys: try APIKeys(["\(Floor.deskKey):desk,admins", Floor.counterKey]), time: SystemTimeSource()))
        print(hub.url)
        fflush(nil)
        _ = await signals.wait()
        await hub.stop()
    }

    /// The memory of a process that is in use, in megabytes.
    private static func residentMegabytes(_ pid: Int32) throws -> Double {
        for line in try Files.readText("/proc/\(pid)/status").split(separator: "\n") where line.hasPrefix("VmRSS:") {
            guard let kilobytes = Double(line.split(separator: " ").dropFirst().first ?? "") else { continue }
            return kilobytes / 1024
        }
        throw BenchFailure("the hub's process has ended")
    }
}

/// When what was sent, and how long it took.
private final class SoakTimes: Sendable {
    let mutation = Locked(Histogram())
    let delivery = Locked(Histogram())
    /// Deliveries since it was emptied last.
    let quarter = Locked(Histogram())
    let deliveries = Tally()
    private let sentAt = Locked<[ContinuousClock.Instant]>([])

    var sentCount: Int { sentAt.withLock { $0.count } }

    func send() -> ContinuousClock.Instant {
        let now = ContinuousClock.now
        sentAt.withLock { $0.append(now) }
        return now
    }

    func received(_ frame: [UInt8]) {
        let now = ContinuousClock.now
        guard let number = number(after: "\"id\":\"L-", in: frame) else { return }
        let sent = sentAt.withLock { $0.indices.contains(number) ? $0[number] : nil }
        guard let sent else { return }
        let took = (now - sent).inSeconds
        delivery.withLock { $0.add(took) }
        quarter.withLock { $0.add(took) }
        deliveries.add()
    }
}
