import Basics
import Models
import SQLite
import System

/// The groups that the rules of a schema name: to be in any other gives nobody a right, but where a record lists it itself.
public enum RuleGroups {
    /// Those that a schema's rules name, and the hub's own admins.
    public static func named(in schema: Schema) -> Set<String> {
        var groups: Set<String> = [AdminGate.group]
        for model in schema.models where model.syncPolicy != .none {
            for rule in model.authRules + model.fields.flatMap(\.authRules) where rule.allow == .groups {
                groups.formUnion(rule.groups)
            }
        }
        return groups
    }

    /// Those of the schema that the hub of a data directory served last; nil where it never served one.
    public static func served(in directory: String) throws -> Set<String>? {
        let path = HubBackup.database(in: directory)
        guard Files.exists(path), (Files.size(path) ?? 0) > 0 else { return nil }
        return try kept(try Connection.open(path: path, options: .readOnly))
    }

    /// One line that names the groups nobody knows and those that there are; nil where all are known.
    public static func problem(_ groups: Set<String>, _ known: Set<String>) -> String? {
        let unknown = groups.subtracting(known).sorted()
        guard !unknown.isEmpty else { return nil }
        let names = unknown.map(printable).joined(separator: ", ")
        return
            "no rule of the schema names the group\(unknown.count == 1 ? "" : "s") \(names); those that it names are "
            + known.sorted().joined(separator: ", ")
    }

    private static let table = "CREATE TABLE IF NOT EXISTS _rule_groups(name TEXT PRIMARY KEY) STRICT"

    /// Keeps those of the schema that is served, for commands beside the hub; nothing is written where they are kept.
    static func keep(_ schema: Schema, on connection: Connection) throws {
        guard try kept(connection) != named(in: schema) else { return }
        try connection.transaction(.immediate) { try write(schema, on: connection) }
    }

    /// Keeps them within the open transaction.
    static func write(_ schema: Schema, on connection: Connection) throws {
        try connection.execute(table)
        try connection.run("DELETE FROM _rule_groups")
        for group in named(in: schema).sorted() {
            try connection.run("INSERT INTO _rule_groups(name) VALUES(?)", [.text(group)])
        }
    }

    private static func kept(_ connection: Connection) throws -> Set<String>? {
        guard try connection.value("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='_rule_groups'") != nil
        else {
            return nil
        }
        return Set(try connection.rows("SELECT name FROM _rule_groups").compactMap { $0[0].text })
    }
}
