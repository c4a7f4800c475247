import Basics

/// A signed token in its compact form (RFC 7515, 7519), taken apart. Nothing in it is believed before its signature
/// has been checked.
public struct JSONWebToken: Sendable {
    /// Why a text is no token that could be checked.
    public struct Malformed: Error, Sendable, Hashable {
        /// What is wrong; it holds nothing of the token.
        public let reason: String
    }

    /// Longer texts are no tokens.
    public static let limit = 16_384

    /// The algorithm its header names. Only a key may decide what is checked; this must merely agree.
    public let algorithm: String
    /// The name of the key in its header.
    public let keyID: String?
    /// The claims, unbelieved.
    public let claims: JSONObject
    private let signed: [UInt8]
    private let signature: [UInt8]

    /// Takes a token apart.
    ///
    /// - Throws: ``Malformed`` where it is none, has no signature, or its header demands what nobody here understands.
    public init(parsing text: String) throws(Malformed) {
        guard text.utf8.count <= Self.limit else { throw Malformed(reason: "it is too long") }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw Malformed(reason: "it has not three parts") }
        let header = try Self.object(parts[0], "its header")
        claims = try Self.object(parts[1], "its content")
        guard header["crit"] == nil else { throw Malformed(reason: "its header has critical extensions") }
        guard let name = header["alg"]?.string else { throw Malformed(reason: "its header names no algorithm") }
        algorithm = name
        switch header["kid"] {
        case nil: keyID = nil
        case .string(let id)?: keyID = id
        default: throw Malformed(reason: "its key's name is no text")
        }
        guard let signature = Self.decode(parts[2]), !signature.isEmpty else {
            throw Malformed(reason: "it is not signed")
        }
        self.signature = signature
        signed = Array((parts[0] + "." + parts[1]).utf8)
    }

    /// Whether this secret has signed it with HMAC and SHA-256, and its header says so.
    public func isSigned(with secret: [UInt8]) -> Bool {
        algorithm == "HS256" && HMACSHA256.isValid(signature, for: signed, key: secret)
    }

    /// Whether this key has signed it, and its header names the key's own algorithm.
    public func isSigned(by key: PublicKey) -> Bool {
        algorithm == key.algorithm.rawValue && key.isValid(signature, for: signed)
    }

    /// Makes a token that is signed with a secret, by HMAC and SHA-256.
    public static func make(_ claims: JSONObject, secret: [UInt8]) -> String {
        let header: JSONValue = ["alg": "HS256", "typ": "JWT"]
        let text = Base64.encodeURL(header.bytes) + "." + Base64.encodeURL(JSONValue.object(claims).bytes)
        return text + "." + Base64.encodeURL(HMACSHA256.authenticate(Array(text.utf8), key: secret))
    }

    /// Decodes base64url as these formats have it: no padding, no other alphabet, nothing between.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isPlain, let bytes = Base64.decode(text) else { return nil }
        // Bits that are left over must be zero, or one token would have several texts.
        return Base64.encodeURL(bytes) == text ? bytes : nil
    }

    private static func object(_ part: Substring, _ name: String) throws(Malformed) -> JSONObject {
        guard let bytes = decode(part) else { throw Malformed(reason: "\(name) is no base64url") }
        guard let json = try? JSONValue(parsing: bytes), case .object(let object) = json else {
            throw Malformed(reason: "\(name) is no JSON object")
        }
        // Two readers could take different ones of two members of one name.
        guard Set(object.keys).count == object.count else { throw Malformed(reason: "\(name) has a name twice") }
        return object
    }
}

extension JSONObject {
    /// A claim by its name; where there is none, dots lead into objects.
    package func claim(_ name: String) -> JSONValue? {
        if let value = self[name] { return value }
        var value = JSONValue.object(self)
        for part in name.split(separator: ".") {
            guard let next = value[String(part)] else { return nil }
            value = next
        }
        return value
    }
}
