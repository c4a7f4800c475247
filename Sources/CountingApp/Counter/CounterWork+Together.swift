import Basics
import Counting
import DataStore
import Models
import Screens
import Terminal
import WarehouseModels

extension CounterWork {
    // MARK: - Counting together

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

    /// The entries of somebody's pass that count something, as far as they are known here.
    func counted(_ pass: CountPass) throws -> [CountEntry] {
        try entries(of: pass.id).filter { [.TALLY, .SET, .SERIAL, .UNKNOWN, .PLATE_WHOLE].contains($0.kind) }
    }

    /// The passes over one bin or label in one session, by the time they were opened.
    func passes(at place: BinPlace, in sessionID: String) throws -> [CountPass] {
        let sort: [SortKey<CountPass>] = [.ascending(CountPass.openedAt), .ascending(CountPass.id)]
        switch place {
        case .bin(let id):
            return try tx.query(
                CountPass.self, where: CountPass.binID == id && CountPass.sessionID == sessionID, sort: sort)
        case .label(let label):
            return try tx.query(
                CountPass.self, where: CountPass.sessionID == sessionID && CountPass.foundLabel == label, sort: sort)
        }
    }

    func crewRows() throws -> [FoundRow] {
        guard let session = try sessions().first else { return [] }
        return try openPasses(session.id).map { pass in
            FoundRow(
                cells: ["name": try name(of: pass.counterID), "bin": try code(of: pass), "state": ""],
                pick: .help(passID: pass.id, place: place(of: pass)))
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

    /// Helps the person whose badge was scanned or whose name was typed; a bin's label is opened as ever.
    mutating func help(_ code: CodeText) throws -> Outcome {
        if let person = try person(code) {
            if person.id == personID { throw Refusal("crew.yourself") }
            return try help(person: person.id)
        }
        if code.isScan, !StoreMasters(tx, sessionID: nil).bins(code: normalisedCode(code.text)).isEmpty {
            return try submit(code)
        }
        throw Refusal("person.unknown", ["text": code.text])
    }

    /// Helps a person: here where a bin is open, for then both stand before it; else where that person is known to be.
    mutating func help(person: String) throws -> Outcome {
        guard let session = try sessions().first else { throw Refusal("session.none") }
        let theirs = try openPasses(session.id).first { $0.counterID == person || $0.companionID == person }
        if let current = try openPass() {
            let here = place(of: current)
            let isHere = theirs.map { place(of: $0) == here } ?? false
            let join = isHere ? theirs.map { BinJoin.helping($0.id) } : nil
            return try open(
                BinRequest(place: here, opening: current.openedBy, join: join ?? .helpingPerson(person)))
        }
        guard let theirs else { return .askPlace(person: person, who: try name(of: person)) }
        return try open(BinRequest(place: place(of: theirs), opening: .NONE, join: .helping(theirs.id)))
    }

    /// Opens the bin of a label in order to help a person of whom this terminal knows no open bin.
    mutating func join(_ code: CodeText, person: String) throws -> Outcome {
        let masters = StoreMasters(tx, sessionID: nil)
        let meaning = CodeResolver(masters, year: year).resolve(code.input)
        if let failure = masters.failure { throw failure }
        guard case .bin(let bin) = meaning else { throw Refusal("bin.unknown", ["code": code.text]) }
        return try open(
            BinRequest(
                place: .bin(bin.id), opening: code.isScan ? .BIN_SCAN : .NONE, join: .helpingPerson(person)))
    }

    // MARK: - Two at one terminal

    /// Who counts with this person at this terminal.
    func companion() throws -> String? { try personID.flatMap { try tx.setting("companion." + $0) } }

    /// Counts with somebody at this terminal from now on, or alone again; the open bin goes on under both names.
    mutating func count(with companion: String?) throws -> Outcome {
        let me = try requirePerson()
        let said: ScreenMessage
        if let companion {
            said = ScreenMessage("crew.companion", ["who": try name(of: companion)])
        } else {
            said = ScreenMessage("crew.alone", ["who": try self.companion().map { try name(of: $0) } ?? ""])
        }
        let before = try self.companion()
        try tx.setSetting("companion." + me, companion)
        guard let current = try openPass() else { return .said(said, .accepted) }
        do {
            let outcome = try open(
                BinRequest(place: place(of: current), opening: current.openedBy, join: .goingOn))
            if case .opened = outcome { return .opened(said) }
            return outcome
        } catch let refusal as Refusal {
            try tx.setSetting("companion." + me, before)
            throw refusal
        }
    }

    /// Writes the totals so far for those who joined, who cannot read what was written before they came.
    func share() throws {
        guard let pass = try openPass(), let session = try tx.get(CountSession.self, id: pass.sessionID),
            session.sharing == .CREW
        else { return }
        var others = Set(try opinion(of: pass).flatMap { [$0.counterID, $0.companionID].compactMap(\.self) })
        others.subtract([pass.counterID, pass.companionID].compactMap(\.self))
        // Part of the totals would be told for all.
        guard try missing(of: pass) == 0 else { return }
        let own = try entries(of: pass.id)
        let told = own.last { $0.kind == .SHARE }.map { Set($0.crewIDs) } ?? []
        guard !others.isSubset(of: told), own.contains(where: { $0.kind != .SHARE }) else { return }
        let lines = try totals(of: pass).lines.compactMap { key, line in
            line.quantity.map { SharedTotals.Line(key: key, quantity: $0) }
        }
        let crew = [pass.counterID, pass.companionID].compactMap(\.self) + others.sorted()
        try write(.SHARE, in: pass, crew: crew) { $0.text = SharedTotals.text(lines) }
    }
}
