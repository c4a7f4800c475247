import Basics

/// What a set of records comes to, in buckets: two that agree in a bucket hold the same records in the same versions
/// there, whatever order they are read in.
///
/// Used to find what changed during a long absence without reading everything again.
public struct RecordDigest: Sendable, Hashable {
    /// There are 2 to the power of so many buckets.
    public let bits: Int
    private var sums: [UInt64]

    /// As many buckets as can be asked for.
    public static let mostBits = 12

    /// Of no records.
    public init(bits: Int) {
        self.bits = min(max(bits, 0), Self.mostBits)
        sums = Array(repeating: 0, count: 1 << self.bits)
    }

    /// So many buckets that neither the digest nor a bucket is large: a sum takes sixteen bytes on its way and a record
    /// some hundreds, so there are more buckets than records in each.
    public init(forRows rows: Int) {
        var bits = 2
        while bits < Self.mostBits, 1 << (2 * bits) < rows * 16 { bits += 1 }
        self.init(bits: bits)
    }

    /// Counts a record in.
    public mutating func add(id: String, version: Int64) {
        let hash = Self.hash(id)
        sums[Self.bucket(of: hash, bits: bits)] &+= Self.mix(hash ^ Self.mix(UInt64(bitPattern: version)))
    }

    /// The buckets in which another of as many differs.
    public func differing(from other: RecordDigest) -> [Int] {
        sums.indices.filter { !other.sums.indices.contains($0) || sums[$0] != other.sums[$0] }
    }

    /// Sixteen hexadecimal digits for each bucket.
    public var text: String {
        var text = ""
        text.reserveCapacity(sums.count * 16)
        for sum in sums {
            let digits = String(sum, radix: 16)
            text += String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }
        return text
    }

    /// Reads what ``text`` gave; nil where it is none of so many bits.
    public init?(bits: Int, text: String) {
        guard (0...Self.mostBits).contains(bits), text.utf8.count == 16 << bits else { return nil }
        var sums: [UInt64] = []
        var rest = text.utf8[...]
        while !rest.isEmpty {
            guard let sum = UInt64(String(rest.prefix(16)) ?? "", radix: 16) else { return nil }
            sums.append(sum)
            rest = rest.dropFirst(16)
        }
        self.bits = bits
        self.sums = sums
    }

    /// The bucket of a record.
    public static func bucket(of id: String, bits: Int) -> Int { bucket(of: hash(id), bits: bits) }

    /// The bucket of a record by its ``hash(_:)``.
    public static func bucket(of hash: UInt64, bits: Int) -> Int { bits == 0 ? 0 : Int(hash >> UInt64(64 - bits)) }

    /// The same number for the same key in every process: FNV-1a, mixed.
    public static func hash(_ id: String) -> UInt64 { mix(FNV1a(id).value) }

    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// What a sync asks for by digests, in `extensions.bincount.digest` under the field's name.
public enum DigestRequest: Sendable, Hashable {
    /// Which buckets differ? The page is empty.
    case compare(RecordDigest)
    /// The records of these buckets only.
    case fetch(bits: Int, buckets: Set<Int>)

    /// The wire form.
    public var json: JSONValue {
        switch self {
        case .compare(let digest): ["bits": .integer(Int64(digest.bits)), "sums": .string(digest.text)]
        case .fetch(let bits, let buckets):
            [
                "bits": .integer(Int64(bits)),
                "buckets": .array(buckets.sorted().map { .integer(Int64($0)) }),
            ]
        }
    }

    /// Reads the wire form.
    public init?(json: JSONValue) {
        guard let bits = json["bits"]?.integer, (0...Int64(RecordDigest.mostBits)).contains(bits) else { return nil }
        if let text = json["sums"]?.string, let digest = RecordDigest(bits: Int(bits), text: text) {
            self = .compare(digest)
        } else if let list = json["buckets"]?.array {
            let buckets = list.compactMap { $0.integer.map { Int(truncatingIfNeeded: $0) } }
            guard buckets.count == list.count, buckets.allSatisfy({ (0..<1 << Int(bits)).contains($0) }) else {
                return nil
            }
            self = .fetch(bits: Int(bits), buckets: Set(buckets))
        } else {
            return nil
        }
    }
}
