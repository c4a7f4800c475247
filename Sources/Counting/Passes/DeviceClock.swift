import Basics
import WarehouseModels

/// Places the entries of one device on the hub's clock.
///
/// A device's wall clock may jump; its uptime may not. Within one start of the machine every entry must give the same
/// difference between hub time and uptime. Where two disagree the one measured first holds for all that claim the same
/// measurement; where measurements themselves disagree the time cannot be placed.
public struct DeviceClock: Sendable {
    /// Differences up to this are the clocks' own error (milliseconds).
    public static let allowedError: Int64 = 5000

    private struct Start: Sendable {
        /// Hub time minus uptime by the measurement it was derived from.
        var base: Int64?
        var isContradictory = false
    }

    private var starts: [String: Start] = [:]

    /// Learns from a device's entries, in any order; from `others` only of starts that none of these was measured in.
    public init(_ entries: some Sequence<CountEntry>, others: [CountEntry] = []) {
        self.init(measuring: entries)
        let more = DeviceClock(measuring: others)
        starts.merge(more.starts) { own, _ in own }
    }

    private init(measuring entries: some Sequence<CountEntry>) {
        let ordered = entries.sorted { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
        var offsets: [String: Int] = [:]
        for entry in ordered {
            guard let offset = entry.clockOffsetMs, let uptime = Int64(entry.uptimeMs) else { continue }
            let key = DeviceClock.key(entry)
            let base = entry.at.milliseconds + Int64(offset) - uptime
            guard var start = starts[key], let known = start.base else {
                starts[key] = Start(base: base)
                offsets[key] = offset
                continue
            }
            // The same measurement seen through a wall clock that was set meanwhile says nothing new.
            if abs(base - known) > DeviceClock.allowedError, offsets[key] != offset {
                start.isContradictory = true
                starts[key] = start
            }
            offsets[key] = offset
        }
    }

    /// The first of these entries from each start of a device in which none was measured: another entry of that start,
    /// wherever it was counted, can tell their time.
    public func unmeasured(among entries: some Sequence<CountEntry>) -> [CountEntry] {
        var found: [String: CountEntry] = [:]
        for entry in entries where starts[DeviceClock.key(entry)] == nil && Int64(entry.uptimeMs) != nil {
            let key = DeviceClock.key(entry)
            if let known = found[key], known.sequence <= entry.sequence { continue }
            found[key] = entry
        }
        return found.values.sorted { $0.id < $1.id }
    }

    /// The entry's time on the hub's clock; nil where it cannot be placed.
    public func place(_ entry: CountEntry) -> DateTime? {
        guard let start = starts[DeviceClock.key(entry)] else {
            // Without an uptime only the offset can speak.
            return Int64(entry.uptimeMs) == nil ? timeByOffset(entry) : nil
        }
        guard !start.isContradictory, let base = start.base, let uptime = Int64(entry.uptimeMs) else { return nil }
        return DateTime(milliseconds: base + uptime)
    }

    private static func key(_ entry: CountEntry) -> String { entry.deviceID + "\u{1F}" + entry.bootID }
}
