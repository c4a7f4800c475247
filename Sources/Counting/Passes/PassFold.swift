import Basics
import Models
import WarehouseModels

/// Which entries of a pass count at all.
public struct PassBounds: Sendable, Hashable {
    /// The last sequence that counts, where another pass took over; nil for all.
    public var through: Int?
    /// Entries beyond it that a supervisor took in.
    public var lateTaken: Set<String>

    /// All entries, or those up to a sequence and those taken in late.
    public init(through: Int? = nil, lateTaken: Set<String> = []) {
        self.through = through
        self.lateTaken = lateTaken
    }

    func admits(_ entry: CountEntry) -> Bool {
        guard let through else { return true }
        return entry.sequence <= through || lateTaken.contains(entry.id)
    }
}

/// The rule of a pass's total: a pure fold over its entries in sequence order, whatever order they arrived in.
public enum PassFold {
    /// Folds a pass.
    ///
    /// - Parameters:
    ///   - entries: the pass's, in any order, doubles allowed; UNDO entries of other passes of the opinion may stand
    ///     among them and take back entries of this one.
    ///   - matches: what unknown codes stand for.
    ///   - bounds: what a take-over left of the pass.
    ///   - time: places entries on the hub's clock.
    public static func totals(
        of passID: String, entries: some Sequence<CountEntry>, matches: CodeMatches = CodeMatches(),
        bounds: PassBounds = PassBounds(), time: EntryTime = timeByOffset
    ) -> PassTotals {
        var totals = PassTotals(passID: passID)
        var byID: [String: CountEntry] = [:]
        for entry in entries where entry.passID == passID || entry.kind == .UNDO { byID[entry.id] = entry }
        let own = byID.values.filter { $0.passID == passID }.sorted { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
        totals.received = own.count
        let closed = own.first { $0.kind == .CLOSE && bounds.admits($0) }
        var counting: [CountEntry] = []
        for entry in own {
            if !bounds.admits(entry) {
                totals.ignored[entry.id] = .takenOver
            } else if let closed, (entry.sequence, entry.id) > (closed.sequence, closed.id) {
                totals.ignored[entry.id] = .afterClose
            } else {
                counting.append(entry)
            }
        }
        let foreign = byID.values.filter { $0.passID != passID }
        let acting = Dictionary(uniqueKeysWithValues: (counting + foreign).map { ($0.id, $0) })
        let reversals = Reversals(acting)
        for (id, reason) in reversals.ignored where acting[id]?.passID == passID { totals.ignored[id] = reason }
        for entry in counting where entry.kind != .UNDO {
            guard !reversals.isReversed(entry.id) else {
                totals.reversed.insert(entry.id)
                continue
            }
            let moment = time(entry)
            if entry.isAboutBin {
                totals.applyToBin(entry, at: moment)
            }
            if entry.isAboutLine, let line = matches.line(of: entry) {
                totals.lines[line.key, default: CountLine()].apply(entry, factor: line.factor, at: moment)
            }
        }
        return totals
    }
}

extension CountEntry {
    /// Whether the entry belongs to a line where it names one.
    var isAboutLine: Bool {
        switch kind {
        case .NOTE, .SHARE, .UNDO, .CLOSE, .VOID: false
        default: itemID != nil || code != nil
        }
    }

    /// Whether the entry says something about the bin or the pass.
    var isAboutBin: Bool {
        switch kind {
        case .CLOSE, .VOID, .PLATE_WHOLE, .PLATE_OPENED: true
        case .EMPTY, .SKIP: !isAboutLine
        default: false
        }
    }
}

/// Which entries are taken back: an entry is, where an UNDO of it is not itself taken back.
struct Reversals {
    private let undos: [String: [CountEntry]]
    /// UNDO entries that act on nothing, and why.
    let ignored: [String: IgnoredReason]

    /// Finds the reversals among entries by id.
    init(_ entries: [String: CountEntry]) {
        var undos: [String: [CountEntry]] = [:]
        var ignored: [String: IgnoredReason] = [:]
        for entry in entries.values where entry.kind == .UNDO {
            if let reason = Reversals.refusal(of: entry, target: entry.reversesID.flatMap { entries[$0] }) {
                ignored[entry.id] = reason
            } else if let target = entry.reversesID {
                undos[target, default: []].append(entry)
            }
        }
        self.undos = undos
        self.ignored = ignored
    }

    /// Why an UNDO takes nothing back; nil where it does.
    static func refusal(of undo: CountEntry, target: CountEntry?) -> IgnoredReason? {
        guard let target else { return .unknownTarget }
        if target.authorID != undo.authorID { return .foreignUndo }
        if target.kind == .CLOSE || target.kind == .VOID || target.id == undo.id { return .impossibleUndo }
        if target.deviceID == undo.deviceID, target.sequence >= undo.sequence { return .impossibleUndo }
        return nil
    }

    /// Whether an entry is as if never written.
    func isReversed(_ id: String) -> Bool { isReversed(id, depth: 0) }

    /// Undos of one device only look back, so they end; a ring over two devices would be forged, and is cut here.
    private func isReversed(_ id: String, depth: Int) -> Bool {
        guard depth < 64, let takers = undos[id] else { return false }
        return takers.contains { !isReversed($0.id, depth: depth + 1) }
    }
}
