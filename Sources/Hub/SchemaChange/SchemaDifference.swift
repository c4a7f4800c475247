import AppSync
import Crypto
import ModelTables
import Models

/// What a new schema changes of the one that is served, said field by field.
///
/// *Destructive* is what records or clients would lose: a value, a field or query that clients ask for, an input that they
/// send without it. Everything else is taken over at once.
struct SchemaDifference: Sendable, Hashable {
    /// One change, in words that begin with the model and field.
    struct Change: Sendable, Hashable {
        let text: String
        let isDestructive: Bool
    }

    private(set) var changes: [Change] = []
    /// Stored fields that go with their values, and models that go with their records.
    private(set) var removedFields: [SchemaChange.FieldName] = []
    private(set) var removedModels: [String] = []
    /// Rights that a program in the hub's process loses.
    private(set) var lostRights: [Change] = []

    /// What has to be told to be done.
    var destructive: [Change] { changes.filter(\.isDestructive) + lostRights }
    /// Whether records or clients lose something, so that a backup is taken before.
    var needsBackup: Bool { changes.contains(where: \.isDestructive) }
    /// Models that lose something stored.
    var losers: [String] { Array(Set(removedModels + removedFields.map(\.model))).sorted() }

    /// What the tables lose.
    var steps: [SchemaStep] {
        removedModels.map { .removeModel($0) } + removedFields.map { .removeField($0.model, $0.field) }
    }

    init(from old: Schema, to new: Schema) {
        let served = old.models.filter { $0.syncPolicy != .none }
        let coming = new.models.filter { $0.syncPolicy != .none }
        for model in served {
            guard let now = coming.first(where: { $0.name == model.name }) else {
                destroy("\(model.name): the model goes, with its records")
                removedModels.append(model.name)
                continue
            }
            compare(model, now)
        }
        for model in coming where !served.contains(where: { $0.name == model.name }) {
            add("\(model.name): the model is new")
        }
        compareEnums(old, new)
        compareEmbedded(old, new)
    }

    /// Adds rights that a program in the hub's process loses, each in words that begin with the model.
    mutating func add(lostRights texts: [String]) {
        lostRights += texts.map { Change(text: $0, isDestructive: true) }
    }

    private mutating func add(_ text: String) { changes.append(Change(text: text, isDestructive: false)) }
    private mutating func destroy(_ text: String) { changes.append(Change(text: text, isDestructive: true)) }

    private mutating func compare(_ old: ModelSchema, _ new: ModelSchema) {
        let name = old.name
        if old.primaryKey != new.primaryKey {
            destroy("\(name): its key was (\(old.primaryKey.joined(separator: ", ")))")
        }
        for field in old.fields {
            guard let now = new.field(field.name) else {
                destroy("\(name).\(field.name): the field goes, with its values")
                removedFields.append(.init(name, field.name))
                continue
            }
            compare(field, now, of: name)
        }
        for field in new.fields where old.field(field.name) == nil { compareAdded(field, of: name) }
        for index in old.indexes {
            guard let query = index.queryField else { continue }
            let isKept = new.indexes.contains { $0.queryField == query && $0.fields == index.fields }
            if !isKept { destroy("\(name): the query \(query) goes, or asks for another key") }
        }
        for index in new.indexes where !old.indexes.contains(index) { add("\(name): the index \(index.name) is new") }
        for relation in old.relations where !new.relations.contains(where: relation.leadsWhere) {
            destroy("\(name).\(relation.name): the relation goes, or leads elsewhere")
        }
        for relation in new.relations where !old.relations.contains(where: { $0.name == relation.name }) {
            add("\(name).\(relation.name): the relation is new")
        }
        if Self.operations(old) != Self.operations(new) {
            let lost = Set(Self.operations(old)).subtracting(Self.operations(new)).sorted()
            if lost.isEmpty {
                add("\(name): it has more operations")
            } else {
                destroy("\(name): \(lost.joined(separator: ", ")) cannot be called any more")
            }
        }
        if old.authRules != new.authRules { add("\(name): its rules are others") }
        if old.conflictStrategy != new.conflictStrategy {
            add("\(name): conflicts are decided by \(new.conflictStrategy.rawValue)")
        }
    }

    private mutating func compare(_ old: FieldSchema, _ new: FieldSchema, of model: String) {
        let name = "\(model).\(old.name)"
        if old.typeText != new.typeText {
            let isKept = new.keepsValues(of: old)
            destroy(
                "\(name): its type was \(old.typeText) and is \(new.typeText)" + (isKept ? "" : "; its values go"))
            if !isKept { removedFields.append(.init(model, old.name)) }
        } else if old.isRequired != new.isRequired {
            destroy("\(name): " + (new.isRequired ? "it may not be missing any more" : "it may be missing now"))
        }
        if let merge = old.merge, new.merge != merge { destroy("\(name): it is merged in another way") }
        if !old.isReadOnly, new.isReadOnly { destroy("\(name): nobody can write it any more") }
        if old.authRules != new.authRules { add("\(name): its rules are others") }
        if old.defaultValue != new.defaultValue { add("\(name): its default is another") }
    }

    private mutating func compareAdded(_ field: FieldSchema, of model: String) {
        let name = "\(model).\(field.name)"
        // Lists are empty where nothing is given; everything else needs a value that older clients do not send.
        if field.isRequired, !field.isReadOnly, field.defaultValue == nil {
            destroy(
                "\(name): the field is new and required, and older clients do not send it; give it @default(value:)")
        } else {
            add("\(name): the field is new")
        }
    }

    private mutating func compareEnums(_ old: Schema, _ new: Schema) {
        for (name, cases) in old.enums.sorted(by: { $0.key < $1.key }) {
            guard let now = new.enums[name] else { continue }
            for text in cases where !now.contains(text) { destroy("\(name).\(text): the case goes") }
            for text in now where !cases.contains(text) { add("\(name).\(text): the case is new") }
        }
    }

    private mutating func compareEmbedded(_ old: Schema, _ new: Schema) {
        for (type, fields) in old.embedded.sorted(by: { $0.key < $1.key }) {
            guard let now = new.embedded[type] else { continue }
            for field in fields {
                let name = "\(type).\(field.name)"
                guard let found = now.first(where: { $0.name == field.name }) else {
                    destroy("\(name): the field goes")
                    continue
                }
                if field.typeText != found.typeText {
                    destroy("\(name): its type was \(field.typeText) and is \(found.typeText)")
                } else if field.isRequired != found.isRequired {
                    destroy(
                        "\(name): " + (found.isRequired ? "it may not be missing any more" : "it may be missing now"))
                }
            }
            for field in now where !fields.contains(where: { $0.name == field.name }) {
                if field.isRequired { destroy("\(type).\(field.name): the field is new and required") }
                if !field.isRequired { add("\(type).\(field.name): the field is new") }
            }
        }
    }

    /// The names of a model's root fields.
    private static func operations(_ model: ModelSchema) -> [String] {
        ModelOperation.allCases.filter(model.has).map { model.operationName($0, md5: MD5.hexDigest) }
    }
}

extension FieldSchema {
    /// The type as the schema language writes it, the field's own `!` left aside.
    fileprivate var typeText: String {
        let element: String
        switch type {
        case .scalar(.decimal(let places)): element = "Float @decimal(places: \(places))"
        case .scalar(let scalar): element = scalar.graphQLName
        case .enumeration(let name), .embedded(let name): element = name
        }
        return isList ? "[\(element)\(isElementRequired ? "!" : "")]" : element
    }
}
