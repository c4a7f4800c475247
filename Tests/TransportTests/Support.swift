import Basics
import Glibc
import Synchronization
import Testing

@testable import Transport

/// A server's handler made of closures, which also records what happened.
final class TestHandler: HTTPServerHandler {
    enum Event: Equatable, Sendable {
        case opened(UInt64, query: String?, protocols: String?, key: String?)
        case text(String)
        case closed(UInt16, String)
    }

    let events = Waiter<Event>()
    let sockets = Mutex<[WebSocketConnection]>([])
    let onRequest: @Sendable (HTTPRequest, HTTPResponder) -> Void
    let echoes: Bool

    init(
        echoes: Bool = true,
        onRequest: @escaping @Sendable (HTTPRequest, HTTPResponder) -> Void = { request, responder in
            responder.respond(HTTPResponse(status: 200, headers: ["Content-Type": "text/plain"], body: request.body))
        }
    ) {
        self.echoes = echoes
        self.onRequest = onRequest
    }

    func request(_ request: HTTPRequest, _ responder: HTTPResponder) { onRequest(request, responder) }

    func opened(_ socket: WebSocketConnection, _ request: HTTPRequest) {
        sockets.withLock { $0.append(socket) }
        events.add(
            .opened(
                socket.id, query: request.queryValue("header"), protocols: request.headers["Sec-WebSocket-Protocol"],
                key: request.headers["X-API-Key"]))
    }

    func received(_ socket: WebSocketConnection, _ text: [UInt8]) {
        if echoes {
            socket.send(WebSocketFrame(text: text))
        } else {
            events.add(.text(String(decoding: text, as: UTF8.self)))
        }
    }

    func closed(_ socket: WebSocketConnection, code: UInt16, reason: String) {
        events.add(.closed(code, reason))
    }
}

/// Values that come from another thread, waited for in order.
final class Waiter<Value: Sendable>: Sendable {
    private let stream: AsyncStream<Value>
    private let continuation: AsyncStream<Value>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func add(_ value: Value) { continuation.yield(value) }

    /// The next value. An AsyncStream hands each value out once, also to a new iterator.
    func next() async -> Value {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next() ?? { fatalError("cancelled") }()
    }
}

extension HTTPServer {
    var origin: URLParts { URLParts(scheme: "http", host: "127.0.0.1", port: port) }

    func webSocketOptions(_ path: String = "/graphql", query: String? = nil) -> WebSocketClientOptions {
        WebSocketClientOptions(URLParts(scheme: "ws", host: "127.0.0.1", port: port, path: path, query: query))
    }
}

/// A bare TCP client for what our own would never do. Blocking, for tests only.
final class RawSocket {
    let descriptor: Int32

    init(port: Int, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, 4) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(code == 0)
    }

    deinit { close(descriptor) }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        _ = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Makes the close a reset, as a crashed peer's is.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Everything until the server closes.
    func readAll() -> String {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count <= 0 { return String(decoding: result, as: UTF8.self) }
            result += chunk[..<count]
        }
    }

    /// Reads until the text has come.
    func read(until end: String) -> String {
        var result: [UInt8] = []
        var byte: UInt8 = 0
        while recv(descriptor, &byte, 1, 0) == 1 {
            result.append(byte)
            if result.reversed().starts(with: end.utf8.reversed()) { break }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// A client's request for a WebSocket, as bytes.
let upgradeRequest =
    "GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-ws\r\n\r\n"
