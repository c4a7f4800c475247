import Basics
import ModelTables
import Models
import SQLite

/// What reading needs: a connection and the tables. A reader has one of its own, the writer's belongs to its core.
final class StoreContext {
    let schema: Schema
    private(set) var options: StoreOptions
    let connection: Connection
    private(set) var tables: [String: StoreTable]
    /// Which of the schemas that the file had one after the other is this one; nil where nobody else can change it.
    let generation: Int64?
    /// The state of the file, as far as others wrote it, that was last seen to have this schema.
    private var checkedVersion: Int64?

    /// Other policies hold from now on.
    func setPolicies(_ policies: [String: SyncPolicy]) {
        let before = options
        options.policies = policies
        for model in schema.models where options.policy(of: model) != before.policy(of: model) {
            tables[model.name] = StoreTable(schema, model, options)
        }
    }

    init(
        schema: Schema, options: StoreOptions, connection: Connection, tables: [String: StoreTable],
        generation: Int64? = nil
    ) {
        self.schema = schema
        self.options = options
        self.connection = connection
        self.tables = tables
        self.generation = generation
    }

    /// Makes sure, in a transaction, that no other program has migrated the file since this one opened it: values of its
    /// form are none of the new schema.
    func checkSchema() throws {
        guard let generation, let path = connection.path else { return }
        let version = try connection.dataVersion
        guard version != checkedVersion else { return }
        guard try Migrator.generation(of: connection) == generation else {
            throw StoreError.unusableDatabase(
                "\(path) was changed by a newer program since this one opened it: "
                    + "start this one again, in the same version")
        }
        checkedVersion = version
    }

    func table(_ model: String) throws -> StoreTable {
        guard let table = tables[model] else { throw StoreError.unknownModel(model) }
        return table
    }

    static func tables(_ schema: Schema, _ options: StoreOptions) -> [String: StoreTable] {
        Dictionary(
            schema.models.map { ($0.name, StoreTable(schema, $0, options)) }, uniquingKeysWith: { first, _ in first })
    }

    /// Runs `body` over one state of the file.
    func read<R>(_ body: (StoreTransaction) throws -> R) throws -> R {
        try storeErrors {
            try connection.transaction(.deferred) {
                try checkSchema()
                return try body(StoreTransaction(self, core: nil, identity: nil))
            }
        }
    }
}

/// Runs `body`, turning what the database says into the store's errors.
func storeErrors<R>(_ body: () throws -> R) throws -> R {
    do {
        return try body()
    } catch let error as SQLiteError {
        if error.isFull { throw StoreError.diskFull }
        // What `Connection.open` explains in a sentence needs no code before it.
        if error.sql == nil, error.message.hasPrefix("cannot open ") {
            throw StoreError.unusableDatabase(error.message)
        }
        throw StoreError.database(error.description)
    } catch let error as StoredValueError {
        throw StoreError.unreadableRow(model: error.model, id: error.key, reason: error.description)
    } catch let error as FilterError {
        throw StoreError.invalidQuery(error.description)
    }
}

/// How a lane's identity is stored: nobody is the empty text.
func laneText(_ identity: String?) -> String { identity ?? "" }
/// The identity of a stored lane.
func laneIdentity(_ text: String) -> String? { text.isEmpty ? nil : text }
