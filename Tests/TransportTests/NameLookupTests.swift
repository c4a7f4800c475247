import Basics
import Glibc
import System
import Testing

@testable import Transport

/// Host names are looked up where nobody waits for them.
@Suite(.timeLimit(.minutes(5)))
struct NameLookupTests {
    /// A name server that says nothing before it is asked to.
    private final class AwayServer: Sendable {
        private let ends: [Int32]
        let asked = Locked<[String]>([])

        init() {
            var ends: [Int32] = [0, 0]
            pipe(&ends)
            self.ends = ends
        }

        deinit { for end in ends { close(end) } }

        func answer() {
            var byte: UInt8 = 1
            write(ends[1], &byte, 1)
        }

        func wait(for host: String) -> NameLookup.Answer {
            asked.withLock { $0.append(host) }
            var byte: UInt8 = 0
            read(ends[0], &byte, 1)
            return .success(["127.0.0.1"])
        }
    }

    private func loop(_ find: @escaping @Sendable (String) -> NameLookup.Answer) throws -> WebSocketLoop {
        try WebSocketLoop(name: "client", listener: nil, names: NameLookup(find)) { _ in }
    }

    private func named(_ server: HTTPServer, _ name: String = "hub.example") -> URLParts {
        URLParts(scheme: "http", host: name, port: server.port)
    }

    @Test func `a name server that is away holds up nobody else, and no timer`() async throws {
        let away = AwayServer()
        let loop = try loop { away.wait(for: $0) }
        let server = try HTTPServer(handler: TestHandler())
        let bad = try HTTPClient(loop: loop, origin: named(server))
        let waiting = Task { try await bad.send(HTTPRequest(path: "/", body: [1])) }
        while away.asked.current.isEmpty { await Task.yield() }
        let good = try HTTPClient(loop: loop, origin: server.origin)
        #expect(try await good.send(HTTPRequest(path: "/", body: [2])).body == [2])
        await #expect(throws: TransportError.timedOut) {
            try await bad.send(HTTPRequest(path: "/"), timeoutMilliseconds: 20)
        }
        // Whoever waits for the same name shares the answer.
        away.answer()
        #expect(try await waiting.value.body == [1])
        #expect(away.asked.current == ["hub.example"])
        server.stop()
        loop.stop()
    }

    @Test func `who gives up meanwhile is told so at once, and so is who waits when the loop stops`() async throws {
        let away = AwayServer()
        let loop = try loop { away.wait(for: $0) }
        let server = try HTTPServer(handler: TestHandler())
        var options = HTTPClientOptions()
        options.connectMilliseconds = 20
        let hasty = try HTTPClient(loop: loop, origin: named(server), options: options)
        await #expect {
            try await hasty.send(HTTPRequest(path: "/"))
        } throws: {
            $0 as? TransportError
                == .cannotConnect("hub.example:\(server.port)", reason: "the name could not be looked up in time")
        }
        var socket = server.webSocketOptions()
        socket.url.host = "hub.example"
        let (client, events) = WebSocketClient.connect(loop: loop, options: socket)
        client.close()
        for await event in events { #expect(event == .failed(.cancelled)) }
        let patient = try HTTPClient(loop: loop, origin: named(server))
        let ended = Waiter<Result<HTTPResponse, TransportError>>()
        patient.send(HTTPRequest(path: "/")) { ended.add($0) }
        let (_, others) = WebSocketClient.connect(loop: loop, options: socket)
        try await loop.run {}
        loop.stop()
        guard case .failure(.stopped) = await ended.next() else {
            Issue.record("an exchange outlived its loop")
            return
        }
        for await event in others { #expect(event == .failed(.stopped)) }
        // An answer that comes after all is nobody's.
        away.answer()
        server.stop()
    }

    @Test func `addresses are tried one after the other`() async throws {
        let server = try HTTPServer(handler: TestHandler())
        let loop = try loop { _ in .success(["127.0.0.2", "127.0.0.3", "127.0.0.1"]) }
        let client = try HTTPClient(loop: loop, origin: named(server))
        #expect(try await client.send(HTTPRequest(path: "/", body: [1])).body == [1])
        var socket = server.webSocketOptions()
        socket.url.host = "hub.example"
        let (_, events) = WebSocketClient.connect(loop: loop, options: socket)
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == .opened(subprotocol: "graphql-ws"))
        server.stop()
        // None of them does now.
        await #expect {
            try await client.send(HTTPRequest(path: "/"))
        } throws: {
            guard case .cannotConnect? = $0 as? TransportError else { return false }
            return true
        }
        loop.stop()
    }

    @Test func `a name without an address is told of with the reason`() async throws {
        let loop = try loop { _ in .failure(NameFailure(description: "nobody knows it")) }
        let client = try HTTPClient(loop: loop, origin: URLParts(scheme: "http", host: "hub.example", port: 1))
        await #expect(throws: TransportError.cannotConnect("hub.example:1", reason: "nobody knows it")) {
            try await client.send(HTTPRequest(path: "/"))
        }
        loop.stop()
    }

    @Test func `an address is known without asking`() {
        #expect(SystemNames.address("127.0.0.1") == "127.0.0.1")
        #expect(SystemNames.address("::1") == "::1")
        #expect(SystemNames.address("localhost") == nil)
        #expect((try? SystemNames.addresses(of: "localhost").get())?.contains("127.0.0.1") == true)
        #expect(throws: NameFailure.self) { try SystemNames.addresses(of: "no-such-host.invalid").get() }
    }
}
