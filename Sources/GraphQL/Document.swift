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

    /// Makes the error.
    public init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
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

/// One selection of a selection set.
public indirect enum Selection: Sendable, Hashable {
    case field(FieldSelection)
    case spread(FragmentSpread)
    case inline(InlineFragment)

    /// Where it begins.
    public var position: SourcePosition {
        switch self {
        case .field(let field): field.position
        case .spread(let spread): spread.position
        case .inline(let fragment): fragment.position
        }
    }
}

/// A selected field.
public struct FieldSelection: Sendable, Hashable {
    /// The alias.
    public var alias: String?
    /// The field's name.
    public var name: String
    /// The arguments.
    public var arguments: [Argument]
    /// The directives.
    public var directives: [Directive]
    /// The selection set, empty on a leaf.
    public var selections: [Selection]
    /// Where it begins.
    public var position: SourcePosition

    /// Selects a field.
    public init(
        alias: String? = nil, name: String, arguments: [Argument] = [], directives: [Directive] = [],
        selections: [Selection] = [], position: SourcePosition = .none
    ) {
        self.alias = alias
        self.name = name
        self.arguments = arguments
        self.directives = directives
        self.selections = selections
        self.position = position
    }

    /// The key in the answer: the alias, else the name.
    public var responseKey: String { alias ?? name }
}

/// `...Name`
public struct FragmentSpread: Sendable, Hashable {
    /// The fragment's name.
    public var name: String
    /// The directives.
    public var directives: [Directive]
    /// Where it begins.
    public var position: SourcePosition
}

/// `... on Type { … }`
public struct InlineFragment: Sendable, Hashable {
    /// The type it applies to, nil for the enclosing one.
    public var typeCondition: String?
    /// The directives.
    public var directives: [Directive]
    /// The selection set.
    public var selections: [Selection]
    /// Where it begins.
    public var position: SourcePosition
}

/// A named value: of a field, of a directive.
public struct Argument: Sendable, Hashable {
    /// The name.
    public var name: String
    /// The value.
    public var value: ValueNode
    /// Where it begins.
    public var position: SourcePosition

    /// Names a value.
    public init(_ name: String, _ value: ValueNode, position: SourcePosition = .none) {
        self.name = name
        self.value = value
        self.position = position
    }
}

/// `@name(arguments)`
public struct Directive: Sendable, Hashable {
    /// The name without `@`.
    public var name: String
    /// The arguments.
    public var arguments: [Argument]
    /// Where it begins.
    public var position: SourcePosition

    /// Applies a directive.
    public init(_ name: String, arguments: [Argument] = [], position: SourcePosition = .none) {
        self.name = name
        self.arguments = arguments
        self.position = position
    }

    /// An argument's value by name.
    public subscript(argument: String) -> ValueNode? { arguments.first { $0.name == argument }?.value }
}

/// A value as written.
public struct ValueNode: Sendable, Hashable {
    /// The kinds of value.
    public indirect enum Kind: Sendable, Hashable {
        case variable(String)
        /// An integer's digits, as written.
        case int(String)
        /// Any other number, as written.
        case float(String)
        case string(String)
        case boolean(Bool)
        case null
        case enumeration(String)
        case list([ValueNode])
        /// The members in order.
        case object([Argument])
    }

    /// What it is.
    public var kind: Kind
    /// Where it begins.
    public var position: SourcePosition

    /// Makes a value.
    public init(_ kind: Kind, position: SourcePosition = .none) {
        self.kind = kind
        self.position = position
    }

    /// The text of a string, nil on anything else.
    public var string: String? { if case .string(let text) = kind { text } else { nil } }
    /// The name of an enum value, nil on anything else.
    public var enumeration: String? { if case .enumeration(let name) = kind { name } else { nil } }
    /// The elements of a list, nil on anything else.
    public var list: [ValueNode]? { if case .list(let elements) = kind { elements } else { nil } }
    /// The members of an object, nil on anything else.
    public var object: [Argument]? { if case .object(let members) = kind { members } else { nil } }
}

/// A type as written: `Name`, `[Type]`, `Type!`.
public indirect enum TypeReference: Sendable, Hashable, CustomStringConvertible {
    case named(String, position: SourcePosition)
    case list(TypeReference, position: SourcePosition)
    case nonNull(TypeReference)

    /// The innermost name.
    public var name: String {
        switch self {
        case .named(let name, _): name
        case .list(let element, _): element.name
        case .nonNull(let type): type.name
        }
    }

    /// Where it begins.
    public var position: SourcePosition {
        switch self {
        case .named(_, let position), .list(_, let position): position
        case .nonNull(let type): type.position
        }
    }

    /// Whether it ends in `!`.
    public var isNonNull: Bool { if case .nonNull = self { true } else { false } }

    /// As written in GraphQL.
    public var description: String {
        switch self {
        case .named(let name, _): name
        case .list(let element, _): "[\(element)]"
        case .nonNull(let type): "\(type)!"
        }
    }
}
