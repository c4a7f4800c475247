import Basics
import Models

/// A model schema as Amplify's own tools take it.
///
/// Amplify's transformer refuses directives that it does not know, so ours are left out:
/// the conflict settings go into `transform.conf.json`, the decimals are `Float`s anyway, and the sync policy is a
/// matter of the device. Models with `@sync(policy: NONE)` never leave a device and are left out whole, with the
/// relations that point to them.
public struct AppSyncExport: Sendable {
    /// The text of `schema.graphql`.
    public let schema: String
    /// The text of `transform.conf.json`.
    ///
    /// A model with `@conflict(strategy: LAMBDA)` names the function `<Model>ConflictHandler-${env}`, which the Amplify
    /// project must have.
    public let transformConfiguration: String

    /// Exports a schema in GraphQL's schema language.
    ///
    /// - Throws: `SchemaMistakes` with every mistake in the schema.
    public init(sdl text: String) throws(SchemaMistakes) {
        let document: Document
        do {
            document = try Document(parsing: text)
        } catch {
            throw SchemaMistakes([SchemaMistake(line: error.line, column: error.column, message: error.message)])
        }
        let models = try Schema(document).models.filter { $0.syncPolicy != .none }
        let kept = Set(models.map(\.name))
        var result = Document(definitions: [])
        for case .type(var type) in document.definitions {
            if type.directive("model") != nil {
                guard kept.contains(type.name) else { continue }
                type.directives.removeAll { ["sync", "conflict"].contains($0.name) }
            }
            if case .object(let interfaces, let fields) = type.kind {
                type.kind = .object(
                    interfaces: interfaces, fields: fields.compactMap { Self.exported($0, kept, document) })
            }
            result.definitions.append(.type(type))
        }
        schema = result.text
        transformConfiguration = Self.configuration(models)
    }

    private static func exported(_ field: FieldDefinition, _ kept: Set<String>, _ document: Document)
        -> FieldDefinition?
    {
        let isRelation = field.directives.contains {
            DirectiveSpecification.relations.contains($0.name) || $0.name == "manyToMany"
        }
        if isRelation, !kept.contains(field.type.name) { return nil }
        var field = field
        field.directives.removeAll { ["decimal", "counter", "set"].contains($0.name) }
        return field
    }

    private static func configuration(_ models: [ModelSchema]) -> String {
        var special = JSONObject()
        for model in models where model.conflictStrategy != .automerge {
            var settings: JSONObject = [
                "ConflictHandler": .string(model.conflictStrategy.rawValue), "ConflictDetection": "VERSION",
            ]
            if model.conflictStrategy == .lambda {
                settings["LambdaConflictHandler"] = ["name": .string("\(model.name)ConflictHandler-${env}")]
            }
            special[model.name] = .object(settings)
        }
        var resolvers: JSONObject = ["project": ["ConflictHandler": "AUTOMERGE", "ConflictDetection": "VERSION"]]
        if !special.isEmpty { resolvers["models"] = .object(special) }
        return JSONValue.object(["Version": 5, "ElasticsearchWarning": true, "ResolverConfig": .object(resolvers)]).text
            + "\n"
    }
}
