import Basics
import ModelTables
import Models
import SQLite

extension HubCore {
    /// Brings the tables of a hub that runs to another schema, and keeps that; nothing is changed where it throws.
    ///
    /// - Parameter old: the tables that are there.
    static func migrate(
        _ swap: SchemaSwap, from old: [BaseTable], to tables: [BaseTable], _ connection: Connection, _ log: Log
    ) throws {
        try swap.checkBackup(connection)
        let migrator = migrator(
            swap.schema, tables, once: swap.difference.steps, backsUp: false,
            prepare: {
                try swap.bury(old, $0)
                try swap.renew(old, $0)
            },
            rewrite: { try swap.rewrite($0) })
        if case .migrated = try migrator.open(connection) {
            log(.notice, "the hub's database was migrated to the schema that \(swap.pushed.author) pushed")
            return
        }
        // Only rules, names of operations or comments are others.
        try connection.transaction(.immediate) { try swap.rewrite(connection) }
    }
}
