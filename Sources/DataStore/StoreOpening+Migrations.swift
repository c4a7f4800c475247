import Basics
import ModelTables
import Models
import SQLite

/// The steps that lead to one version of a schema, for ``StoreOptions/migrations``.
public typealias SchemaVersion = ModelTables.SchemaVersion
/// One change of a schema that a comparison cannot tell.
public typealias SchemaStep = ModelTables.SchemaStep

/// Does to waiting changes, and to what else lies beside the rows, what a migration does to the rows; in its transaction.
struct BesideRows {
    let connection: Connection
    let schema: Schema

    /// What waits to be sent gets the default of a required field where a record that was made here lacks it, or a change
    /// takes it away, as its row did.
    func complete(_ fields: [SchemaChange.FieldName]) throws {
        for name in fields {
            guard let field = schema.model(name.model)?.field(name.field), field.isRequired, !field.isReadOnly,
                let standard = field.storedDefault.map({ field.wireValue(of: $0) })
            else { continue }
            try each("_outbox", "ord", where: "\"model\"=? AND \"kind\"<2", [.text(name.model)], ["fields", "kind"]) {
                row in
                var object = JSONObject(parsing: row[1].text ?? "")
                guard object[name.field]?.isNull ?? (row[2].integer == 0) else { return }
                object[name.field] = standard
                try connection.run(
                    "UPDATE \"_outbox\" SET \"fields\"=? WHERE \"ord\"=?",
                    [.text(JSONValue.object(object).text), row[0]])
            }
        }
    }

    /// Rows fetched before a field, or a member of its embedded type, existed lack it: those models are fetched again from
    /// the start.
    func grown(_ fields: [SchemaChange.FieldName]) throws {
        for model in Set(fields.map(\.model)) {
            try connection.run("DELETE FROM \"_mark\" WHERE \"model\"=?", [.text(model)])
        }
        try noteLacked(fields)
    }

    /// Takes the schema's steps over waiting changes and records that are kept aside, and what went without a step since
    /// no row used it: waiting changes may.
    func rewrite(_ rewriter: SchemaRewriter, _ change: SchemaChange) throws {
        for model in rewriter.oldModels {
            guard let name = rewriter.model(model), !change.removedModels.contains(name) else {
                try removeModel(model)
                continue
            }
            let unused = Set(change.removedFields.filter { $0.model == name }.map(\.field))
            if let today = schema.model(name), rewriter.changes(model) || !unused.isEmpty {
                let move = ChangeMove(schema: schema, old: model, model: today, rewriter: rewriter, unused: unused)
                try rewriteOutbox(move)
                try rewriteJournal(move)
                try rewriteAside(model, "_shadow", "fields") { move.used(try rewriter.rewrite(model, $0)) }
                // They are there for values that fit nothing, which a step's body need not know: it may fail on one.
                try rewriteAside(model, "_quarantine", "json") { rewriter.rewriteLeniently(model, $0) }
            }
        }
        try renameModels(rewriter)
        try parkWholeUnits()
    }

    /// Models take their new names all at once: one may take the name that another gives up.
    private func renameModels(_ rewriter: SchemaRewriter) throws {
        try renameLacked(rewriter)
        var renamed: [String: String] = [:]
        for model in rewriter.oldModels { if let name = rewriter.model(model), name != model { renamed[model] = name } }
        guard !renamed.isEmpty else { return }
        // No model is called so.
        let mark = "\u{1}"
        let steps = renamed.map { ($0.key, mark + $0.value) } + renamed.map { (mark + $0.value, $0.value) }
        for (old, new) in steps {
            for table in ["_outbox", "_journal", "_shadow", "_tombstone", "_quarantine", "_mark"] {
                try connection.run("UPDATE \"\(table)\" SET \"model\"=? WHERE \"model\"=?", [.text(new), .text(old)])
            }
            try renameMakers(StoreCore.makerKey + old + ".", to: StoreCore.makerKey + new + ".")
        }
        for key in [StoreCore.policiesKey, StoreCore.chosenKey] {
            let known = try connection.value("SELECT \"value\" FROM \"_meta\" WHERE \"key\"=?", [.text(key)])?.text
            guard let known else { continue }
            let old = rewriter.oldModels
            let living = JSONObject(parsing: known).members.filter { member in
                !old.contains(member.key) || rewriter.model(member.key) != nil
            }
            let policies = JSONObject(living.map { (key: renamed[$0.key] ?? $0.key, value: $0.value) })
            try connection.run(
                "UPDATE \"_meta\" SET \"value\"=? WHERE \"key\"=?",
                [.text(JSONValue.object(policies).text), .text(key)])
        }
    }

    private func removeModel(_ model: String) throws {
        let waiting = try connection.value("SELECT count(*) FROM \"_outbox\" WHERE \"model\"=?", [.text(model)])?
            .integer
        if let waiting, waiting > 0 {
            throw MigrationError.refused(
                database: connection.path ?? "the store",
                problems: ["\(model): \(waiting) changes of it wait to be sent; send or export them first"])
        }
        for table in ["_journal", "_shadow", "_tombstone", "_quarantine", "_mark"] {
            try connection.run("DELETE FROM \"\(table)\" WHERE \"model\"=?", [.text(model)])
        }
        try renameMakers(StoreCore.makerKey + model + ".", to: nil)
    }

    /// Who made what was not sent yet is kept by the model's name.
    private func renameMakers(_ start: String, to name: String?) throws {
        let count = Value.integer(Int64(start.unicodeScalars.count))
        if let name {
            try connection.run(
                "UPDATE \"_meta\" SET \"key\"=?3||substr(\"key\",?2+1) WHERE substr(\"key\",1,?2)=?1",
                [.text(start), count, .text(name)])
        } else {
            try connection.run("DELETE FROM \"_meta\" WHERE substr(\"key\",1,?2)=?1", [.text(start), count])
        }
    }

    /// What is no object stays as it is.
    private func rewriteAside(
        _ old: String, _ table: String, _ column: String, _ rewrite: (JSONObject) throws -> JSONObject
    ) throws {
        let rows = try connection.rows(
            "SELECT \"id\",\"\(column)\" FROM \"\(table)\" WHERE \"model\"=?", [.text(old)])
        for row in rows {
            guard let before = row[1].text.flatMap({ try? JSONValue(parsing: $0) })?.object else { continue }
            let object = try rewrite(before)
            try connection.run(
                "UPDATE \"\(table)\" SET \"\(column)\"=? WHERE \"model\"=? AND \"id\"=?",
                [.text(JSONValue.object(object).text), .text(old), row[0]])
        }
    }

    /// Calls `body` with each row's key and columns, in parts.
    func each(
        _ table: String, _ key: String, where condition: String, _ bindings: [Value], _ columns: [String],
        _ body: ([Value]) throws -> Void
    ) throws {
        let list = ([key] + columns).map { "\"\($0)\"" }.joined(separator: ",")
        var last = Int64.min
        while true {
            let rows = try connection.rows(
                "SELECT \(list) FROM \"\(table)\" WHERE \(condition) AND \"\(key)\">? ORDER BY \"\(key)\" LIMIT 500",
                bindings + [.integer(last)])
            guard let end = rows.last?[0].integer else { return }
            last = end
            for row in rows { try body(row) }
        }
    }
}
