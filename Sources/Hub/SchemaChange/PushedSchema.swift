import Basics
import Crypto
import GraphQL
import ModelTables
import Models
import SQLite

/// The schema that was pushed to a hub while it ran: kept in its database, so that it commits with the migration, goes
/// into each backup, and is served again after a restart.
struct PushedSchema: Sendable, Hashable {
    /// The schema in its own language.
    let text: String
    /// Names the schema that the hub had been started with: under another one the pushed schema gives way.
    let base: String
    /// When it was pushed, by the hub's clock.
    let pushed: DateTime
    /// Who pushed it, for people.
    let author: String

    /// Made when the first schema is pushed: a hub that never gets one has no table for it.
    private static let table = """
        CREATE TABLE IF NOT EXISTS _pushed_schema(id INTEGER PRIMARY KEY CHECK(id=1), text TEXT NOT NULL, \
        base TEXT NOT NULL, pushed INTEGER NOT NULL, author TEXT NOT NULL) STRICT
        """

    /// The schema that was pushed to a database; nil where none was.
    static func read(_ connection: Connection) throws -> PushedSchema? {
        guard
            try connection.value("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='_pushed_schema'") != nil,
            let row = try connection.rows("SELECT text,base,pushed,author FROM _pushed_schema WHERE id=1").first,
            let text = row[0].text, let base = row[1].text, let pushed = row[2].integer, let author = row[3].text
        else { return nil }
        return PushedSchema(
            text: text, base: base, pushed: DateTime(milliseconds: pushed), author: author)
    }

    /// Keeps it, within the open transaction.
    func write(_ connection: Connection) throws {
        try connection.execute(Self.table)
        try connection.run(
            "INSERT OR REPLACE INTO _pushed_schema(id,text,base,pushed,author) VALUES(1,?,?,?,?)",
            [.text(text), .text(base), .integer(pushed.milliseconds), .text(author)])
    }

    /// The schema itself.
    func schema() throws(HubError) -> Schema {
        do throws(SchemaMistakes) {
            return try Schema(sdl: text)
        } catch {
            throw HubError("the schema that was pushed \(pushed.iso8601) cannot be read by this program: \(error)")
        }
    }

    /// What ``base`` is for a schema's text.
    static func base(of text: String?) -> String { Hex.encode(SHA256.digest(text ?? "")) }
}

/// The schema that a hub serves, with its text where somebody has it.
struct ServedSchema: Sendable {
    let schema: Schema
    let text: String?
    /// What was pushed and gives way, because the hub is started with another schema than it was then.
    var superseded: PushedSchema?

    init(schema: Schema, text: String?) {
        self.schema = schema
        self.text = text
    }

    /// Decides between the schema that a hub is started with and the one that was pushed to its database: the pushed one
    /// holds as long as the hub is started as it was then.
    init(startedWith schema: Schema, text: String?, on connection: Connection) throws {
        guard let pushed = try PushedSchema.read(connection) else {
            self.init(schema: schema, text: text)
            return
        }
        guard pushed.base == PushedSchema.base(of: text) else {
            self.init(schema: schema, text: text)
            superseded = pushed
            return
        }
        self.init(schema: try pushed.schema(), text: pushed.text)
    }

    /// What to say where the database does not fit the schema of the start: it may be for what was pushed.
    func explained(_ error: any Error) -> any Error {
        guard let superseded, let refused = error as? MigrationError else { return error }
        return HubError(
            "the schema was changed by a push (\(superseded.pushed.iso8601)), and the hub is started with another one "
                + "that does not hold what was added: `bincount schema pull --data DIR` prints the pushed one; start "
                + "with a --schema FILE that holds both (\(refused))")
    }

    /// Forgets what was pushed, once the schema of the start is served.
    func settle(_ connection: Connection, _ log: Log) throws {
        guard let superseded else { return }
        try connection.transaction(.immediate) {
            _ = try connection.run("DELETE FROM _pushed_schema WHERE id=1")
        }
        log(
            .notice,
            "the schema that was pushed \(superseded.pushed.iso8601) gives way: the hub is started with another one now"
        )
    }
}
