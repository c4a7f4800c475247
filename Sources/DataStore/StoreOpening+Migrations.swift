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

    /// Rows fetched before a field existed lack it: those models are fetched again from the start. A record that was made
    /// here, and waits to be sent, gets the field's default.
    func added(_ fields: [SchemaChange.FieldName]) throws {
        try grown(fields)
        for name in fields {
            guard let field = schema.model(name.model)?.field(name.field), field.isRequired, !field.isReadOnly,
                let standard = field.storedDefault.map({ field.wireValue(of: $0) })
            else { continue }
            try each("_outbox", "ord", where: "\"model\"=? AND \"kind\"=0", [.text(name.model)], ["fields"]) { row in
                var object = JSONObject(parsing: row[1].text ?? "")
                guard object[name.field] == nil else { return }
                object[name.field] = standard
                try connection.run(
                    "UPDATE \"_outbox\" SET \"fields\"=? WHERE \"ord\"=?",
                    [.text(JSONValue.object(object).text), row[0]])
            }
        }
    }

    /// Rows fetched before a field, or a member of its embedded type, existed lack it.
    func grown(_ fields: [SchemaChange.FieldName]) throws {
        for model in Set(fields.map(\.model)) {
            try connection.run("DELETE FROM \"_mark\" WHERE \"model\"=?", [.text(model)])
        }
        try noteLacked(fields)
    }

    /// Takes the schema's steps over waiting changes and records that are kept aside.
    func rewrite(_ rewriter: SchemaRewriter) throws {
        for model in rewriter.oldModels {
            guard let name = rewriter.model(model) else {
                try removeModel(model)
                continue
            }
            if rewriter.changes(model) {
                try rewriteOutbox(model, name, rewriter)
                try rewriteJournal(model, name, rewriter)
                try rewriteAside(model, "_shadow", "fields", rewriter)
                try rewriteAside(model, "_quarantine", "json", rewriter)
            }
            guard name != model else { continue }
            for table in ["_outbox", "_journal", "_shadow", "_tombstone", "_quarantine", "_mark"] {
                try connection.run(
                    "UPDATE \"\(table)\" SET \"model\"=? WHERE \"model\"=?", [.text(name), .text(model)])
            }
            try renameMakers(StoreCore.makerKey + model + ".", to: StoreCore.makerKey + name + ".")
            try renamePolicies(of: model, to: name)
        }
    }

    /// A model's policy goes with it.
    private func renamePolicies(of model: String, to name: String) throws {
        for key in [StoreCore.policiesKey, StoreCore.chosenKey] {
            let known = try connection.value("SELECT \"value\" FROM \"_meta\" WHERE \"key\"=?", [.text(key)])?.text
            guard let known, case var policies = JSONObject(parsing: known), let policy = policies[model] else {
                continue
            }
            policies[model] = nil
            policies[name] = policy
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

    private func rewriteOutbox(_ old: String, _ new: String, _ rewriter: SchemaRewriter) throws {
        guard let model = schema.model(new) else { return }
        try each("_outbox", "ord", where: "\"model\"=?", [.text(old)], ["kind", "fields", "base", "condition"]) { row in
            let kind = MutationKind(rawValue: row[1].integer ?? 0) ?? .update
            let before = JSONObject(parsing: row[2].text ?? "")
            let fields = known(try rewriter.rewrite(old, before), model)
            let base = known(try rewriter.rewrite(old, JSONObject(parsing: row[3].text ?? "")), model)
            if kind == .update, fields.isEmpty, !before.isEmpty {
                // All that it changed is gone from the schema.
                return try removeEntry(row[0])
            }
            let (condition, lost) = rewritten(row[4].text, old, rewriter)
            try connection.run(
                "UPDATE \"_outbox\" SET \"fields\"=?, \"base\"=?, \"condition\"=? WHERE \"ord\"=?",
                [.text(JSONValue.object(fields).text), .text(JSONValue.object(base).text), condition, row[0]])
            guard let problem = lost ?? problem(fields, model) else { return }
            // It would never be accepted: a person decides, and nothing is lost.
            try connection.run(
                "UPDATE \"_outbox\" SET \"state\"=3, \"seal\"=\"ord\", \"reason\"=? WHERE \"ord\"=?",
                [.text("after the schema changed: \(problem)"), row[0]])
        }
    }

    /// A waiting change's condition in today's form, or why it has none: then it stays as it was for a person to read.
    private func rewritten(_ condition: String?, _ old: String, _ rewriter: SchemaRewriter) -> (Value, lost: String?) {
        guard let condition else { return (.null, nil) }
        let node = (try? JSONValue(parsing: condition)).flatMap { PredicateNode(json: $0) }
        guard let new = node.flatMap({ rewriter.rewrite(old, $0, for: schema) }) else {
            return (.text(condition), "its condition names what is there no more; revert it and make the change anew")
        }
        return (.text(new.json.text), nil)
    }

    /// Removes a waiting change; its number is not given again.
    private func removeEntry(_ order: Value) throws {
        try connection.run(
            """
            INSERT INTO "_meta" SELECT 'lastOrder',max("ord") FROM "_outbox" WHERE true ON CONFLICT DO UPDATE SET \
            "value"=excluded."value" WHERE CAST("value" AS INTEGER)<CAST(excluded."value" AS INTEGER)
            """)
        try connection.run("DELETE FROM \"_unit\" WHERE \"ord\"=?", [order])
        try connection.run("DELETE FROM \"_outbox\" WHERE \"ord\"=?", [order])
    }

    /// Confirmed changes that may have to be sent once more follow the schema as far as it still has their fields.
    private func rewriteJournal(_ old: String, _ new: String, _ rewriter: SchemaRewriter) throws {
        guard let model = schema.model(new) else { return }
        try each(
            "_journal", "number", where: "\"model\"=?", [.text(old)], ["kind", "fields", "base", "condition"]
        ) { row in
            let before = JSONObject(parsing: row[2].text ?? "")
            let fields = known(try rewriter.rewrite(old, before), model)
            let base = known(try rewriter.rewrite(old, JSONObject(parsing: row[3].text ?? "")), model)
            if row[1].integer == MutationKind.update.rawValue, fields.isEmpty, !before.isEmpty {
                try connection.run("DELETE FROM \"_journal\" WHERE \"number\"=?", [row[0]])
                return
            }
            // The backend has found once that the condition held; where it cannot be said any more, its version judges.
            let (condition, lost) = rewritten(row[4].text, old, rewriter)
            try connection.run(
                "UPDATE \"_journal\" SET \"fields\"=?, \"base\"=?, \"condition\"=? WHERE \"number\"=?",
                [
                    .text(JSONValue.object(fields).text), .text(JSONValue.object(base).text),
                    lost == nil ? condition : .null, row[0],
                ])
        }
    }

    private func rewriteAside(_ old: String, _ table: String, _ column: String, _ rewriter: SchemaRewriter) throws {
        let rows = try connection.rows(
            "SELECT \"id\",\"\(column)\" FROM \"\(table)\" WHERE \"model\"=?", [.text(old)])
        for row in rows {
            let object = try rewriter.rewrite(old, JSONObject(parsing: row[1].text ?? ""))
            try connection.run(
                "UPDATE \"\(table)\" SET \"\(column)\"=? WHERE \"model\"=? AND \"id\"=?",
                [.text(JSONValue.object(object).text), .text(old), row[0]])
        }
    }

    /// The members that are fields of a model.
    private func known(_ object: JSONObject, _ model: ModelSchema) -> JSONObject {
        JSONObject(object.members.filter { model.field($0.key) != nil }.map { (key: $0.key, value: $0.value) })
    }

    private func problem(_ object: JSONObject, _ model: ModelSchema) -> String? {
        for member in object.members where !member.value.isNull {
            guard let field = model.field(member.key) else { continue }
            do {
                _ = try schema.storageValue(of: member.value, for: field, in: model.name)
            } catch {
                return error.description
            }
        }
        return nil
    }

    /// Calls `body` with each row's key and columns, in parts.
    private func each(
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
