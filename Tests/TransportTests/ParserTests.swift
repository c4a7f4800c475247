import Testing

@testable import Transport

/// What a parser says, in a form that can be compared.
enum Said: Equatable {
    case message(String, String, Int, [UInt8], keepsAlive: Bool)
    case expectsContinue
    case failure(Int)
}

func parse(_ bytes: [UInt8], _ direction: HTTPParser.Direction, step: Int, limits: HTTPParser.Limits = .init())
    -> [Said]
{
    var parser = HTTPParser(direction, limits: limits)
    var said: [Said] = []
    var offset = 0
    while offset < bytes.count {
        let end = min(bytes.count, offset + step)
        bytes[offset..<end].withUnsafeBytes { parser.append($0) }
        offset = end
        inner: while true {
            switch parser.next() {
            case .needMore: break inner
            case .expectsContinue: said.append(.expectsContinue)
            case .failure(let status, _): return said + [.failure(status)]
            case .message(let m):
                said.append(.message(m.method, m.target, m.status, m.body, keepsAlive: m.keepsAlive))
            }
        }
    }
    if let m = parser.finishAtClose() {
        said.append(.message(m.method, m.target, m.status, m.body, keepsAlive: m.keepsAlive))
    }
    return said
}

struct HTTPParserTests {
    @Test(arguments: [1, 2, 3, 7, 64, 10_000])
    func `requests are the same in whatever pieces they come`(step: Int) {
        let text =
            "\r\nPOST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET http://h/p?q HTTP/1.0\n\n"
            + "PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n001;e=1\r\nx\r\n0\r\nT: 1\r\n\r\n"
            + "DELETE * HTTP/1.1\r\nConnection: x, Close\r\n\r\n"
        #expect(
            parse(Array(text.utf8), .requests, step: step) == [
                .message("POST", "/a?b", 0, Array("hello".utf8), keepsAlive: true),
                .message("GET", "/p?q", 0, [], keepsAlive: false),
                .message("PUT", "/c", 0, Array("0123456789x".utf8), keepsAlive: true),
                .message("DELETE", "*", 0, [], keepsAlive: false),
            ])
    }

    @Test(arguments: [1, 5, 10_000])
    func `answers are the same in whatever pieces they come`(step: Int) {
        let text =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"
            + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 500 No\r\n\r\nuntil the end"
        #expect(
            parse(Array(text.utf8), .responses, step: step) == [
                .message("", "", 100, [], keepsAlive: true), .message("", "", 204, [], keepsAlive: true),
                .message("", "", 304, [], keepsAlive: true), .message("", "", 200, [97, 98], keepsAlive: true),
                .message("", "", 500, Array("until the end".utf8), keepsAlive: false),
            ])
    }

    @Test func `a client that waits is told to go on, unless its body is here already`() {
        let head = "POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n"
        #expect(parse(Array(head.utf8), .requests, step: 1000) == [.expectsContinue])
        #expect(
            parse(Array((head + "x").utf8), .requests, step: 1000) == [
                .message("POST", "/", 0, [120], keepsAlive: true)
            ])
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nA : b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nA\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\n\r\n", 400),
        ("GET x HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/3.0\r\n\r\n", 400), ("G\u{1}T / HTTP/1.1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", 400), ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFF\r\n", 413),
        ("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", 413),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n60\r\n\(String(repeating: "x", count: 0x60))\r\n60\r\n",
            413
        ),
        ("GET / HTTP/1.1\r\nA: " + String(repeating: "x", count: 3000) + "\r\n\r\n", 431),
        ("GET /" + String(repeating: "x", count: 3000), 431),
        ("GET / HTTP/1.1\r\n" + String(repeating: "a: b\r\n", count: 129) + "\r\n", 400),
    ])
    func `what breaks the rules or a limit is refused`(text: String, status: Int) {
        let limits = HTTPParser.Limits(headBytes: 2000, bodyBytes: 100)
        #expect(parse(Array(text.utf8), .requests, step: 10_000, limits: limits) == [.failure(status)])
        #expect(parse(Array(text.utf8), .requests, step: 1, limits: limits) == [.failure(status)])
    }

    @Test func `random bytes never break the parser, and pieces never change what it says`() {
        var generator = SystemRandomNumberGenerator()
        let words = [
            "GET ", "POST ", "/ ", "HTTP/1.1", "\r\n", "\r\n\r\n", "Content-Length: 3", "Transfer-Encoding: chunked",
            "3\r\nabc",
            "0\r\n\r\n", "\n", "\0", "Connection: close", ":", " ", "HTTP/1.1 200 OK", "ab", "\u{FF}",
        ]
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 0...14)).map { _ in words.randomElement(using: &generator)! }.joined()
            for direction in [HTTPParser.Direction.requests, .responses] {
                let whole = parse(Array(text.utf8), direction, step: 10_000).filter { $0 != .expectsContinue }
                let pieces = parse(Array(text.utf8), direction, step: .random(in: 1...5)).filter {
                    $0 != .expectsContinue
                }
                #expect(whole == pieces, "\(text.debugDescription)")
            }
        }
    }

    @Test(arguments: [
        "GET /\(String(repeating: "a", count: 3_000)) HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3E8\r\n\(String(repeating: "a", count: 1_000))\r\n0\r\n\r\n",
    ])
    func `what was parsed is let go of, also where a part of the next request always follows`(text: String) {
        var parser = HTTPParser(.requests)
        let request = Array(text.utf8)
        // The rest of the last request, whole ones, and the beginning of the next.
        let rest = Array(request.dropFirst())
        let piece = rest + [request[0]] + rest + [request[0]] + rest + [request[0]]
        [request[0]].withUnsafeBytes { parser.append($0) }
        var (whole, most) = (0, 0)
        for _ in 0..<2_000 {
            piece.withUnsafeBytes { parser.append($0) }
            while case .message = parser.next() { whole += 1 }
            let kept = Mirror(reflecting: parser).children.first { $0.label == "buffer" }?.value as? [UInt8]
            most = max(most, kept?.count ?? .max)
            #expect(parser.heldBytes >= kept?.count ?? .max)
        }
        #expect(whole == 6_000)
        #expect(most < 100_000)
    }

    @Test func `fields are found whatever their case, and cannot smuggle lines`() {
        var headers: HTTPHeaders = ["A": "1", "b": "2", "A": "3"]
        #expect(headers["a"] == "1" && headers["B"] == "2" && headers["c"] == nil && headers.all("A") == ["1", "3"])
        headers.append("X", "a\r\nEvil: yes")
        #expect(headers["x"] == "a  Evil: yes" && headers["evil"] == nil && headers.count == 4)
        #expect(headers.map(\.name) == ["A", "b", "A", "X"])
        #expect(String(decoding: headers.bytes, as: UTF8.self) == "A: 1\r\nb: 2\r\nA: 3\r\nX: a  Evil: yes\r\n")
    }

    @Test func `query values are unescaped and a plus stays`() {
        let request = HTTPRequest(path: "/", query: "header=e30+/%3D%zz&empty=&flag&header=2")
        #expect(request.queryValue("header") == "e30+/=%zz")
        #expect(request.queryValue("empty") == "" && request.queryValue("flag") == "" && request.queryValue("x") == nil)
        #expect(PercentEncoding.encode("a b/ü~") == "a%20b%2F%C3%BC~")
    }
}

func decode(_ bytes: [UInt8], step: Int, masked: Bool = true, limit: Int = 1000) -> [WebSocketDecoder.Event] {
    var decoder = WebSocketDecoder(expectsMask: masked, maximumMessageBytes: limit)
    var events: [WebSocketDecoder.Event] = []
    var offset = 0
    while offset < bytes.count {
        let end = min(bytes.count, offset + step)
        bytes[offset..<end].withUnsafeBytes { decoder.append($0) }
        offset = end
        while let event = decoder.next() { events.append(event) }
    }
    return events
}

struct WebSocketDecoderTests {
    @Test(arguments: [1, 2, 3, 5, 1000])
    func `frames are the same in whatever pieces they come`(step: Int) {
        let long = (0..<600).map { UInt8(97 + $0 % 26) }
        let bytes =
            WebSocketFrame.encode(.text, Array("hi".utf8), mask: 0x0102_0304)
            + WebSocketFrame.encode(.text, [], mask: 1)
            + WebSocketFrame.encode(.text, [0xC3], mask: 7, final: false) + WebSocketFrame.encode(.ping, [9], mask: 8)
            + WebSocketFrame.encode(.continuation, [0xA4], mask: 7)
            + WebSocketFrame.encode(.binary, long, mask: 0xDEAD_BEEF)
            + WebSocketFrame.encode(.close, WebSocketFrame.closePayload(code: 1000, reason: "bye"), mask: 3)
            + WebSocketFrame.encode(.text, [97], mask: 3)
        #expect(
            decode(bytes, step: step) == [
                .text(Array("hi".utf8)), .text([]), .ping([9]), .text([0xC3, 0xA4]), .binary(long),
                .close(code: 1000, reason: "bye"),
            ])
    }

    @Test func `the example of RFC 6455 is encoded and decoded`() {
        #expect(WebSocketFrame("Hello").bytes == [0x81, 5, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
        #expect(
            WebSocketFrame.encode(.text, Array("Hello".utf8), mask: 0x3d21_fa37)
                == [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
        #expect(
            decode([0x01, 3, 0x48, 0x65, 0x6c, 0x80, 2, 0x6c, 0x6f], step: 2, masked: false) == [
                .text(Array("Hello".utf8))
            ])
        #expect(WebSocketHandshake.acceptKey("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test(
        arguments: [
            ([0x81, 0x01, 97], 1002), ([0xC1, 0x80, 0, 0, 0, 0], 1002), ([0x83, 0x80, 0, 0, 0, 0], 1002),
            ([0x80, 0x80, 0, 0, 0, 0], 1002), ([0x09, 0x80, 0, 0, 0, 0], 1002), ([0x89, 0xFE, 0, 126], 1002),
            ([0x81, 0xFE, 0xFF, 0xFF], 1009), ([0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 1009),
            ([0x81, 0x81, 0, 0, 0, 0, 0xFF], 1007), ([0x88, 0x81, 0, 0, 0, 0, 3], 1002),
            ([0x88, 0x82, 0, 0, 0, 0, 3, 0xED], 1002), ([0x88, 0x83, 0, 0, 0, 0, 3, 0xE8, 0xFF], 1007),
            ([0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0], 1002),
        ] as [([UInt8], UInt16)])
    func `frames that break the rules or the limit are refused`(bytes: [UInt8], code: UInt16) {
        for step in [1, 100] {
            guard case .failure(code, _)? = decode(bytes, step: step).last else {
                Issue.record("\(bytes) was taken")
                return
            }
        }
    }

    @Test func `fragments together may not exceed the limit either`() {
        let bytes =
            WebSocketFrame.encode(.text, Array(repeating: 97, count: 900), mask: 1, final: false)
            + WebSocketFrame.encode(.continuation, Array(repeating: 97, count: 101), mask: 1)
        #expect(decode(bytes, step: 1000) == [.failure(code: 1009, reason: "a message is larger than 1000 bytes")])
    }

    @Test(
        arguments: [[0x83, 0x80], [0x88, 0x80, 0, 0, 0, 0], [0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0]]
            as [[UInt8]])
    func `after a failure and a close nothing is kept of what still comes`(bytes: [UInt8]) {
        var decoder = WebSocketDecoder(expectsMask: true, maximumMessageBytes: 1000)
        bytes.withUnsafeBytes { decoder.append($0) }
        while decoder.next() != nil {}
        for _ in 0..<3 {
            Array(repeating: UInt8(0x81), count: 500).withUnsafeBytes { decoder.append($0) }
            #expect(decoder.next() == nil)
            #expect(decoder.heldBytes == 0)
        }
    }

    @Test func `random bytes never break the decoder`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let masked = Bool.random(using: &generator)
            #expect(decode(bytes, step: 1000, masked: masked) == decode(bytes, step: 3, masked: masked))
        }
    }

    @Test func `a long close reason is cut between characters`() {
        let payload = WebSocketFrame.closePayload(code: 1011, reason: String(repeating: "ä", count: 100))
        #expect(payload.count == 2 + 122)
        #expect(String(validating: payload[2...], as: UTF8.self) != nil)
    }
}
