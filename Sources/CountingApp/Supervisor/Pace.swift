import Basics
import WarehouseModels

/// How fast bins are closed, told from the entries of the last hour, or since the first of them where that is less: a
/// floor that began ten minutes ago is not six times as slow as one that goes on.
package struct Pace: Sendable, Hashable {
    /// How far back entries count, in milliseconds.
    static let window: Int64 = 3_600_000
    /// A shorter time tells nothing yet, in milliseconds.
    static let leastTime: Int64 = 300_000

    private var closed = 0
    private var since: DateTime?

    package init() {}

    mutating func add(_ entry: CountEntry) {
        since = min(since ?? entry.at, entry.at)
        if entry.kind == .CLOSE { closed += 1 }
    }

    /// What a list shows of it.
    func text(at now: DateTime) -> String { perHour(at: now).map { String($0) } ?? "-" }

    /// Bins an hour; nil while it is too early to tell, and where nobody counts.
    package func perHour(at now: DateTime) -> Int? {
        guard let since else { return nil }
        let time = now.milliseconds - since.milliseconds
        return time < Self.leastTime ? nil : closed * Int(Self.window) / Int(time)
    }
}
