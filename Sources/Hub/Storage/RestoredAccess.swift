import Models
import SQLite

/// The keys and people of a database that gives way to a backup: what the restored one goes on with.
struct RestoredAccess {
    private struct Table {
        let name: String
        let columns: [String]
        let rows: [[Value]]
    }

    private static let names = ["_access", "_api_keys", "_people", "_sign_in_places"]

    private let tables: [Table]

    /// Reads them whole; nil where the database is another hub's than the backup, is damaged there, or has not the same
    /// tables.
    init?(of before: Connection, forBackup backup: Connection) {
        guard let mine = try? Self.epochs(before), let its = try? Self.epochs(backup), !mine.isDisjoint(with: its),
            let tables = try? Self.names.map({ try Self.table($0, before, backup) })
        else { return nil }
        self.tables = tables
    }

    /// Puts them in place of the backup's, in the open transaction.
    func write(_ backup: Connection) throws {
        for table in tables {
            try backup.execute("DELETE FROM \(table.name)")
            let places = table.columns.map { _ in "?" }.joined(separator: ",")
            let columns = table.columns.joined(separator: ",")
            for row in table.rows {
                try backup.run("INSERT INTO \(table.name)(\(columns)) VALUES(\(places))", row)
            }
        }
    }

    private struct Unusable: Error {}

    private static func table(_ name: String, _ before: Connection, _ backup: Connection) throws -> Table {
        guard try before.rows("PRAGMA integrity_check(\(name))") == [[.text("ok")]] else { throw Unusable() }
        let columns = try columns(name, before)
        guard !columns.isEmpty, try Self.columns(name, backup) == columns else { throw Unusable() }
        let rows = try before.rows("SELECT \(columns.joined(separator: ",")) FROM \(name)")
        // A hub always has what its tokens are signed with.
        guard name != "_access" || rows.count == 1 else { throw Unusable() }
        return Table(name: name, columns: columns, rows: rows)
    }

    private static func columns(_ table: String, _ connection: Connection) throws -> [String] {
        try connection.rows("SELECT name FROM pragma_table_info(?)", [.text(table)]).compactMap { $0[0].text }
    }

    /// The names of all lives of a database; those of one hub have the first in common.
    private static func epochs(_ connection: Connection) throws -> Set<String> {
        let own = try connection.rows("SELECT epoch FROM _clock WHERE id=1")
        let lives = (try? connection.rows("SELECT epoch FROM _life")) ?? []
        return Set((own + lives).compactMap { $0[0].text })
    }
}
