import Synchronization

/// Numbers that are never given twice in this process.
package final class Counter: Sendable {
    private let value = Atomic<UInt64>(0)

    package init() {}

    /// The next number, from 1.
    package func next() -> UInt64 {
        value.add(1, ordering: .relaxed).newValue
    }
}
