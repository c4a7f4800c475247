import Synchronization

/// A value behind a lock. Never call out, resume a continuation or wait while holding it.
public final class Locked<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    /// Puts `value` behind a new lock.
    public init(_ value: Value) {
        mutex = Mutex(value)
    }

    /// Runs `body` with exclusive access.
    public func withLock<Result: Sendable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try mutex.withLock { value throws(Failure) -> Result in try body(&value) }
    }

    /// A copy of the value as it is now.
    public var current: Value { mutex.withLock { $0 } }
}
