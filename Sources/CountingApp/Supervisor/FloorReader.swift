import Basics
import Counting
import DataStore
import Models
import WarehouseModels

/// Reads the floor from the store; every query is indexed or over a small model.
enum FloorReader {
    static func snapshot(
        in tx: StoreTransaction, sessionID: String?, now: DateTime
    ) throws -> FloorSnapshot {
        var result = FloorSnapshot()
        result.sessions = try tx.query(CountSession.self).sorted(by: isBefore)
        result.session = result.sessions.first { $0.id == sessionID } ?? result.sessions.first
        for person in try tx.query(Person.self) { result.names[person.id] = person.name }
        result.desks = try tx.query(Device.self, where: Device.kind == .desk)
        let decisions = try tx.query(Decision.self)
        result.waiting = decisions.filter { ($0.result ?? .waiting) == .waiting }.sorted { $0.at < $1.at }
        result.refused = decisions.filter { $0.result == .refused }.sorted { $0.at > $1.at }
        guard let session = result.session else {
            result.people = try people(in: tx, session: nil, names: result.names, now: now)
            return result
        }
        let verdicts = try tx.query(LineVerdict.self, where: LineVerdict.sessionID == session.id)
        let open = verdicts.filter { $0.state == .TO_DECIDE }
        result.zones = try zones(in: tx, session: session, toDecide: Set(open.map(\.binID)), partial: &result.partial)
        try lines(open, in: tx, into: &result)
        result.people = try people(in: tx, session: session, names: result.names, now: now)
        result.latest = try latest(in: tx, session: session, names: result.names)
        result.unknownCodes = try unknown(in: tx, session: session)
        result.documents = try tx.query(ExportDocument.self, where: ExportDocument.sessionID == session.id)
        result.heldLines = try tx.count(
            ExportLine.self, where: ExportLine.sessionID == session.id && ExportLine.state == .held)
        if let plan = try tx.first(SessionPlan.self, where: SessionPlan.sessionID == session.id) {
            result.book = try tx.get(BookSnapshot.self, id: plan.snapshotID)
        }
        return result
    }

    /// Open counts come first, then the newest; one not yet at the hub is the newest.
    private static func isBefore(_ a: CountSession, _ b: CountSession) -> Bool {
        if isOpen(a) != isOpen(b) { return isOpen(a) }
        let (x, y) = (a.createdAt?.milliseconds ?? .max, b.createdAt?.milliseconds ?? .max)
        return x != y ? x > y : a.id > b.id
    }

    private static func isOpen(_ session: CountSession) -> Bool {
        session.state != .closed && session.state != .cancelled
    }

    private static func zones(
        in tx: StoreTransaction, session: CountSession, toDecide: Set<String>, partial: inout [BinTask]
    ) throws -> [FloorSnapshot.ZoneProgress] {
        let zones = try tx.query(Zone.self, sort: [.ascending(Zone.walkSequence)])
        var progress: [String: FloorSnapshot.ZoneProgress] = [:]
        var seen: Set<String> = []
        try tx.forEach(
            BinTask.self, where: BinTask.sessionID == session.id, sort: [.ascending(BinTask.walkSequence)]
        ) { task in
            guard task.state != .withdrawn else { return true }
            let isDone = task.state == .counted || task.state == .waived
            if task.state == .skipped { partial.append(task) }
            // A recount of a bin is the same bin.
            guard seen.insert(task.binID).inserted else { return true }
            var zone = progress[task.zoneID] ?? FloorSnapshot.ZoneProgress(code: "", name: "")
            zone.bins += 1
            if isDone { zone.done += 1 } else if zone.left.count < 20 { zone.left.append(task.binCode) }
            let mark: Character =
                toDecide.contains(task.binID) ? "!" : isDone ? "#" : task.state == .open ? ":" : "."
            zone.strip.append(mark)
            progress[task.zoneID] = zone
            return true
        }
        return zones.compactMap { zone in
            guard var found = progress[zone.id] else { return nil }
            found.code = zone.code
            found.name = zone.name
            return found
        }
    }

    private static func lines(
        _ open: [LineVerdict], in tx: StoreTransaction, into result: inout FloorSnapshot
    ) throws {
        result.lineCount = open.count
        result.grossValue = open.reduce(0) { $0 + ($1.varianceValue?.magnitude ?? 0) }
        let sorted = open.sorted {
            ($0.varianceValue?.magnitude ?? 0, $1.id) > ($1.varianceValue?.magnitude ?? 0, $0.id)
        }
        for verdict in sorted.prefix(FloorSnapshot.lineLimit) {
            let item = try tx.get(Item.self, id: verdict.itemID)
            let bin = try tx.get(Bin.self, id: verdict.binID)
            result.lines.append(
                FloorSnapshot.LineToDecide(
                    verdict: verdict, binCode: bin?.code ?? verdict.binID, sku: item?.sku ?? verdict.itemID,
                    name: item?.name ?? ""))
            if verdict.passIDs.count > 1, let code = bin?.code, !result.differing.contains(code) {
                result.differing.append(code)
            }
        }
    }

    private static func people(
        in tx: StoreTransaction, session: CountSession?, names: [String: String], now: DateTime
    ) throws -> [FloorSnapshot.PersonOnFloor] {
        var closed: [String: Int] = [:]
        if let session {
            try tx.forEach(
                CountEntry.self,
                where: CountEntry.sessionID == session.id && CountEntry.at > now.advanced(by: -3_600_000)
            ) { entry in
                if entry.kind == .CLOSE { closed[entry.authorID, default: 0] += 1 }
                return true
            }
        }
        return try tx.query(Device.self, where: Device.kind == .terminal).map { device in
            FloorSnapshot.PersonOnFloor(
                device: device, name: device.personID.map { names[$0] ?? $0 } ?? "-",
                binCode: try device.binID.flatMap { try tx.get(Bin.self, id: $0)?.code },
                closedLastHour: device.personID.map { closed[$0] ?? 0 } ?? 0)
        }.sorted { ($0.name, $0.device.code) < ($1.name, $1.device.code) }
    }

    private static func latest(
        in tx: StoreTransaction, session: CountSession, names: [String: String]
    ) throws -> [FloorSnapshot.LatestEntry] {
        let entries = try tx.query(
            CountEntry.self, where: CountEntry.sessionID == session.id, sort: [.descending(CountEntry.at)],
            page: .first(12))
        return try entries.map { entry in
            let pass = try tx.get(CountPass.self, id: entry.passID)
            let bin = try pass?.binID.flatMap { try tx.get(Bin.self, id: $0)?.code } ?? pass?.foundLabel ?? "?"
            let sku = try entry.itemID.flatMap { try tx.get(Item.self, id: $0)?.sku }
            return FloorSnapshot.LatestEntry(
                id: entry.id, at: entry.at, name: names[entry.authorID] ?? entry.authorID, binCode: bin,
                text: describe(entry, sku: sku))
        }
    }

    /// One entry in a few words.
    private static func describe(_ entry: CountEntry, sku: String?) -> String {
        let what = sku ?? entry.code.map { "?\($0)" } ?? ""
        switch entry.kind {
        case .TALLY: return entry.baseQuantity.map { "\(what)  +\($0)" } ?? "\(what)  scanned"
        case .SET: return "\(what)  = \(entry.baseQuantity?.description ?? "")"
        case .EMPTY: return entry.proof == EntryProof.NONE ? "empty" : "empty, proved"
        case .SKIP: return "skipped: \(entry.reason ?? "")"
        case .UNKNOWN: return "unknown code \(entry.code ?? "")"
        case .SERIAL: return "\(what)  serial \(entry.serial ?? "")"
        case .NOTE: return "note: \(entry.text ?? "")"
        case .UNDO: return "undo"
        case .CLOSE: return entry.reason == nil ? "closed" : "closed in part: \(entry.reason ?? "")"
        case .VOID: return "void"
        case .SHARE: return "\(what)  shared"
        case .PLATE_WHOLE, .PLATE_OPENED, .CONDITION: return "\(what)  \(entry.text ?? entry.licencePlate ?? "")"
        }
    }

    private static func unknown(
        in tx: StoreTransaction, session: CountSession
    ) throws -> [FloorSnapshot.UnknownCode] {
        let known = Set(try tx.query(CodeMatch.self, where: CodeMatch.sessionID == session.id).map(\.value))
        var found: [String: (quantity: Decimal3, passes: Set<String>)] = [:]
        try tx.forEach(
            CountEntry.self, where: CountEntry.sessionID == session.id && CountEntry.kind == .UNKNOWN
        ) { entry in
            guard let code = entry.code, !known.contains(code) else { return true }
            var row = found[code] ?? (0, [])
            row.quantity += entry.baseQuantity ?? entry.quantity ?? 1
            row.passes.insert(entry.passID)
            found[code] = row
            return true
        }
        return found.sorted { $0.key < $1.key }.map { code, row in
            FloorSnapshot.UnknownCode(code: code, quantity: row.quantity, bins: row.passes.count, after: "")
        }
    }

    /// One line with its counts and what lies around it.
    static func line(_ id: String, in tx: StoreTransaction) throws -> LineDetail? {
        guard let verdict = try tx.get(LineVerdict.self, id: id) else { return nil }
        var detail = LineDetail(verdict: verdict)
        detail.bin = try tx.get(Bin.self, id: verdict.binID)
        detail.item = try tx.get(Item.self, id: verdict.itemID)
        let plan = try tx.first(SessionPlan.self, where: SessionPlan.sessionID == verdict.sessionID)
        let book = try plan.map { plan in
            try tx.query(BookLine.self, where: BookLine.binID == verdict.binID).filter {
                $0.snapshotID == plan.snapshotID && $0.itemID == verdict.itemID && $0.lot == verdict.lot
            }.reduce(Decimal3.zero) { $0 + $1.quantity }
        }
        let moves = try tx.query(StockMovement.self, where: StockMovement.binID == verdict.binID)
            .filter { $0.itemID == verdict.itemID }.sorted {
                ($0.bookedAt?.milliseconds ?? 0) < ($1.bookedAt?.milliseconds ?? 0)
            }
        let matches = CodeMatches(try tx.query(CodeMatch.self, where: CodeMatch.sessionID == verdict.sessionID))
        for passID in verdict.passIDs {
            guard let pass = try tx.get(CountPass.self, id: passID) else { continue }
            let entries = try tx.query(CountEntry.self, where: CountEntry.passID == passID)
            let name = try tx.get(Person.self, id: pass.counterID)?.name ?? pass.counterID
            let totals = PassFold.totals(of: passID, entries: entries, matches: matches)
            let line = totals.lines.first { $0.key.itemID == verdict.itemID && $0.key.lot == verdict.lot }?.value
            let at = line?.to ?? pass.openedAt
            let moved = moves.filter { $0.state == .BOOKED && ($0.bookedAt ?? .init(milliseconds: .max)) <= at }
                .reduce(Decimal3.zero) { $0 + $1.quantity }
            detail.counts.append(
                LineDetail.Count(
                    passID: passID, name: "\(name), \(pass.ticket)", at: at, counted: line?.quantity ?? 0,
                    book: book.map { $0 + moved }))
        }
        for move in moves.suffix(6) {
            let state = move.state == .BOOKED ? "booked" : move.state == .OPEN ? "open" : "cancelled"
            detail.around.append(
                "\(move.quantity < 0 ? "pick" : "receipt") \(move.quantity.magnitude) \(state), document \(move.document)"
            )
        }
        if let guess = verdict.guess { detail.around.append(guess) }
        return detail
    }
}
