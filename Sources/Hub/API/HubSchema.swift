import Models

/// The GraphQL API that a model schema gives, as Amplify's transformer would make it (`appsync-protocol.md` §1).
///
/// Immutable and shared: every request, subscription and introspection reads the same one.
final class HubSchema: Sendable {
    /// The model schema behind it.
    let source: Schema
    /// The models that take part in synchronisation, in the schema's order.
    let models: [ModelInfo]
    /// Every named type.
    let types: [String: APIType]
    /// The names of ``types`` in the order in which introspection lists them.
    let typeNames: [String]
    let query: APIObject
    /// Nil where no model has a mutation, or a subscription: an object type has fields or is none.
    let mutation: APIObject?
    let subscription: APIObject?

    /// Descriptions by `Type` and `Type.field`: the schema's own, and those of what the API adds.
    let descriptions: [String: String]

    private let modelIndexes: [String: Int]

    /// Builds the API.
    ///
    /// - Throws: ``HubError`` where a model cannot be served: an `@auth` rule on a field that is not there, a default that
    ///   is no value of its field, a conflict strategy that needs configuration the hub has not got.
    init(_ source: Schema) throws(HubError) {
        self.source = source
        var models: [ModelInfo] = []
        for model in source.models where model.syncPolicy != .none {
            models.append(try ModelInfo(model, index: models.count, in: source))
        }
        self.models = models
        modelIndexes = Dictionary(models.map { ($0.schema.name, $0.index) }, uniquingKeysWith: { first, _ in first })
        var builder = SchemaBuilder(source: source, models: models)
        builder.build()
        if let collision = builder.collision {
            throw HubError("the API needs \(collision) for itself; rename what the schema calls so")
        }
        types = builder.types
        typeNames = builder.names
        descriptions = APIDocumentation.standard.merging(source.documentation.descriptions) { _, own in own }
        query = builder.root("Query", builder.queries)
        mutation = builder.optionalRoot("Mutation", builder.mutations)
        subscription = builder.optionalRoot("Subscription", builder.subscriptions)
    }

    /// A served model by name.
    func model(_ name: String) -> ModelInfo? { modelIndexes[name].map { models[$0] } }

    /// An object type by name, the roots among them.
    func object(_ name: String) -> APIObject? {
        if case .object(let object)? = types[name] { object } else { nil }
    }

    /// An input object type by name.
    func input(_ name: String) -> APIInputObject? {
        if case .input(let input)? = types[name] { input } else { nil }
    }
}

/// Why a hub cannot start, in one line that says what to do.
public struct HubError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The line.
    public let message: String

    /// Makes the error.
    public init(_ message: String) {
        self.message = message
    }

    /// The line.
    public var description: String { message }
}
