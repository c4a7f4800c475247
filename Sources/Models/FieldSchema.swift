import Basics

/// The scalar types of a model schema: GraphQL's, AppSync's, and fixed-point decimals.
public enum ScalarType: Sendable, Hashable {
    case id, string, int, float, boolean
    case awsDate, awsTime, awsDateTime, awsTimestamp
    case awsEmail, awsJSON, awsPhone, awsURL, awsIPAddress
    /// `Float @decimal(places:)`: a JSON number on the wire, an integer of the last place in storage.
    case decimal(places: Int)

    /// The name in a GraphQL schema; a decimal is a `Float` there.
    public var graphQLName: String {
        switch self {
        case .id: "ID"
        case .string: "String"
        case .int: "Int"
        case .float, .decimal: "Float"
        case .boolean: "Boolean"
        case .awsDate: "AWSDate"
        case .awsTime: "AWSTime"
        case .awsDateTime: "AWSDateTime"
        case .awsTimestamp: "AWSTimestamp"
        case .awsEmail: "AWSEmail"
        case .awsJSON: "AWSJSON"
        case .awsPhone: "AWSPhone"
        case .awsURL: "AWSURL"
        case .awsIPAddress: "AWSIPAddress"
        }
    }
}

/// What a field holds, one element of it where it is a list.
public enum FieldType: Sendable, Hashable {
    case scalar(ScalarType)
    /// An enum of the schema, by name.
    case enumeration(String)
    /// An embedded (non-model) object type of the schema, by name.
    case embedded(String)
}

/// One stored field of a model or of an embedded type.
public struct FieldSchema: Sendable, Hashable {
    /// The field's name, the column's and the wire's.
    public let name: String
    /// The type, or the element's type where ``isList``.
    public let type: FieldType
    /// `!` on the field (on the list where it is one).
    public let isRequired: Bool
    /// Whether it is a list.
    public let isList: Bool
    /// `!` on the list's elements.
    public let isElementRequired: Bool
    /// The text of `@default(value:)`.
    public let defaultValue: String?
    /// Filled by the server and absent from inputs: implicit `createdAt` and `updatedAt`.
    public let isReadOnly: Bool
    /// The rules of `@auth` on the field itself, which take the place of the model's for it; empty where it has none.
    public let authRules: [AuthRule]
    /// How changes made apart are merged, where the schema says so: `@counter`, `@set`.
    public let merge: FieldMerge?

    /// Describes one field.
    public init(
        _ name: String, _ type: FieldType, isRequired: Bool = false, isList: Bool = false,
        isElementRequired: Bool = false, defaultValue: String? = nil, isReadOnly: Bool = false,
        authRules: [AuthRule] = [], merge: FieldMerge? = nil
    ) {
        self.name = name
        self.type = type
        self.isRequired = isRequired
        self.isList = isList
        self.isElementRequired = isElementRequired
        self.defaultValue = defaultValue
        self.isReadOnly = isReadOnly
        self.authRules = authRules
        self.merge = merge
    }

    /// The same field with rules of its own.
    public func guarded(by rules: [AuthRule]) -> FieldSchema {
        FieldSchema(
            name, type, isRequired: isRequired, isList: isList, isElementRequired: isElementRequired,
            defaultValue: defaultValue, isReadOnly: isReadOnly, authRules: rules, merge: merge)
    }

    /// Whether the storage form is JSON text: lists, embedded types, and `AWSJSON`.
    public var isStoredAsJSON: Bool {
        if isList { return true }
        switch type {
        case .embedded, .scalar(.awsJSON): return true
        default: return false
        }
    }

    /// Whether a filter may name it: scalars, enums and lists of them; not embedded types.
    public var isFilterable: Bool {
        if case .embedded = type { return false }
        return true
    }
}
