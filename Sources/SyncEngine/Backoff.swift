import Basics

/// How long to wait after failures: doubling from a base to a cap, between half and the whole of it at random.
///
/// The random half keeps eighty terminals from coming back at the same instant; the other half keeps one from asking at
/// once again.
package struct Backoff: Sendable, Hashable {
    /// The first wait in milliseconds.
    package let base: Int64
    /// The longest wait.
    package let cap: Int64

    package init(base: Int64, cap: Int64) {
        self.base = base
        self.cap = cap
    }

    /// The wait after so many failures in a row (1 is the first).
    package func delay(attempt: Int, random: any RandomSource) -> Int64 {
        let doubled = base << Int64(min(max(attempt - 1, 0), 20))
        let whole = min(doubled, cap)
        return whole / 2 + Int64(random.below(Int(max(whole - whole / 2, 1))))
    }

    /// The link's: a cut of a second is bridged in less than another, a night's costs two tries a minute.
    package static let link = Backoff(base: 500, cap: 30_000)
    /// What is tried while the certificate is refused: a clock is set or a certificate renewed within minutes.
    package static let distrusted = Backoff(base: 60_000, cap: 60_000)
    /// What is tried while credentials are refused: once in some minutes, for the case that they are accepted again.
    package static let paused = Backoff(base: 300_000, cap: 300_000)
}
