import Basics
import DataStore
import Hub
import Models
import System
import Testing
import Transport
import WarehouseModels

@testable import SyncEngine

/// A person's token that its driver renews at a hub that runs.
@Suite(.timeLimit(.minutes(5)))
struct RenewalTests {
    private let link: RealLink
    private let clock = PassingTime()

    init() throws { link = try RealLink() }

    private func startHub() async throws -> HubServer {
        let people = try AccessStore.open(dataDirectory: link.hubDirectory, time: clock)
        try people.setPIN(badge: "sue", person: "P-sue", groups: ["supervisors"], pin: "4711")
        var options = HubOptions(
            dataDirectory: link.hubDirectory, schema: warehouse, keys: try APIKeys([RealLink.counterKey]), time: clock)
        // Ten minutes for each token, and twenty until the PIN is asked for again: what the test itself takes is little.
        options.identity.lifetimes.token = 600_000
        options.identity.lifetimes.session = 1_200_000
        return try await HubServer.start(options)
    }

    private func post(_ hub: HubServer, _ path: String, _ body: JSONValue, token: String? = nil) async throws
        -> HTTPResponse
    {
        let loop = try WebSocketLoop()
        defer { loop.stop() }
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url))
        var headers: HTTPHeaders = ["content-type": "application/json"]
        if let token { headers.append("authorization", token) }
        return try await client.send(HTTPRequest(path: path, headers: headers, body: body.bytes))
    }

    private func statuses(_ hub: HubServer, _ tokens: String...) async throws -> [Int] {
        var statuses: [Int] = []
        for token in tokens {
            let query: JSONValue = ["query": "{ listZones(limit: 1) { nextToken } }"]
            statuses.append(try await post(hub, "/graphql", query, token: token).status)
        }
        return statuses
    }

    private func message(_ id: String) -> Message {
        Message(
            id: id, kind: .TEXT, fromID: "P-sue", toIDs: ["P-ann"], audience: ["counters"], text: "hello",
            sentAt: DateTime(milliseconds: 1_800_000_000_000))
    }

    @Test func `a token is renewed before it ends, kept, and used, until only a PIN makes a new one`() async throws {
        let hub = try await startHub()
        let signedIn = try await post(hub, "/login", ["badge": "sue", "pin": "4711", "device": "S01"])
        let first = try #require((try JSONValue(parsing: signedIn.body))["token"]?.string)
        let ann = try await link.open("T01", kind: .terminal, url: hub.url, key: RealLink.counterKey, person: "P-ann")

        // Three quarters of its time are over when the store is opened, which the device learns from the hub's answers: its
        // own clock is hours slow.
        let deviceClock = PassingTime()
        deviceClock.pass(milliseconds: -14_400_000)
        clock.pass(milliseconds: 460_000)
        let (renewed, keep) = AsyncStream<String>.makeStream()
        let (warnings, warn) = AsyncStream<String>.makeStream()
        let driver = try AppSyncDriver(
            url: hub.url, credentials: .token(first), device: "S01", person: "P-sue",
            log: Log(level: .warning) { _, line in warn.yield(line) }, renewing: { keep.yield($0) }, time: deviceClock)
        driver.renewal.withLock { $0.pause = 50 }
        let store = try await DataStore(
            schema: warehouse, at: .directory(link.directory.file("S01")),
            options: StoreOptions(
                time: SystemTimeSource(), policies: syncPolicies(for: .supervisor), checksParents: false),
            driver: driver)
        let paused = Locked(0)
        let events = store.events
        let watch = Task { for await event in events { if case .paused = event { paused.withLock { $0 += 1 } } } }
        try await store.start()
        var tokens = renewed.makeAsyncIterator()
        let second = try #require(await tokens.next())
        #expect(second != first)
        #expect(try await statuses(hub, first, second) == [200, 200])

        // The first has ended; the store goes on under the second, over HTTP and over the socket that it makes anew.
        clock.pass(milliseconds: 300_000)
        #expect(try await statuses(hub, first, second) == [401, 200])
        try await store.save(message("m1"))
        try await ann.store.wait(for: Message.self) { $0.map(\.id) == ["m1"] }
        try await store.waitUntilSent()
        ann.store.identity = "P-ann"
        try await ann.store.save(entry("T01", 1, author: "P-ann"))
        try await store.wait(for: CountEntry.self) { $0.map(\.id) == ["T01-1"] }
        #expect(paused.current == 0 && driver.status.pausedReason == nil)

        // The session's end is the last token's: that nothing but a PIN helps then is said before.
        for clock in [clock, deviceClock] { clock.pass(milliseconds: 250_000) }
        driver.setCredentials(.token(second))
        let third = try #require(await tokens.next())
        for clock in [clock, deviceClock] { clock.pass(milliseconds: 150_000) }
        driver.setCredentials(.token(third))
        var said = warnings.makeAsyncIterator()
        #expect(await said.next()?.contains("sign in before") == true)
        #expect(driver.signInEnds != nil && driver.signInEnds?.milliseconds == SyncCredentials.token(third).expires)
        #expect(paused.current == 0)

        // Afterwards what is made waits, untouched, for the next sign-in.
        let later = store.events
        clock.pass(milliseconds: 300_000)
        for await event in later { if case .paused = event { break } }
        try await store.save(message("m2"))
        #expect(try await store.outboxStatus().unsent == 1)
        #expect(try await store.outboxStatus().parked == 0)
        let again = try await post(hub, "/login", ["badge": "sue", "pin": "4711", "device": "S01"])
        driver.setCredentials(.token(try #require((try JSONValue(parsing: again.body))["token"]?.string)))
        try await store.waitUntilSent()
        #expect(driver.signInEnds == nil)
        watch.cancel()
        await store.close()
        await ann.store.close()
        await hub.stop()
    }
}

/// Numbers that a backend, a proxy or a token may say and that no clock and no wait is made for.
@Suite struct ForeignNumberTests {
    private func answer(_ headers: HTTPHeaders) -> HTTPAnswer {
        HTTPAnswer(HTTPResponse(status: 503, headers: headers))
    }

    @Test func `a wait that nobody lives through is a day, and one that is over is none`() {
        #expect(answer(["retry-after": "7"]).retryAfter == 7_000)
        #expect(answer(["retry-after": "9223372036854775807"]).retryAfter == 86_400_000)
        #expect(answer(["retry-after": "9223372036854775"]).retryAfter == 86_400_000)
        #expect(answer(["retry-after": "-9223372036854775808"]).retryAfter == 0)
        #expect(answer(["retry-after": "99999999999999999999"]).retryAfter == nil)
        #expect(answer(["retry-after": "Mon, 23 Nov 2026 00:00:00 GMT"]).retryAfter == nil)
    }

    @Test func `a time that no clock shows is none`() {
        #expect(answer(["x-bincount-now": "1800000000000"]).serverTime == 1_800_000_000_000)
        for text in ["-9223372036854775808", "9223372036854775807", "-1", "soon"] {
            #expect(answer(["x-bincount-now": text]).serverTime == nil)
        }
    }
}
