/// `schema { query: … }` or its extension.
public struct SchemaDefinition: Sendable, Hashable {
    /// The description.
    public var description: String?
    /// The directives.
    public var directives: [Directive]
    /// The root types by kind.
    public var roots: [Root]
    /// `extend schema`.
    public var isExtension: Bool
    /// Where it begins.
    public var position: SourcePosition

    /// A root type.
    public struct Root: Sendable, Hashable {
        /// The kind.
        public var kind: OperationKind
        /// The type's name.
        public var type: String
        /// Where it begins.
        public var position: SourcePosition
    }
}

/// A type definition or its extension.
public struct TypeDefinition: Sendable, Hashable {
    /// The kinds of type, with what each has of its own.
    public enum Kind: Sendable, Hashable {
        case scalar
        case object(interfaces: [NamedReference], fields: [FieldDefinition])
        case interface(interfaces: [NamedReference], fields: [FieldDefinition])
        case union([NamedReference])
        case enumeration([EnumValueDefinition])
        case input([InputValueDefinition])
    }

    /// The description.
    public var description: String?
    /// The name.
    public var name: String
    /// What it is.
    public var kind: Kind
    /// The directives.
    public var directives: [Directive]
    /// `extend …`.
    public var isExtension: Bool
    /// Where its keyword stands.
    public var position: SourcePosition
    /// Where its name stands.
    public var namePosition: SourcePosition

    /// The keyword: `type`, `enum`, …
    public var keyword: String {
        switch kind {
        case .scalar: "scalar"
        case .object: "type"
        case .interface: "interface"
        case .union: "union"
        case .enumeration: "enum"
        case .input: "input"
        }
    }

    /// The fields of an object or an interface.
    public var fields: [FieldDefinition] {
        switch kind {
        case .object(_, let fields), .interface(_, let fields): fields
        default: []
        }
    }

    /// The directive of a name, the first where it is repeated.
    public func directive(_ name: String) -> Directive? { directives.first { $0.name == name } }
}

/// The name of a type, and where it stands.
public struct NamedReference: Sendable, Hashable {
    /// The name.
    public var name: String
    /// Where it stands.
    public var position: SourcePosition
}

/// A field of an object or an interface.
public struct FieldDefinition: Sendable, Hashable {
    /// The description.
    public var description: String?
    /// The name.
    public var name: String
    /// The arguments.
    public var arguments: [InputValueDefinition]
    /// The type.
    public var type: TypeReference
    /// The directives.
    public var directives: [Directive]
    /// Where its name stands.
    public var position: SourcePosition

    /// The directive of a name, the first where it is repeated.
    public func directive(_ name: String) -> Directive? { directives.first { $0.name == name } }
}

/// An argument of a field or a directive, or a field of an input type.
public struct InputValueDefinition: Sendable, Hashable {
    /// The description.
    public var description: String?
    /// The name.
    public var name: String
    /// The type.
    public var type: TypeReference
    /// The default value.
    public var defaultValue: ValueNode?
    /// The directives.
    public var directives: [Directive]
    /// Where its name stands.
    public var position: SourcePosition
}

/// A value of an enum.
public struct EnumValueDefinition: Sendable, Hashable {
    /// The description.
    public var description: String?
    /// The name.
    public var name: String
    /// The directives.
    public var directives: [Directive]
    /// Where its name stands.
    public var position: SourcePosition
}

/// `directive @name(arguments) repeatable on LOCATIONS`
public struct DirectiveDefinition: Sendable, Hashable {
    /// The description.
    public var description: String?
    /// The name without `@`.
    public var name: String
    /// The arguments.
    public var arguments: [InputValueDefinition]
    /// Whether it may stand more than once in one place.
    public var isRepeatable: Bool
    /// The places where it may stand.
    public var locations: [String]
    /// Where it begins.
    public var position: SourcePosition
}
