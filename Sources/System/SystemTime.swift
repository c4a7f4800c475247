import Basics
import Glibc

/// The machine's clocks.
public struct SystemTimeSource: TimeSource {
    /// Changes with every start of the machine; tells whether two uptimes can be compared.
    public let bootID: String

    /// Reads the boot id once.
    public init() {
        let text = (try? Files.read("/proc/sys/kernel/random/boot_id")) ?? []
        bootID = String(decoding: text.prefix { $0 > 32 }, as: UTF8.self)
    }

    /// The wall clock.
    public func now() -> DateTime { DateTime(milliseconds: milliseconds(of: CLOCK_REALTIME)) }

    /// Milliseconds since the machine started, with the time it slept.
    public func uptime() -> Int64 { milliseconds(of: CLOCK_BOOTTIME) }

    private func milliseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

extension Log {
    /// Writes lines to standard error, each in one piece, with the time in UTC.
    public static func standardError(level: LogLevel = .info) -> Log {
        let clock = SystemTimeSource()
        return Log(level: level) { level, message in
            let line = Array("\(clock.now().iso8601) \(level) \(message)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
        }
    }
}
