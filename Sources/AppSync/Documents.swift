import Basics
import Models

/// Makes the documents that a client of the service sends, the same text for the same shape, so that the service's
/// cache of parsed documents finds them.
public struct Documents: Sendable {
    /// The schema.
    public let schema: Schema
    private let md5: (@Sendable (String) -> String)?
    private var selections: [String: String] = [:]
    private var mutations: [MutationShape: String] = [:]

    /// - Parameter md5: needed only where a subscription's name exceeds 50 characters.
    public init(schema: Schema, md5: (@Sendable (String) -> String)? = nil) {
        self.schema = schema
        self.md5 = md5
    }

    /// A root field's name.
    public func name(_ operation: ModelOperation, of model: ModelSchema) -> String {
        model.operationName(operation, md5: md5)
    }

    /// All stored fields with `_version _deleted _lastChangedAt`; embedded types with all of theirs.
    public mutating func selection(of model: ModelSchema) -> String {
        if let known = selections[model.name] { return known }
        let text = Self.fields(model.fields, schema) + " _version _deleted _lastChangedAt"
        selections[model.name] = text
        return text
    }

    /// `getX` by the key; its variables are named as the key's fields.
    public mutating func get(_ model: ModelSchema) -> String {
        let keys = model.primaryKey
        let variables = keys.map { "$\($0): \(Self.keyType(of: $0, in: model))!" }.joined(separator: ", ")
        let arguments = keys.map { "\($0): $\($0)" }.joined(separator: ", ")
        let name = name(.get, of: model)
        return "query Get(\(variables)) { \(name)(\(arguments)) { \(selection(of: model)) } }"
    }

    /// `syncXs` with the variables `filter limit nextToken lastSync`.
    public mutating func sync(_ model: ModelSchema) -> String {
        "query Sync($filter: \(model.filterTypeName), $limit: Int, $nextToken: String, $lastSync: AWSTimestamp) { "
            + "\(name(.sync, of: model))(filter: $filter, limit: $limit, nextToken: $nextToken, lastSync: $lastSync) "
            + "{ items { \(selection(of: model)) } nextToken startedAt } }"
    }

    /// `onCreateX`, `onUpdateX` or `onDeleteX`, with the variable `filter` where it is filtered.
    public mutating func subscription(_ operation: ModelOperation, _ model: ModelSchema, filtered: Bool) -> String {
        let field = name(operation, of: model)
        let selection = selection(of: model)
        return filtered
            ? "subscription On($filter: \(model.subscriptionFilterTypeName)) "
                + "{ \(field)(filter: $filter) { \(selection) } }"
            : "subscription On { \(field) { \(selection) } }"
    }

    /// One document for mutations of these shapes in this order, aliased `m0`, `m1`, …
    ///
    /// Their variables are `i0`, `i1`, … and, where a mutation has a condition, `c0`, `c1`, …
    public mutating func mutation(_ steps: [MutationStep]) -> String {
        let shape = MutationShape(steps: steps)
        if let known = mutations[shape] { return known }
        if mutations.count >= Self.cachedShapes { mutations.removeAll(keepingCapacity: true) }
        let text = makeMutation(steps)
        mutations[shape] = text
        return text
    }

    private mutating func makeMutation(_ steps: [MutationStep]) -> String {
        var variables = ""
        var body = ""
        var models: [ModelSchema] = []
        for (index, step) in steps.enumerated() {
            let model = step.model
            if !models.contains(where: { $0.name == model.name }) { models.append(model) }
            if index > 0 { variables += ", " }
            variables += "$i\(index): \(model.inputTypeName(step.operation) ?? "")!"
            var arguments = "input: $i\(index)"
            if step.hasCondition {
                variables += ", $c\(index): \(model.conditionTypeName)"
                arguments += ", condition: $c\(index)"
            }
            body += " m\(index): \(name(step.operation, of: model))(\(arguments)) { ...\(model.capitalizedName)Fields }"
        }
        var text = "mutation Push(\(variables)) {\(body) }"
        for model in models {
            text += " fragment \(model.capitalizedName)Fields on \(model.name) { __typename \(selection(of: model)) }"
        }
        return text
    }

    private static func fields(_ fields: [FieldSchema], _ schema: Schema) -> String {
        fields.map { field in
            guard case .embedded(let name) = field.type, let inner = schema.embedded[name] else { return field.name }
            return "\(field.name) { \(Self.fields(inner, schema)) }"
        }.joined(separator: " ")
    }

    private static func keyType(of field: String, in model: ModelSchema) -> String {
        switch model.field(field)?.type {
        case .scalar(let scalar)?: scalar.graphQLName
        case .enumeration(let name)?, .embedded(let name)?: name
        case nil: ScalarType.id.graphQLName
        }
    }

    private static let cachedShapes = 512
}

/// What decides the text of one mutation in a batch.
public struct MutationStep: Sendable, Hashable {
    /// The model.
    public let model: ModelSchema
    /// Create, update or delete.
    public let operation: ModelOperation
    /// Whether it carries a condition.
    public let hasCondition: Bool

    /// Describes a step.
    public init(_ model: ModelSchema, _ operation: ModelOperation, hasCondition: Bool = false) {
        self.model = model
        self.operation = operation
        self.hasCondition = hasCondition
    }

    /// Compares names: within one schema they decide.
    public static func == (a: MutationStep, b: MutationStep) -> Bool {
        a.operation == b.operation && a.hasCondition == b.hasCondition && a.model.name == b.model.name
    }

    /// Feeds the hash with the names.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(model.name)
        hasher.combine(operation)
    }
}

/// The cache's key, run-length coded: a batch of a hundred entries is one run.
private struct MutationShape: Hashable, Sendable {
    var runs: [Run] = []

    struct Run: Hashable, Sendable {
        let step: MutationStep
        var count: Int
    }

    init(steps: [MutationStep]) {
        for step in steps {
            if let last = runs.last, last.step == step {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(Run(step: step, count: 1))
            }
        }
    }
}
