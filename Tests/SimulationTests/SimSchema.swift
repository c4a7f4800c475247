import Basics
import GraphQL
import Models
import WarehouseModels

/// The models of a simulated floor: the warehouse's own that matter to the invariants, and some that everyone may change
/// and delete, for each way of the hub to meet a stale version, one with its fields inside an embedded value.
enum SimSchema {
    static let names = ["BinTask", "CountPass", "CountEntry", "Device", "BookLine", "LineVerdict"]

    static let schema = make(sharedModels)
    /// The same for a hub that merges no shelves and no lots: who writes a label on one and counts there meets conflicts.
    static let strictSchema = make(
        sharedModels.replacing("Shelf @model @conflict(strategy: AUTOMERGE)", with: "Shelf @model \(strict)")
            .replacing("Lot @model @conflict(strategy: AUTOMERGE)", with: "Lot @model \(strict)"))

    private static func make(_ sharedModels: String) -> Schema {
        let kept = Set(names)
        let own = warehouse.models.filter { kept.contains($0.name) }.map { model in
            ModelSchema(
                model.name, pluralName: model.pluralName, fields: model.fields, primaryKey: model.primaryKey,
                indexes: model.indexes, relations: model.relations.filter { kept.contains($0.target) },
                authRules: model.authRules, syncPolicy: model.syncPolicy, conflictStrategy: model.conflictStrategy)
        }
        guard let shared = try? Schema(sdl: sharedModels) else {
            fatalError("the simulation's own schema does not parse")
        }
        let used = Set(
            own.flatMap(\.fields).compactMap { field in
                if case .enumeration(let name) = field.type { name } else { nil }
            })
        return Schema(
            models: own + shared.models,
            enums: warehouse.enums.filter { used.contains($0.key) }.merging(shared.enums) { $1 },
            embedded: shared.embedded)
    }

    private static let rules = """
        @auth(rules: [{ allow: groups, groups: ["counters", "supervisors", "desk"], operations: [create, update, delete, read] }])
        """
    private static let createRules = """
        @auth(rules: [{ allow: groups, groups: ["counters", "supervisors", "desk"], operations: [create, read] }])
        """
    private static let strict = "@conflict(strategy: OPTIMISTIC_CONCURRENCY)"
    private static let sharedModels = """
        type Crate @model \(createRules) { id: ID! maker: String! }
        type Part @model \(createRules) {
          id: ID! crateID: ID! maker: String! crateMaker: String! crate: Crate @belongsTo(fields: ["crateID"])
        }
        type Leg @model \(createRules) { id: ID! move: String! parts: Int! }
        type Shelf @model @conflict(strategy: AUTOMERGE) \(rules) {
          id: ID! label: String count: Int @counter weight: Float @decimal(places: 3) @counter marks: [String!] @set
        }
        type Tag @model @conflict(strategy: AUTOMERGE) \(rules) { id: ID! a: String b: String c: String }
        type Box { a: String b: String c: String names: [String!] }
        type Card @model @conflict(strategy: AUTOMERGE) \(rules) { id: ID! box: Box }
        type Strict @model \(strict) \(rules) { id: ID! a: String b: String c: String }
        enum Grade { GOOD FAIR POOR }
        type Lot @model @conflict(strategy: AUTOMERGE) \(rules) {
          id: ID! a: String @index b: String c: String grade: Grade codes: [String!]
        }
        type Bay @model @conflict(strategy: AUTOMERGE) \(rules) {
          site: String! @primaryKey(sortKeyFields: ["number"]) number: Int! a: String b: String c: String
          pallets: [Pallet] @hasMany(references: ["baySite", "bayNumber"])
        }
        type Pallet @model @conflict(strategy: AUTOMERGE) \(rules) {
          id: ID! baySite: String bayNumber: Int a: String b: String c: String
          bay: Bay @belongsTo(references: ["baySite", "bayNumber"])
        }
        type Seal @model \(sealRules) { id: ID! a: String b: String c: String }
        """
    /// Counters read seals; who of them makes one is refused by the hub.
    private static let sealRules = """
        @auth(rules: [{ allow: groups, groups: ["supervisors", "desk"], operations: [create, update, delete, read] }
          { allow: groups, groups: ["counters"], operations: [read] }])
        """

    /// Models whose records are changed by many, each for itself.
    static let changed = ["Tag", "Strict", "Card"]
    /// All whose fields the oracle follows.
    static let shared = changed + ["Lot", "Bay", "Pallet", "Seal"]
    /// Of these models each device has a record that only it changes: one merges nothing, one is an embedded value.
    static let ownModels = ["Strict", "Card"]
    /// The record of a model that only this device changes.
    static func own(_ model: String, _ device: String) -> String { "\(model)-own-\(device)" }
    /// Whether a record is one that only this device changes.
    static func isOwn(_ id: String, _ device: String) -> Bool { ownModels.contains { own($0, device) == id } }
    /// Their fields; of a card they are members of what it embeds.
    static let sharedFields = ["a", "b", "c"]

    /// These and a list.
    static let trackedFields = sharedFields + ["codes"]

    /// A shared field of a record, wherever it stands.
    static func value(of field: String, in record: Record) -> Value {
        guard record.schema.name == "Card" else { return record[field] }
        return box(record)[field]?.string.map { .text($0) } ?? .null
    }

    /// Changes a shared field; null takes it away.
    static func set(_ value: Value, _ field: String, of record: inout Record) {
        guard record.schema.name == "Card" else { return record[field] = value }
        var box = box(record)
        box[field] = value.text.map { .string($0) }
        // Written once, and never touched by anybody again.
        if box["names"] == nil { box["names"] = cardNames }
        record["box"] = .text(JSONValue.object(box).canonical.text)
    }

    /// The list in each card's box.
    static let cardNames: JSONValue = ["one", "two"]

    static func box(_ record: Record) -> JSONObject {
        record["box"].text.flatMap { try? JSONValue(parsing: Array($0.utf8)).object } ?? JSONObject()
    }

    /// The key of the bay that a pallet names.
    static func bay(of pallet: Record) -> String? {
        let key = [pallet["baySite"], pallet["bayNumber"]]
        return key.contains(.null) ? nil : key.map(keyText).joined(separator: "#")
    }

    /// The elements of a list.
    static func elements(_ list: Value) -> [JSONValue] {
        (try? JSONValue(parsing: list.text ?? "[]"))?.array ?? []
    }

    /// The shared fields that a field of a model stands for.
    static func fields(of name: String, in model: String) -> [String] {
        model == "Card" && name == "box" ? sharedFields : [name]
    }

    /// A counter's amount in the units in which it is stored.
    static func units(_ amount: JSONValue, _ field: String) -> Int64 {
        switch model("Shelf").field(field)?.type {
        case .scalar(let scalar)?: scalar.storageValue(of: amount)?.integer ?? 0
        default: 0
        }
    }

    static func model(_ name: String) -> ModelSchema {
        guard let model = schema.model(name) else { fatalError("the simulation has no model \(name)") }
        return model
    }

    /// A record with these fields; the others are null.
    static func record(_ name: String, _ fields: [String: Value]) -> Record {
        let model = model(name)
        var record = Record(schema: model, values: [Value](repeating: .null, count: model.fields.count))
        for (field, value) in fields { record[field] = value }
        return record
    }
}

/// What a simulated device is.
enum SimRole: String, CaseIterable {
    case counter, supervisor, desk

    var key: String { rawValue }
    var group: String {
        switch self {
        case .counter: "counters"
        case .supervisor: "supervisors"
        case .desk: "desk"
        }
    }
    var policies: [String: SyncPolicy] {
        switch self {
        case .counter: syncPolicies(for: .terminal)
        case .supervisor: syncPolicies(for: .supervisor)
        case .desk: syncPolicies(for: .desk)
        }
    }
}
