import Basics
import Counting
import DataStore
import Models
import WarehouseModels

extension FloorReader {
    /// One line with its counts and what lies around it.
    static func line(_ id: String, in tx: StoreTransaction) throws -> LineDetail? {
        guard let verdict = try tx.get(LineVerdict.self, id: id) else { return nil }
        var detail = LineDetail(verdict: verdict)
        detail.bin = try tx.get(Bin.self, id: verdict.binID)
        detail.item = try tx.get(Item.self, id: verdict.itemID)
        let plan = try tx.first(SessionPlan.self, where: SessionPlan.sessionID == verdict.sessionID)
        let book = try plan.map { plan in
            try tx.query(BookLine.self, where: BookLine.binID == verdict.binID).filter {
                $0.snapshotID == plan.snapshotID && LineKey($0) == LineKey(verdict)
            }.reduce(Decimal3.zero) { $0 + $1.quantity }
        }
        let moves = try tx.query(StockMovement.self, where: StockMovement.binID == verdict.binID)
            .filter { $0.itemID == verdict.itemID }.sorted {
                ($0.bookedAt?.milliseconds ?? 0) < ($1.bookedAt?.milliseconds ?? 0)
            }
        let matches = CodeMatches(try tx.query(CodeMatch.self, where: CodeMatch.sessionID == verdict.sessionID))
        // A line that nothing whole was counted for names no pass: all over its bin are shown.
        let over = CountPass.binID == verdict.binID && CountPass.sessionID == verdict.sessionID
        let passes =
            verdict.passIDs.isEmpty
            ? try tx.query(CountPass.self, where: over, sort: [.ascending(CountPass.openedAt)])
            : try verdict.passIDs.compactMap { try tx.get(CountPass.self, id: $0) }
        for pass in passes {
            let passID = pass.id
            let entries = try tx.query(CountEntry.self, where: CountEntry.passID == passID)
            var names: [String: String] = [:]
            for person in [pass.counterID, pass.companionID].compactMap(\.self) {
                names[person] = try tx.get(Person.self, id: person)?.name
            }
            let totals = PassFold.totals(of: passID, entries: entries, matches: matches)
            let line = totals.lines.first { $0.key == LineKey(verdict) }?.value
            let at = line?.to ?? pass.openedAt
            let moved = moves.filter { $0.state == .BOOKED && ($0.bookedAt ?? .init(milliseconds: .max)) <= at }
                .reduce(Decimal3.zero) { $0 + $1.quantity }
            detail.counts.append(
                LineDetail.Count(
                    passID: passID, name: people(of: pass, names), ticket: pass.ticket, at: at,
                    counted: line?.quantity ?? 0, book: book.map { $0 + moved },
                    helps: pass.helpsPassID != nil || pass.helpsPersonID != nil))
        }
        for move in moves.suffix(6) {
            let kind = move.quantity < 0 ? "pick" : "receipt"
            detail.around.append(
                .init(
                    at: move.bookedAt ?? move.openedAt,
                    text: .words(
                        "sup.around.\(kind).\(move.state.rawValue)",
                        ["quantity": move.quantity.magnitude.description, "document": move.document])))
        }
        if let guess = verdict.guess { detail.around.append(.init(text: .desk(guess))) }
        return detail
    }

    /// Everyone who may count, those who counted, helped or stood beside at this bin last and marked.
    static func counters(session: String, bin: String, in tx: StoreTransaction) throws -> [CounterChoice] {
        let passes = try tx.query(CountPass.self, where: CountPass.binID == bin && CountPass.sessionID == session)
        let there = Set(passes.flatMap { [$0.counterID, $0.companionID].compactMap(\.self) })
        let devices = try tx.query(Device.self, where: Device.kind == .terminal)
        return try tx.query(Person.self).filter { $0.active && $0.roles.contains(.counters) }
            .map { person in
                let here = devices.filter { $0.personID == person.id && $0.checkedOutAt == nil }
                    .max { $0.heardAt < $1.heardAt }
                let place = try here.map { device in
                    try device.binID.flatMap { try tx.get(Bin.self, id: $0)?.code } ?? device.code
                }
                return CounterChoice(person: person, place: place, wasThere: there.contains(person.id))
            }
            .sorted {
                ($0.wasThere ? 1 : 0, $0.place == nil ? 1 : 0, $0.person.name)
                    < ($1.wasThere ? 1 : 0, $1.place == nil ? 1 : 0, $1.person.name)
            }
    }
}
