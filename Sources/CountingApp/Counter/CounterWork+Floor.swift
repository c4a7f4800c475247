import Basics
import Counting
import DataStore
import Models
import Screens
import WarehouseModels

extension CounterWork {
    // MARK: - What is around

    func floor() throws -> Floor {
        var floor = Floor()
        floor.person = try personID.flatMap { try tx.get(Person.self, id: $0) }
        let people = try tx.query(Person.self, page: .first(2000))
        for person in people { floor.names[person.id] = person.name }
        floor.closed = try closedSession()
        floor.session = try sessions().first
        guard floor.person != nil else { return floor }
        floor.companion = try companion().map { try name(of: $0) }
        floor.isWhole = tx.isReadOnly
        try addMessages(to: &floor)
        guard let session = floor.session else { return floor }
        floor.tasks = try nextTasks(session)
        floor.crew = try openPasses(session.id).prefix(12).map { pass in
            CrewRow(personID: pass.counterID, name: try name(of: pass.counterID), bin: try code(of: pass))
        }
        floor.mates = mates(among: people, counting: floor.crew.map(\.personID))
        if floor.isWhole { try addProgress(to: &floor, session) }
        return floor
    }

    private func addMessages(to floor: inout Floor) throws {
        let news = try inbox(limit: 6)
        floor.incoming = try news.filter { $0.fromID != personID }.map(self.news)
        floor.news = try news.prefix(2).map(self.news)
    }

    /// What costs a walk over the session.
    private func addProgress(to floor: inout Floor, _ session: CountSession) throws {
        if let first = floor.tasks.first, let task = try tx.get(BinTask.self, id: first.taskID) {
            floor.place = try tx.get(Zone.self, id: task.zoneID)?.code ?? ""
            // A bin that is counted again is the same bin.
            var (all, left): (Set<String>, Set<String>) = ([], [])
            try tx.forEach(
                BinTask.self, where: BinTask.sessionID == session.id && BinTask.zoneID == task.zoneID
            ) { task in
                all.insert(task.binID)
                if task.state == .todo || task.state == .open { left.insert(task.binID) }
                return true
            }
            floor.done = "\(all.count - left.count)/\(all.count)"
        }
        for index in floor.crew.indices {
            let person = floor.crew[index].personID
            floor.crew[index].bins = try bins(of: CountPass.sessionID == session.id && CountPass.counterID == person)
        }
        guard let me = personID else { return }
        let since = now.advanced(by: -12 * 3_600_000)
        let mine = CountPass.sessionID == session.id && CountPass.counterID == me && CountPass.openedAt > since
        let bins = try bins(of: mine)
        let first = try tx.query(
            CountPass.self, where: mine, sort: [.ascending(CountPass.openedAt)], page: .first(1)
        ).first
        let elapsed = first.map { now.milliseconds - $0.openedAt.milliseconds } ?? 0
        // An hour's rate says nothing after five minutes.
        floor.today = (bins, elapsed < 300_000 ? 0 : Int(Int64(bins) * 3_600_000 / elapsed))
    }

    /// How many bins some passes are over; one that was reopened or joined is one bin still.
    private func bins(of passes: Predicate<CountPass>) throws -> Int {
        Set(try tx.query(CountPass.self, where: passes).map { $0.binID ?? $0.ticket }).count
    }

    /// The next bins in walking order after the person's place, from the start of the walk again at its end.
    private func nextTasks(_ session: CountSession) throws -> [TaskRow] {
        let place = try job.after ?? tx.setting("walk." + (personID ?? "")).flatMap { Int($0) } ?? Int.min
        let waiting = BinTask.sessionID == session.id && BinTask.state.isIn([TaskState.todo, TaskState.open])
        let mine = try openPass()?.binID
        let me = personID ?? ""
        let barred = [me, try companion() ?? me]
        func page(_ range: Predicate<BinTask>) throws -> [BinTask] {
            try tx.query(
                BinTask.self, where: waiting && range, sort: [.ascending(BinTask.walkSequence)], page: .first(30)
            ).filter { task in !barred.contains(where: task.notForIDs.contains) && task.binID != mine }
        }
        var found = try page(BinTask.walkSequence > place)
        if found.count < 9, job.after == nil {
            found += try page(BinTask.walkSequence <= place)
        }
        var rows: [TaskRow] = []
        for task in found where rows.count < 9 {
            // A bin counted from here waits for the desk's word; it is not offered again.
            let passes = try tx.query(
                CountPass.self, where: CountPass.binID == task.binID && CountPass.sessionID == session.id)
            if try passes.contains(where: { try $0.counterID == me && $0.taskID == task.id && !isOpen($0) }) {
                continue
            }
            var row = TaskRow(taskID: task.id, binID: task.binID, code: task.binCode, walkSequence: task.walkSequence)
            if let other = try passes.first(where: { try $0.counterID != me && isOpen($0) }) {
                row.who = try name(of: other.counterID)
            } else if let notice = task.notice {
                row.notice = notice
            } else if let assignee = task.assigneeID, assignee != me {
                row.who = try name(of: assignee)
            }
            rows.append(row)
        }
        return rows
    }

    /// The open bin as the screens show it.
    func binView() throws -> BinView? {
        guard let pass = try openPass() else { return nil }
        let task = try pass.taskID.flatMap { try tx.get(BinTask.self, id: $0) }
        let own = try entries(of: pass.id)
        let matches = try matches(pass.sessionID)
        var view = BinView(
            pass: pass, code: try code(of: pass), notice: task?.notice ?? "",
            totals: PassFold.totals(of: pass.id, entries: own, matches: matches))
        view.entryCount = try entryCount(of: pass)
        view.notes = own.filter { $0.kind == .NOTE && !view.totals.reversed.contains($0.id) }.map {
            BinView.Note(time: CounterWork.clock($0.at), text: $0.text ?? "")
        }
        view.session = try tx.get(CountSession.self, id: pass.sessionID)?.state
        view.companion = try pass.companionID.map { try name(of: $0) }
        let here = try passes(at: place(of: pass), in: pass.sessionID)
        view.takenBy = try here.first { $0.takesOverPassID == pass.id && $0.counterID != pass.counterID }
            .map { try name(of: $0.counterID) }
        var group = try opinion(of: pass)
        let goesOnFrom = try pass.takesOverPassID.flatMap { try tx.get(CountPass.self, id: $0) }
        let through = pass.takesOverThrough ?? 0
        if through > 0, let goesOnFrom {
            group.append(goesOnFrom)
            view.awaitsWord = goesOnFrom.counterID != pass.counterID
        }
        // What others wrote here before they were joined comes by their word only, with a link or without.
        let mine = [pass] + group.filter { $0.id != pass.id && $0.counterID == pass.counterID }
        view.missing = try mine.reduce(0) { try $0 + missing(of: $1) }
        for other in group where other.id != pass.id {
            var theirs = try entries(of: other.id)
            if other.id == goesOnFrom?.id { theirs = theirs.filter { $0.sequence <= through } }
            var quantities: [LineKey: Decimal3] = [:]
            // What was written before this person came is known by the lead's word only.
            let share = theirs.first?.kind == .SHARE ? theirs.last { $0.kind == .SHARE } : nil
            if let share { quantities = SharedTotals.read(share.text ?? "") }
            let later = theirs.filter { $0.sequence > share?.sequence ?? Int.min }
            for (key, line) in PassFold.totals(of: other.id, entries: later, matches: matches).lines {
                if let quantity = line.quantity { quantities[key] = (quantities[key] ?? .zero) + quantity }
            }
            let name = other.counterID == pass.counterID ? nil : try name(of: other.counterID)
            view.others.append(BinView.Helper(passID: other.id, name: name, quantities: quantities))
        }
        view.expected = try expectedLines(of: pass).map { line in
            BinView.Expected(
                key: LineKey(itemID: line.itemID, lot: line.lot, licencePlate: line.licencePlate),
                quantity: line.quantity)
        }
        let keys = Array(view.totals.lines.keys) + view.others.flatMap(\.quantities.keys) + view.expected.map(\.key)
        for id in Set(keys.compactMap(\.itemID)) { view.items[id] = try tx.get(Item.self, id: id) }
        return view
    }

    // MARK: - Lists

    func find(_ text: String) throws -> [FoundRow] {
        let wanted = text.trimmed.uppercased()
        guard !wanted.isEmpty else { return [] }
        var rows = try tx.query(
            Bin.self, where: Bin.code.beginsWith(wanted), sort: [.ascending(Bin.code)], page: .first(9)
        ).map { FoundRow(cells: ["code": $0.code, "note": ""], pick: .bin($0.id)) }
        if try openPass() != nil {
            let masters = StoreMasters(tx, sessionID: nil)
            var items = masters.items(skuPrefix: text.trimmed, limit: 9)
            items += masters.items(nameWordPrefix: text.trimmed, limit: 9).filter { item in
                !items.contains { $0.id == item.id }
            }
            if let failure = masters.failure { throw failure }
            rows =
                items.map {
                    FoundRow(
                        cells: ["code": $0.sku, "note": $0.name],
                        pick: .item(ItemReading(item: $0), CodeText(typed: text)))
                } + rows
        }
        return Array(rows.prefix(9))
    }

    /// The codes of the session that nobody knows yet, as far as this person wrote them in the bin that is open.
    func tray() throws -> [FoundRow] {
        guard let pass = try openPass() else { return [] }
        let totals = try totals(of: pass)
        let code = try code(of: pass)
        return totals.unknownCodes.map { key in
            FoundRow(
                cells: [
                    "code": key.unknownCode ?? "", "quantity": totals.lines[key]?.quantity?.description ?? "-",
                    "bin": code, "note": "app.kept",
                ], pick: .nothing)
        }
    }

    // MARK: - The device

    func beat(_ beat: Beat) throws {
        let code = environment.deviceCode
        let old = try tx.get(Device.self, id: code)
        let device = Device(
            id: code, code: code, kind: .terminal, sessionID: beat.sessionID, personID: beat.personID,
            binID: beat.binID,
            lastSequence: Int(try tx.currentSequence("entry")), unsent: beat.unsent, parked: beat.parked, beatAt: now,
            clockOffsetMs: environment.clockOffsetMilliseconds, version: "1",
            checkedOutAt: beat.isCheckedOut ? old?.checkedOutAt ?? now : nil)
        try tx.save(
            old?.updating { draft in
                draft.sessionID = device.sessionID
                draft.personID = device.personID
                draft.binID = device.binID
                draft.lastSequence = device.lastSequence
                draft.unsent = device.unsent
                draft.parked = device.parked
                draft.beatAt = device.beatAt
                draft.clockOffsetMs = device.clockOffsetMs
                draft.checkedOutAt = device.checkedOutAt
            } ?? device)
    }
}

/// An unfinished line as its draft keeps it.
struct SavedLine {
    var itemID = ""
    var code = ""
    var lot = ""
    var unit = ""
    var typed = ""

    init(_ line: OpenLine, typed: String) {
        itemID = line.key.itemID ?? ""
        code = line.key.unknownCode ?? line.item?.sku ?? ""
        lot = line.key.lot ?? ""
        unit = line.unit ?? ""
        self.typed = typed
    }

    init?(_ text: String) {
        let parts = text.split(separator: "\u{1F}", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5 else { return nil }
        (itemID, code, lot, unit, typed) = (parts[0], parts[1], parts[2], parts[3], parts[4])
    }

    var text: String { [itemID, code, lot, unit, typed].joined(separator: "\u{1F}") }
    /// Differs from whatever a draft can be.
    static let unknown = "\u{1F}"
}
