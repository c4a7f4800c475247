import Basics
import ModelTables
import Models
import SQLite

/// What a reconciliation needs of the rows that the backend is known to have.
extension StoreCore {
    /// How many rows of a model came from the backend, or were taken by it.
    package func confirmedCount(_ model: String) throws -> Int {
        let table = try context.table(model)
        return try storeErrors {
            Int(try connection.value("SELECT count(*) FROM \(confirmed(table))")?.integer ?? 0)
        }
    }

    /// The rows of which the backend is known to have what stands here; not those that have left, so that they come again
    /// where they are asked for again.
    private func confirmed(_ table: StoreTable) -> String {
        let known = "\(table.table.name) WHERE \"_version\" IS NOT NULL"
        if !hasShadows { return known }
        return known + " AND \(table.table.keyColumn) NOT IN (SELECT \"id\" FROM \"_shadow\" WHERE \"deleted\"=2 AND "
            + "\"model\"='\(table.model.name)')"
    }

    /// Calls `body` with the key and version of each of them.
    package func forEachConfirmed(_ model: String, _ body: (_ id: String, _ version: Int64) -> Void) throws {
        let table = try context.table(model)
        try storeErrors {
            try connection.withStatement(
                "SELECT \(table.table.keyColumn),\"_version\" FROM \(confirmed(table))"
            ) { statement in
                while try statement.step() { body(statement.text(at: 0), statement.integer(at: 1)) }
            }
        }
    }

    /// Lets go of rows that the backend has no more: confirmed, with nothing unsent, last changed there no later than
    /// `changedUpTo`, and of which `isMissing` holds. Gives how many went.
    ///
    /// Of one with something unsent it is remembered that it was gone then: the answer to a change that was carried out
    /// before that, and is asked for again, must not bring it back. So it is where all that waits was made by the `reader`
    /// for whom everything was fetched: what is another person's may be missing because it is not for this one. And only
    /// where the record `isAsked` for with what waits and without it: any other is missing because nobody asked for it.
    package func sweep(
        model: String, changedUpTo: Int64, reader: String?, isAsked: (Record) -> Bool = { _ in true },
        _ isMissing: (String) -> Bool
    ) throws -> Int {
        let condition = SQLCondition("\"_version\" IS NOT NULL AND ifnull(\"_changed\",0)<=\(changedUpTo)")
        let table = try context.table(model)
        if hasQuarantine { try forgetQuarantined(of: model, changedUpTo: changedUpTo, where: isMissing) }
        return try letGo(of: model, where: condition, isMissing) { id in
            let waiting = try entries(model, id)
            guard waiting.allSatisfy({ $0.identity == reader }) else { return }
            let row = try table.fetch(id, on: connection)
            let image = try serverImage(row, waiting, table, id).flatMap { try? table.wire.values($0) }
            for values in [row?.values, image] {
                if let values, !isAsked(table.record(values)) { return }
            }
            let known = try shadow(model, id)
            guard known?.isDeleted != true, known?.lastChangedAt ?? .min <= changedUpTo else { return }
            let version = known?.version ?? row?.version ?? 0
            try putShadow(
                model, id, Shadow(version: version, lastChangedAt: changedUpTo, isDeleted: true, object: JSONObject()))
        }
    }

    /// Lets go of the rows that ``disown(model:_:)`` left here, where somebody else looks now or may see other rows: the
    /// backend cannot be asked whether they are his to read, and their authors bring them back. Gives how many went.
    @discardableResult
    package func letGoOfDisowned(model: String) throws -> Int {
        let condition = SQLCondition("\"_version\" IS NULL AND \"_changed\" IS NOT NULL")
        return try letGo(of: model, where: condition, { _ in true }, unsent: { _ in })
    }

    /// Lets go of rows with nothing unsent; gives how many went. The others are given to `unsent`.
    private func letGo(
        of model: String, where condition: SQLCondition, _ isMeant: (String) -> Bool,
        unsent: (_ id: String) throws -> Void
    ) throws -> Int {
        try commit(nil, .normal) { _ in
            let table = try context.table(model)
            var count = 0
            var last: Int64 = 0
            while true {
                let query = RowQuery(filter: .all, page: .first(500), condition: condition, afterRow: last)
                let rows = try table.table.rows(query, on: connection)
                guard let end = rows.last?.row else { return count }
                last = end
                for row in rows where isMeant(row.record.id) {
                    guard try entries(model, row.record.id).isEmpty else {
                        try unsent(row.record.id)
                        continue
                    }
                    let old = StoreTable.Row(values: row.record.values)
                    try show(nil, old, table, row.record.id, version: nil, lastChangedAt: nil)
                    count += 1
                }
            }
        }
    }
}
