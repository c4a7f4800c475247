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
    ///   ``StoreError/entryNotAvailable(_:reason:)`` for a create whose record others belong to.
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
        let creates = Set(
            reverted.filter { $0.kind == .create }.map { $0.model + "\u{0}" + $0.id })
        for entry in reverted where entry.kind == .create {
            guard let child = try child(of: entry, creates) else { continue }
            let record = entry.order == order ? "its record" : "\(entry.model) \(entry.id)"
            throw StoreError.entryNotAvailable(
                order,
                reason: "\(child) belongs to \(record), which would not exist anywhere; revert or move that first")
        }
        try whole(isCascade: true) {
            // The last first: each stands on what was before it.
            for entry in reverted.reversed() { try revert(entry, core) }
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

    /// A record that names a created one as its parent, for a person; nil where there is none but those of `creates`.
    private func child(of entry: OutboxEntry, _ creates: Set<String>) throws -> String? {
        let table = try context.table(entry.model)
        guard let values = try table.fetch(entry.id, on: connection)?.values else { return nil }
        let key = table.model.primaryKey.compactMap { table.model.position(of: $0) }.map { values[$0] }
        for model in schema.models {
            guard let child = context.tables[model.name] else { continue }
            for parent in child.parents where parent.target == table.model.name && parent.positions.count == key.count {
                let same = zip(parent.positions, key).map { PredicateNode.field(model.fields[$0].name, .equal($1)) }
                let found = try child.table.records(
                    RowQuery(filter: .and(same), page: .first(creates.count + 1)), on: connection
                ).first { !creates.contains(model.name + "\u{0}" + $0.id) }
                if let found { return "\(model.name) \(found.id)" }
            }
        }
        return nil
    }
}

extension StoreCore {
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
