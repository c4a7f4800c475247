import Basics
import Glibc
import Synchronization
import System
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(5)))
struct WebSocketTests {
    let loop = try! WebSocketLoop(name: "client")

    @Test func `messages of every size come back as they were`() async throws {
        let server = try HTTPServer(handler: TestHandler())
        let (client, events) = WebSocketClient.connect(loop: loop, options: server.webSocketOptions())
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == .opened(subprotocol: "graphql-ws"))
        for count in [0, 1, 125, 126, 65_535, 65_536, 100_000, 1_000_000] {
            let text = (0..<count).map { UInt8(97 + $0 % 26) }
            client.send(text)
            #expect(await iterator.next() == .text(text))
        }
        client.close(code: 1000, reason: "done")
        #expect(await iterator.next() == .closed(code: 1000, reason: "done"))
        #expect(await iterator.next() == nil)
        server.stop()
    }

    @Test func `AppSync's long offer of subprotocols is answered with graphql-ws alone`() async throws {
        let handler = TestHandler()
        let server = try HTTPServer(handler: handler)
        let header = "header-" + Base64.encodeURL(Array(repeating: UInt8(ascii: "x"), count: 2000))
        var options = server.webSocketOptions("/graphql/realtime", query: "header=%7B%22a%22%3A1%7D&payload=e30=")
        options.subprotocols = ["graphql-ws", header]
        options.headers = ["x-api-key": "k-1"]
        let (_, events) = WebSocketClient.connect(loop: loop, options: options)
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == .opened(subprotocol: "graphql-ws"))
        #expect(
            await handler.events.next()
                == .opened(1, query: "{\"a\":1}", protocols: "graphql-ws, " + header, key: "k-1"))
        server.stop()
    }

    @Test func `a client that offers no subprotocol is accepted without one`() async throws {
        let server = try HTTPServer(handler: TestHandler())
        var options = server.webSocketOptions()
        options.subprotocols = []
        let (_, events) = WebSocketClient.connect(loop: loop, options: options)
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == .opened(subprotocol: nil))
        server.stop()
    }

    @Test func `elsewhere an upgrade is an ordinary request`() async throws {
        let server = try HTTPServer(handler: TestHandler { _, responder in responder.respond(.text(404, "no")) })
        let (_, events) = WebSocketClient.connect(loop: loop, options: server.webSocketOptions("/other"))
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == .failed(.upgradeRefused(status: 404)))
        server.stop()
    }

    @Test func `the server's close code and reason arrive`() async throws {
        let handler = TestHandler()
        let server = try HTTPServer(handler: handler)
        let (_, events) = WebSocketClient.connect(loop: loop, options: server.webSocketOptions())
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == .opened(subprotocol: "graphql-ws"))
        _ = await handler.events.next()
        let socket = try #require(handler.sockets.withLock { $0.first })
        socket.send("last words")
        socket.close(code: 1011, reason: "going down")
        socket.send("never")
        #expect(await iterator.next() == .text(Array("last words".utf8)))
        #expect(await iterator.next() == .closed(code: 1011, reason: "going down"))
        #expect(await handler.events.next() == .closed(1011, "going down"))
        server.stop()
    }

    @Test func `one broadcast reaches fifty connections`() async throws {
        let handler = TestHandler()
        let server = try HTTPServer(handler: handler)
        var streams: [AsyncStream<WebSocketEvent>.Iterator] = []
        for _ in 0..<50 {
            let (_, events) = WebSocketClient.connect(loop: loop, options: server.webSocketOptions())
            streams.append(events.makeAsyncIterator())
            _ = await handler.events.next()
        }
        let sockets = handler.sockets.withLock { $0 }
        #expect(Set(sockets.map(\.id)).count == 50)
        for number in 0..<100 { server.broadcast(WebSocketFrame("message \(number)"), to: sockets) }
        for index in streams.indices {
            #expect(await streams[index].next() == .opened(subprotocol: "graphql-ws"))
            for number in 0..<100 { #expect(await streams[index].next() == .text(Array("message \(number)".utf8))) }
        }
        server.stop()
    }

    @Test func `what is delivered together keeps its order for each client`() async throws {
        let handler = TestHandler()
        let server = try HTTPServer(handler: handler)
        var streams: [AsyncStream<WebSocketEvent>.Iterator] = []
        for _ in 0..<3 {
            let (_, events) = WebSocketClient.connect(loop: loop, options: server.webSocketOptions())
            streams.append(events.makeAsyncIterator())
            _ = await handler.events.next()
        }
        let sockets = handler.sockets.withLock { $0 }
        let long = String(repeating: "x", count: 20_000)
        var output = ServerOutput()
        for number in 0..<150 { output.send(WebSocketFrame("\(number) \(long)"), to: sockets) }
        output.send(WebSocketFrame("last"), to: [sockets[1]])
        output.close(sockets[1], code: 1000, reason: "done")
        output.deliver()
        for index in streams.indices {
            #expect(await streams[index].next() == .opened(subprotocol: "graphql-ws"))
            for number in 0..<150 {
                #expect(await streams[index].next() == .text(Array("\(number) \(long)".utf8)))
            }
        }
        #expect(await streams[1].next() == .text(Array("last".utf8)))
        #expect(await streams[1].next() == .closed(code: 1000, reason: "done"))
        server.stop()
    }

    @Test func `a client that vanishes is reported, and the others stay`() async throws {
        let handler = TestHandler()
        let server = try HTTPServer(handler: handler)
        let (client, events) = WebSocketClient.connect(loop: loop, options: server.webSocketOptions())
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == .opened(subprotocol: "graphql-ws"))
        _ = await handler.events.next()
        let (doomed, doomedEvents) = WebSocketClient.connect(loop: loop, options: server.webSocketOptions())
        _ = await handler.events.next()
        doomed.abort()
        #expect(await handler.events.next() == .closed(1006, ""))
        withExtendedLifetime(doomedEvents) {}
        client.send("still here")
        #expect(await iterator.next() == .text(Array("still here".utf8)))
        server.stop()
    }

    @Test func `letting the stream go closes the connection`() async throws {
        let handler = TestHandler()
        let server = try HTTPServer(handler: handler)
        let task = Task { [loop] in
            let (_, events) = WebSocketClient.connect(loop: loop, options: server.webSocketOptions())
            for await _ in events {}
        }
        _ = await handler.events.next()
        task.cancel()
        #expect(await handler.events.next() == .closed(1000, ""))
        server.stop()
    }

    @Test func `a reader that is too slow is closed, and the server's memory with it`() async throws {
        let handler = TestHandler()
        var options = HTTPServerOptions()
        options.maximumQueuedBytes = 200_000
        let server = try HTTPServer(handler: handler, options: options)
        let raw = try RawSocket(port: server.port)
        raw.send(upgradeRequest)
        #expect(raw.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 101 "))
        _ = await handler.events.next()
        let socket = try #require(handler.sockets.withLock { $0.first })
        let frame = WebSocketFrame(text: Array(repeating: UInt8(97), count: 50_000))
        let most = try await server.loop.run {
            var most = 0
            // More than any system's buffers take.
            for _ in 0..<2000 {
                socket.send(frame)
                server.loop.core.flushDirty()
                most = max(most, socket.queuedBytes)
            }
            return most
        }
        #expect(most > 0 && most <= 250_200)
        #expect(await handler.events.next() == .closed(1011, "the reader is too slow"))
        server.stop()
    }

    @Test func `a reader that pauses gets everything in order`() async throws {
        // No echo: what the client sends meanwhile would come back somewhere in between.
        let handler = TestHandler(echoes: false)
        var options = HTTPServerOptions()
        options.maximumQueuedBytes = 64 << 20
        let server = try HTTPServer(handler: handler, options: options)
        // A small window, so that the server's writes are blocked whatever the system's buffers are.
        let raw = try RawSocket(port: server.port, receiveBuffer: 10_000)
        raw.send(upgradeRequest)
        _ = raw.read(until: "\r\n\r\n")
        _ = await handler.events.next()
        let socket = try #require(handler.sockets.withLock { $0.first })
        let count = 1000
        let queued = try await server.loop.run {
            for number in 0..<count {
                socket.send(WebSocketFrame(text: Array(repeating: UInt8(number % 128), count: 20_000 + number)))
            }
            server.loop.core.flushDirty()
            return socket.queuedBytes
        }
        #expect(queued > 0)
        // The client sends while the server's writes are blocked.
        raw.send(WebSocketFrame.encode(.text, Array("meanwhile".utf8), mask: 5))
        var decoder = WebSocketDecoder(expectsMask: false, maximumMessageBytes: 1 << 20)
        var chunk = [UInt8](repeating: 0, count: 10_000)
        var sizes: [Int] = []
        var firsts: [UInt8] = []
        while sizes.count < count {
            let received = recv(raw.descriptor, &chunk, chunk.count, 0)
            if received <= 0 { break }
            chunk.withUnsafeBytes { decoder.append(UnsafeRawBufferPointer(rebasing: $0[..<received])) }
            while let event = decoder.next() {
                guard case .text(let text) = event else {
                    Issue.record("\(event)")
                    return
                }
                sizes.append(text.count)
                firsts.append(text[0])
            }
        }
        #expect(sizes == (0..<count).map { 20_000 + $0 })
        #expect(firsts == (0..<count).map { UInt8($0 % 128) })
        #expect(await handler.events.next() == .text("meanwhile"))
        server.stop()
    }

    @Test func `pings are answered and fragments put together on the wire`() async throws {
        let handler = TestHandler()
        let server = try HTTPServer(handler: handler)
        let raw = try RawSocket(port: server.port)
        // The first frames ride in the same packet as the request.
        raw.send(
            Array(upgradeRequest.utf8) + WebSocketFrame.encode(.text, Array("he".utf8), mask: 77, final: false)
                + WebSocketFrame.encode(.ping, [1, 2, 3], mask: 9)
                + WebSocketFrame.encode(.continuation, Array("llo".utf8), mask: 0xFFFF_FFFF))
        _ = raw.read(until: "\r\n\r\n")
        var bytes = [UInt8](repeating: 0, count: 12)
        #expect(recv(raw.descriptor, &bytes, 12, Int32(MSG_WAITALL)) == 12)
        #expect(bytes == [0x8A, 3, 1, 2, 3] + [0x81, 5] + Array("hello".utf8))
        // An unmasked frame breaks the protocol.
        raw.send(WebSocketFrame.encode(.text, [97]))
        _ = await handler.events.next()
        #expect(await handler.events.next() == .closed(1002, "a frame is masked wrongly"))
        server.stop()
    }

    @Test func `a malformed upgrade is refused`() throws {
        let server = try HTTPServer(handler: TestHandler())
        for change in [
            ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8"), ("dGhlIHNhbXBsZSBub25jZQ==", "short"),
        ] {
            let raw = try RawSocket(port: server.port)
            raw.send(upgradeRequest.replacing(change.0, with: change.1))
            #expect(raw.readAll().hasPrefix("HTTP/1.1 400 "))
        }
        server.stop()
    }
}
