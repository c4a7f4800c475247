import Basics
import GraphQL
import Models
import WarehouseModels

/// The models of a simulated floor: the warehouse's own that matter to the invariants, and two that everyone may change
/// and delete, one for each way of the hub to meet a stale version.
enum SimSchema {
    static let names = ["BinTask", "CountPass", "CountEntry", "Device", "BookLine", "LineVerdict"]

    static let schema: Schema = {
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
        return Schema(models: own + shared.models, enums: warehouse.enums.filter { used.contains($0.key) })
    }()

    private static let rules = """
        @auth(rules: [{ allow: groups, groups: ["counters", "supervisors", "desk"], operations: [create, update, delete, read] }])
        """
    private static let createRules = """
        @auth(rules: [{ allow: groups, groups: ["counters", "supervisors", "desk"], operations: [create, read] }])
        """
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
        type Strict @model @conflict(strategy: OPTIMISTIC_CONCURRENCY) \(rules) { id: ID! a: String b: String c: String }
        """

    /// Models whose records are changed by many.
    static let shared = ["Tag", "Strict"]
    /// The record that merges nothing and that only this device changes.
    static func own(_ device: String) -> String { "Strict-own-" + device }
    /// Their fields.
    static let sharedFields = ["a", "b", "c"]

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
