import Basics
import Crypto
import Glibc
import System
import Testing

@testable import Transport

/// What a connection costs that says nothing, the clients' ends being bare descriptors.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct IdleCostTests {
    private static let count = 500

    /// The memory of this process that is in use, in bytes.
    private static func resident() throws -> Int {
        let words = try Files.readText("/proc/self/statm").split(separator: " ")
        return (Int(words[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }

    private static let upgrade = Array(
        ("GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").utf8)

    @Test(arguments: [false, true])
    func `an idle WebSocket costs less than 50 kB, plain and under TLS`(isSecure: Bool) async throws {
        let site = try TestSite()
        let server = try HTTPServer(tls: isSecure ? try site.server() : nil, handler: TestHandler())
        let client = try site.client()
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
        defer { room.deallocate() }
        func connect() throws -> RawSocket {
            let raw = try RawSocket(port: server.port)
            guard isSecure else {
                raw.send(Self.upgrade)
                _ = raw.read(until: "\r\n\r\n")
                return raw
            }
            let session = try #require(client.session(host: "127.0.0.1"))
            session.start()
            var isUpgraded = false
            var chunk = [UInt8](repeating: 0, count: 65536)
            var isAsked = false
            while !isUpgraded {
                if session.isOpen, !isAsked {
                    isAsked = true
                    _ = Self.upgrade.withUnsafeBytes { session.seal($0) }
                }
                raw.send(session.takeOutgoing())
                let received = recv(raw.descriptor, &chunk, chunk.count, 0)
                try #require(received > 0)
                chunk.withUnsafeBytes { bytes in
                    session.receive(UnsafeRawBufferPointer(rebasing: bytes[..<received]), room: room) {
                        true
                    } deliver: { _ in
                        isUpgraded = true
                        return true
                    }
                }
            }
            return raw
        }
        // The first ones pay for what all share.
        var held = [try connect(), try connect()]
        let before = try Self.resident()
        for _ in 0..<Self.count { held.append(try connect()) }
        let each = (try Self.resident() - before) / Self.count
        print("an idle \(isSecure ? "TLS" : "plain") WebSocket: \(each) bytes")
        #expect(each < 50_000)
        held = []
        server.stop()
    }
}
