import AppSync
import Basics
import GraphQL

/// A document that was parsed and found valid: what is kept between requests that send the same text.
final class PreparedDocument: Sendable {
    let operations: [PreparedOperation]
    /// The document as it came: it is prepared anew when the schema changes under those who keep it.
    let text: String
    /// About how many bytes it takes: the tree of its text, and its fields with all fragments spread out.
    let weight: Int

    init(_ operations: [PreparedOperation], text: String) {
        self.operations = operations
        self.text = text
        weight = operations.reduce(4 * text.utf8.count) { $0 + 512 * $1.fieldCount }
    }

    /// The operation to run: the one named, or the only one.
    func operation(named name: String?) -> PreparedOperation? {
        guard let name, !name.isEmpty else { return operations.count == 1 ? operations[0] : nil }
        return operations.first { $0.name == name }
    }
}

/// An operation with its fields resolved against the API.
final class PreparedOperation: Sendable {
    let kind: OperationKind
    let name: String?
    let variables: [PreparedVariable]
    /// What to run; nil where `@skip` or `@include` make it depend on variables.
    private let fixedRoots: [SelectedField]?
    private let definition: OperationDefinition
    private let fragments: [String: FragmentDefinition]
    private let schema: HubSchema
    /// The fields that are kept resolved, nested ones as well.
    var fieldCount: Int { fixedRoots?.reduce(0) { $0 + $1.count } ?? 0 }

    /// - Parameters:
    ///   - usesConditions: whether what is run depends on `@skip` or `@include`.
    ///   - conditions: the variables that these name, which therefore may not be null.
    init(
        _ definition: OperationDefinition, _ fragments: [String: FragmentDefinition], _ schema: HubSchema,
        usesConditions: Bool, conditions: Set<String>
    ) {
        kind = definition.kind
        name = definition.name
        self.definition = definition
        self.fragments = fragments
        self.schema = schema
        variables = definition.variables.map {
            PreparedVariable($0, schema, isCondition: conditions.contains($0.name))
        }
        fixedRoots =
            usesConditions ? nil : Self.roots(definition, fragments, schema, [:])
    }

    /// The root fields to run with these variables.
    func roots(_ values: [String: JSONValue]) -> [SelectedField] {
        fixedRoots ?? Self.roots(definition, fragments, schema, values)
    }

    private static func roots(
        _ definition: OperationDefinition, _ fragments: [String: FragmentDefinition], _ schema: HubSchema,
        _ values: [String: JSONValue]
    ) -> [SelectedField] {
        guard let root = schema.root(definition.kind) else { return [] }
        return SelectionCompiler(schema: schema, fragments: fragments, variables: values)
            .compile(definition.selections, on: root).fields
    }

    /// Whether it is a batch as our own clients send it: several mutations, each under an id.
    ///
    /// Everybody else has written one document, of which nothing is carried out where its variables do not fit.
    func isBatch(under ids: [String: String]) -> Bool {
        guard kind == .mutation, let fixedRoots else { return false }
        let mutations = fixedRoots.filter { if case .root = $0.definition.source { true } else { false } }
        return mutations.count > 1 && mutations.allSatisfy { ids[$0.key] != nil }
    }
}

/// A variable of an operation.
struct PreparedVariable: Sendable {
    let name: String
    let type: TypeShape
    let defaultValue: JSONValue?
    /// What a mutation makes of it, where it is a mutation's input.
    let role: APIInputObject.Role

    init(_ definition: VariableDefinition, _ schema: HubSchema, isCondition: Bool) {
        let written = TypeShape(definition.type)
        // A default lets it be left out, and nothing lets it be null.
        let type = isCondition ? .nonNull(written.nullable) : written
        name = definition.name
        self.type = type
        defaultValue = definition.defaultValue.flatMap { try? Literal(schema: schema).value($0, type) }
        if case .named(let input) = type.nullable, let object = schema.input(input) {
            role = object.role
        } else {
            role = .plain
        }
    }
}

/// The fields to answer of one object.
final class ObjectSelection: Sendable {
    let typeName: String
    let fields: [SelectedField]
    /// Whether it reaches into other models, whose rights depend on who asks.
    let hasRelations: Bool

    init(_ typeName: String, _ fields: [SelectedField]) {
        self.typeName = typeName
        self.fields = fields
        hasRelations = fields.contains { field in
            if case .relation = field.definition.source { return true }
            return field.selection?.hasRelations ?? false
        }
    }
}

/// One field to answer: a reference, because every row of an answer walks over all of them.
final class SelectedField: Sendable {
    /// The key in the answer.
    let key: String
    /// `"key":` as bytes.
    let keyBytes: [UInt8]
    let definition: APIField
    let arguments: [Argument]
    let selection: ObjectSelection?
    let location: ResponseError.Location
    let isNonNull: Bool
    /// How many fields it is with those within.
    let count: Int

    init(_ field: FieldSelection, _ definition: APIField, _ selection: ObjectSelection?) {
        key = field.responseKey
        keyBytes = JSONValue.string(key).bytes + [UInt8(ascii: ":")]
        self.definition = definition
        arguments = field.arguments
        self.selection = selection
        location = ResponseError.Location(field.position)
        isNonNull = definition.type.isNonNull
        count = selection?.fields.reduce(1) { $0 + $1.count } ?? 1
    }
}

extension ResponseError.Location {
    init(_ position: SourcePosition) {
        self.init(line: position.line, column: position.column)
    }
}

extension TypeShape {
    /// A type as written in a document.
    init(_ written: GraphQL.TypeReference) {
        switch written {
        case .named(let name, _): self = .named(name)
        case .list(let element, _): self = .list(TypeShape(element))
        case .nonNull(let inner): self = .nonNull(TypeShape(inner))
        }
    }
}

extension HubSchema {
    /// The root type of a kind of operation; nil where the schema has no such operation.
    func root(_ kind: OperationKind) -> APIObject? {
        switch kind {
        case .query: query
        case .mutation: mutation
        case .subscription: subscription
        }
    }
}
