import AppSync
import Basics

/// What the running request has cost so far; also what the answer of mutations has, and what one connection's events have.
///
/// A page that meets a limit ends early with a token to go on from; only a field that could not even begin is an error.
struct RequestBudget {
    private let limits: HubLimits
    private let time: any TimeSource
    private var deadline: Int64
    private var resolvers = 0
    private var rows = 0
    private var passed = 0
    /// Whether the time is over.
    private(set) var isLate = false
    /// Bytes of the answer that are written already.
    private(set) var bytes = 0

    init(_ limits: HubLimits, _ time: any TimeSource) {
        self.limits = limits
        self.time = time
        deadline = time.uptime() + limits.milliseconds
    }

    /// A root field or a relation is about to be resolved.
    ///
    /// - Throws: the error of that field where a limit was met.
    mutating func resolve() throws(ResponseError) {
        resolvers += 1
        if resolvers > limits.resolvers {
            throw ResponseError(
                "The request resolves more than \(limits.resolvers) fields.",
                errorType: "ResolverExecutionLimitReached")
        }
        if isLate || time.uptime() > deadline { throw Self.timedOut }
        if rows >= limits.rows {
            throw ResponseError(
                "The request looks at more than \(limits.rows) rows.", errorType: "ResolverExecutionLimitReached")
        }
        if bytes >= limits.answerBytes { throw limits.answerTooLarge }
    }

    /// Somebody else is served until ``resume(after:)``; that time does not count.
    ///
    /// - Returns: now, for it.
    func pause() -> Int64 { time.uptime() }

    /// Goes on after a pause.
    mutating func resume(after pause: Int64) { deadline += time.uptime() - pause }

    /// A row is about to be looked at; `cost` is more than one where its filter is long.
    mutating func look(cost: Int) {
        rows += cost
        // The clock is asked once in 256 rows.
        if rows & 255 < cost, time.uptime() > deadline { isLate = true }
    }

    /// A row was passed over that the caller may not read: only time may tell of it.
    mutating func pass() {
        passed += 1
        if passed & 255 == 0, time.uptime() > deadline { isLate = true }
    }

    /// What cannot end early fails where the time is over.
    func checkTime() throws(ResponseError) {
        if isLate { throw Self.timedOut }
    }

    private static let timedOut = ResponseError("Execution timed out.", errorType: "ExecutionTimeout")

    /// Whether a page should end here.
    var isSpent: Bool { isLate || rows >= limits.rows || bytes >= limits.answerBytes }

    /// Counts what was written since `start`, when `before` bytes were counted: pages within count for themselves.
    mutating func count(grown: Int, since before: Int) {
        bytes = max(bytes, before + grown)
    }
}
