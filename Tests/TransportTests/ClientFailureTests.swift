import Basics
import Glibc
import Synchronization
import System
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(5)))
struct ClientFailureTests {
    let loop = try! WebSocketLoop(name: "client")

    /// A port where nobody listens: one that was just given back.
    private func deadPort() throws -> Int {
        let server = try HTTPServer(handler: TestHandler())
        defer { server.stop() }
        return server.port
    }

    @Test func `a refused connection is an error soon`() async throws {
        let port = try deadPort()
        let client = try HTTPClient(loop: loop, origin: URLParts(scheme: "http", host: "127.0.0.1", port: port))
        await #expect {
            try await client.send(HTTPRequest(path: "/"))
        } throws: {
            guard case .cannotConnect("127.0.0.1:\(port)", _)? = $0 as? TransportError else { return false }
            return true
        }
        let (_, events) = WebSocketClient.connect(
            loop: loop, options: WebSocketClientOptions(URLParts(scheme: "ws", host: "127.0.0.1", port: port)))
        var seen: [WebSocketEvent] = []
        for await event in events { seen.append(event) }
        guard seen.count == 1, case .failed(.cannotConnect) = seen[0] else {
            Issue.record("\(seen)")
            return
        }
    }

    @Test func `a name that does not exist is an error soon`() async throws {
        let client = try HTTPClient(loop: loop, origin: try URLParts("http://no-such-host.invalid/"))
        await #expect {
            try await client.send(HTTPRequest(path: "/"))
        } throws: {
            guard case .cannotConnect? = $0 as? TransportError else { return false }
            return true
        }
    }

    @Test func `the name localhost leads to the server`() async throws {
        let server = try HTTPServer(host: "localhost", handler: TestHandler())
        let client = try HTTPClient(loop: loop, origin: try URLParts("http://localhost:\(server.port)"))
        #expect(try await client.send(HTTPRequest(path: "/", body: [1])).body == [1])
        server.stop()
    }

    @Test func `cancelling ends the exchange at once and the client goes on`() async throws {
        let arrived = Waiter<HTTPResponder>()
        let handler = TestHandler { request, responder in
            if request.path == "/wait" { arrived.add(responder) } else { responder.respond(.text(200, request.path)) }
        }
        let server = try HTTPServer(handler: handler)
        var options = HTTPClientOptions()
        options.maximumConnections = 1
        let client = try HTTPClient(loop: loop, origin: server.origin, options: options)
        let running = Task { try await client.send(HTTPRequest(path: "/wait")) }
        let responder = await arrived.next()
        let queued = Task { try await client.send(HTTPRequest(path: "/queued")) }
        queued.cancel()
        await #expect(throws: TransportError.cancelled) { try await queued.value }
        running.cancel()
        await #expect(throws: TransportError.cancelled) { try await running.value }
        responder.respond(.text(200, "too late"))
        #expect(try await client.send(HTTPRequest(path: "/after")).body == Array("/after".utf8))
        server.stop()
    }

    @Test func `an exchange that takes too long fails and the next one works`() async throws {
        let handler = TestHandler { request, responder in
            if request.path != "/never" { responder.respond(.text(200, "well")) }
        }
        let server = try HTTPServer(handler: handler)
        let client = try HTTPClient(loop: loop, origin: server.origin)
        await #expect(throws: TransportError.timedOut) {
            try await client.send(HTTPRequest(path: "/never"), timeoutMilliseconds: 20)
        }
        #expect(try await client.send(HTTPRequest(path: "/")).status == 200)
        server.stop()
    }

    @Test func `a server that accepts and says nothing does not hold a WebSocket for ever`() async throws {
        let listener = try SilentListener()
        var options = WebSocketClientOptions(URLParts(scheme: "ws", host: "127.0.0.1", port: listener.port))
        options.connectMilliseconds = 20
        let (_, events) = WebSocketClient.connect(loop: loop, options: options)
        var seen: [WebSocketEvent] = []
        for await event in events { seen.append(event) }
        #expect(seen == [.failed(.timedOut)])
    }

    @Test func `after a restart on the same port the client connects again`() async throws {
        let first = try HTTPServer(handler: TestHandler())
        let port = first.port
        let client = try HTTPClient(loop: loop, origin: first.origin)
        let (_, events) = WebSocketClient.connect(loop: loop, options: first.webSocketOptions())
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == .opened(subprotocol: "graphql-ws"))
        #expect(try await client.send(HTTPRequest(path: "/", body: [1])).body == [1])
        first.stop()
        #expect(await iterator.next() == .closed(code: 1006, reason: ""))
        await #expect(throws: TransportError.self) { try await client.send(HTTPRequest(path: "/")) }
        let second = try HTTPServer(port: port, handler: TestHandler())
        #expect(second.port == port)
        #expect(try await client.send(HTTPRequest(path: "/", body: [2])).body == [2])
        let (_, again) = WebSocketClient.connect(loop: loop, options: second.webSocketOptions())
        var secondIterator = again.makeAsyncIterator()
        #expect(await secondIterator.next() == .opened(subprotocol: "graphql-ws"))
        second.stop()
    }

    @Test func `a server that dies under a request is an error`() async throws {
        let arrived = Waiter<Int>()
        let server = try HTTPServer(handler: TestHandler { _, _ in arrived.add(1) })
        let client = try HTTPClient(loop: loop, origin: server.origin)
        let running = Task { try await client.send(HTTPRequest(path: "/")) }
        _ = await arrived.next()
        server.stop()
        await #expect(throws: TransportError.connectionLost) { try await running.value }
    }

    @Test func `a taken port is told in the system's words`() throws {
        let server = try HTTPServer(handler: TestHandler())
        #expect(throws: TransportError.cannotListen("127.0.0.1:\(server.port)", reason: "Address already in use")) {
            try HTTPServer(port: server.port, handler: TestHandler())
        }
        #expect(throws: TransportError.self) { try HTTPServer(host: "192.0.2.1", handler: TestHandler()) }
        server.stop()
    }

    @Test func `stopping the loop ends everything that is under way`() async throws {
        let server = try HTTPServer(handler: TestHandler { _, _ in })
        let loop = try WebSocketLoop(name: "stopped")
        let client = try HTTPClient(loop: loop, origin: server.origin)
        let arrived = Waiter<Result<HTTPResponse, TransportError>>()
        for _ in 0..<10 { client.send(HTTPRequest(path: "/")) { arrived.add($0) } }
        // The loop has taken all of them when this returns.
        try await loop.run {}
        loop.stop()
        for _ in 0..<10 {
            guard case .failure(.stopped) = await arrived.next() else {
                Issue.record("an exchange outlived its loop")
                return
            }
        }
        await #expect(throws: TransportError.stopped) { try await client.send(HTTPRequest(path: "/")) }
        let (_, events) = WebSocketClient.connect(loop: loop, options: server.webSocketOptions())
        for await event in events { #expect(event == .failed(.stopped)) }
        server.stop()
    }

    @Test func `timers fire once or again and again, and can be cancelled`() async throws {
        let fired = Waiter<String>()
        let timers = Mutex<[LoopTimer]>([])
        let count = Mutex(0)
        try await loop.run { [loop] in
            let never = loop.schedule(afterMilliseconds: 1) { fired.add("never") }
            never.cancel()
            let again = loop.schedule(afterMilliseconds: 1, repeating: true) {
                let number = count.withLock { count in
                    count += 1
                    return count
                }
                if number <= 3 { fired.add("again") }
            }
            let once = loop.schedule(afterMilliseconds: 2) { fired.add("once") }
            timers.withLock { $0 = [never, again, once] }
        }
        var seen: [String] = []
        for _ in 0..<4 { seen.append(await fired.next()) }
        #expect(seen.sorted() == ["again", "again", "again", "once"])
        timers.withLock { $0 = [] }
    }

    @Test func `an actor can live on the loop`() async throws {
        let actor = OnLink(loop)
        #expect(await actor.isHome())
        #expect(try await loop.run { actor.assumeIsolated { $0.loop.isCurrent } })
    }
}

private actor OnLink {
    let loop: WebSocketLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(_ loop: WebSocketLoop) {
        self.loop = loop
    }

    func isHome() -> Bool { loop.isCurrent }
}

/// Takes connections (the system does it for a listening socket) and never answers.
private final class SilentListener {
    let descriptor: Int32
    let port: Int

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) + listen(descriptor, 5) + getsockname(descriptor, $0, &size)
            }
        }
        try #require(code == 0)
        port = Int(in_port_t(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}
