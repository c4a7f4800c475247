import Basics
import Models

/// Whom a rule is for, as Amplify's transformer has it (`appsync-protocol.md` §1.8).
extension AuthRule {
    /// Whether a rule is for callers of this provider.
    ///
    /// Amplify's defaults: `public` is for API keys, `custom` for the authorizer function, the others for user pools, in
    /// whose place stand the hub's own people. Two things are the hub's: a key that carries groups, or names who is
    /// signed in at its terminal, stands for those people wherever a rule names no provider; and so do the tokens of
    /// another issuer, unless some rule of the schema tells that issuer's people apart (`provider: oidc`). A rule that
    /// names its provider is for that one alone.
    func takes(_ caller: Caller, hasOtherIssuers: Bool) -> Bool {
        if caller.provider == authProvider { return true }
        guard provider == nil, authProvider == .userPools else { return false }
        return caller.provider == .apiKey || caller.provider == .oidc && !hasOtherIssuers
    }
}

/// What rules compare of a caller.
extension Caller {
    /// The names under which each of the rules of `listen` knows him as the owner that this field names.
    func ownerNames(of position: Int, _ model: ModelInfo) -> [[String]] {
        model.schema.authRules.filter { rule in
            rule.allow == .owner && rule.operations.contains(.listen)
                && model.schema.position(of: rule.ownerField ?? "owner") == position
                && rule.takes(self, hasOtherIssuers: model.hasOtherIssuers)
        }.map { ownerNames(claim: $0.identityClaim) }
    }

    /// Whether he is a person, as `allow: private` asks: a token always is somebody's, a key only where it names him.
    var isSomebody: Bool { provider != .apiKey || person != nil }

    /// The names under which an owner field knows the caller, the first being what a create fills in; empty where he has
    /// not the claim.
    ///
    /// Without a claim it is the person, and for an issuer's token Amplify's `sub::username` and `sub` too: its clients name
    /// themselves so, and so do records that were written elsewhere. The bare `username` is a user pool's alone, as with
    /// Amplify: elsewhere people may choose it, and choose somebody else's name. A claim written with `::` joins several;
    /// each part alone is accepted too, as records written under an earlier rule have it.
    func ownerNames(claim name: String?) -> [String] {
        switch name {
        case nil:
            guard isIssued else { return person.map { [$0] } ?? ownerNames(claim: "sub::username") }
            let chosen = provider == .userPools || text("username") == text("sub") ? nil : text("username")
            return (person.map { [$0] } ?? []) + tokenNames.filter { $0 != person && $0 != chosen }
        case "person": return person.map { [$0] } ?? []
        case "device": return device.map { [$0] } ?? []
        case let name? where provider == .apiKey:
            // A terminal vouches for who is signed in, by whatever name a rule calls him, and for nothing else of him.
            return Self.personClaims.contains(name) ? person.map { [$0] } ?? [] : []
        case let name?: return joined(Self.parts(name))
        }
    }

    /// Whether a token of another issuer says who he is, as Amplify's clients have one.
    private var isIssued: Bool {
        guard case .issuer = source else { return false }
        return provider == .userPools || provider == .oidc
    }

    /// Amplify's `sub::username` of a token and its parts, as far as it has them.
    private var tokenNames: [String] {
        let parts = ["sub", "username"].compactMap(text)
        // A part that holds the joint could pass for another's join.
        guard parts.allSatisfy({ Self.parts($0).count == 1 }) else { return [] }
        return parts.count > 1 ? [parts.joined(separator: Self.joint)] + parts : parts
    }

    private static let personClaims: Set<String> = ["sub", "username", "cognito:username", "sub::username"]

    /// The groups that a rule with this claim looks at.
    func groups(claim name: String?) -> Set<String> {
        guard let name, let value = claims[name] else {
            return name == nil || name == "cognito:groups" ? groups : []
        }
        return issuerGroups.taken(Self.names(value))
    }

    private static func names(_ value: JSONValue) -> Set<String> {
        switch value {
        case .array(let elements): return Set(elements.compactMap(\.string))
        case .string(let text):
            // Some issuers write the list as text.
            if text.hasPrefix("["), case .array(let elements)? = try? JSONValue(parsing: text) {
                return Set(elements.compactMap(\.string))
            }
            return text.isEmpty ? [] : [text]
        default: return []
        }
    }

    private func joined(_ parts: [String]) -> [String] {
        var values: [String] = []
        for part in parts {
            guard let value = text(part) else { return [] }
            // A part that holds the joint could pass for another's join.
            if parts.count > 1, Self.parts(value).count > 1 { return [] }
            values.append(value)
        }
        return parts.count > 1 ? [values.joined(separator: Self.joint)] + values : values
    }

    /// A claim as text; `username` goes by its older name too.
    private func text(_ claim: String) -> String? {
        let value: JSONValue?
        switch claim {
        case "username": value = claims["username"] ?? claims["cognito:username"]
        case "cognito:username": value = claims["cognito:username"] ?? claims["username"]
        default: value = claims[claim]
        }
        switch value {
        case .string(let text)?: return text.isEmpty ? nil : text
        case .integer(let number)?: return String(number)
        default: return nil
        }
    }

    private static let joint = "::"

    /// `a::b` in its parts; a single colon belongs to a name, as in `cognito:username`.
    private static func parts(_ name: String) -> [String] {
        var parts = [""]
        var rest = name[...]
        while let character = rest.first {
            if rest.hasPrefix(joint) {
                parts.append("")
                rest = rest.dropFirst(2)
            } else {
                parts[parts.count - 1].append(character)
                rest = rest.dropFirst()
            }
        }
        return parts
    }
}
