import CSQLite

extension Connection {
    /// Copies this database, as it is committed now, into another that holds nothing yet, some pages at a time.
    ///
    /// All of it is one state: a read transaction is held, so that others may write meanwhile and nothing of that comes in.
    /// - Parameters:
    ///   - pagesAtOnce: pages copied between two calls of `progress`.
    ///   - progress: gets the pages copied and all pages; may wait, and ends the copy by throwing.
    public func copy(
        into destination: Connection, pagesAtOnce: Int = 1000,
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws {
        try begin(.deferred)
        defer { rollback() }
        _ = try value("SELECT count(*) FROM sqlite_schema")
        guard let backup = sqlite3_backup_init(destination.handle, "main", handle, "main") else {
            throw SQLiteError(destination.handle, code: sqlite3_errcode(destination.handle), sql: "backup")
        }
        var result = SQLITE_OK
        do {
            while result == SQLITE_OK {
                result = sqlite3_backup_step(backup, Int32(clamping: max(pagesAtOnce, 1)))
                let total = Int(sqlite3_backup_pagecount(backup))
                if result == SQLITE_OK || result == SQLITE_DONE {
                    try progress(total - Int(sqlite3_backup_remaining(backup)), total)
                }
            }
        } catch {
            sqlite3_backup_finish(backup)
            throw error
        }
        let finished = sqlite3_backup_finish(backup)
        guard result == SQLITE_DONE, finished == SQLITE_OK else {
            throw SQLiteError(
                destination.handle, code: result == SQLITE_DONE ? finished : result, sql: "backup")
        }
        destination.clearStatementCache()
    }

    /// Makes a file that is complete by itself: no write-ahead log beside it, nothing in one.
    public func leaveWriteAheadLog() throws(SQLiteError) {
        guard try value("PRAGMA journal_mode=DELETE") == .text("delete") else {
            throw SQLiteError(code: SQLITE_BUSY, message: "somebody else has the copy open")
        }
    }
}
