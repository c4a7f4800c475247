import Models
import SQLite

/// Opens a database for a schema: makes its tables, or brings them up to the schema without losing a value.
///
/// Models, fields, indexes and metadata columns are added; what could lose data is refused with its name. All of it
/// happens in one transaction, after a backup beside the file.
public struct Migrator {
    /// What ``open(_:)`` did.
    public enum Outcome: Sendable, Hashable {
        /// Nothing had to be done.
        case unchanged
        /// The database was empty and has its tables now.
        case created
        /// The tables were changed; the backup's path where the database is a file.
        case migrated(SchemaChange, backup: String?)
    }

    private let schema: Schema
    private let tables: [ModelTable]
    private let applicationID: Int32
    private let formatVersion: Int
    private let ownTables: [String]
    private let versions: [SchemaVersion]
    private let once: [SchemaStep]
    private let backsUp: Bool
    private let backedUp: (String) -> Void
    private let prepare: (Connection) throws -> Void
    private let upgrade: (Connection, SchemaChange) throws -> Void
    private let rewrite: (Connection, SchemaRewriter, SchemaChange) throws -> Void

    /// Describes what the database must become.
    ///
    /// - Parameters:
    ///   - schema: the enums and embedded types; its models may be more than `tables`.
    ///   - tables: the model tables to keep.
    ///   - applicationID: marks the file as this program's (`PRAGMA application_id`).
    ///   - formatVersion: the version of the owner's own tables (`PRAGMA user_version`), 1 or more.
    ///   - ownTables: statements `CREATE TABLE IF NOT EXISTS` and `CREATE INDEX IF NOT EXISTS` of the owner's tables,
    ///     whose names begin with an underscore; run when the database is made or migrated.
    ///   - versions: the steps to each version of the schema, for what a comparison cannot tell; those above the
    ///     database's version are run. A database of a higher version than the last is refused as newer.
    ///   - once: steps to run if the tables change at all, beside those of versions; they are not remembered.
    ///   - backsUp: whether the file is copied before it is changed; false where the owner has made a backup himself, or
    ///     where nothing can be lost and nobody may wait for a copy.
    ///   - backedUp: gets the backup's path once it is there, before anything is changed.
    ///   - prepare: notes what the owner must know of rows that the steps take away; first, in the migration's transaction.
    ///   - rewrite: does to what the owner keeps beside the model tables what the steps and the change do to rows; last.
    ///   - upgrade: changes the owner's tables in the migration's transaction, after the model tables and before what is
    ///     missing of its own is made.
    public init(
        schema: Schema, tables: [ModelTable], applicationID: Int32, formatVersion: Int, ownTables: [String] = [],
        versions: [SchemaVersion] = [], once: [SchemaStep] = [], backsUp: Bool = true,
        backedUp: @escaping (String) -> Void = { _ in },
        prepare: @escaping (Connection) throws -> Void = { _ in },
        rewrite: @escaping (Connection, SchemaRewriter, SchemaChange) throws -> Void = { _, _, _ in },
        upgrade: @escaping (Connection, SchemaChange) throws -> Void = { _, _ in }
    ) {
        precondition(formatVersion > 0, "A format version is 1 or more.")
        self.schema = schema
        self.tables = tables
        self.applicationID = applicationID
        self.formatVersion = formatVersion
        self.ownTables = ownTables
        self.versions = versions.sorted { $0.number < $1.number }
        self.once = once
        self.backsUp = backsUp
        self.backedUp = backedUp
        self.prepare = prepare
        self.rewrite = rewrite
        self.upgrade = upgrade
    }

    private struct Found {
        let format: Int
        let generation: Int64
        let layout: String
    }

    /// Makes the database fit the schema, or says why it cannot.
    ///
    /// - Throws: ``MigrationError``, ``SQLiteError``, or what `upgrade` throws. The database is then as it was before.
    public func open(_ connection: Connection) throws -> Outcome {
        try checkNames()
        let layout = layout
        let text = layout.text
        let found = try inspect(connection)
        if let found, found.format == formatVersion, found.layout == text { return .unchanged }
        guard !connection.isReadOnly else { throw MigrationError.readOnly(database: name(connection)) }
        let outcome: Outcome = try connection.transaction {
            // Another process may have done it since.
            guard let found = try inspect(connection) else {
                try create(connection, text)
                return .created
            }
            if found.format == formatVersion, found.layout == text { return .unchanged }
            return try migrate(connection, found, to: layout, text)
        }
        connection.clearStatementCache()
        return outcome
    }

    private var layout: StoredLayout {
        var layout = StoredLayout(schema: schema, tables: tables, ownTables: ownTables)
        layout.version = versions.last?.number ?? 0
        return layout
    }

    /// The generation that ``open(_:)`` left: each migration counts one up. 0 where another program has migrated the
    /// database already since.
    public func generation(_ connection: Connection) throws -> Int64 {
        guard let found = try inspect(connection), found.layout == layout.text else { return 0 }
        return found.generation
    }

    /// The generation of a database that a migrator keeps; nil where it says none.
    public static func generation(of connection: Connection) throws -> Int64? {
        try connection.value("SELECT generation FROM _schema")?.integer
    }

    /// What ``open(_:)`` would do; nothing is changed. Without steps of versions, which a look cannot foretell; those to be
    /// run once may only take models and fields away.
    ///
    /// - Throws: ``MigrationError`` as ``open(_:)`` would.
    public func plan(_ connection: Connection) throws -> Outcome {
        try checkNames()
        let layout = StoredLayout(schema: schema, tables: tables, ownTables: ownTables)
        guard let found = try inspect(connection) else { return .created }
        if found.format == formatVersion, found.layout == layout.text { return .unchanged }
        guard let old = StoredLayout(text: found.layout) else {
            throw MigrationError.foreignDatabase(database: name(connection))
        }
        let steps = [SchemaVersion(layout.version + 1, once)]
        var structure = StructuralSteps(old, SchemaRewriter(steps, from: old))
        try structure.run(steps, on: nil)
        var plan = MigrationPlan(connection: connection, oldFormat: found.format, newFormat: formatVersion)
        try plan.compare(structure.layout, with: layout, schema: schema, tables: tables)
        let problems = structure.problems + plan.problems
        guard problems.isEmpty else {
            throw MigrationError.refused(database: name(connection), problems: problems)
        }
        return .migrated(plan.change, backup: nil)
    }

    /// What the database says of itself; nil where it is empty.
    private func inspect(_ connection: Connection) throws -> Found? {
        let database = name(connection)
        let names = try connection.rows("SELECT name FROM sqlite_schema WHERE type='table'").compactMap { $0[0].text }
        let id = try connection.applicationID
        if names.isEmpty, id == 0 { return nil }
        guard id == applicationID else { throw MigrationError.foreignDatabase(database: database) }
        let format = try connection.userVersion
        guard format <= formatVersion else {
            throw MigrationError.newerDatabase(database: database, found: format, supported: formatVersion)
        }
        guard names.contains("_schema"),
            let row = try connection.rows("SELECT generation, layout FROM _schema").first,
            let generation = row[0].integer, let layout = row[1].text
        else { throw MigrationError.foreignDatabase(database: database) }
        return Found(format: format, generation: generation, layout: layout)
    }

    private func create(_ connection: Connection, _ text: String) throws {
        for table in tables { try table.create(on: connection) }
        try connection.execute(
            """
            CREATE TABLE _schema(id INTEGER PRIMARY KEY CHECK(id=1), generation INTEGER NOT NULL, layout TEXT NOT NULL)
            STRICT
            """)
        for sql in ownTables { try connection.execute(sql) }
        try connection.setApplicationID(applicationID)
        try remember(connection, generation: 1, text)
    }

    private func migrate(
        _ connection: Connection, _ found: Found, to layout: StoredLayout, _ text: String
    ) throws -> Outcome {
        guard let old = StoredLayout(text: found.layout) else {
            throw MigrationError.foreignDatabase(database: name(connection))
        }
        guard old.version <= layout.version else {
            throw MigrationError.newerDatabase(
                database: name(connection), found: old.version, supported: layout.version)
        }
        var pending = versions.filter { $0.number > old.version }
        if !once.isEmpty { pending.append(SchemaVersion(layout.version + 1, once)) }
        let rewriter = SchemaRewriter(pending, from: old)
        try prepare(connection)
        var structure = StructuralSteps(old, rewriter)
        try structure.run(pending, on: connection)
        var plan = MigrationPlan(connection: connection, oldFormat: found.format, newFormat: formatVersion)
        let changed = rewriter.oldModels.filter { rewriter.changesValues($0) }
        plan.rewritten = Set(changed.compactMap { rewriter.model($0) })
        try plan.compare(structure.layout, with: layout, schema: schema, tables: tables)
        let problems = structure.problems + plan.problems
        guard problems.isEmpty else {
            throw MigrationError.refused(database: name(connection), problems: problems)
        }
        let backup = backsUp ? try backUp(connection, generation: found.generation) : nil
        for sql in plan.statements { try connection.execute(sql) }
        for model in changed { try rewriteRows(of: model, old, structure, rewriter, connection) }
        for aside in structure.asides {
            try connection.execute("ALTER TABLE \(quoted(aside.model)) DROP COLUMN \(quoted(aside.column))")
        }
        for table in tables { try updateIndexes(of: table, connection) }
        // First what is there already: what is made beside it may be an index on what it gains.
        try upgrade(connection, plan.change)
        for sql in ownTables { try connection.execute(sql) }
        try rewrite(connection, rewriter, plan.change)
        try remember(connection, generation: found.generation + 1, text)
        return .migrated(plan.change, backup: backup)
    }

    private func rewriteRows(
        of model: String, _ old: StoredLayout, _ structure: StructuralSteps, _ rewriter: SchemaRewriter,
        _ connection: Connection
    ) throws {
        guard let before = old.model(model), let name = rewriter.model(model),
            let table = tables.first(where: { $0.schema.name == name })
        else { return }
        let columns = before.fields.map { structure.columns[model + "." + $0.name] ?? $0.name }
        try RowRewriter(rewriter: rewriter, old: before, columns: columns, table: table, schema: schema)
            .run(on: connection)
    }

    /// Copies the file to `name.backup-<generation>`. A second connection reads it, as committed, while ours holds the
    /// write lock, so nothing can come between the backup and the migration.
    private func backUp(_ connection: Connection, generation: Int64) throws -> String? {
        guard let path = connection.path else { return nil }
        let target = Migrator.backupStart(of: path) + String(generation)
        do {
            try connection.reader()?.backup(to: target, progress: connection.tellProgress)
        } catch {
            throw MigrationError.noBackup(database: path, reason: error)
        }
        backedUp(target)
        return target
    }

    /// What the paths, or the names, of a file's backups begin with.
    public static func backupStart(of path: String) -> String { path + ".backup-" }

    private func updateIndexes(of table: ModelTable, _ connection: Connection) throws {
        let existing = try connection.rows(
            "SELECT name, sql FROM sqlite_schema WHERE type='index' AND tbl_name=? AND sql IS NOT NULL",
            [.text(table.schema.name)])
        let wanted = Dictionary(table.indexes.map { ($0.name, $0.sql) }, uniquingKeysWith: { first, _ in first })
        var kept: Set<String> = []
        for row in existing {
            guard let name = row[0].text, name.hasPrefix(table.indexPrefix) else { continue }
            if wanted[name] == row[1].text {
                kept.insert(name)
            } else {
                try connection.execute("DROP INDEX \(quoted(name))")
            }
        }
        for index in table.indexes where !kept.contains(index.name) { try connection.execute(index.sql) }
    }

    private func remember(_ connection: Connection, generation: Int64, _ text: String) throws {
        try connection.run(
            "INSERT OR REPLACE INTO _schema(id, generation, layout) VALUES(1, ?, ?)",
            [.integer(generation), .text(text)])
        try connection.setUserVersion(formatVersion)
    }

    private func name(_ connection: Connection) -> String { connection.path ?? "the database in memory" }

    /// SQLite's names do not know case, GraphQL's do.
    private func checkNames() throws(MigrationError) {
        var problems: [String] = []
        var models: Set<String> = []
        for table in tables {
            let model = table.schema.name
            if !models.insert(model.lowercased()).inserted {
                problems.append("two models are called \(model) but for the case of letters")
            }
            if model.hasPrefix("_") || model.lowercased().hasPrefix("sqlite_") {
                problems.append("a model may not be called \(model)")
            }
            var columns: Set<String> = ["_row", "_key"]
            for column in table.schema.fields.map(\.name) + table.metadata.map(\.name)
            where !columns.insert(column.lowercased()).inserted {
                problems.append("\(model) has two columns called \(column) but for the case of letters")
            }
        }
        if !problems.isEmpty { throw MigrationError.unusableSchema(problems) }
    }
}
