import Basics
import Glibc
import System
import Transport

/// What a hub in a process of its own pays for many subscribed connections that say nothing, and how soon all of them hear
/// of a change.
enum IdleRow {
    /// How long they are idle, in seconds, unless `--minutes` says otherwise.
    static let length = Locked<Double>(60)
    private static let changes = 10

    static func idle(_ scale: Double) async throws -> Row {
        let count = max(100, Int(2000 * min(1, scale)))
        // Before the loop: it makes its tables as large as the limit.
        try raiseDescriptorLimit(to: rlim_t(count + 500))
        let directory = try TempDirectory("bench-idle")
        let hub = try ChildProcess([executablePath(), "hub", directory.file("hub")], errorOutput: .inherit)
        defer { hub.send(.terminate) }
        guard let url = await hub.readLine() else { throw BenchFailure("the hub's process did not start") }
        let loop = try WebSocketLoop(name: "clients")
        let seen = Tally()
        var sockets: [WebSocketClient] = []
        /// Connects so many more, some at a time.
        func connect(_ count: Int) async throws {
            var left = sockets.count..<sockets.count + count
            try await withThrowingTaskGroup(of: WebSocketClient.self) { group in
                while !left.isEmpty || !group.isEmpty {
                    while let number = left.popFirst() {
                        let client = try ProtocolClient(
                            loop: loop, url: url, key: Floor.counterKey, name: Floor.person(number))
                        group.addTask { try await client.subscribe { _ in seen.add() } }
                        if number % 50 == 49 { break }
                    }
                    while let socket = try await group.next() { sockets.append(socket) }
                }
            }
        }
        let writer = try ProtocolClient(loop: loop, url: url, key: Floor.counterKey, name: Floor.person(0))
        var requests = EntryWriter()
        var written = 0
        /// Seconds from sending one change until everybody who is connected has it.
        func change() async throws -> Double {
            let before = seen.count
            let body = try requests.body([Floor.entry("L-", written, person: 0, audience: ["counters"])])
            written += 1
            let start = ContinuousClock.now
            try await writer.push(body, of: 1)
            return try await seen.wait(for: before + sockets.count, since: start, "deliveries")
        }
        // The first ones pay for what all share.
        try await connect(20)
        _ = try await change()
        let before = try Memory(hub.pid)
        let connecting = try await asyncSeconds { try await connect(count) }
        let after = try Memory(hub.pid)
        let idleSeconds = length.current * min(1, scale)
        let cpuBefore = try processorSeconds(hub.pid)
        try await Task.sleep(for: .milliseconds(Int64(idleSeconds * 1000)))
        let cpu = (try processorSeconds(hub.pid) - cpuBefore) / idleSeconds * 60
        let rested = try Memory(hub.pid)
        var times = Samples()
        for _ in 0..<changes { times.add(try await change()) }
        let busy = try Memory(hub.pid)
        for socket in sockets { socket.close() }
        hub.send(.terminate)
        _ = await hub.wait()
        loop.stop()
        let each = max(after.resident, rested.resident) - before.resident
        let value = each / Double(count)
        let shared = (max(after.proportional, rested.proportional) - before.proportional) / Double(count)
        return Row(
            id: "idle", value: value, unit: "kB", target: "< 50 kB", met: value < 50,
            note:
                "of the hub's RSS for each of \(count) subscribed connections, each of another person (PSS: \(short(shared)) "
                + "kB); the hub's RSS \(short(before.resident / 1024)) MB with 20, \(short(after.resident / 1024)) MB with "
                + "all, \(short(rested.resident / 1024)) MB after \(short(idleSeconds)) s idle, "
                + "\(short(busy.resident / 1024)) MB after \(changes) changes; CPU while idle \(short(cpu)) s a minute; "
                + "one change to all: \(times.milliseconds), committing included; connected 50 at a time in "
                + "\(short(connecting)) s; hub in a process of its own, clients on one thread of this one")
    }

    private static func raiseDescriptorLimit(to wanted: rlim_t) throws {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { throw BenchFailure("the limit of open files cannot be read") }
        guard limit.rlim_cur < wanted else { return }
        guard limit.rlim_max >= wanted else {
            throw BenchFailure("the system allows \(limit.rlim_max) open files; \(wanted) are needed (ulimit -Hn)")
        }
        limit.rlim_cur = wanted
        guard setrlimit(resource, &limit) == 0 else { throw BenchFailure("the limit of open files cannot be raised") }
    }

    /// What a process has used of the processors, in seconds.
    private static func processorSeconds(_ pid: Int32) throws -> Double {
        // After the name, which may hold anything: state is the first field, user and system time are 12th and 13th.
        let text = try Files.readText("/proc/\(pid)/stat")
        guard let end = text.lastIndex(of: ")") else { throw BenchFailure("/proc/\(pid)/stat cannot be read") }
        let fields = text[end...].dropFirst().split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw BenchFailure("/proc/\(pid)/stat cannot be read")
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

/// The memory of a process, in kilobytes.
private struct Memory {
    /// What it has in the machine's memory.
    var resident = 0.0
    /// The same, with what it shares with others counted in parts.
    var proportional = 0.0

    init(_ pid: Int32) throws {
        for line in try Files.readText("/proc/\(pid)/smaps_rollup").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 1, let kilobytes = Double(words[1]) else { continue }
            if words[0] == "Rss:" { resident = kilobytes }
            if words[0] == "Pss:" { proportional = kilobytes }
        }
        guard resident > 0 else { throw BenchFailure("the hub's process has ended") }
    }
}
