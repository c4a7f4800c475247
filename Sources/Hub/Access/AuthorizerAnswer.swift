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
    /// lets something through.
    private static func field(_ name: String) -> String? {
        let parts = name.split(separator: name.hasPrefix("arn:") ? "/" : ".", omittingEmptySubsequences: false)
        if name.hasPrefix("arn:") {
            guard parts.count >= 5, parts[parts.count - 4] == "types", parts[parts.count - 2] == "fields" else {
                return nil
            }
            return "\(parts[parts.count - 3]).\(parts[parts.count - 1])"
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
