import Basics
import Models
import WarehouseModels

/// A pass folded as its entries come: what the counting screen shows.
///
/// An entry in sequence costs the same however long the pass is; an UNDO, and an entry that comes out of order, refolds
/// one line. ``totals`` always equals what ``PassFold`` makes of the same entries.
public struct RunningPass: Sendable {
    /// What the entries so far come to.
    public private(set) var totals: PassTotals
    private let time: EntryTime
    private let bounds: PassBounds
    private var matches: CodeMatches
    private var entries: [String: CountEntry] = [:]
    private var undos: [String: [String]] = [:]
    private var lines: [LineKey: [CountEntry]] = [:]
    private var binEntries: [CountEntry] = []
    private var last: (Int, String) = (Int.min, "")

    /// Starts a pass without entries.
    public init(
        passID: String, matches: CodeMatches = CodeMatches(), bounds: PassBounds = PassBounds(),
        time: @escaping EntryTime = timeByOffset
    ) {
        totals = PassTotals(passID: passID)
        self.matches = matches
        self.bounds = bounds
        self.time = time
    }

    /// Takes an entry of the pass, or an UNDO that another pass of the opinion wrote; a known one changes nothing.
    public mutating func add(_ entry: CountEntry) {
        let isOwn = entry.passID == totals.passID
        guard isOwn || entry.kind == .UNDO, entries[entry.id] == nil else { return }
        entries[entry.id] = entry
        if let target = entry.reversesID, entry.kind == .UNDO { undos[target, default: []].append(entry.id) }
        let place = (entry.sequence, entry.id)
        let inOrder = !isOwn || place > last
        if isOwn, place > last { last = place }
        // What depends on order or on other entries is rare: it is folded anew as far as it reaches.
        if entry.kind == .CLOSE || entry.kind == .VOID || bounds.through != nil || totals.closing != nil {
            return refoldAll()
        }
        if isOwn { totals.received += 1 }
        if entry.kind == .UNDO {
            refoldTarget(of: entry)
        } else {
            file(entry, inOrder: inOrder)
        }
        if let waiting = undos[entry.id] {
            for id in waiting { if let undo = entries[id] { refoldTarget(of: undo) } }
        }
    }

    /// Takes other matches: what was unknown may now be an item.
    public mutating func setMatches(_ matches: CodeMatches) {
        self.matches = matches
        refoldAll()
    }

    private mutating func file(_ entry: CountEntry, inOrder: Bool) {
        if entry.isAboutBin {
            binEntries.append(entry)
            if inOrder {
                totals.applyToBin(entry, at: time(entry))
            } else {
                refoldBin()
            }
        }
        guard entry.isAboutLine, let line = matches.line(of: entry) else { return }
        lines[line.key, default: []].append(entry)
        if inOrder {
            totals.lines[line.key, default: CountLine()].apply(entry, factor: line.factor, at: time(entry))
        } else {
            refold(line.key)
        }
    }

    /// Folds anew what an UNDO reaches at the end of its chain.
    private mutating func refoldTarget(of undo: CountEntry) {
        var current = undo
        var steps = 0
        while steps < 64 {
            if current.kind == .UNDO, current.passID == totals.passID {
                let target = current.reversesID.flatMap { entries[$0] }
                totals.ignored[current.id] = Reversals.refusal(of: current, target: target)
            }
            guard current.kind == .UNDO, let target = current.reversesID, let next = entries[target] else { break }
            current = next
            steps += 1
        }
        guard current.kind != .UNDO else { return }
        if isReversed(current.id, depth: 0) {
            totals.reversed.insert(current.id)
        } else {
            totals.reversed.remove(current.id)
        }
        if current.isAboutBin { refoldBin() }
        if let line = matches.line(of: current) { refold(line.key) }
    }

    private func isReversed(_ id: String, depth: Int) -> Bool {
        guard depth < 64, let takers = undos[id], let target = entries[id] else { return false }
        return takers.contains { taker in
            guard let undo = entries[taker], Reversals.refusal(of: undo, target: target) == nil else { return false }
            return !isReversed(taker, depth: depth + 1)
        }
    }

    private mutating func refold(_ key: LineKey) {
        guard var own = lines[key] else { return }
        own.sort { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
        lines[key] = own
        var line = CountLine()
        for entry in own where !totals.reversed.contains(entry.id) {
            line.apply(entry, factor: matches.line(of: entry)?.factor, at: time(entry))
        }
        totals.lines[key] = line.entries == 0 ? nil : line
    }

    private mutating func refoldBin() {
        binEntries.sort { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
        totals.empty = nil
        totals.skip = nil
        totals.plates = [:]
        for entry in binEntries where !totals.reversed.contains(entry.id) { totals.applyToBin(entry, at: time(entry)) }
    }

    private mutating func refoldAll() {
        totals = PassFold.totals(
            of: totals.passID, entries: entries.values, matches: matches, bounds: bounds, time: time)
        lines = [:]
        binEntries = []
        for entry in entries.values where totals.ignored[entry.id] == nil && entry.passID == totals.passID {
            if entry.isAboutBin { binEntries.append(entry) }
            if entry.isAboutLine, let line = matches.line(of: entry) { lines[line.key, default: []].append(entry) }
        }
    }
}
