import Basics

/// What an authorizer function answers, in AppSync's contract for Lambda authorizers.
struct AuthorizerAnswer: Sendable, Hashable {
    let isAuthorized: Bool
    /// What rules and other functions may know of the caller: texts, numbers and flags.
    let context: [String: JSONValue]
    /// Fields that are null to him: `Type.field`.
    let deniedFields: [String]
    /// For how long the answer holds, in milliseconds.
    let lifetime: Int64

    /// Nil where it is no such answer.
    init?(_ json: JSONValue) {
        guard let isAuthorized = json["isAuthorized"]?.bool else { return nil }
        self.isAuthorized = isAuthorized
        var context: [String: JSONValue] = [:]
        for (name, value) in json["resolverContext"]?.object?.members ?? [] {
            switch value {
            case .string, .integer, .number, .bool: context[name] = value
            default: return nil
            }
        }
        self.context = context
        var denied: [String] = []
        for name in json["deniedFields"]?.array ?? [] {
            guard let name = name.string, let field = Self.field(name) else { return nil }
            denied.append(field)
        }
        deniedFields = denied
        let seconds = json["ttlOverride"]?.integer ?? Self.standardSeconds
        guard (0...Self.mostSeconds).contains(seconds) else { return nil }
        // At least until the request that it was asked for has been judged.
        lifetime = max(seconds * 1000, 1000)
    }

    private static let standardSeconds: Int64 = 300
    private static let mostSeconds: Int64 = 3600

    /// `Type.field`, or an ARN that ends in `types/Type/fields/field`; nil where it is neither, so that no typing error
    /// lets something through, and for what cannot be hidden: the pages of records have no rights of their own.
    private static func field(_ name: String) -> String? {
        guard let field = qualified(name) else { return nil }
        let type = field.split(separator: ".")[0]
        return type.hasPrefix("Model") && type.hasSuffix("Connection") ? nil : field
    }

    private static func qualified(_ name: String) -> String? {
        let parts = name.split(separator: name.hasPrefix("arn:") ? "/" : ".", omittingEmptySubsequences: false)
        if name.hasPrefix("arn:") {
            guard parts.count >= 5, parts[parts.count - 4] == "types", parts[parts.count - 2] == "fields" else {
                return nil
            }
            return qualified("\(parts[parts.count - 3]).\(parts[parts.count - 1])")
        }
        return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty ? name : nil
    }
}

extension Caller {
    /// The claim under which a caller carries the fields that his authorizer denies him.
    static let deniedFieldsClaim = "deniedFields"

    /// Whether his authorizer denies him a field of a type.
    func isDenied(_ field: String, on type: String) -> Bool {
        guard provider == .function, case .array(let names)? = claims[Self.deniedFieldsClaim] else { return false }
        return names.contains(.string("\(type).\(field)"))
    }

    /// Whether his authorizer denies him a stored field of a model, or anything within it: an embedded value that may not
    /// be shown whole is not shown.
    func isDenied(_ position: Int, of model: ModelInfo) -> Bool {
        guard provider == .function else { return false }
        if isDenied(model.schema.fields[position].name, on: model.schema.name) { return true }
        let types = model.embeddedTypes[position]
        guard !types.isEmpty, case .array(let names)? = claims[Self.deniedFieldsClaim] else { return false }
        return names.contains { name in types.contains { name.string?.hasPrefix($0 + ".") ?? false } }
    }

    /// What his authorizer denies him of what every record has beside its fields.
    func deniedMetadata(of model: ModelInfo) -> Set<String> {
        guard provider == .function else { return [] }
        return Set(
            ["__typename", "_version", "_deleted", "_lastChangedAt"].filter { isDenied($0, on: model.schema.name) })
    }

    /// Whether his authorizer denies him a query, mutation or subscription.
    func isDenied(_ root: RootField) -> Bool {
        guard provider == .function else { return false }
        switch root.kind {
        case .get, .list, .sync, .index: return isDenied(root.name, on: "Query")
        case .create, .update, .delete: return isDenied(root.name, on: "Mutation")
        case .onCreate, .onUpdate, .onDelete: return isDenied(root.name, on: "Subscription")
        }
    }
}
