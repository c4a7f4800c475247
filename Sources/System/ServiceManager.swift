import Basics
import CSystem
import Glibc

/// Tells the service manager how the program is, by the protocol of `sd_notify(3)`: one datagram of lines to the socket
/// that the environment names. Where it names none, nothing is told.
public struct ServiceManager: Sendable {
    private let socketPath: String?
    /// How often the manager wants to hear ``alive()``, in milliseconds; nil where it does not watch.
    public let watchdogMilliseconds: Int64?

    /// Whether there is one.
    public var isThere: Bool { socketPath != nil }

    /// Reads the environment: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
    public init(environment: (String) -> String?) {
        socketPath = environment("NOTIFY_SOCKET").flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let isForOther = environment("WATCHDOG_PID").map { $0 != String(getpid()) } ?? false
        let interval = environment("WATCHDOG_USEC").flatMap { Int64($0) }.map { $0 / 1000 }
        watchdogMilliseconds = isForOther || socketPath == nil ? nil : interval.flatMap { $0 > 0 ? $0 : nil }
    }

    /// The program does its work now.
    public func ready(_ status: String) { send("READY=1\nSTATUS=\(printable(status))") }
    /// The program takes its configuration over anew; ``ready(_:)`` ends that.
    public func reloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        send("RELOADING=1\nMONOTONIC_USEC=\(Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)")
    }
    /// The program ends.
    public func stopping() { send("STOPPING=1") }
    /// The program is at work that takes long and gets on: it is alive, and has more time to be ready. To be said at least
    /// every ``watchdogMilliseconds``, and every ``workMilliseconds`` before it is ready.
    public func working() { send("WATCHDOG=1\nEXTEND_TIMEOUT_USEC=\(Self.workMilliseconds * 1000)") }
    /// How long the program may take until it says again that it is at work.
    public static let workMilliseconds: Int64 = 300_000
    /// The program is alive: to be said at least every ``watchdogMilliseconds``.
    public func alive() { send("WATCHDOG=1") }

    private func send(_ text: String) {
        guard let socketPath else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(socketPath.utf8)
        // The abstract namespace: its names begin with a zero byte.
        if path.first == UInt8(ascii: "@") { path[0] = 0 }
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard path.count < capacity else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        let length = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path).map { $0 + path.count } ?? 0)
        _ = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, 0, $0, length)
            }
        }
    }
}
