import ModelTables
import Models
import SQLite

/// What a reconciliation needs of the rows that the backend is known to have.
extension StoreCore {
    /// How many rows of a model came from the backend, or were taken by it.
    package func confirmedCount(_ model: String) throws -> Int {
        let table = try context.table(model)
        return try storeErrors {
            Int(
                try connection.value("SELECT count(*) FROM \(table.table.name) WHERE \"_version\" IS NOT NULL")?.integer
                    ?? 0)
        }
    }

    /// Calls `body` with the key and version of each of them.
    package func forEachConfirmed(_ model: String, _ body: (_ id: String, _ version: Int64) -> Void) throws {
        let table = try context.table(model)
        try storeErrors {
            try connection.withStatement(
                "SELECT \(table.table.keyColumn),\"_version\" FROM \(table.table.name) WHERE \"_version\" IS NOT NULL"
            ) { statement in
                while try statement.step() { body(statement.text(at: 0), statement.integer(at: 1)) }
            }
        }
    }

    /// Lets go of rows that the backend has no more: confirmed, with nothing unsent, last changed there no later than
    /// `changedUpTo`, and of which `isMissing` holds. Gives how many went.
    package func sweep(model: String, changedUpTo: Int64, _ isMissing: (String) -> Bool) throws -> Int {
        try commit(nil, .normal) { _ in
            let table = try context.table(model)
            let condition = SQLCondition("\"_version\" IS NOT NULL AND ifnull(\"_changed\",0)<=\(changedUpTo)")
            var swept = 0
            var last: Int64 = 0
            while true {
                let query = RowQuery(filter: .all, page: .first(500), condition: condition, afterRow: last)
                let rows = try table.table.rows(query, on: connection)
                guard let end = rows.last?.row else { return swept }
                last = end
                for row in rows where isMissing(row.record.id) {
                    guard try entries(model, row.record.id).isEmpty else { continue }
                    let old = StoreTable.Row(values: row.record.values)
                    try show(nil, old, table, row.record.id, version: nil, lastChangedAt: nil)
                    swept += 1
                }
            }
        }
    }
}
