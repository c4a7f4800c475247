import Basics
import System
import Testing
import Transport

@testable import Hub

/// What functions have not taken, seen and decided on by a person beside a hub that runs.
@Suite struct DeliveryStoreTests {
    private static func after(_ options: inout ResolverOptions) throws {
        try options.addAfter("Plain.*=after")
        try options.addConflictHandler("*=decide")
    }

    /// A hub with a parked delivery for the record 1, and one for the record 2 that waits for its next try.
    private func parked() throws -> (hub: FunctionHub, store: DeliveryStore) {
        let hub = try FunctionHub(Self.after)
        _ = hub.begin(FunctionHub.create("Plain", ["id": "1", "title": "a"]))
        while !hub.calls.isEmpty {
            try hub.fail(.unreachable("nobody answers"))
            hub.time.advance(milliseconds: 3_600_000)
            hub.core.tick()
            hub.turn([])
        }
        _ = hub.begin(FunctionHub.create("Plain", ["id": "2", "title": "b"]))
        try hub.fail(.failed("exit code 1"))
        return (hub, try DeliveryStore(hub.connection))
    }

    private func look(_ hub: FunctionHub) {
        hub.core.tick()
        hub.turn([])
    }

    @Test func `what waits and what was given up is listed with the reason, and shown with what the function gets`()
        throws
    {
        let (hub, store) = try parked()
        let entries = try store.list()
        #expect(entries.map(\.number) == [1, 2])
        #expect(entries.map(\.isParked) == [true, false])
        #expect(entries.map(\.function) == ["after", "after"])
        #expect(entries.map(\.attempts) == [8, 1])
        #expect(entries.allSatisfy { $0.record.hasPrefix("Plain#") })
        #expect(entries[0].reason == "could not be called: nobody answers")
        #expect(entries[0].next == nil && entries[1].next != nil)
        #expect(try store.list(parkedOnly: true).map(\.number) == [1])
        #expect(try store.list(after: 1).map(\.number) == [2])
        #expect(try store.list(limit: 1).map(\.number) == [1])
        let shown = try #require(try store.show(2))
        #expect(shown.entry == entries[1])
        #expect(shown.payload["result"]?["title"] == "b")
        #expect(try store.show(7) == nil)
        look(hub)
        #expect(hub.core.statistics.deliveriesParked == 1)
        #expect(hub.core.statistics.deliveriesWaiting == 1)
    }

    @Test func `it says since when each waits and when it is tried next, also after the hub stood still`() throws {
        let hub = try FunctionHub(Self.after)
        let store = try DeliveryStore(hub.connection)
        hub.time.advance(milliseconds: 5_000)
        let began = hub.time.now().milliseconds
        _ = hub.begin(FunctionHub.create("Plain", ["id": "1", "title": "a"]))
        #expect(try store.list().map(\.since) == [began])
        #expect(try store.list().map(\.next) == [nil], "it is under way")
        hub.time.advance(milliseconds: 200)
        try hub.fail(.failed("exit code 1"))
        var entry = try #require(try store.list().first)
        #expect(entry.since == began)
        #expect(entry.next == began + 200 + 1_000)
        #expect(entry.json["since"]?.string == DateTime(milliseconds: began).iso8601)
        #expect(entry.json["nextTry"]?.string == DateTime(milliseconds: began + 1_200).iso8601)
        // It is called then, and not before.
        hub.time.advance(milliseconds: 999)
        look(hub)
        #expect(hub.calls.isEmpty)
        hub.time.advance(milliseconds: 1)
        look(hub)
        #expect(hub.calls.count == 1)
        try hub.fail(.failed("exit code 1"))
        entry = try #require(try store.list().first)
        #expect(entry.next == began + 1_200 + 5_000)
        // The wall clock goes on while no hub runs, and hub time does not.
        let later = ManualTimeSource(DateTime(milliseconds: began + 86_400_000))
        let second = try FunctionHub(connection: hub.connection, time: later, Self.after)
        entry = try #require(try store.list().first)
        let next = try #require(entry.next)
        #expect(next > later.now().milliseconds && next <= later.now().milliseconds + 6_200)
        later.advance(milliseconds: next - later.now().milliseconds - 1)
        look(second)
        #expect(second.calls.isEmpty)
        later.advance(milliseconds: 1)
        look(second)
        #expect(second.calls.count == 1)
        // Let be tried again it has no time to wait for, and given up none either.
        _ = try store.retry([1])
        #expect(try store.list().map(\.next) == [nil])
    }

    @Test func `a table that an earlier version kept gets its times and loses nothing`() throws {
        let (hub, store) = try parked()
        for name in ["since", "next"] { try hub.connection.execute("ALTER TABLE _deliveries DROP COLUMN \(name)") }
        _ = store
        let again = try DeliveryStore(hub.connection)
        #expect(try again.list().map(\.number) == [1, 2])
        #expect(try again.list().map(\.since) == [nil, nil])
    }

    @Test func `what is to be tried again is called within the next look, with all its tries`() throws {
        let (hub, store) = try parked()
        #expect(try store.retry([1, 2, 9, 1]) == DeliveryStore.Outcome(done: [1, 2], missing: [9]))
        #expect(hub.calls.isEmpty)
        look(hub)
        #expect(hub.asked.suffix(2).map { $0["result"]?["id"] } == ["1", "2"])
        #expect(hub.core.statistics.deliveriesParked == 0)
        // It is tried as often as a new one before it is given up again.
        try hub.fail(.unreachable("still nobody"))
        #expect(try store.list().map(\.attempts) == [1, 0])
        #expect(try store.list().map(\.isParked) == [false, false])
        try hub.answer(.null)
        look(hub)
        #expect(try store.list().map(\.number) == [1])
        #expect(try store.retry(nil) == DeliveryStore.Outcome(done: [], missing: []), "nothing is parked any more")
    }

    @Test func `all that was given up is tried again at a word`() throws {
        let (hub, store) = try parked()
        #expect(try store.retry(nil).done == [1])
        look(hub)
        try hub.answer(.null)
        look(hub)
        #expect(try store.list().map(\.number) == [2])
    }

    @Test func `what is dropped is called no more, and lets go of those behind it`() throws {
        let (hub, store) = try parked()
        _ = hub.begin(FunctionHub.update("Plain", ["id": "2", "title": "c", "_version": 1]))
        #expect(hub.calls.isEmpty, "the change waits behind the create")
        #expect(try store.drop([1, 2]).done == [1, 2])
        look(hub)
        #expect(hub.calls.count == 1)
        #expect(hub.asked.last?["result"]?["title"] == "c")
        try hub.answer(.null)
        look(hub)
        #expect(try store.list().isEmpty)
        #expect(hub.core.statistics.deliveriesWaiting == 0 && hub.core.statistics.deliveriesParked == 0)
    }

    @Test func `what is under way when somebody decides is not called a second time`() throws {
        let (hub, store) = try parked()
        _ = hub.begin(FunctionHub.create("Plain", ["id": "3", "title": "under way"]))
        #expect(hub.calls.count == 1)
        _ = try store.retry([1, 3])
        look(hub)
        #expect(hub.calls.count == 2, "the first is called now, the third is under way")
        #expect(hub.asked.last?["result"]?["id"] == "1")
        // One that is dropped while it is under way is over whatever comes of it.
        _ = try store.drop([3])
        look(hub)
        try hub.fail(.failed("exit code 1"))
        look(hub)
        hub.time.advance(milliseconds: 3_600_000)
        look(hub)
        #expect(try store.list().map(\.number) == [1, 2])
        #expect(!hub.asked.suffix(2).contains { $0["result"]?["id"] == "3" })
    }

    @Test func `a function that took one before it is committed is not given it again by a look`() throws {
        let (hub, store) = try parked()
        _ = hub.begin(FunctionHub.create("Plain", ["id": "3", "title": "c"]))
        try hub.connection.execute("PRAGMA query_only = 1")
        try hub.answer(.null)
        try hub.connection.execute("PRAGMA query_only = 0")
        _ = try store.drop([1])
        hub.core.tick()
        #expect(hub.calls.isEmpty)
        hub.turn([])
        look(hub)
        #expect(hub.calls.isEmpty)
        #expect(try store.list().map(\.number) == [2])
    }

    @Test func `what waits for a function that nobody names any more is counted and said`() throws {
        let (hub, store) = try parked()
        _ = store
        let lines = Locked<[String]>([])
        let core = try HubCore(
            schema: FunctionHub.schema, connection: hub.connection, keys: try APIKeys(["all:everyone"]),
            time: hub.time, random: SeededRandom(seed: 2),
            log: Log(level: .warning) { _, line in lines.withLock { $0.append(line) } },
            resolvers: {
                var options = ResolverOptions()
                options.functions = [FunctionDefinition(name: "decide", target: .program(["decide"]))]
                try? options.addConflictHandler("*=decide")
                return options
            }())
        #expect(core.statistics.deliveriesWaiting == 1 && core.statistics.deliveriesParked == 1)
        #expect(
            lines.current.contains { $0.contains("1 deliveries wait for the function after, which no --after names") })
        _ = try DeliveryStore(hub.connection).drop([1, 2])
        core.tick()
        #expect(core.statistics.deliveriesWaiting == 0 && core.statistics.deliveriesParked == 0)
    }
}

/// The same over the network.
@Suite struct DeliveryDeskTests {
    @Test func `only admins see and decide, and the hub that runs does what they say at once`() async throws {
        let directory = try TempDirectory("hub-deliveries")
        let (taken, heard) = (directory.file("taken"), directory.file("heard"))
        let script = directory.file("after")
        try Files.writeAtomically(
            "#!/bin/sh\n[ -e \(taken) ] || exit 1\ncat >\(heard).new && mv \(heard).new \(heard)\n", to: script,
            mode: 0o755)
        var options = HubOptions(
            dataDirectory: directory.file("hub"), schema: FunctionHub.schema,
            keys: try APIKeys(["all:everyone", "admin:admins"]), time: SystemTimeSource())
        try options.resolvers.addFunction("after=\(script)")
        try options.resolvers.addConflictHandler("*=after")
        try options.resolvers.addAfter("Plain.create=after")
        let hub = try await HubServer.start(options)
        let loop = try WebSocketLoop()
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url))
        func send(
            _ method: String, query: String? = nil, _ body: JSONValue? = nil, path: String = "/deliveries",
            key: String = "admin"
        ) async throws -> (status: Int, json: JSONValue) {
            let answer = try await client.send(
                HTTPRequest(
                    method: method, path: path, query: query, headers: ["x-api-key": key], body: body?.bytes ?? []))
            return (answer.status, (try? JSONValue(parsing: answer.body)) ?? .null)
        }
        for title in ["a", "b"] {
            let query = "mutation { createPlain(input: {title: \"\(title)\"}) { id } }"
            _ = try await send("POST", ["query": .string(query)], path: "/graphql", key: "all")
        }
        #expect(try await send("GET", key: "all").status == 403)
        #expect(try await send("POST", ["act": "drop", "numbers": [1]], key: "all").status == 403)
        #expect(try await send("GET", key: "nobody").status == 401)
        #expect(try await send("PUT").status == 405)
        var list: [JSONValue] = []
        while list.count != 2 || !list.allSatisfy({ $0["attempts"]?.integer ?? 0 > 0 }) {
            list = try await send("GET").json["deliveries"]?.array ?? []
        }
        #expect(list.map { $0["state"]?.string } == ["waiting", "waiting"])
        #expect(list.allSatisfy { $0["reason"]?.string?.isEmpty == false && $0["payload"] == nil })
        #expect(try await send("GET", query: "after=1").json["deliveries"]?.array?.count == 1)
        #expect(try await send("GET", query: "parked=yes").json["deliveries"]?.array?.isEmpty == true)
        #expect(try await send("GET", query: "number=2").json["payload"]?["result"]?["title"] == "b")
        #expect(try await send("GET", query: "number=9").status == 404)
        for wrong in [["act": "drop", "all": true], ["act": "mend", "numbers": [1]], ["act": "retry"]] as [JSONValue] {
            #expect(try await send("POST", wrong).status == 400)
        }
        #expect(try await send("POST", ["act": "drop", "numbers": [1, 9]]).json == ["done": [1], "missing": [9]])
        try Files.writeAtomically("", to: taken)
        #expect(try await send("POST", ["act": "retry", "numbers": [2]]).json["done"] == [2])
        var event: JSONValue?
        while event == nil {
            _ = try await send("GET")
            event = (try? Files.read(heard)).flatMap { try? JSONValue(parsing: $0) }
        }
        #expect(event?["result"]?["title"] == "b")
        while try await send("GET").json["deliveries"]?.array?.isEmpty != true {}
        var metrics = ""
        while !metrics.contains("bincount_hub_deliveries_waiting 0\n") {
            let answer = try await client.send(HTTPRequest(method: "GET", path: "/metrics"))
            metrics = String(decoding: answer.body, as: UTF8.self)
        }
        #expect(metrics.contains("bincount_hub_deliveries_parked 0\n"))
        await hub.stop()
        loop.stop()
    }
}
