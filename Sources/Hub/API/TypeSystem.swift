import Basics
import Models

/// A type as it stands at one place of the schema: `[String!]!`.
indirect enum TypeShape: Hashable, Sendable, CustomStringConvertible {
    case named(String)
    case list(TypeShape)
    case nonNull(TypeShape)

    /// The notation of the schema language.
    var description: String {
        switch self {
        case .named(let name): name
        case .list(let element): "[\(element)]"
        case .nonNull(let inner): "\(inner)!"
        }
    }

    /// The name inside all wrappers.
    var name: String {
        switch self {
        case .named(let name): name
        case .list(let inner), .nonNull(let inner): inner.name
        }
    }

    var isNonNull: Bool { if case .nonNull = self { true } else { false } }

    /// The same without an outer `!`.
    var nullable: TypeShape { if case .nonNull(let inner) = self { inner } else { self } }
}

/// An argument of a field, or a field of an input type.
struct APIArgument: Sendable {
    let name: String
    let type: TypeShape
    /// As written in GraphQL.
    let defaultValue: String?

    init(_ name: String, _ type: TypeShape, defaultValue: String? = nil) {
        self.name = name
        self.type = type
        self.defaultValue = defaultValue
    }
}

/// What gives a field its value.
enum FieldSource: Sendable {
    /// A query, mutation or subscription.
    case root(RootField)
    /// A stored field of a model, by position.
    case column(Int)
    case version, deleted, lastChangedAt
    /// A relation of a model, by its position in the schema's list.
    case relation(RelationSchema)
    /// A property of an embedded object.
    case property(FieldSchema)
    /// A member of a connection.
    case items, nextToken, startedAt
    case typename
    /// `__schema`, `__type(name:)` and everything below them.
    case introspection
}

/// A field of an object type.
struct APIField: Sendable {
    let name: String
    let type: TypeShape
    let arguments: [APIArgument]
    let source: FieldSource

    init(_ name: String, _ type: TypeShape, _ arguments: [APIArgument] = [], source: FieldSource) {
        self.name = name
        self.type = type
        self.arguments = arguments
        self.source = source
    }

    func argument(_ name: String) -> APIArgument? { arguments.first { $0.name == name } }
}

/// An object type; look-up by name is indexed, the order is the schema's.
struct APIObject: Sendable {
    let name: String
    let fields: [APIField]
    /// The model's index where the type is a model's, or a connection of it.
    let model: Int?
    private let positions: [ByteText: Int]

    init(_ name: String, _ fields: [APIField], model: Int? = nil) {
        self.name = name
        self.fields = fields
        self.model = model
        positions = Dictionary(
            fields.enumerated().map { (ByteText($1.name), $0) }, uniquingKeysWith: { first, _ in first })
    }

    func field(_ name: String) -> APIField? { positions[ByteText(name)].map { fields[$0] } }
}

/// An input object type.
struct APIInputObject: Sendable {
    /// What the hub makes of a value of the type.
    enum Role: Sendable {
        case plain
        case create(model: Int)
        case update(model: Int)
        case delete(model: Int)
        /// A filter or a condition on a model.
        case filter(model: Int)
    }

    let name: String
    let fields: [APIArgument]
    let role: Role
    private let positions: [ByteText: Int]

    init(_ name: String, _ fields: [APIArgument], role: Role = .plain) {
        self.name = name
        self.fields = fields
        self.role = role
        positions = Dictionary(
            fields.enumerated().map { (ByteText($1.name), $0) }, uniquingKeysWith: { first, _ in first })
    }

    func field(_ name: String) -> APIArgument? { positions[ByteText(name)].map { fields[$0] } }
}

/// A named type of the API.
enum APIType: Sendable {
    case scalar(String)
    case enumeration(String, [String])
    case object(APIObject)
    case input(APIInputObject)

    var name: String {
        switch self {
        case .scalar(let name), .enumeration(let name, _): name
        case .object(let object): object.name
        case .input(let input): input.name
        }
    }

    /// Whether variables and arguments may be of it.
    var isInput: Bool { if case .object = self { false } else { true } }
    /// Whether a field of it has no selection.
    var isLeaf: Bool {
        switch self {
        case .scalar, .enumeration: true
        case .object, .input: false
        }
    }
}

/// One root field: what it does and to which model.
struct RootField: Sendable, Hashable {
    /// What it does.
    enum Kind: Sendable, Hashable {
        case get, list, sync
        /// A query along an index, by its position in the model's list.
        case index(Int)
        case create, update, delete
        case onCreate, onUpdate, onDelete
    }

    let kind: Kind
    let model: Int
    let name: String
}
