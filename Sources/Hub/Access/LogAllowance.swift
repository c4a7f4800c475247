import Basics

/// How many lines of one kind the log takes: some in a row, then one now and then, so that nobody fills the disk. A value;
/// the time is told.
struct LogAllowance: Sendable {
    /// Lines in a row, and milliseconds until there is one more.
    static let burst = 20
    static let refill: Int64 = 3000

    private var lines = LogAllowance.burst
    private(set) var since: Int64
    /// What was left out since the last line.
    private(set) var suppressed = 0

    init(at now: Int64) { since = now }

    /// Takes a line; gives how many were left out before it, nil where there is none to take.
    mutating func take(_ now: Int64) -> Int? {
        let earned = max(0, now - since) / Self.refill
        if earned > 0 {
            lines = Int(min(Int64(Self.burst), Int64(lines) + earned))
            since += earned * Self.refill
        }
        guard lines > 0 else {
            suppressed += 1
            return nil
        }
        if lines == Self.burst { since = now }
        lines -= 1
        defer { suppressed = 0 }
        return suppressed
    }
}

extension LogAllowance {
    /// What a line says of those that were left out before it.
    static func note(_ suppressed: Int) -> String { suppressed > 0 ? " suppressed=\(suppressed)" : "" }
}

extension Locked where Value == LogAllowance {
    /// Says a line where there is one to take, and how many were left out before it.
    func say(_ level: LogLevel, _ text: @autoclosure () -> String, on log: Log, request: String? = nil, at now: Int64) {
        guard log.level <= level, let suppressed = withLock({ $0.take(now) }) else { return }
        log(level, text() + LogAllowance.note(suppressed), request: request)
    }
}
