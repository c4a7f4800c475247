import Basics
import Crypto
import Glibc
import System
import Testing

@testable import Transport

/// A site's authority and what it signs, made for one test.
struct TestSite {
    static let start = DateTime(milliseconds: 1_800_000_000_000)
    static let day: Int64 = 86_400_000
    let authorityKey = PrivateKey.make()
    let authority: Certificate
    let key = PrivateKey.make()

    init(name: String = "Site", from: DateTime = TestSite.start) throws {
        authority = try CertificateMaking.authority(
            name: name, key: authorityKey, from: from, until: from.advanced(by: 7300 * TestSite.day))
    }

    func chain(
        _ names: [String] = ["hub.test", "127.0.0.1"], from: DateTime = TestSite.start,
        until: DateTime = TestSite.start.advanced(by: 397 * TestSite.day)
    ) throws -> [Certificate] {
        [
            try CertificateMaking.server(
                names: names, key: key, authority: authority, authorityKey: authorityKey, from: from, until: until),
            authority,
        ]
    }

    func server(_ names: [String] = ["hub.test", "127.0.0.1"]) throws -> TLSServerContext {
        try TLSServerContext(chain: try chain(names), key: key)
    }

    /// A client whose clock stands so many days after the start.
    func client(day: Int64 = 1, trust: TLSTrust? = nil) throws -> TLSClientContext {
        try TLSClientContext(
            trust: trust ?? .pinned(authority),
            time: ManualTimeSource(TestSite.start.advanced(by: day * TestSite.day)))
    }
}

/// Two sessions with a wire between them.
final class SessionPair {
    let server: TLSSession
    let client: TLSSession
    private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)

    init(_ server: TLSServerContext, _ client: TLSClientContext, host: String = "hub.test") throws {
        self.server = try #require(server.session())
        self.client = try #require(client.session(host: host))
    }

    deinit { room.deallocate() }

    /// Gives a session bytes of the wire; what they say.
    @discardableResult
    func give(_ bytes: [UInt8], to session: TLSSession) -> [UInt8] {
        var plain: [UInt8] = []
        bytes.withUnsafeBytes { bytes in
            session.receive(bytes, room: room) {
                true
            } deliver: { piece in
                plain += piece
                return true
            }
        }
        return plain
    }

    /// Moves what both have to say until they are silent; what each side read.
    @discardableResult
    func run() -> (server: [UInt8], client: [UInt8]) {
        if client.phase == .handshaking { client.start() }
        var (toServer, toClient): ([UInt8], [UInt8]) = ([], [])
        while true {
            let up = client.takeOutgoing()
            let down = server.takeOutgoing()
            if up.isEmpty && down.isEmpty { return (toServer, toClient) }
            if !up.isEmpty { toServer += give(up, to: server) }
            if !down.isEmpty { toClient += give(down, to: client) }
        }
    }

    func send(_ bytes: [UInt8], from session: TLSSession) -> Bool { bytes.withUnsafeBytes { session.seal($0) } }
}

/// Runs a program with text for its standard input; both outputs together.
func output(of arguments: [String], input: String = "") async throws -> String {
    let result = try await ChildProcess.run(arguments, input: Array(input.utf8), timeoutMilliseconds: 60_000)
    return String(decoding: result.standardOutput + result.standardError, as: UTF8.self)
}
