import Basics
import COpenSSL
import Crypto

/// A key pair made by OpenSSL, which signs tokens as an issuer does.
final class IssuerKey {
    enum Kind { case rsa, p256 }

    let id: String
    private let kind: Kind
    private let key: OpaquePointer

    init(_ kind: Kind, id: String, bits: Int32 = 2048) {
        self.kind = kind
        self.id = id
        let context = EVP_PKEY_CTX_new_from_name(nil, kind == .rsa ? "RSA" : "EC", nil)
        defer { EVP_PKEY_CTX_free(context) }
        precondition(EVP_PKEY_keygen_init(context) == 1)
        if kind == .rsa {
            precondition(EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) == 1)
        } else {
            precondition(EVP_PKEY_CTX_set_group_name(context, "P-256") == 1)
        }
        var made: OpaquePointer?
        precondition(EVP_PKEY_generate(context, &made) == 1)
        key = made!
    }

    deinit { EVP_PKEY_free(key) }

    private func number(_ name: String, size: Int? = nil) -> [UInt8] {
        var number: OpaquePointer?
        precondition(EVP_PKEY_get_bn_param(key, name, &number) == 1)
        defer { BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: Int(BN_num_bits(number) + 7) / 8)
        BN_bn2bin(number, &bytes)
        return Array(repeating: 0, count: max(0, (size ?? 0) - bytes.count)) + bytes
    }

    /// The public half as an issuer publishes it.
    var jwk: JSONObject {
        switch kind {
        case .rsa:
            [
                "kty": "RSA", "kid": .string(id), "use": "sig", "alg": "RS256",
                "n": .string(Base64.encodeURL(number("n"))), "e": .string(Base64.encodeURL(number("e"))),
            ]
        case .p256:
            [
                "kty": "EC", "kid": .string(id), "crv": "P-256", "x": .string(Base64.encodeURL(number("qx", size: 32))),
                "y": .string(Base64.encodeURL(number("qy", size: 32))),
            ]
        }
    }

    func sign(_ message: [UInt8]) -> [UInt8] {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        precondition(EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1)
        var size = 0
        precondition(EVP_DigestSign(context, nil, &size, message, message.count) == 1)
        var signature = [UInt8](repeating: 0, count: size)
        precondition(EVP_DigestSign(context, &signature, &size, message, message.count) == 1)
        signature = Array(signature.prefix(size))
        return kind == .rsa ? signature : raw(signature)
    }

    /// r and s of a DER sequence, 32 bytes each.
    private func raw(_ der: [UInt8]) -> [UInt8] {
        var rest = der.dropFirst(2)
        var result: [UInt8] = []
        for _ in 0..<2 {
            let count = Int(rest[rest.startIndex + 1])
            let digits = Array(rest.dropFirst(2).prefix(count).drop { $0 == 0 })
            result += Array(repeating: 0, count: 32 - digits.count) + digits
            rest = rest.dropFirst(2 + count)
        }
        return result
    }

    /// A token with these claims; `header` replaces members of the usual header.
    func token(_ claims: JSONObject, header: JSONObject = [:]) -> String {
        var head: JSONObject = ["alg": kind == .rsa ? "RS256" : "ES256", "typ": "JWT", "kid": .string(id)]
        for (name, value) in header.members { head[name] = value.isNull ? JSONValue?.none : value }
        let text =
            Base64.encodeURL(JSONValue.object(head).bytes) + "." + Base64.encodeURL(JSONValue.object(claims).bytes)
        return text + "." + Base64.encodeURL(sign(Array(text.utf8)))
    }

    static func set(_ keys: [IssuerKey]) -> [UInt8] {
        let json: JSONValue = ["keys": .array(keys.map { .object($0.jwk) })]
        return json.bytes
    }

    // Making an RSA key takes a while: one for all tests.
    // Guard of nonisolated(unsafe): a constant that is never changed; each signature has a context of its own.
    nonisolated(unsafe) static let rsa = IssuerKey(.rsa, id: "rsa-1")
    nonisolated(unsafe) static let p256 = IssuerKey(.p256, id: "ec-1")
}
