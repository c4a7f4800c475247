import COpenSSL

/// SHA-256, in one go or piece by piece.
public struct SHA256: ~Copyable {
    /// How many bytes a digest has.
    public static let byteCount = 32

    private let context: OpaquePointer

    /// Begins a digest that is fed by `update`.
    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            fatalError("OpenSSL gives no SHA-256")
        }
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    /// Feeds more bytes.
    public mutating func update(_ bytes: some Sequence<UInt8>) {
        let done: Void? = bytes.withContiguousStorageIfAvailable {
            _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count)
        }
        if done == nil {
            let copy = Array(bytes)
            _ = EVP_DigestUpdate(context, copy, copy.count)
        }
    }

    /// Feeds the bytes of a text.
    public mutating func update(_ text: String) {
        var text = text
        text.withUTF8 { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    }

    /// The digest of everything that was fed.
    public consuming func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
            EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
            count = Self.byteCount
        }
    }

    /// The digest of these bytes.
    public static func digest(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        if let digest = bytes.withContiguousStorageIfAvailable({
            Digest.compute(UnsafeRawBufferPointer($0), EVP_sha256(), byteCount)
        }) {
            return digest
        }
        return Array(bytes).withUnsafeBytes { Digest.compute($0, EVP_sha256(), byteCount) }
    }

    /// The digest of a text's bytes.
    public static func digest(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { Digest.compute(UnsafeRawBufferPointer($0), EVP_sha256(), byteCount) }
    }

    /// The digest of a text's bytes as 64 hexadecimal digits.
    public static func hexDigest(_ text: String) -> String { Hex.encode(digest(text)) }

    /// The digest of these bytes as 64 hexadecimal digits.
    public static func hexDigest(_ bytes: some Sequence<UInt8>) -> String { Hex.encode(digest(bytes)) }
}

/// One-shot digests.
enum Digest {
    static func compute(_ bytes: UnsafeRawBufferPointer, _ algorithm: OpaquePointer?, _ size: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            guard EVP_Digest(bytes.baseAddress, bytes.count, buffer.baseAddress, nil, algorithm, nil) == 1 else {
                fatalError("OpenSSL cannot compute a digest")
            }
            count = size
        }
    }
}

/// MD5, only where a protocol asks for it; it protects nothing.
public enum MD5 {
    /// The digest of a text's bytes as 32 hexadecimal digits.
    public static func hexDigest(_ text: String) -> String {
        var text = text
        return text.withUTF8 { Hex.encode(Digest.compute(UnsafeRawBufferPointer($0), EVP_md5(), 16)) }
    }
}

/// Hexadecimal digits.
public enum Hex {
    /// Two small digits per byte.
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        let digits: StaticString = "0123456789abcdef"
        var text: [UInt8] = []
        text.reserveCapacity(bytes.underestimatedCount * 2)
        for byte in bytes {
            text.append(digits.utf8Start[Int(byte >> 4)])
            text.append(digits.utf8Start[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
    /// The bytes of an even number of digits, large or small; nil where there is anything else.
    public static func decode(_ text: String) -> [UInt8]? {
        func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
            default: nil
            }
        }
        let digits = text.utf8.map(digit)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for position in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[position], let low = digits[position + 1] else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
