import Basics
import DataStore
import Glibc
import SyncEngine
import System
import Testing
import Transport
import WarehouseModels

private let analyze = "/usr/bin/systemd-analyze"

/// The hub as a service manager sees it: the datagrams of `sd_notify(3)`, and the unit.
@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(5)))
struct NotifyTests {
    private let directory: TempDirectory
    private var keys: String { directory.file("keys") }

    init() throws {
        directory = try TempDirectory("notify")
        try Files.writeAtomically("first-key\nkept-key\n", to: keys, mode: 0o600)
    }

    /// Starts the hub as a service manager does; `watchdog` in microseconds, for the process itself unless `pid` is another.
    private func start(_ socket: NotifySocket, watchdog: Int? = nil, pid: String = "$$") async throws -> ChildProcess {
        var environment = ["NOTIFY_SOCKET": socket.name, "PATH": "/usr/bin:/bin"]
        environment["WATCHDOG_USEC"] = watchdog.map { "\($0)" }
        let hub = [
            Built.program, "hub", "--data", directory.file("hub"), "--listen", "127.0.0.1:0", "--no-desk",
            "--api-key-file", keys,
        ]
        let script = "WATCHDOG_PID=\(pid) exec \"$0\" \"$@\""
        return try ChildProcess(["/bin/sh", "-c", script] + hub, environment: environment)
    }

    private func fields(_ datagram: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in datagram.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
        }
        return fields
    }

    private func status(_ url: String, _ key: String) async throws -> Int {
        let loop = try WebSocketLoop(name: "test")
        defer { loop.stop() }
        let client = try HTTPClient(loop: loop, origin: try URLParts(url))
        let body: JSONValue = ["query": "{ listZones { items { id } } }"]
        return try await client.send(
            HTTPRequest(path: "/graphql", headers: ["x-api-key": key], body: body.bytes)
        ).status
    }

    /// A terminal's store that is connected and has everything.
    private func connected(_ url: String, _ key: String) async throws -> DataStore {
        let driver = try AppSyncDriver(url: url, key: key, device: "T01", person: "ann")
        let store = try await DataStore(
            schema: warehouse, at: .memory,
            options: StoreOptions(
                time: SystemTimeSource(), policies: syncPolicies(for: .terminal), checksParents: false), driver: driver)
        let events = store.events
        try await store.start()
        for await event in events { if case .ready = event { break } }
        return store
    }

    @Test(arguments: [false, true])
    func `it is ready when it listens, is alive until it ends, reloads its keys, and says when it stops`(
        isAbstract: Bool
    ) async throws {
        let socket = try NotifySocket(isAbstract ? "@bincount-\(SystemRandom().uuid())" : directory.file("notify"))
        let hub = try await start(socket, watchdog: 300_000)
        var told = socket.datagrams.makeAsyncIterator()
        let ready = fields(try #require(await told.next()))
        #expect(ready["READY"] == "1")
        let line = try #require(await hub.readLine())
        #expect(ready["STATUS"] == line)
        let url = String(line.dropFirst("listening on ".count))
        #expect(try await status(url, "first-key") == 200)
        for _ in 0..<3 { #expect(await told.next() == "WATCHDOG=1") }

        // Another key comes, one goes, and with it who is connected under it.
        let store = try await connected(url, "first-key")
        let events = store.events
        try Files.writeAtomically("kept-key\nnext-key\n", to: keys, mode: 0o600)
        let before = monotonicMicroseconds()
        hub.send(.hangUp)
        var datagram = await told.next()
        while datagram == "WATCHDOG=1" { datagram = await told.next() }
        let reloading = fields(try #require(datagram))
        #expect(reloading["RELOADING"] == "1")
        let at = try #require(reloading["MONOTONIC_USEC"].flatMap { Int64($0) })
        #expect(before <= at && at <= monotonicMicroseconds())
        #expect(fields(try #require(await told.next()))["READY"] == "1")
        #expect(try await status(url, "next-key") == 200)
        #expect(try await status(url, "kept-key") == 200)
        #expect(try await status(url, "first-key") == 401)
        for await event in events { if case .paused = event { break } }
        await store.close()

        // What cannot be read changes nothing, and is said.
        try Files.remove(keys)
        hub.send(.hangUp)
        datagram = await told.next()
        while datagram == "WATCHDOG=1" { datagram = await told.next() }
        #expect(datagram?.hasPrefix("RELOADING=1\n") == true)
        let kept = fields(try #require(await told.next()))
        #expect(kept["READY"] == "1" && kept["STATUS"]?.contains("was not taken over") == true)
        #expect(try await status(url, "next-key") == 200)

        hub.send(.terminate)
        datagram = await told.next()
        while datagram == "WATCHDOG=1" { datagram = await told.next() }
        #expect(datagram == "STOPPING=1")
        #expect(await hub.wait() == .code(0))
    }

    @Test func `a watchdog that is another process's hears nothing, and no manager is no trouble`() async throws {
        let socket = try NotifySocket(directory.file("notify"))
        let hub = try await start(socket, watchdog: 1_000, pid: "1")
        _ = await hub.readLine()
        hub.send(.terminate)
        #expect(await hub.wait() == .code(0))
        var told = socket.datagrams.makeAsyncIterator()
        #expect(await told.next()?.hasPrefix("READY=1\n") == true)
        #expect(await told.next() == "STOPPING=1")

        // On a terminal that goes away it ends, as ever.
        let alone = try await RunningHub([
            "--data", directory.file("hub"), "--listen", "127.0.0.1:0", "--no-desk", "--api-key-file", keys,
        ])
        alone.child.send(.hangUp)
        #expect(await alone.child.wait() == .code(0))
    }

    @Test(.enabled(if: Files.exists(analyze), "systemd-analyze is not here: the unit is not verified"))
    func `systemd finds nothing to say of the unit, and little that the service is exposed to`() async throws {
        let unit = try await bincount("hub", "unit", "--data", "/srv/bin count", "--user", "root")
        #expect(unit.code == .code(0))
        #expect(unit.out.contains("\nExecReload=/bin/kill -HUP $MAINPID\n"))
        let file = directory.file("bincount-hub.service")
        func verify(_ text: String) async throws -> (code: System.ExitStatus, said: String) {
            try Files.writeAtomically(text, to: file)
            let result = try await ChildProcess.run([analyze, "verify", file])
            let said = result.standardOutput + result.standardError
            return (result.status, String(decoding: said, as: UTF8.self))
        }
        let whole = try await verify(unit.out)
        #expect(whole.code == .code(0) && !whole.said.contains("bincount-hub"), "\(whole.said)")
        let broken = try await verify(unit.out.replacing("ProtectHome=true", with: "ProtectHouse=true"))
        #expect(broken.said.contains("ProtectHouse"), "what is wrong is found: \(broken.said)")

        try Files.writeAtomically(unit.out, to: file)
        let exposure = try await ChildProcess.run(
            [analyze, "security", "--offline=true", "--threshold=20", file])
        #expect(exposure.status == .code(0), "\(String(decoding: exposure.standardOutput, as: UTF8.self))")
    }
}

private func monotonicMicroseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
}
