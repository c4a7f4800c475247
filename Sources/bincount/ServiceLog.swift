import Basics
import Glibc
import System

/// The log of a service on standard error: lines for people, or one JSON object a line for a collector.
enum ServiceLog {
    static func make(level: LogLevel, asJSON: Bool, time: any TimeSource) -> Log {
        guard asJSON else { return .standardError(level: level) }
        return Log(level: level) { level, message in
            let line: JSONValue = [
                "time": .string(time.now().iso8601), "level": .string("\(level)"), "message": .string(message),
            ]
            let bytes = line.bytes + [UInt8(ascii: "\n")]
            _ = write(STDERR_FILENO, bytes, bytes.count)
        }
    }
}
