import Basics
import Glibc
import GraphQL
import Models
import SQLite
import System
import Testing
import Transport

@testable import Hub

/// What keeps a hub that runs for years in order: its files, its log, its memory, its keys.
@Suite struct UpkeepTests {
    private let directory: TempDirectory

    init() throws {
        directory = try TempDirectory("upkeep")
    }

    private func owner(_ path: String) -> uid_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_uid : .max
    }

    @Test(.enabled(if: geteuid() == 0, "only root makes files for others"))
    func `what root makes in a hub's directory becomes its owner's, and nothing beyond it`() throws {
        let (data, outside) = (directory.file("data"), directory.file("outside"))
        try Files.createDirectory(data + "/enrolment", mode: 0o700)
        try Files.createNew([1], at: data + "/enrolment/code.json", mode: 0o600)
        try Files.createNew([1], at: data + "/hub.sqlite", mode: 0o600)
        try Files.createNew([1], at: data + "/other", mode: 0o600)
        try Files.createNew([1], at: outside, mode: 0o600)
        #expect(symlink(outside, data + "/symbolic") == 0)
        #expect(link(outside, data + "/hard") == 0)
        #expect(chown(data + "/other", 4321, 4321) == 0)
        // A directory of root's own stays as it is.
        HubDirectory.giveToOwner(data)
        #expect(owner(data + "/hub.sqlite") == 0)
        #expect(HubDirectory.foreignOwner(of: data) == nil)
        #expect(chown(data, 1234, 1234) == 0)
        HubDirectory.giveToOwner(data)
        for name in ["enrolment", "enrolment/code.json", "hub.sqlite"] { #expect(owner(data + "/" + name) == 1234) }
        #expect(owner(data + "/other") == 4321)
        #expect(owner(outside) == 0)
        #expect(owner(data + "/symbolic") == 0)
        #expect(HubDirectory.foreignOwner(of: data)?.contains("sudo -u") == true)
    }

    @Test func `a code that cannot be read is told of`() throws {
        let codes = EnrolmentCodes(dataDirectory: directory.path)
        try Files.createDirectory(directory.file("enrolment"), mode: 0o700)
        try Files.createNew(Array("{}".utf8), at: directory.file("enrolment/odd.json"), mode: 0o600)
        // Nobody, not even root, reads a directory as a file.
        try Files.createDirectory(directory.file("enrolment/closed.json"), mode: 0o700)
        var problems: [String] = []
        #expect(codes.waiting(now: DateTime(milliseconds: 0)) { problems.append($0) }.isEmpty)
        #expect(problems.count == 2)
        #expect(problems.contains { $0.contains("odd.json") } && problems.contains { $0.contains("closed.json") })
    }

    @Test func `a check finds what a start would find`() throws {
        func options(_ path: String, _ change: (inout HubOptions) -> Void = { _ in }) throws -> HubOptions {
            var options = HubOptions(
                dataDirectory: path, schema: HubFixture.notes, keys: try APIKeys(["k"]), time: SystemTimeSource())
            change(&options)
            return options
        }
        #expect(try HubServer.check(options(directory.file("data"))) == nil)
        #expect(!Files.exists(directory.file("data")))
        #expect(throws: HubError.self) {
            try HubServer.check(options(directory.file("data")) { $0.resolvers.authorizer = "nobody" })
        }
        try Files.createNew([1], at: directory.file("file"))
        #expect(throws: HubError.self) { try HubServer.check(options(directory.file("file"))) }
    }

    @Test func `a check tries the address, and finds it free again afterwards`() async throws {
        func check(_ path: String, _ host: String, _ port: Int) throws -> String? {
            var options = HubOptions(
                dataDirectory: directory.file(path), schema: HubFixture.notes, keys: try APIKeys(["k"]),
                time: SystemTimeSource())
            (options.host, options.port) = (host, port)
            options.certificate = .none
            return try HubServer.check(options)
        }
        func refusal(_ path: String, _ host: String, _ port: Int) -> String? {
            #expect(throws: HubError.self) { try check(path, host, port) }?.message
        }
        let options = HubOptions(
            dataDirectory: directory.file("running"), schema: HubFixture.notes, keys: try APIKeys(["k"]),
            time: SystemTimeSource())
        let hub = try await HubServer.start(options)
        let address = "127.0.0.1:\(hub.port)"
        #expect(
            refusal("other", "127.0.0.1", hub.port)
                == "--listen: another program listens on \(address); stop it, or choose another port")
        #expect(refusal("other", "localhost", hub.port)?.contains("another program listens on") == true)
        // The hub's own address is free when it stops.
        #expect(
            try check("running", "127.0.0.1", hub.port)
                == "\(address) is in use; a hub runs on \(directory.file("running")), and it may be that one's")
        await hub.stop()
        #expect(try check("other", "127.0.0.1", hub.port) == nil)
        #expect(!Files.exists(directory.file("other")))
        // An address of a network for examples, which nobody has.
        #expect(ListenObstacle(host: "192.0.2.1", port: 0) == .elsewhere)
        #expect(ListenObstacle(host: "no-such-name.invalid", port: 0) == .elsewhere)
        #expect(ListenObstacle(host: "lo", port: 0) == nil)
    }

    @Test func `who is refused at the admins' doors and at the renewal is in the log, with his address`() async throws {
        let lines = Locked<[String]>([])
        let hub = try await HubServer.start(
            HubOptions(
                dataDirectory: directory.path, schema: HubFixture.notes,
                keys: try APIKeys(["all:everyone"]), time: SystemTimeSource(),
                log: Log(level: .notice) { _, line in lines.withLock { $0.append(line) } }))
        let loop = try WebSocketLoop()
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url))
        for path in ["/schema", "/deliveries"] {
            for key in ["wrong", "all"] {
                _ = try await client.send(HTTPRequest(method: "GET", path: path, headers: ["x-api-key": key]))
            }
        }
        _ = try await client.send(HTTPRequest(path: "/login/refresh", headers: ["authorization": "junk"]))
        let query: JSONValue = ["query": "{ listNotes { items { id } } }"]
        _ = try await client.send(HTTPRequest(path: "/graphql", headers: ["x-api-key": "no"], body: query.bytes))
        let said = lines.current
        #expect(said.filter { $0.hasPrefix("credentials refused") && $0.contains("from=127.0.0.1") }.count == 3)
        #expect(said.contains { $0.hasPrefix("access refused") && $0.contains("/schema") })
        #expect(said.contains { $0.hasPrefix("access refused") && $0.contains("/deliveries") })
        #expect(said.contains { $0.hasPrefix("sign-in not renewed") && $0.contains("127.0.0.1") })
        #expect(!said.contains { $0.contains("junk") || $0.contains("wrong") })
        await hub.stop()
        loop.stop()
    }

    @Test func `a part of a key cannot hold what separates the parts`() throws {
        let schema = try Schema(
            sdl: """
                type Spot @model
                @auth(rules: [{ allow: groups, groups: ["everyone"], operations: [create, update, delete, read] }]) {
                  site: ID! @primaryKey(sortKeyFields: ["rack", "place"])
                  rack: String!
                  place: String!
                  note: String
                }
                type Bag @model
                @auth(rules: [{ allow: groups, groups: ["everyone"], operations: [create, update, delete, read] }]) {
                  id: ID!
                  site: ID rack: String place: String
                  spot: Spot @hasOne(fields: ["site", "rack", "place"])
                }
                """)
        let hub = try HubFixture(schema)
        func create(_ site: String, _ rack: String, _ place: String) -> JSONValue {
            hub.send(
                "mutation M($i: CreateSpotInput!) { createSpot(input: $i) { place } }",
                ["i": ["site": .string(site), "rack": .string(rack), "place": .string(place)]])
        }
        #expect(create("a", "b", "c#d")["errors"] == nil)
        #expect(create("a", "b#c", "d").errorMessage == "Spot.rack: b#c holds #, which separates the parts of the key")
        #expect(create("a#b", "c", "d").errorMessage == "Spot.site: a#b holds #, which separates the parts of the key")
        #expect(create("a", "b", "c")["errors"] == nil)
        #expect(hub.events.count == 2)
        // Joined, these are the key of ("a", "b", "c#d").
        let refusal = "Spot.rack: b#c holds #, which separates the parts of the key"
        for kind in ["update", "delete"] {
            let answer = hub.send(
                "mutation { \(kind)Spot(input: {site: \"a\", rack: \"b#c\", place: \"d\", _version: 1}) { place } }")
            #expect(answer.errorMessage == refusal)
            #expect(answer.result ?? .null == .null)
        }
        #expect(hub.events.count == 2)
        #expect(hub.send("{ getSpot(site: \"a\", rack: \"b#c\", place: \"d\") { place } }").result == .null)
        #expect(hub.send("{ getSpot(site: \"a\", rack: \"b\", place: \"c#d\") { place } }").result == ["place": "c#d"])
        hub.send("mutation { createBag(input: {id: \"1\", site: \"a\", rack: \"b#c\", place: \"d\"}) { id } }")
        hub.send("mutation { createBag(input: {id: \"2\", site: \"a\", rack: \"b\", place: \"c#d\"}) { id } }")
        let spots = ["1", "2"].map { hub.send("{ getBag(id: \"\($0)\") { spot { place } } }").result?["spot"] }
        #expect(spots == [.null, ["place": "c#d"]])
    }

    @Test func `documents that are remembered have a size together`() throws {
        let hub = try HubFixture()
        for number in 0..<40 {
            let filler = String(repeating: " ", count: DocumentCache.longest - 200)
            hub.send("query Q\(number) { listNotes { items { id } } } #\(filler)")
        }
        let prepared = try hub.core.engine.prepare("{ listNotes { nextToken } }").get()
        var cache = DocumentCache()
        let step = DocumentCache.longest
        for number in 0..<40 {
            let text = "\(number)" + String(repeating: "x", count: step - 10)
            cache.insert(text, PreparedDocument(prepared.operations, text: text))
            #expect(cache.bytes <= DocumentCache.byteLimit)
            #expect(cache.find(text) != nil)
        }
        #expect(cache.count > 4)
        let long = String(repeating: "y", count: step + 1)
        cache.insert(long, prepared)
        #expect(cache.find(long) == nil)
    }

    @Test func `a document weighs what its fragments spread out weigh`() throws {
        let hub = try HubFixture()
        func text(_ number: Int, roots: Int) -> String {
            let aliases = (0..<roots).map { "a\($0): getNote(id: \"\(number)\") { ...F }" }.joined(separator: " ")
            let fields = (0..<30).map { "b\($0): title" }.joined(separator: " ")
            return "{ \(aliases) } fragment F on Note { \(fields) }"
        }
        var cache = DocumentCache()
        for number in 0..<100 {
            let one = try hub.core.engine.prepare(text(number, roots: 100)).get()
            #expect(one.weight > 100 * 31 * 400)
            cache.insert(one.text, one)
            #expect(cache.find(one.text) != nil)
            #expect(cache.bytes <= DocumentCache.byteLimit)
        }
        #expect(cache.count < 20)
        let heavy = try hub.core.engine.prepare(text(0, roots: 600)).get()
        cache.insert(heavy.text, heavy)
        #expect(cache.find(heavy.text) == nil)
    }

    @Test func `a document that only looks like another is another`() throws {
        let hub = try HubFixture()
        for title in ["caf\u{E9}", "cafe\u{301}"] {
            let json = hub.send("mutation { createNote(input: {title: \"\(title)\"}) { title } }")
            #expect(json.result?["title"] == .string(title))
        }
    }

    @Test func `a function that fails does not fill the log`() throws {
        let lines = Locked<[String]>([])
        let time = ManualTimeSource()
        var options = ResolverOptions()
        options.functions = [FunctionDefinition(name: "decide", target: .program(["decide"]))]
        try options.addConflictHandler("*=decide")
        let core = try HubCore(
            schema: FunctionHub.schema, connection: try .memory(), keys: try APIKeys(["all:everyone"]), time: time,
            random: SeededRandom(seed: 1), log: Log(level: .warning) { _, line in lines.withLock { $0.append(line) } },
            resolvers: options)
        _ = core.perform([FunctionHub.request("mutation { createNote(input: {id: \"1\", title: \"t\"}) { id } }")])
        for _ in 0..<100 {
            let asked = core.perform([FunctionHub.update("Note", ["id": "1", "title": "mine"])])
            let call = try #require(asked.calls.first)
            _ = core.perform([], answered: [(call.id, .failure(.timedOut))])
        }
        #expect(lines.current.count == LogAllowance.burst)
        time.advance(milliseconds: LogAllowance.refill)
        let asked = core.perform([FunctionHub.update("Note", ["id": "1", "title": "mine"])])
        _ = core.perform([], answered: [(try #require(asked.calls.first).id, .failure(.timedOut))])
        #expect(lines.current.last?.hasSuffix("suppressed=80") == true)
    }

    /// A hub that deletes more than a little would else never come to the end of it.
    @Test func `what has expired goes without a pause as long as there is more of it, behind what waits`() async throws
    {
        let options = HubOptions(
            dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(["k"]), time: SystemTimeSource())
        await (try HubServer.start(options)).stop()
        let connection = try Connection.open(path: HubBackup.database(in: directory.path))
        try connection.run(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1500) \
            INSERT INTO _mutations(mutation,scope,model,row,version,expires) SELECT 'm'||i,1,'Note',1,1,-1 FROM n
            """)
        let hub = try await HubServer.start(options)
        hub.worker.add(.prune)
        // The thread comes to each of these between two turns.
        for _ in 0..<50 {
            await withCheckedContinuation { continuation in hub.whenAlive { continuation.resume() } }
        }
        #expect(try connection.value("SELECT count(*) FROM _mutations") == .integer(0))
        await hub.stop()
    }

    @Test func `limits of connections reach the server that keeps them`() {
        var limits = HubLimits()
        (limits.connections, limits.connectionsPerAddress, limits.bodyBytes) = (12, 3, 4567)
        let options = HTTPServerOptions(realtime: limits, random: SeededRandom(seed: 1))
        #expect(options.maximumConnections == 12)
        #expect(options.perAddress.connections == 3)
        #expect(options.maximumBodyBytes == 4567)
    }
}
