/// Where randomness comes from; injected so that a seed replays a run.
public protocol RandomSource: Sendable {
    /// 64 random bits.
    func next() -> UInt64
}

extension RandomSource {
    /// A number in `0..<bound`; `bound` must be positive.
    public func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// A version-4 UUID in lower case.
    public func uuid() -> String {
        let hex = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        var high = next()
        var low = next()
        high = (high & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000
        low = (low & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        for position in 0..<32 {
            if position == 8 || position == 12 || position == 16 || position == 20 { text.append(45) }
            let word = position < 16 ? high : low
            text.append(hex[Int((word >> UInt64(60 - (position % 16) * 4)) & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, replayable; not for secrets.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Starts the sequence that belongs to `seed`.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// A replayable source shared by reference.
public final class SeededRandom: RandomSource {
    private let generator: Locked<SplitMix64>

    /// Starts the sequence that belongs to `seed`.
    public init(seed: UInt64) {
        generator = Locked(SplitMix64(seed: seed))
    }

    /// The next 64 bits of the sequence.
    public func next() -> UInt64 { generator.withLock { $0.next() } }
}

/// The operating system's randomness (`getrandom`).
public struct SystemRandom: RandomSource {
    /// Makes the source; it has no state.
    public init() {}

    /// 64 bits from the kernel.
    public func next() -> UInt64 { UInt64.random(in: .min ... .max) }
}
