import AppSync
import Basics
import Crypto
import Dispatch
import System
import Testing
import Transport

@testable import Hub

/// Signing in at a running hub, over HTTP.
@Suite struct SignInTests {
    private let directory: TempDirectory
    private let loop: WebSocketLoop
    /// Stands still: how long a lock or an allowance has left does not depend on the machine.
    private let time = ManualTimeSource(SystemTimeSource().now())

    init() throws {
        directory = try TempDirectory("sign-in")
        loop = try WebSocketLoop()
        let store = try AccessStore.open(dataDirectory: directory.path, time: time)
        for (badge, group) in [("ann", "everyone"), ("bob", "nobody")] {
            try store.setPIN(
                badge: badge, person: "id-\(badge)", groups: [group], pin: "4711", parameters: AccessStoreTests.cheap)
        }
    }

    private func start(_ configure: (inout HubOptions) -> Void = { _ in }) async throws -> HubServer {
        var options = HubOptions(
            dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(["all:everyone"]),
            time: time)
        configure(&options)
        return try await HubServer.start(options)
    }

    private func client(_ hub: HubServer) throws -> HTTPClient {
        var options = HTTPClientOptions()
        options.maximumConnections = 128
        return try HTTPClient(loop: loop, origin: try URLParts(hub.url), options: options)
    }

    private static func login(_ badge: String, _ pin: String, _ more: JSONObject = [:]) -> HTTPRequest {
        var body: JSONObject = ["badge": .string(badge), "pin": .string(pin)]
        body.members += more.members
        return HTTPRequest(path: "/login", body: JSONValue.object(body).bytes)
    }

    private static func query(_ headers: HTTPHeaders) -> HTTPRequest {
        let body: JSONValue = ["query": "{ listNotes { items { id } } }"]
        return HTTPRequest(path: "/graphql", headers: headers, body: body.bytes)
    }

    private static func json(_ response: HTTPResponse) -> JSONValue {
        (try? JSONValue(parsing: response.body)) ?? .null
    }

    @Test func aRightPINGivesATokenThatOpensTheHubAndIsRenewed() async throws {
        let hub = try await start()
        let client = try self.client(hub)
        let answer = try await client.send(Self.login("ann", "4711", ["device": "T3"]))
        #expect(answer.status == 200)
        #expect(answer.headers["cache-control"] == "no-store")
        let json = Self.json(answer)
        #expect(json["person"] == "id-ann")
        #expect(json["groups"] == ["everyone"])
        let token = try #require(json["token"]?.string)
        let asked = try await client.send(Self.query(["Authorization": "Bearer \(token)"]))
        #expect(asked.status == 200)
        #expect(Self.json(asked).result != .null)
        // Who is in no group of the model's is let in, and denied.
        let bob = Self.json(try await client.send(Self.login("bob", "4711")))
        let denied = try await client.send(Self.query(["authorization": bob["token"]?.string ?? ""]))
        #expect(denied.status == 200)
        #expect(Self.json(denied).errorType == "Unauthorized")

        let renewed = try await client.send(HTTPRequest(path: "/login/refresh", headers: ["authorization": token]))
        #expect(renewed.status == 200)
        #expect(Self.json(renewed)["token"]?.string != nil)
        let none = try await client.send(HTTPRequest(path: "/login/refresh"))
        #expect(none.status == 401)
        #expect(Self.json(none)["errorType"] == "UnauthorizedException")
        #expect(try await client.send(HTTPRequest(method: "GET", path: "/login")).status == 405)
        await hub.stop()
        loop.stop()
    }

    @Test func anUnknownBadgeIsAnsweredAsAWrongPINToTheLastByteAndTheLastTry() async throws {
        let hub = try await start()
        let client = try self.client(hub)
        var answers: [String: [String]] = [:]
        for _ in 0..<6 {
            for badge in ["ann", "nobody"] {
                let answer = try await client.send(Self.login(badge, "0815"))
                let body = String(decoding: answer.body, as: UTF8.self)
                // The seconds left differ with the moment.
                let shown = answer.status == 429 ? "429" : "\(answer.status) \(body)"
                answers[badge, default: []].append(shown)
                if answer.status == 429 { #expect(answer.headers["retry-after"] != nil) }
            }
        }
        #expect(answers["ann"] == answers["nobody"])
        #expect(answers["ann"]?.last == "429")
        #expect(answers["ann"]?.first?.contains("The badge or the PIN is wrong.") == true)
        // Locked is locked, for the right PIN too, and who is locked hears what ends it, whether anybody has the badge.
        #expect(try await client.send(Self.login("ann", "4711")).status == 429)
        for badge in ["ann", "nobody"] {
            let message = Self.json(try await client.send(Self.login(badge, "4711")))["message"]?.string ?? ""
            #expect(message.hasPrefix("Too many tries; try again in "))
            #expect(message.hasSuffix(" s, or have the hub's keeper run `bincount hub person unlock \(badge)`."))
        }
        // It outlives a restart, and ends by hand.
        await hub.stop()
        let second = try await start()
        let again = try self.client(second)
        #expect(try await again.send(Self.login("ann", "4711")).status == 429)
        try AccessStore.open(dataDirectory: directory.path, time: time).unlock(badge: "ann")
        second.identity.poll()
        try second.identity.service.settle()
        #expect(try await again.send(Self.login("ann", "4711")).status == 200)
        await second.stop()
        loop.stop()
    }

    @Test func wrongPINsOfAStrangerShutNobodyOutAtHisTerminalOrWhereHisTokenIsKept() async throws {
        let store = try AccessStore.open(dataDirectory: directory.path, time: time)
        let (key, stored) = try store.addKey(forDevice: "T1")
        let hub = try await start()
        let client = try self.client(hub)
        func login(_ pin: String, _ headers: HTTPHeaders) async throws -> HTTPResponse {
            var request = Self.login("ann", pin)
            request.headers = headers
            return try await client.send(request)
        }
        let first = try await login("4711", ["x-api-key": key])
        let token = try #require(Self.json(first)["token"]?.string)
        // A stranger, who shows nothing, a key of his own making, or somebody else's token.
        let bobs = Self.json(try await client.send(Self.login("bob", "4711")))["token"]?.string ?? ""
        let forged = String(token.dropLast(4)) + "AAAA"
        let shows: [HTTPHeaders] = [
            [:], ["x-api-key": "k.made.up"], ["authorization": bobs], ["authorization": forged], ["authorization": "x"],
        ]
        for headers in shows { #expect(try await login("0815", headers).status == 401) }
        // They are all one place.
        for headers in shows { #expect(try await login("0815", headers).status == 429) }
        #expect(try await login("4711", [:]).status == 429)
        try hub.identity.service.settle()
        #expect(try store.signInLocks().map(\.place) == ["this machine"])
        // Her terminal and whoever has a token of hers are others.
        #expect(try await login("4711", ["x-api-key": key]).status == 200)
        #expect(try await login("4711", ["authorization": token]).status == 200)
        // There too four may be wrong.
        for _ in 0..<5 { #expect(try await login("0815", ["x-api-key": key]).status == 401) }
        #expect(try await login("4711", ["x-api-key": key]).status == 429)
        #expect(try await login("4711", ["authorization": token]).status == 200)
        try hub.identity.service.settle()
        #expect(try store.signInLocks().map(\.place) == ["key \(stored.id)", "this machine"])
        // A restart forgets none of it.
        await hub.stop()
        let second = try await start()
        let again = try self.client(second)
        var request = Self.login("ann", "4711")
        request.headers = ["x-api-key": key]
        #expect(try await again.send(request).status == 429)
        // A token of hers that was made under another PIN says nothing of where it is any more.
        request.headers = ["authorization": token]
        #expect(try await again.send(request).status == 200)
        try store.setPIN(badge: "ann", pin: "2580", parameters: AccessStoreTests.cheap)
        second.identity.poll()
        try second.identity.service.settle()
        #expect(try store.signInLocks().isEmpty)
        for _ in 0..<5 { #expect(try await again.send(Self.login("ann", "0815")).status == 401) }
        request.headers = ["authorization": token]
        #expect(try await again.send(request).status == 429)
        await second.stop()
        loop.stop()
    }

    @Test func whoeverIsRefusedCannotFillTheLog() async throws {
        let lines = Locked<[String]>([])
        let hub = try await start { options in
            options.log = Log(level: .warning) { _, line in lines.withLock { $0.append(line) } }
        }
        let client = try self.client(hub)
        for _ in 0..<20 { _ = try await client.send(Self.login("ann", "0815")) }
        #expect(lines.current.contains { $0.contains("sign-in refused: badge ann") })
        #expect(lines.current.contains { $0.contains("sign-in held back: badge ann") })
        for number in 0..<200 { _ = try await client.send(Self.login("x\(number)", "0815")) }
        #expect(lines.current.count { $0.contains("sign-in") } == LogAllowance.burst)
        await hub.stop()
        loop.stop()
    }

    @Test(arguments: [
        "", "[]", "{}", "{\"badge\":\"ann\"}", "{\"badge\":1,\"pin\":\"4711\"}", "{\"badge\":\"\",\"pin\":\"4711\"}",
        "{\"badge\":\"ann\",\"pin\":\"" + String(repeating: "9", count: 5000) + "\"}",
    ])
    func whatIsNoSignInIsRefusedAsJSON(_ text: String) async throws {
        let hub = try await start()
        let answer = try await client(hub).send(HTTPRequest(path: "/login", body: Array(text.utf8)))
        #expect(answer.status == 400)
        #expect(Self.json(answer)["errorType"] == "BadRequestException")
        #expect(Self.json(answer)["message"]?.string?.isEmpty == false)
        await hub.stop()
        loop.stop()
    }

    @Test func aDeviceWithAKeyOfItsOwnSignsPeopleInOnlyWithIt() async throws {
        let store = try AccessStore.open(dataDirectory: directory.path, time: time)
        let (key, _) = try store.addKey(forDevice: "T1")
        let hub = try await start()
        let client = try self.client(hub)
        let without = try await client.send(Self.login("ann", "4711", ["device": "T1"]))
        #expect(without.status == 401)
        var request = Self.login("ann", "4711")
        request.headers = ["x-api-key": key]
        let with = Self.json(try await client.send(request))
        let token = try JSONWebToken(parsing: try #require(with["token"]?.string))
        #expect(token.claims["device"] == "T1")
        await hub.stop()
        loop.stop()
    }

    /// Counted, not timed: while the thread of sign-ins is held, commits go on, and the queue has an end.
    @Test func signInsHoldUpNoCommitAndTheirQueueIsBounded() async throws {
        let gate = ThreadGate()
        let checked = Locked(0)
        let hub = try await start { options in
            options.identity.limits.placeBurst = 1000
            options.identity.verify = { verifier, pin in
                gate.wait()
                checked.withLock { $0 += 1 }
                // The others' scrypt would take its time, and is not what is counted here.
                return verifier.parameters == AccessStoreTests.cheap && verifier.accepts(pin)
            }
        }
        let client = try self.client(hub)
        let limit = SignInGate.Limits().waitingStrangers
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<limit + 16 {
                group.addTask { try await client.send(Self.login(number == 0 ? "ann" : "x\(number)", "4711")).status }
            }
            // Those beyond the queue are answered while all others still wait.
            var early: [Int] = []
            while early.count < 16, let status = try await group.next() { early.append(status) }
            #expect(early == Array(repeating: 503, count: 16))
            #expect(checked.current == 0)
            for number in 0..<50 {
                let body: JSONValue = [
                    "query": .string("mutation { createNote(input: {title: \"\(number)\"}) { id } }")
                ]
                let answer = try await client.send(
                    HTTPRequest(path: "/graphql", headers: ["x-api-key": "all"], body: body.bytes))
                #expect(answer.status == 200)
            }
            #expect(checked.current == 0)
            gate.open()
            var late: [Int] = []
            while let status = try await group.next() { late.append(status) }
            return late
        }
        #expect(checked.current == limit)
        #expect(statuses.count { $0 == 200 } == 1)
        #expect(statuses.count { $0 == 401 } == limit - 1)
        await hub.stop()
        loop.stop()
    }

    @Test func aKeyThatACommandWithdrawsEndsAnOpenSubscriptionByItself() async throws {
        let store = try AccessStore.open(dataDirectory: directory.path, time: time)
        let (key, stored) = try store.addKey(groups: ["everyone"], name: "")
        let hub = try await start()
        let authorization = RealtimeAuthorization(host: "h", apiKey: key)
        var options = WebSocketClientOptions(try URLParts(hub.url.replacing("http:", with: "ws:")))
        options.subprotocols = ["graphql-ws", authorization.subprotocol]
        let (socket, events) = WebSocketClient.connect(loop: loop, options: options)
        var types: [String] = []
        var closeCode: UInt16?
        for await event in events {
            switch event {
            case .opened: socket.send(RealtimeFrame.connectionInit.bytes)
            case .text(let bytes):
                let type = (try JSONValue(parsing: Array(bytes)))["type"]?.string ?? ""
                types.append(type)
                if type == "connection_ack" {
                    socket.send(
                        RealtimeFrame.start(
                            id: "1", data: "{\"query\":\"subscription { onCreateNote { id } }\"}",
                            authorization: authorization
                        ).bytes)
                } else if type == "start_ack" {
                    // As `bincount hub key revoke` does it, in another process.
                    try store.revokeKey(stored.id)
                }
            case .closed(let code, _): closeCode = code
            case .failed: break
            }
        }
        // A slow machine sees more of those that keep it alive.
        #expect(types.filter { $0 != "ka" } == ["connection_ack", "start_ack", "error", "complete"])
        #expect(closeCode == 1008)
        await hub.stop()
        loop.stop()
    }
}

/// Holds threads until it is opened.
final class ThreadGate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func wait() {
        semaphore.wait()
        // The next one goes at once.
        semaphore.signal()
    }

    func open() { semaphore.signal() }
}
