import Basics
import ModelTables
import Models
import SQLite

/// A schema that is ready to take the place of the one that is served.
struct SchemaSwap: Sendable {
    /// The API of the new schema, worked out beforehand.
    let engine: HubEngine
    let pushed: PushedSchema
    let difference: SchemaDifference
    /// The last commit that the backup before it has; nil where nothing is lost and none was made.
    let backedUpThrough: Int64?
    /// Called once on the thread that commits.
    let completion: @Sendable (Result<Void, any Error>) -> Void

    var schema: Schema { engine.schema.source }

    /// Something was committed that a destructive change would take away and the backup does not have.
    struct BackupIsOld: Error {}

    /// Makes sure that everything which goes is in the backup.
    func checkBackup(_ connection: Connection) throws {
        guard let backedUpThrough else { return }
        for model in difference.losers {
            let newer = try connection.value(
                "SELECT 1 FROM \"\(model)\" WHERE \"_lastChangedAt\">? LIMIT 1", [.integer(backedUpThrough)])
            guard newer == nil else { throw BackupIsOld() }
        }
    }

    /// Keeps of the models that go what their keys' versions were, and marks the gap that opens, in the migration's
    /// transaction before its steps.
    ///
    /// Clients may hold these records. Should a model come back, a record that is made again counts on from the one they
    /// know, and no delta from before says that it is all that changed, though it could tell of no deletion.
    func bury(_ tables: [BaseTable], _ connection: Connection) throws {
        var count = 0
        for table in tables where difference.removedModels.contains(table.model.schema.name) {
            count += try connection.run(
                """
                INSERT OR REPLACE INTO _buried(model,key,version) \
                SELECT ?,\(table.table.keyColumn),"_version" FROM \(table.table.name)
                """, [.text(table.model.schema.name)])
        }
        // Marks that are given from now on lie above the gap.
        if count > 0 { try connection.run("UPDATE _clock SET pruned_through=stamp,stamp=stamp+1 WHERE id=1") }
    }

    /// Makes each record that loses a value a newer one, in the migration's transaction before its steps.
    ///
    /// Clients hold it as it was: its version must not name what it is afterwards too, and their next delta must tell them,
    /// should the field stay under another type or come back.
    func renew(_ tables: [BaseTable], _ connection: Connection) throws {
        var count = 0
        for table in tables {
            let gone = difference.removedFields.filter { $0.model == table.model.schema.name }
            guard !gone.isEmpty else { continue }
            count += try connection.run(
                """
                UPDATE \(table.table.name) SET "_version"=\(HubLives.nextVersion), \
                "_lastChangedAt"=(SELECT stamp+1 FROM _clock WHERE id=1) \
                WHERE "_deleted" IS NOT 1 AND (\(gone.map { "\"\($0.field)\" IS NOT NULL" }.joined(separator: " OR ")))
                """)
        }
        if count > 0 { try connection.run("UPDATE _clock SET stamp=stamp+1 WHERE id=1") }
    }

    /// Takes what goes out of what the hub keeps beside the tables, and keeps the schema, in the migration's transaction.
    func rewrite(_ connection: Connection) throws {
        for model in difference.removedModels {
            // Should the model come back, its rows are counted anew.
            for table in ["_mutations", "_images", "_departures"] {
                try connection.run("DELETE FROM \(table) WHERE model=?", [.text(model)])
            }
        }
        for field in difference.removedFields {
            for table in ["_images", "_departures"] {
                try connection.run(
                    "UPDATE \(table) SET record=json_remove(record,?) WHERE model=?",
                    [.text("$.\"\(field.field)\""), .text(field.model)])
            }
        }
        try pushed.write(connection)
        try RuleGroups.write(schema, on: connection)
    }
}
