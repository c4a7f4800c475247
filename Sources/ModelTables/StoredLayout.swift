import Basics
import Models

/// What a database remembers of the schema it was made or migrated with, as canonical JSON text.
///
/// Two equal texts mean that nothing has to be done at open. Where they differ, the differences are planned from the
/// parsed form.
struct StoredLayout: Sendable, Hashable {
    struct Field: Sendable, Hashable {
        var name: String
        let type: String
        let storage: String
        let isRequired: Bool
    }

    struct Model: Sendable, Hashable {
        var name: String
        var key: [String]
        var fields: [Field]

        func field(_ name: String) -> Field? { fields.first { $0.name == name } }
    }

    var models: [Model]
    var enums: [String: [String]]
    let embedded: [String: [Field]]
    /// The SQL that makes the tables: it takes notice of metadata, indexes and the owner's own tables.
    let statements: [String]
    /// The schema's version as its owner counts it; 0 where it does not.
    var version = 0

    func model(_ name: String) -> Model? { models.first { $0.name == name } }
}

extension StoredLayout {
    init(schema: Schema, tables: [ModelTable], ownTables: [String]) {
        models = tables.map { table in
            Model(name: table.schema.name, key: table.schema.primaryKey, fields: table.schema.fields.map(Field.init))
        }
        enums = schema.enums
        embedded = schema.embedded.mapValues { $0.map(Field.init) }
        statements = tables.flatMap { table in [table.createSQL] + table.indexes.map(\.sql) } + ownTables
    }

    /// Canonical JSON text.
    var text: String {
        var object: JSONObject = [
            "models": .array(
                models.map { model in
                    [
                        "name": .string(model.name), "key": .array(model.key.map { .string($0) }),
                        "fields": .array(model.fields.map(\.json)),
                    ]
                }),
            "enums": .object(
                JSONObject(enums.map { (key: $0.key, value: .array($0.value.map { .string($0) })) })),
            "embedded": .object(
                JSONObject(embedded.map { (key: $0.key, value: .array($0.value.map(\.json))) })),
            "statements": .array(statements.map { .string($0) }),
        ]
        // Left out where it is 0, so that databases of owners who count no versions stay as they are.
        if version > 0 { object["version"] = .integer(Int64(version)) }
        return JSONValue.object(object).canonical.text
    }

    /// Reads the text; nil where it is not of this form.
    init?(text: String) {
        guard let json = try? JSONValue(parsing: text), let models = json["models"]?.array,
            let enums = json["enums"]?.object, let embedded = json["embedded"]?.object
        else { return nil }
        self.models = models.map { model in
            Model(
                name: model["name"]?.string ?? "", key: (model["key"]?.array ?? []).compactMap(\.string),
                fields: (model["fields"]?.array ?? []).map(Field.init))
        }
        self.enums = Dictionary(
            enums.members.map { ($0.key, ($0.value.array ?? []).compactMap(\.string)) },
            uniquingKeysWith: { first, _ in first })
        self.embedded = Dictionary(
            embedded.members.map { ($0.key, ($0.value.array ?? []).map(Field.init)) },
            uniquingKeysWith: { first, _ in first })
        statements = (json["statements"]?.array ?? []).compactMap(\.string)
        version = Int(json["version"]?.integer ?? 0)
    }
}

extension StoredLayout.Field {
    init(_ field: FieldSchema) {
        let element: String
        switch field.type {
        case .scalar(.decimal(let places)): element = "Float(\(places))"
        case .scalar(let scalar): element = scalar.graphQLName
        case .enumeration(let name): element = "enum " + name
        case .embedded(let name): element = "type " + name
        }
        name = field.name
        type = field.isList ? (field.isElementRequired ? "[\(element)!]" : "[\(element)]") : element
        storage = field.columnType.rawValue
        isRequired = field.isRequired
    }

    init(_ json: JSONValue) {
        name = json["name"]?.string ?? ""
        type = json["type"]?.string ?? ""
        storage = json["storage"]?.string ?? ""
        isRequired = json["required"]?.bool ?? false
    }

    var json: JSONValue {
        ["name": .string(name), "type": .string(type), "storage": .string(storage), "required": .bool(isRequired)]
    }

    /// Whether every value of `old` is one of this type: the same type, a list whose elements may now be missing, or
    /// plain text for any text that is not JSON.
    func accepts(_ old: StoredLayout.Field) -> Bool {
        if type == old.type { return true }
        if type.hasPrefix("["), type + "!" == old.type.replacingElementMark { return true }
        let isPlain = type == "String" || type == "ID"
        return isPlain && old.storage == "TEXT" && !old.type.hasPrefix("[") && !old.type.hasPrefix("type ")
            && old.type != "AWSJSON"
    }
}

extension FieldSchema {
    /// Whether a table keeps every value of `old` where the field becomes this one; else they can only be dropped.
    package func keepsValues(of old: FieldSchema) -> Bool {
        StoredLayout.Field(self).accepts(StoredLayout.Field(old))
    }
}

extension String {
    /// `[X!]` as `[X]!`.
    fileprivate var replacingElementMark: String { hasSuffix("!]") ? String(dropLast(2)) + "]!" : self }
}
