import Basics
import ModelTables
import Models

extension StoreTransaction {
    /// Takes a change back: the record here becomes what the backend has, with later changes over it. Gives the numbers of
    /// the entries that went: without its create nothing that follows of a record can ever arrive, so that goes too.
    ///
    /// - Parameter wholeUnit: Whether what goes as one with it is taken back too. Half of a transaction is never sent, so a
    ///   part of one is not taken back alone.
    /// - Throws: ``StoreError/createOnly(model:id:)`` for create-only models: what was counted is never taken back;
    ///   ``StoreError/partOfUnit(_:others:)`` for a part of a transaction that goes as one;
    ///   ``StoreError/entryNotAvailable(_:reason:)`` for a create whose record others belong to, where the backend has
    ///   none with its key.
    @discardableResult
    public func revertOutbox(_ order: Int64, wholeUnit: Bool = false) throws -> [Int64] {
        let core = try writer()
        let entry = try available(order)
        if try context.table(entry.model).isCreateOnly {
            throw StoreError.createOnly(model: entry.model, id: entry.id)
        }
        let (reverted, hasUnits) = try core.revertedWith(entry)
        for entry in reverted where try context.table(entry.model).isCreateOnly {
            throw StoreError.entryNotAvailable(
                order, reason: "\(entry.model) \(entry.id) goes as one with it, and is never taken back")
        }
        if hasUnits, !wholeUnit {
            throw StoreError.partOfUnit(order, others: reverted.map(\.order).filter { $0 != order })
        }
        for entry in reverted {
            guard try !outbox(model: entry.model, id: entry.id).contains(where: { $0.state == .sending }) else {
                throw StoreError.entryNotAvailable(
                    order, reason: "another change of \(entry.model) \(entry.id) is being sent; try again")
            }
        }
        let made = try reverted.compactMap { entry in try madeHereAlone(entry, core).map { (entry, $0) } }
        try whole(isCascade: true) {
            // The last first: each stands on what was before it.
            for entry in reverted.reversed() { try revert(entry, core) }
            // Looked for in what is left: a transaction may have moved into a record what is older than that.
            for (entry, key) in made {
                guard let child = try child(of: key, try context.table(entry.model), core) else { continue }
                let record = entry.order == order ? "its record" : "\(entry.model) \(entry.id)"
                throw StoreError.entryNotAvailable(
                    order,
                    reason: "\(child) belongs to \(record), which would not exist anywhere; revert or move that first")
            }
        }
        return reverted.map(\.order)
    }

    /// The entries that go to the backend as one with this one, itself among them, in order.
    public func unit(of order: Int64) throws -> [OutboxEntry] {
        guard let entry = try outboxEntry(order) else { throw StoreError.unknownEntry(order) }
        let members = try connection.rows(
            """
            SELECT m."ord" FROM "_unit" AS u JOIN "_unit" AS m ON m."unit"=u."unit" WHERE u."ord"=? ORDER BY m."ord"
            """, [.integer(order)])
        let entries = try members.compactMap { try $0[0].integer.flatMap { try outboxEntry($0) } }
        return entries.isEmpty ? [entry] : entries
    }

    private func revert(_ entry: OutboxEntry, _ core: StoreCore) throws {
        let table = try context.table(entry.model)
        let all = try outbox(model: entry.model, id: entry.id)
        let old = try table.fetch(entry.id, on: connection)
        let beneath = try core.serverImage(old, all, table, entry.id) ?? core.beneath(old, all, table)
        try core.removeEntry(entry)
        if entry.kind == .update {
            let next = all.first { $0.order > entry.order }
            try core.moveBases(all, after: entry, to: entry.base) {
                // A delete was made on all that was shown; the change hid no more of it than its own fields.
                $0.order == next?.order && $0.kind == .update ? entry.baseVersion : $0.baseVersion
            }
        }
        let isLast = try outbox(model: entry.model, id: entry.id).isEmpty
        if isLast, try core.shadow(entry.model, entry.id) != nil {
            try core.showKept(table, entry.id)
        } else {
            try showWaiting(entry, beneath, old, table, core)
        }
    }

    /// The key of a record that the backend has not: without its create it exists nowhere. Nil for any other.
    private func madeHereAlone(_ entry: OutboxEntry, _ core: StoreCore) throws -> [Value]? {
        guard entry.kind == .create else { return nil }
        // What was heard of the backend's record says more than a refusal of whatever time.
        if let there = try core.shadow(entry.model, entry.id) {
            guard there.isDeleted else { return nil }
        } else if entry.wasFoundThere {
            return nil
        }
        let table = try context.table(entry.model)
        // Deleted here since, it may have children all the same: such as whose own delete was taken back.
        let values = try table.fetch(entry.id, on: connection)?.values ?? table.wire.values(entry.fields)
        return table.wire.keyPositions.map { values[$0] }
    }

    /// A record that names one with this key as its parent, for a person. What the backend itself has under that is no
    /// reason to keep anything here.
    private func child(of key: [Value], _ table: StoreTable, _ core: StoreCore) throws -> String? {
        for model in schema.models {
            guard let child = context.tables[model.name] else { continue }
            for parent in child.parents where parent.target == table.model.name {
                let same = zip(parent.positions, key).map { PredicateNode.field(model.fields[$0].name, .equal($1)) }
                var found: String?
                try child.table.read(RowQuery(filter: .and(same)), on: connection) { reader in
                    let id = reader.record.id
                    if try !core.hasThere(id, child, parent.positions, key) { found = id }
                    return found == nil
                }
                if let found { return "\(model.name) \(found)" }
            }
        }
        return nil
    }
}

extension OutboxEntry {
    /// Whether a create was refused because the backend has a record with its key.
    var wasFoundThere: Bool {
        guard kind == .create, state == .parked, condition == nil, let reason else { return false }
        if reason.hasSuffix(StoreCore.deletedThereReason) { return false }
        return reason == StoreCore.foundThereReason || reason.hasPrefix("ConditionalCheckFailed")
            || reason.hasPrefix("DynamoDB:ConditionalCheckFailed")
    }
}

extension StoreCore {
    /// Whether the backend's record, as far as it is known here, holds these values.
    fileprivate func hasThere(_ id: String, _ table: StoreTable, _ positions: [Int], _ values: [Value]) throws -> Bool {
        if try table.fetch(id, on: connection)?.version == nil, try shadow(table.model.name, id) == nil { return false }
        guard let known = try knownValues(id, table) else { return false }
        return positions.map { known[$0] } == values
    }

    /// Puts the changes that wait behind one on other values: by field, the first of them that has the field.
    func moveBases(
        _ entries: [OutboxEntry], after entry: OutboxEntry, to values: JSONObject, version: (OutboxEntry) -> Int64?
    ) throws {
        var open = Set(values.keys)
        for later in entries where later.order > entry.order && later.kind != .create {
            // A delete stands on the whole record.
            let touched = open.filter { later.kind == .delete || later.fields[$0] != nil }
            open.subtract(touched)
            var base = later.base
            for key in touched {
                let value = values[key] ?? .null
                if later.kind == .delete { base.put(value, key) } else { base[key] = value }
            }
            let content = PendingMutation(kind: later.kind, fields: later.fields, base: base)
            let version = version(later)
            if base != later.base || version != later.baseVersion { try rewrite(later, content, version: version) }
            if later.kind == .delete { return }
        }
    }

    /// An entry and all that has to go with it, in order: a record's later changes with its create, and the units that
    /// these belong to. Also whether there are units among them.
    fileprivate func revertedWith(_ entry: OutboxEntry) throws -> (entries: [OutboxEntry], hasUnits: Bool) {
        var found: [Int64: OutboxEntry] = [:]
        var hasUnits = false
        var open = [entry]
        while let next = open.popLast() {
            guard found.updateValue(next, forKey: next.order) == nil else { continue }
            let unit = try companions(of: next.order)
            if !unit.isEmpty { hasUnits = true }
            open += unit
            if next.kind == .create { open += try entries(next.model, next.id).filter { $0.order > next.order } }
        }
        return (found.values.sorted { $0.order < $1.order }, hasUnits)
    }
}
