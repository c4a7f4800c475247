import CSQLite
import Models

/// The references' SQLite: the C functions and nothing else, so that a ratio says what our layers cost.
final class RawSQLite {
    // Guarded by being used on one thread only.
    let handle: OpaquePointer

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    init(_ path: String) throws {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        guard sqlite3_open_v2(path, &handle, flags, nil) == SQLITE_OK, let handle else {
            throw Failure(description: "cannot open \(path)")
        }
        self.handle = handle
        try execute("PRAGMA journal_mode = WAL")
        try execute("PRAGMA synchronous = FULL")
    }

    deinit { sqlite3_close_v2(handle) }

    func execute(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
            throw Failure(description: "\(sql): \(String(cString: sqlite3_errmsg(handle)))")
        }
    }

    func prepare(_ sql: String) throws -> OpaquePointer {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil) == SQLITE_OK,
            let statement
        else { throw Failure(description: "\(sql): \(String(cString: sqlite3_errmsg(handle)))") }
        return statement
    }

    /// The rows of a query as storage values.
    func rows(_ sql: String) throws -> [[Value]] {
        let statement = try prepare(sql)
        defer { sqlite3_finalize(statement) }
        var result: [[Value]] = []
        while sqlite3_step(statement) == SQLITE_ROW {
            result.append(
                (0..<sqlite3_column_count(statement)).map { column in
                    switch sqlite3_column_type(statement, column) {
                    case SQLITE_INTEGER: .integer(sqlite3_column_int64(statement, column))
                    case SQLITE_FLOAT: .real(sqlite3_column_double(statement, column))
                    case SQLITE_NULL: .null
                    default: .text(String(cString: sqlite3_column_text(statement, column)))
                    }
                })
        }
        return result
    }

    /// Binds values and steps an insert.
    func insert(_ statement: OpaquePointer, _ values: [Value]) throws {
        for (index, value) in values.enumerated() {
            let position = Int32(index + 1)
            switch value {
            case .null: sqlite3_bind_null(statement, position)
            case .integer(let value): sqlite3_bind_int64(statement, position, value)
            case .real(let value): sqlite3_bind_double(statement, position, value)
            case .text(let text):
                // SQLITE_TRANSIENT: SQLite copies the bytes before the call returns.
                sqlite3_bind_text(statement, position, text, -1, unsafeBitCast(-1, to: sqlite3_destructor_type.self))
            }
        }
        guard sqlite3_step(statement) == SQLITE_DONE else {
            throw Failure(description: String(cString: sqlite3_errmsg(handle)))
        }
        sqlite3_reset(statement)
    }

    /// Makes the tables and indexes of another database, and none of its rows.
    func copySchema(of other: RawSQLite) throws {
        let statements = try other.rows(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC")
        for row in statements { if let sql = row[0].text { try execute(sql) } }
    }

    /// A table's columns.
    func columns(of table: String) throws -> [String] {
        try rows("SELECT name FROM pragma_table_info('\(table)')").compactMap { $0[0].text }
    }

    /// An insert of all columns of a table, and its rows as they stand.
    func copy(of table: String) throws -> (sql: String, rows: [[Value]]) {
        let names = try columns(of: table).map { "\"\($0)\"" }
        let marks = names.map { _ in "?" }.joined(separator: ",")
        return (
            "INSERT INTO \"\(table)\"(\(names.joined(separator: ","))) VALUES(\(marks))",
            try rows("SELECT \(names.joined(separator: ",")) FROM \"\(table)\"")
        )
    }
}
