import Basics
import Counting
import DataStore
import Models
import Screens
import Terminal
import WarehouseModels

extension CounterWork {
    func code(of pass: CountPass) throws -> String {
        try pass.binID.flatMap { try tx.get(Bin.self, id: $0)?.code } ?? pass.foundLabel ?? pass.ticket
    }

    func totals(of pass: CountPass) throws -> PassTotals {
        let own = try entries(of: pass.id)
        return PassFold.totals(of: pass.id, entries: own, matches: try matches(pass.sessionID))
    }

    func matches(_ sessionID: String) throws -> CodeMatches {
        CodeMatches(try tx.query(CodeMatch.self, where: CodeMatch.sessionID == sessionID))
    }

    func expectedLines(of pass: CountPass) throws -> [ExpectedLine] {
        guard let taskID = pass.taskID, let session = try tx.get(CountSession.self, id: pass.sessionID),
            session.visibility != .BLIND
        else { return [] }
        return try tx.query(
            ExpectedLine.self, where: ExpectedLine.taskID == taskID, sort: [.ascending(ExpectedLine.id)])
    }

    /// The sessions that can be counted in, running ones first.
    func sessions() throws -> [CountSession] {
        let all = try tx.query(CountSession.self, sort: [.ascending(CountSession.id)])
        let running = all.filter { $0.state == .released || $0.state == .counting }
        return running + all.filter { $0.state == .stopped }
    }

    /// The latest task over a bin, by the ids that the desk gives them.
    func task(session: String, bin: String) throws -> BinTask? {
        var found: BinTask?
        for round in 1...20 {
            let id = RecordID.task(session: session, bin: bin, round: round, sha256: environment.sha256)
            guard let task = try tx.get(BinTask.self, id: id) else { break }
            found = task
        }
        return found
    }

    // MARK: - What a scan or a typed line means

    /// Acts on a scan or a typed line in the list of bins or in a bin.
    mutating func submit(_ code: CodeText) throws -> Outcome {
        let session = try openPass()?.sessionID ?? sessions().first?.id
        let masters = StoreMasters(tx, sessionID: session)
        let year = Int(now.iso8601.prefix(4)) ?? 2026
        let meaning = CodeResolver(masters, year: year).resolve(code.input)
        if let failure = masters.failure { throw failure }
        return try act(on: meaning, code)
    }

    private mutating func act(on meaning: CodeMeaning, _ code: CodeText) throws -> Outcome {
        let pass = try openPass()
        switch meaning {
        case .bin(let bin):
            if let pass, pass.binID == bin.id {
                return .said(ScreenMessage("bin.opened", ["bin": bin.code]), .accepted)
            }
            return try open(BinRequest(binID: bin.id, opening: code.isScan ? .BIN_SCAN : .NONE))
        case .item(let reading):
            guard pass != nil else { throw Refusal("bin.unknown", ["code": code.text]) }
            return try open(reading, code)
        case .several(let candidates):
            return .matches(rows(candidates, code, inBin: pass != nil))
        case .person(let person):
            guard code.isScan, person.id != personID else {
                throw Refusal(pass == nil ? "bin.unknown" : "item.noMatch", ["code": code.text, "text": code.text])
            }
            return try help(code)
        case .plate(let plate, _):
            guard let pass else { throw Refusal("bin.unknown", ["code": plate]) }
            try write(.PLATE_WHOLE, in: pass) { entry in
                entry.licencePlate = plate
                entry.code = plate
                entry.rawScan = code.base64
                entry.symbology = code.symbology
            }
            return try openUnknown(code, value: plate)
        case .unknown(let value, let reason):
            guard pass != nil else { throw Refusal("bin.unknown", ["code": code.text]) }
            if case .empty = reason { throw Refusal("code.misread", ["code": code.text]) }
            if let line = job.line, line.item?.tracking == .SERIAL { return try countSerial(code.text) }
            return try openUnknown(code, value: value.isEmpty ? code.text : value)
        case .command, .nothing:
            throw pass == nil
                ? Refusal("bin.unknown", ["code": code.text]) : Refusal("item.noMatch", ["text": code.text])
        }
    }

    private func rows(_ candidates: [CodeCandidate], _ code: CodeText, inBin: Bool) -> [FoundRow] {
        candidates.compactMap { candidate in
            switch candidate {
            case .bin(let bin): FoundRow(cells: ["code": bin.code, "name": ""], pick: .bin(bin.id))
            case .item(let reading) where inBin:
                FoundRow(
                    cells: ["code": reading.item.sku, "name": reading.item.name], pick: .item(reading, code))
            default: nil
            }
        }
    }

    // MARK: - Opening and closing

    /// Opens a bin, closing the one that is open.
    mutating func open(_ request: BinRequest) throws -> Outcome {
        let me = try requirePerson()
        guard let bin = try tx.get(Bin.self, id: request.binID) else {
            throw Refusal("bin.unknown", ["code": request.binID])
        }
        var found: (session: CountSession, task: BinTask)?
        let sessions = try sessions()
        if sessions.isEmpty { throw Refusal("session.none") }
        for session in sessions where found == nil {
            if let task = try task(session: session.id, bin: bin.id), ![.waived, .withdrawn].contains(task.state) {
                found = (session, task)
            }
        }
        guard let (session, task) = found else { throw Refusal("bin.notInSession", ["bin": bin.code]) }
        if session.state == .stopped { throw Refusal("session.stopped") }
        if task.notForIDs.contains(me) { throw Refusal("bin.notForYou", ["bin": bin.code]) }
        var previous: (pass: CountPass, said: ScreenMessage)?
        let current = try openPass()
        // A bin that was opened as a count of its own a moment ago, and is now joined instead.
        let letsGo = try current.map { try $0.binID == bin.id && entries(of: $0.id).isEmpty } ?? false
        if let current, !letsGo, request.closing == .ask, try leavesOpen(current) { return .askClose(request) }
        if request.join == .ask, let other = try openPass(ofOthersOn: bin.id, in: session.id, task) {
            return .askJoin(request, who: try name(of: other.counterID), code: bin.code, passID: other.id)
        }
        if let current, letsGo {
            try write(.VOID, in: current)
        } else if let current {
            let reason: String? = if case .part(let why) = request.closing { why } else { nil }
            previous = (current, try finish(current, reason: reason))
        }
        var helps: CountPass?
        var taken: CountPass?
        if case .helping(let id) = request.join { helps = try tx.get(CountPass.self, id: id) }
        if case .takingOver(let id) = request.join { taken = try tx.get(CountPass.self, id: id) }
        try start(
            bin: bin, in: session, task: task, opening: request.opening, helps: helps, takesOver: taken)
        showsFloor = true
        if let previous { return .opened(previous.said) }
        if let helps { return .opened(ScreenMessage("crew.joined", ["who": try name(of: helps.counterID)])) }
        return .opened(ScreenMessage("bin.opened", ["bin": bin.code]))
    }

    /// Opens a bin of the list by the check digits on its label.
    mutating func openTask(_ id: String, _ digits: String) throws -> Outcome {
        guard let task = try tx.get(BinTask.self, id: id), let bin = try tx.get(Bin.self, id: task.binID) else {
            throw Refusal("bin.unknown", ["code": id])
        }
        guard CheckDigits.match(digits, bin.checkDigits) else {
            throw Refusal("bin.digitsWrong", ["digits": digits, "bin": bin.code])
        }
        return try open(BinRequest(binID: bin.id, opening: .CHECK_DIGITS))
    }

    @discardableResult
    private func start(
        bin: Bin, in session: CountSession, task: BinTask?, opening: PassOpening, helps: CountPass? = nil,
        takesOver: CountPass? = nil
    ) throws -> CountPass {
        let me = try requirePerson()
        let number = Int(try tx.nextSequence("ticket"))
        let ticket = RecordID.ticket(device: environment.deviceCode, number: number)
        // Only one's own old entries stand; of someone else's pass the bin is counted anew.
        let through = try takesOver.map { old in
            old.counterID == me ? try entries(of: old.id).last?.sequence ?? 0 : 0
        }
        let pass = CountPass(
            id: ticket, ticket: ticket, sessionID: session.id, taskID: task?.id, binID: bin.id, counterID: me,
            deviceID: environment.deviceCode, helpsPersonID: helps?.counterID, helpsPassID: helps?.id,
            takesOverPassID: takesOver?.id, takesOverThrough: through, openedAt: now, openedBy: opening)
        try tx.save(pass)
        try remember(pass: pass)
        if let task { try tx.setSetting("walk." + me, String(task.walkSequence)) }
        return pass
    }

    /// Whether something in the bin has no quantity, or nothing was said of it at all.
    private func leavesOpen(_ pass: CountPass) throws -> Bool {
        let totals = try totals(of: pass)
        if !totals.openLines.isEmpty { return true }
        if totals.lines.isEmpty, totals.empty == nil, totals.skip == nil { return true }
        return !(try missed(pass, totals)).isEmpty
    }

    /// Expected items without a count; blind nothing can be missed.
    func missed(_ pass: CountPass, _ totals: PassTotals) throws -> [ExpectedLine] {
        guard totals.empty == nil, pass.helpsPassID == nil else { return [] }
        let counted = Set(totals.lines.keys.compactMap(\.itemID))
        return try expectedLines(of: pass).filter { !counted.contains($0.itemID) }
    }

    /// Writes CLOSE with the number of the pass's entries, and forgets the pass.
    func finish(_ pass: CountPass, reason: String?) throws -> ScreenMessage {
        let totals = try totals(of: pass)
        let count = totals.received + 1
        try write(.CLOSE, in: pass) { entry in
            entry.entryCount = count
            entry.reason = reason
        }
        try remember(pass: nil)
        try tx.setSetting("last." + (personID ?? ""), pass.id)
        return ScreenMessage(
            "bin.closed",
            ["bin": try code(of: pass), "lines": String(totals.lines.count), "units": totals.units.description])
    }

    mutating func close(_ closing: Closing) throws -> Outcome {
        let pass = try requirePass()
        if closing == .ask, try leavesOpen(pass) { return .askClose(nil) }
        let reason: String? = if case .part(let why) = closing { why } else { nil }
        showsFloor = true
        return .left(try finish(pass, reason: reason))
    }

    /// Opens the bin closed last again: a pass that helps the closed one, so that both add up.
    mutating func reopen() throws -> Outcome {
        let me = try requirePerson()
        guard let id = try tx.setting("last." + me), let old = try tx.get(CountPass.self, id: id),
            let bin = try old.binID.flatMap({ try tx.get(Bin.self, id: $0) }),
            let session = try tx.get(CountSession.self, id: old.sessionID)
        else { return .said(ScreenMessage("undo.nothing"), .attention) }
        if session.state == .stopped { throw Refusal("session.stopped") }
        if let current = try openPass() {
            // Only an untouched bin is let go; its ticket stays accounted for.
            guard try entries(of: current.id).isEmpty else { return try undo() }
            try write(.VOID, in: current)
        }
        let task = try old.taskID.flatMap { try tx.get(BinTask.self, id: $0) }
        try start(bin: bin, in: session, task: task, opening: .NONE, helps: old)
        showsFloor = true
        return .opened(ScreenMessage("bin.reopened", ["bin": bin.code]))
    }

    // MARK: - Counting together

    /// Another person's pass over this bin that is still open as far as this terminal can know.
    func openPass(ofOthersOn binID: String, in sessionID: String, _ task: BinTask) throws -> CountPass? {
        guard task.state == .todo || task.state == .open, let me = personID else { return nil }
        return try tx.query(
            CountPass.self, where: CountPass.binID == binID && CountPass.sessionID == sessionID,
            sort: [.descending(CountPass.openedAt)]
        ).first { try ($0.counterID != me || $0.deviceID != environment.deviceCode) && isOpen($0) }
    }

    /// Whether a pass is open: no CLOSE is known, and its terminal has opened no other since.
    func isOpen(_ pass: CountPass) throws -> Bool {
        let isEnded = try tx.exists(
            CountEntry.self,
            where: CountEntry.passID == pass.id && CountEntry.kind.isIn([EntryKind.CLOSE, EntryKind.VOID]))
        if isEnded { return false }
        guard let dash = pass.ticket.lastIndex(of: "-"),
            let number = Int(pass.ticket[pass.ticket.index(after: dash)...])
        else { return true }
        let next = RecordID.ticket(device: pass.deviceID, number: number + 1)
        return try tx.get(CountPass.self, id: next) == nil
    }

    func crewRows() throws -> [FoundRow] {
        guard let session = try sessions().first else { return [] }
        return try openPasses(session.id).prefix(9).map { pass in
            FoundRow(
                cells: ["name": try name(of: pass.counterID), "bin": try code(of: pass), "state": ""],
                pick: .help(passID: pass.id, binID: pass.binID ?? ""))
        }
    }

    /// The newest open pass of each colleague.
    func openPasses(_ sessionID: String) throws -> [CountPass] {
        var seen: Set<String> = [personID ?? ""]
        var found: [CountPass] = []
        let since = now.advanced(by: -12 * 3_600_000)
        for pass in try tx.query(
            CountPass.self, where: CountPass.sessionID == sessionID && CountPass.openedAt > since,
            sort: [.descending(CountPass.openedAt)], page: .first(200))
        where seen.insert(pass.counterID).inserted {
            if try isOpen(pass) { found.append(pass) }
        }
        return found
    }

    /// Joins the bin of the person whose badge was scanned; one who is not known to be anywhere is helped by name.
    mutating func help(_ code: CodeText) throws -> Outcome {
        guard let person = try person(code) else { throw Refusal("person.unknown", ["text": code.text]) }
        guard let session = try sessions().first,
            let theirs = try openPasses(session.id).first(where: { $0.counterID == person.id }),
            let binID = theirs.binID
        else { throw Refusal("crew.notThere", ["who": CounterWork.short(person.name)]) }
        return try open(BinRequest(binID: binID, opening: .NONE, join: .helping(theirs.id)))
    }

    /// Writes the totals so far for those who joined, who cannot read what was written before they came.
    func share() throws {
        guard let pass = try openPass(), let session = try tx.get(CountSession.self, id: pass.sessionID),
            session.sharing == .CREW
        else { return }
        let others = Set(try opinion(of: pass).map(\.counterID)).subtracting([pass.counterID])
        let own = try entries(of: pass.id)
        let told = own.last { $0.kind == .SHARE }.map { Set($0.crewIDs) } ?? []
        guard !others.isSubset(of: told), own.contains(where: { $0.kind != .SHARE }) else { return }
        let lines = try totals(of: pass).lines.compactMap { key, line in
            line.quantity.map { SharedTotals.Line(key: key, quantity: $0) }
        }
        try write(.SHARE, in: pass, crew: [pass.counterID] + others.sorted()) { $0.text = SharedTotals.text(lines) }
    }
}

/// The totals in a SHARE entry's text.
enum SharedTotals {
    /// One line and what was counted of it.
    struct Line {
        let key: LineKey
        let quantity: Decimal3
    }

    static func text(_ lines: [Line]) -> String {
        JSONValue.array(
            lines.sorted { $0.key < $1.key }.map { line in
                .array(line.key.parts.map { $0.map(JSONValue.string) ?? .null } + [.string(line.quantity.description)])
            }
        ).text
    }

    /// Reads what ``text(_:)`` wrote; anything else is no totals.
    static func read(_ text: String) -> [LineKey: Decimal3] {
        guard case .array(let rows)? = try? JSONValue(parsing: text) else { return [:] }
        var result: [LineKey: Decimal3] = [:]
        for case .array(let cells) in rows where cells.count == 7 {
            let parts = cells.map { cell -> String? in if case .string(let text) = cell { text } else { nil } }
            guard let quantity = parts[6].flatMap({ Decimal3($0) }) else { continue }
            if let item = parts[0] {
                result[
                    LineKey(
                        itemID: item, lot: parts[2], stockOwner: parts[3], stockStatus: parts[4], licencePlate: parts[5]
                    )] = quantity
            } else if let code = parts[1] {
                result[
                    LineKey(
                        unknownCode: code, lot: parts[2], stockOwner: parts[3], stockStatus: parts[4],
                        licencePlate: parts[5])] = quantity
            }
        }
        return result
    }
}
