import Basics
import Crypto
import Glibc
import Synchronization
import System
import Testing

@testable import Transport

/// TLS over real sockets, with our own clients and with other people's.
@Suite(.timeLimit(.minutes(5)))
struct TLSLinkTests {
    let loop = try! WebSocketLoop(name: "client")
    let site: TestSite

    init() throws {
        // Other programs go by the system's clock.
        site = try TestSite(from: SystemTimeSource().now().advanced(by: -TestSite.day))
    }

    private func chain(_ names: [String] = ["127.0.0.1", "localhost"], days: Int64 = 30) throws -> [Certificate] {
        try site.chain(
            names, from: site.authority.validFrom, until: site.authority.validFrom.advanced(by: days * TestSite.day))
    }

    private func server(
        _ handler: TestHandler = TestHandler(), _ context: TLSServerContext? = nil,
        options: HTTPServerOptions = HTTPServerOptions()
    ) throws -> HTTPServer {
        try HTTPServer(
            tls: try context ?? TLSServerContext(chain: try chain(), key: site.key), handler: handler, options: options)
    }

    private func origin(_ server: HTTPServer) -> URLParts {
        URLParts(scheme: "https", host: "127.0.0.1", port: server.port)
    }

    private func trust(_ authority: Certificate? = nil) throws -> TLSClientContext {
        try TLSClientContext(trust: .pinned(authority ?? site.authority), time: SystemTimeSource())
    }

    @Test func `two megabytes go both ways under TLS, again and again on one connection`() async throws {
        let server = try server()
        var options = HTTPClientOptions()
        options.maximumConnections = 1
        let client = try HTTPClient(loop: loop, origin: origin(server), tls: try trust(), options: options)
        let body = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for _ in 0..<3 { #expect(try await client.send(HTTPRequest(path: "/", body: body)).body == body) }
        server.stop()
    }

    @Test func `a WebSocket lives under TLS and outlives a change of the certificate`() async throws {
        let context = try TLSServerContext(chain: try chain(), key: site.key)
        let handler = TestHandler()
        let server = try server(handler, context)
        var options = WebSocketClientOptions(
            URLParts(scheme: "wss", host: "127.0.0.1", port: server.port, path: "/graphql"))
        options.tls = try trust()
        let (socket, events) = WebSocketClient.connect(loop: loop, options: options)
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == .opened(subprotocol: "graphql-ws"))
        let renewed = try chain(days: 60)
        try context.replace(chain: renewed, key: site.key)
        socket.send("still here")
        #expect(await iterator.next() == .text(Array("still here".utf8)))
        let seen = try await CertificateProbe.chain(loop: loop, host: "127.0.0.1", port: server.port)
        #expect(seen == renewed)
        socket.close()
        #expect(await iterator.next() == .closed(code: 1000, reason: ""))
        server.stop()
    }

    @Test func `a wrong certificate fails requests and sockets alike, and nothing is sent`() async throws {
        let server = try server(TestHandler { _, _ in Issue.record("a request came through") })
        let other = try TestSite(from: site.authority.validFrom)
        let client = try HTTPClient(loop: loop, origin: origin(server), tls: try trust(other.authority))
        await #expect {
            try await client.send(HTTPRequest(path: "/"))
        } throws: {
            guard case .untrusted(let problem)? = $0 as? TransportError else { return false }
            return problem.kind
                == .otherAuthority(pinned: other.authority.fingerprint, presented: site.authority.fingerprint)
        }
        var options = WebSocketClientOptions(URLParts(scheme: "wss", host: "localhost", port: server.port))
        options.tls = try trust(other.authority)
        let (_, events) = WebSocketClient.connect(loop: loop, options: options)
        for await event in events {
            guard case .failed(.untrusted) = event else {
                Issue.record("\(event)")
                return
            }
        }
        // The system's authorities do not know the site's either; there is no way on without TLS.
        let unpinned = try HTTPClient(loop: loop, origin: origin(server))
        await #expect {
            try await unpinned.send(HTTPRequest(path: "/"))
        } throws: {
            guard case .untrusted(let problem)? = $0 as? TransportError else { return false }
            return problem.kind == .unknownAuthority(issuer: "Site")
        }
        server.stop()
    }

    @Test func `an https client of a plain server says that it speaks no TLS`() async throws {
        let server = try HTTPServer(handler: TestHandler())
        let client = try HTTPClient(loop: loop, origin: origin(server), tls: try trust())
        await #expect {
            try await client.send(HTTPRequest(path: "/"))
        } throws: { "\($0)".contains("does not speak TLS") }
        server.stop()
    }

    @Test func `curl and openssl are served, and refuse what they must`() async throws {
        let directory = try TempDirectory()
        let file = directory.file("authority.pem")
        try Files.writeAtomically(site.authority.pem, to: file)
        let server = try server()
        let url = "https://127.0.0.1:\(server.port)/x"
        let good = try await output(of: ["curl", "-sS", "--cacert", file, "-d", "counted", url])
        #expect(good == "counted")
        let bad = try await output(of: ["curl", "-sS", "-d", "counted", url])
        #expect(bad.contains("certificate"))
        func handshake(_ more: String...) async throws -> String {
            try await output(
                of: ["openssl", "s_client", "-connect", "127.0.0.1:\(server.port)", "-CAfile", file] + more)
        }
        let modern = try await handshake("-alpn", "h2,http/1.1")
        #expect(modern.contains("TLSv1.3") && modern.contains("Verify return code: 0 (ok)"))
        #expect(modern.contains("ALPN protocol: http/1.1") && modern.contains("Compression: NONE"))
        #expect(try await handshake("-tls1_2").contains("Cipher is ECDHE-ECDSA-"))
        #expect(try await handshake("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0").contains("alert protocol version"))
        server.stop()
    }

    @Test func `plain HTTP on a TLS port is answered in words, and garbage is not`() throws {
        let server = try server()
        let plain = try RawSocket(port: server.port)
        plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(plain.readAll().hasSuffix("use https:// or wss\n"))
        let garbage = try RawSocket(port: server.port)
        garbage.send([UInt8](repeating: 0xFF, count: 100))
        #expect(!garbage.readAll().contains("HTTP"))
        server.stop()
    }

    @Test func `who does not agree on TLS in time is closed`() throws {
        var options = HTTPServerOptions()
        options.handshakeMilliseconds = 1
        let server = try server(options: options)
        let silent = try RawSocket(port: server.port)
        #expect(silent.readAll() == "")
        let slow = try RawSocket(port: server.port)
        slow.send([22, 3, 1, 0, 200, 1])
        #expect(slow.readAll() == "")
        server.stop()
    }

    @Test func `an answer that ends with the connection is believed only if the server said that it ended`()
        async throws
    {
        let socket = try TLSCutter(chain: try chain(), key: site.key)
        let client = try HTTPClient(
            loop: loop, origin: URLParts(scheme: "https", host: "127.0.0.1", port: socket.port), tls: try trust())
        socket.serve(says: "HTTP/1.1 200 OK\r\n\r\nhalf of it", ends: false)
        await #expect(throws: TransportError.connectionLost) { try await client.send(HTTPRequest(path: "/")) }
        socket.serve(says: "HTTP/1.1 200 OK\r\n\r\nall of it", ends: true)
        #expect(try await client.send(HTTPRequest(path: "/")).body == Array("all of it".utf8))
    }
}

/// A server of one connection at a time that says something under TLS and ends it properly or cuts it.
private final class TLSCutter: Sendable {
    private let listener: Int32
    let port: Int
    private let context: TLSServerContext

    init(chain: [Certificate], key: PrivateKey) throws {
        context = try TLSServerContext(chain: chain, key: key)
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) + listen(descriptor, 5) + getsockname(descriptor, $0, &size)
            }
        }
        try #require(code == 0)
        listener = descriptor
        port = Int(in_port_t(bigEndian: address.sin_port))
    }

    deinit { close(listener) }

    func serve(says text: String, ends: Bool) {
        startThread(named: "cutter") { [self] in
            let connection = accept(listener, nil, nil)
            guard let session = context.session() else { return }
            let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
            defer { room.deallocate() }
            var chunk = [UInt8](repeating: 0, count: 65536)
            func flush() {
                let bytes = session.takeOutgoing()
                _ = bytes.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
            var isAsked = false
            while !isAsked {
                let count = recv(connection, &chunk, chunk.count, 0)
                if count <= 0 { break }
                chunk.withUnsafeBytes { bytes in
                    session.receive(UnsafeRawBufferPointer(rebasing: bytes[..<count]), room: room) {
                        true
                    } deliver: { _ in
                        isAsked = true
                        return true
                    }
                }
                flush()
            }
            _ = Array(text.utf8).withUnsafeBytes { session.seal($0) }
            if ends { session.close() }
            flush()
            close(connection)
        }
    }
}
