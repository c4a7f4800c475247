/// The Fowler–Noll–Vo hash, variant 1a, of 64 bits: the same in every process and version, as what is stored, compared
/// between machines or printed on labels must be. Not for keeping anything from anyone.
public struct FNV1a: Sendable {
    /// The hash of what was added so far.
    public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    /// Of nothing.
    public init() {}

    /// Of a text's UTF-8.
    public init(_ text: String) { add(text.utf8) }

    /// Goes on with these bytes.
    public mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
}
