import Basics
import Models
import SQLite

/// One model's table in SQLite: its columns, its indexes, and the SQL that works on its rows.
///
/// The table is named like the model and is STRICT. Its columns are `_row` (the integer primary key, which never
/// changes while the row lives), `_key` where the model's key is not one text field, the fields in the schema's order, and the
/// owner's metadata. A table has no connection: each function is given the one to work on.
public final class ModelTable: Sendable {
    /// The model.
    public let schema: ModelSchema
    /// The owner's columns.
    public let metadata: [MetadataColumn]
    /// Finds the models that relations lead to, where predicates may follow them.
    let models: ModelLookup?
    /// The table's name in quotes.
    public let name: String
    /// The name, in quotes, of the unique text column that holds ``Record/id``.
    public let keyColumn: String
    /// The integer primary key's name.
    public static let rowColumn = "\"_row\""

    /// Whether ``keyColumn`` is a column of its own rather than the key field's.
    @usableFromInline let hasKeyColumn: Bool
    /// The fields' and then the metadata columns' names in quotes.
    let columns: [String]
    /// The same and `_row`, separated by commas: what each SELECT of rows begins with.
    let selection: String

    @usableFromInline let insertText: StatementText
    @usableFromInline let upsertText: StatementText
    let deleteText: StatementText
    let fetchText: StatementText
    let existsText: StatementText
    private let updateTexts = Locked<[[Int]: StatementText]>([:])

    /// Whether the indexes with sort keys end with the record's key.
    private let ordersByKey: Bool

    /// Lays a model's table out.
    ///
    /// - Parameters:
    ///   - ordersByKey: whether the usual queries settle equal rows by the record's key (``RowQuery/TieBreak``);
    ///     the indexes with sort keys then give that order too, so that nothing is sorted.
    ///   - models: finds the models that relations lead to, which predicates may then name; their tables must be in the
    ///     same database.
    public init(
        _ schema: ModelSchema, metadata: [MetadataColumn] = [], ordersByKey: Bool = false, models: ModelLookup? = nil
    ) {
        self.ordersByKey = ordersByKey
        self.models = models
        self.schema = schema
        self.metadata = metadata
        name = quoted(schema.name)
        hasKeyColumn = ModelTable.needsKeyColumn(schema)
        let keyColumn = quoted(hasKeyColumn ? "_key" : schema.primaryKey[0])
        self.keyColumn = keyColumn
        let columns = schema.fields.map { quoted($0.name) } + metadata.map { quoted($0.name) }
        self.columns = columns
        selection = (columns + [ModelTable.rowColumn]).joined(separator: ",")

        let inserted = (hasKeyColumn ? [keyColumn] : []) + columns
        let places = Array(repeating: "?", count: inserted.count).joined(separator: ",")
        let insert = "INSERT INTO \(name)(\(inserted.joined(separator: ","))) VALUES(\(places))"
        let assignments = columns.filter { $0 != keyColumn }.map { "\($0)=excluded.\($0)" }
        insertText = StatementText(insert)
        upsertText = StatementText(
            insert + " ON CONFLICT(\(keyColumn)) DO "
                + (assignments.isEmpty ? "NOTHING" : "UPDATE SET " + assignments.joined(separator: ",")))
        deleteText = StatementText("DELETE FROM \(name) WHERE \(keyColumn)=?")
        fetchText = StatementText("SELECT \(selection) FROM \(name) WHERE \(keyColumn)=?")
        existsText = StatementText("SELECT \(ModelTable.rowColumn) FROM \(name) WHERE \(keyColumn)=?")
    }

    static func needsKeyColumn(_ schema: ModelSchema) -> Bool {
        guard schema.primaryKey.count == 1, let field = schema.field(schema.primaryKey[0]) else { return true }
        return field.columnType != .text || field.isStoredAsJSON
    }

    /// The position of a metadata column, for ``RowReader/metadata(_:)`` and ``update(key:fields:metadata:on:)``.
    public func position(ofMetadata name: String) -> Int? { metadata.firstIndex { $0.name == name } }

    /// The UPDATE that sets these columns (fields, then metadata counted on from them) of the row with a key.
    func updateText(_ positions: [Int]) -> StatementText {
        updateTexts.withLock { texts in
            if let text = texts[positions] { return text }
            let assignments = positions.map { "\(columns[$0])=?" }.joined(separator: ",")
            let text = StatementText("UPDATE \(name) SET \(assignments) WHERE \(keyColumn)=?")
            // A model with very many fields could make very many texts; beyond this they are made anew each time.
            if texts.count < 1000 { texts[positions] = text }
            return text
        }
    }
}

extension ModelTable {
    /// The statement that makes the table.
    public var createSQL: String {
        var definitions = ["\(ModelTable.rowColumn) INTEGER PRIMARY KEY"]
        if hasKeyColumn { definitions.append("\(keyColumn) TEXT NOT NULL UNIQUE") }
        for field in schema.fields { definitions.append(definition(field)) }
        for column in metadata { definitions.append(ModelTable.definition(column)) }
        return "CREATE TABLE \(name)(\(definitions.joined(separator: ", "))) STRICT"
    }

    /// Fields carry no NOT NULL, so that a field may become optional without its table being rebuilt; the models'
    /// types and the wire codec hold the rule.
    private func definition(_ field: FieldSchema) -> String {
        let column = quoted(field.name)
        let isKey = !hasKeyColumn && column == keyColumn
        return "\(column) \(field.columnType.rawValue)" + (isKey ? " NOT NULL UNIQUE" : "")
    }

    static func definition(_ column: MetadataColumn) -> String {
        let start = "\(quoted(column.name)) \(column.type.rawValue)"
        return column.defaultValue.isNull ? start : start + " NOT NULL DEFAULT \(literal(column.defaultValue))"
    }

    /// What the names of this table's indexes begin with.
    var indexPrefix: String { "ix.\(schema.name)." }

    /// The indexes by name: those of `@index`, of a composite key, of the fields that hold another record's key, and of
    /// metadata.
    public var indexes: [(name: String, sql: String)] {
        var wanted: [[String]] = []
        func add(_ fields: [String]) {
            if !wanted.contains(fields), fields.allSatisfy({ schema.field($0) != nil }) { wanted.append(fields) }
        }
        for index in schema.indexes { add(index.fields) }
        if schema.primaryKey.count > 1 { add(schema.primaryKey) }
        for relation in schema.relations where !relation.isKeyInTarget {
            let fields = relation.fields
            if fields == schema.primaryKey { continue }
            if !wanted.contains(where: { $0.starts(with: fields) }) { add(fields) }
        }
        var result = wanted.map { fields in
            let name = indexPrefix + fields.joined(separator: ".")
            var columns = fields.map(quoted)
            if ordersByKey, fields.count > 1, !columns.contains(keyColumn) { columns.append(keyColumn) }
            let list = columns.joined(separator: ",")
            return (name: name, sql: "CREATE INDEX \(quoted(name)) ON \(self.name)(\(list))")
        }
        for column in metadata where column.isIndexed {
            let name = indexPrefix + column.name
            let condition = column.indexCondition.map { " WHERE \($0)" } ?? ""
            result.append((name, "CREATE INDEX \(quoted(name)) ON \(self.name)(\(quoted(column.name)))\(condition)"))
        }
        return result
    }

    /// Makes the table and its indexes in a database that has neither.
    public func create(on connection: Connection) throws(SQLiteError) {
        try connection.execute(createSQL)
        for index in indexes { try connection.execute(index.sql) }
    }
}
