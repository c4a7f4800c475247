import Basics
import Models
import SQLite

/// Finds what a database's tables lack, and what a schema would lose.
struct MigrationPlan {
    let connection: Connection
    /// What to run, in order.
    private(set) var statements: [String] = []
    /// Why it must not be run.
    private(set) var problems: [String] = []
    private(set) var change: SchemaChange
    /// Models whose rows are rewritten afterwards: that pass fills new required fields, or refuses.
    var rewritten: Set<String> = []

    init(connection: Connection, oldFormat: Int, newFormat: Int) {
        self.connection = connection
        change = SchemaChange(oldFormat: oldFormat, newFormat: newFormat)
    }

    mutating func compare(
        _ old: StoredLayout, with new: StoredLayout, schema: Schema, tables: [ModelTable]
    ) throws {
        for model in old.models where new.model(model.name) == nil {
            if try hasRows(quoted(model.name)) {
                problems.append("\(model.name): this program's schema lacks the model, whose rows would be lost")
            } else {
                statements.append("DROP TABLE \(quoted(model.name))")
                change.removedModels.append(model.name)
            }
        }
        for (table, model) in zip(tables, new.models) {
            guard let before = old.model(model.name) else {
                statements.append(table.createSQL)
                change.addedModels.append(model.name)
                continue
            }
            try compare(before, model, table, old, new)
        }
    }

    private mutating func compare(
        _ old: StoredLayout.Model, _ new: StoredLayout.Model, _ table: ModelTable, _ oldLayout: StoredLayout,
        _ newLayout: StoredLayout
    ) throws {
        let hasRows = try hasRows(table.name)
        let keyChanged =
            old.key != new.key || old.key.contains { key in new.field(key)?.storage != old.field(key)?.storage }
        if keyChanged {
            if hasRows {
                problems.append("\(old.name): the key was (\(old.key.joined(separator: ", "))) and cannot change")
            } else {
                statements += ["DROP TABLE \(table.name)", table.createSQL]
            }
            return
        }
        for field in old.fields where new.field(field.name) == nil {
            try remove(field, of: old.name, table, why: "this program's schema lacks the field")
        }
        for (field, column) in zip(table.schema.fields, new.fields) {
            guard let before = old.field(column.name) else {
                add(field, of: old.name, table, hasRows: hasRows)
                continue
            }
            if !column.accepts(before) {
                let found = problems.count
                try remove(before, of: old.name, table, why: "its type was \(before.type) and is \(column.type) now")
                if problems.count == found { add(field, of: old.name, table, hasRows: hasRows) }
                continue
            }
            if column.isRequired, !before.isRequired { try require(field, of: old.name, table) }
            try checkCases(column, of: old.name, table, oldLayout, newLayout)
            try checkEmbedded(field, of: old.name, table, oldLayout, newLayout)
        }
        try addMetadata(of: table)
    }

    /// Drops a column that no row has a value in; else it is a problem.
    private mutating func remove(
        _ field: StoredLayout.Field, of model: String, _ table: ModelTable, why: String
    ) throws {
        let column = quoted(field.name)
        guard try !exists("SELECT 1 FROM \(table.name) WHERE \(column) IS NOT NULL LIMIT 1") else {
            problems.append("\(model).\(field.name): \(why), and values would be lost")
            return
        }
        // An index would keep the column; those that are still wanted are made again afterwards.
        let indexes = try connection.rows(
            "SELECT name FROM sqlite_schema WHERE type='index' AND tbl_name=? AND sql IS NOT NULL", [.text(model)])
        for name in indexes.compactMap({ $0[0].text }) where name.hasPrefix(table.indexPrefix) {
            let drop = "DROP INDEX IF EXISTS \(quoted(name))"
            if !statements.contains(drop) { statements.append(drop) }
        }
        statements.append("ALTER TABLE \(table.name) DROP COLUMN \(column)")
        change.removedFields.append(.init(model, field.name))
    }

    private mutating func add(_ field: FieldSchema, of model: String, _ table: ModelTable, hasRows: Bool) {
        var sql = "ALTER TABLE \(table.name) ADD COLUMN \(quoted(field.name)) \(field.columnType.rawValue)"
        if let value = field.storedDefault {
            sql += " DEFAULT \(literal(value))"
        } else if field.defaultValue != nil {
            problems.append("\(model).\(field.name): @default(value:) is no value of its type")
        } else if field.isRequired, hasRows, !rewritten.contains(model) {
            problems.append("\(model).\(field.name): the field is new and required, so it needs @default(value:)")
        }
        statements.append(sql)
        change.addedFields.append(.init(model, field.name))
    }

    private mutating func require(_ field: FieldSchema, of model: String, _ table: ModelTable) throws {
        if field.storedDefault != nil { change.requiredFields.append(.init(model, field.name)) }
        let column = quoted(field.name)
        guard try exists("SELECT 1 FROM \(table.name) WHERE \(column) IS NULL LIMIT 1") else { return }
        if let value = field.storedDefault {
            statements.append("UPDATE \(table.name) SET \(column)=\(literal(value)) WHERE \(column) IS NULL")
        } else {
            problems.append("\(model).\(field.name): rows without a value exist, so it needs @default(value:)")
        }
    }

    /// A case that a row holds may not go, neither from a field's own enum nor from one that its embedded type reaches.
    private mutating func checkCases(
        _ field: StoredLayout.Field, of model: String, _ table: ModelTable, _ old: StoredLayout, _ new: StoredLayout
    ) throws {
        // The pass over the rows refuses what does not fit, and may be what mends it.
        if rewritten.contains(model) { return }
        let reader = SchemaRewriter([], from: new)
        for (name, cases) in new.enums.sorted(by: { $0.key < $1.key }) where reader.holds(name, field, []) {
            for text in old.enums[name] ?? [] where !cases.contains(text) {
                if try rows(of: table, hold: text, of: name, in: field, reader) {
                    problems.append("\(model).\(field.name): \(name) lacks \(text), which rows hold")
                }
            }
        }
    }

    private func rows(
        of table: ModelTable, hold text: String, of enumeration: String, in field: StoredLayout.Field,
        _ reader: SchemaRewriter
    ) throws -> Bool {
        let column = quoted(field.name)
        if field.type == "enum " + enumeration {
            return try exists("SELECT 1 FROM \(table.name) WHERE \(column)=? LIMIT 1", [.text(text)])
        }
        // The same text may stand in a member that is no enum: only the type tells.
        let tree = "json_tree(\(table.name).\(column))"
        let candidates =
            "SELECT \(column) FROM \(table.name) WHERE EXISTS(SELECT 1 FROM \(tree) AS e WHERE e.atom=?)"
        return try connection.withStatement(candidates) { statement in
            statement.bind(text, at: 1)
            while try statement.step() {
                guard let value = try? JSONValue(parsing: statement.text(at: 0)) else { continue }
                if reader.renamed(value, field, enumeration, text, "") != value { return true }
            }
            return false
        }
    }

    /// An embedded type may gain optional fields; else values in its JSON text would be lost or unreadable.
    private mutating func checkEmbedded(
        _ field: FieldSchema, of model: String, _ table: ModelTable, _ old: StoredLayout, _ new: StoredLayout
    ) throws {
        guard case .embedded(let name) = field.type else { return }
        if hasNewMembers(name, old, new, []) { change.grownFields.append(.init(model, field.name)) }
        let found = embeddedProblems(name, old, new, [])
        let column = quoted(field.name)
        if !found.isEmpty, try exists("SELECT 1 FROM \(table.name) WHERE \(column) IS NOT NULL LIMIT 1") {
            problems += found.map { "\(model).\(field.name): \($0)" }
        }
    }

    private func hasNewMembers(
        _ name: String, _ old: StoredLayout, _ new: StoredLayout, _ path: Set<String>
    ) -> Bool {
        guard let before = old.embedded[name], let after = new.embedded[name], !path.contains(name) else {
            return false
        }
        return after.contains { field in
            guard before.contains(where: { $0.name == field.name }) else { return true }
            return field.embeddedName.map { hasNewMembers($0, old, new, path.union([name])) } ?? false
        }
    }

    private func embeddedProblems(
        _ name: String, _ old: StoredLayout, _ new: StoredLayout, _ path: Set<String>
    ) -> [String] {
        guard let before = old.embedded[name], let after = new.embedded[name], !path.contains(name) else { return [] }
        var found: [String] = []
        for field in before {
            guard let now = after.first(where: { $0.name == field.name }) else {
                found.append("\(name).\(field.name) is gone, and values would be lost")
                continue
            }
            if !now.accepts(field) { found.append("\(name).\(field.name) was \(field.type) and is \(now.type) now") }
            if now.isRequired, !field.isRequired { found.append("\(name).\(field.name) was optional") }
            if now.type.hasPrefix("type ") {
                found += embeddedProblems(String(now.type.dropFirst(5)), old, new, path.union([name]))
            }
        }
        for field in after where field.isRequired && !before.contains(where: { $0.name == field.name }) {
            found.append("\(name).\(field.name) is new and required")
        }
        return found
    }

    private mutating func addMetadata(of table: ModelTable) throws {
        let existing = try connection.rows("SELECT name, type FROM pragma_table_info(?)", [.text(table.schema.name)])
        for column in table.metadata {
            guard let found = existing.first(where: { $0[0].text == column.name }) else {
                statements.append("ALTER TABLE \(table.name) ADD COLUMN \(ModelTable.definition(column))")
                continue
            }
            if found[1].text != column.type.rawValue {
                problems.append("\(table.schema.name).\(column.name): its type cannot change")
            }
        }
    }

    private func hasRows(_ table: String) throws -> Bool { try exists("SELECT 1 FROM \(table) LIMIT 1") }

    private func exists(_ sql: String, _ values: [Value] = []) throws -> Bool {
        try connection.value(sql, values) != nil
    }
}

extension FieldSchema {
    /// The value of `@default`, or an empty list for a required list; nil where there is none or it does not fit.
    public var storedDefault: Value? {
        guard let text = defaultValue else { return isRequired && isList ? .text("[]") : nil }
        if isList { return nil }
        switch type {
        case .enumeration: return .text(text)
        case .embedded: return nil
        case .scalar(let scalar):
            switch scalar {
            case .int, .awsTimestamp: return Int64(text).map { .integer($0) }
            case .float: return Double(text).flatMap { $0.isFinite ? .real($0) : nil }
            case .boolean: return text == "true" ? .integer(1) : text == "false" ? .integer(0) : nil
            case .decimal(let places): return decimalUnits(text, places: places).map { .integer($0) }
            case .awsDateTime, .awsJSON: return scalar.storageValue(of: .string(text))
            default: return .text(text)
            }
        }
    }
}
