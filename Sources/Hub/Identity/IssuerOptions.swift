import Basics
import Models

/// An OpenID Connect issuer whose tokens a hub takes.
public struct IssuerOptions: Sendable, Hashable {
    /// The issuer's URL, exactly as its tokens write it.
    public var url: String
    /// Whom its tokens must be for: the client ids, as `aud` has them.
    public var audiences: Set<String>
    /// Where its keys are; nil to ask `URL/.well-known/openid-configuration`.
    public var keysURL: String?
    /// The claim that is the person, as owner rules compare it.
    public var personClaim = "sub"
    /// The claim that holds the groups, a list or one name; dots lead into objects, such as `realm_access.roles`.
    public var groupsClaim = "groups"
    /// Which of the groups that its tokens name are taken, and as what.
    public var groups = IssuerGroups()
    /// How far its clock and this one may be apart, in milliseconds.
    public var leeway: Int64 = 60_000
    /// Which rules of `@auth` its callers meet: those of `oidc`, or where it stands in for Cognito those of `userPools`.
    public var provider = AuthProvider.oidc

    /// Names an issuer and whom its tokens must be for.
    ///
    /// - Throws: ``HubError`` where the URL is none, or plain HTTP to another machine: whoever sits between could make
    ///   himself anybody.
    public init(url: String, audiences: Set<String>, keysURL: String? = nil) throws(HubError) {
        guard !audiences.isEmpty else {
            throw HubError("an issuer needs an audience: the client id that its tokens for this hub are made for")
        }
        for text in [url] + (keysURL.map { [$0] } ?? []) { _ = try Self.check(text) }
        self.url = url
        self.audiences = audiences
        self.keysURL = keysURL
    }

    /// Reads a URL of the issuer's.
    static func check(_ text: String) throws(HubError) -> URLParts {
        let parts: URLParts
        do { parts = try URLParts(text) } catch {
            throw HubError("\(printable(text)) is no issuer's URL: \(error)")
        }
        let isHere = ["localhost", "127.0.0.1", "::1"].contains(parts.host)
        guard parts.scheme == "https" || (parts.scheme == "http" && isHere) else {
            throw HubError("\(printable(text)): an issuer is asked over https, or over http on this machine")
        }
        return parts
    }

    /// Where its configuration is.
    var configurationURL: String {
        (url.hasSuffix("/") ? String(url.dropLast()) : url) + "/.well-known/openid-configuration"
    }
}
