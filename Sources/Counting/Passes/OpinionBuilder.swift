import Basics
import Models
import WarehouseModels

/// Groups the passes over one bin into opinions.
///
/// A pass and those that help it are one opinion, a pass that takes over stands in for the old one, and supervisors may
/// say afterwards that passes add up or are to be compared.
public struct OpinionBuilder: Sendable {
    /// The passes over one bin in one session.
    public let passes: [CountPass]
    /// Their entries, in any order.
    public let entries: [CountEntry]
    /// What unknown codes stand for.
    public var matches = CodeMatches()
    /// The supervisors' decisions that the desk carried out.
    public var decisions: [Decision] = []
    /// Sequences known of each device beside these entries; they are not missing here.
    public var otherSequences: [String: Set<Int>] = [:]
    /// Places entries on the hub's clock.
    public var time: EntryTime = timeByOffset

    /// Starts with the passes over one bin and their entries.
    public init(passes: [CountPass], entries: [CountEntry]) {
        self.passes = passes.sorted { ($0.openedAt, $0.id) < ($1.openedAt, $1.id) }
        self.entries = entries
    }

    /// The opinions, by the time they were opened.
    public func opinions() -> [Opinion] {
        let takeOvers = findTakeOvers()
        let bounds = takeOvers.mapValues(\.bounds)
        let groups = groupPasses(takeOvers)
        let byPass = Dictionary(grouping: entries, by: \.passID)
        return groups.map { group in
            let undos = group.flatMap { pass in
                (byPass[pass.id] ?? []).filter { $0.kind == .UNDO && (bounds[pass.id]?.admits($0) ?? true) }
            }
            var totals: [String: PassTotals] = [:]
            for pass in group {
                totals[pass.id] = PassFold.totals(
                    of: pass.id, entries: (byPass[pass.id] ?? []) + undos, matches: matches,
                    bounds: bounds[pass.id] ?? PassBounds(), time: time)
            }
            return opinion(of: group, totals: totals, bounds: bounds, entries: byPass)
        }
    }

    private func opinion(
        of group: [CountPass], totals: [String: PassTotals], bounds: [String: PassBounds],
        entries: [String: [CountEntry]]
    ) -> Opinion {
        let counting = group.filter { pass in
            totals[pass.id].map { !$0.isVoid } ?? true && bounds[pass.id]?.isNone != true
        }
        var lines: [LineKey: CountLine] = [:]
        var plates: [String: Bool] = [:]
        for pass in counting {
            guard let part = totals[pass.id] else { continue }
            for (key, line) in part.lines { lines[key, default: CountLine()].merge(line) }
            plates.merge(part.plates) { $0 && $1 }
        }
        let parts = counting.compactMap { totals[$0.id] }
        let withCounts = parts.filter { !$0.lines.isEmpty }
        let missing = counting.compactMap { self.missing(in: $0, totals[$0.id], bounds[$0.id], entries[$0.id] ?? []) }
        return Opinion(
            id: group[0].id, passes: group, totals: totals, lines: lines,
            empty: withCounts.isEmpty ? parts.compactMap(\.empty).max { $0.at < $1.at } : nil,
            skip: skips(parts),
            plates: plates, state: state(of: counting, totals, bounds, isMissing: !missing.isEmpty), missing: missing,
            late: group.flatMap { pass in
                (totals[pass.id]?.ignored ?? [:]).filter { $0.value == .takenOver }.map(\.key).sorted()
            },
            closedAt: parts.compactMap { $0.closing?.at }.max(), overriddenTasks: Set(group.compactMap(overriddenTask)))
    }

    /// A skip holds where nobody counted anything, or where the same pass gave up after it had begun.
    private func skips(_ parts: [PassTotals]) -> BinStatement? {
        let isUncounted = parts.allSatisfy { $0.lines.isEmpty && $0.empty == nil }
        return parts.filter { isUncounted || !$0.lines.isEmpty }.compactMap(\.skip).max { $0.at < $1.at }
    }

    private func state(
        of counting: [CountPass], _ totals: [String: PassTotals], _ bounds: [String: PassBounds], isMissing: Bool
    ) -> OpinionState {
        guard !counting.isEmpty else { return .void }
        // A pass that was taken over needs no CLOSE of its own.
        let standing = counting.filter { bounds[$0.id]?.through == nil }
        guard !standing.isEmpty, standing.allSatisfy({ totals[$0.id]?.closing != nil }) else { return .open }
        if isMissing { return .incomplete }
        let reasons = standing.compactMap { totals[$0.id]?.closing?.partReason }
        return reasons.isEmpty ? .whole : .partial(reason: reasons.joined(separator: ", "))
    }

    private func missing(
        in pass: CountPass, _ totals: PassTotals?, _ bounds: PassBounds?, _ entries: [CountEntry]
    ) -> MissingEntries? {
        let known = Set(entries.map(\.sequence)).union(otherSequences[pass.deviceID] ?? [])
            .union(self.entries.filter { $0.deviceID == pass.deviceID }.map(\.sequence))
        let first = entries.map(\.sequence).min()
        if let through = bounds?.through {
            guard through > 0, !known.contains(through) || gaps(from: first ?? through, to: through, known).count > 0
            else { return nil }
            let candidates = gaps(from: first ?? through, to: through, known)
            return MissingEntries(
                passID: pass.id, deviceID: pass.deviceID, count: candidates.count, candidates: candidates)
        }
        guard let totals, let closing = totals.closing, totals.missingCount > 0 else { return nil }
        var candidates = gaps(from: first ?? closing.sequence, to: closing.sequence, known)
        // What is not missing in between came before the first that arrived.
        var before = (first ?? closing.sequence) - 1
        while candidates.count < totals.missingCount, before > 0 {
            if !known.contains(before) { candidates.insert(before, at: 0) }
            before -= 1
        }
        return MissingEntries(
            passID: pass.id, deviceID: pass.deviceID, count: totals.missingCount, candidates: candidates)
    }

    private func gaps(from first: Int, to last: Int, _ known: Set<Int>) -> [Int] {
        guard first <= last, last - first < 100_000 else { return [] }
        return (first...last).filter { !known.contains($0) }
    }
}

extension PassBounds {
    /// Whether nothing of the pass counts.
    var isNone: Bool { through == 0 && lateTaken.isEmpty }
}
