import Basics
import ModelTables
import Models
import SQLite

/// The SQL of one served model: its base table with what the service knows of each row.
final class BaseTable: Sendable {
    let model: ModelInfo
    let table: ModelTable
    /// Positions of the metadata columns.
    static let version = 0
    static let deleted = 1
    static let lastChangedAt = 2
    /// When a tombstone goes, in hub time; null on live rows.
    static let expires = 3
    /// See ``DateTimeTexts``.
    static let texts = 4

    private let fetchText: StatementText
    private let fetchRowText: StatementText
    let walkText: StatementText
    let changesText: StatementText
    /// Rows that departed within a range of stamps and changed again behind it.
    let departedText: StatementText
    let expiredText: StatementText
    let purgeText: StatementText
    let maxRowText: StatementText
    let columns: String

    init(_ model: ModelInfo) {
        self.model = model
        table = ModelTable(
            model.schema,
            metadata: [
                MetadataColumn("_version", .integer), MetadataColumn("_deleted", .integer),
                MetadataColumn("_lastChangedAt", .integer, isIndexed: true),
                MetadataColumn("_ttl", .integer, isIndexed: true, indexCondition: "\"_ttl\" IS NOT NULL"),
                MetadataColumn(DateTimeTexts.column, .text),
            ])
        let fields = model.schema.fields.map { "\"\($0.name)\"" }
        let row = ModelTable.rowColumn
        let known = ["\"_version\"", "\"_deleted\"", "\"_lastChangedAt\"", row, "\"\(DateTimeTexts.column)\""]
        columns = (fields + known).joined(separator: ",")
        let start = "SELECT \(columns) FROM \(table.name) WHERE "
        fetchText = StatementText(start + "\(table.keyColumn)=?1")
        fetchRowText = StatementText(start + "\(row)=?1")
        walkText = StatementText(Self.walkSQL(start, row, "1"))
        changesText = StatementText(Self.changesSQL(start, row, "1"))
        departedText = StatementText(
            start + "\(row)>?1 AND \"_lastChangedAt\">?2 AND \(row) IN "
                + "(SELECT row FROM _departures WHERE model=?3 AND stamp>=?4 AND stamp<=?2) ORDER BY \(row)")
        expiredText = StatementText(
            "SELECT \(row),\"_lastChangedAt\",\(table.keyColumn),\"_version\" FROM \(table.name) "
                + "WHERE \"_ttl\" IS NOT NULL AND \"_ttl\"<?1 LIMIT ?2")
        purgeText = StatementText("DELETE FROM \(table.name) WHERE \(row)=?1")
        maxRowText = StatementText("SELECT coalesce(max(\(row)),0) FROM \(table.name)")
    }

    /// A base walk over the rows of which a condition holds; it stands after the two ends of the walk and before its
    /// limit.
    func walkSQL(_ condition: String) -> String {
        Self.walkSQL("SELECT \(columns) FROM \(table.name) WHERE ", ModelTable.rowColumn, condition)
    }

    /// The changes of a range of which a condition holds.
    func changesSQL(_ condition: String) -> String {
        Self.changesSQL("SELECT \(columns) FROM \(table.name) WHERE ", ModelTable.rowColumn, condition)
    }

    private static func walkSQL(_ start: String, _ row: String, _ condition: String) -> String {
        start + "\(row)>? AND \(row)<=? AND \(condition) ORDER BY \(row) LIMIT ?"
    }

    private static func changesSQL(_ start: String, _ row: String, _ condition: String) -> String {
        start + "(\"_lastChangedAt\",\(row))>(?,?) AND \"_lastChangedAt\"<=? AND \(condition) "
            + "ORDER BY \"_lastChangedAt\",\(row) LIMIT ?"
    }

    /// The row with a key.
    func fetch(_ key: String, on connection: Connection) throws -> HubRow? {
        try connection.withStatement(fetchText) { statement in
            statement.bind(key, at: 1)
            return try statement.step()
                ? StatementRow(statement: statement, model: model).copy : nil
        }
    }

    /// The row with a number.
    func fetch(row: Int64, on connection: Connection) throws -> HubRow? {
        try connection.withStatement(fetchRowText) { statement in
            statement.bind(row, at: 1)
            return try statement.step()
                ? StatementRow(statement: statement, model: model).copy : nil
        }
    }

    /// Inserts a new record; gives its row number.
    func insert(_ values: [Value], version: Int64, stamp: Int64, on connection: Connection) throws -> Int64 {
        let columns = DateTimeTexts.columns(of: values, model)
        return try table.insert(
            Record(schema: model.schema, values: columns.values),
            metadata: [.integer(version), .integer(0), .integer(stamp), .null, columns.texts], on: connection)
    }

    /// Writes a changed record over the stored one.
    func update(
        _ old: HubRow, to new: HubRow, expires: Int64?, on connection: Connection
    ) throws {
        let columns = DateTimeTexts.columns(of: new.values, model)
        var fields: [(position: Int, value: Value)] = []
        for position in new.values.indices where new.values[position] != old.values[position] {
            fields.append((position, columns.values[position]))
        }
        var metadata: [(position: Int, value: Value)] = [
            (Self.version, .integer(new.version)), (Self.lastChangedAt, .integer(new.lastChangedAt)),
        ]
        if columns.texts != DateTimeTexts.columns(of: old.values, model).texts {
            metadata.append((Self.texts, columns.texts))
        }
        if new.deleted {
            metadata.append((Self.deleted, .integer(1)))
            metadata.append((Self.expires, expires.map { .integer($0) } ?? .null))
        }
        try table.update(key: model.key(of: old.values), fields: fields, metadata: metadata, on: connection)
    }
}

extension HubCore {
    /// "BHUB": marks a hub's database.
    static let applicationID: Int32 = 0x4248_5542
    /// The newest form of the service's own tables that this program knows.
    static let formatVersion = 1

    /// Makes the tables of a new database, or brings those of an older schema up to this one.
    static func migrate(_ schema: Schema, _ tables: [BaseTable], _ connection: Connection, _ log: Log) throws {
        let migrator = migrator(
            schema, tables,
            backedUp: { backup in
                do { try CopyMark.set(file: backup) } catch {
                    log(
                        .warning,
                        "\(backup) could not be marked as a copy; put it back with `hub restore` only: \(error)")
                }
            })
        if case .migrated(_, let backup) = try migrator.open(connection) {
            log(.notice, "the hub's database was migrated to the new schema; backup: \(backup ?? "none")")
        }
    }

    static func migrator(
        _ schema: Schema, _ tables: [BaseTable], once steps: [SchemaStep] = [], backsUp: Bool = true,
        prepare: @escaping (Connection) throws -> Void = { _ in },
        rewrite: @escaping (Connection) throws -> Void = { _ in },
        backedUp: @escaping (String) -> Void = { _ in }
    ) -> Migrator {
        Migrator(
            schema: schema, tables: tables.map(\.table), applicationID: applicationID, formatVersion: formatVersion,
            ownTables: HubState.tables + HubState.departureTables + HubState.buriedTables + HubLives.tables,
            once: steps, backsUp: backsUp, backedUp: backedUp, prepare: prepare,
            rewrite: { connection, _, _ in try rewrite(connection) })
    }
}
