import AppSync
import Basics
import Crypto
import Models

/// Where the next page of a list or sync begins; opaque and sealed on the wire.
///
/// It is bound to the query it came from. The code of the plain text is both what proves it and what its cipher stream is
/// made from, so that neither row numbers nor stamps can be read or made up. Each token is of the same length and another
/// than every one before: of the rows that the caller may not see, not even their number's digits show, nor that it grew.
struct PageToken: Hashable {
    /// What kind of walk it continues.
    enum Walk: String {
        case base = "b"
        case changes = "c"
        case index = "i"
    }

    let walk: Walk
    /// The `startedAt` of the first page.
    let startedAt: Int64
    /// The last change read (a delta's stamp).
    let position: Int64
    /// The last row read.
    let row: Int64
    /// The last row of a base walk, fixed on the first page.
    let lastRow: Int64
    /// What the last row of an index walk was sorted by; nil where that is to be looked up in the row.
    let sortKey: [Value]?

    private static let codeSize = 16
    /// Five numbers and what is unique.
    private static let plainSize = 144
    /// So much more for what an index walk is sorted by, and in such steps.
    private static let keySize = 112
    /// A longer key is not carried.
    private static let longestKey = 1500

    /// Whether a key leaves the token as long as any other of its kind.
    static func isShort(_ sortKey: [Value]) -> Bool { keyText(sortKey).utf8.count <= keySize }

    /// Whether a token can carry a key at all.
    static func fits(_ sortKey: [Value]) -> Bool { keyText(sortKey).utf8.count <= longestKey }

    private static func keyText(_ sortKey: [Value]) -> String { JSONValue.array(sortKey.map(\.json)).text }

    /// The token's text; `binding` names the query and its arguments, `unique` is another text for every token.
    func sealed(_ binding: String, key: [UInt8], unique: String) -> String {
        var plain = Array("\(walk.rawValue):\(startedAt):\(position):\(row):\(lastRow):\(unique):".utf8)
        var size = Self.plainSize
        if walk == .index {
            let key = sortKey.map { Array(Self.keyText($0).utf8) } ?? []
            plain += key
            size += max(1, (key.count + Self.keySize - 1) / Self.keySize) * Self.keySize
        }
        plain += Array(repeating: UInt8(ascii: " "), count: max(0, size - plain.count))
        let code = Self.code(plain, binding, key)
        return Base64.encodeURL(code + Self.mask(plain, code, key))
    }

    /// Opens a token; nil where it is forged, cut, or of another query.
    init?(_ text: String, _ binding: String, key: [UInt8]) {
        guard text.utf8.count <= 3000, let bytes = Base64.decode(text), bytes.count > Self.codeSize,
            Base64.encodeURL(bytes) == text
        else {
            return nil
        }
        let code = Array(bytes[..<Self.codeSize])
        let plain = Self.mask(Array(bytes[Self.codeSize...]), code, key)
        guard constantTimeEqual(code, Self.code(plain, binding, key)) else { return nil }
        let parts = String(decoding: plain, as: UTF8.self)
            .split(separator: ":", maxSplits: 6, omittingEmptySubsequences: false)
        guard parts.count == 7, let walk = Walk(rawValue: String(parts[0])), let startedAt = Int64(parts[1]),
            let position = Int64(parts[2]), let row = Int64(parts[3]), let lastRow = Int64(parts[4])
        else { return nil }
        // A token that was made before keys were carried names its last row all the same.
        let list = (try? JSONValue(parsing: String(parts[6])))?.array
        let sortKey = list?.compactMap { Value(json: $0) }
        guard sortKey?.count == list?.count else { return nil }
        self.init(
            walk: walk, startedAt: startedAt, position: position, row: row, lastRow: lastRow, sortKey: sortKey)
    }

    init(
        walk: Walk, startedAt: Int64, position: Int64, row: Int64, lastRow: Int64, sortKey: [Value]? = nil
    ) {
        self.walk = walk
        self.startedAt = startedAt
        self.position = position
        self.row = row
        self.lastRow = lastRow
        self.sortKey = sortKey
    }

    private static func code(_ plain: [UInt8], _ binding: String, _ key: [UInt8]) -> [UInt8] {
        Array(HMACSHA256.authenticate(plain + [0] + Array(binding.utf8), key: key)[..<codeSize])
    }

    private static func mask(_ bytes: [UInt8], _ code: [UInt8], _ key: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var block: UInt8 = 0
        while result.count < bytes.count {
            let stream = HMACSHA256.authenticate(Array("mask".utf8) + code + [block], key: key)
            for byte in stream where result.count < bytes.count { result.append(bytes[result.count] ^ byte) }
            block &+= 1
        }
        return result
    }
}
