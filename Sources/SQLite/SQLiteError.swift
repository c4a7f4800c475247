import CSQLite

/// What SQLite refused: its codes, its message, and the statement it was about.
///
/// Bound values never appear in it, so it may be logged.
public struct SQLiteError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The primary result code, such as `SQLITE_BUSY`.
    public let code: Int32
    /// The extended result code, such as `SQLITE_IOERR_FSYNC`.
    public let extendedCode: Int32
    /// SQLite's message, or ours where it says more.
    public let message: String
    /// The statement, where there was one.
    public let sql: String?

    /// Makes an error from an extended or primary code.
    public init(code: Int32, message: String, sql: String? = nil) {
        self.code = code & 0xff
        extendedCode = code
        self.message = message
        self.sql = sql
    }

    /// Reads the connection's last error.
    init(_ database: OpaquePointer?, code: Int32, sql: String? = nil) {
        var message = String(cString: sqlite3_errstr(code))
        var extended = code
        if let database {
            let last = sqlite3_extended_errcode(database)
            if last & 0xff == code & 0xff {
                extended = last
                message = String(cString: sqlite3_errmsg(database))
            }
        }
        self.init(code: extended, message: message, sql: sql)
    }

    /// One line for a person.
    public var description: String {
        guard let sql else { return "SQLite error \(extendedCode): \(message)" }
        return "SQLite error \(extendedCode): \(message) – while executing `\(sql.prefix(200))`"
    }

    /// Another connection holds the lock and did not let go within the busy timeout.
    public var isBusy: Bool { code == SQLITE_BUSY || code == SQLITE_LOCKED }
    /// The disk, or the allowed size, is full; nothing of the statement's transaction was kept.
    public var isFull: Bool { code == SQLITE_FULL }
    /// The file is damaged.
    public var isCorrupt: Bool { code == SQLITE_CORRUPT }
    /// The file is something else than a database.
    public var isNotADatabase: Bool { code == SQLITE_NOTADB }
    /// The file, or the connection, may only be read.
    public var isReadOnly: Bool { code == SQLITE_READONLY }
    /// The file could not be opened: it is missing, or its directory is, or we may not.
    public var isCannotOpen: Bool { code == SQLITE_CANTOPEN || code == SQLITE_PERM || code == SQLITE_AUTH }
    /// A read, write or sync failed.
    public var isInputOutput: Bool { code == SQLITE_IOERR }
    /// A constraint forbids the row.
    public var isConstraint: Bool { code == SQLITE_CONSTRAINT }
    /// A row with this key exists already.
    public var isUniqueViolation: Bool {
        // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY and _ROWID: computed macros, which are not imported.
        extendedCode == SQLITE_CONSTRAINT | 8 << 8 || extendedCode == SQLITE_CONSTRAINT | 6 << 8
            || extendedCode == SQLITE_CONSTRAINT | 10 << 8
    }
    /// ``Interrupter/interrupt()`` stopped it.
    public var isInterrupted: Bool { code == SQLITE_INTERRUPT }
}
