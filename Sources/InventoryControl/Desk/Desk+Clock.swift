import Counting
import DataStore
import Models
import WarehouseModels

/// One start of a terminal: its uptime goes on through it, whatever happens to its clock.
struct TerminalStart: Hashable, Sendable {
    let device: String
    let boot: String

    init(_ entry: CountEntry) { (device, boot) = (entry.deviceID, entry.bootID) }

    /// The start that an entry was measured in; nil where it was not.
    init?(measuredIn record: Record) {
        guard record["clockOffsetMs"].integer != nil, let device = record["deviceID"].text,
            let boot = record["bootID"].text
        else { return nil }
        (self.device, self.boot) = (device, boot)
    }
}

extension Desk {
    /// The clock for a bin's entries; where none of them was measured the nearest of the same start says it, in whatever
    /// bin that was counted. Also gives the starts of which no entry was.
    func clock(of entries: [CountEntry], in tx: StoreTransaction) throws -> (DeviceClock, Set<TerminalStart>) {
        let own = DeviceClock(entries)
        var (others, unmeasured): ([CountEntry], Set<TerminalStart>) = ([], [])
        for entry in own.unmeasured(among: entries) {
            let start = TerminalStart(entry)
            // The first measured entry that is heard of takes its start from these.
            if self.unmeasured[start] == nil, let near = try nearestMeasured(entry, in: tx) {
                others.append(near)
            } else {
                unmeasured.insert(start)
            }
        }
        return (others.isEmpty ? own : DeviceClock(entries, others: others), unmeasured)
    }

    private func nearestMeasured(_ entry: CountEntry, in tx: StoreTransaction) throws -> CountEntry? {
        let before = try measured(next: entry, by: -1, in: tx)
        let after = try measured(next: entry, by: 1, in: tx)
        guard let before, let after else { return before ?? after }
        return entry.sequence - before.sequence <= after.sequence - entry.sequence ? before : after
    }

    /// The first measured entry of the same start on one side of it.
    ///
    /// A terminal numbers its entries on, so that those of a start are one run of numbers. They are asked for by id, from
    /// this one outward: no index knows a terminal's entries by number, and all it ever entered may be much.
    private func measured(next entry: CountEntry, by step: Int, in tx: StoreTransaction) throws -> CountEntry? {
        var (from, absent) = (entry.sequence + step, 0)
        while absent < Desk.mostAbsent {
            let numbers = (0..<Desk.numbersAtOnce).map { from + $0 * step }.filter { $0 > 0 }
            guard !numbers.isEmpty else { return nil }
            let ids = numbers.map { RecordID.entry(device: entry.deviceID, sequence: $0) }
            let found = try tx.query(CountEntry.self, where: CountEntry.id.isIn(ids))
                .sorted { abs($0.sequence - entry.sequence) < abs($1.sequence - entry.sequence) }
            for other in found {
                guard other.bootID == entry.bootID else { return nil }
                if other.clockOffsetMs != nil { return other }
            }
            absent = found.isEmpty ? absent + numbers.count : 0
            from += Desk.numbersAtOnce * step
        }
        return nil
    }

    /// How many of a terminal's entries are asked for together.
    private static let numbersAtOnce = 64
    /// So many numbers in a row without an entry end a terminal's run of them.
    private static let mostAbsent = 1024
}
