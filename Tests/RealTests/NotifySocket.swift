import Basics
import Glibc
import System

/// A service manager's end of `sd_notify(3)`: the socket that NOTIFY_SOCKET names, and what comes in, datagram by datagram.
final class NotifySocket: Sendable {
    /// What NOTIFY_SOCKET must be.
    let name: String
    let datagrams: AsyncStream<String>
    private let descriptor: Int32

    /// Listens at a path, or for a name that begins with `@` in the abstract namespace.
    init(_ name: String) throws {
        let made = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw SystemError(call: "socket", subject: name) }
        guard Self.withAddress(name, { Int(bind(made, $0, $1)) }) == 0 else {
            close(made)
            throw SystemError(call: "bind", subject: name)
        }
        let (stream, continuation) = AsyncStream<String>.makeStream()
        self.name = name
        descriptor = made
        datagrams = stream
        startThread(named: "notify") {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(made, &buffer, buffer.count, 0)
                // What ends it is a datagram without anything in it, of its own.
                guard count > 0 else { break }
                continuation.yield(String(decoding: buffer[..<count], as: UTF8.self))
            }
            continuation.finish()
            close(made)
        }
    }

    deinit { _ = Self.withAddress(name) { sendto(descriptor, nil, 0, 0, $0, $1) } }

    private static func withAddress(_ name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int) -> Int {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(name.utf8)
        if path.first == UInt8(ascii: "@") { path[0] = 0 }
        precondition(path.count < MemoryLayout.size(ofValue: address.sun_path))
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path).map { $0 + path.count } ?? 0)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
