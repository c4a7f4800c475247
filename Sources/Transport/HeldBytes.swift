import Synchronization

/// Counts the bytes of a frame or an answer, however many connections it waits for, until the last of them has let go.
final class HeldBytes: Sendable {
    private static let live = Atomic<Int>(0)
    private let count: Int

    init(_ count: Int) {
        self.count = count
        Self.live.add(count, ordering: .relaxed)
    }

    deinit { Self.live.subtract(count, ordering: .relaxed) }

    /// The bytes of all frames and answers of this process that somebody holds.
    static var total: Int { live.load(ordering: .relaxed) }
}

/// The bytes of requests that a server has taken and nobody has answered.
final class TakenBytes: Sendable {
    private let sum = Atomic<Int>(0)

    var total: Int { sum.load(ordering: .relaxed) }

    /// What one request holds, until it is answered or the last who could answer it has let go: that its client has gone
    /// takes it from nobody's queue.
    final class Share: Sendable {
        private let all: TakenBytes
        private let count: Atomic<Int>

        init(_ count: Int, of all: TakenBytes) {
            self.all = all
            self.count = Atomic(count)
            all.sum.add(count, ordering: .relaxed)
        }

        deinit { release() }

        func release() { all.sum.subtract(count.exchange(0, ordering: .relaxed), ordering: .relaxed) }
    }
}
