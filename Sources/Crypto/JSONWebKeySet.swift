import Basics

/// The keys that an issuer signs with, as it publishes them (RFC 7517).
///
/// What is not understood is left aside, as the RFC says: other kinds of keys, other curves, keys for encryption, and
/// symmetric keys, which nobody may publish.
public struct JSONWebKeySet: Sendable {
    /// One key with its name.
    public struct Entry: Sendable {
        /// The name that tokens give in their header; nil where it has none.
        public let id: String?
        /// The key.
        public let key: PublicKey
    }

    /// Keys of one set at most; more are left aside.
    public static let limit = 64

    /// The keys that can be used.
    public let entries: [Entry]

    /// Reads a set; nil where the text is none at all.
    public init?(parsing bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes), let keys = json["keys"]?.array else { return nil }
        entries = keys.prefix(Self.limit).compactMap { json in
            Self.key(json).map { Entry(id: json["kid"]?.string, key: $0) }
        }
    }

    /// The keys that may have made a token: those of its name, or all where it names none.
    public func candidates(id: String?, _ algorithm: PublicKey.Algorithm) -> [PublicKey] {
        entries.filter { $0.key.algorithm == algorithm && (id == nil || $0.id == id) }.map(\.key)
    }

    /// Whether a key is here, under whatever name.
    public func contains(fingerprint: String) -> Bool { entries.contains { $0.key.fingerprint == fingerprint } }

    /// Whether another set has the same keys under the same names, in whatever order.
    public func isSame(as other: JSONWebKeySet) -> Bool { Set(names) == Set(other.names) }

    /// Each key with its name.
    private var names: [[String?]] { entries.map { [$0.id, $0.key.fingerprint] } }

    private static func key(_ json: JSONValue) -> PublicKey? {
        if let use = json["use"], use != "sig" { return nil }
        if let operations = json["key_ops"]?.array, !operations.contains("verify") { return nil }
        func bytes(_ name: String) -> [UInt8]? { json[name]?.string.flatMap { JSONWebToken.decode($0) } }
        switch json["kty"]?.string {
        case "RSA":
            guard json["alg"] == nil || json["alg"] == "RS256", let n = bytes("n"), let e = bytes("e") else {
                return nil
            }
            return .rsa(modulus: n, exponent: e)
        case "EC":
            guard json["alg"] == nil || json["alg"] == "ES256", json["crv"] == "P-256", let x = bytes("x"),
                let y = bytes("y")
            else { return nil }
            return .p256(x: x, y: y)
        default: return nil
        }
    }
}
