import Basics
import Hub
import Models

extension HubSettings {
    static let tokenLife = Setting<Int64>.duration(
        "token-life", atLeast: "1m", default: "12h", help: "how long a sign-in by badge and PIN is good")
    static let sessionLife = Setting<Int64>.duration(
        "session-life", atLeast: "1m", default: "7d",
        help: "how long it may be renewed before the PIN is asked for again")
    static let oidcIssuer = Setting<String?>.text(
        "oidc-issuer", "URL", help: "an OpenID Connect issuer whose tokens are taken, as its tokens write it")
    static let oidcAudience = Setting<[String]>.texts(
        "oidc-audience", "ID", help: "whom the issuer's tokens must be for: the client id of this hub")
    static let oidcKeys = Setting<String?>.text(
        "oidc-keys", "URL", help: "where the issuer's keys are, if its configuration does not say so")
    static let oidcPerson = Setting<String>.text(
        "oidc-person-claim", "NAME", default: "sub", help: "the claim that is the person")
    static let oidcGroups = Setting<String>.text(
        "oidc-groups-claim", "NAME", default: "groups",
        help: "the claim that holds the groups; dots lead into objects: realm_access.roles")
    static let oidcGroup = Setting<[String]>.texts(
        "oidc-group", "GROUP",
        help: "a group that the issuer's tokens may name, as they write it; where none is said they may name any")
    static let oidcGroupPrefix = Setting<String?>.text(
        "oidc-group-prefix", "TEXT",
        help: "what is put before each of them, so that none is taken for a group of the hub's own, such as admins")
    static let oidcProvider = Setting<String>.choice(
        "oidc-provider", ["oidc", "userPools"], default: "oidc",
        help: "which provider of @auth the issuer's people are; userPools where it stands in for Cognito")

    /// Who is let in beside keys.
    static let identity: [SettingDefinition] = [
        tokenLife.definition, sessionLife.definition, oidcIssuer.definition, oidcAudience.definition,
        oidcKeys.definition, oidcPerson.definition, oidcGroups.definition, oidcGroup.definition,
        oidcGroupPrefix.definition, oidcProvider.definition,
    ]

    /// What was configured of it.
    static func identityOptions(_ settings: Settings) throws -> IdentityOptions {
        var options = IdentityOptions()
        options.lifetimes.token = settings[tokenLife]
        options.lifetimes.session = max(settings[sessionLife], settings[tokenLife])
        guard let url = settings[oidcIssuer] else { return options }
        var issuer = try IssuerOptions(
            url: url, audiences: Set(settings[oidcAudience]), keysURL: settings[oidcKeys])
        issuer.personClaim = settings[oidcPerson]
        issuer.groupsClaim = settings[oidcGroups]
        let allowed = Set(settings[oidcGroup])
        issuer.groups = IssuerGroups(
            allowed: allowed.isEmpty ? nil : allowed, prefix: settings[oidcGroupPrefix] ?? "")
        issuer.provider = AuthProvider(name: settings[oidcProvider]) ?? .oidc
        options.issuers = [issuer]
        return options
    }
}
