import Synchronization

/// Counts the bytes of a frame, however many connections it waits for, until the last of them has let go.
final class HeldBytes: Sendable {
    private static let live = Atomic<Int>(0)
    private let count: Int

    init(_ count: Int) {
        self.count = count
        Self.live.add(count, ordering: .relaxed)
    }

    deinit { Self.live.subtract(count, ordering: .relaxed) }

    /// The bytes of all frames of this process that somebody holds.
    static var total: Int { live.load(ordering: .relaxed) }
}
