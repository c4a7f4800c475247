import CSQLite
import Models

extension Connection {
    /// Lends the prepared statement of a text; it is reset and its bindings are cleared when `body` returns.
    ///
    /// Lending the same text again inside `body` gives a second statement.
    @inlinable
    public func withStatement<R>(_ sql: String, _ body: (Statement) throws -> R) throws -> R {
        let statement = try lend(sql)
        defer { giveBack(statement) }
        return try body(statement)
    }

    /// Lends the prepared statement of a text that is run often.
    @inlinable
    public func withStatement<R>(_ text: StatementText, _ body: (Statement) throws -> R) throws -> R {
        let statement = try lend(text)
        defer { giveBack(statement) }
        return try body(statement)
    }

    /// Prepares a statement that the caller owns; it is not cached.
    public func prepare(_ sql: String) throws(SQLiteError) -> Statement { try prepare(sql, persistent: false) }

    /// Runs SQL text of one or more statements without bindings, and without caching.
    public func execute(_ sql: String) throws(SQLiteError) {
        try checkTransaction()
        try raw(sql)
    }

    /// Runs one cached statement to its end; gives the number of rows it inserted, changed or deleted.
    @discardableResult
    public func run(_ sql: String, _ values: [Value] = []) throws(SQLiteError) -> Int {
        let statement = try lend(sql)
        defer { giveBack(statement) }
        statement.bind(values)
        while try statement.step() {}
        return statement.isReadOnly ? 0 : changes
    }

    /// All rows of one cached statement.
    public func rows(_ sql: String, _ values: [Value] = []) throws(SQLiteError) -> [[Value]] {
        let statement = try lend(sql)
        defer { giveBack(statement) }
        statement.bind(values)
        var result: [[Value]] = []
        while try statement.step() { result.append(statement.values) }
        return result
    }

    /// The first column of the first row of one cached statement, nil where there is no row.
    public func value(_ sql: String, _ values: [Value] = []) throws(SQLiteError) -> Value? {
        let statement = try lend(sql)
        defer { giveBack(statement) }
        statement.bind(values)
        return try statement.step() ? statement.value(at: 0) : nil
    }

    /// Rows that the last finished insert, update or delete touched.
    public var changes: Int { Int(sqlite3_changes64(handle)) }
    /// Rows touched since the connection was opened.
    public var totalChanges: Int { Int(sqlite3_total_changes64(handle)) }
    /// The rowid of the last insert.
    public var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }
    /// How many prepared statements are kept.
    public var cachedStatementCount: Int { cache.count }

    /// Forgets the prepared statements, such as after a change of the tables.
    public func clearStatementCache() { cache.removeAll() }

    @usableFromInline
    func lend(_ sql: String) throws(SQLiteError) -> Statement {
        try checkTransaction()
        if let statement = cache.find(sql) {
            guard statement.isLent else {
                statement.isLent = true
                return statement
            }
            return try prepare(sql, persistent: false)
        }
        let statement = try prepare(sql, persistent: true)
        cache.insert(statement, sql)
        statement.isLent = true
        return statement
    }

    @usableFromInline
    func lend(_ text: StatementText) throws(SQLiteError) -> Statement {
        try checkTransaction()
        if let statement = cache.find(text) {
            guard statement.isLent else {
                statement.isLent = true
                return statement
            }
            return try prepare(text.sql, persistent: false)
        }
        let statement = try prepare(text.sql, persistent: true)
        cache.insert(statement, text)
        statement.isLent = true
        return statement
    }

    @inlinable
    func giveBack(_ statement: Statement) {
        statement.reset()
        statement.isLent = false
    }

    private func prepare(_ sql: String, persistent: Bool) throws(SQLiteError) -> Statement {
        var prepared: OpaquePointer?
        var hasMore = false
        let flags = persistent ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
        var text = sql
        let result = text.withUTF8 { utf8 -> Int32 in
            guard let start = utf8.baseAddress else { return SQLITE_OK }
            return start.withMemoryRebound(to: CChar.self, capacity: utf8.count) { start in
                var tail: UnsafePointer<CChar>?
                let result = sqlite3_prepare_v3(handle, start, Int32(utf8.count), flags, &prepared, &tail)
                if let tail { hasMore = utf8[(tail - start)...].contains { $0 > 32 && $0 != UInt8(ascii: ";") } }
                return result
            }
        }
        guard result == SQLITE_OK else { throw SQLiteError(handle, code: result, sql: sql) }
        guard let prepared else {
            throw SQLiteError(code: SQLITE_MISUSE, message: "there is no statement in the text", sql: sql)
        }
        let statement = Statement(prepared, sql: sql)
        if hasMore { throw SQLiteError(code: SQLITE_MISUSE, message: "more than one statement in the text", sql: sql) }
        return statement
    }

    /// Refuses to go on where SQLite has rolled the open transaction back by itself (full disk, I/O error): each
    /// further statement would commit alone.
    func checkTransaction() throws(SQLiteError) {
        if depth > 0, sqlite3_get_autocommit(handle) != 0 {
            throw SQLiteError(
                code: SQLITE_ABORT, message: "the transaction was rolled back by SQLite after an earlier error")
        }
    }
}
