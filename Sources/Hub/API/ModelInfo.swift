import AppSync
import Basics
import Crypto
import Models

/// A served model with everything about it that is worked out once.
final class ModelInfo: Sendable {
    let schema: ModelSchema
    /// Its position among the served models; what logs, tables and plans refer to.
    let index: Int
    /// Positions of the primary key's fields.
    let keyPositions: [Int]
    /// Position of `createdAt` and `updatedAt`, nil where the model has none.
    let createdAt: Int?
    let updatedAt: Int?
    /// What create puts into a field that the input leaves out.
    let defaults: [Value?]
    /// The root fields of `onCreate`, `onUpdate` and `onDelete`.
    let subscriptions: [RootField]
    /// Whether the input of create and update may name the field.
    let isInput: [Bool]
    /// Fields whose `AWSDateTime` is given back in the words it came in, as AppSync does; see ``DateTimeTexts``.
    let keepsDateTimes: [Bool]
    /// Of these the single dates.
    let dateTimes: [Int]
    /// Fields with rules of their own.
    let guardedFields: Set<Int>
    /// Fields that rules of reading look at: who sees a row changes with them.
    let readerFields: Set<Int>
    /// By field, the embedded types that its value is made of, however deep.
    let embeddedTypes: [Set<String>]
    /// Whether some rule of the schema tells the people of another issuer apart.
    let hasOtherIssuers: Bool

    init(_ schema: ModelSchema, index: Int, in source: Schema) throws(HubError) {
        self.schema = schema
        self.index = index
        keyPositions = schema.primaryKey.compactMap { schema.position(of: $0) }
        guard keyPositions.count == schema.primaryKey.count, !keyPositions.isEmpty else {
            throw HubError("\(schema.name): its primary key names a field that is not there")
        }
        createdAt = schema.timestamps.createdAt.flatMap { Self.timestamp($0, schema) }
        updatedAt = schema.timestamps.updatedAt.flatMap { Self.timestamp($0, schema) }
        var defaults: [Value?] = []
        for field in schema.fields {
            guard let text = field.defaultValue else {
                defaults.append(nil)
                continue
            }
            guard let value = Self.defaultValue(text, for: field, in: schema, source) else {
                throw HubError("\(schema.name).\(field.name): @default \"\(text)\" is no value of the field's type")
            }
            defaults.append(value)
        }
        self.defaults = defaults
        subscriptions = [
            (ModelOperation.onCreate, RootField.Kind.onCreate), (.onUpdate, .onUpdate), (.onDelete, .onDelete),
        ].map { RootField(kind: $1, model: index, name: schema.operationName($0, md5: MD5.hexDigest)) }
        isInput = schema.fields.map { !$0.isReadOnly }
        keepsDateTimes = DateTimeTexts.fields(of: schema)
        dateTimes = DateTimeTexts.dateTimes(of: schema)
        guardedFields = Set(schema.fields.indices.filter { !schema.fields[$0].authRules.isEmpty })
        let rules = schema.authRules + schema.fields.flatMap(\.authRules)
        let readers = rules.filter { !$0.operations.isDisjoint(with: AuthRule.Operation.read) }
        readerFields = Set(
            readers.compactMap { $0.allow == .owner ? $0.ownerField ?? "owner" : $0.groupsField }
                .compactMap { schema.position(of: $0) })
        embeddedTypes = schema.fields.map { Self.embeddedTypes(in: [$0], source) }
        hasOtherIssuers = source.models.contains { model in
            (model.authRules + model.fields.flatMap(\.authRules)).contains { $0.provider == "oidc" }
        }
        for rule in rules {
            for name in [rule.allow == .owner ? rule.ownerField ?? "owner" : nil, rule.groupsField] {
                guard let name, schema.position(of: name) == nil else { continue }
                throw HubError("\(schema.name): an @auth rule names the field \(name), which the model does not have")
            }
        }
    }

    private static func embeddedTypes(in fields: [FieldSchema], _ source: Schema) -> Set<String> {
        var found: Set<String> = []
        var left = fields
        while let field = left.popLast() {
            guard case .embedded(let name) = field.type, found.insert(name).inserted else { continue }
            left += source.embedded[name] ?? []
        }
        return found
    }

    private static func timestamp(_ name: String, _ schema: ModelSchema) -> Int? {
        guard let position = schema.position(of: name) else { return nil }
        let field = schema.fields[position]
        return field.type == .scalar(.awsDateTime) && !field.isList ? position : nil
    }

    private static func defaultValue(
        _ text: String, for field: FieldSchema, in schema: ModelSchema, _ source: Schema
    ) -> Value? {
        if let value = try? source.storageValue(of: .string(text), for: field, in: schema.name) { return value }
        guard let json = try? JSONValue(parsing: text) else { return nil }
        return try? source.storageValue(of: json, for: field, in: schema.name)
    }

    /// The fields that owner rules of `listen` compare: subscriptions take them as arguments.
    var ownerArguments: [String] {
        var names: [String] = []
        for rule in schema.authRules where rule.allow == .owner && rule.operations.contains(.listen) {
            let name = rule.ownerField ?? "owner"
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// The key along which another model's `hasMany` reads this one: its name, and the sort fields behind those of the
    /// relation.
    func index(serving relation: RelationSchema) -> (name: String, rest: [String])? {
        for index in schema.indexes where index.fields.starts(with: relation.fields) {
            return (index.name, Array(index.fields.dropFirst(relation.fields.count)))
        }
        guard schema.primaryKey.starts(with: relation.fields) else { return nil }
        return ("Primary", Array(schema.primaryKey.dropFirst(relation.fields.count)))
    }

    /// The key of a row as text, as the store joins it.
    func key(of values: [Value]) -> String {
        if keyPositions.count == 1 { return keyText(values[keyPositions[0]]) }
        return keyPositions.map { keyText(values[$0]) }.joined(separator: "#")
    }

    /// The key that these parts make; nil where one before the last holds the joint: no record has that key, and the
    /// joined text would be another record's.
    static func key(joining parts: [Value]) -> String? {
        guard firstSplit(parts) == nil else { return nil }
        return parts.map(keyText).joined(separator: "#")
    }

    /// The first part before the last that holds the joint.
    static func firstSplit(_ parts: [Value]) -> Int? {
        parts.dropLast().firstIndex { part in
            guard case .text(let text) = part else { return false }
            return text.utf8.contains(UInt8(ascii: "#"))
        }
    }
}

/// A row of a base table: the record and what the service knows of it.
struct HubRow: Sendable, Hashable {
    /// The table's row number, which never changes while the record lives.
    var rowID: Int64
    /// The record's fields in the schema's order.
    var values: [Value]
    var version: Int64
    var deleted: Bool
    var lastChangedAt: Int64
}
