import CSQLite
import Models

/// The columns of the row that a statement stands on; columns count from 0.
///
/// A plain address, so that reading costs no reference counting. It is valid only while the statement is lent and stands
/// on a row.
public struct RowColumns {
    @usableFromInline let handle: OpaquePointer

    @inlinable
    init(_ handle: OpaquePointer) {
        self.handle = handle
    }

    /// Whether a column of the row is null.
    @inlinable
    public func isNull(at column: Int) -> Bool {
        sqlite3_column_type(handle, Int32(truncatingIfNeeded: column)) == SQLITE_NULL
    }

    /// A column as an integer; 0 where it is null.
    @inlinable
    public func integer(at column: Int) -> Int64 { sqlite3_column_int64(handle, Int32(truncatingIfNeeded: column)) }

    /// A column as an integer, nil where it is null.
    @inlinable
    public func optionalInteger(at column: Int) -> Int64? { isNull(at: column) ? nil : integer(at: column) }

    /// A column as a real; 0 where it is null.
    @inlinable
    public func real(at column: Int) -> Double { sqlite3_column_double(handle, Int32(truncatingIfNeeded: column)) }

    /// A column as text; empty where it is null.
    @inlinable
    public func text(at column: Int) -> String {
        let position = Int32(truncatingIfNeeded: column)
        guard let start = sqlite3_column_text(handle, position) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, position))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// A column as text, nil where it is null.
    @inlinable
    public func optionalText(at column: Int) -> String? {
        let position = Int32(truncatingIfNeeded: column)
        guard let start = sqlite3_column_text(handle, position) else { return nil }
        let count = Int(sqlite3_column_bytes(handle, position))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// Lends a column's UTF-8 without a copy; nil where it is null. The bytes are gone when `body` returns.
    @inlinable
    public func withUTF8<R>(at column: Int, _ body: (UnsafeBufferPointer<UInt8>?) throws -> R) rethrows -> R {
        let position = Int32(truncatingIfNeeded: column)
        guard let start = sqlite3_column_text(handle, position) else { return try body(nil) }
        return try body(UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, position))))
    }

    /// A column that should hold text or null: nil where it holds anything else.
    @inlinable
    public func textOrNull(at column: Int) -> String?? {
        switch sqlite3_column_type(handle, Int32(truncatingIfNeeded: column)) {
        case SQLITE_TEXT: .some(text(at: column))
        case SQLITE_NULL: .some(nil)
        default: nil
        }
    }

    /// A column that should hold an integer or null: nil where it holds anything else.
    @inlinable
    public func integerOrNull(at column: Int) -> Int64?? {
        switch sqlite3_column_type(handle, Int32(truncatingIfNeeded: column)) {
        case SQLITE_INTEGER: .some(integer(at: column))
        case SQLITE_NULL: .some(nil)
        default: nil
        }
    }

    /// A column in its storage form.
    @inlinable
    public func value(at column: Int) -> Value {
        switch sqlite3_column_type(handle, Int32(truncatingIfNeeded: column)) {
        case SQLITE_INTEGER: .integer(integer(at: column))
        case SQLITE_TEXT: .text(text(at: column))
        case SQLITE_FLOAT: .real(real(at: column))
        // A blob: our tables are STRICT and have none, another program's may.
        case SQLITE_BLOB: .text(text(at: column))
        default: .null
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
