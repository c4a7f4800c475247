import Models
import SQLite

/// Carries out the part of schema steps that concerns tables and columns, and says what the layout is afterwards.
///
/// Columns whose values are still needed are put aside under another name; ``RowRewriter`` reads them, and then they go.
struct StructuralSteps {
    /// A column that is dropped at the end.
    struct Aside {
        let model: String
        let column: String
    }

    private(set) var layout: StoredLayout
    private(set) var asides: [Aside] = []
    private(set) var problems: [String] = []
    /// The column that holds a field of the old layout, by `Model.field` as they were called.
    private(set) var columns: [String: String] = [:]
    /// What the models were called, by what they are called now.
    private var origins: [String: String]
    /// What the fields were called, by `Model.field` as they are called now.
    private var fieldOrigins: [String: String] = [:]
    /// Fields that the row pass will fill.
    private var virtual: Set<String> = []
    /// How many columns were put aside, those that went with their tables too: each needs a name of its own.
    private var asideCount = 0
    /// Whether the step at work is of a later version than the first that the database lacks.
    private var isLater = false
    private let rewriter: SchemaRewriter

    init(_ old: StoredLayout, _ rewriter: SchemaRewriter) {
        layout = old
        self.rewriter = rewriter
        origins = Dictionary(old.models.map { ($0.name, $0.name) }, uniquingKeysWith: { first, _ in first })
        for model in old.models {
            for field in model.fields {
                let name = model.name + "." + field.name
                columns[name] = field.name
                fieldOrigins[name] = name
            }
        }
    }

    /// - Parameter connection: where the tables are; nil to work out the layout alone, of steps that take something away.
    mutating func run(_ versions: [SchemaVersion], on connection: Connection?) throws {
        for (index, version) in versions.enumerated() {
            isLater = index > 0
            for step in version.steps { try run(step, connection) }
        }
    }

    private mutating func run(_ step: SchemaStep, _ connection: Connection?) throws {
        switch step {
        case .rewrite(let model, _): if layout.model(model) == nil { missing(model, nil) }
        case .renameModel(let from, let to): try renameModel(from, to, connection)
        case .removeModel(let model):
            guard layout.model(model) != nil else { return missing(model, nil) }
            try connection?.execute("DROP TABLE \(quoted(model))")
            layout.models.removeAll { $0.name == model }
            origins[model] = nil
            fieldOrigins = fieldOrigins.filter { !$0.key.hasPrefix(model + ".") }
            virtual = virtual.filter { !$0.hasPrefix(model + ".") }
            asides.removeAll { $0.model == model }
        case .renameField(let model, let field, let to): try renameField(model, field, to, connection)
        case .removeField(let model, let field), .convert(let model, let field, _):
            if virtual.contains(model + "." + field) {
                if case .removeField = step { virtual.remove(model + "." + field) }
                return
            }
            guard let found = layout.model(model), found.field(field) != nil else { return missing(model, field) }
            guard !found.key.contains(field) else {
                problems.append("\(model).\(field): a part of the key cannot change")
                return
            }
            try putAside(model, field, connection)
            if case .convert = step { virtual.insert(model + "." + field) }
        case .renameCase(let enumeration, let from, let to): try renameCase(enumeration, from, to, connection)
        }
    }

    /// A version between may have brought it in without a step, or with a value that a rewrite makes: then there is nothing
    /// of it here yet, and the comparison adds what it is today. No version is before the first one's steps.
    private mutating func missing(_ model: String, _ field: String?) {
        if isLater { return }
        let name = field.map { "\(model).\($0)" } ?? model
        problems.append("\(name): a schema step names it, and the stored schema does not have it")
    }

    private mutating func taken(_ name: String, _ to: String) {
        problems.append("\(name): a schema step calls it \(to), and the stored schema has that name already")
    }

    private mutating func renameModel(_ from: String, _ to: String, _ connection: Connection?) throws {
        guard let index = layout.models.firstIndex(where: { $0.name == from }) else { return missing(from, nil) }
        guard layout.model(to) == nil else { return taken(from, to) }
        try dropIndexes(of: from, connection)
        try connection?.execute("ALTER TABLE \(quoted(from)) RENAME TO \(quoted(to))")
        layout.models[index].name = to
        origins[to] = origins.removeValue(forKey: from)
        for field in layout.models[index].fields {
            fieldOrigins[to + "." + field.name] = fieldOrigins.removeValue(forKey: from + "." + field.name)
        }
        virtual = Set(virtual.map { $0.hasPrefix(from + ".") ? to + $0.dropFirst(from.count) : $0 })
        asides = asides.map { $0.model == from ? Aside(model: to, column: $0.column) : $0 }
    }

    private mutating func renameField(_ model: String, _ field: String, _ to: String, _ connection: Connection?) throws
    {
        if virtual.remove(model + "." + field) != nil {
            virtual.insert(model + "." + to)
            return
        }
        guard let index = layout.models.firstIndex(where: { $0.name == model }),
            let position = layout.models[index].fields.firstIndex(where: { $0.name == field })
        else { return missing(model, field) }
        guard layout.models[index].field(to) == nil else { return taken("\(model).\(field)", to) }
        try dropIndexes(of: model, connection)
        try connection?.execute("ALTER TABLE \(quoted(model)) RENAME COLUMN \(quoted(field)) TO \(quoted(to))")
        layout.models[index].fields[position].name = to
        layout.models[index].key = layout.models[index].key.map { $0 == field ? to : $0 }
        if let origin = fieldOrigins.removeValue(forKey: model + "." + field) {
            fieldOrigins[model + "." + to] = origin
            columns[origin] = to
        }
    }

    private mutating func putAside(_ model: String, _ field: String, _ connection: Connection?) throws {
        guard let index = layout.models.firstIndex(where: { $0.name == model }) else { return }
        let aside = "_old\(asideCount).\(field)"
        try dropIndexes(of: model, connection)
        try connection?.execute("ALTER TABLE \(quoted(model)) RENAME COLUMN \(quoted(field)) TO \(quoted(aside))")
        layout.models[index].fields.removeAll { $0.name == field }
        if let origin = fieldOrigins.removeValue(forKey: model + "." + field) { columns[origin] = aside }
        asideCount += 1
        asides.append(Aside(model: model, column: aside))
    }

    private mutating func renameCase(
        _ enumeration: String, _ from: String, _ to: String, _ connection: Connection?
    ) throws {
        guard let cases = layout.enums[enumeration], cases.contains(from) else {
            return missing(enumeration, from)
        }
        layout.enums[enumeration] = cases.map { $0 == from ? to : $0 }
        for model in layout.models {
            for field in model.fields where model.key.contains(field.name) && field.type == "enum " + enumeration {
                let sql = "SELECT 1 FROM \(quoted(model.name)) WHERE \(quoted(field.name))=? LIMIT 1"
                guard try connection?.value(sql, [.text(from)]) != nil else { continue }
                problems.append("\(model.name).\(field.name): a part of the key cannot change")
            }
            // The row pass does it where it runs at all.
            if let origin = origins[model.name], rewriter.changesValues(origin) { continue }
            for field in model.fields where field.type == "enum " + enumeration {
                let column = quoted(field.name)
                try connection?.run(
                    "UPDATE \(quoted(model.name)) SET \(column)=? WHERE \(column)=?", [.text(to), .text(from)])
            }
        }
    }

    /// Indexes are made anew after the migration.
    private func dropIndexes(of model: String, _ connection: Connection?) throws {
        guard let connection else { return }
        let indexes = try connection.rows(
            "SELECT name FROM sqlite_schema WHERE type='index' AND tbl_name=? AND sql IS NOT NULL", [.text(model)])
        for name in indexes.compactMap({ $0[0].text }) where name.hasPrefix("ix.") {
            try connection.execute("DROP INDEX \(quoted(name))")
        }
    }
}
