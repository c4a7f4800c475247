import Models
import SQLite

/// Reads one row of a ``ModelTable`` where it lies, field by field.
///
/// It is valid only within the closure it was given to.
public struct RowReader: FieldDecoder {
    @usableFromInline let columns: RowColumns
    @usableFromInline let table: ModelTable
    @usableFromInline let fieldCount: Int
    /// The position of the field that comes next.
    @inlinable public var position: Int { next }
    @usableFromInline var next = 0

    @usableFromInline
    init(_ statement: Statement, _ table: ModelTable) {
        columns = statement.columns
        self.table = table
        fieldCount = table.schema.fields.count
    }

    /// Gives the next field.
    @inlinable
    public mutating func decode() -> Value {
        let column = next
        next = column + 1
        return column < fieldCount ? columns.value(at: column) : .null
    }

    /// Gives the next field as text, nil where it is null.
    @inlinable
    public mutating func decodeText() throws(FieldError) -> String? {
        let column = next
        next = column + 1
        guard column < fieldCount else { return nil }
        if let text = columns.textOrNull(at: column) { return text }
        throw FieldError(position: column, value: columns.value(at: column), expected: "String")
    }

    /// Gives the next field as an integer, nil where it is null.
    @inlinable
    public mutating func decodeInteger() throws(FieldError) -> Int64? {
        let column = next
        next = column + 1
        guard column < fieldCount else { return nil }
        if let number = columns.integerOrNull(at: column) { return number }
        throw FieldError(position: column, value: columns.value(at: column), expected: "Int")
    }

    /// Starts over with the first field, of the row that the statement stands on now.
    @usableFromInline
    mutating func rewind() { next = 0 }

    /// A field by its position in the schema.
    public func value(_ field: Int) -> Value { columns.value(at: field) }
    /// Lends a field's UTF-8 without a copy; nil where it is null.
    public func withUTF8<R>(_ field: Int, _ body: (UnsafeBufferPointer<UInt8>?) throws -> R) rethrows -> R {
        try columns.withUTF8(at: field, body)
    }
    /// A metadata column by its position.
    public func metadata(_ index: Int) -> Value { columns.value(at: fieldCount + index) }
    /// All metadata columns.
    public var metadata: [Value] { table.metadata.indices.map { metadata($0) } }
    /// The row's number.
    public var row: Int64 { columns.integer(at: fieldCount + table.metadata.count) }

    /// The whole record in untyped form.
    public var record: Record {
        var values: [Value] = []
        values.reserveCapacity(fieldCount)
        for column in 0..<fieldCount { values.append(columns.value(at: column)) }
        return Record(schema: table.schema, values: values)
    }

    /// The row's record, metadata and number.
    public var stored: StoredRow { StoredRow(row: row, record: record, metadata: metadata) }

    /// The row as its model.
    ///
    /// - Throws: ``StoredValueError`` naming the field that holds what the model cannot.
    public mutating func model<M: Model>(_ type: M.Type = M.self) throws(StoredValueError) -> M {
        next = 0
        do {
            return try M(from: &self)
        } catch {
            let fields = table.schema.fields
            throw StoredValueError(
                model: table.schema.name, key: record.id,
                field: error.position < fields.count ? fields[error.position].name : "", reason: error)
        }
    }
}

/// A row as it is stored.
public struct StoredRow: Sendable, Hashable {
    /// The row's number.
    public let row: Int64
    /// The record.
    public let record: Record
    /// The metadata columns' values in order.
    public let metadata: [Value]

    /// Puts a row together.
    public init(row: Int64, record: Record, metadata: [Value]) {
        self.row = row
        self.record = record
        self.metadata = metadata
    }
}

/// A stored value that the model's type cannot hold, such as an enum case that this program does not know.
public struct StoredValueError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The model.
    public let model: String
    /// The record's key.
    public let key: String
    /// The field.
    public let field: String
    /// What was found and what was expected.
    public let reason: FieldError

    /// One line for a person.
    public var description: String {
        "\(model).\(field) of \(key): \(reason.value) is no \(reason.expected)"
    }
}

/// Binds a model's fields to a statement, one after the other.
public struct StatementEncoder: FieldEncoder {
    // The statement is lent by the connection for longer than any encoder lives.
    @usableFromInline unowned(unsafe) let statement: Statement
    /// The position of the next binding.
    @usableFromInline var position: Int

    /// Starts at a binding's position, which counts from 1.
    @inlinable
    public init(_ statement: Statement, from position: Int = 1) {
        self.statement = statement
        self.position = position
    }

    /// Binds the next field.
    @inlinable
    public mutating func encode(_ value: Value) {
        statement.bind(value, at: position)
        position += 1
    }
}
