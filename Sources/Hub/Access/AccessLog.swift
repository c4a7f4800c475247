import Basics

/// Says who was let do what: refusals always, what was granted at debug level.
///
/// A line names the caller by provider, person, device and the key's fingerprint, and never holds a key, a token or a
/// value. Each caller has a small allowance of lines, so that a stranger cannot fill the disk; what is left out is counted
/// and said with the caller's next line. Safe from any thread.
final class AccessLog: Sendable {
    /// Lines of one caller in a row, and milliseconds until he has one more.
    static let burst = LogAllowance.burst
    static let refill = LogAllowance.refill
    /// Callers that have an allowance of their own; the others share one.
    static let callerLimit = 1024

    private struct State: Sendable {
        var log = Log.none
        var time: (any TimeSource)?
        var allowances: [String: LogAllowance] = [:]
    }

    private let state = Locked(State())

    /// Where lines go; until then nothing is said.
    func attach(_ log: Log, _ time: any TimeSource) {
        state.withLock { state in
            state.log = log
            state.time = time
        }
    }

    /// What was asked for.
    struct Act: Sendable, Hashable {
        /// The root field: `syncBins`, `createBin`, `onUpdateBin`.
        var operation: String
        var model: String
        var field: String?
        /// Names the request, or the connection that it came over.
        var request: String?
    }

    /// A refusal; `reason` says which rule was missing, in words that hold nothing of any row.
    func refused(_ caller: Caller, _ act: Act, _ reason: String) {
        let line = state.withLock { state -> (Log, Int)? in
            guard let time = state.time, state.log.level <= .notice else { return nil }
            return Self.take(caller.allowanceName, time.uptime(), &state.allowances).map { (state.log, $0) }
        }
        guard let (log, suppressed) = line else { return }
        let left = suppressed > 0 ? " suppressed=\(suppressed)" : ""
        log(
            .notice, "access refused \(Self.text(caller, act)) reason=\(Self.quoted(reason))\(left)",
            request: act.request)
    }

    /// Somebody whose credentials were not believed; all strangers share one allowance.
    func turnedAway(_ refusal: AuthRefusal, request: String? = nil, from address: String? = nil) {
        let line = state.withLock { state -> (Log, Int)? in
            guard let time = state.time, state.log.level <= .notice else { return nil }
            return Self.take("stranger", time.uptime(), &state.allowances).map { (state.log, $0) }
        }
        guard let (log, suppressed) = line else { return }
        let detail = refusal.detail.isEmpty ? "" : " detail=\(Self.quoted(refusal.detail))"
        let left = suppressed > 0 ? " suppressed=\(suppressed)" : ""
        let place = address.map { " from=\(Self.quoted($0))" } ?? ""
        log(.notice, "credentials refused reason=\(refusal.reason.rawValue)\(detail)\(place)\(left)", request: request)
    }

    /// A mutation that was let through.
    func granted(_ caller: Caller, _ act: Act) {
        let log = state.withLock { $0.log }
        guard log.level <= .debug else { return }
        log(.debug, "access granted \(Self.text(caller, act))", request: act.request)
    }

    /// A request that the hub itself could not answer.
    func failed(_ what: String, request: String?) {
        let log = state.withLock { $0.log }
        log(.error, what, request: request)
    }

    /// Takes one line of a caller's allowance; gives how many were left out before it, nil where there is none.
    private static func take(_ name: String, _ now: Int64, _ allowances: inout [String: LogAllowance]) -> Int? {
        if allowances[name] == nil, allowances.count >= callerLimit {
            // Whoever has all his lines again needs no entry.
            allowances = allowances.filter { $0.value.suppressed > 0 || now - $0.value.since < refill * Int64(burst) }
        }
        let key = allowances[name] != nil || allowances.count < callerLimit ? name : ""
        return allowances[key, default: LogAllowance(at: now)].take(now)
    }

    private static func text(_ caller: Caller, _ act: Act) -> String {
        let members: [(String, String?)] = [
            ("operation", act.operation), ("model", act.model), ("field", act.field),
            ("provider", "\(caller.provider)"), ("person", caller.person), ("device", caller.device),
            ("key", caller.fingerprint.isEmpty ? nil : caller.fingerprint),
        ]
        return members.compactMap { name, value in value.map { "\(name)=\(quoted($0))" } }.joined(separator: " ")
    }

    /// A value that cannot be taken for another member: foreign names are quoted and cut.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
                || byte == 46 || byte == 95
        }
        if isPlain, !text.isEmpty, text.utf8.count <= 80 { return text }
        return JSONValue.string(String(printable(text).prefix(80))).text
    }
}

extension Caller {
    /// Who shares an allowance of log lines: all that comes under one key, whatever persons it names.
    fileprivate var allowanceName: String { fingerprint.isEmpty ? "p:" + (person ?? device ?? "") : "k:" + fingerprint }
}
