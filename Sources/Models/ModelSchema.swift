import Basics

/// Which way a model travels between a device and its backend: `@sync(policy:)`.
public enum SyncPolicy: String, Sendable, Hashable, CaseIterable {
    case none = "NONE"
    case upstream = "UPSTREAM"
    case downstream = "DOWNSTREAM"
    case both = "BOTH"

    /// Whether local changes are sent.
    public var sends: Bool { self == .upstream || self == .both }
    /// Whether the backend's changes are fetched.
    public var receives: Bool { self == .downstream || self == .both }
}

/// What the backend does with a mutation on a stale version: `@conflict(strategy:)`.
public enum ConflictStrategy: String, Sendable, Hashable, CaseIterable {
    case automerge = "AUTOMERGE"
    case optimisticConcurrency = "OPTIMISTIC_CONCURRENCY"
    case lambda = "LAMBDA"
}

/// One rule of `@auth`; deny is the default.
public struct AuthRule: Sendable, Hashable {
    /// Whom a rule allows.
    public enum Strategy: String, Sendable, Hashable {
        case owner, groups, `private`, `public`, custom
    }

    /// What a rule allows.
    public enum Operation: String, Sendable, Hashable, CaseIterable {
        case create, update, delete, get, list, sync, listen, search

        /// What `read` stands for.
        public static let read: Set<Operation> = [.get, .list, .sync, .listen, .search]
    }

    /// Whom it allows.
    public let allow: Strategy
    /// The named groups of a static `groups` rule.
    public let groups: [String]
    /// The field holding the owner (one id, or a list of ids) of an `owner` rule.
    public let ownerField: String?
    /// The field holding the groups (one name, or a list) of a dynamic `groups` rule.
    public let groupsField: String?
    /// The claim an owner is compared with; the hub's person id by default.
    public let identityClaim: String?
    /// The provider's name as written (`apiKey`, `userPools`, …), nil by default.
    public let provider: String?
    /// What it allows; `read` is already spread out.
    public let operations: Set<Operation>
    /// The claim that holds a caller's groups, nil by default.
    public let groupClaim: String?

    /// Makes a rule.
    public init(
        allow: Strategy, groups: [String] = [], ownerField: String? = nil, groupsField: String? = nil,
        identityClaim: String? = nil, provider: String? = nil, operations: Set<Operation>,
        groupClaim: String? = nil
    ) {
        self.allow = allow
        self.groups = groups
        self.ownerField = ownerField
        self.groupsField = groupsField
        self.identityClaim = identityClaim
        self.provider = provider
        self.operations = operations
        self.groupClaim = groupClaim
    }
}

/// An index of `@index` (or, without a name, one that a relation needs).
public struct IndexSchema: Sendable, Hashable {
    /// The index's name.
    public let name: String
    /// The hash field, then the sort-key fields.
    public let fields: [String]
    /// The query field to generate, as `@index(queryField:)` says.
    public let queryField: String?

    /// Describes an index.
    public init(_ name: String, fields: [String], queryField: String? = nil) {
        self.name = name
        self.fields = fields
        self.queryField = queryField
    }
}

/// A relation between two models, held by a scalar field.
public struct RelationSchema: Sendable, Hashable {
    /// The kind, seen from the declaring model.
    public enum Kind: String, Sendable, Hashable {
        case belongsTo, hasOne, hasMany
    }

    /// The field in the GraphQL schema; it is not stored.
    public let name: String
    /// The kind.
    public let kind: Kind
    /// The other model.
    public let target: String
    /// The fields that hold the key: the target's where ``isKeyInTarget``, else this model's.
    public let fields: [String]
    /// Whether the target names this model's key: so does each `hasMany`, and a `hasOne` with `references`.
    public let isKeyInTarget: Bool
    /// Records of a page of a `hasMany` where the client names no limit; nil leaves it to the backend.
    public let limit: Int?

    /// Describes a relation.
    ///
    /// - Parameter isKeyInTarget: nil for what its kind has in general: the target's fields for `hasMany` alone.
    public init(
        _ name: String, _ kind: Kind, target: String, fields: [String], isKeyInTarget: Bool? = nil, limit: Int? = nil
    ) {
        self.name = name
        self.kind = kind
        self.target = target
        self.fields = fields
        self.isKeyInTarget = isKeyInTarget ?? (kind == .hasMany)
        self.limit = limit
    }

    /// Whether both lead to the same records, however many of them a page has.
    package func leadsWhere(_ other: RelationSchema) -> Bool {
        (name, kind, target, fields) == (other.name, other.kind, other.target, other.fields)
            && isKeyInTarget == other.isKeyInTarget
    }
}

/// The fields that hold when a record was made and changed: `@model(timestamps:)`; nil where the model has none.
public struct TimestampNames: Sendable, Hashable {
    /// When it was made.
    public let createdAt: String?
    /// When it was last changed.
    public let updatedAt: String?

    /// Names both.
    public init(createdAt: String?, updatedAt: String?) {
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// What Amplify calls them.
    public static let standard = TimestampNames(createdAt: "createdAt", updatedAt: "updatedAt")
}

/// A `@model` type: a reference to immutable facts, compared by identity of content.
public final class ModelSchema: Sendable, Hashable {
    /// The type's name.
    public let name: String
    /// The plural as AppSync's operation names have it (npm `pluralize`).
    public let pluralName: String
    /// The stored fields in order; `id` first where there is one. The order is the order of a ``Record``'s values.
    public let fields: [FieldSchema]
    /// The primary key's fields, `["id"]` by default.
    public let primaryKey: [String]
    /// The secondary indexes.
    public let indexes: [IndexSchema]
    /// The relations.
    public let relations: [RelationSchema]
    /// The rules of `@auth`.
    public let authRules: [AuthRule]
    /// `@sync(policy:)`, BOTH by default.
    public let syncPolicy: SyncPolicy
    /// `@conflict(strategy:)`, nil where the model leaves it to its API.
    public let declaredConflictStrategy: ConflictStrategy?
    /// `@model(timestamps:)`.
    public let timestamps: TimestampNames
    /// `@model(queries:, mutations:, subscriptions:)`.
    public let operations: OperationNames
    private let positions: [String: Int]

    /// Describes a model.
    public init(
        _ name: String, pluralName: String, fields: [FieldSchema], primaryKey: [String] = ["id"],
        indexes: [IndexSchema] = [], relations: [RelationSchema] = [], authRules: [AuthRule] = [],
        syncPolicy: SyncPolicy = .both, conflictStrategy: ConflictStrategy? = nil,
        timestamps: TimestampNames = .standard, operations: OperationNames = .standard
    ) {
        self.operations = operations
        self.timestamps = timestamps
        self.name = name
        self.pluralName = pluralName
        self.fields = fields
        self.primaryKey = primaryKey
        self.indexes = indexes
        self.relations = relations
        self.authRules = authRules
        self.syncPolicy = syncPolicy
        declaredConflictStrategy = conflictStrategy
        positions = Dictionary(
            fields.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// What `@conflict(strategy:)` says, AUTOMERGE where it says nothing.
    public var conflictStrategy: ConflictStrategy { declaredConflictStrategy ?? .automerge }
    /// The position of a field in ``fields``, nil where there is no such field.
    public func position(of field: String) -> Int? { positions[field] }
    /// A field by name.
    public func field(_ name: String) -> FieldSchema? { positions[name].map { fields[$0] } }

    /// No rule of `@auth`, the model's or a field's, allows anybody an update or a delete.
    public var isCreateOnly: Bool {
        !authRules.isEmpty
            && !authRules.contains { $0.operations.contains(.update) || $0.operations.contains(.delete) }
            && !fields.contains { field in field.authRules.contains { $0.operations.contains(.update) } }
    }

    /// Whether both describe the same model.
    public static func == (a: ModelSchema, b: ModelSchema) -> Bool {
        a === b
            || (a.name == b.name && a.pluralName == b.pluralName && a.fields == b.fields
                && a.primaryKey == b.primaryKey && a.indexes == b.indexes && a.relations == b.relations
                && a.authRules == b.authRules && a.syncPolicy == b.syncPolicy
                && a.declaredConflictStrategy == b.declaredConflictStrategy && a.timestamps == b.timestamps
                && a.operations == b.operations)
    }

    /// Feeds the hash with the name and the fields.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(fields)
    }
}

/// A whole model schema.
public struct Schema: Sendable, Hashable {
    /// The models in the schema's order.
    public let models: [ModelSchema]
    /// The enums: name and cases in order.
    public let enums: [String: [String]]
    /// The embedded types: name and fields in order.
    public let embedded: [String: [FieldSchema]]
    /// What the schema's text says of its types for people.
    public let documentation: SchemaDocumentation
    private let byName: [String: ModelSchema]

    /// Puts a schema together.
    public init(
        models: [ModelSchema], enums: [String: [String]] = [:], embedded: [String: [FieldSchema]] = [:],
        documentation: SchemaDocumentation = SchemaDocumentation()
    ) {
        self.documentation = documentation
        self.models = models
        self.enums = enums
        self.embedded = embedded
        byName = Dictionary(models.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// A model by name.
    public func model(_ name: String) -> ModelSchema? { byName[name] }

    /// The models, what is referred to before what refers to it (``references(of:)``); deterministic, cycles keep
    /// schema order.
    public var modelsInDependencyOrder: [ModelSchema] {
        var done: Set<String> = []
        var result: [ModelSchema] = []
        func visit(_ model: ModelSchema, _ path: Set<String>) {
            guard !done.contains(model.name), !path.contains(model.name) else { return }
            for reference in references(of: model) {
                if let parent = byName[reference.target] { visit(parent, path.union([model.name])) }
            }
            if done.insert(model.name).inserted { result.append(model) }
        }
        for model in models { visit(model, []) }
        return result
    }
}
