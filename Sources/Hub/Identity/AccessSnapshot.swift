import Basics
import Crypto

/// A key that the hub keeps: everything but the key, of which only a digest is stored.
public struct StoredKey: Sendable, Hashable {
    /// Names the key; it stands in the key itself, so that a person can find it in the list.
    public let id: String
    /// What it may act as.
    public let groups: Set<String>
    /// What a person calls it.
    public let name: String
    /// The only terminal that it is for; nil where its holder says which one he is.
    public let device: String?
    /// When it was made, in milliseconds since 1970.
    public let created: Int64
    /// When it ends; nil for never.
    public let expires: Int64?
    /// When it was withdrawn.
    public let revoked: Int64?
    /// When it was last used, to the minute; nil if never.
    public let used: Int64?
    /// SHA-256 of the key, in hexadecimal digits.
    let digest: String

    /// Whether it opens the hub at a time.
    public func isValid(now: Int64) -> Bool { revoked == nil && (expires.map { $0 > now } ?? true) }
}

/// One of the hub's own people: who may sign in with badge and PIN.
public struct StoredPerson: Sendable, Hashable {
    /// The person's id, which owner rules compare.
    public let id: String
    /// What he shows or types to sign in.
    public let badge: String
    /// What he may act as.
    public let groups: Set<String>
    /// Grows with every new PIN: tokens made before are not good any more.
    public let generation: Int64
    /// When the PIN was set, in milliseconds since 1970.
    public let changed: Int64
    /// How often a lock was taken away by hand.
    let unlocks: Int64
    let verifier: PINVerifier
}

/// A PIN as it is kept: what scrypt makes of it, and how.
struct PINVerifier: Sendable, Hashable {
    let salt: [UInt8]
    let parameters: Scrypt.Parameters
    let derived: [UInt8]

    /// Takes a verifier of a PIN; nil where the parameters cost too much.
    init?(pin: String, parameters: Scrypt.Parameters, salt: [UInt8] = SecureRandom.bytes(16)) {
        guard let derived = Scrypt.derive(pin, salt: salt, parameters) else { return nil }
        self.init(salt: salt, parameters: parameters, derived: derived)
    }

    init(salt: [UInt8], parameters: Scrypt.Parameters, derived: [UInt8]) {
        self.salt = salt
        self.parameters = parameters
        self.derived = derived
    }

    /// Whether this is the PIN. It takes as long for a wrong one.
    func accepts(_ pin: String) -> Bool {
        guard let other = Scrypt.derive(pin, salt: salt, parameters) else { return false }
        return constantTimeEqual(derived, other)
    }
}

/// Everything that says who may come in, as it was at one moment.
struct AccessSnapshot: Sendable {
    /// Which state of the tables this is.
    var generation: Int64 = 0
    /// What the hub signs its own people's tokens with.
    var secret: [UInt8] = []
    private(set) var keys: [String: StoredKey] = [:]
    private var keysByDigest: [String: String] = [:]
    private(set) var people: [String: StoredPerson] = [:]
    private var badges: [String: String] = [:]
    /// Terminals that have a key of their own.
    private(set) var enrolledDevices: Set<String> = []

    init() {}

    init(generation: Int64, secret: [UInt8], keys: [StoredKey], people: [StoredPerson]) {
        self.generation = generation
        self.secret = secret
        for key in keys {
            self.keys[key.id] = key
            keysByDigest[key.digest] = key.id
            if let device = key.device, key.revoked == nil { enrolledDevices.insert(device) }
        }
        for person in people {
            self.people[person.id] = person
            badges[person.badge] = person.id
        }
    }

    /// The key of a digest. What a lookup's time tells of a digest is of no use: nobody can make keys to a digest.
    func key(digest: String) -> StoredKey? { keysByDigest[digest].flatMap { keys[$0] } }

    /// Who has a badge.
    func person(badge: String) -> StoredPerson? { badges[badge].flatMap { people[$0] } }
}
