import Basics
import Models

/// Who sends a request: what the hub believes of its credentials.
public struct Caller: Sendable, Hashable {
    /// What the hub can look up again to learn whether the credentials still hold.
    public enum Source: Sendable, Hashable {
        /// A key of the configuration: it holds until that has it no more.
        case configuredKey
        /// A key that the hub keeps, by its id.
        case storedKey(String)
        /// One of the hub's own people, by the number of the sign-in data the token was made from.
        case person(generation: Int64)
        /// A token of somebody else's, by the issuer and the fingerprint of the key that signed it.
        case issuer(String, key: String?)
    }

    /// What he may act as: of an API key, of a person, or of a token's claim; `counters`, `supervisors`, ….
    public let groups: Set<String>
    /// The person: signed in at the terminal (`x-bincount-person`) and believed because the key is, or a token's subject.
    public let person: String?
    /// Its bytes: to `String` names are equal that only look alike, and callers are told apart by this.
    private let personBytes: [UInt8]?
    /// The terminal's device code: bound to the key, or named by the terminal and believed because its key is.
    public let device: String?
    /// How he has shown who he is.
    public let provider: AuthProvider
    /// A token's claims, for rules that name one; empty for keys.
    public let claims: [String: JSONValue]
    /// When the credentials end, in milliseconds of the hub's wall clock; nil where they do not end by themselves.
    public let expires: Int64?
    /// What the credentials can be looked up by again.
    public let source: Source
    /// Whether the device is the one that the credentials were made for, not one that their holder names.
    var isDeviceProven = false
    /// What is made of groups that a rule reads from one of the claims.
    var issuerGroups = IssuerGroups()
    /// A short fingerprint of the key or token, safe to log; tells apart callers that name neither person nor device.
    public let fingerprint: String

    /// Names a caller; `fingerprint` tells apart those that name neither person nor device.
    public init(
        groups: Set<String>, person: String? = nil, device: String? = nil, provider: AuthProvider = .apiKey,
        claims: [String: JSONValue] = [:], expires: Int64? = nil, source: Source = .configuredKey,
        fingerprint: String = ""
    ) {
        self.groups = groups
        self.person = person
        personBytes = person.map { Array($0.utf8) }
        self.device = device
        self.provider = provider
        self.claims = claims
        self.expires = expires
        self.source = source
        self.fingerprint = fingerprint
    }

    /// Whose allowance it goes by what he makes others wait for: a key's, or a person's whatever tokens he gets.
    var payer: String {
        switch source {
        case .person, .issuer: person.map { "person " + $0 } ?? fingerprint
        case .configuredKey, .storedKey: fingerprint
        }
    }

    /// The same caller in other groups: what a person may do was changed. `claims` are those that go with them.
    func moved(to groups: Set<String>, claims: [String: JSONValue]? = nil) -> Caller {
        var moved = Caller(
            groups: groups, person: person, device: device, provider: provider, claims: claims ?? self.claims,
            expires: expires, source: source, fingerprint: fingerprint)
        moved.isDeviceProven = isDeviceProven
        moved.issuerGroups = issuerGroups
        return moved
    }

    /// The same caller at a terminal that he names.
    func at(_ device: String?) -> Caller {
        var there = Caller(
            groups: groups, person: person, device: device, provider: provider, claims: claims, expires: expires,
            source: source, fingerprint: fingerprint)
        there.issuerGroups = issuerGroups
        return there
    }

    /// Hashes what differs between callers; equality compares all of it.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(fingerprint)
        hasher.combine(person)
        hasher.combine(device)
    }

    /// What mutation ids belong to: a person's retries are his own at whatever terminal, to which an outbox may have moved;
    /// where nobody is named, a device's are, whoever's key it holds by then.
    var scope: Int64 {
        if let person { return Self.scope("d:|p:\(person)") }
        return device.map { Self.scope("d:\($0)|p:") } ?? Self.scope("k:\(fingerprint)")
    }

    /// What they belonged to when a person's were those of one device; for ids that were noted then.
    var formerScope: Int64 {
        guard person != nil || device != nil else { return scope }
        return Self.scope("d:\(device ?? "")|p:\(person ?? "")")
    }

    private static func scope(_ text: String) -> Int64 { Int64(bitPattern: FNV1a(text).value) }
}
