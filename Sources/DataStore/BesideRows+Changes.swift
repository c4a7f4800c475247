import Basics
import ModelTables
import Models
import SQLite

/// How what was changed of one model's records comes into today's form.
struct ChangeMove {
    let schema: Schema
    /// What the model was called.
    let old: String
    let model: ModelSchema
    let rewriter: SchemaRewriter
    /// Fields that went without a step, because no row used them; such a one may be there anew, of another type.
    let unused: Set<String>

    /// A change's fields in today's form, and apart from them those that have none.
    func fields(_ before: JSONObject, over base: JSONObject) throws -> (kept: JSONObject, lost: JSONObject) {
        // The bodies of steps are made for values; one would take an operation for a value, or for none.
        let values = before.members.filter { FieldOperation($0.value) == nil }
        let rewritten = try rewriter.rewrite(old, JSONObject(values))
        var kept = known(rewritten)
        var lost = JSONObject(
            rewritten.members.filter { unused.contains($0.key) && !$0.value.isNull && kept[$0.key] == nil })
        for member in before.members {
            guard let operation = FieldOperation(member.value) else { continue }
            if let moved = try rewriter.rewrite(old, operation, on: member.key, over: base),
                model.field(moved.field) != nil
            {
                kept[moved.field] = moved.operation.json
            } else if let name = rewriter.name(of: member.key, in: old) {
                lost[name] = member.value
            } else if !rewriter.isTaken(member.key, in: old) {
                // Under a name that is another field's now it would go onto that one.
                lost[member.key] = member.value
            }
        }
        return (kept, lost)
    }

    /// The members that are fields of the model.
    func known(_ object: JSONObject) -> JSONObject {
        JSONObject(used(object).members.filter { model.field($0.key) != nil })
    }

    /// The members but for those that an unused field held, or holds no more.
    func used(_ object: JSONObject) -> JSONObject {
        JSONObject(
            object.members.filter { member in
                guard unused.contains(member.key) else { return true }
                return model.field(member.key).map { problem(member.value, $0) == nil } ?? false
            })
    }

    /// A condition in today's form, or why it has none: then it stays as it was for a person to read.
    func condition(_ text: String?) -> (Value, problem: String?) {
        guard let text else { return (.null, nil) }
        let node = (try? JSONValue(parsing: text)).flatMap { PredicateNode(json: $0) }
        guard let new = node.flatMap({ rewriter.rewrite(old, $0, for: schema) }) else {
            return (.text(text), "its condition names what is there no more; revert it and make the change anew")
        }
        return (.text(new.json.text), nil)
    }

    /// Why a change would never be accepted.
    func problem(_ kept: JSONObject, _ lost: JSONObject) -> String? {
        if let member = lost.members.first {
            if FieldOperation(member.value) != nil {
                return "\(model.name).\(member.key): it was made before the field changed; revert it and make it anew"
            }
            return model.field(member.key).flatMap { problem(member.value, $0) }
                ?? "\(model.name).\(member.key): the field is there no more; revert it and make the change anew"
        }
        for member in kept.members {
            if let problem = model.field(member.key).flatMap({ problem(member.value, $0) }) { return problem }
        }
        return nil
    }

    private func problem(_ value: JSONValue, _ field: FieldSchema) -> String? {
        if value.isNull { return nil }
        do {
            if let operation = FieldOperation(value) {
                _ = try schema.value(of: .null, after: operation, for: field, in: model.name)
            } else {
                _ = try schema.storageValue(of: value, for: field, in: model.name)
            }
            return nil
        } catch {
            return error.description
        }
    }
}

extension BesideRows {
    func rewriteOutbox(_ move: ChangeMove) throws {
        try each("_outbox", "ord", where: "\"model\"=?", [.text(move.old)], ["kind", "fields", "base", "condition"]) {
            row in
            let before = JSONObject(parsing: row[2].text ?? "")
            let base = JSONObject(parsing: row[3].text ?? "")
            var (fields, lost) = try move.fields(before, over: base)
            if row[1].integer == MutationKind.update.rawValue, fields.isEmpty, lost.isEmpty, !before.isEmpty {
                // All that it changed is gone from the schema.
                return try removeEntry(row[0])
            }
            let (condition, unsayable) = move.condition(row[4].text)
            let problem = unsayable ?? move.problem(fields, lost)
            for member in lost.members where fields[member.key] == nil { fields[member.key] = member.value }
            let moved = move.known(try move.rewriter.rewrite(move.old, base))
            try connection.run(
                "UPDATE \"_outbox\" SET \"fields\"=?, \"base\"=?, \"condition\"=? WHERE \"ord\"=?",
                [.text(JSONValue.object(fields).text), .text(JSONValue.object(moved).text), condition, row[0]])
            // It would never be accepted: a person decides, and nothing is lost.
            if let problem { try park(row[0], "\(Self.schemaReason): \(problem)") }
        }
    }

    /// Begins the reason of what a migration parked: the backend refused nothing of it, and may have it.
    static let schemaReason = "after the schema changed"

    /// Begins the reason of what is parked because another change of its transaction is.
    static let unitReason = "not applied with"

    private func park(_ order: Value, _ reason: String) throws {
        try connection.run(
            "UPDATE \"_outbox\" SET \"state\"=3, \"seal\"=\"ord\", \"reason\"=? WHERE \"ord\"=?",
            [.text(reason), order])
    }

    /// Parks what goes as one with a change that was parked: half of a transaction is never sent.
    func parkWholeUnits() throws {
        let halves = try connection.rows(
            """
            SELECT w."ord",o."model",o."id",o."reason" FROM "_outbox" AS w JOIN "_unit" AS u USING("ord") JOIN \
            (SELECT "unit",min("ord") AS "ord" FROM "_unit" JOIN "_outbox" USING("ord") WHERE "state"=3 GROUP BY 1) \
            AS p ON p."unit"=u."unit" JOIN "_outbox" AS o ON o."ord"=p."ord" WHERE w."state"<>3
            """)
        for row in halves {
            let parked = "\(row[1].text ?? "") \(row[2].text ?? "")"
            try park(row[0], "\(Self.unitReason) \(parked) of its transaction: \(row[3].text ?? "")")
        }
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
    func rewriteJournal(_ move: ChangeMove) throws {
        try each(
            "_journal", "number", where: "\"model\"=?", [.text(move.old)], ["kind", "fields", "base", "condition"]
        ) { row in
            let before = JSONObject(parsing: row[2].text ?? "")
            let base = JSONObject(parsing: row[3].text ?? "")
            let fields = try move.fields(before, over: base).kept
            if row[1].integer == MutationKind.update.rawValue, fields.isEmpty, !before.isEmpty {
                try connection.run("DELETE FROM \"_journal\" WHERE \"number\"=?", [row[0]])
                return
            }
            // The backend has found once that the condition held; where it cannot be said any more, its version judges.
            let (condition, unsayable) = move.condition(row[4].text)
            let moved = move.known(try move.rewriter.rewrite(move.old, base))
            try connection.run(
                "UPDATE \"_journal\" SET \"fields\"=?, \"base\"=?, \"condition\"=? WHERE \"number\"=?",
                [
                    .text(JSONValue.object(fields).text), .text(JSONValue.object(moved).text),
                    unsayable == nil ? condition : .null, row[0],
                ])
        }
    }
}
