import CSQLite

/// When a commit is on the disk.
public enum Durability: Sendable, Hashable {
    /// When it returns (`synchronous=FULL`).
    case full
    /// At the next checkpoint: a power cut may undo it, but never tear it. For what can be fetched again.
    case normal
}

/// How a transaction begins.
public enum TransactionKind: Sendable, Hashable {
    /// Takes the write lock at once.
    case immediate
    /// Reads one snapshot, which begins with its first statement.
    case deferred
}

extension Connection {
    /// Whether a transaction is open.
    public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
    ///
    /// Transactions do not nest; use ``savepoint(_:)`` inside.
    /// - Throws: What `body` throws, or ``SQLiteError`` where the transaction could not begin or commit.
    public func transaction<R>(
        _ kind: TransactionKind = .immediate, durability: Durability = .full, _ body: () throws -> R
    ) throws -> R {
        try begin(kind, durability: durability)
        let result: R
        do {
            result = try body()
        } catch {
            rollback()
            throw error
        }
        try commit()
        return result
    }

    /// Begins a transaction that ``commit()`` or ``rollback()`` ends; ``transaction(_:durability:_:)`` does it all.
    public func begin(_ kind: TransactionKind = .immediate, durability: Durability = .full) throws(SQLiteError) {
        precondition(depth == 0, "Transactions do not nest: use savepoint inside a transaction.")
        precondition(kind == .deferred || !isReadOnly, "A read-only connection has only deferred transactions.")
        if isLogDoubtful, !isReadOnly, kind == .immediate { try renewLog() }
        // The pragma has no effect inside a transaction.
        if durability != self.durability, !isReadOnly {
            try raw(durability == .full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL")
            self.durability = durability
        }
        try step(kind == .immediate ? Self.beginImmediate : Self.begin)
        depth = 1
    }

    /// Commits; where that fails, the transaction is rolled back and the error is thrown.
    public func commit() throws(SQLiteError) {
        precondition(depth == 1, "There is no transaction to commit, or a savepoint is open in it.")
        do {
            try step(Self.commit)
        } catch {
            rollback()
            if error.isInputOutput { isLogDoubtful = true }
            throw error
        }
        depth = 0
    }

    /// Moves the log's content into the database and begins it anew.
    ///
    /// After a failed sync the kernel takes the log's pages for written, though the disk may not have them: a later sync
    /// says nothing of them, and a recovery would end at the gap, before commits that were durable. What is still read
    /// from the log is right, so it is written to the database, and only then is something promised again.
    private func renewLog() throws(SQLiteError) {
        guard try checkpoint(.truncate) else {
            throw SQLiteError(
                code: SQLITE_BUSY, message: "the log must be renewed after a failed write, and is being read")
        }
        isLogDoubtful = false
    }

    private static let begin = StatementText("BEGIN")
    private static let beginImmediate = StatementText("BEGIN IMMEDIATE")
    private static let commit = StatementText("COMMIT")

    /// Runs a transaction's bracket, prepared once: each transaction has two of them.
    private func step(_ text: StatementText) throws(SQLiteError) {
        let statement = try lend(text)
        defer { giveBack(statement) }
        _ = try statement.step()
    }

    /// Rolls back; nothing happens where SQLite has done so already.
    public func rollback() {
        precondition(depth >= 1, "There is no transaction to roll back.")
        depth = 0
        // It fails only where the transaction is already gone, which is what is wanted.
        if isInTransaction { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
    }

    /// Runs `body` so that its changes go when it throws, while the transaction around it goes on.
    public func savepoint<R>(_ body: () throws -> R) throws -> R {
        precondition(depth >= 1, "A savepoint needs a transaction around it.")
        try checkTransaction()
        try raw("SAVEPOINT nested")
        depth += 1
        let result: R
        do {
            result = try body()
            try checkTransaction()
        } catch {
            depth -= 1
            if isInTransaction {
                try raw("ROLLBACK TO nested")
                try raw("RELEASE nested")
            }
            throw error
        }
        depth -= 1
        try raw("RELEASE nested")
        return result
    }
}
