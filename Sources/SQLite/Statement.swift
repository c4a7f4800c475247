import CSQLite
import Models

/// One prepared statement; confined, as its connection is, to one executor.
///
/// Bindings count from 1 and columns from 0, as in SQLite's manual. Binding never throws: what is wrong with a binding
/// is thrown by the next ``step()``.
///
///     try connection.withStatement("SELECT code FROM Bin WHERE zoneID = ?") { statement in
///         statement.bind(zone, at: 1)
///         while try statement.step() { codes.append(statement.text(at: 0)) }
///     }
public final class Statement {
    @usableFromInline let handle: OpaquePointer
    /// The statement's text.
    public let sql: String
    @usableFromInline var bindResult: Int32 = SQLITE_OK
    /// Lent out by the connection's cache; a second use at the same time gets a statement of its own.
    @usableFromInline var isLent = false
    var lastUse: UInt64 = 0

    // Bound text is copied into this buffer rather than into one that SQLite allocates per binding. SQLite reads it in
    // place until the bindings are cleared, so it is used anew only by `reset()`, which clears them first. It never
    // moves; what does not fit is copied by SQLite.
    @usableFromInline let buffer: UnsafeMutablePointer<UInt8>
    @usableFromInline var used = 0
    @usableFromInline static let capacity = 4096

    init(_ handle: OpaquePointer, sql: String) {
        self.handle = handle
        self.sql = sql
        buffer = .allocate(capacity: Statement.capacity)
    }

    deinit {
        sqlite3_finalize(handle)
        buffer.deallocate()
    }

    /// Goes on to the next row; false where there is none left, and for a statement that has no rows once it is done.
    @inlinable
    public func step() throws(SQLiteError) -> Bool {
        guard bindResult == SQLITE_OK else { throw failure(bindResult) }
        let result = sqlite3_step(handle)
        if result == SQLITE_ROW { return true }
        if result == SQLITE_DONE { return false }
        throw failure(result)
    }

    /// Runs it to its end and makes it ready for the next bindings: the body of a bulk loop.
    @inlinable
    public func run() throws(SQLiteError) {
        while try step() {}
        reset()
    }

    /// Makes it ready to run again, with all bindings null.
    @inlinable
    public func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
        used = 0
        bindResult = SQLITE_OK
    }

    @usableFromInline
    func failure(_ code: Int32) -> SQLiteError {
        let error = SQLiteError(sqlite3_db_handle(handle), code: code, sql: sql)
        reset()
        return error
    }

    /// How many columns its rows have.
    public var columnCount: Int { Int(sqlite3_column_count(handle)) }
    /// How many bindings it takes.
    public var bindingCount: Int { Int(sqlite3_bind_parameter_count(handle)) }
    /// Whether it leaves the database as it is.
    public var isReadOnly: Bool { sqlite3_stmt_readonly(handle) != 0 }
}

extension Statement {
    @inlinable
    func note(_ result: Int32) {
        if result != SQLITE_OK, bindResult == SQLITE_OK { bindResult = result }
    }

    /// Binds null.
    @inlinable
    public func bindNull(at index: Int) { note(sqlite3_bind_null(handle, Int32(truncatingIfNeeded: index))) }

    /// Binds an integer.
    @inlinable
    public func bind(_ value: Int64, at index: Int) {
        note(sqlite3_bind_int64(handle, Int32(truncatingIfNeeded: index), value))
    }

    /// Binds an integer.
    @inlinable
    public func bind(_ value: Int, at index: Int) { bind(Int64(value), at: index) }

    /// Binds a real; SQLite turns a NaN into null.
    @inlinable
    public func bind(_ value: Double, at index: Int) {
        note(sqlite3_bind_double(handle, Int32(truncatingIfNeeded: index), value))
    }

    /// Binds text.
    @inlinable
    public func bind(_ text: String, at index: Int) {
        var text = text
        text.withUTF8 { bind(utf8: $0, at: index) }
    }

    /// Binds text given as UTF-8, which must be valid.
    @inlinable
    public func bind(utf8 text: UnsafeBufferPointer<UInt8>, at index: Int) {
        let position = Int32(truncatingIfNeeded: index)
        let count = text.count
        if count <= Statement.capacity - used, let source = text.baseAddress {
            let place = buffer + used
            place.update(from: source, count: count)
            used += count
            note(
                place.withMemoryRebound(to: CChar.self, capacity: count) {
                    csqlite_bind_text_in_place(handle, position, $0, Int32(truncatingIfNeeded: count))
                })
        } else {
            bindCopying(text, position)
        }
    }

    @usableFromInline
    func bindCopying(_ text: UnsafeBufferPointer<UInt8>, _ position: Int32) {
        guard let start = text.baseAddress else {
            note(csqlite_bind_text_copying(handle, position, "", 0))
            return
        }
        guard let count = Int32(exactly: text.count) else {
            note(SQLITE_TOOBIG)
            return
        }
        note(
            start.withMemoryRebound(to: CChar.self, capacity: text.count) {
                csqlite_bind_text_copying(handle, position, $0, count)
            })
    }

    /// Binds a value in its storage form.
    @inlinable
    public func bind(_ value: Value, at index: Int) {
        switch value {
        case .null: bindNull(at: index)
        case .integer(let value): bind(value, at: index)
        case .real(let value): bind(value, at: index)
        case .text(let text): bind(text, at: index)
        }
    }

    /// Binds values from `first` on; gives the position after the last.
    @inlinable
    @discardableResult
    public func bind(_ values: some Sequence<Value>, from first: Int = 1) -> Int {
        var index = first
        for value in values {
            bind(value, at: index)
            index += 1
        }
        return index
    }
}
