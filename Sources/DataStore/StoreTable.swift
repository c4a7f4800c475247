import Basics
import ModelTables
import Models
import SQLite

/// One model's rows in a store: the table of ModelTables with the backend's version beside each row.
final class StoreTable: Sendable {
    /// A row with what is known of the backend's copy.
    struct Row: Hashable {
        var values: [Value]
        /// Nil where the backend never confirmed it.
        var version: Int64?
        var lastChangedAt: Int64?
    }

    static let versionColumn = 0
    static let changedColumn = 1

    let model: ModelSchema
    let table: ModelTable
    let wire: WireFields
    let policy: SyncPolicy
    let isCreateOnly: Bool
    /// The records that a row refers to, its parents: the positions of the fields that hold the key, and the model.
    let parents: [(name: String, positions: [Int], target: String)]
    private let insertText: StatementText
    private let updateText: StatementText
    private let settable: [Int]
    private let deleteText: StatementText

    init(_ schema: Schema, _ model: ModelSchema, _ options: StoreOptions) {
        self.model = model
        let table = ModelTable(
            model, metadata: [MetadataColumn("_version", .integer), MetadataColumn("_changed", .integer)],
            ordersByKey: true, models: { schema.model($0) })
        self.table = table
        wire = WireFields(schema, model)
        policy = options.policy(of: model)
        isCreateOnly = options.isCreateOnly(model)
        parents = schema.references(of: model).map { reference in
            (reference.fields[0], reference.fields.compactMap { model.position(of: $0) }, reference.target)
        }
        let keyIsField = model.primaryKey.count == 1 && table.keyColumn == quoted(model.primaryKey[0])
        let fields = model.fields.map { quoted($0.name) } + ["\"_version\"", "\"_changed\""]
        let columns = (keyIsField ? [] : [table.keyColumn]) + fields
        let insert =
            "INSERT INTO \(table.name)(\(columns.joined(separator: ","))) VALUES("
            + Array(repeating: "?", count: columns.count).joined(separator: ",")
            + ") ON CONFLICT(\(table.keyColumn)) DO "
        insertText = StatementText(insert + "NOTHING")
        settable = model.fields.indices.filter { quoted(model.fields[$0].name) != table.keyColumn }
        let changes = settable.map { quoted(model.fields[$0].name) + "=?" } + ["\"_version\"=?", "\"_changed\"=?"]
        updateText = StatementText(
            "UPDATE \(table.name) SET \(changes.joined(separator: ",")) WHERE \(table.keyColumn)=? "
                + "AND ifnull(\"_version\",-1)<?")
        deleteText = StatementText("DELETE FROM \(table.name) WHERE \(table.keyColumn)=?")
        hasKeyColumn = !keyIsField
    }

    private let hasKeyColumn: Bool

    private func bind(_ id: String, _ row: Row, to statement: Statement) {
        var index = 1
        if hasKeyColumn {
            statement.bind(id, at: 1)
            index = 2
        }
        index = statement.bind(row.values, from: index)
        if let version = row.version { statement.bind(version, at: index) }
        if let changed = row.lastChangedAt { statement.bind(changed, at: index + 1) }
    }

    /// Inserts a row unless there is one with this key; gives whether it did.
    func insertIfAbsent(_ id: String, _ row: Row, on connection: Connection) throws -> Bool {
        try connection.withStatement(insertText) { statement in
            bind(id, row, to: statement)
            _ = try statement.step()
            return connection.changes > 0
        }
    }

    /// Replaces an older version of a row; gives whether there was one.
    func updateOlder(_ id: String, _ row: Row, on connection: Connection) throws -> Bool {
        let version = row.version ?? 0
        return try connection.withStatement(updateText) { statement in
            let index = statement.bind(settable.lazy.map { row.values[$0] })
            statement.bind(version, at: index)
            if let changed = row.lastChangedAt { statement.bind(changed, at: index + 1) }
            statement.bind(id, at: index + 2)
            statement.bind(version, at: index + 3)
            _ = try statement.step()
            return connection.changes > 0
        }
    }

    func fetch(_ id: String, on connection: Connection) throws -> Row? {
        try table.reading(key: id, on: connection) { reader in
            Row(
                values: reader.record.values, version: reader.metadata(StoreTable.versionColumn).integer,
                lastChangedAt: reader.metadata(StoreTable.changedColumn).integer)
        }
    }

    func contains(_ id: String, on connection: Connection) throws -> Bool {
        try table.contains(key: id, on: connection)
    }

    /// Sets some fields of a row and leaves its version.
    func update(_ id: String, _ values: [Value], _ positions: [Int], on connection: Connection) throws {
        _ = try table.update(key: id, fields: positions.map { ($0, values[$0]) }, on: connection)
    }

    /// Makes a row exactly this, version and all.
    func put(_ id: String, _ row: Row, on connection: Connection) throws {
        let metadata: [Value] = [
            row.version.map { .integer($0) } ?? .null, row.lastChangedAt.map { .integer($0) } ?? .null,
        ]
        try table.upsert(Record(schema: model, values: row.values), metadata: metadata, on: connection)
    }

    func delete(_ id: String, on connection: Connection) throws -> Bool {
        try connection.withStatement(deleteText) { statement in
            statement.bind(id, at: 1)
            _ = try statement.step()
            return connection.changes > 0
        }
    }

    /// The key of the parent that an entry's fields name, as that parent's own entries have it; nil where they name none.
    func parentID(_ positions: [Int], in fields: JSONObject) -> String? {
        var parts: [String] = []
        for position in positions {
            let field = model.fields[position]
            guard let value = fields[field.name], !value.isNull else { return nil }
            if field.type == .scalar(.id) || field.type == .scalar(.string), let text = value.string {
                parts.append(text)
                continue
            }
            // Keys are made of what is stored, which is not what travels: times, decimals and truth values are numbers.
            guard let stored = try? wire.schema.storageValue(of: value, for: field, in: model.name) else { return nil }
            parts.append(keyText(stored))
        }
        return parts.joined(separator: "#")
    }

    func record(_ values: [Value]) -> Record { Record(schema: model, values: values) }
}
