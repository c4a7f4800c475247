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
    public enum Kind: Sendable, Hashable {
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
