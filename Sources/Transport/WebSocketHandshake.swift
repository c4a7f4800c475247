import Basics
import CWebSockets

/// The HTTP part of a WebSocket connection (RFC 6455, 4).
enum WebSocketHandshake {
    /// Whether a request asks to become a WebSocket.
    static func isUpgrade(_ message: HTTPParser.Message) -> Bool {
        message.method == "GET" && message.headers.lists("upgrade", in: "connection")
            && message.headers.lists("websocket", in: "upgrade")
    }

    /// What a server answers, or why it cannot: the bytes of the 101 answer.
    ///
    /// The chosen subprotocol is named only if the client offered it, alone and exactly, whatever else it offered.
    static func accept(_ headers: HTTPHeaders, subprotocol: String?, _ more: HTTPHeaders = [:]) -> [UInt8]? {
        guard let key = headers["sec-websocket-key"], Base64.decode(key)?.count == 16,
            headers["sec-websocket-version"] == "13"
        else { return nil }
        var answer =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \(acceptKey(key))\r\n"
        if let subprotocol { answer += "Sec-WebSocket-Protocol: \(subprotocol)\r\n" }
        return Array(answer.utf8) + more.bytes + [13, 10]
    }

    /// The subprotocols that a client offered, in its order.
    static func offered(_ headers: HTTPHeaders) -> [String] {
        headers.all("sec-websocket-protocol").flatMap { $0.split(separator: ",") }
            .map { String($0.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }) }
    }

    /// The first of the server's subprotocols that the client offered.
    static func chosen(of names: [String], _ headers: HTTPHeaders) -> String? {
        let offered = offered(headers)
        return names.first { offered.contains($0) }
    }

    /// The client's request.
    static func request(_ url: URLParts, key: String, subprotocols: [String], headers: HTTPHeaders) -> [UInt8] {
        var text =
            "GET \(url.target) HTTP/1.1\r\nHost: \(url.hostAndPort)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: \(key)\r\nSec-WebSocket-Version: 13\r\n"
        if !subprotocols.isEmpty { text += "Sec-WebSocket-Protocol: \(subprotocols.joined(separator: ", "))\r\n" }
        return Array(text.utf8) + headers.bytes + [13, 10]
    }

    /// Proof that the server read the key.
    static func acceptKey(_ key: String) -> String {
        let text = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
        var digest = [UInt8](repeating: 0, count: 20)
        lws_SHA1(text, text.count, &digest)
        return Base64.encode(digest)
    }
}
