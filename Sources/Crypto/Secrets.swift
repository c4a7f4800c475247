import COpenSSL

/// HMAC with SHA-256: proves that a message was made by someone who has the key.
public enum HMACSHA256 {
    /// The 32 bytes of the code.
    public static func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { buffer, count in
            var size: UInt32 = 0
            guard HMAC(EVP_sha256(), key, CInt(key.count), message, message.count, buffer.baseAddress, &size) != nil
            else {
                fatalError("OpenSSL cannot compute an HMAC")
            }
            count = Int(size)
        }
    }

    /// Whether `code` is the code of `message`, compared in constant time.
    public static func isValid(_ code: [UInt8], for message: [UInt8], key: [UInt8]) -> Bool {
        constantTimeEqual(code, authenticate(message, key: key))
    }
}

/// Compares secrets so that the time taken does not tell where they differ. Their lengths are not secret.
public func constantTimeEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
}

/// Compares secret texts so that the time taken does not tell where they differ.
public func constantTimeEqual(_ a: String, _ b: String) -> Bool {
    constantTimeEqual(Array(a.utf8), Array(b.utf8))
}

/// Random bytes that nobody can guess, for keys and tokens.
public enum SecureRandom {
    /// That many random bytes.
    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard RAND_bytes(buffer.baseAddress, CInt(count)) == 1 else {
                fatalError("the system gives no random bytes")
            }
            initialized = count
        }
    }

    /// A random text of hexadecimal digits, two for each byte.
    public static func hex(byteCount: Int) -> String { Hex.encode(bytes(byteCount)) }
}
