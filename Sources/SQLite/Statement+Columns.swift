import CSQLite
import Models

/// The columns of the row that a statement stands on; columns count from 0.
///
/// A plain address, so that reading costs no reference counting. It is valid only while the statement is lent and stands
/// on a row. Each column is fetched once as SQLite's own value and asked there for its type and content: our connections
/// are opened without SQLite's mutexes, where such a value may be read as any other (sqlite.org/c3ref/value.html).
public struct RowColumns {
    @usableFromInline let handle: OpaquePointer

    @inlinable
    init(_ handle: OpaquePointer) {
        self.handle = handle
    }

    @inlinable
    func cell(_ column: Int) -> OpaquePointer? { sqlite3_column_value(handle, Int32(truncatingIfNeeded: column)) }

    /// Whether a column of the row is null.
    @inlinable
    public func isNull(at column: Int) -> Bool { sqlite3_value_type(cell(column)) == SQLITE_NULL }

    /// A column as an integer; 0 where it is null.
    @inlinable
    public func integer(at column: Int) -> Int64 { sqlite3_value_int64(cell(column)) }

    /// A column as an integer, nil where it is null.
    @inlinable
    public func optionalInteger(at column: Int) -> Int64? {
        let cell = cell(column)
        return sqlite3_value_type(cell) == SQLITE_NULL ? nil : sqlite3_value_int64(cell)
    }

    /// A column as a real; 0 where it is null.
    @inlinable
    public func real(at column: Int) -> Double { sqlite3_value_double(cell(column)) }

    /// A column as text; empty where it is null.
    @inlinable
    public func text(at column: Int) -> String { text(cell(column)) ?? "" }

    /// A column as text, nil where it is null.
    @inlinable
    public func optionalText(at column: Int) -> String? { text(cell(column)) }

    @inlinable
    func text(_ cell: OpaquePointer?) -> String? {
        utf8(cell).map { String(decoding: $0, as: UTF8.self) }
    }

    @inlinable
    func utf8(_ cell: OpaquePointer?) -> UnsafeBufferPointer<UInt8>? {
        // The text first: it may convert, and the length is that of what it gave.
        guard let start = sqlite3_value_text(cell) else { return nil }
        return UnsafeBufferPointer(start: start, count: Int(sqlite3_value_bytes(cell)))
    }

    /// Lends a column's UTF-8 without a copy; nil where it is null. The bytes are gone when `body` returns.
    @inlinable
    public func withUTF8<R>(at column: Int, _ body: (UnsafeBufferPointer<UInt8>?) throws -> R) rethrows -> R {
        try body(utf8(cell(column)))
    }

    /// A column that should hold text or null: nil where it holds anything else.
    @inlinable
    public func textOrNull(at column: Int) -> String?? {
        let cell = cell(column)
        switch sqlite3_value_type(cell) {
        case SQLITE_TEXT: return .some(text(cell))
        case SQLITE_NULL: return .some(nil)
        default: return nil
        }
    }

    /// A column that should hold an integer or null: nil where it holds anything else.
    @inlinable
    public func integerOrNull(at column: Int) -> Int64?? {
        let cell = cell(column)
        switch sqlite3_value_type(cell) {
        case SQLITE_INTEGER: return .some(sqlite3_value_int64(cell))
        case SQLITE_NULL: return .some(nil)
        default: return nil
        }
    }

    /// A column in its storage form.
    @inlinable
    public func value(at column: Int) -> Value {
        let cell = cell(column)
        switch sqlite3_value_type(cell) {
        case SQLITE_INTEGER: return .integer(sqlite3_value_int64(cell))
        case SQLITE_FLOAT: return .real(sqlite3_value_double(cell))
        case SQLITE_NULL: return .null
        // Text, or a blob: our tables are STRICT and have none, another program's may.
        default: return .text(text(cell) ?? "")
        }
    }
}

extension Statement {
    /// The row that the statement stands on, for readers that touch many columns.
    @inlinable
    public var columns: RowColumns { RowColumns(handle) }

    /// Whether a column of the row is null.
    @inlinable
    public func isNull(at column: Int) -> Bool { columns.isNull(at: column) }
    /// A column as an integer; 0 where it is null.
    @inlinable
    public func integer(at column: Int) -> Int64 { columns.integer(at: column) }
    /// A column as an integer, nil where it is null.
    @inlinable
    public func optionalInteger(at column: Int) -> Int64? { columns.optionalInteger(at: column) }
    /// A column as a real; 0 where it is null.
    @inlinable
    public func real(at column: Int) -> Double { columns.real(at: column) }
    /// A column as text; empty where it is null.
    @inlinable
    public func text(at column: Int) -> String { columns.text(at: column) }
    /// A column as text, nil where it is null.
    @inlinable
    public func optionalText(at column: Int) -> String? { columns.optionalText(at: column) }
    /// Lends a column's UTF-8 without a copy; nil where it is null. The bytes are gone when `body` returns.
    @inlinable
    public func withUTF8<R>(at column: Int, _ body: (UnsafeBufferPointer<UInt8>?) throws -> R) rethrows -> R {
        try columns.withUTF8(at: column, body)
    }
    /// A column in its storage form.
    @inlinable
    public func value(at column: Int) -> Value { columns.value(at: column) }
    /// All columns of the row.
    public var values: [Value] { (0..<columnCount).map { value(at: $0) } }
}
