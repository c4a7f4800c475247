import Basics
import Counting
import DataStore
import Models
import WarehouseModels

/// Reads the floor from the store; every query is indexed or over a small model.
enum FloorReader {
    /// The setting that keeps through when refusals were seen here.
    static let seenSetting = "refusals.seen"

    static func snapshot(
        in tx: StoreTransaction, sessionID: String?, device: String, now: DateTime
    ) throws -> FloorSnapshot {
        var result = FloorSnapshot()
        result.sessions = try tx.query(CountSession.self).sorted(by: isBefore)
        result.session = result.sessions.first { $0.id == sessionID } ?? result.sessions.first
        for person in try tx.query(Person.self) { result.names[person.id] = person.name }
        result.desks = try tx.query(Device.self, where: Device.kind == .desk)
        result.allZones = try tx.query(Zone.self, sort: [.ascending(Zone.walkSequence)]).map(\.code)
        try decisions(in: tx, device, into: &result)
        try talk(in: tx, into: &result)
        result.refusedHere = try tx.outbox(state: .parked, limit: FloorSnapshot.lineLimit).map {
            "\($0.model) \($0.id): \($0.reason ?? "refused")"
        }
        guard let session = result.session else {
            result.people = try people(in: tx, names: result.names, paces: [:])
            return result
        }
        let toDecide = try tx.query(
            LineVerdict.self, where: LineVerdict.sessionID == session.id && LineVerdict.state == .TO_DECIDE)
        result.zones = try zones(in: tx, session: session, Set(toDecide.map(\.binID)), partial: &result.partial)
        try lines(toDecide, in: tx, into: &result)
        result.incomplete = try tx.query(
            LineVerdict.self,
            where: LineVerdict.sessionID == session.id && LineVerdict.state == .OPEN
                && LineVerdict.finding == .INCOMPLETE && LineVerdict.guess.exists(true),
            sort: [.ascending(LineVerdict.id)], page: .first(FloorSnapshot.lineLimit)
        ).map { try line($0, in: tx) }
        let paces = try pace(in: tx, session, now: now, into: &result)
        result.people = try people(in: tx, names: result.names, paces: paces)
        result.latest = try latest(in: tx, session: session, names: result.names)
        result.unknownCodes = try unknown(in: tx, session: session)
        result.unplaced = try unplaced(in: tx, session: session, names: result.names)
        result.documents = try tx.query(
            ExportDocument.self, where: ExportDocument.sessionID == session.id,
            sort: [.ascending(ExportDocument.createdAt), .ascending(ExportDocument.id)])
        result.late = try late(in: tx, session: session, names: result.names)
        result.handOvers = try handOvers(in: tx, session: session, names: result.names)
        result.badLines = try exportLines(.rejected, session, in: tx)
        result.heldLines = try exportLines(.held, session, in: tx)
        if let plan = try tx.first(SessionPlan.self, where: SessionPlan.sessionID == session.id) {
            result.book = try tx.get(BookSnapshot.self, id: plan.snapshotID)
        }
        return result
    }

    private static func exportLines(
        _ state: ExportLineState, _ session: CountSession, in tx: StoreTransaction
    ) throws -> [ExportLine] {
        try tx.query(
            ExportLine.self, where: ExportLine.sessionID == session.id && ExportLine.state == state,
            sort: [.ascending(ExportLine.grainKey), .ascending(ExportLine.id)],
            page: .first(FloorSnapshot.lineLimit))
    }

    /// Open counts come first, then the newest; one not yet at the hub is the newest.
    private static func isBefore(_ a: CountSession, _ b: CountSession) -> Bool {
        if isOpen(a) != isOpen(b) { return isOpen(a) }
        let (x, y) = (a.createdAt?.milliseconds ?? .max, b.createdAt?.milliseconds ?? .max)
        return x != y ? x > y : a.id > b.id
    }

    static func isOpen(_ session: CountSession) -> Bool {
        session.state != .closed && session.state != .cancelled
    }

    private static func zones(
        in tx: StoreTransaction, session: CountSession, _ toDecide: Set<String>, partial: inout [BinTask]
    ) throws -> [FloorSnapshot.ZoneProgress] {
        let zones = try tx.query(Zone.self, sort: [.ascending(Zone.walkSequence)])
        var progress: [String: FloorSnapshot.ZoneProgress] = [:]
        var seen: Set<String> = []
        try tx.forEach(
            BinTask.self, where: BinTask.sessionID == session.id, sort: [.ascending(BinTask.walkSequence)]
        ) { task in
            guard task.state != .withdrawn else { return true }
            let isDone = task.state == .counted || task.state == .waived
            let isPart = task.state == .open && task.notice?.hasPrefix("in part") == true
            if task.state == .skipped || isPart { partial.append(task) }
            // A recount of a bin is the same bin.
            guard seen.insert(task.binID).inserted else { return true }
            var zone = progress[task.zoneID] ?? FloorSnapshot.ZoneProgress(code: "", name: "")
            zone.bins += 1
            if isDone { zone.done += 1 } else if zone.left.count < FloorSnapshot.lineLimit { zone.left.append(task) }
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
            let line = try line(verdict, in: tx)
            result.lines.append(line)
            if line.differs, !result.differing.contains(line.binCode) {
                result.differing.append(line.binCode)
            }
        }
    }

    static func line(_ verdict: LineVerdict, in tx: StoreTransaction) throws -> FloorSnapshot.LineToDecide {
        let item = try tx.get(Item.self, id: verdict.itemID)
        let bin = try tx.get(Bin.self, id: verdict.binID)
        return FloorSnapshot.LineToDecide(
            verdict: verdict, binCode: bin?.code ?? verdict.binID, sku: item?.sku ?? verdict.itemID,
            name: item?.name ?? "")
    }

    /// How fast each person and all of them are.
    private static func pace(
        in tx: StoreTransaction, _ session: CountSession, now: DateTime, into result: inout FloorSnapshot
    ) throws -> [String: Pace] {
        var paces: [String: Pace] = [:]
        try tx.forEach(
            CountEntry.self,
            where: CountEntry.sessionID == session.id && CountEntry.at > now.advanced(by: -Pace.window)
        ) { entry in
            paces[entry.authorID, default: Pace()].add(entry)
            result.pace.add(entry)
            return true
        }
        return paces
    }

    /// The terminals but for those declared lost.
    private static func people(
        in tx: StoreTransaction, names: [String: String], paces: [String: Pace]
    ) throws -> [FloorSnapshot.PersonOnFloor] {
        // A terminal that reports again after it was declared lost is there again.
        var lost: [String: Decision] = [:]
        for decision in try tx.query(
            Decision.self, where: Decision.kind == .device_lost && Decision.result == .done)
        {
            for code in decision.targetIDs where lost[code]?.isBefore(decision) ?? true { lost[code] = decision }
        }
        return try tx.query(Device.self, where: Device.kind == .terminal)
            .filter { device in lost[device.id].map(device.hasReported) ?? true }
            .map { device in
                FloorSnapshot.PersonOnFloor(
                    device: device, name: device.personID.map { names[$0] ?? $0 } ?? device.code,
                    binCode: try device.binID.flatMap { try tx.get(Bin.self, id: $0)?.code },
                    pace: device.personID.flatMap { paces[$0] } ?? Pace())
            }.sorted { ($0.name, $0.device.code) < ($1.name, $1.device.code) }
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
        return try found.sorted { $0.key < $1.key }.map { code, row in
            let places = try row.passes.sorted().prefix(6).map { try place(ofPass: $0, in: tx) }
            return FloorSnapshot.UnknownCode(
                code: code, quantity: row.quantity, bins: row.passes.count, places: Array(places))
        }
    }

    /// The bin's code of a pass, or what its label said.
    static func place(ofPass id: String, in tx: StoreTransaction) throws -> String {
        guard let pass = try tx.get(CountPass.self, id: id) else { return "?" }
        return try place(of: pass, in: tx)
    }

    static func place(of pass: CountPass, in tx: StoreTransaction) throws -> String {
        if let code = try pass.binID.flatMap({ try tx.get(Bin.self, id: $0)?.code }) { return code }
        if let code = try pass.taskID.flatMap({ try tx.get(BinTask.self, id: $0)?.binCode }) { return code }
        return pass.foundLabel ?? "?"
    }
}
