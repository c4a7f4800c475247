import Basics
import Counting
import DataStore
import Models
import WarehouseModels

/// Why the desk does not carry a decision out.
struct Refusal: Error, CustomStringConvertible {
    let description: String

    init(_ text: DeskText, _ arguments: KeyValuePairs<String, String> = [:]) { description = text(arguments) }

    /// Several refusals in one.
    init(all texts: [String]) { description = texts.joined(separator: "; ") }
}

extension Desk {
    /// What a release is of.
    struct Scope {
        var zones: [Zone]
        /// Single bins instead, for corrections.
        var bins: [Bin]?
    }

    /// Goes on with a release: makes the session and its plan, then its tasks in parts; true once all are there.
    mutating func release(_ decision: Decision, in tx: StoreTransaction, now: DateTime) throws -> Bool {
        let sessionID = decision.sessionID ?? id("CountSession", [decision.id])
        var session: CountSession
        if let known = try tx.get(CountSession.self, id: sessionID) {
            session = known
        } else if decision.sessionID == nil {
            session = try newSession(sessionID, decision)
        } else {
            throw Refusal(.releaseUnknown)
        }
        guard session.state == .draft else {
            if try plan(of: sessionID, in: tx)?.id == id("SessionPlan", [sessionID]), Desk.isOpen(session) {
                return true
            }
            throw Refusal(.countIsNoDraft, ["state": session.state.rawValue])
        }
        guard let plan = try plan(of: sessionID, in: tx) else {
            try begin(session, decision, in: tx, now: now)
            return false
        }
        let scope = try scope(plan.scope.value, in: tx)
        guard try makeTasks(session, plan, scope, in: tx, now: now) else { return false }
        session = session.updating { $0.state = .released }
        try tx.save(session)
        return true
    }

    func plan(of session: String, in tx: StoreTransaction) throws -> SessionPlan? {
        try tx.first(SessionPlan.self, where: SessionPlan.sessionID == session)
    }

    private func newSession(_ id: String, _ decision: Decision) throws -> CountSession {
        guard let json = decision.text.flatMap({ try? JSONValue(parsing: $0) }), json.object != nil else {
            throw Refusal(.releaseEmpty)
        }
        func word<E: EnumFieldValue>(_ name: String, _ type: E.Type, default value: E) throws -> E {
            guard let text = json[name]?.string else { return value }
            guard let known = E(rawValue: text) else {
                throw Refusal(.cannotBe, ["name": "\(name)", "value": "\(text)"])
            }
            return known
        }
        let visibility = try word("visibility", Visibility.self, default: .BLIND)
        let kind = try word("kind", SessionKind.self, default: .SPOT)
        let quiet = visibility == .BLIND || kind == .WALL
        return CountSession(
            id: id, name: json["name"]?.string ?? "Count", kind: kind, visibility: visibility,
            sharing: try word("sharing", Sharing.self, default: quiet ? .CREW : .FLOOR), state: .draft)
    }

    /// Checks a release and pins its book.
    private mutating func begin(
        _ session: CountSession, _ decision: Decision, in tx: StoreTransaction, now: DateTime
    ) throws {
        if session.kind == .WALL, session.visibility == .GUIDED {
            throw Refusal(.neverGuided)
        }
        // Nobody who counts blind shall find the quantities of a guided count on his terminal.
        if session.visibility == .BLIND, try emptyExpected(in: tx) { return }
        let snapshots = try tx.query(BookSnapshot.self, sort: [.descending(BookSnapshot.asOf)], page: .first(1))
        guard let snapshot = snapshots.first else { throw Refusal(.noBook) }
        let described = decision.text.flatMap { try? JSONValue(parsing: $0) }
        var members: JSONObject = [:]
        for name in ["zones", "bins"] { if let value = described?[name] { members[name] = value } }
        let wanted = JSONValue.object(members)
        let scope = try scope(wanted, in: tx)
        for other in try tx.query(CountSession.self) where other.id != session.id && Desk.isOpen(other) {
            guard other.visibility == .BLIND || session.visibility == .BLIND, other.state != .exported else { continue }
            if let bin = try shared(scope, with: other, in: tx) {
                throw Refusal(.binElsewhere, ["bin": "\(bin)", "count": "\(other.name)"])
            }
        }
        try put(session, in: tx)
        try tx.save(
            SessionPlan(
                id: id("SessionPlan", [session.id]), sessionID: session.id, snapshotID: snapshot.id,
                scope: JSONText(wanted), seed: id("seed", [session.id]), entryWindowMinutes: 15))
    }

    private func shared(_ scope: Scope, with other: CountSession, in tx: StoreTransaction) throws -> String? {
        let here = BinTask.sessionID == other.id && BinTask.state != .withdrawn
        if let bins = scope.bins {
            return try tx.first(
                BinTask.self, where: here && BinTask.binID.isIn(bins.map(\.id)),
                sort: [.ascending(BinTask.walkSequence)]
            )?.binCode
        }
        return try tx.first(
            BinTask.self, where: here && BinTask.zoneID.isIn(scope.zones.map(\.id)),
            sort: [.ascending(BinTask.walkSequence)]
        )?.binCode
    }

    private func scope(_ wanted: JSONValue, in tx: StoreTransaction) throws -> Scope {
        let all = try tx.query(Zone.self, sort: [.ascending(Zone.walkSequence), .ascending(Zone.code)])
        if let names = wanted["bins"]?.array?.compactMap(\.string), !names.isEmpty {
            let bins = try tx.query(
                Bin.self, where: Bin.id.isIn(names) || Bin.code.isIn(names), sort: [.ascending(Bin.walkSequence)])
            guard !bins.isEmpty else { throw Refusal(.binsUnknown) }
            return Scope(zones: all, bins: bins)
        }
        let names = Set((wanted["zones"]?.array ?? []).compactMap(\.string))
        let zones = names.isEmpty ? all : all.filter { names.contains($0.id) || names.contains($0.code) }
        guard names.isEmpty || zones.count == names.count else { throw Refusal(.zoneUnknown) }
        guard !zones.isEmpty else { throw Refusal(.noZones) }
        return Scope(zones: zones, bins: nil)
    }

    /// Makes the next part of the tasks; true when there are no more.
    private mutating func makeTasks(
        _ session: CountSession, _ plan: SessionPlan, _ scope: Scope, in tx: StoreTransaction, now: DateTime
    ) throws -> Bool {
        var left = Desk.tasksPerStep
        var sequence = 0
        // Tasks are made in walking order, so what is there already says where to go on.
        let there = try tx.count(BinTask.self, where: BinTask.sessionID == session.id)
        if let bins = scope.bins {
            for (index, bin) in bins.enumerated().dropFirst(there) {
                if left == 0 { return false }
                try makeTask(session, plan, bin, walk: index + 1, in: tx)
                left -= 1
            }
            return true
        }
        for zone in scope.zones {
            let active = Bin.zoneID == zone.id && Bin.active == true
            let count = try tx.count(Bin.self, where: active)
            defer { sequence += count }
            let done = max(0, there - sequence)
            if done >= count { continue }
            let bins = try tx.query(
                Bin.self, where: active, sort: [.ascending(Bin.walkSequence)], page: Page(offset: done, limit: left))
            for (index, bin) in bins.enumerated() {
                try makeTask(session, plan, bin, walk: sequence + done + index + 1, in: tx)
            }
            left -= bins.count
            if left == 0, done + bins.count < count { return false }
            if left == 0 { return try isLast(zone, scope, tx) }
        }
        return true
    }

    private func isLast(_ zone: Zone, _ scope: Scope, _ tx: StoreTransaction) throws -> Bool {
        guard let index = scope.zones.firstIndex(where: { $0.id == zone.id }) else { return true }
        let rest = scope.zones[(index + 1)...].map(\.id)
        return try !tx.exists(Bin.self, where: Bin.zoneID.isIn(rest) && Bin.active == true)
    }

    private func makeTask(
        _ session: CountSession, _ plan: SessionPlan, _ bin: Bin, walk: Int, in tx: StoreTransaction
    ) throws {
        let task = BinTask(
            id: RecordID.task(session: session.id, bin: bin.id, round: 1, sha256: sha256), sessionID: session.id,
            binID: bin.id, binCode: bin.code, zoneID: bin.zoneID, walkSequence: walk, state: .todo, priority: 0,
            notForIDs: [], notice: try pickNotice(bin.id, in: tx))
        let purpose: TaskPurpose = session.kind == .AUDIT ? .AUDIT : .COUNT
        try add(task, purpose, round: 1, after: nil, reason: session.kind.rawValue, session, plan, in: tx)
    }

    func pickNotice(_ bin: String, in tx: StoreTransaction) throws -> String? {
        let open = StockMovement.binID == bin && StockMovement.state == .OPEN
        return try tx.exists(StockMovement.self, where: open) ? DeskText.pickOpen() : nil
    }

    /// Saves a task with its plan and what it shows in advance.
    func add(
        _ task: BinTask, _ purpose: TaskPurpose, round: Int, after: String?, reason: String, _ session: CountSession,
        _ plan: SessionPlan, in tx: StoreTransaction
    ) throws {
        try put(task, in: tx)
        try put(
            TaskPlan(
                id: id("TaskPlan", [task.id]), taskID: task.id, sessionID: session.id, purpose: purpose, round: round,
                afterTaskID: after, reason: reason), in: tx)
        guard session.visibility != .BLIND else { return }
        let showsQuantity = session.visibility == .GUIDED && Desk.isShowing(session)
        let here = BookLine.binID == task.binID && BookLine.snapshotID == plan.snapshotID
        for line in try tx.query(BookLine.self, where: here, sort: [.ascending(BookLine.id)]) {
            try put(
                ExpectedLine(
                    id: id("ExpectedLine", [task.id] + LineKey(line).parts), sessionID: session.id, taskID: task.id,
                    itemID: line.itemID, lot: line.lot, licencePlate: line.licencePlate,
                    quantity: showsQuantity ? line.quantity : nil), in: tx)
        }
    }
}
