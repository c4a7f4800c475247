/// How long each caller may still make commits wait for what he selects and compares.
///
/// A bucket for each: it holds ``capacity``, and fills again by a tenth of the time that passes. So a burst is answered
/// whole, and whoever asks without end takes a tenth of the commits' time, whatever he sends and however many connections
/// he keeps.
struct CommitTimeAllowance {
    /// Milliseconds that a full bucket holds.
    let capacity: Int64
    /// What is left to those who took something, and when that was so.
    private var left: [String: (milliseconds: Int64, at: Int64)] = [:]

    /// Milliseconds in which one is refilled.
    private static let share: Int64 = 10
    /// So many are remembered before those are forgotten whose buckets are full again.
    private static let remembered = 1024

    init(capacity: Int64) {
        self.capacity = capacity
    }

    /// Milliseconds that a caller has at a time; negative where he took more than he had.
    func milliseconds(of caller: String, now: Int64) -> Int64 {
        guard let (milliseconds, at) = left[caller] else { return capacity }
        return min(capacity, milliseconds + (now - at) / Self.share)
    }

    /// Whether he took all that he had.
    func isSpent(by caller: String, now: Int64) -> Bool {
        left[caller] != nil && milliseconds(of: caller, now: now) <= 0
    }

    /// Takes what he spent.
    mutating func spend(_ spent: Int64, by caller: String, now: Int64) {
        guard spent > 0 else { return }
        left[caller] = (milliseconds(of: caller, now: now) - spent, now)
        guard left.count > Self.remembered else { return }
        left = left.filter { milliseconds(of: $0.key, now: now) < capacity }
    }
}
