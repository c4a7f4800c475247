import Basics
import ModelTables
import Models

extension StoreTransaction {
    /// Keeps a record: new, or a changed copy of the one with the same key.
    ///
    /// Only the fields that differ travel. A record equal to the one kept changes nothing.
    /// - Throws: ``StoreError`` that says why it is not kept: a missing field or parent, a create-only or a
    ///   downstream-only model, a deleted id.
    public func save<M: Model>(_ model: M) throws {
        var encoder = ValueEncoder(capacity: M.schema.fields.count)
        model.encode(into: &encoder)
        let core = try writer()
        try whole { try core.save(model.id, encoder.values, try context.table(M.schema.name), identity) }
    }

    /// Keeps a record if `condition` holds of the one kept now; throws ``StoreError/conditionFailed(model:id:)`` if not.
    ///
    /// The condition travels with the change: the backend checks it again on its own record, and where it does not hold
    /// there the change is parked. So where the model is sent, it must be one that the backend can be asked: of the model's
    /// own fields, without those of its key, by operators that the API has for their types.
    /// - Throws: ``StoreError/invalidQuery(_:)`` that says what the backend cannot be asked; nothing is saved then.
    public func save<M: Model>(_ model: M, where condition: Predicate<M>) throws {
        let sent = try check(condition.node, model: M.schema.name, id: model.id)
        let core = try writer()
        try whole {
            try core.save(
                model.id, model.record.values, try context.table(M.schema.name), identity, condition: sent)
        }
    }

    /// Keeps an untyped record.
    public func save(_ record: Record) throws {
        let core = try writer()
        let table = try context.table(record.schema.name)
        try whole {
            // No Swift type has checked it.
            if let problem = table.model.problem(record.values, in: schema), !problem.isMissing {
                throw StoreError.invalidField(
                    model: problem.model, id: record.id, field: problem.field, reason: problem.reason)
            }
            try core.save(record.id, canonical(record.values, table.model), table, identity)
        }
    }

    /// The values with their JSON in the form in which the backend gives it back; else that would pass for a change.
    private func canonical(_ values: [Value], _ model: ModelSchema) -> [Value] {
        zip(model.fields, values).map { field, value in
            guard field.isStoredAsJSON, !value.isNull else { return value }
            return (try? schema.storageValue(of: field.wireValue(of: value), for: field, in: model.name)) ?? value
        }
    }

    /// Removes a record and, before it, those that belong to it; no record is no error.
    public func delete<M: Model>(_ model: M) throws { try delete(M.self, id: model.id) }

    /// Removes a record if `condition` holds of the one kept now; the condition travels with the change.
    public func delete<M: Model>(_ model: M, where condition: Predicate<M>) throws {
        let sent = try check(condition.node, model: M.schema.name, id: model.id)
        try delete(model: M.schema.name, id: model.id, condition: sent)
    }

    /// Removes the record with this key and those that belong to it; gives whether there was one.
    @discardableResult
    public func delete<M: Model>(_ type: M.Type, id: String) throws -> Bool {
        try delete(model: M.schema.name, id: id)
    }

    /// Removes the records of which `condition` holds, and those that belong to them; gives how many matched.
    @discardableResult
    public func delete<M: Model>(_ type: M.Type, where condition: Predicate<M>) throws -> Int {
        var ids: [String] = []
        try open()
        try context.table(M.schema.name).table.read(RowQuery(filter: condition.node), on: connection) { reader in
            ids.append(reader.record.id)
            return true
        }
        for id in ids { try delete(model: M.schema.name, id: id) }
        return ids.count
    }

    /// Removes an untyped record and those that belong to it; gives whether there was one.
    @discardableResult
    public func delete(model: String, id: String) throws -> Bool { try delete(model: model, id: id, condition: nil) }

    @discardableResult
    private func delete(model: String, id: String, condition: PredicateNode?) throws -> Bool {
        let core = try writer()
        return try whole(isCascade: true) {
            var under: Set<ByteText> = []
            return try core.delete(id, try context.table(model), identity, &under, condition: condition)
        }
    }

    /// Lets go of records that are not needed here any more, where the backend has them: those of which `condition` holds
    /// and nothing is unsent. Gives how many went.
    ///
    /// It is no delete: nothing is sent, and they come back when the model is fetched again.
    @discardableResult
    public func evict<M: Model>(_ type: M.Type, where condition: Predicate<M>) throws -> Int {
        try evict(model: M.schema.name, where: condition.node)
    }

    /// Lets go of untyped records that the backend has; one with something unsent goes where that is taken back.
    @discardableResult
    public func evict(model: String, where condition: PredicateNode) throws -> Int {
        let core = try writer()
        let table = try context.table(model)
        let confirmed = SQLCondition("\"_version\" IS NOT NULL")
        let filter = condition.namesRelations ? nil : try RecordFilter(condition, of: table.model)
        return try whole {
            var evicted = 0
            var last: Int64 = 0
            // In parts, so that memory does not grow with the table.
            while true {
                let query = RowQuery(filter: condition, page: .first(500), condition: confirmed, afterRow: last)
                let rows = try table.table.rows(query, on: connection)
                guard let end = rows.last?.row else { return evicted }
                last = end
                for row in rows {
                    let id = row.record.id
                    if try !core.entries(model, id).isEmpty {
                        // What is unsent may come back to the backend's record, which need not be meant.
                        guard let filter, let values = try core.knownValues(id, table), filter.matches(values) else {
                            continue
                        }
                    }
                    if try core.letGo(id, table) { evicted += 1 }
                }
            }
        }
    }

    /// Checks a condition on the record kept now; gives the part that the backend checks too.
    private func check(_ condition: PredicateNode, model: String, id: String) throws -> PredicateNode? {
        try open()
        let table = try context.table(model)
        let isMet: Bool
        if condition.namesRelations {
            let key = SQLCondition("\(table.table.name).\(table.table.keyColumn)=?", [.text(id)])
            isMet = try table.table.count(RowQuery(filter: condition, condition: key), on: connection) > 0
        } else {
            isMet =
                try table.fetch(id, on: connection).map { row in
                    try RecordFilter(condition, of: table.model).matches(row.values)
                } ?? false
        }
        if !isMet { throw StoreError.conditionFailed(model: model, id: id) }
        guard table.policy.sends, condition != .all else { return nil }
        do throws(UnaskableCondition) {
            _ = try condition.wireInput(for: table.model, in: .condition)
        } catch {
            throw StoreError.invalidQuery("the backend checks a change's condition too: \(error)")
        }
        return condition
    }

    /// Runs one write so that it happens whole: what fails halfway ends the transaction, even where the caller goes on
    /// after the error.
    ///
    /// A save's refusals come before anything is written; a cascade's may come between.
    func whole<R>(isCascade: Bool = false, _ body: () throws -> R) throws -> R {
        if let failure { throw failure }
        do {
            return try body()
        } catch {
            if isCascade || !(error is StoreError) { failure = error }
            throw error
        }
    }
}
