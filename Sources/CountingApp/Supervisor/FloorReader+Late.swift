import Basics
import Counting
import DataStore
import Models
import WarehouseModels

/// Work that stands aside: what came after its line was signed or its pass taken over, and what has no bin.
extension FloorReader {
    /// The passes of which something came too late, but for those that a supervisor has taken or left since.
    static func late(
        in tx: StoreTransaction, session: CountSession, names: [String: String]
    ) throws -> [FloorSnapshot.PassOnSide] {
        var found: [String: (entries: [CountEntry], isTakenOver: Bool)] = [:]
        for entry in try tooLate(in: tx, session) {
            found[entry.passID, default: ([], false)].entries.append(entry)
        }
        for entry in try afterTakeOver(in: tx, session) {
            var kept = found[entry.passID] ?? ([], true)
            if !kept.entries.contains(where: { $0.id == entry.id }) { kept.entries.append(entry) }
            kept.isTakenOver = true
            found[entry.passID] = kept
        }
        let settled = try settled(in: tx)
        var result: [FloorSnapshot.PassOnSide] = []
        for (id, late) in found.sorted(by: { $0.key < $1.key }) {
            let entries = late.entries.filter { entry in
                [id, entry.id].allSatisfy { settled[$0].map { $0 < entry.arrivedAt } ?? true }
            }
            guard !entries.isEmpty, let pass = try tx.get(CountPass.self, id: id) else { continue }
            result.append(
                try side(pass, entries, isTakenOver: late.isTakenOver, names: names, in: tx))
        }
        return result
    }

    /// Passes over a label that no bin has, but for those left with a reason.
    static func unplaced(
        in tx: StoreTransaction, session: CountSession, names: [String: String]
    ) throws -> [FloorSnapshot.PassOnSide] {
        let settled = try settled(in: tx)
        var result: [FloorSnapshot.PassOnSide] = []
        for pass in try tx.query(
            CountPass.self,
            where: CountPass.sessionID == session.id && CountPass.binID.exists(false)
                && CountPass.taskID.exists(false), sort: [.ascending(CountPass.id)])
        where settled[pass.id] == nil {
            let label = pass.foundLabel ?? ""
            let bins = try tx.count(Bin.self, where: Bin.code == label || Bin.barcode == label)
            let entries = try tx.query(CountEntry.self, where: CountEntry.passID == pass.id)
            guard bins != 1, !entries.isEmpty, !entries.contains(where: { $0.kind == .VOID }) else { continue }
            result.append(try side(pass, entries, isTakenOver: false, names: names, in: tx))
        }
        return result
    }

    /// Passes that go on where somebody else's stopped, but for those that a supervisor handed over or left alone.
    static func handOvers(
        in tx: StoreTransaction, session: CountSession, names: [String: String]
    ) throws -> [FloorSnapshot.HandOver] {
        let goingOn = try tx.query(
            CountPass.self, where: CountPass.sessionID == session.id && CountPass.takesOverThrough > 0,
            sort: [.ascending(CountPass.openedAt)])
        guard !goingOn.isEmpty else { return [] }
        let left = try settled(in: tx)
        // One that waits for the desk counts already.
        let handed = try tx.query(Decision.self, where: Decision.kind == .hand_over).filter { $0.result != .refused }
        return try goingOn.compactMap { pass in
            guard let through = pass.takesOverThrough, left[pass.id] == nil,
                let old = try pass.takesOverPassID.flatMap({ try tx.get(CountPass.self, id: $0) }),
                old.counterID != pass.counterID,
                !handed.contains(where: { decision in
                    decision.toPersonID == pass.counterID
                        && [old.id, old.taskID].contains { $0.map(decision.targetIDs.contains) ?? false }
                })
            else { return nil }
            let entries = try tx.query(
                CountEntry.self, where: CountEntry.passID == old.id && CountEntry.sequence <= through)
            var side = try side(pass, entries, isTakenOver: false, names: names, in: tx)
            side.at = pass.openedAt
            return FloorSnapshot.HandOver(
                pass: side, personID: pass.counterID, fromPassID: old.id, from: people(of: old, names))
        }
    }

    private static func side(
        _ pass: CountPass, _ entries: [CountEntry], isTakenOver: Bool, names: [String: String],
        in tx: StoreTransaction
    ) throws -> FloorSnapshot.PassOnSide {
        FloorSnapshot.PassOnSide(
            passID: pass.id, name: people(of: pass, names), place: try place(of: pass, in: tx),
            entries: entries.count, at: entries.map(\.arrivedAt).max() ?? pass.openedAt, isTakenOver: isTakenOver,
            content: try entries.sorted { $0.sequence < $1.sequence }.prefix(8).map { try describe($0, in: tx) })
    }

    /// Who counted, and who stood beside.
    static func people(of pass: CountPass, _ names: [String: String]) -> String {
        [pass.counterID, pass.companionID].compactMap { $0.map { names[$0] ?? $0 } }.joined(separator: " + ")
    }

    /// What came after the close, and the passes that the desk found to come after a line of their bin was settled.
    private static func tooLate(in tx: StoreTransaction, _ session: CountSession) throws -> [CountEntry] {
        var result: [String: CountEntry] = [:]
        if !isOpen(session), let closed = session.closedAt {
            for entry in try entries(of: session, after: closed, in: tx) { result[entry.id] = entry }
        }
        for alert in try tx.query(Message.self, where: Message.kind == .ALERT) {
            guard let pass = try pass(aboutWhich: alert, in: tx), pass.sessionID == session.id else { continue }
            for entry in try tx.query(CountEntry.self, where: CountEntry.passID == pass.id) { result[entry.id] = entry }
        }
        return result.values.sorted { $0.id < $1.id }
    }

    /// The pass that an alert of the desk tells of as late; nil where it is about something else.
    static func pass(aboutWhich alert: Message, in tx: StoreTransaction) throws -> CountPass? {
        try alert.aboutID.flatMap { try tx.get(CountPass.self, id: $0) }
    }

    private static func entries(
        of session: CountSession, after moment: DateTime, in tx: StoreTransaction
    ) throws -> [CountEntry] {
        try tx.query(
            CountEntry.self,
            where: CountEntry.sessionID == session.id
                && (CountEntry.createdAt > moment || CountEntry.createdAt.exists(false) && CountEntry.at > moment),
            sort: [.ascending(CountEntry.at)])
    }

    /// What reached the hub for a pass after another had taken it over, and does not count.
    private static func afterTakeOver(in tx: StoreTransaction, _ session: CountSession) throws -> [CountEntry] {
        let takers = try tx.query(
            CountPass.self,
            where: CountPass.sessionID == session.id && CountPass.takesOverPassID.exists(true))
        guard !takers.isEmpty else { return [] }
        let decisions = try tx.query(
            Decision.self,
            where: Decision.sessionID == session.id && Decision.result == .done
                && Decision.kind.isIn([.add_up, .compare, .late_take, .hand_over]))
        var result: [CountEntry] = []
        for bin in Set(takers.compactMap(\.binID)).sorted() {
            let passes = try tx.query(
                CountPass.self, where: CountPass.binID == bin && CountPass.sessionID == session.id)
            let entries = try passes.flatMap { try tx.query(CountEntry.self, where: CountEntry.passID == $0.id) }
            var builder = OpinionBuilder(passes: passes, entries: entries)
            builder.decisions = decisions
            let ignored = Set(builder.opinions().flatMap(\.late))
            for entry in entries where ignored.contains(entry.id) {
                guard let taker = takers.first(where: { $0.takesOverPassID == entry.passID }),
                    entry.arrivedAt > taker.createdAt ?? taker.openedAt
                else { continue }
                result.append(entry)
            }
        }
        return result
    }

    /// Since when a pass or an entry is taken or left; a decision that waits for the desk counts already.
    private static func settled(in tx: StoreTransaction) throws -> [String: DateTime] {
        var result: [String: DateTime] = [:]
        for decision in try tx.query(Decision.self, where: Decision.kind.isIn([.late_take, .late_leave]))
        where decision.result != .refused {
            for target in decision.targetIDs {
                result[target] = max(result[target] ?? decision.arrivedAt, decision.arrivedAt)
            }
        }
        return result
    }
}
