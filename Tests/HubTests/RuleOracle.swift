import Basics
import Models

/// Who somebody is, as the matrix of rights sees it.
struct Identity: Sendable, CustomStringConvertible {
    let name: String
    let provider: AuthProvider
    var person: String?
    var device: String?
    var groups: Set<String> = []
    var claims: [String: String] = [:]
    var lists: [String: [String]] = [:]

    var description: String { name }
    /// The token that stands for him; a blank would end it.
    var token: String { String(name.map { $0 == " " ? "-" : $0 }) }

    static let all = [
        Identity(name: "a key without groups", provider: .apiKey),
        Identity(name: "a counter's key", provider: .apiKey, groups: ["counters"]),
        Identity(
            name: "a terminal where Ann is signed in", provider: .apiKey, person: "ann", device: "T1",
            groups: ["counters"]),
        Identity(name: "a supervisors' key", provider: .apiKey, groups: ["staff"]),
        Identity(name: "Ann", provider: .userPools, person: "ann", groups: ["staff"], claims: ["sub": "ann"]),
        Identity(name: "Bob", provider: .userPools, person: "bob", groups: ["blue"], claims: ["sub": "bob"]),
        Identity(
            name: "Ann by another issuer", provider: .oidc, person: "ann", groups: ["staff"],
            claims: ["sub": "s-1", "username": "annie", "email": "ann@x"], lists: ["dept": ["blue", "staff"]]),
        Identity(
            name: "Eve by another issuer", provider: .oidc,
            claims: ["sub": "s-1", "username": "eve", "email": "eve@x", "dept": "red"]),
        Identity(
            name: "one whose name holds the joint", provider: .userPools,
            claims: ["sub": "s-1::annie", "username": "x"]),
        Identity(name: "whom the function lets in", provider: .function, person: "ann", groups: ["staff"]),
        Identity(
            name: "Ann by a user pool", provider: .userPools, person: "s-1",
            claims: ["sub": "s-1", "cognito:username": "annie"]),
    ]
}

/// A row as the rules of the matrix look at it.
struct MatrixRow: Sendable {
    let name: String
    var owner: String?
    var editors: [String]?
    var team: String?
    var teams: [String]?

    static let all = [
        MatrixRow(name: "a", owner: "ann", editors: ["bob", "ann"], team: "staff", teams: ["x", "staff"]),
        MatrixRow(name: "b", owner: "T1", editors: ["T1"], team: "blue", teams: ["blue"]),
        MatrixRow(name: "c", owner: "s-1::annie", editors: ["ann@x", "annette"], team: "red", teams: []),
        MatrixRow(name: "d"),
        MatrixRow(name: "e", owner: "annie", editors: ["s-1"]),
    ]

    func values(_ field: String) -> [String] {
        switch field {
        case "owner": owner.map { [$0] } ?? []
        case "editors": editors ?? []
        case "team": team.map { [$0] } ?? []
        case "teams": teams ?? []
        default: []
        }
    }
}

/// Decides from the text of one rule; written from Amplify's documentation and the hub's two additions, and sharing
/// nothing with what it judges.
struct RuleOracle {
    let text: String
    /// Whether some rule of the schema says `provider: oidc`.
    let schemaNamesOIDC: Bool

    /// The rules of the matrix, `OPS` standing for the operations.
    static let rules = [
        #"{ allow: owner OPS }"#,
        #"{ allow: owner, ownerField: "editors" OPS }"#,
        #"{ allow: owner, identityClaim: "device" OPS }"#,
        #"{ allow: owner, identityClaim: "sub::username" OPS }"#,
        #"{ allow: owner, identityClaim: "sub" OPS }"#,
        #"{ allow: owner, ownerField: "editors", identityClaim: "email" OPS }"#,
        #"{ allow: owner, provider: userPools OPS }"#,
        #"{ allow: groups, groups: ["staff", "admins"] OPS }"#,
        #"{ allow: groups, groups: ["staff"], provider: userPools OPS }"#,
        #"{ allow: groups, groups: ["blue"], groupClaim: "dept" OPS }"#,
        #"{ allow: groups, groupsField: "team" OPS }"#,
        #"{ allow: groups, groupsField: "teams" OPS }"#,
        #"{ allow: groups, groupsField: "team", groupClaim: "dept" OPS }"#,
        #"{ allow: private OPS }"#,
        #"{ allow: private, provider: iam OPS }"#,
        #"{ allow: public OPS }"#,
        #"{ allow: public, provider: identityPool OPS }"#,
        #"{ allow: custom OPS }"#,
    ]
    /// What only a schema has that tells another issuer's people apart.
    static let rulesOfOIDC = [
        #"{ allow: owner, provider: oidc OPS }"#,
        #"{ allow: owner, identityClaim: "sub::username", provider: oidc OPS }"#,
        #"{ allow: owner, ownerField: "editors", identityClaim: "email", provider: oidc OPS }"#,
        #"{ allow: groups, groups: ["blue"], groupClaim: "dept", provider: oidc OPS }"#,
        #"{ allow: private, provider: oidc OPS }"#,
    ]

    private func quoted(_ name: String) -> String? {
        let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
        for index in parts.indices where parts[index].hasSuffix("\(name): ") && index + 1 < parts.count {
            return String(parts[index + 1])
        }
        return nil
    }

    private func word(_ name: String) -> String? {
        let words = text.split { " ,{}".contains($0) }.map(String.init)
        return words.firstIndex(of: name + ":").map { words[$0 + 1] }
    }

    private var groups: [String] {
        guard let open = text.firstIndex(of: "["), text[..<open].hasSuffix("groups: "),
            let close = text[open...].firstIndex(of: "]")
        else { return [] }
        return text[open..<close].split { "[]\", ".contains($0) }.map(String.init)
    }

    private func isMeant(_ who: Identity) -> Bool {
        let allow = word("allow")!
        switch word("provider") {
        case "userPools": return who.provider == .userPools
        case "oidc": return who.provider == .oidc
        case "iam", "identityPool": return false
        default: break
        }
        if allow == "public" { return who.provider == .apiKey }
        if allow == "custom" { return who.provider == .function }
        switch who.provider {
        case .userPools, .apiKey: return true
        case .oidc: return !schemaNamesOIDC
        case .iam, .function: return false
        }
    }

    private func names(_ who: Identity) -> [String] {
        let claim = quoted("identityClaim")
        if claim == "device" { return who.device.map { [$0] } ?? [] }
        if who.provider == .apiKey { return claim == "email" ? [] : who.person.map { [$0] } ?? [] }
        if claim == nil || claim == "sub::username" {
            let parts = ["sub", "username"].compactMap { part in
                who.claims[part] ?? (part == "username" ? who.claims["cognito:username"] : nil)
            }
            let joined = parts.count == 2 ? [parts.joined(separator: "::")] + parts : claim == nil ? parts : []
            // The name that people may have chosen is a user pool's alone.
            if claim == nil, who.provider == .oidc, parts.count == 2 {
                let known = [parts.joined(separator: "::"), parts[0]]
                return (who.person.map { [$0] } ?? []) + (parts.contains { $0.contains("::") } ? [] : known)
            }
            let own = claim == nil ? who.person.map { [$0] } ?? [] : []
            return own + (parts.contains { $0.contains("::") } ? [] : joined)
        }
        return who.claims[claim!].map { [$0] } ?? []
    }

    private func groups(_ who: Identity) -> Set<String> {
        guard let claim = quoted("groupClaim") else { return who.groups }
        if let list = who.lists[claim] { return Set(list) }
        return who.claims[claim].map { [$0] } ?? []
    }

    /// Whether the rule lets somebody do what it is for with a row; on creating, an owner left out is filled in.
    func allows(_ who: Identity, _ row: MatrixRow, isCreate: Bool = false) -> Bool {
        guard isMeant(who) else { return false }
        switch word("allow") {
        case "public", "custom": return true
        case "private": return who.provider != .apiKey || who.person != nil
        case "owner":
            let field = quoted("ownerField") ?? "owner"
            let mine = names(who)
            if isCreate, row.values(field).isEmpty { return !mine.isEmpty }
            return row.values(field).contains { mine.contains($0) }
        default:
            let mine = groups(who)
            if let field = quoted("groupsField") { return row.values(field).contains { mine.contains($0) } }
            return !mine.isDisjoint(with: groups)
        }
    }
}
