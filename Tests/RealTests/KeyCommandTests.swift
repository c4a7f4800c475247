import Basics
import DataStore
import SyncEngine
import System
import Testing
import WarehouseModels

/// `bincount hub key`, beside a hub that runs.
@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(5)))
struct KeyCommandTests {
    private let site: Site
    private let query = "{ listBins { items { id } } }"

    init() throws { site = try Site() }

    @Test func `a key is made before the hub ever ran, works, is listed, and is refused as soon as it is withdrawn`()
        async throws
    {
        let first = try await site.key(options: ["--name", "Ann's terminal"])
        #expect(rights(site.hub) == 0o700 && rights(site.hub + "/hub.sqlite") == 0o600)
        let hub = try await site.start()
        let client = try SiteClient(hub)
        #expect(try await client.ask(query, key: first).status == 200)
        let second = try await site.key("supervisors", options: ["--device", "S01"])
        try await client.ask(query, key: second) { status, _ in status == 200 }

        let list = try await bincount("hub", "key", "list", "--data", site.hub, "--json")
        let keys = try #require(try JSONValue(parsing: list.out).array)
        #expect(keys.compactMap { $0["groups"]?.array?.first?.string } == ["counters", "supervisors"])
        #expect(keys.allSatisfy { $0["valid"]?.bool == true })
        #expect(!list.out.contains(first) && !list.out.contains(second), "a key is told once")
        let text = try await bincount("hub", "key", "list", "--data", site.hub)
        #expect(text.out.contains("Ann's terminal") && text.out.contains("device S01"))

        // One is connected and has sent something when it is withdrawn.
        let driver = try AppSyncDriver(url: hub.url, key: first, device: "T01", person: "ann")
        let store = try await DataStore(
            schema: warehouse, at: .memory,
            options: StoreOptions(
                time: SystemTimeSource(), policies: syncPolicies(for: .terminal), checksParents: false), driver: driver)
        store.identity = "ann"
        try await store.start()
        try await store.save(entry("T01", 1))
        try await store.flush(timeout: 120_000)
        let later = store.events
        let revoked = try await bincount("hub", "key", "revoke", "--data", site.hub, "Ann's terminal")
        #expect(revoked.code == .code(0) && revoked.out.hasPrefix("withdrawn: ") && revoked.out.contains("Ann's"))
        for await event in later { if case .paused = event { break } }
        await store.close()
        #expect(try await client.ask(query, key: first).status == 401)
        #expect(try await client.ask(query, key: second).status == 200)

        let again = try await bincount("hub", "key", "revoke", "--data", site.hub, "Ann's terminal")
        #expect(again.code == .code(1) && again.error.contains("withdrawn already"))
        let unknown = try await bincount("hub", "key", "revoke", "--data", site.hub, "nobody")
        #expect(unknown.code == .code(1) && unknown.error.contains("no such key"))
        await hub.stop()
        #expect(!hub.child.standardErrorText.contains(first))
    }

    @Test func `a key that is itself shown to revoke comes from standard input, typed without being seen`() async throws
    {
        let (piped, typed) = (try await site.key(), try await site.key())
        let result = try await bincount("hub", "key", "revoke", "--data", site.hub, "-", input: piped + "\n")
        #expect(result.code == .code(0), "\(result.error)")
        let terminal = try PseudoTerminal([Built.program, "hub", "key", "revoke", "--data", site.hub, "-"])
        try await terminal.expect("key: ")
        #expect(!terminal.echoes)
        terminal.type(typed + "\r")
        try await terminal.expect("withdrawn: ")
        #expect(await terminal.wait() == .code(0))
        #expect(!terminal.shown.contains(typed))
        let list = try await bincount("hub", "key", "list", "--data", site.hub, "--json")
        #expect(try JSONValue(parsing: list.out).array?.allSatisfy { $0["valid"]?.bool == false } == true)
        // Nobody could use such a hub, and it says what to do.
        let start = try await bincount("hub", "--data", site.hub, "--no-desk")
        #expect(start.code == .code(2) && start.error.contains("hub key add"))
    }

    @Test func `a key that has ended is refused, and the store that showed it says so`() async throws {
        let lasting = try await site.key()
        let hub = try await site.start()
        let check = try await bincount("hub", "--data", site.hub, "--no-desk", "--check")
        #expect(check.code == .code(0), "\(check.error)")
        let client = try SiteClient(hub)
        // The first that the hub knows before it ends: on a machine that is slow a later one.
        var short = ""
        for seconds in [3, 10, 30, 90] {
            short = try await site.key(options: ["--expires", "\(seconds)s"])
            let end = SystemTimeSource().uptime() + Int64(seconds) * 1000
            var status = 0
            while status != 200, SystemTimeSource().uptime() < end {
                status = try await client.ask(query, key: short).status
            }
            if status == 200 { break }
        }
        // One that is connected is told as well.
        let driver = try AppSyncDriver(url: hub.url, key: short, device: "T01", person: "ann")
        let store = try await DataStore(
            schema: warehouse, at: .memory,
            options: StoreOptions(
                time: SystemTimeSource(), policies: syncPolicies(for: .terminal), checksParents: false), driver: driver)
        let events = store.events
        try await store.start()
        for await event in events { if case .paused = event { break } }
        await store.close()
        #expect(try await client.ask(query, key: short).status == 401)
        #expect(try await client.ask(query, key: lasting).status == 200)
        #expect(try await bincount("hub", "key", "list", "--data", site.hub).out.contains("ended "))
        await hub.stop()
        for (option, value) in [("--expires", "soon"), ("--group", "a,b"), ("--device", "")] {
            let wrong = try await bincount("hub", "key", "add", "--data", site.hub, option, value)
            #expect(wrong.code != .code(0) && wrong.error.split(separator: "\n").count == 1, "\(option): \(wrong)")
        }
        let nowhere = try await bincount("hub", "key", "list", "--data", site.hub + "x")
        #expect(nowhere.code == .code(1) && nowhere.error.contains("no hub's data"))
        #expect(!Files.exists(site.hub + "x"))
    }
}
