import Basics
import ModelTables
import Models

extension StoreCore {
    /// - Parameter condition: what the backend checks before it makes the change.
    func save(
        _ id: String, _ values: [Value], _ table: StoreTable, _ identity: String?, condition: PredicateNode? = nil
    ) throws {
        let model = table.model.name
        try checkWritable(table)
        if let problem = table.wire.problem(values) {
            throw problem.isMissing
                ? StoreError.missingField(model: model, id: id, field: problem.field)
                : StoreError.invalidField(model: model, id: id, field: problem.field, reason: problem.reason)
        }
        if deletions.contains(model) { try checkNotDeleted(model, id) }
        if options.checksParents, !table.parents.isEmpty { try checkParents(id, values, table) }
        if try table.insertIfAbsent(id, StoreTable.Row(values: values), on: connection) {
            // Told first: what the outbox makes of it may show the backend's record in its place.
            note(.created, table, id, values, isLocal: true)
            if try isSent(table, id, nil) {
                try enqueue(
                    .create, table, id, fields: table.wire.json(values, table.wire.writable, skippingNull: true),
                    base: emptyObject, version: nil, identity)
            } else {
                try keepMaker(identity, model, id)
            }
            return
        }
        try update(id, values, table, identity, condition)
    }

    private func update(
        _ id: String, _ values: [Value], _ table: StoreTable, _ identity: String?, _ condition: PredicateNode?
    ) throws {
        guard let old = try table.fetch(id, on: connection) else { return }
        let changed = table.wire.differences(old.values, values)
        if changed.isEmpty { return try bringBack(id, old, table, identity) }
        if table.isCreateOnly { throw StoreError.createOnly(model: table.model.name, id: id) }
        var new = old.values
        for position in changed { new[position] = values[position] }
        try table.update(id, new, changed, on: connection)
        note(.updated, table, id, new, isLocal: true)
        if try isSent(table, id, old.version) {
            try enqueue(
                .update, table, id, fields: table.wire.json(new, changed),
                base: table.wire.json(old.values, changed), version: old.version, identity, condition: condition)
        }
    }

    /// A row that is here only since a restored backend lost it (``disown(model:_:)``) waits for who made it. Whoever saves
    /// it again means it to be there, and may be the only one who still can.
    private func bringBack(_ id: String, _ row: StoreTable.Row, _ table: StoreTable, _ identity: String?) throws {
        guard row.version == nil, row.lastChangedAt != nil, table.policy.sends,
            try entries(table.model.name, id).isEmpty
        else { return }
        try enqueue(
            .create, table, id, fields: table.wire.json(row.values, table.wire.writable, skippingNull: true),
            base: emptyObject, version: nil, identity)
        note(.updated, table, id, row.values, isLocal: true)
    }

    /// Removes a row after those that belong to it; `under` holds what is being removed above it.
    func delete(
        _ id: String, _ table: StoreTable, _ identity: String?, _ under: inout Set<ByteText>,
        condition: PredicateNode? = nil
    ) throws -> Bool {
        let model = table.model.name
        guard let old = try table.fetch(id, on: connection) else { return false }
        try checkWritable(table)
        if table.isCreateOnly { throw StoreError.createOnly(model: model, id: id) }
        guard under.insert(ByteText(model + "\u{0}" + id)).inserted else { return false }
        try deleteChildren(of: id, old.values, table, identity, &under)
        _ = try table.delete(id, on: connection)
        knownParents.removeAll()
        note(.deleted, table, id, old.values, isLocal: true)
        if try isSent(table, id, old.version) {
            try enqueueDelete(id, old, table, identity, condition: condition)
        } else {
            try keepMaker(nil, model, id)
        }
        return true
    }

    /// Whether a change is queued: its model is sent; or it was until now, and the backend has the record or another
    /// change of it waits. Those wait until the model is sent again.
    func isSent(_ table: StoreTable, _ id: String, _ version: Int64?) throws -> Bool {
        if table.policy.sends { return true }
        if table.policy == .none, version != nil { return true }
        return try !outboxStatus.isEmpty && !entries(table.model.name, id).isEmpty
    }

    private func deleteChildren(
        of id: String, _ values: [Value], _ table: StoreTable, _ identity: String?, _ under: inout Set<ByteText>
    ) throws {
        for relation in table.model.relations where relation.kind != .belongsTo {
            guard let child = context.tables[relation.target] else { continue }
            var ids: [String] = []
            if relation.isKeyInTarget {
                let key = table.model.primaryKey.compactMap { table.model.position(of: $0) }.map { values[$0] }
                guard key.count == relation.fields.count else { continue }
                let same = zip(relation.fields, key).map { PredicateNode.field($0, .equal($1)) }
                try child.table.read(RowQuery(filter: .and(same)), on: connection) { reader in
                    ids.append(reader.record.id)
                    return true
                }
            } else {
                let key = relation.fields.compactMap { table.model.position(of: $0) }.map { values[$0] }
                if !key.isEmpty, !key.contains(.null) { ids.append(key.map(keyText).joined(separator: "#")) }
            }
            for childID in ids { _ = try delete(childID, child, identity, &under) }
        }
    }

    func checkWritable(_ table: StoreTable) throws {
        if table.policy == .downstream, !options.isLocalOnly {
            throw StoreError.downstreamOnly(model: table.model.name)
        }
    }

    /// The id of a deleted record is not used again: the backend would refuse it much later.
    ///
    /// A delete that was never sent may still be taken back by saving the record again.
    private func checkNotDeleted(_ model: String, _ id: String) throws {
        let isGone = try connection.withStatement(StoreSQL.tombstone) { statement in
            statement.bind(model, at: 1)
            statement.bind(id, at: 2)
            return try statement.step()
        }
        let last = try entries(model, id).last
        if isGone || (last?.kind == .delete && last?.state != .queued) {
            throw StoreError.deleted(model: model, id: id)
        }
    }

    /// A parent that a record names anew must be here. One that came from the backend before its parent, or without it, may
    /// be changed all the same.
    func checkParents(_ id: String, _ values: [Value], _ table: StoreTable) throws {
        for parent in table.parents {
            let key = parent.positions.map { values[$0] }
            guard !key.contains(.null), let parentTable = context.tables[parent.target] else { continue }
            // A model that never comes here cannot be looked up here; one that is only sent is made here where all is.
            let isHere = parentTable.policy.receives || (parentTable.policy == .upstream && options.isLocalOnly)
            if table.policy != .none, !isHere { continue }
            let parentID = key.map(keyText).joined(separator: "#")
            let name = ByteText(parent.target + "\u{0}" + parentID)
            let isItself = parent.target == table.model.name && parentID.hasSameBytes(as: id)
            if isItself || knownParents.contains(name) { continue }
            guard try parentTable.contains(parentID, on: connection) else {
                if let old = try table.fetch(id, on: connection), parent.positions.map({ old.values[$0] }) == key {
                    continue
                }
                throw StoreError.missingParent(
                    model: table.model.name, id: id, field: parent.name, parent: parent.target, parentID: parentID)
            }
            if knownParents.count > 1000 { knownParents.removeAll() }
            knownParents.insert(name)
        }
    }
}

/// `{}`.
let emptyObject: [UInt8] = [UInt8(ascii: "{"), UInt8(ascii: "}")]
