import Basics
import Glibc
import Testing

@testable import Transport

@Suite("Readers that are slow, and those that are not")
struct SlowReaderTests {
    private func connected(_ options: HTTPServerOptions) async throws -> (
        server: HTTPServer, handler: TestHandler, raw: RawSocket, socket: WebSocketConnection
    ) {
        let handler = TestHandler(echoes: false)
        let server = try HTTPServer(handler: handler, options: options)
        // A small window, so that the server's writes are blocked whatever the system's buffers are.
        let raw = try RawSocket(port: server.port, receiveBuffer: 10_000)
        raw.send(upgradeRequest)
        #expect(raw.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 101 "))
        _ = await handler.events.next()
        return (server, handler, raw, try #require(handler.sockets.withLock { $0.first }))
    }

    /// Sends frames until the connection gives up or there are none left; the most bytes that waited.
    private func send(
        _ count: Int, of size: Int, to socket: WebSocketConnection, _ server: HTTPServer
    ) async throws -> Int {
        try await server.loop.run {
            var most = 0
            for number in 0..<count {
                socket.send(WebSocketFrame(text: Array(repeating: UInt8(number % 128), count: size)))
                server.loop.core.flushDirty()
                most = max(most, socket.queuedBytes)
            }
            return most
        }
    }

    @Test func aBurstThatIsReadIsDeliveredWhole() async throws {
        // Far more than a slow reader may leave, at once.
        var options = HTTPServerOptions()
        // How fast this machine is today is no matter of the test.
        options.slowMilliseconds = 3_600_000
        let (server, handler, raw, socket) = try await connected(options)
        let (count, size) = (600, 20_000)
        let most = try await send(count, of: size, to: socket, server)
        #expect(most > options.slowBytes)
        var decoder = WebSocketDecoder(expectsMask: false, maximumMessageBytes: 1 << 20)
        var chunk = [UInt8](repeating: 0, count: 64_000)
        var firsts: [UInt8] = []
        while firsts.count < count {
            let received = recv(raw.descriptor, &chunk, chunk.count, 0)
            guard received > 0 else { break }
            chunk.withUnsafeBytes { decoder.append(UnsafeRawBufferPointer(rebasing: $0[..<received])) }
            while let event = decoder.next() {
                guard case .text(let text) = event else {
                    Issue.record("\(event)")
                    return
                }
                firsts.append(text[0])
            }
        }
        #expect(firsts == (0..<count).map { UInt8($0 % 128) })
        server.stop()
        _ = handler
    }

    @Test func aReaderThatStaysBehindIsClosed() async throws {
        var options = HTTPServerOptions()
        options.slowBytes = 200_000
        options.slowMilliseconds = 0
        let (server, handler, raw, socket) = try await connected(options)
        let most = try await send(2000, of: 50_000, to: socket, server)
        #expect(most > 200_000 && most <= 300_000)
        #expect(await handler.events.next() == .closed(1011, "the reader is too slow"))
        _ = raw
        server.stop()
    }

    @Test func allReadersTogetherHaveALimit() async throws {
        var options = HTTPServerOptions()
        options.maximumHeldBytes = 2_000_000
        let (server, handler, raw, socket) = try await connected(options)
        let most = try await send(2000, of: 50_000, to: socket, server)
        #expect(most > 0 && most <= 2_100_000)
        #expect(await handler.events.next() == .closed(1011, "the reader is too slow"))
        _ = raw
        server.stop()
    }

    /// Answers count with the messages of WebSockets: who asks for much and does not read goes when there is too much in
    /// all, and not whoever asks next.
    @Test func answersThatNobodyReadsHaveTheSameLimit() async throws {
        var options = HTTPServerOptions()
        options.held = HeldBytes.Sum()
        options.maximumHeldBytes = 24 << 20
        let size = 10 << 20
        let server = try HTTPServer(
            handler: TestHandler { _, responder in
                responder.respond(HTTPResponse(status: 200, body: [UInt8](repeating: 97, count: size)))
            }, options: options)
        var stuck: [RawSocket] = []
        for _ in 0..<5 {
            let raw = try RawSocket(port: server.port, receiveBuffer: 4_096)
            raw.send("GET / HTTP/1.1\r\n\r\n")
            #expect(raw.read(until: "\r\n").hasPrefix("HTTP/1.1 200 "))
            stuck.append(raw)
        }
        let client = try HTTPClient(loop: try WebSocketLoop(name: "reader"), origin: server.origin)
        #expect(try await client.send(HTTPRequest(path: "/")).body.count == size)
        // What the system holds still comes, and then the end.
        for raw in stuck.prefix(3) { #expect(raw.readAll().utf8.count < size) }
        #expect(options.held.total <= options.maximumHeldBytes)
        server.stop()
    }

    @Test func bytesAreHeldOnceHoweverManyWaitForThem() {
        let sum = HeldBytes.Sum()
        var frame: WebSocketFrame? = WebSocketFrame(text: Array(repeating: UInt8(97), count: 10_000), heldIn: sum)
        let size = frame?.count
        var copies = Array(repeating: frame, count: 50)
        frame = nil
        #expect(sum.total == size && copies.count == 50)
        copies = []
        #expect(sum.total == 0)
    }

    @Test func theFirstSubprotocolThatBothKnowIsChosen() {
        func chosen(_ offered: String...) -> String? {
            var headers: HTTPHeaders = [:]
            for item in offered { headers.append("sec-websocket-protocol", item) }
            return WebSocketHandshake.chosen(of: ["graphql-transport-ws", "graphql-ws"], headers)
        }
        #expect(chosen("graphql-ws") == "graphql-ws")
        #expect(chosen("graphql-ws, header-e30") == "graphql-ws")
        #expect(chosen("graphql-ws,graphql-transport-ws") == "graphql-transport-ws")
        #expect(chosen("graphql-ws", "graphql-transport-ws") == "graphql-transport-ws")
        #expect(chosen("mqtt") == nil)
        #expect(chosen() == nil)
    }
}
