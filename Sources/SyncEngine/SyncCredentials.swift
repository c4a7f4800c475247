import AppSync
import Basics
import Crypto
import Models

/// What a driver shows its backend: who asks.
public enum SyncCredentials: Sendable, Hashable {
    /// A key of the device's; the hub believes the person that is named beside it.
    case apiKey(String)
    /// A token of one person's: of the hub's own sign-in, of Cognito, or of an OIDC issuer.
    case token(String)

    /// Which rules of `@auth` are tried with it, unless it is said to be another's.
    public var provider: AuthProvider {
        switch self {
        case .apiKey: .apiKey
        case .token: .userPools
        }
    }

    /// The person that a token is for (`sub`), as the token itself says; nil for keys, and for tokens that say nothing
    /// readable.
    public var person: String? { claims?["sub"]?.string }

    /// The person that a token is for where the backend knows its people by another claim than `sub`; see
    /// ``SyncOptions/personClaim``.
    package func person(claim name: String?) -> String? { name.flatMap { claims?.claim($0)?.string } ?? person }

    /// The names that a token's person may go by, as the token itself says: `sub`, `username`, `cognito:username`,
    /// Amplify's `sub::username`, and the claim that ``SyncOptions/personClaim`` names. None for keys, and for tokens
    /// that say nothing readable.
    func names(claim: String?) -> Set<String> {
        let users = ["username", "cognito:username"].compactMap { claims?[$0]?.string }
        // A part that holds the joint could pass for another's join.
        let parts = users.filter { !$0.includes(Self.joint) }
        let joined = person.map { sub in sub.includes(Self.joint) ? [] : parts.map { sub + Self.joint + $0 } } ?? []
        return Set(users + joined + [person, person(claim: claim)].compactMap(\.self)).subtracting([""])
    }

    private static let joint = "::"

    /// When a token ends, in milliseconds since 1970; nil where it does not say so.
    public var expires: Int64? { claims?["exp"].flatMap(TokenRules.milliseconds) }

    /// When a token was made, in milliseconds since 1970.
    public var made: Int64? { claims?["iat"].flatMap(TokenRules.milliseconds) }

    /// The name under which a token's person signs in, where it says so.
    public var userName: String? { (claims?["username"] ?? claims?["cognito:username"])?.string }

    /// What a token says of itself. The server checks it; here it only helps to use it well.
    private var claims: JSONObject? {
        guard case .token(let text) = self else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64.decode(parts[1]) else { return nil }
        return (try? JSONValue(parsing: bytes))?.object
    }

    /// The header fields of a request under some person's name.
    func headers(person: String?, device: String?) -> [(String, String)] {
        var fields: [(String, String)] = []
        switch self {
        case .apiKey(let key):
            fields.append((HeaderName.apiKey, key))
            if let person { fields.append((HeaderName.person, person)) }
        case .token(let token): fields.append((HeaderName.authorization, token))
        }
        if let device { fields.append((HeaderName.device, device)) }
        return fields
    }

    /// The same as the realtime protocol has it.
    func authorization(host: String, person: String?, device: String?) -> RealtimeAuthorization {
        switch self {
        case .apiKey(let key): RealtimeAuthorization(host: host, apiKey: key, person: person, device: device)
        case .token(let token): RealtimeAuthorization(host: host, token: token, device: device)
        }
    }

    /// Whether a change that was made under this name may be sent with it: a key names anybody, a token only its own
    /// person, by any of his names, and what nobody has signed.
    func maySend(as identity: String?, claim: String?) -> Bool {
        guard let identity else { return true }
        let names = names(claim: claim)
        return names.isEmpty || names.contains(identity)
    }
}
