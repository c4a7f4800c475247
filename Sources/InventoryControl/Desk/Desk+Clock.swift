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
            if let near = try nearestMeasured(entry, in: tx) {
                others.append(near)
            } else {
                unmeasured.insert(TerminalStart(entry))
            }
        }
        return (others.isEmpty ? own : DeviceClock(entries, others: others), unmeasured)
    }

    private func nearestMeasured(_ entry: CountEntry, in tx: StoreTransaction) throws -> CountEntry? {
        // Ids begin with the device: its entries alone are looked at, not the site's.
        let same =
            CountEntry.id > entry.deviceID + "-" && CountEntry.id < entry.deviceID + "."
            && CountEntry.deviceID == entry.deviceID && CountEntry.bootID == entry.bootID
            && CountEntry.clockOffsetMs.exists(true)
        let before = try tx.first(
            CountEntry.self, where: same && CountEntry.sequence < entry.sequence,
            sort: [.descending(CountEntry.sequence)])
        let after = try tx.first(
            CountEntry.self, where: same && CountEntry.sequence > entry.sequence,
            sort: [.ascending(CountEntry.sequence)])
        guard let before, let after else { return before ?? after }
        return entry.sequence - before.sequence <= after.sequence - entry.sequence ? before : after
    }
}
