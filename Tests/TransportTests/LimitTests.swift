import Basics
import Glibc
import System
import Testing

@testable import Transport

struct DescriptorLimitTests {
    @Test func `a server takes as many connections as there are descriptors for, and keeps some for files`() {
        let wanted = 10_000
        let cases = [(11_000, 10_000), (65_536, 10_000), (10_999, 9_999), (2_000, 1_000), (1_024, 512), (2, 1)]
        for (hard, taken) in cases {
            #expect(DescriptorLimit.connections(of: wanted, hardLimit: rlim_t(hard)) == taken, "\(hard)")
        }
        #expect(DescriptorLimit.connections(of: wanted, hardLimit: rlim_t.max) == wanted, "no limit")
        #expect(DescriptorLimit.connections(of: 10, hardLimit: 64) == 10)
    }
}

struct AddressCensusTests {
    private func limits(connections: Int = 3, handshakes: Int = 2, perSecond: Int = 10, burst: Int = 5) -> AddressLimits
    {
        var limits = AddressLimits()
        limits.connections = connections
        limits.handshakes = handshakes
        limits.perSecond = perSecond
        limits.burst = burst
        return limits
    }

    @Test func `an address has so many connections, and so many that are still agreeing`() {
        var census = AddressCensus(limits())
        let first = [census.admit("a", now: 0), census.admit("a", now: 0)]
        #expect(first == [true, true])
        let admitted1 = census.admit("a", now: 0)
        #expect(!admitted1, "two are still agreeing")
        census.agreed("a")
        let admitted2 = census.admit("a", now: 0)
        #expect(admitted2)
        census.agreed("a")
        let admitted3 = census.admit("a", now: 0)
        #expect(!admitted3, "three are connected")
        let admitted4 = census.admit("b", now: 0)
        #expect(admitted4, "others are not concerned")
        census.left("a", wasAgreed: false)
        let admitted5 = census.admit("a", now: 0)
        #expect(admitted5)
    }

    @Test func `connections may be begun at a pace, whatever becomes of them`() {
        var census = AddressCensus(limits(connections: 100, handshakes: 100))
        func attempt(_ now: Int64) -> Bool {
            let isAdmitted = census.admit("a", now: now)
            if isAdmitted { census.left("a", wasAgreed: false) }
            return isAdmitted
        }
        let burst = (0..<6).map { _ in attempt(0) }
        #expect(burst == [true, true, true, true, true, false])
        let paced = [attempt(99), attempt(100), attempt(100)]
        #expect(paced == [false, true, false])
        let rested = (0..<6).map { _ in attempt(10_000) }
        #expect(rested == burst)
    }

    @Test func `whoever is gone is forgotten when he would be admitted like a newcomer`() {
        var census = AddressCensus(limits())
        _ = (census.admit("a", now: 0), census.admit("b", now: 0))
        census.left("a", wasAgreed: false)
        census.forget(now: 50)
        #expect(census.remembered == 2)
        census.forget(now: 101)
        #expect(census.remembered == 1)
    }

    @Test(arguments: [
        ("127.0.0.1", nil), ("::1", nil), ("::ffff:127.0.0.1", nil), ("", nil), ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"), ("2001:db8::9", "2001:db8::/64"),
    ])
    func `one host of IPv6 has many addresses and one key`(address: String, key: String?) {
        #expect(AddressCensus.key(address) == key)
    }
}

/// What a stranger can send, and what it gets him.
@Suite(.timeLimit(.minutes(5)))
struct StrangerTests {
    @Test func `a head that trickles in is answered with 408 before a body would be`() throws {
        var options = HTTPServerOptions()
        options.headMilliseconds = 1
        let server = try HTTPServer(handler: TestHandler(), options: options)
        let raw = try RawSocket(port: server.port)
        raw.send("POST / HTTP/1.1\r\nHos")
        #expect(raw.readAll().hasPrefix("HTTP/1.1 408 "))
        server.stop()
    }

    @Test func `a request behind another is under the same time limit`() throws {
        var options = HTTPServerOptions()
        // The first must be read within it.
        options.headMilliseconds = 500
        let server = try HTTPServer(handler: TestHandler(), options: options)
        let raw = try RawSocket(port: server.port)
        raw.send("GET / HTTP/1.1\r\n\r\nGET / HT")
        let text = raw.readAll()
        #expect(text.hasPrefix("HTTP/1.1 200 ") && text.contains("HTTP/1.1 408 "))
        server.stop()
    }

    @Test(arguments: [[0x81, 0x85, 1, 2, 3, 4, 97], [0x01, 0x81, 0, 0, 0, 0, 97], [0x81]] as [[UInt8]])
    func `a message that never becomes whole closes its WebSocket`(frame: [UInt8]) async throws {
        var options = HTTPServerOptions()
        options.requestMilliseconds = 1
        let handler = TestHandler()
        let server = try HTTPServer(handler: handler, options: options)
        let raw = try RawSocket(port: server.port)
        raw.send(
            Array("GET /graphql HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n".utf8)
                + Array("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".utf8))
        _ = raw.read(until: "\r\n\r\n")
        raw.send(frame)
        _ = await handler.events.next()
        #expect(await handler.events.next() == .closed(1008, "a message did not arrive in time"))
        server.stop()
    }

    @Test func `what all together have begun and not finished is bounded`() throws {
        var options = HTTPServerOptions()
        options.maximumIncomingBytes = 100_000
        let server = try HTTPServer(handler: TestHandler(), options: options)
        for _ in 0..<3 {
            // Refused, and gone from the sum: the next one is judged alike.
            let raw = try RawSocket(port: server.port)
            raw.send(
                Array("POST / HTTP/1.1\r\nContent-Length: 150000\r\n\r\n".utf8)
                    + [UInt8](repeating: 1, count: 120_000))
            #expect(raw.readAll().hasPrefix("HTTP/1.1 503 "))
        }
        let third = try RawSocket(port: server.port)
        third.send("POST / HTTP/1.1\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
        #expect(third.readAll().hasSuffix("x"))
        server.stop()
    }

    /// A server that answers `/held` when the test says so, and all else at once.
    private func holdingServer(_ held: Waiter<HTTPResponder>, _ options: HTTPServerOptions) throws -> HTTPServer {
        try HTTPServer(
            handler: TestHandler { request, responder in
                if request.path == "/held" { return held.add(responder) }
                responder.respond(HTTPResponse(status: 200, body: [120]))
            }, options: options)
    }

    /// Sends 60,000 bytes.
    private static func post(_ path: String, to server: HTTPServer) throws -> RawSocket {
        let raw = try RawSocket(port: server.port)
        raw.send(
            Array("POST \(path) HTTP/1.1\r\nContent-Length: 60000\r\nConnection: close\r\n\r\n".utf8)
                + [UInt8](repeating: 1, count: 60_000))
        return raw
    }

    @Test func `what waits for its answer counts too, until that is given`() async throws {
        var options = HTTPServerOptions()
        options.maximumIncomingBytes = 100_000
        let held = Waiter<HTTPResponder>()
        let server = try holdingServer(held, options)
        func post(_ path: String) throws -> RawSocket { try Self.post(path, to: server) }
        let first = try post("/held")
        let responder = await held.next()
        for _ in 0..<2 { #expect(try post("/held").readAll().hasPrefix("HTTP/1.1 503 ")) }
        responder.respond(HTTPResponse(status: 200, body: [121]))
        #expect(first.readAll().hasSuffix("y"))
        #expect(try post("/").readAll().hasSuffix("x"))
        server.stop()
    }

    /// Its client has gone; whoever works on it has it still.
    @Test(arguments: [true, false])
    func `what nobody waits for any more counts until it is answered or dropped`(_ isAnswered: Bool) async throws {
        var options = HTTPServerOptions()
        options.maximumIncomingBytes = 100_000
        // So that the next is let in when the first has gone, and not before.
        options.maximumConnections = 1
        let held = Waiter<HTTPResponder>()
        let server = try holdingServer(held, options)
        func post(_ path: String) throws -> RawSocket { try Self.post(path, to: server) }
        func answer() throws -> String {
            while true {
                let text = try post("/").readAll()
                if !text.isEmpty { return text }
            }
        }
        var first: RawSocket? = try post("/held")
        var responder: HTTPResponder? = await held.next()
        first?.reset()
        first = nil
        for _ in 0..<2 { #expect(try answer().hasPrefix("HTTP/1.1 503 ")) }
        if isAnswered { responder?.respond(HTTPResponse(status: 200)) } else { responder = nil }
        #expect(try answer().hasSuffix("x"))
        #expect(isAnswered == (responder != nil))
        server.stop()
    }

    @Test func `who asks again and again and never reads fills no memory`() async throws {
        let asked = Counter()
        let handler = TestHandler { _, responder in
            _ = asked.next()
            responder.respond(HTTPResponse(status: 200, body: [UInt8](repeating: 97, count: 1 << 20)))
        }
        let server = try HTTPServer(handler: handler)
        let raw = try RawSocket(port: server.port, receiveBuffer: 4_096)
        raw.send(String(repeating: "GET / HTTP/1.1\r\n\r\n", count: 1_000))
        // Another client's answer says that the server had its turn; a thousand answers would be a gigabyte.
        let client = try HTTPClient(loop: try WebSocketLoop(name: "other"), origin: server.origin)
        for _ in 0..<5 { _ = try await client.send(HTTPRequest(path: "/")) }
        #expect(asked.next() < 40)
        server.stop()
    }
}
