import Basics
import Counting
import DataStore
import Models
import WarehouseModels

/// All that is known of one bin's count.
struct BinCase {
    let session: CountSession
    let plan: SessionPlan
    let bin: Bin
    let book: BookFacts
    let opinions: [Opinion]
    /// Starts of terminals whose clock nobody has measured yet.
    let unmeasured: Set<TerminalStart>
}

extension Desk {
    /// Reads all about a bin; nil where the session or the bin is not here yet.
    func binCase(_ place: Place, in tx: StoreTransaction) throws -> BinCase? {
        guard let session = try tx.get(CountSession.self, id: place.session),
            let bin = try tx.get(Bin.self, id: place.bin), let plan = try plan(of: session.id, in: tx),
            let snapshot = try tx.get(BookSnapshot.self, id: plan.snapshotID)
        else { return nil }
        var found: [CountPass] = []
        var entries: [CountEntry] = []
        for id in (passes[place] ?? []).sorted() {
            guard let pass = try tx.get(CountPass.self, id: id) else { continue }
            found.append(pass)
            entries += try tx.query(
                CountEntry.self, where: CountEntry.passID == id, sort: [.ascending(CountEntry.sequence)])
        }
        var builder = OpinionBuilder(passes: found, entries: entries)
        let (clock, unmeasured) = try clock(of: entries, in: tx)
        builder.time = { clock.place($0) }
        builder.matches = CodeMatches(try tx.query(CodeMatch.self, where: CodeMatch.sessionID == session.id))
        builder.decisions = try tx.query(
            Decision.self,
            where: Decision.sessionID == session.id && Decision.result == .done
                && Decision.kind.isIn([.add_up, .compare, .late_take, .hand_over, .override]))
        let lines = try tx.query(
            BookLine.self, where: BookLine.binID == bin.id && BookLine.snapshotID == snapshot.id)
        let movements = try tx.query(StockMovement.self, where: StockMovement.binID == bin.id)
        let book = BookFacts(
            snapshot, window: Int64(plan.entryWindowMinutes) * 60_000, lines: lines, movements: movements)
        return BinCase(
            session: session, plan: plan, bin: bin, book: book, opinions: builder.opinions(), unmeasured: unmeasured)
    }

    /// Follows a bin: its task's state, its verdicts, whether it is to be counted again.
    mutating func judge(
        _ place: Place, in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome
    ) throws {
        guard let facts = try binCase(place, in: tx) else {
            // A fresh desk may get passes before what they belong to.
            unready.insert(place)
            unreadyUntil = now.advanced(by: 2000)
            return
        }
        guard !facts.opinions.isEmpty else { return }
        guard Desk.isOpen(facts.session) else { return }
        for start in facts.unmeasured { unmeasured[start, default: []].insert(place) }
        if facts.session.state == .released {
            try tx.save(facts.session.updating { $0.state = .counting })
        }
        let task = try follow(facts, in: tx)
        noteSerials(facts, place)
        try alarmDoubleSerials(facts, place, in: tx, now: now)
        // Nothing is found while everyone is still at it: the screen shows the open pass itself.
        guard facts.opinions.contains(where: { $0.state != .open && $0.state != .void }) else { return }
        let verdicts = try LineJudge.keys(opinions: facts.opinions, book: facts.book).compactMap {
            try judge($0, facts, in: tx, now: now, &outcome)
        }
        try tellLate(verdicts, facts, in: tx, now: now)
        if verdicts.contains(where: { $0.state == .RECOUNT }), let task, task.state == .counted {
            let closed = facts.opinions.compactMap(\.closedAt).max() ?? now
            let delay = try recountDelay(in: tx)
            let due = min(recounts[place] ?? .init(milliseconds: .max), closed.advanced(by: delay))
            recounts[place] = due
            outcome.wake(max(due, now))
        } else {
            recounts[place] = nil
        }
    }

    private func judge(
        _ key: LineKey, _ facts: BinCase, in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome
    ) throws -> LineVerdict? {
        guard let itemID = key.itemID else { return nil }
        let item = try tx.get(Item.self, id: itemID)
        let (policy, bands) = try policy(item, itemID, key, facts, in: tx, now: now)
        guard var judgement = LineJudge.judge(key, opinions: facts.opinions, book: facts.book, policy: policy) else {
            return nil
        }
        if judgement.state == .TO_DECIDE, judgement.stands, judgement.finding == .OUT, let cost = policy.unitCost,
            let value = judgement.reading?.variance?.valued(at: cost),
            bands.isAutomatic(value, abcClass: item?.abcClass, zoneID: facts.bin.zoneID)
        {
            var generous = policy
            generous.acceptsConfirmed = true
            judgement =
                LineJudge.judge(key, opinions: facts.opinions, book: facts.book, policy: generous) ?? judgement
        }
        if let until = judgement.waitingUntil { outcome.wake(max(until, now.advanced(by: 60_000))) }
        let id = RecordID.verdict(session: facts.session.id, bin: facts.bin.id, line: key, sha256: sha256)
        let previous = try tx.get(LineVerdict.self, id: id)
        guard
            let next = VerdictRevision.next(
                after: previous, id: id, sessionID: facts.session.id, binID: facts.bin.id, key: key,
                judgement: judgement, unitCost: policy.unitCost, guess: try guess(judgement, key, facts, in: tx))
        else { return previous }
        try tx.save(next)
        return next
    }

    private func policy(
        _ item: Item?, _ itemID: String, _ key: LineKey, _ facts: BinCase, in tx: StoreTransaction, now: DateTime
    ) throws -> (JudgePolicy, ApprovalBands) {
        let rules = try tx.query(Rule.self)
        let cost = try unitCost(itemID, in: tx)
        let book = facts.book.quantity(key, at: now)
        let tolerance = ToleranceTable(rules, at: now).tolerance(
            abcClass: item?.abcClass, unit: item?.baseUnit ?? "", zoneID: facts.bin.zoneID,
            bookValue: cost.flatMap { book.valued(at: $0) }, tracking: item?.tracking ?? .NONE)
        return (JudgePolicy(tolerance: tolerance, unitCost: cost), ApprovalBands(rules, at: now))
    }

    func unitCost(_ item: String, in tx: StoreTransaction) throws -> Decimal3? {
        // Costs have four places, the rules of counting reckon with three; values are for sorting and bands.
        try tx.first(ItemCost.self, where: ItemCost.itemID == item).map { Decimal3(units: $0.unitCost.units / 10) }
    }

    private func guess(
        _ judgement: LineJudgement, _ key: LineKey, _ facts: BinCase, in tx: StoreTransaction
    ) throws -> String? {
        let missing = facts.opinions.flatMap(\.missing)
        if judgement.finding == .INCOMPLETE, !missing.isEmpty {
            return missing.map {
                $0.count == 1
                    ? DeskText.entryWaits(["terminal": $0.deviceID])
                    : DeskText.entriesWait(["count": "\($0.count)", "terminal": $0.deviceID])
            }.joined(separator: "; ")
        }
        if let until = judgement.waitingUntil { return DeskText.movementsWait(["time": until.iso8601]) }
        guard judgement.finding == .OUT, let counted = judgement.reading?.counted,
            let book = judgement.reading?.bookQuantity, let itemID = key.itemID
        else { return judgement.reading?.doubts.first.map(words) }
        let packs = try tx.query(Pack.self, where: Pack.itemID == itemID).compactMap {
            PackUnit($0.unit, numerator: $0.numerator, denominator: $0.denominator)
        }
        return Guess.cause(of: key, counted: counted, book: book, packs: packs)?.description
    }

    private func words(_ doubt: BookDoubt) -> String {
        switch doubt {
        case .openMovement(let document): DeskText.movementOpen(["document": document])
        case .movementNear(let document): DeskText.movementNear(["document": document])
        case .unplacedTime: DeskText.timeUnsure()
        }
    }

    /// Brings the states of a bin's tasks up to date; gives the task of the last round.
    private func follow(_ facts: BinCase, in tx: StoreTransaction) throws -> BinTask? {
        let rounds = try rounds(facts.session.id, facts.bin.id, in: tx)
        for (index, task) in rounds.enumerated() {
            let isLast = index == rounds.count - 1
            let own = facts.opinions.filter { opinion in
                let named = opinion.passes.compactMap(\.taskID).first { id in rounds.contains { $0.id == id } }
                return named == task.id || (named == nil && isLast)
            }
            let live = own.filter { $0.state != .void }
            guard task.state != .waived, task.state != .withdrawn, let last = live.last else { continue }
            var state = TaskState.open
            var notice = task.notice
            if live.contains(where: { $0.state == .whole }) {
                state = .counted
            } else if case .partial(let reason) = last.state {
                state = last.lines.isEmpty && last.skip != nil ? .skipped : .open
                notice = DeskText.inPart(["reason": reason])
            } else if last.state == .incomplete {
                state = .open
            }
            try put(
                task.updating {
                    $0.state = state
                    $0.notice = notice
                }, in: tx)
        }
        return try rounds.last.flatMap { try tx.get(BinTask.self, id: $0.id) }
    }

    /// A bin's tasks by round.
    func rounds(_ session: String, _ bin: String, in tx: StoreTransaction) throws -> [BinTask] {
        var result: [BinTask] = []
        while let task = try tx.get(
            BinTask.self, id: RecordID.task(session: session, bin: bin, round: result.count + 1, sha256: sha256))
        {
            result.append(task)
        }
        return result
    }

    /// Who counted which serial number of which item here, as the bin's counts say it now: what was taken back is gone.
    private mutating func noteSerials(_ facts: BinCase, _ place: Place) {
        var here: [SerialNumber: Set<String>] = [:]
        for opinion in facts.opinions {
            for pass in opinion.passes {
                for (key, line) in opinion.totals[pass.id]?.lines ?? [:] {
                    for serial in line.serials {
                        let number = SerialNumber(session: place.session, item: key.itemID ?? "", serial: serial)
                        here[number, default: []].insert(pass.counterID)
                    }
                }
            }
        }
        for number in serialsOfPlace[place] ?? [] where here[number] == nil { serials[number]?[place] = nil }
        serialsOfPlace[place] = here.isEmpty ? nil : Set(here.keys)
        for (number, people) in here { serials[number, default: [:]][place] = people }
    }

    /// A serial number that was counted in two bins: the supervisors hear of it, and those who counted it, who may still
    /// stand before one of them. They are told bin and person, never a quantity.
    private func alarmDoubleSerials(
        _ facts: BinCase, _ place: Place, in tx: StoreTransaction, now: DateTime
    ) throws {
        for number in (serialsOfPlace[place] ?? []).sorted(by: { ($0.item, $0.serial) < ($1.item, $1.serial) }) {
            let all = (serials[number] ?? [:]).sorted { $0.key < $1.key }
            guard all.count > 1 else { continue }
            var places: [String] = []
            for (other, people) in all {
                guard let bin = try tx.get(Bin.self, id: other.bin) else { continue }
                let names = try people.sorted().map { try tx.get(Person.self, id: $0)?.name ?? $0 }
                places.append("\(bin.code) (\(names.joined(separator: ", ")))")
            }
            try alert(
                DeskText.serialTwice(["serial": printable(number.serial), "places": places.joined(separator: ", ")]),
                about: facts.bin.id, key: ["serial", place.session, number.item, number.serial] + all.map(\.key.bin),
                to: Set(all.flatMap(\.value)).sorted(), in: tx, now: now)
        }
    }
}

/// A serial number of an item in a session.
struct SerialNumber: Hashable, Sendable {
    let session: String
    let item: String
    let serial: String
}
