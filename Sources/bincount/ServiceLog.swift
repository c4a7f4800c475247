import Basics
import Glibc
import System

/// The log of a service on standard error: lines for people, or one JSON object a line for a collector.
enum ServiceLog {
    static func make(level: LogLevel, asJSON: Bool, time: any TimeSource) -> Log {
        guard asJSON else { return .standardError(level: level) }
        return Log(level: level) { (level: LogLevel, message: String, request: String?) in
            var line: JSONObject = [
                "time": .string(time.now().iso8601), "level": .string("\(level)"), "message": .string(message),
            ]
            if let request { line["request"] = .string(request) }
            let bytes = JSONValue.object(line).bytes + [UInt8(ascii: "\n")]
            _ = write(STDERR_FILENO, bytes, bytes.count)
        }
    }
}
