import Crypto

/// What is known of an issuer's keys, and when to ask again. A value; the time is told and never goes back.
///
/// A name that is not known is a sign of new keys, so that it is asked for at once, but seldom: anybody can write any
/// name into a token. Old keys stay while the issuer is away.
struct IssuerKeys: Sendable {
    /// What a token's key comes to.
    enum Found: Sendable {
        /// These may have signed it.
        case keys([PublicKey])
        /// Nobody here knows the key.
        case unknown
        /// No keys are here at all.
        case nothing
    }

    /// Keys are fetched anew after an hour.
    static let age: Int64 = 3_600_000
    /// An issuer is asked once in half a minute at most.
    static let pause: Int64 = 30_000

    private(set) var set: JSONWebKeySet?
    private var fetchedAt: Int64?
    private var askedAt: Int64?
    private(set) var isAsking = false

    /// The keys of an algorithm that may have signed a token.
    func find(id: String?, _ algorithm: PublicKey.Algorithm) -> Found {
        guard let set else { return .nothing }
        let keys = set.candidates(id: id, algorithm)
        return keys.isEmpty ? .unknown : .keys(keys)
    }

    /// Whether a key is still among the issuer's; it is believed to be while nothing is known. Its name tells nothing: an
    /// issuer may give it to another key.
    func stillHas(fingerprint: String?) -> Bool {
        guard let set, let fingerprint else { return true }
        return set.contains(fingerprint: fingerprint)
    }

    /// Whether to ask now for a name that is not known; true once, until the answer is there.
    mutating func begins(forUnknownAt now: Int64) -> Bool {
        guard !isAsking, askedAt.map({ now - $0 >= Self.pause }) ?? true else { return false }
        (isAsking, askedAt) = (true, now)
        return true
    }

    /// Whether to ask now because of age.
    mutating func begins(forAgeAt now: Int64) -> Bool {
        guard fetchedAt.map({ now - $0 >= Self.age }) ?? true else { return false }
        return begins(forUnknownAt: now)
    }

    /// Keys came; gives whether they are others than before. A set without a single key that can be used is a mistake of
    /// the issuer's, and the old ones stay.
    mutating func came(_ new: JSONWebKeySet, at now: Int64) -> Bool {
        isAsking = false
        guard !new.entries.isEmpty else { return false }
        defer { (set, fetchedAt) = (new, now) }
        guard let set else { return true }
        return !set.isSame(as: new)
    }

    /// Keys that were kept from before; they are asked for anew all the same.
    mutating func restore(_ old: JSONWebKeySet) { if set == nil { set = old } }

    /// None came.
    mutating func failed() { isAsking = false }
}
