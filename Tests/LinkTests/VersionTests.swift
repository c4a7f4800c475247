import Basics
import DataStore
import GraphQL
import Hub
import Models
import SyncEngine
import System
import Testing
import Transport

/// Terminals of two versions at one hub, whose schema is pushed while both are connected.
@Suite("Two versions of an app at one hub", .timeLimit(.minutes(5)))
struct VersionTests {
    private typealias Terminal = (store: DataStore, driver: AppSyncDriver)
    private let directory: TempDirectory

    init() throws { directory = try TempDirectory("versions") }

    private func startHub(_ text: String = Versions.earlierText) async throws -> HubServer {
        var options = HubOptions(
            dataDirectory: directory.file("hub"), schema: try Schema(sdl: text),
            keys: try APIKeys(["all:everyone", "admin:admins,everyone"]), time: SystemTimeSource())
        options.schemaText = text
        return try await HubServer.start(options)
    }

    private func open(_ name: String, _ schema: Schema, _ hub: HubServer) async throws -> Terminal {
        let driver = try AppSyncDriver(url: hub.url, key: "all", device: name)
        let store = try await DataStore(
            schema: schema, at: .directory(directory.file(name)), options: StoreOptions(time: SystemTimeSource()),
            driver: driver)
        return (store, driver)
    }

    private func push(_ text: String, to hub: HubServer) async throws {
        let loop = try WebSocketLoop()
        defer { loop.stop() }
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url))
        let body: JSONValue = ["schema": .string(text)]
        let answer = try await client.send(
            HTTPRequest(path: "/schema", headers: ["x-api-key": "admin"], body: body.bytes))
        try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
    }

    /// Waits until a row is kept aside.
    private func quarantined(_ events: AsyncStream<StoreEvent>, _ id: String) async -> UnreadableRecord? {
        for await event in events { if case .quarantined(let row) = event, row.id == id { return row } }
        return nil
    }

    @Test func `what the earlier one does not know survives its changes, and what it cannot read is kept and seen`()
        async throws
    {
        let hub = try await startHub()
        let earlier = try await open("T01", Versions.earlier, hub)
        try await earlier.store.start()
        try await earlier.store.save(EarlierJob(id: "a", title: "first"))
        try await earlier.store.waitUntilSent()
        try await push(Versions.laterText, to: hub)
        let later = try await open("T02", Versions.later, hub)
        try await later.store.start()

        // A field that only the later one knows, through a change of the earlier one.
        try await later.store.wait(for: LaterJob.self) { $0.map(\.id) == ["a"] }
        let job = try #require(try await later.store.get(LaterJob.self, id: "a"))
        #expect(job == LaterJob(id: "a", title: "first"))
        try await later.store.save(job.with { ($0.title, $0.size, $0.place) = ("second", 5, "shelf") })
        try await earlier.store.wait(for: EarlierJob.self) { $0.map(\.title) == ["second"] }
        try await earlier.store.save(EarlierJob(id: "a", title: "third", state: .done))
        try await later.store.wait(for: LaterJob.self) {
            $0 == [LaterJob(id: "a", title: "third", state: .done, size: 5, place: "shelf")]
        }

        // A case that only the later one knows, in a row that is new and in one that was read before.
        var events = earlier.store.events
        try await later.store.save(LaterJob(id: "b", title: "held", state: .held, size: 9))
        let row = try #require(await quarantined(events, "b"))
        #expect(row.model == "Job" && row.reason.contains("held") && row.json.contains("\"held\""))
        events = earlier.store.events
        try await later.store.save(
            LaterJob(id: "a", title: "fourth", state: .held, size: 6, place: "shelf"))
        #expect(await quarantined(events, "a") != nil)
        #expect(try await earlier.store.quarantined().map(\.id) == ["a", "b"])
        #expect(earlier.driver.status.quarantined >= 2)
        #expect(try await earlier.store.get(EarlierJob.self, id: "b") == nil)
        #expect(
            try await earlier.store.get(EarlierJob.self, id: "a")?.title == "third", "what could be read last stays")

        // It goes on beside that: rows come and go, and its change of a row that it cannot read any more is merged.
        try await later.store.save(Label(id: "l", text: "nothing to the earlier one"))
        try await later.store.save(LaterJob(id: "c", title: "readable", size: 1))
        try await earlier.store.wait(for: EarlierJob.self) { $0.contains { $0.id == "c" } }
        try await earlier.store.save(EarlierJob(id: "d", title: "of the earlier one"))
        try await earlier.store.save(EarlierJob(id: "a", title: "fifth", state: .done))
        try await earlier.store.waitUntilSent()
        #expect(try await earlier.store.outboxStatus().parked == 0)
        try await later.store.wait(for: LaterJob.self) { $0.contains { $0.id == "d" } }
        _ = await later.store.sync()
        let merged = try #require(try await later.store.get(LaterJob.self, id: "a"))
        #expect(merged.state == .held && merged.size == 6 && merged.place == "shelf", "\(merged)")

        // Once it can be read again it is.
        let held = try #require(try await later.store.get(LaterJob.self, id: "b"))
        try await later.store.save(held.with { $0.state = .open })
        try await earlier.store.wait(for: EarlierJob.self) { $0.contains(EarlierJob(id: "b", title: "held")) }
        #expect(try await earlier.store.quarantined().map(\.id) == ["a"])
        for terminal in [earlier, later] { await terminal.store.close() }
        await hub.stop()
    }

    @Test func `members of embedded values that the earlier one does not know survive its changes`() async throws {
        let hub = try await startHub(EmbeddedVersions.laterText)
        let later = try await open("T02", EmbeddedVersions.later, hub)
        try await later.store.start()
        func line(_ item: String, _ count: Int64, _ note: String?) -> JSONValue {
            var line: JSONObject = ["item": .string(item), "count": .integer(count)]
            line["note"] = note.map { .string($0) }
            return .object(line)
        }
        var order = LaterOrder(
            id: "a", address: ["street": "Elm", "town": "Kiel", "door": ["code": "7", "floor": 2]],
            lines: [line("x", 1, "first"), line("y", 2, "second"), line("z", 3, nil)])
        try await later.store.save(order)
        let earlier = try await open("T01", EmbeddedVersions.earlier, hub)
        try await earlier.store.start()
        try await earlier.store.wait(for: EarlierOrder.self) { $0.count == 1 }
        var known = try #require(try await earlier.store.get(EarlierOrder.self, id: "a"))
        #expect(known.address == ["street": "Elm", "town": "Kiel", "door": ["code": "7"]])
        #expect(known.lines == [line("x", 1, nil), line("y", 2, nil), line("z", 3, nil)])

        // A member changes, one goes, and one of a value inside changes.
        known.address = ["street": "Oak", "door": ["code": "8"]]
        try await earlier.store.save(known)
        order.address = ["street": "Oak", "door": ["code": "8", "floor": 2]]
        try await later.store.wait(for: LaterOrder.self) { [order] in $0 == [order] }

        // An element that stays keeps what it has, wherever it stands; one that is changed in its place does too.
        known.lines = [line("y", 2, nil), line("n", 9, nil), line("x", 1, nil), line("z", 3, nil)]
        try await earlier.store.save(known)
        order.lines = [line("y", 2, "second"), line("n", 9, nil), line("x", 1, "first"), line("z", 3, nil)]
        try await later.store.wait(for: LaterOrder.self) { [order] in $0 == [order] }
        known.lines[2] = line("x", 5, nil)
        try await earlier.store.save(known)
        order.lines[2] = line("x", 5, "first")
        try await later.store.wait(for: LaterOrder.self) { [order] in $0 == [order] }

        // Made offline, and brought to the later version before it is sent: it does not take away what it never had.
        await earlier.store.stop()
        known.address = ["street": "Ash", "door": ["code": "8"]]
        try await earlier.store.save(known)
        await earlier.store.close()
        let upgraded = try await open("T01", EmbeddedVersions.later, hub)
        let events = upgraded.store.events
        try await upgraded.store.start()
        order.address = ["street": "Ash", "door": ["code": "8", "floor": 2]]
        for terminal in [upgraded, later] {
            try await terminal.store.wait(for: LaterOrder.self) { [order] in $0 == [order] }
        }
        try await upgraded.store.waitUntilSent()
        for terminal in [upgraded, later] { await terminal.store.close() }
        for await event in events { if case .conflict = event { Issue.record("\(event)") } }
        await hub.stop()
    }

    @Test func `members that two people change of one value are both there, and no list doubles`()
        async throws
    {
        let hub = try await startHub(EmbeddedVersions.laterText)
        let (ann, bob) = (
            try await open("T01", EmbeddedVersions.later, hub), try await open("T02", EmbeddedVersions.later, hub)
        )
        for terminal in [ann, bob] { try await terminal.store.start() }
        func line(_ item: String, _ count: Int64) -> JSONValue { ["item": .string(item), "count": .integer(count)] }
        var order = LaterOrder(
            id: "a", address: ["street": "Elm", "town": "Kiel"], lines: [line("x", 1), line("y", 2), line("z", 3)])
        try await ann.store.save(order)
        try await bob.store.wait(for: LaterOrder.self) { [order] in $0 == [order] }
        let events = bob.store.events
        await bob.store.stop()
        var theirs = order
        theirs.address = ["street": "Oak", "town": "Kiel"]
        theirs.lines[0] = line("x", 5)
        try await ann.store.save(theirs)
        try await ann.store.waitUntilSent()
        order.address = ["street": "Elm", "town": "Plön"]
        order.lines[2] = line("z", 7)
        try await bob.store.save(order)
        try await bob.store.start()
        let merged = LaterOrder(
            id: "a", address: ["street": "Oak", "town": "Plön"], lines: [line("x", 5), line("y", 2), line("z", 7)])
        for terminal in [ann, bob] { try await terminal.store.wait(for: LaterOrder.self) { $0 == [merged] } }
        try await bob.store.waitUntilSent()
        for terminal in [ann, bob] { await terminal.store.close() }
        for await event in events { if case .conflict = event { Issue.record("\(event)") } }
        await hub.stop()
    }

    @Test func `a terminal that is brought to the later version has what it lacked, and sends what it made before`()
        async throws
    {
        let hub = try await startHub()
        try await push(Versions.laterText, to: hub)
        let later = try await open("T02", Versions.later, hub)
        try await later.store.start()
        let made = [
            LaterJob(id: "a", title: "a", size: 1), LaterJob(id: "b", title: "b", state: .held, size: 2),
            LaterJob(id: "d", title: "d", size: 4, place: "shelf"),
        ]
        for job in made { try await later.store.save(job) }
        try await later.store.save(Label(id: "l", text: "label"))
        try await later.store.waitUntilSent()
        let earlier = try await open("T01", Versions.earlier, hub)
        try await earlier.store.start()
        try await earlier.store.wait(for: EarlierJob.self) { Set($0.map(\.id)) == ["a", "d"] }
        #expect(try await earlier.store.quarantined().map(\.id) == ["b"])
        await earlier.store.stop()
        try await earlier.store.save(EarlierJob(id: "a", title: "offline", state: .done))
        try await earlier.store.save(EarlierJob(id: "c", title: "made offline"))
        await earlier.store.close()

        let upgraded = try await open("T01", Versions.later, hub)
        #expect(try await upgraded.store.outboxStatus().unsent == 2)
        try await upgraded.store.start()
        try await upgraded.store.waitUntilSent()
        let all = [
            LaterJob(id: "a", title: "offline", state: .done, size: 1),
            LaterJob(id: "b", title: "b", state: .held, size: 2),
            LaterJob(id: "c", title: "made offline"), LaterJob(id: "d", title: "d", size: 4, place: "shelf"),
        ]
        try await upgraded.store.wait(for: LaterJob.self) { $0.sorted { $0.id < $1.id } == all }
        try await upgraded.store.wait(for: Label.self) { $0.map(\.text) == ["label"] }
        try await later.store.wait(for: LaterJob.self) { $0.sorted { $0.id < $1.id } == all }
        #expect(try await upgraded.store.quarantined().isEmpty)
        for terminal in [upgraded, later] { await terminal.store.close() }
        await hub.stop()
    }

    @Test func `a terminal that is newer than its hub loses nothing, says what is wrong, and goes on after the push`()
        async throws
    {
        let hub = try await startHub()
        let earlier = try await open("T01", Versions.earlier, hub)
        try await earlier.store.start()
        try await earlier.store.save(EarlierJob(id: "a", title: "first"))
        try await earlier.store.waitUntilSent()
        let (store, driver) = try await open("T02", Versions.later, hub)
        let events = store.events
        try await store.start()
        try await store.save(LaterJob(id: "b", title: "newer", state: .held, size: 3))
        try await store.save(Label(id: "l", text: "label"))
        // It is told, and nothing that waits is given up.
        var isTold = false
        for await event in events {
            switch event {
            case .failure, .paused, .parked: isTold = true
            default: continue
            }
            break
        }
        #expect(isTold)
        #expect(try await store.outboxStatus().unsent == 2)
        try await push(Versions.laterText, to: hub)
        driver.tryAgain()
        let later = store.events
        while try await !store.outboxStatus().isEmpty {
            for entry in try await store.outbox.list(state: .parked) { try await store.outbox.retry(entry.order) }
            for await event in later { if case .outboxStatus = event { break } }
        }
        try await store.wait(for: LaterJob.self) { Set($0.map(\.id)) == ["a", "b"] }
        await earlier.store.close()
        await store.close()
        await hub.stop()
    }
}
