import Basics
import ModelTables
import Models
import SQLite
import System

/// Opens a store's file and makes or migrates its tables.
enum StoreOpening {
    static let fileName = "store.sqlite"

    static func path(_ directory: String) -> String { directory + "/" + fileName }

    /// Gives the generation of the file's schema beside the connection (``StoreContext/checkSchema()``).
    static func open(
        _ schema: Schema, _ storage: any StorageAdapter, _ tables: [String: StoreTable], _ options: StoreOptions
    ) throws -> (connection: Connection, generation: Int64) {
        try openingErrors {
            let connection = try storage.openWriter()
            return (connection, try prepare(connection, schema, tables, options))
        }
    }

    private static func prepare(
        _ connection: Connection, _ schema: Schema, _ tables: [String: StoreTable], _ options: StoreOptions
    ) throws -> Int64 {
        let migrator = Migrator(
            schema: schema, tables: schema.models.compactMap { tables[$0.name]?.table },
            applicationID: StoreSchema.applicationID, formatVersion: StoreSchema.version, ownTables: StoreSchema.tables,
            versions: options.migrations,
            rewrite: { connection, rewriter, change in
                let beside = BesideRows(connection: connection, schema: schema)
                try beside.rewrite(rewriter, change)
                try beside.complete(change.addedFields + change.requiredFields)
                try beside.grown(change.addedFields + change.grownFields)
                try StoreCore.forgetHeldEntries(connection)
                // With the migration: a process that dies after it leaves the look to the next one.
                try connection.run("INSERT OR REPLACE INTO \"_meta\" VALUES('recheck','1')")
            }, upgrade: { try StoreSchema.upgrade($0, from: $1.oldFormat) })
        let outcome = try migrator.open(connection)
        try connection.run(
            "INSERT INTO \"_meta\" VALUES('storeID',?) ON CONFLICT DO NOTHING", [.text(options.random.uuid())])
        if case .migrated(let change, let backup) = outcome {
            options.log(.notice, "the store's tables were migrated: \(change); backup: \(backup ?? "none")")
        }
        return try migrator.generation(connection)
    }
}

/// Runs `body`, turning what opening a database says into the store's errors.
func openingErrors<R>(_ body: () throws -> R) throws -> R {
    do {
        return try storeErrors(body)
    } catch let error as MigrationError {
        throw StoreError.unusableDatabase(error.description)
    } catch let error as SystemError {
        throw StoreError.database("\(error)")
    }
}

extension StoreCore {
    /// Shows the backend's records for which nothing waits any more: the last change of them went with its field.
    private func showOrphaned() throws {
        let orphaned = try connection.rows(
            """
            SELECT "model","id" FROM "_shadow" AS s WHERE NOT EXISTS(SELECT 1 FROM "_outbox" AS o WHERE \
            o."model"=s."model" AND o."id"=s."id")
            """)
        for place in orphaned {
            guard let model = place[0].text, let id = place[1].text, let table = context.tables[model] else { continue }
            try showKept(table, id)
        }
    }

    /// Reads rows that were kept aside once more after the schema changed: what fits now takes its place.
    func recheckQuarantine() throws {
        guard try connection.value("SELECT 1 FROM \"_meta\" WHERE \"key\"='recheck'") != nil else { return }
        _ = try commit(nil, .full) { transaction in
            // One by one: they are kept whole, and all of them may be more than fits into memory.
            let places = try connection.rows("SELECT \"model\",\"id\" FROM \"_quarantine\"")
            for place in places {
                guard let record = try quarantined("WHERE \"model\"=? AND \"id\"=?", place).first else { continue }
                guard let table = context.tables[record.model] else { continue }
                let object = JSONObject(parsing: record.json)
                guard let values = try? table.wire.values(object), table.wire.problem(values, isRemote: true) == nil
                else { continue }
                var report = ApplyReport()
                let remote = RemoteRecord(
                    record: table.record(values), version: record.version,
                    lastChangedAt: object["_lastChangedAt"]?.integer ?? 0)
                try apply(remote, table, isDirty: true, &report)
                try connection.run(
                    "DELETE FROM \"_quarantine\" WHERE \"model\"=? AND \"id\"=?", place)
            }
            try showOrphaned()
            try transaction.setMeta("recheck", nil)
        }
    }
}
