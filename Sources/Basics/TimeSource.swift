/// Where the time comes from; injected everywhere so that tests and simulations own it.
public protocol TimeSource: Sendable {
    /// The wall clock. It may jump; order nothing by it.
    func now() -> DateTime
    /// Milliseconds since the machine started, suspended time included; never goes back within one ``bootID``.
    func uptime() -> Int64
    /// Names this start of the machine.
    var bootID: String { get }
}

/// A clock that only moves when told.
public final class ManualTimeSource: TimeSource {
    private let state: Locked<(now: Int64, uptime: Int64)>
    /// The fixed boot id.
    public let bootID: String

    /// Starts at a given instant.
    public init(_ start: DateTime = DateTime(milliseconds: 1_800_000_000_000), bootID: String = "boot") {
        state = Locked((start.milliseconds, 0))
        self.bootID = bootID
    }

    /// The time it was last set to.
    public func now() -> DateTime { DateTime(milliseconds: state.withLock { $0.now }) }
    /// The milliseconds it was moved by so far.
    public func uptime() -> Int64 { state.withLock { $0.uptime } }

    /// Moves both clocks forward.
    public func advance(milliseconds: Int64) {
        state.withLock {
            $0.now += milliseconds
            $0.uptime += milliseconds
        }
    }

    /// Moves only the wall clock, as a person or NTP would.
    public func jump(milliseconds: Int64) {
        state.withLock { $0.now += milliseconds }
    }
}
