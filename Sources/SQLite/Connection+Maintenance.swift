import CSQLite
import Models

#if canImport(Glibc)
    import Glibc
#endif

/// A place in what a connection writes, by SQLite's own count: that begins anew after 2^31 pages, so that only two places
/// tell something.
public struct PageMark: Sendable, Hashable {
    let count: Int32

    /// Where every connection begins.
    public static let start = PageMark(count: 0)

    /// Pages that were written since an earlier place, less than 2^31 before.
    public func pages(since earlier: PageMark) -> Int { Int((count &- earlier.count) & .max) }
}

/// The operating system's sentence for an error number.
func systemMessage(_ number: Int32) -> String { String(cString: strerror(number)) }

extension Connection {
    /// How far a checkpoint goes.
    public enum Checkpoint: String, Sendable {
        /// As far as readers let it, waiting for nobody.
        case passive = "PASSIVE"
        /// All of it, and the log's file becomes empty.
        case truncate = "TRUNCATE"
    }

    /// Moves the write-ahead log into the database; false where a reader kept it from finishing.
    @discardableResult
    public func checkpoint(_ kind: Checkpoint = .passive) throws(SQLiteError) -> Bool {
        try rows("PRAGMA wal_checkpoint(\(kind.rawValue))").first?.first == .integer(0)
    }

    /// How far this connection has come in writing pages to the write-ahead log.
    public var pageMark: PageMark {
        var current: Int32 = 0
        var highest: Int32 = 0
        sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_WRITE, &current, &highest, 0)
        return PageMark(count: current)
    }

    /// What is wrong with the file: an empty list where nothing is. `quick` leaves out comparing indexes with tables.
    public func integrityProblems(quick: Bool = false) throws(SQLiteError) -> [String] {
        do {
            let found = try rows(quick ? "PRAGMA quick_check" : "PRAGMA integrity_check").compactMap { $0.first?.text }
            return found == ["ok"] ? [] : found
        } catch {
            // Some damage keeps the check itself from going on.
            guard error.isCorrupt else { throw error }
            return [error.message]
        }
    }

    /// A number that changes when *another* connection commits.
    public var dataVersion: Int64 {
        get throws(SQLiteError) { try value("PRAGMA data_version")?.integer ?? 0 }
    }

    /// `PRAGMA user_version`: the format's version.
    public var userVersion: Int {
        get throws(SQLiteError) { Int(try value("PRAGMA user_version")?.integer ?? 0) }
    }

    /// Sets `PRAGMA user_version`, with the open transaction.
    public func setUserVersion(_ version: Int) throws(SQLiteError) { try execute("PRAGMA user_version=\(version)") }

    /// `PRAGMA application_id`: which program's file it is.
    public var applicationID: Int32 {
        get throws(SQLiteError) { Int32(truncatingIfNeeded: try value("PRAGMA application_id")?.integer ?? 0) }
    }

    /// Sets `PRAGMA application_id`, with the open transaction.
    public func setApplicationID(_ id: Int32) throws(SQLiteError) { try execute("PRAGMA application_id=\(id)") }

    /// What stops this connection's statements from another thread.
    public var interrupter: Interrupter { interruption }

    /// Copies the database, as committed, to a file while others go on using it.
    ///
    /// The file appears whole or not at all: it is written under another name, synced, and renamed over `target`. All of it
    /// is one state: a read transaction is held.
    /// - Parameters:
    ///   - pagesAtOnce: pages copied between two calls of `progress`.
    ///   - progress: called after each part.
    public func backup(
        to target: String, pagesAtOnce: Int = 4096, progress: () -> Void = {}
    ) throws(SQLiteError) {
        let partial = target + ".partial"
        unlink(partial)
        do {
            try copy(to: partial, pagesAtOnce, progress)
            try rename(partial, to: target)
        } catch {
            unlink(partial)
            throw error
        }
    }

    private func copy(to file: String, _ pagesAtOnce: Int, _ progress: () -> Void) throws(SQLiteError) {
        // Without it a writer between two parts would start the copy over.
        let begins = !isInTransaction
        if begins { try begin(.deferred) }
        defer { if begins { rollback() } }
        _ = try value("SELECT count(*) FROM sqlite_schema")
        var opened: OpaquePointer?
        let result = sqlite3_open_v2(
            file, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nil)
        defer { sqlite3_close_v2(opened) }
        guard result == SQLITE_OK, let destination = opened else {
            throw SQLiteError(opened, code: result, sql: "backup to \(file)")
        }
        sqlite3_busy_timeout(destination, 5000)
        if let key { sqlite3_exec(destination, "PRAGMA key=\(key.literal)", nil, nil, nil) }
        guard let backup = sqlite3_backup_init(destination, "main", handle, "main") else {
            throw SQLiteError(destination, code: sqlite3_errcode(destination), sql: "backup to \(file)")
        }
        var stepped = SQLITE_OK
        while stepped == SQLITE_OK {
            stepped = sqlite3_backup_step(backup, Int32(clamping: max(pagesAtOnce, 1)))
            progress()
        }
        let finished = sqlite3_backup_finish(backup)
        guard stepped == SQLITE_DONE, finished == SQLITE_OK else {
            throw SQLiteError(
                destination, code: stepped == SQLITE_DONE ? finished : stepped, sql: "backup to \(file)")
        }
    }

    /// Renames a file and syncs its directory, so that a power cut leaves the old name or the new one.
    private func rename(_ old: String, to new: String) throws(SQLiteError) {
        guard Glibc.rename(old, new) == 0 else {
            throw SQLiteError(code: SQLITE_IOERR, message: "cannot rename \(old): \(systemMessage(errno))")
        }
        let directory = new.lastIndex(of: "/").map { String(new[...$0]) } ?? "."
        let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        Glibc.close(descriptor)
    }
}
