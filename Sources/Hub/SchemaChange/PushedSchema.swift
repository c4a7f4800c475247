import Basics
import Crypto
import GraphQL
import ModelTables
import Models
import SQLite
import System

/// The schema that was pushed to a hub while it ran: kept in its database, so that it commits with the migration, goes
/// into each backup, and is served again after a restart.
struct PushedSchema: Sendable, Hashable {
    /// The schema in its own language.
    let text: String
    /// The digest of the schema's text that the hub had been started with, empty where it had none: under another one the
    /// pushed schema gives way. Earlier programs know it by that alone; some of them kept the text itself here.
    let base: String
    /// That text, to tell comments and spaces from another schema; nil where an earlier program wrote it.
    let baseText: String?
    /// When it was pushed, by the hub's clock.
    let pushed: DateTime
    /// Who pushed it, for people.
    let author: String

    /// Made when the first schema is pushed: a hub that never gets one has no table for it.
    private static let table = """
        CREATE TABLE IF NOT EXISTS _pushed_schema(id INTEGER PRIMARY KEY CHECK(id=1), text TEXT NOT NULL, \
        base TEXT NOT NULL, pushed INTEGER NOT NULL, author TEXT NOT NULL, base_text TEXT) STRICT
        """

    /// Made by a push over a schema, empty where the hub had been started with none.
    init(text: String, over baseText: String, pushed: DateTime, author: String) {
        self.init(
            text: text, base: Self.digest(of: baseText), baseText: baseText, pushed: pushed, author: author)
    }

    private init(text: String, base: String, baseText: String?, pushed: DateTime, author: String) {
        self.text = text
        self.base = base
        self.baseText = baseText
        self.pushed = pushed
        self.author = author
    }

    /// The same one, over the text that the hub is started with now.
    func renewed(over baseText: String) -> PushedSchema {
        PushedSchema(text: text, over: baseText, pushed: pushed, author: author)
    }

    /// Tables of earlier programs have no column for the text.
    private static func hasBaseText(_ connection: Connection) throws -> Bool {
        try connection.value("SELECT 1 FROM pragma_table_info('_pushed_schema') WHERE name='base_text'") != nil
    }

    /// The schema that was pushed to a database; nil where none was.
    static func read(_ connection: Connection) throws -> PushedSchema? {
        guard
            try connection.value("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='_pushed_schema'") != nil,
            let row = try connection.rows(
                """
                SELECT text,base,pushed,author,\(try hasBaseText(connection) ? "base_text" : "NULL") \
                FROM _pushed_schema WHERE id=1
                """
            ).first,
            let text = row[0].text, let base = row[1].text, let pushed = row[2].integer, let author = row[3].text
        else { return nil }
        return PushedSchema(
            text: text, base: base, baseText: row[4].text, pushed: DateTime(milliseconds: pushed), author: author)
    }

    /// Keeps it, within the open transaction.
    func write(_ connection: Connection) throws {
        try connection.execute(Self.table)
        if try !Self.hasBaseText(connection) {
            try connection.execute("ALTER TABLE _pushed_schema ADD COLUMN base_text TEXT")
        }
        try connection.run(
            "INSERT OR REPLACE INTO _pushed_schema(id,text,base,pushed,author,base_text) VALUES(1,?,?,?,?,?)",
            [
                .text(text), .text(base), .integer(pushed.milliseconds), .text(author),
                baseText.map { .text($0) } ?? .null,
            ])
    }

    /// The schema itself.
    func schema() throws(HubError) -> Schema {
        do throws(SchemaMistakes) {
            return try Schema(sdl: text)
        } catch {
            throw HubError("the schema that was pushed \(pushed.iso8601) cannot be read by this program: \(error)")
        }
    }

    /// Whether the hub is started with the schema that it was pushed over: the same text, or one that differs in comments,
    /// descriptions and spaces alone.
    func isOver(_ text: String?) -> Bool {
        let text = text ?? ""
        let baseText = baseText ?? base
        if baseText == text || base == Self.digest(of: text) { return true }
        guard let old = try? Schema(sdl: baseText), let new = try? Schema(sdl: text) else { return false }
        return Self.withoutDocumentation(old) == Self.withoutDocumentation(new)
    }

    private static func withoutDocumentation(_ schema: Schema) -> Schema {
        Schema(models: schema.models, enums: schema.enums, embedded: schema.embedded)
    }

    /// What ``base`` is of a text.
    static func digest(of text: String) -> String { Hex.encode(SHA256.digest(text)) }

    /// What is lost where it gives way to a schema, in sentences that begin with the model and field; nil where that is the
    /// same.
    func loss(under other: Schema) -> [String]? {
        guard let mine = try? Schema(sdl: text) else { return ["it cannot be read by this program"] }
        guard mine != other else { return nil }
        return SchemaDifference(from: mine, to: other).changes.map(\.text)
    }

    /// Keeps the text in a file beside the database, and gives that.
    func keep(beside database: String) throws -> String {
        let stamp = HubBackup.name(at: pushed).dropFirst(4).dropLast(7)
        let path = Files.parent(of: database) + "/pushed-schema-\(stamp).graphql"
        try Files.writeAtomically(text, to: path, mode: 0o600)
        return path
    }
}

/// The schema that a hub serves, with its text where somebody has it.
struct ServedSchema: Sendable {
    let schema: Schema
    let text: String?
    /// What was pushed and gives way, because the hub is started with another schema than it was then.
    var superseded: PushedSchema?
    /// What was pushed and stays, and names the schema below it otherwise than this start does.
    private var renewed: PushedSchema?

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
        guard pushed.isOver(text) else {
            self.init(schema: schema, text: text)
            superseded = pushed
            return
        }
        self.init(schema: try pushed.schema(), text: pushed.text)
        // An earlier program that comes back knows the text of now by its digest alone.
        let now = pushed.renewed(over: text ?? "")
        if now != pushed { renewed = now }
    }

    /// What to say where the database does not fit the schema of the start: it may be for what was pushed.
    func explained(_ error: any Error) -> any Error {
        guard let superseded, let refused = error as? MigrationError else { return error }
        return HubError(
            "the schema was changed by a push (\(superseded.pushed.iso8601)), and the hub is started with another one "
                + "that does not hold what was added: `bincount schema pull --data DIR` prints the pushed one; start "
                + "with a --schema FILE that holds both (\(refused))")
    }

    /// Forgets what was pushed, once the schema of the start is served: not before its text is kept in a file, and not
    /// without saying what goes with it. Rules may be among that, so that more people see more than before.
    func settle(_ connection: Connection, _ log: Log) throws {
        if let renewed { try connection.transaction(.immediate) { try renewed.write(connection) } }
        guard let superseded else { return }
        let pushed = "the schema that was pushed \(superseded.pushed.iso8601) by \(printable(superseded.author))"
        if let loss = superseded.loss(under: schema) {
            let file = try connection.path.map { try superseded.keep(beside: $0) }
            log(
                .warning,
                "\(pushed) gives way: the hub is started with another one now (\(Self.list(loss))); it is kept in "
                    + "\(file ?? "no file"): to have it back, push it, or start with --schema and that file")
        } else {
            log(.notice, "\(pushed) is the one that the hub is started with now")
        }
        try connection.transaction(.immediate) {
            _ = try connection.run("DELETE FROM _pushed_schema WHERE id=1")
        }
    }

    /// What a start with a schema would do to the one that was pushed, in a sentence; nil where that stays, or is the same.
    var supersession: String? {
        guard let superseded, let loss = superseded.loss(under: schema) else { return nil }
        return "the schema that was pushed \(superseded.pushed.iso8601) by \(printable(superseded.author)) gives way, "
            + "because the hub is started with another one than it was then (\(Self.list(loss))); "
            + "`bincount schema pull --data DIR` prints it, to push it again or to start with"
    }

    private static func list(_ loss: [String]) -> String {
        loss.isEmpty ? "other names or texts" : loss.joined(separator: "; ")
    }
}
