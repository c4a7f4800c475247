import Basics
import Synchronization
import System
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(5)))
struct HTTPTests {
    let loop = try! WebSocketLoop(name: "client")

    @Test func `a posted body comes back, with path, query and fields readable`() async throws {
        let handler = TestHandler { request, responder in
            let text = [
                request.method, request.path, request.query ?? "-", request.queryValue("b") ?? "-",
                request.headers["X-BINCOUNT-person"] ?? "-", String(decoding: request.body, as: UTF8.self),
            ].joined(separator: "|")
            responder.respond(HTTPResponse(status: 201, headers: ["X-Answer": "yes"], body: Array(text.utf8)))
        }
        let server = try HTTPServer(handler: handler)
        let client = try HTTPClient(loop: loop, origin: server.origin)
        let answer = try await client.send(
            HTTPRequest(
                path: "/graphql", query: "a=1&b=%7Bx%7D+/=", headers: ["x-bincount-PERSON": "p 1"],
                body: Array("grüße".utf8)))
        #expect(answer.status == 201)
        #expect(answer.headers["x-answer"] == "yes")
        #expect(String(decoding: answer.body, as: UTF8.self) == "POST|/graphql|a=1&b=%7Bx%7D+/=|{x}+/=|p 1|grüße")
        let get = try await client.send(HTTPRequest(method: "GET", path: "/"))
        #expect(String(decoding: get.body, as: UTF8.self) == "GET|/|-|-|-|")
        let head = try await client.send(HTTPRequest(method: "HEAD", path: "/"))
        #expect(head.status == 201 && head.body.isEmpty && head.headers["content-length"] == "13")
        let empty = try await client.send(HTTPRequest(path: "/"))
        #expect(String(decoding: empty.body, as: UTF8.self) == "POST|/|-|-|-|")
        server.stop()
    }

    @Test func `two megabytes go both ways, again and again on one connection`() async throws {
        let server = try HTTPServer(handler: TestHandler())
        var options = HTTPClientOptions()
        options.maximumConnections = 1
        let client = try HTTPClient(loop: loop, origin: server.origin, options: options)
        let body = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for _ in 0..<3 {
            let answer = try await client.send(HTTPRequest(path: "/", body: body))
            #expect(answer.body == body)
        }
        server.stop()
    }

    @Test func `what the system does not take at once of a connection's first request goes out all the same`()
        async throws
    {
        var options = HTTPServerOptions()
        options.maximumBodyBytes = 16 << 20
        let handler = TestHandler { request, responder in
            responder.respond(HTTPResponse(status: 200, body: Array("\(request.body.count)".utf8)))
        }
        let server = try HTTPServer(handler: handler, options: options)
        let body = [UInt8](repeating: 1, count: 12_000_000)
        for _ in 0..<4 {
            let client = try HTTPClient(loop: loop, origin: server.origin)
            let answer = try await client.send(HTTPRequest(path: "/", body: body))
            #expect(String(decoding: answer.body, as: UTF8.self) == "12000000")
        }
        server.stop()
    }

    @Test func `a body over the cap is answered with 413, even while it is still coming`() async throws {
        var options = HTTPServerOptions()
        options.maximumBodyBytes = 1000
        let server = try HTTPServer(handler: TestHandler(), options: options)
        let client = try HTTPClient(loop: loop, origin: server.origin)
        let fits = try await client.send(HTTPRequest(path: "/", body: Array(repeating: 1, count: 1000)))
        #expect(fits.status == 200)
        let tooLarge = try await client.send(HTTPRequest(path: "/", body: Array(repeating: 1, count: 3_000_000)))
        #expect(tooLarge.status == 413)
        let again = try await client.send(HTTPRequest(path: "/", body: [1]))
        #expect(again.status == 200)
        server.stop()
    }

    @Test func `two hundred requests at once share four connections`() async throws {
        let counter = Connections()
        let handler = TestHandler { request, responder in
            counter.saw(request)
            responder.respond(HTTPResponse(status: 200, body: request.body))
        }
        let server = try HTTPServer(handler: handler)
        let client = try HTTPClient(loop: loop, origin: server.origin)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let body = Array("request \(index)".utf8)
                    return try await client.send(HTTPRequest(path: "/", body: body)).body == body
                }
            }
            for try await right in group { #expect(right) }
        }
        #expect(counter.total == 200)
        server.stop()
    }

    @Test func `an answer may come later and from another thread`() async throws {
        let thread = ThreadExecutor(name: "worker")
        let handler = TestHandler { request, responder in
            thread.async {
                responder.respond(.text(200, "first"))
                responder.respond(.text(500, "second"))
            }
        }
        let server = try HTTPServer(handler: handler)
        let client = try HTTPClient(loop: loop, origin: server.origin)
        for _ in 0..<10 {
            let answer = try await client.send(HTTPRequest(path: "/"))
            #expect(String(decoding: answer.body, as: UTF8.self) == "first")
        }
        server.stop()
    }

    @Test func `requests sent ahead are answered in order`() throws {
        let thread = ThreadExecutor(name: "worker")
        let handler = TestHandler { request, responder in
            thread.async { responder.respond(.text(200, request.path)) }
        }
        let server = try HTTPServer(handler: handler)
        let raw = try RawSocket(port: server.port)
        raw.send(
            "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\nConnection: close\r\n\r\n"
        )
        let text = raw.readAll()
        let order = ["/1", "/2", "/3"].compactMap { text.utf8.firstRange(of: "\r\n\r\n\($0)".utf8)?.lowerBound }
        #expect(order.count == 3 && order == order.sorted())
        #expect(text.contains("Connection: close"))
        server.stop()
    }

    @Test func `a body in chunks and one that is announced are taken`() throws {
        let server = try HTTPServer(handler: TestHandler())
        let chunked = try RawSocket(port: server.port)
        chunked.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n")
        chunked.send("2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n")
        #expect(chunked.readAll().hasSuffix("\r\n\r\nabcde"))
        let announced = try RawSocket(port: server.port)
        announced.send("POST / HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        #expect(announced.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        announced.send("body")
        #expect(announced.readAll().hasSuffix("\r\n\r\nbody"))
        server.stop()
    }

    @Test func `what is no HTTP is answered with 400 and the connection closed`() throws {
        let server = try HTTPServer(handler: TestHandler())
        for text in [
            "\u{16}\u{3}\u{1}hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\n folded: x\r\n\r\n",
            "GET / HTTP/2.0\r\n\r\n",
        ] {
            let raw = try RawSocket(port: server.port)
            raw.send(text)
            #expect(raw.readAll().hasPrefix("HTTP/1.1 400 "))
        }
        server.stop()
    }

    @Test func `half a request, a reset, and clients that leave before the answer do no harm`() async throws {
        let responders = Mutex<[HTTPResponder]>([])
        let arrived = Waiter<String>()
        let handler = TestHandler { request, responder in
            if request.path == "/wait" {
                responders.withLock { $0.append(responder) }
                arrived.add(request.path)
            } else {
                responder.respond(.text(200, "well"))
            }
        }
        let server = try HTTPServer(handler: handler)
        for part in ["", "POST", "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc", "GET / HTTP/1.1\r\nHost"] {
            for resets in [false, true] {
                let raw = try RawSocket(port: server.port)
                raw.send(part)
                if resets { raw.reset() }
            }
        }
        do {
            let raw = try RawSocket(port: server.port)
            raw.send("GET /wait HTTP/1.1\r\n\r\n")
            _ = await arrived.next()
            raw.reset()
        }
        responders.withLock {
            for responder in $0 { responder.respond(.text(200, String(repeating: "x", count: 1_000_000))) }
        }
        let client = try HTTPClient(loop: loop, origin: server.origin)
        #expect(try await client.send(HTTPRequest(path: "/")).status == 200)
        server.stop()
    }

    @Test func `a request that does not arrive in time is answered with 408`() throws {
        var options = HTTPServerOptions()
        options.requestMilliseconds = 1
        let server = try HTTPServer(handler: TestHandler(), options: options)
        let raw = try RawSocket(port: server.port)
        raw.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
        #expect(raw.readAll().hasPrefix("HTTP/1.1 408 "))
        server.stop()
    }

    @Test func `an idle connection is closed`() throws {
        var options = HTTPServerOptions()
        options.idleMilliseconds = 1
        let server = try HTTPServer(handler: TestHandler(), options: options)
        let raw = try RawSocket(port: server.port)
        #expect(raw.readAll() == "")
        server.stop()
    }

    @Test func `too many connections are closed at once`() throws {
        var options = HTTPServerOptions()
        options.maximumConnections = 1
        let server = try HTTPServer(handler: TestHandler(), options: options)
        let first = try RawSocket(port: server.port)
        first.send("GET / HTTP/1.1\r\n\r\n")
        _ = first.read(until: "\r\n\r\n")
        let second = try RawSocket(port: server.port)
        #expect(second.readAll() == "")
        server.stop()
    }
}

/// Counts requests.
private final class Connections: Sendable {
    private let count = Mutex(0)

    func saw(_ request: HTTPRequest) {
        count.withLock { $0 += 1 }
    }

    var total: Int { count.withLock { $0 } }
}
