import Basics
import Counting
import DataStore
import Models
import WarehouseModels

/// Entries, decisions and messages as the floor view tells them.
extension FloorReader {
    static func latest(
        in tx: StoreTransaction, session: CountSession, names: [String: String]
    ) throws -> [FloorSnapshot.LatestEntry] {
        let entries = try tx.query(
            CountEntry.self, where: CountEntry.sessionID == session.id, sort: [.descending(CountEntry.at)],
            page: .first(12))
        return try entries.map { entry in
            FloorSnapshot.LatestEntry(
                id: entry.id, at: entry.at, name: names[entry.authorID] ?? entry.authorID,
                binCode: try place(ofPass: entry.passID, in: tx), text: try describe(entry, in: tx))
        }
    }

    /// One entry in a few words.
    static func describe(_ entry: CountEntry, in tx: StoreTransaction) throws -> Phrase {
        let sku = try entry.itemID.flatMap { try tx.get(Item.self, id: $0)?.sku }
        let what = sku ?? entry.code.map { "?\($0)" } ?? ""
        func words(_ key: String, _ value: String? = nil) -> Phrase {
            .words("sup.entry." + key, ["what": what, "value": value ?? ""])
        }
        switch entry.kind {
        case .TALLY: return entry.baseQuantity.map { words("tally", $0.description) } ?? words("scanned")
        case .SET: return words("set", entry.baseQuantity?.description)
        case .EMPTY: return words(entry.proof == EntryProof.NONE ? "empty" : "emptyProved")
        case .SKIP: return words("skip", entry.reason)
        case .UNKNOWN: return words("unknown", entry.code)
        case .SERIAL: return words("serial", entry.serial)
        case .NOTE: return words("note", entry.text)
        case .UNDO: return words("undo")
        case .CLOSE: return entry.reason.map { words("closedInPart", $0) } ?? words("closed")
        case .VOID: return words("void")
        case .SHARE: return words("share")
        case .PLATE_WHOLE, .PLATE_OPENED, .CONDITION: return words("other", entry.text ?? entry.licencePlate)
        }
    }

    /// What waits for the desk, what it refused and nobody has seen, and what became of this terminal's own.
    static func decisions(
        in tx: StoreTransaction, _ device: String, into result: inout FloorSnapshot
    ) throws {
        let open = Decision.result.exists(false) || Decision.result == .waiting
        result.waiting = try tx.query(
            Decision.self, where: open, sort: [.ascending(Decision.at)], page: .first(FloorSnapshot.lineLimit)
        ).map { try named($0, in: tx) }
        let seen = DateTime(milliseconds: try tx.setting(seenSetting).flatMap { Int64($0) } ?? 0)
        result.refused = try tx.query(
            Decision.self, where: Decision.result == .refused && Decision.resultAt > seen,
            sort: [.descending(Decision.resultAt)], page: .first(FloorSnapshot.lineLimit)
        ).map { try named($0, in: tx) }
        result.recent = try tx.query(
            Decision.self, where: Decision.deviceID == device, sort: [.descending(Decision.sequence)],
            page: .first(20)
        ).map { try named($0, in: tx) }
    }

    /// A decision with what it is about, in the words of the floor.
    private static func named(_ decision: Decision, in tx: StoreTransaction) throws -> FloorSnapshot.DecisionOnFloor {
        if decision.kind == .release, decision.sessionID == nil,
            let name = decision.text.flatMap({ try? JSONValue(parsing: $0) })?["name"]?.string
        {
            return .init(decision: decision, object: name)
        }
        guard decision.targetIDs.count <= 1 else { return .init(decision: decision, object: nil) }
        if let target = decision.targetIDs.first {
            return .init(decision: decision, object: try name(ofTarget: target, in: tx))
        }
        let session = try decision.sessionID.flatMap { try tx.get(CountSession.self, id: $0)?.name }
        return .init(decision: decision, object: session ?? "")
    }

    private static func name(ofTarget id: String, in tx: StoreTransaction) throws -> String {
        if let verdict = try tx.get(LineVerdict.self, id: id) {
            let line = try line(verdict, in: tx)
            return "\(line.binCode) \(line.sku)"
        }
        if let task = try tx.get(BinTask.self, id: id) { return task.binCode }
        if let pass = try tx.get(CountPass.self, id: id) { return try "\(place(of: pass, in: tx)) \(pass.ticket)" }
        if let line = try tx.get(ExportLine.self, id: id) { return "\(line.connector) \(line.grain)" }
        return id
    }

    /// What people said last, and the desk's alerts that no supervisor has read; those of late passes stand under late.
    static func talk(in tx: StoreTransaction, into result: inout FloorSnapshot) throws {
        result.talk = try tx.query(
            Message.self, where: Message.kind == .TEXT,
            sort: [.descending(Message.sentAt), .descending(Message.id)], page: .first(20))
        let read = Set(try tx.query(Message.self, where: Message.kind == .READ).compactMap(\.answersID))
        result.alerts = try tx.query(
            Message.self, where: Message.kind == .ALERT, sort: [.descending(Message.sentAt), .ascending(Message.id)]
        ).filter { alert in
            try !read.contains(alert.id) && alert.audience.contains("supervisors")
                && pass(aboutWhich: alert, in: tx) == nil
        }
    }
}
