import AppSync
import Basics
import Glibc
import System
import Testing
import Transport

@testable import Hub

/// Whoever is turned away gets the reason with it, whatever he asked and however: no 401 goes out without its body.
@Suite struct UnauthorizedTests {
    private let directory: TempDirectory

    init() throws { directory = try TempDirectory("unauthorized") }

    private func start(_ configure: (inout HubOptions) throws -> Void = { _ in }) async throws -> HubServer {
        var options = HubOptions(
            dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(["all:everyone"]),
            time: SystemTimeSource())
        try configure(&options)
        return try await HubServer.start(options)
    }

    /// Bytes sent over a connection of their own; gives what the first read brings, and what came until the end where
    /// `toEnd`.
    private func exchange(_ hub: HubServer, _ pieces: [String], toEnd: Bool = false) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        // Only so that a hub that says nothing fails the test and does not hold it.
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(hub.port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
        for piece in pieces {
            let bytes = Array(piece.utf8)
            try #require(send(descriptor, bytes, bytes.count, 0) == bytes.count)
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        repeat {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += buffer[..<count]
        } while toEnd
        return String(decoding: answer, as: UTF8.self)
    }

    private static func request(
        _ method: String, _ path: String, _ fields: [String] = [], body: String = ""
    ) -> String {
        let length = body.isEmpty && method != "POST" ? [] : ["Content-Length: \(body.utf8.count)"]
        let head = ["\(method) \(path) HTTP/1.1", "Host: h"] + fields + length
        return head.map { $0 + "\r\n" }.joined() + "\r\n" + body
    }

    /// An answer taken apart: what its head says is there, and what is.
    private static func parts(_ answer: String) throws -> (status: Int, length: Int, body: String) {
        let halves = try #require(answer.firstRange(of: "\r\n\r\n"), "\(answer)")
        let head = answer[..<halves.lowerBound].split(separator: "\r\n")
        let length = head.first { $0.lowercased().hasPrefix("content-length: ") }
            .flatMap { Int($0.dropFirst("content-length: ".count)) }
        let status = head[0].split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (try #require(status), try #require(length), String(answer[halves.upperBound...]))
    }

    private static let query = "{\"query\":\"{ listNotes { items { id } } }\"}"
    private static let mutation = "{\"query\":\"mutation { createNote(input: {title: \\\"t\\\"}) { id } }\"}"
    /// A token that has run out, of an issuer that nobody here knows.
    private static let expired = "authorization: eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4IiwiZXhwIjoxfQ.AAAA"

    /// The head and the whole body arrive together: they leave in one write, so that nothing can come between them.
    @Test func aRefusalIsOneWriteWithItsReason() async throws {
        let hub = try await start()
        var asked: [(name: String, pieces: [String])] = []
        for fields in [
            [], ["x-api-key: wrong"], [Self.expired], ["authorization: Bearer x"], ["authorization: "],
            ["authorization: AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=e"],
        ] {
            for (method, path, body) in [
                ("POST", "/graphql", Self.query), ("POST", "/graphql", Self.mutation), ("POST", "/graphql", ""),
                ("POST", "/graphql", "no json"), ("GET", "/graphql?query=%7B__typename%7D", ""),
                ("GET", "/graphql/", ""), ("GET", "/schema", ""), ("POST", "/schema", "{}"), ("GET", "/deliveries", ""),
                ("POST", "/deliveries", "{}"), ("POST", "/login", "{\"badge\":\"a\",\"pin\":\"b\"}"),
                ("POST", "/login/refresh", ""),
            ] {
                let text = Self.request(method, path, fields, body: body)
                asked.append(("\(method) \(path) \(fields)", [text]))
                // The same in two pieces, and as the second request of a connection that a refusal is kept alive on.
                let middle = text.index(text.startIndex, offsetBy: text.count / 2)
                asked.append(("\(method) \(path) \(fields), cut", [String(text[..<middle]), String(text[middle...])]))
            }
        }
        var refusals = 0
        for (name, pieces) in asked {
            let (status, length, body) = try Self.parts(try exchange(hub, pieces))
            #expect(status >= 400, "\(name): \(status)")
            #expect(length > 0 && body.utf8.count == length, "\(name): \(status) with \(body)")
            guard status == 401 else { continue }
            refusals += 1
            let json = try JSONValue(parsing: body)
            let message = json["errors"]?.array?.first?["message"] ?? json["message"]
            #expect(message?.string?.isEmpty == false, "\(name): \(body)")
        }
        #expect(refusals > asked.count / 2, "\(refusals) of \(asked.count)")
        await hub.stop()
    }

    @Test func strangersAreToldNumbersAlone() async throws {
        let lines = Locked<[String]>([])
        let hub = try await start { options in
            try options.resolvers.addFunction("erp-of-acme=/bin/cat")
            try options.resolvers.addAfter("Note.create=erp-of-acme")
            options.log = Log(level: .notice) { _, line in lines.withLock { $0.append(line) } }
        }
        #expect(lines.current.contains("functions by their numbers in /metrics: 1 erp-of-acme"))
        let body = "{\"query\":\"mutation { createNote(input: {title: \\\"secretive\\\"}) { id } }\"}"
        let fields = ["x-api-key: all", "x-bincount-person: ann-person", "x-bincount-device: T-device"]
        let made = try Self.parts(try exchange(hub, [Self.request("POST", "/graphql", fields, body: body)]))
        try #require(made.status == 200 && made.body.contains("createNote"), "\(made.body)")
        let metrics = try Self.parts(
            try exchange(hub, [Self.request("GET", "/metrics", ["Connection: close"])], toEnd: true))
        let health = try Self.parts(try exchange(hub, [Self.request("GET", "/health")]))
        #expect(metrics.status == 200 && health.status == 200)
        for text in [metrics.body, health.body] {
            for name in ["secretive", "ann-person", "T-device", "Note", "everyone", "erp-of-acme", directory.path] {
                #expect(!text.contains(name), "\(name) in \(text)")
            }
        }
        #expect(metrics.body.contains("bincount_hub_function_calls_total{function=\"1\"} "))
        for line in metrics.body.split(separator: "\n") where !line.hasPrefix("#") {
            #expect(line.split(separator: " ").last.flatMap { Double($0) } != nil, "\(line)")
        }
        await hub.stop()
    }

    @Test func requestsSentAheadAreEachRefusedWithAReason() async throws {
        let hub = try await start()
        let one = Self.request("POST", "/graphql", [Self.expired], body: Self.query)
        let last = Self.request("POST", "/graphql", [Self.expired, "Connection: close"], body: Self.mutation)
        let answers = try exchange(hub, [one + one + one + last], toEnd: true)
        #expect(answers.components(of: "HTTP/1.1 401 Unauthorized\r\n") == 4)
        #expect(answers.components(of: "\"errorType\":\"UnauthorizedException\"") == 4)
        await hub.stop()
    }

    /// What is no request for data is not refused for its credentials, so that no client takes it for that; and what
    /// becomes a WebSocket is refused there, in its protocol's words.
    @Test func whatHasNoBodyIsNo401() async throws {
        let hub = try await start()
        for (method, path, status) in [
            ("HEAD", "/graphql", 405), ("OPTIONS", "/graphql", 200), ("PUT", "/graphql", 405), ("HEAD", "/schema", 405),
            ("OPTIONS", "/login", 200), ("OPTIONS", "/schema", 405),
        ] {
            let answer = try exchange(
                hub, [Self.request(method, path, [Self.expired, "Connection: close"])], toEnd: true)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(method) \(path): \(answer)")
        }
        let handshake = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        let key = "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw=="
        for fields in [[Self.expired], [Self.expired, "Sec-WebSocket-Protocol: graphql-ws"]] {
            let answer = try exchange(hub, [Self.request("GET", "/graphql", handshake + [key] + fields)])
            #expect(answer.hasPrefix("HTTP/1.1 101 "), "\(answer)")
        }
        // A handshake that is none is malformed, whoever sends it.
        let malformed = try Self.parts(try exchange(hub, [Self.request("GET", "/graphql", handshake + [Self.expired])]))
        #expect(malformed.status == 400 && malformed.body.utf8.count == malformed.length && malformed.length > 0)
        await hub.stop()
    }
}

extension String {
    /// How often a text stands in it.
    fileprivate func components(of text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let found = rest.firstRange(of: text) {
            count += 1
            rest = rest[found.upperBound...]
        }
        return count
    }
}
