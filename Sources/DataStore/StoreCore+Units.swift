import Basics
import Models
import SQLite

/// Units: the changes of a transaction that goes to the backend as one and is applied there all or not at all.
extension StoreCore {
    /// Changes of one unit at most: every backend that takes units takes so many.
    package static let unitLimit = 100

    /// Whether an entry was made before the unit that is being written.
    func isOfEarlierTransaction(_ entry: OutboxEntry) -> Bool {
        openUnit.map { !$0.contains(entry.order) } ?? false
    }

    /// Makes the entries written since `openUnit` began a unit. Nothing is merged into them any more.
    func closeUnit() throws {
        guard let written = openUnit else { return }
        openUnit = nil
        var entries: [OutboxEntry] = []
        for order in written.sorted() { if let entry = try entry(order) { entries.append(entry) } }
        let orders = entries.map(\.order)
        guard orders.count > 1 else { return }
        var records: Set<ByteText> = []
        for entry in entries where !records.insert(ByteText(entry.model + "\u{0}" + entry.id)).inserted {
            // A conditional change stands for itself; the backend would judge the second by a version it has not made yet.
            throw StoreError.changedTwiceInUnit(model: entry.model, id: entry.id)
        }
        guard orders.count <= Self.unitLimit else {
            throw StoreError.transactionTooLarge(orders.count, limit: Self.unitLimit)
        }
        for order in orders { try seal(order) }
        try makeUnit(orders)
    }

    /// Makes entries go as one, or not at all.
    func makeUnit(_ orders: [Int64]) throws {
        guard let unit = orders.first else { return }
        hasUnits = true
        for order in orders {
            try connection.run("INSERT INTO \"_unit\" VALUES(?,?)", [.integer(order), .integer(unit)])
        }
    }

    /// The unit of an entry.
    func unit(of order: Int64) throws -> Int64? {
        guard hasUnits else { return nil }
        return try connection.withStatement(StoreSQL.unitOf) { statement in
            statement.bind(order, at: 1)
            return try statement.step() ? statement.integer(at: 0) : nil
        }
    }

    /// The units of entries that are sent.
    func units(of entries: [OutboxEntry]) throws -> [Int64: Int64] {
        guard hasUnits else { return [:] }
        var result: [Int64: Int64] = [:]
        for entry in entries { result[entry.order] = try unit(of: entry.order) }
        return result
    }

    /// The entries of a unit in order.
    func members(of unit: Int64) throws -> [OutboxEntry] {
        try connection.withStatement(StoreSQL.unitMembers) { statement in
            statement.bind(unit, at: 1)
            var orders: [Int64] = []
            while try statement.step() { orders.append(statement.integer(at: 0)) }
            return orders
        }.compactMap { try entry($0) }
    }

    /// The other entries of an entry's unit; none where it goes for itself.
    func companions(of order: Int64) throws -> [OutboxEntry] {
        guard let unit = try unit(of: order) else { return [] }
        return try members(of: unit).filter { $0.order != order }
    }

    /// A batch with the entries of a unit, if all of them may go now; else the unit is held.
    func adding(_ unit: Int64, to batch: Gathering, _ held: inout HeldEntries) throws -> Gathering? {
        var extended = batch
        var own = Gathering(joinsParents: true)
        let members = try members(of: unit)
        for entry in members {
            guard entry.state == .queued || entry.state == .sealed else { return nil }
            if case .held(let holder) = ownStanding(entry.order, entry.model) {
                for member in members { held.note(member.order, by: holder) }
                return nil
            }
            if try entries(entry.model, entry.id).first?.order != entry.order {
                let holder = try earlierChange(than: entry.order, entry.model, entry.id, batch)
                for member in members { held.note(member.order, by: holder) }
                return nil
            }
            // Its own creates are carried out with it or not at all, which needs no saying.
            if try isHeld(entry, &own) != .free, case .held(let holder) = try isHeld(entry, &extended) {
                for member in members { held.note(member.order, by: holder) }
                return nil
            }
            own.take(entry)
            extended.take(entry)
        }
        return extended
    }

    /// Whether these entries are one unit, which cannot be sent in parts.
    package func isOneUnit(_ entries: [OutboxEntry]) -> Bool {
        guard let units = try? units(of: entries), units.count == entries.count else { return false }
        return Set(units.values).count == 1
    }

    func leaveUnit(_ order: Int64) throws {
        try connection.run("DELETE FROM \"_unit\" WHERE \"ord\"=?", [.integer(order)])
    }

    /// Makes the answers to a unit one: where one of its changes was not decided, none was.
    func wholeUnits(_ results: [MutationResult]) throws -> [MutationResult] {
        guard hasUnits else { return results }
        var undecided: [Int64: String] = [:]
        var units: [Int64: Int64] = [:]
        for result in results {
            guard let unit = try unit(of: result.order) else { continue }
            units[result.order] = unit
            switch result.outcome {
            case .transient(let reason, _), .untouched(let reason): undecided[unit] = undecided[unit] ?? reason
            case .conflict: undecided[unit] = "another change of its transaction met a conflict"
            case .refused, .applied, .appliedUnreadable: continue
            }
        }
        guard !undecided.isEmpty else { return results }
        return results.map { result in
            guard let unit = units[result.order], let reason = undecided[unit] else { return result }
            switch result.outcome {
            case .applied, .appliedUnreadable: break
            case .conflict, .refused, .transient, .untouched: return result
            }
            return MutationResult(order: result.order, outcome: .transient(reason: reason, delay: 0))
        }
    }

    /// Parks what goes with a parked change.
    func parkUnit(
        of entry: OutboxEntry, _ reason: String, _ errorType: StoreProblem.ErrorType, _ report: inout ApplyReport
    ) throws {
        guard let unit = try unit(of: entry.order) else { return }
        for member in try members(of: unit) where member.state != .parked {
            try parkAlone(
                member, "\(BesideRows.unitReason) \(entry.model) \(entry.id) of its transaction: \(reason)", errorType,
                &report)
        }
    }

    /// The parked entries of an entry's unit.
    func parkedUnit(of order: Int64) throws -> [OutboxEntry] {
        guard let unit = try unit(of: order) else { return [] }
        return try members(of: unit).filter { $0.state == .parked }
    }
}

extension StoreSQL {
    static let unitOf = StatementText("SELECT \"unit\" FROM \"_unit\" WHERE \"ord\"=?")
    static let unitMembers = StatementText("SELECT \"ord\" FROM \"_unit\" WHERE \"unit\"=? ORDER BY \"ord\"")
}

extension StoreTransaction {
    /// Runs `body` so that its changes go to the backend in one request and are applied there all or not at all.
    ///
    /// If the backend refuses one of them, all are parked together and are retried together. A backend that cannot apply
    /// several changes as one has them parked with that reason. Without a backend it changes nothing: a transaction is
    /// whole here in any case.
    /// - Throws: What `body` throws, or ``StoreError/transactionTooLarge(_:limit:)``.
    public func sentAsOne<R>(_ body: () throws -> R) throws -> R {
        let core = try writer()
        // Inside another it is a part of that.
        guard core.openUnit == nil else { return try body() }
        return try whole(isCascade: true) {
            core.openUnit = []
            defer { core.openUnit = nil }
            let result = try body()
            try core.closeUnit()
            return result
        }
    }
}

extension DataStore {
    /// Runs `body` in one transaction whose changes also go to the backend as one: applied there all or not at all.
    ///
    /// See ``StoreTransaction/sentAsOne(_:)``, which does it for a part of a transaction.
    @discardableResult
    public func transactionSentAsOne<R: Sendable>(
        _ body: @escaping @Sendable (StoreTransaction) throws -> R
    ) async throws -> R {
        try await transaction { transaction in try transaction.sentAsOne { try body(transaction) } }
    }
}
