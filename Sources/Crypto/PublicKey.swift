import COpenSSL

// Guard of @unchecked Sendable: OpenSSL's key is never changed once made, and several threads may check with one key.
/// Another's public key that signatures are checked with: RSA with PKCS #1 v1.5, or ECDSA on P-256, both with SHA-256.
public final class PublicKey: @unchecked Sendable {
    /// What signs with it.
    public enum Algorithm: String, Sendable, Hashable {
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        case rs256 = "RS256"
        /// ECDSA on P-256 with SHA-256; signatures are r and s, 32 bytes each.
        case es256 = "ES256"
    }

    /// The only algorithm it is used with.
    public let algorithm: Algorithm
    /// Tells the key from every other: a digest of its numbers.
    public let fingerprint: String
    private let key: OpaquePointer

    private init(_ algorithm: Algorithm, _ key: OpaquePointer, numbers: [UInt8]) {
        self.algorithm = algorithm
        fingerprint = Hex.encode(SHA256.digest(numbers).prefix(16))
        self.key = key
    }

    deinit {
        EVP_PKEY_free(key)
    }

    /// An RSA key of 2,048 to 8,192 bits from its modulus and exponent, big-endian; nil where they are no such key.
    public static func rsa(modulus: [UInt8], exponent: [UInt8]) -> PublicKey? {
        let modulus = Array(modulus.drop { $0 == 0 })
        let exponent = Array(exponent.drop { $0 == 0 })
        // Long exponents only cost the one who checks.
        guard (256...1024).contains(modulus.count), (1...5).contains(exponent.count), let last = exponent.last,
            last & 1 == 1, exponent != [1], let low = modulus.last, low & 1 == 1
        else { return nil }
        let key = cossl_rsa_public_key(modulus, CInt(modulus.count), exponent, CInt(exponent.count))
        ERR_clear_error()
        return key.map { PublicKey(.rs256, $0, numbers: exponent + [0] + modulus) }
    }

    /// A key on P-256 from its point's coordinates, 32 bytes each; nil where the point is not on the curve.
    public static func p256(x: [UInt8], y: [UInt8]) -> PublicKey? {
        guard x.count == 32, y.count == 32 else { return nil }
        let key = cossl_p256_public_key([4] + x + y)
        ERR_clear_error()
        return key.map { PublicKey(.es256, $0, numbers: x + y) }
    }

    /// Whether a signature is of this key and message.
    public func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        let encoded: [UInt8]
        switch algorithm {
        case .rs256: encoded = signature
        case .es256:
            guard let sequence = Self.sequence(ofRaw: signature) else { return false }
            encoded = sequence
        }
        guard let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        guard EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1 else { return false }
        return EVP_DigestVerify(context, encoded, encoded.count, message, message.count) == 1
    }

    /// The DER form of r and s, which OpenSSL wants; nil where they are not 64 bytes.
    private static func sequence(ofRaw signature: [UInt8]) -> [UInt8]? {
        guard signature.count == 64 else { return nil }
        func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            var digits = Array(bytes.drop { $0 == 0 })
            if digits.isEmpty || digits[0] >= 128 { digits.insert(0, at: 0) }
            return [2, UInt8(digits.count)] + digits
        }
        let content = integer(signature[..<32]) + integer(signature[32...])
        return [0x30, UInt8(content.count)] + content
    }
}
