import Basics

/// What a token's claims must be before they are believed, once its signature has been.
public struct TokenRules: Sendable, Hashable {
    /// What is wrong with claims.
    public enum Problem: Error, Sendable, Hashable {
        /// It was good once.
        case expired
        /// It was never meant for this place and time; why.
        case wrong(String)
    }

    /// The issuer, exactly as tokens write it.
    public var issuer: String
    /// Of these names one must be among those the token is for.
    public var audiences: Set<String>
    /// How far two clocks may be apart, in milliseconds.
    public var leeway: Int64

    /// Takes the rules.
    public init(issuer: String, audiences: Set<String>, leeway: Int64 = 60_000) {
        self.issuer = issuer
        self.audiences = audiences
        self.leeway = leeway
    }

    /// Checks claims at a time in milliseconds since 1970.
    ///
    /// - Returns: when they end, in milliseconds, without the leeway.
    /// - Throws: ``Problem``.
    public func check(_ claims: JSONObject, now: Int64) throws(Problem) -> Int64 {
        guard claims["iss"]?.string == issuer else { throw .wrong("another issuer") }
        guard isForUs(claims) else { throw .wrong("it is for somebody else") }
        guard let expires = try Self.time("exp", claims) else { throw .wrong("it does not say when it ends") }
        if let from = try Self.time("nbf", claims), from > now + leeway { throw .wrong("it is not good yet") }
        if let made = try Self.time("iat", claims), made > now + leeway { throw .wrong("it was made in the future") }
        guard expires + leeway > now else { throw .expired }
        return expires
    }

    /// `aud`; where a token has none, the client that it was made for: `azp`, or `client_id` as Cognito has it.
    private func isForUs(_ claims: JSONObject) -> Bool {
        switch claims["aud"] {
        case .string(let name)?: return audiences.contains(name)
        case .array(let names)?: return names.contains { $0.string.map(audiences.contains) ?? false }
        case nil: return (claims["azp"] ?? claims["client_id"])?.string.map(audiences.contains) ?? false
        default: return false
        }
    }

    private static func time(_ name: String, _ claims: JSONObject) throws(Problem) -> Int64? {
        guard let value = claims[name] else { return nil }
        guard let time = milliseconds(value) else { throw .wrong("\(name) is no time") }
        return time
    }

    /// A NumericDate in milliseconds, nil where it is none; fractions of a second are allowed.
    public static func milliseconds(_ value: JSONValue) -> Int64? {
        guard let seconds = value.double, seconds.isFinite, seconds >= 0, seconds < 1e12 else { return nil }
        return Int64(seconds * 1000)
    }
}
