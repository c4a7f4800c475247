import CSQLite
import Models

/// One connection to one database: a file in WAL mode, or memory.
///
/// It is not `Sendable`: whoever opens it owns it, on one executor, and it is opened without SQLite's own locks.
/// Threads and processes share a file by opening a connection each.
public final class Connection {
    /// How a connection is opened.
    public struct Options: Sendable {
        /// Opens an existing file for reading only.
        public var readOnly = false
        /// Makes the file where there is none.
        public var create = true
        /// How long a lock is waited for, in milliseconds.
        public var busyTimeout = 5000
        /// The page cache's size in KiB.
        public var cacheKilobytes = 4096
        /// Pages in the WAL that start a checkpoint.
        public var checkpointPages = 1000
        /// Prepared statements that are kept.
        public var statementCacheLimit = 256
        /// Encrypts the database; refused where SQLite is not SQLCipher.
        public var key: DatabaseKey?

        /// The defaults.
        public init() {}
        /// The defaults, for reading only.
        public static var readOnly: Options {
            var options = Options()
            options.readOnly = true
            return options
        }
    }

    @usableFromInline let handle: OpaquePointer
    /// The file, nil for a database in memory.
    public let path: String?
    /// Whether it may only read.
    public let isReadOnly: Bool
    var cache: StatementCache
    var hooks = Hooks()
    var durability = Durability.full
    /// Whether a failed write may have left a gap in the log.
    var isLogDoubtful = false
    /// Open transaction and savepoint scopes.
    @usableFromInline var depth = 0
    let interruption: Interrupter
    var key: DatabaseKey?

    private init(handle: OpaquePointer, path: String?, options: Options) {
        self.handle = handle
        self.path = path
        isReadOnly = options.readOnly
        cache = StatementCache(limit: options.statementCacheLimit)
        interruption = Interrupter(handle)
        key = options.key
    }

    deinit {
        interruption.forget()
        removeHooks()
        cache.removeAll()
        // Statements that somebody still holds keep the connection open until they go.
        sqlite3_close_v2(handle)
    }

    /// Opens a database file, or makes it.
    ///
    /// - Throws: ``SQLiteError`` that says in a sentence why not: no such directory, no permission, not a database,
    ///   damaged.
    public static func open(path: String, options: Options = Options()) throws(SQLiteError) -> Connection {
        try make(path, path: path, options)
    }

    /// Opens the same file once more, for reading only and with the same key; nil for a database in memory.
    public func reader() throws(SQLiteError) -> Connection? {
        guard let path else { return nil }
        var options = Options.readOnly
        options.key = key
        return try Connection.open(path: path, options: options)
    }

    /// Opens a new database in memory.
    public static func memory(options: Options = Options()) throws(SQLiteError) -> Connection {
        try make(":memory:", path: nil, options)
    }

    /// Once a process, before SQLite is used.
    private static let settings: Void = csqlite_keep_no_statistics()

    private static func make(_ name: String, path: String?, _ options: Options) throws(SQLiteError) -> Connection {
        _ = settings
        try checkEncryption(options.key, name)
        var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        flags |= options.readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
        if options.create, !options.readOnly { flags |= SQLITE_OPEN_CREATE }
        var opened: OpaquePointer?
        let result = sqlite3_open_v2(name, &opened, flags, nil)
        guard result == SQLITE_OK, let handle = opened else {
            let error = explained(SQLiteError(opened, code: result), name, opened)
            sqlite3_close_v2(opened)
            throw error
        }
        let connection = Connection(handle: handle, path: path, options: options)
        do {
            try connection.configure(options)
        } catch {
            throw explained(error, name, handle, hasKey: options.key != nil)
        }
        return connection
    }

    private func configure(_ options: Options) throws(SQLiteError) {
        sqlite3_busy_timeout(handle, Int32(options.busyTimeout))
        if let key = options.key {
            do {
                try raw("PRAGMA key=\(key.literal)")
            } catch {
                // The statement holds the key and is not repeated.
                throw SQLiteError(code: error.extendedCode, message: error.message)
            }
        }
        csqlite_set_defensive(handle)
        CaseFolding.register(on: handle)
        ListSearch.register(on: handle)
        try raw("PRAGMA trusted_schema=OFF")
        try raw("PRAGMA cell_size_check=ON")
        try raw("PRAGMA mmap_size=0")
        try raw("PRAGMA cache_size=-\(options.cacheKilobytes)")
        // The first statement that reads the file: a foreign or damaged header shows here.
        try raw("SELECT count(*) FROM sqlite_schema")
        guard !options.readOnly else { return }
        try raw("PRAGMA synchronous=FULL")
        guard path != nil else { return }
        let mode = try value("PRAGMA journal_mode=WAL")
        guard mode == .text("wal") else {
            throw SQLiteError(
                code: SQLITE_CANTOPEN,
                message: "its file system has no shared memory for the write-ahead log (a network drive?)")
        }
        try raw("PRAGMA journal_size_limit=16777216")
        checkpointByItself(every: options.checkpointPages)
        _ = csqlite_keep_wal(handle)
    }

    private static func explained(_ error: SQLiteError, _ name: String, _ handle: OpaquePointer?, hasKey: Bool = false)
        -> SQLiteError
    {
        var reason = error.message
        if error.isNotADatabase {
            reason =
                hasKey
                ? "the key is wrong, or it is not an encrypted database" : "it is not a database, or it is encrypted"
        } else if error.isCorrupt {
            reason = "it is damaged (\(error.message)); restore a backup"
        } else if error.isCannotOpen, let handle {
            let number = sqlite3_system_errno(handle)
            if number != 0 { reason += " (" + systemMessage(number) + ")" }
        }
        return SQLiteError(code: error.extendedCode, message: "cannot open \(name): \(reason)", sql: nil)
    }

    /// Runs SQL text as it is: pragmas, and the brackets of transactions.
    func raw(_ sql: String) throws(SQLiteError) {
        let result = sqlite3_exec(handle, sql, nil, nil, nil)
        if result != SQLITE_OK { throw SQLiteError(handle, code: result, sql: sql) }
    }
}
