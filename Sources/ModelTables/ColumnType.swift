import Models

/// A column's type in a STRICT table.
public enum ColumnType: String, Sendable, Hashable {
    case text = "TEXT"
    case integer = "INTEGER"
    case real = "REAL"

    /// Whether a non-null value belongs in such a column.
    func holds(_ value: Value) -> Bool {
        switch (self, value) {
        case (.text, .text), (.integer, .integer), (.real, .real), (.real, .integer): true
        default: false
        }
    }
}

extension FieldSchema {
    /// The type of the field's column.
    public var columnType: ColumnType {
        if isStoredAsJSON { return .text }
        guard case .scalar(let scalar) = type else { return .text }
        switch scalar {
        case .int, .boolean, .awsTimestamp, .awsDateTime, .decimal: return .integer
        case .float: return .real
        default: return .text
        }
    }
}

/// A column that the table's owner keeps beside the model's fields, such as a version or a sync state.
///
/// Its name begins with an underscore, so that it cannot meet a field's.
public struct MetadataColumn: Sendable, Hashable {
    /// The column's name.
    public let name: String
    /// The column's type.
    public let type: ColumnType
    /// What existing rows get when the column is added; a column whose default is not null never holds null.
    public let defaultValue: Value
    /// Whether it has an index.
    public let isIndexed: Bool
    /// The SQL condition of a partial index, such as `"_state" <> 0`.
    public let indexCondition: String?

    /// Describes a column.
    public init(
        _ name: String, _ type: ColumnType, defaultValue: Value = .null, isIndexed: Bool = false,
        indexCondition: String? = nil
    ) {
        precondition(name.hasPrefix("_"), "A metadata column's name begins with an underscore.")
        self.name = name
        self.type = type
        self.defaultValue = defaultValue
        self.isIndexed = isIndexed
        self.indexCondition = indexCondition
    }
}

/// An SQL identifier in quotes; any name works, reserved words too.
public func quoted(_ identifier: String) -> String {
    if identifier.utf8.contains(UInt8(ascii: "\"")) {
        return "\"" + identifier.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            + "\""
    }
    return "\"" + identifier + "\""
}

/// A value as an SQL literal.
func literal(_ value: Value) -> String {
    switch value {
    case .null: "NULL"
    case .integer(let value): String(value)
    case .real(let value): String(value)
    case .text(let text):
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
