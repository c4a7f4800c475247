/// Base64 and base64url (RFC 4648).
public enum Base64 {
    /// Encodes with `+ /` and padding.
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        encode(bytes, alphabet: standard, padded: true)
    }

    /// Encodes with `- _`; without padding unless asked.
    public static func encodeURL(_ bytes: some Sequence<UInt8>, padded: Bool = false) -> String {
        encode(bytes, alphabet: urlSafe, padded: padded)
    }

    /// Decodes either alphabet, with or without padding; nil when something else is in the text.
    ///
    /// A space counts as `+`: clients put base64 into query strings unescaped, and some hops turn `+` into a space.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count / 4 * 3 + 3)
        var bits: UInt32 = 0
        var count = 0
        var padding = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            let value = values[Int(byte)]
            if value == 255 || padding > 0 { return nil }
            bits = bits << 6 | UInt32(value)
            count += 1
            if count % 4 == 0 {
                result.append(UInt8(truncatingIfNeeded: bits >> 16))
                result.append(UInt8(truncatingIfNeeded: bits >> 8))
                result.append(UInt8(truncatingIfNeeded: bits))
                bits = 0
            }
        }
        let rest = count % 4
        if rest == 1 || padding > 2 || (padding > 0 && (rest + padding) % 4 != 0) { return nil }
        switch rest {
        case 2: result.append(UInt8(truncatingIfNeeded: bits >> 4))
        case 3:
            result.append(UInt8(truncatingIfNeeded: bits >> 10))
            result.append(UInt8(truncatingIfNeeded: bits >> 2))
        default: break
        }
        return result
    }

    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlSafe = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (index, byte) in standard.enumerated() { table[Int(byte)] = UInt8(index) }
        table[Int(UInt8(ascii: "-"))] = 62
        table[Int(UInt8(ascii: "_"))] = 63
        table[Int(UInt8(ascii: " "))] = 62
        return table
    }()

    private static func encode(_ bytes: some Sequence<UInt8>, alphabet: [UInt8], padded: Bool) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.underestimatedCount / 3 * 4 + 4)
        var bits: UInt32 = 0
        var count = 0
        func put(_ shift: UInt32) { text.append(alphabet[Int(bits >> shift & 63)]) }
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 1
            if count == 3 {
                put(18)
                put(12)
                put(6)
                put(0)
                bits = 0
                count = 0
            }
        }
        if count == 1 {
            bits <<= 16
            put(18)
            put(12)
        } else if count == 2 {
            bits <<= 8
            put(18)
            put(12)
            put(6)
        }
        if padded && count > 0 {
            for _ in count..<3 { text.append(UInt8(ascii: "=")) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
