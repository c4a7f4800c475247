import Basics
import Counting
import DataStore
import Models
import WarehouseModels

extension Desk {
    /// How often held lines are looked at again while bins are being settled (milliseconds).
    static let holdPause: Int64 = 2000

    /// Cuts documents for held lines whose last bin is settled: EXPORT asked for them, and nobody needs to ask again.
    mutating func cutReleased(in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome) throws {
        guard holdsChanged, !holds.isEmpty else { return }
        let due = holdsCheckedAt.advanced(by: Desk.holdPause)
        guard due <= now else { return outcome.wake(due) }
        (holdsChanged, holdsCheckedAt) = (false, now)
        for id in holds.sorted() {
            switch try judgeWork(of: id, in: tx, now: now, &outcome) {
            case .done: if try !cutReleased(of: id, in: tx, now: now) { holds.remove(id) }
            case .underWay: (holdsChanged, outcome.hasMore) = (true, true)
            case .waits:
                holdsChanged = true
                outcome.wake(now.advanced(by: Desk.holdPause))
            }
        }
    }

    /// Does it for one count; gives whether lines are still held there.
    private mutating func cutReleased(of id: String, in tx: StoreTransaction, now: DateTime) throws -> Bool {
        let held = try tx.query(ExportLine.self, where: ExportLine.sessionID == id && ExportLine.state == .held)
        guard !held.isEmpty, let session = try tx.get(CountSession.self, id: id), Desk.isOpen(session),
            let plan = try plan(of: id, in: tx), let snapshot = try tx.get(BookSnapshot.self, id: plan.snapshotID),
            let cause = try tx.first(
                Decision.self,
                where: Decision.sessionID == id && Decision.kind == .export && Decision.result == .done,
                sort: [.descending(Decision.at)])
        else { return false }
        let verdicts = try tx.query(LineVerdict.self, where: LineVerdict.sessionID == id)
        let source = try grainSource(verdicts, session, snapshot, in: tx, now: now)
        let byID = Dictionary(held.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var gone: Set<String> = []
        var rest = 0
        for connector in connectors {
            var lines: [ExportLine] = []
            for line in try rollUp(source, connector, session, plan, snapshot, in: tx) {
                let lineID = self.id("ExportLine", [connector.name, id, line.grainKey])
                guard let kept = byID[lineID] else { continue }
                if line.isReady {
                    lines.append(exportLine(lineID, nil, line, session, connector, source, .ready))
                    gone.formUnion(line.verdictIDs)
                } else if line.heldFor.isEmpty {
                    // All of it was waived: the book stands, and there is nothing to send.
                    try put(
                        kept.updating {
                            $0.state = .dropped
                            $0.heldFor = nil
                            $0.error = DeskText.waived()
                        }, in: tx)
                } else {
                    rest += 1
                    try put(exportLine(lineID, nil, line, session, connector, source, .held), in: tx)
                }
            }
            // The document is named by what it holds: the same lines released again are the same document.
            try cut(
                lines, session, connector, cause: self.id("released", [cause.id] + lines.map(\.id)), in: tx)
        }
        try leave(verdicts.filter { gone.contains($0.id) }, session, in: tx)
        return rest > 0
    }
}
