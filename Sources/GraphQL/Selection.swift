/// One selection of a selection set.
public enum Selection: Sendable, Hashable {
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
