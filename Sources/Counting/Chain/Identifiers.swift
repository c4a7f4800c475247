/// The ids of the floor's records, all made from what they name, so that making them again makes the same.
public enum RecordID {
    /// An entry's or a decision's id: `T07-412`.
    public static func entry(device: String, sequence: Int) -> String { "\(device)-\(sequence)" }

    /// A pass's ticket and id: `T07-0031`, at least four digits so that tickets sort.
    public static func ticket(device: String, number: Int) -> String {
        let text = String(number)
        return device + "-" + String(repeating: "0", count: max(0, 4 - text.count)) + text
    }

    /// A short id from a natural key: sixteen characters of Crockford's base 32 (80 bits of SHA-256).
    ///
    /// `kind` keeps models apart; each part is length-prefixed, so no two keys can run together. A nil part differs from
    /// an empty one.
    public static func natural(_ kind: String, _ parts: [String?], sha256: SHA256Hex) -> String {
        var bytes: [UInt8] = []
        for part in [kind] + parts {
            if let part {
                bytes += Array("\(part.utf8.count):".utf8) + Array(part.utf8)
            } else {
                bytes.append(UInt8(ascii: "-"))
            }
        }
        return base32(hex: sha256(bytes))
    }

    /// A master record's id: site, model and natural key, so that importing again makes the same.
    public static func master(site: String, model: String, key: String, sha256: SHA256Hex) -> String {
        natural(model, [site, key], sha256: sha256)
    }

    /// A task's id.
    public static func task(session: String, bin: String, round: Int, sha256: SHA256Hex) -> String {
        natural("BinTask", [session, bin, String(round)], sha256: sha256)
    }

    /// A verdict's id: session, bin and line.
    public static func verdict(session: String, bin: String, line: LineKey, sha256: SHA256Hex) -> String {
        natural("LineVerdict", [session, bin] + line.parts, sha256: sha256)
    }

    /// A book line's id: snapshot, bin and line.
    public static func bookLine(snapshot: String, bin: String, line: LineKey, sha256: SHA256Hex) -> String {
        natural("BookLine", [snapshot, bin] + line.parts, sha256: sha256)
    }

    /// An export document's id: connector, the EXPORT decision (or the hash of the verdicts) and a number.
    public static func document(connector: String, cause: String, number: Int, sha256: SHA256Hex) -> String {
        natural("ExportDocument", [connector, cause, String(number)], sha256: sha256)
    }

    /// The first 80 bits of a hexadecimal text as sixteen characters; shorter hashes give fewer.
    static func base32(hex: String) -> String {
        let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
        var result: [UInt8] = []
        var buffer = 0
        var bits = 0
        for digit in hex.utf8.prefix(20) {
            buffer = buffer << 4 | (Character(UnicodeScalar(digit)).hexDigitValue ?? 0)
            bits += 4
            if bits >= 5 {
                bits -= 5
                result.append(alphabet[buffer >> bits & 31])
                buffer &= (1 << bits) - 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
