import Synchronization

/// Counts the bytes of a frame or an answer, however many connections it waits for, until the last of them has let go.
final class HeldBytes: Sendable {
    /// What is held in all.
    final class Sum: Sendable {
        /// Of this process; a test that counts exactly has one of its own.
        static let process = Sum()

        fileprivate let live = Atomic<Int>(0)

        var total: Int { live.load(ordering: .relaxed) }
    }

    private let sum: Sum
    private let count: Int

    init(_ count: Int, in sum: Sum) {
        self.count = count
        self.sum = sum
        sum.live.add(count, ordering: .relaxed)
    }

    deinit { sum.live.subtract(count, ordering: .relaxed) }
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
