/// A place in a source text, both counted from 1.
public struct SourcePosition: Sendable, Hashable {
    /// The line.
    public let line: Int
    /// The column, in Unicode scalars.
    public let column: Int

    /// Names a place.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The place of nodes that were made by a program.
    public static let none = SourcePosition(line: 0, column: 0)
}

/// Why a text is no GraphQL document, and where.
public struct GraphQLSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The line, from 1.
    public let line: Int
    /// The column, from 1.
    public let column: Int
    /// What is wrong.
    public let message: String
    /// Whether the text is too large rather than wrong.
    public let isLimit: Bool

    /// Makes the error.
    public init(line: Int, column: Int, message: String, isLimit: Bool = false) {
        self.line = line
        self.column = column
        self.message = message
        self.isLimit = isLimit
    }

    /// `line:column: message`.
    public var description: String { "\(line):\(column): \(message)" }
}

/// A GraphQL document: operations and fragments, type definitions, or both.
public struct Document: Sendable, Hashable {
    /// The definitions in order.
    public var definitions: [Definition]

    /// Puts a document together.
    public init(definitions: [Definition]) {
        self.definitions = definitions
    }

    /// The operations in order.
    public var operations: [OperationDefinition] {
        definitions.compactMap { if case .operation(let operation) = $0 { operation } else { nil } }
    }
    /// The fragments in order.
    public var fragments: [FragmentDefinition] {
        definitions.compactMap { if case .fragment(let fragment) = $0 { fragment } else { nil } }
    }
    /// The type definitions and type extensions in order.
    public var types: [TypeDefinition] {
        definitions.compactMap { if case .type(let type) = $0 { type } else { nil } }
    }
}

/// One definition of a document.
public enum Definition: Sendable, Hashable {
    case operation(OperationDefinition)
    case fragment(FragmentDefinition)
    case schema(SchemaDefinition)
    case type(TypeDefinition)
    case directive(DirectiveDefinition)

    /// Where it begins (its description excluded).
    public var position: SourcePosition {
        switch self {
        case .operation(let definition): definition.position
        case .fragment(let definition): definition.position
        case .schema(let definition): definition.position
        case .type(let definition): definition.position
        case .directive(let definition): definition.position
        }
    }
}

/// Query, mutation or subscription.
public enum OperationKind: String, Sendable, Hashable, CaseIterable {
    case query, mutation, subscription
}

/// An operation.
public struct OperationDefinition: Sendable, Hashable {
    /// The kind.
    public var kind: OperationKind
    /// The name, nil on an anonymous operation.
    public var name: String?
    /// The variables.
    public var variables: [VariableDefinition]
    /// The directives.
    public var directives: [Directive]
    /// The selection set, never empty when parsed.
    public var selections: [Selection]
    /// Where it begins.
    public var position: SourcePosition

    /// Puts an operation together.
    public init(
        kind: OperationKind, name: String? = nil, variables: [VariableDefinition] = [], directives: [Directive] = [],
        selections: [Selection], position: SourcePosition = .none
    ) {
        self.kind = kind
        self.name = name
        self.variables = variables
        self.directives = directives
        self.selections = selections
        self.position = position
    }
}

/// A variable of an operation.
public struct VariableDefinition: Sendable, Hashable {
    /// The name without `$`.
    public var name: String
    /// The type.
    public var type: TypeReference
    /// The default value.
    public var defaultValue: ValueNode?
    /// The directives.
    public var directives: [Directive]
    /// Where it begins.
    public var position: SourcePosition

    /// Declares a variable.
    public init(
        name: String, type: TypeReference, defaultValue: ValueNode? = nil, directives: [Directive] = [],
        position: SourcePosition = .none
    ) {
        self.name = name
        self.type = type
        self.defaultValue = defaultValue
        self.directives = directives
        self.position = position
    }
}

/// A named fragment.
public struct FragmentDefinition: Sendable, Hashable {
    /// The name.
    public var name: String
    /// The type it applies to.
    public var typeCondition: String
    /// The directives.
    public var directives: [Directive]
    /// The selection set.
    public var selections: [Selection]
    /// Where it begins.
    public var position: SourcePosition
}
