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

    // MARK: - Opening and closing

    /// Opens a bin, closing the one that is open.
    mutating func open(_ request: BinRequest) throws -> Outcome {
        var site = try site(of: request.place)
        try requireMay(count: site)
        let current = try openPass()
        let isSame = current.map { place(of: $0) == request.place } ?? false
        site.opening = isSame ? current?.openedBy ?? request.opening : request.opening
        if isSame, request.join == .ask { return .returned(said(site.code)) }
        let isUntouched = try isSame && current.map { try entryCount(of: $0) == 0 } ?? false
        if let current, !isSame, request.closing == .ask, try leavesOpen(current) { return .askClose(request) }
        if request.join == .ask, let other = try openPass(ofOthersOn: site) {
            return .askJoin(
                request,
                Holder(
                    passID: other.id, who: try name(of: other.counterID), code: site.code,
                    isOwn: other.counterID == personID, device: other.deviceID,
                    isReadable: try missing(of: other) == 0 && !counted(other).isEmpty))
        }
        var message = said(site.code)
        switch request.join {
        case .helping(let id):
            let theirs = try tx.get(CountPass.self, id: id)
            (site.helps, site.helpsPersonID) = (id, theirs?.counterID)
            if let theirs { message = ScreenMessage("crew.joined", ["who": try name(of: theirs.counterID)]) }
        case .helpingPerson(let id):
            site.helpsPersonID = id
            message = ScreenMessage("crew.joined", ["who": try name(of: id)])
        case .takingOver(let id): site.takesOver = try tx.get(CountPass.self, id: id)
        case .goingOnFrom(let id):
            guard let old = try tx.get(CountPass.self, id: id) else { break }
            (site.takesOver, site.goesOn) = (old, true)
            if old.counterID != personID {
                message = ScreenMessage("crew.goesOn", ["who": try name(of: old.counterID)])
            }
        case .ask, .alone, .goingOn: break
        }
        guard let current, !isUntouched else {
            if let current {
                // Opened a moment ago as a count of its own: let go; its ticket stays accounted for.
                try write(.VOID, in: current)
                if request.join == .goingOn {
                    (site.helps, site.helpsPersonID) = (current.helpsPassID, current.helpsPersonID)
                }
            }
            try start(site)
            showsFloor = true
            return .opened(message)
        }
        let reason: String? = if case .part(let why) = request.closing { why } else { nil }
        if isSame, site.takesOver == nil {
            // What was counted here before somebody came adds up with what follows. The pass that follows comes first,
            // so that nobody who hears of the CLOSE takes the bin for done.
            site.helps = current.id
            site.helpsPersonID = site.helpsPersonID ?? current.counterID
            let following = try start(site)
            _ = try finish(current, reason: reason)
            try remember(pass: following)
        } else {
            message = try finish(current, reason: reason)
            try start(site)
        }
        showsFloor = true
        return .opened(message)
    }

    private func said(_ code: String) -> ScreenMessage { ScreenMessage("bin.opened", ["bin": code]) }

    /// Opens a bin of the list by the check digits on its label.
    mutating func openTask(_ id: String, _ digits: String) throws -> Outcome {
        guard let task = try tx.get(BinTask.self, id: id), let bin = try tx.get(Bin.self, id: task.binID) else {
            throw Refusal("bin.unknown", ["code": id])
        }
        guard CheckDigits.match(digits, bin.checkDigits) else {
            throw Refusal("bin.digitsWrong", ["digits": digits, "bin": bin.code])
        }
        return try open(BinRequest(place: .bin(bin.id), opening: .CHECK_DIGITS))
    }

    /// A pass to be opened: where, in which session, and in what relation to others.
    private struct Site {
        var session: CountSession
        var task: BinTask?
        var bin: Bin?
        var label: String?
        var opening = PassOpening.NONE
        var helps: String?
        var helpsPersonID: String?
        var takesOver: CountPass?
        /// What the pass that is taken over counted so far stands.
        var goesOn = false

        var code: String { bin?.code ?? label ?? "" }
    }

    /// Where a pass counts.
    func place(of pass: CountPass) -> BinPlace {
        pass.binID.map(BinPlace.bin) ?? .label(pass.foundLabel ?? pass.ticket)
    }

    private func site(of place: BinPlace) throws -> Site {
        let sessions = try sessions()
        guard let first = sessions.first else {
            throw try closedSession() == nil ? Refusal("session.none") : Refusal("session.closed")
        }
        switch place {
        case .label(let label): return Site(session: first, label: label)
        case .bin(let id):
            guard let bin = try tx.get(Bin.self, id: id) else { throw Refusal("bin.unknown", ["code": id]) }
            for session in sessions {
                if let task = try task(session: session.id, bin: id), ![.waived, .withdrawn].contains(task.state) {
                    return Site(session: session, task: task, bin: bin)
                }
            }
            throw Refusal("bin.notInSession", ["bin": bin.code])
        }
    }

    /// Refuses a bin that this person, or who counts with him, must not count now.
    private func requireMay(count site: Site) throws {
        let me = try requirePerson()
        if site.session.state == .stopped { throw Refusal("session.stopped") }
        let barred = site.task?.notForIDs ?? []
        if barred.contains(me) { throw Refusal("bin.notForYou", ["bin": site.code]) }
        if let other = try companion(), barred.contains(other) {
            throw Refusal("bin.notForThem", ["bin": site.code, "who": try name(of: other)])
        }
    }

    @discardableResult
    private func start(_ site: Site) throws -> CountPass {
        let me = try requirePerson()
        let number = Int(try tx.nextSequence("ticket"))
        let ticket = RecordID.ticket(device: environment.deviceCode, number: number)
        // What stands of the old pass is named by its last entry, somebody else's once a supervisor hands it over; else
        // the bin is counted anew.
        let through = try site.takesOver.map { site.goesOn ? try entries(of: $0.id).last?.sequence ?? 0 : 0 }
        let pass = CountPass(
            id: ticket, ticket: ticket, sessionID: site.session.id, taskID: site.task?.id, binID: site.bin?.id,
            foundLabel: site.label, counterID: me, companionID: try companion(), deviceID: environment.deviceCode,
            helpsPersonID: site.helpsPersonID, helpsPassID: site.helps, takesOverPassID: site.takesOver?.id,
            takesOverThrough: through, openedAt: now, openedBy: site.opening)
        try tx.save(pass)
        try remember(pass: pass)
        if let task = site.task { try tx.setSetting("walk." + me, String(task.walkSequence)) }
        return pass
    }

    /// Whether something in the bin has no quantity, or nothing was said of it at all.
    private func leavesOpen(_ pass: CountPass) throws -> Bool {
        let totals = try totals(of: pass)
        if !totals.openLines.isEmpty { return true }
        // What was counted of the rest cannot be seen here; the desk sees it all.
        if try missing(of: pass) > 0 { return false }
        // Who adds to another pass may well have found nothing more.
        let addsToOther = pass.helpsPassID != nil || pass.helpsPersonID != nil || pass.takesOverThrough ?? 0 > 0
        if !addsToOther, totals.lines.isEmpty, totals.empty == nil, totals.skip == nil { return true }
        return !(try missed(pass, totals)).isEmpty
    }

    /// Expected items without a count; blind nothing can be missed.
    func missed(_ pass: CountPass, _ totals: PassTotals) throws -> [ExpectedLine] {
        guard totals.empty == nil, pass.helpsPassID == nil, pass.helpsPersonID == nil, pass.takesOverThrough ?? 0 == 0
        else { return [] }
        let counted = Set(totals.lines.keys.compactMap(\.itemID))
        return try expectedLines(of: pass).filter { !counted.contains($0.itemID) }
    }

    /// Writes CLOSE with the number of the pass's entries, and forgets the pass.
    func finish(_ pass: CountPass, reason: String?) throws -> ScreenMessage {
        let totals = try totals(of: pass)
        let isWhole = try missing(of: pass) == 0
        let count = try entryCount(of: pass) + 1
        try write(.CLOSE, in: pass) { entry in
            entry.entryCount = count
            entry.reason = reason
        }
        try remember(pass: nil)
        try tx.setSetting("last." + (personID ?? ""), pass.id)
        guard isWhole else {
            return ScreenMessage("bin.closedWith", ["bin": try code(of: pass), "count": String(count)])
        }
        return ScreenMessage(
            "bin.closed",
            [
                "bin": try code(of: pass), "lines": String(totals.lines.count), "units": totals.units.description,
                "word": totals.lines.count == 1 ? "app.word.line" : "app.word.lines",
            ])
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
            let session = try tx.get(CountSession.self, id: old.sessionID)
        else { return .said(ScreenMessage("undo.nothing"), .attention) }
        if session.state == .stopped { throw Refusal("session.stopped") }
        if CounterWork.isOver(session) { throw Refusal("session.closed") }
        if let current = try openPass() {
            // Only an untouched bin is let go; its ticket stays accounted for.
            guard try entryCount(of: current) == 0 else { return try undo() }
            try write(.VOID, in: current)
        }
        var site = Site(session: session, task: try old.taskID.flatMap { try tx.get(BinTask.self, id: $0) })
        site.bin = try old.binID.flatMap { try tx.get(Bin.self, id: $0) }
        site.label = old.foundLabel
        (site.helps, site.helpsPersonID) = (old.id, old.counterID)
        try start(site)
        showsFloor = true
        return .opened(ScreenMessage("bin.reopened", ["bin": site.code]))
    }

    // MARK: - Others in the same bin

    /// Another person's pass here that is still open as far as this terminal can know.
    private func openPass(ofOthersOn site: Site) throws -> CountPass? {
        if let task = site.task, task.state != .todo, task.state != .open { return nil }
        let me = try requirePerson()
        let device = environment.deviceCode
        let all = try passes(at: site.bin.map { .bin($0.id) } ?? .label(site.code), in: site.session.id)
        let taken = Set(all.compactMap(\.takesOverPassID))
        return try all.last {
            try ($0.counterID != me || $0.deviceID != device) && !taken.contains($0.id) && isOpen($0)
        }
    }

    // MARK: - Sessions that are over

    static func isOver(_ session: CountSession) -> Bool { session.state == .closed || session.state == .cancelled }

    /// The session that this person counts in, or counted in last, where it is closed meanwhile.
    func closedSession() throws -> CountSession? {
        guard let personID else { return nil }
        var pass = try openPass()
        if pass == nil { pass = try tx.setting("last." + personID).flatMap { try tx.get(CountPass.self, id: $0) } }
        guard let pass, let session = try tx.get(CountSession.self, id: pass.sessionID), CounterWork.isOver(session)
        else { return nil }
        return session
    }
}
