/// How much a log line matters.
public enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    case debug, info, notice, warning, error

    /// Orders by weight.
    public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
}

/// A log handed down from the entry point; nothing logs globally.
///
/// Lines never hold keys, tokens or the `header` query: callers log names and counts, not payloads.
public struct Log: Sendable {
    /// Lines below this level are dropped.
    public let level: LogLevel
    private let sink: @Sendable (LogLevel, String, String?) -> Void

    /// Sends lines of `level` and above to `sink`, on the caller's thread; the request that one is about stands at its
    /// end.
    public init(level: LogLevel = .info, sink: @escaping @Sendable (LogLevel, String) -> Void) {
        self.init(level: level) { level, message, request in
            sink(level, request.map { "\(message) request=\($0)" } ?? message)
        }
    }

    /// The same for a sink that keeps apart which request a line is about.
    public init(level: LogLevel = .info, sink: @escaping @Sendable (LogLevel, String, _ request: String?) -> Void) {
        self.level = level
        self.sink = sink
    }

    /// A log that drops everything.
    public static let none = Log(level: .error) { (_: LogLevel, _: String, _: String?) in }

    /// Writes one line; control characters are replaced so that a line stays a line.
    ///
    /// - Parameter request: names the request that it is about, where it is about one.
    public func callAsFunction(_ level: LogLevel, _ message: @autoclosure () -> String, request: String? = nil) {
        guard level >= self.level else { return }
        sink(level, printable(message()), request.map(printable))
    }
}

/// Text with C0 and C1 control characters replaced by `?`, safe for a terminal or a log line.
public func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.value < 32 || (127..<160).contains($0.value) }) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        result.append(scalar.value < 32 || (127..<160).contains(scalar.value) ? "?" : scalar)
    }
    return String(result)
}
