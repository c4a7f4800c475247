import Basics
import ModelTables
import Models
import SQLite
import System

/// Tries what a hub would start with, and changes nothing.
public enum HubCheck {
    /// What the database of a data directory would become under a schema: sentences, none where nothing is to be done.
    ///
    /// It may be asked while a hub runs.
    /// - Throws: ``HubError`` where the schema cannot be served, ``MigrationError`` where the database cannot be brought to
    ///   it without losing something.
    public static func migration(of directory: String, to schema: Schema) throws -> [String] {
        let served = try HubSchema(schema)
        let path = HubBackup.database(in: directory)
        guard Files.exists(path) else { return ["a new database will be made"] }
        let connection = try Connection.open(path: path, options: .readOnly)
        let tables = served.models.map { BaseTable($0) }
        let copied =
            try CopyMark.isSet(connection)
            ? ["a copy was put in the database's place by hand: it will begin another life, as a restored one"] : []
        switch try HubCore.migrator(schema, tables).plan(connection) {
        case .unchanged: return copied
        case .created: return copied + ["the tables will be made"]
        case .migrated(let change, _): return copied + sentences(of: change)
        }
    }

    /// The text of the schema that was pushed to the hub of a data directory; nil where none was, and it serves what it is
    /// started with.
    public static func pushedSchema(of directory: String) throws -> String? {
        try pushed(directory)?.text
    }

    /// The schema that a hub would serve: the one it is started with, or the one that was pushed over that.
    public static func served(in directory: String, startedWith schema: Schema, text: String?) throws -> Schema {
        guard let pushed = try pushed(directory), pushed.isOver(text) else { return schema }
        return try pushed.schema()
    }

    /// The text of the schema that a hub would serve, as ``served(in:startedWith:text:)`` chooses it.
    public static func servedText(in directory: String, startedWith text: String?) throws -> String? {
        guard let pushed = try pushed(directory), pushed.isOver(text) else { return text }
        return pushed.text
    }

    /// What a start would take away of a schema that was pushed, in a sentence; nil where nothing was, or it stays.
    public static func superseded(in directory: String, startedWith schema: Schema, text: String?) throws -> String? {
        let path = HubBackup.database(in: directory)
        guard Files.exists(path) else { return nil }
        let connection = try Connection.open(path: path, options: .readOnly)
        return try ServedSchema(startedWith: schema, text: text, on: connection).supersession
    }

    private static func pushed(_ directory: String) throws -> PushedSchema? {
        let path = HubBackup.database(in: directory)
        guard Files.exists(path) else { return nil }
        return try PushedSchema.read(try Connection.open(path: path, options: .readOnly))
    }

    private static func sentences(of change: SchemaChange) -> [String] {
        var result = change.addedModels.map { "the model \($0) is new" }
        result += change.addedFields.map { "the field \($0) is new" }
        result += change.removedModels.map { "the model \($0) goes; it has no rows" }
        result += change.removedFields.map { "the field \($0) goes; no row has a value in it" }
        return result.isEmpty ? ["indexes or the hub's own tables change"] : result
    }
}
