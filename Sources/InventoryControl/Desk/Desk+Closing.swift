import Basics
import Counting
import DataStore
import Models
import WarehouseModels

extension Desk {
    func stop(_ decision: Decision, in tx: StoreTransaction, now: DateTime) throws -> String {
        let session = try session(decision, in: tx)
        guard session.state == .released || session.state == .counting else {
            throw Refusal(.countIs, ["state": session.state.rawValue])
        }
        try tx.save(
            session.updating {
                $0.state = .stopped
                $0.stoppedAt = now
            })
        return ""
    }

    /// Approves the count as a whole: every line must be settled.
    func approveSession(_ decision: Decision, in tx: StoreTransaction) throws -> String {
        let session = try session(decision, in: tx)
        guard session.state == .stopped else { throw Refusal(.stopFirst) }
        let open = try tx.count(
            LineVerdict.self,
            where: LineVerdict.sessionID == session.id && LineVerdict.state.isIn([.OPEN, .RECOUNT, .TO_DECIDE]))
        guard open == 0 else { throw Refusal(.linesOpen, ["count": "\(open)"]) }
        try tx.save(session.updating { $0.state = .approved })
        return ""
    }

    /// Closes a count, or says everything that stands against it.
    mutating func close(_ decision: Decision, in tx: StoreTransaction, now: DateTime) throws -> String {
        let session = try session(decision, in: tx)
        guard [.stopped, .approved, .exported].contains(session.state) else {
            throw Refusal(session.state == .closed ? .closedAlready : .stopFirst)
        }
        var against: [String] = []
        // Whatever count it was declared lost under, it is on no list any more from which that could be said again.
        let lost = try tx.query(Decision.self, where: Decision.kind == .device_lost && Decision.result == .done)
        let own = try tx.query(CountPass.self, where: CountPass.sessionID == session.id)
        for code in Set(own.map(\.deviceID)).sorted() {
            // One that reported since it was declared lost is waited for again.
            let device = try tx.get(Device.self, id: code)
            let isLost = lost.contains { $0.targetIDs.contains(code) && device?.hasReported(since: $0) != true }
            if !isLost, let text = try owes(code, device, in: tx) { against.append(text) }
        }
        let tasks = try tx.count(
            BinTask.self, where: BinTask.sessionID == session.id && BinTask.state.isIn([.todo, .open, .skipped]))
        if tasks > 0 { against.append(DeskText.binsOpen(["count": "\(tasks)"])) }
        let lines = try tx.count(
            LineVerdict.self,
            where: LineVerdict.sessionID == session.id && LineVerdict.state.isIn([.OPEN, .RECOUNT, .TO_DECIDE]))
        if lines > 0 { against.append(DeskText.linesOpen(["count": "\(lines)"])) }
        if !connectors.isEmpty {
            let unsent = try tx.count(
                LineVerdict.self, where: LineVerdict.sessionID == session.id && LineVerdict.state == .ACCEPTED)
            if unsent > 0 { against.append(DeskText.unexported(["count": "\(unsent)"])) }
        }
        let unsettled = try tx.query(ExportLine.self, where: ExportLine.sessionID == session.id)
            .count { ![.confirmed, .posted_by_hand, .dropped].contains($0.state) }
        if unsettled > 0 { against.append(DeskText.unsettled(["count": "\(unsettled)"])) }
        guard against.isEmpty else { throw Refusal(all: against) }
        try tx.save(
            session.updating {
                $0.state = .closed
                $0.closedAt = now
            })
        endShowing(session)
        return ""
    }

    /// What a terminal still owes; nil where it has checked out with nothing unsent and all has arrived.
    private func owes(_ code: String, _ device: Device?, in tx: StoreTransaction) throws -> String? {
        guard let device else { return DeskText.neverReported(["terminal": code]) }
        guard device.checkedOutAt != nil else { return DeskText.notOut(["terminal": code]) }
        if device.unsent > 0 { return DeskText.owes(["terminal": code, "count": "\(device.unsent)"]) }
        let last =
            try tx.query(
                CountEntry.self, where: CountEntry.deviceID == code, sort: [.descending(CountEntry.sequence)],
                page: .first(1)
            ).first?.sequence ?? 0
        return last < device.lastSequence ? DeskText.notArrived(["terminal": code, "entry": "\(last)"]) : nil
    }

    mutating func cancel(_ decision: Decision, in tx: StoreTransaction, now: DateTime) throws -> String? {
        let session = try session(decision, in: tx)
        guard session.state != .closed, session.state != .exported else {
            throw Refusal(.countIs, ["state": session.state.rawValue])
        }
        let sent = try tx.exists(ExportDocument.self, where: ExportDocument.sessionID == session.id)
        guard !sent else { throw Refusal(.goneToERP) }
        if session.state != .cancelled {
            try tx.save(session.updating { $0.state = .cancelled })
            endShowing(session)
        }
        let open = try tx.query(
            BinTask.self, where: BinTask.sessionID == session.id && BinTask.state.isIn([.todo, .open]),
            page: .first(500))
        for task in open { try tx.save(task.updating { $0.state = .withdrawn }) }
        return open.count < 500 ? "" : nil
    }

    /// Takes late work in: into the open count, or as a correction of one that is closed.
    mutating func takeLate(_ decision: Decision, in tx: StoreTransaction, now: DateTime) throws -> String? {
        var bins: Set<String> = []
        var passes: [String] = []
        var owner: String?
        for target in decision.targetIDs {
            var passID = target
            if let entry = try tx.get(CountEntry.self, id: target) { passID = entry.passID }
            guard let pass = try tx.get(CountPass.self, id: passID), let bin = try bin(of: pass, in: tx) else {
                throw Refusal(.targetUnknown, ["target": "\(target)"])
            }
            bins.insert(bin)
            owner = pass.sessionID
            passes.append(pass.id)
            index(pass, bin: bin)
        }
        guard let session = try owner.flatMap({ try tx.get(CountSession.self, id: $0) }) else {
            throw Refusal(.nothingLate)
        }
        guard session.state == .closed || session.state == .cancelled else {
            // Said to be taken it would be seen no more, and count nowhere.
            guard try !passes.contains(where: { try isLate($0, in: tx) }) else { throw Refusal(.lineSettled) }
            return ""
        }
        let correction = CountSession(
            id: id("CountSession", [decision.id]), name: session.name + ", correction", kind: .CORRECTION,
            visibility: session.visibility, sharing: session.sharing, state: .draft, correctsID: session.id)
        if try tx.get(CountSession.self, id: correction.id) == nil { try tx.save(correction) }
        let scope: JSONValue = ["bins": .array(bins.sorted().map { .string($0) })]
        let order = decision.updating {
            $0.sessionID = correction.id
            $0.text = scope.text
        }
        return try release(order, in: tx, now: now) ? DeskText.opened(["name": correction.name]) : nil
    }
}
