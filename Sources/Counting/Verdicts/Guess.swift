import Models

/// A likely cause of a difference, offered to the supervisor and never acted on.
public enum Guess: Sendable, Hashable, CustomStringConvertible {
    /// Two bins hold each other's stock, or were counted under each other's label.
    case swappedBins(String)
    /// The same item is as much too high in a bin nearby as it is too low here.
    case oppositeNearby(bin: String, variance: Decimal3)
    /// Packs were counted as pieces, or pieces as packs.
    case packFactor(unit: String, factor: Decimal3)
    /// Two neighbouring digits changed places.
    case transposedDigits
    /// A digit was left out or struck twice.
    case digitCount

    /// What the supervisor reads.
    public var description: String {
        switch self {
        case .swappedBins(let bin): "swapped with \(bin)?"
        case .oppositeNearby(let bin, let variance): "\(variance > .zero ? "+" : "")\(variance) in \(bin)"
        case .packFactor(let unit, let factor): "\(unit) of \(factor) mixed up with pieces?"
        case .transposedDigits: "two digits changed places?"
        case .digitCount: "a digit too few or too many?"
        }
    }
}

/// A line of a bin nearby, as far as it is counted.
public struct NeighbourLine: Sendable, Hashable {
    /// The bin's code.
    public let bin: String
    /// The line.
    public let key: LineKey
    /// What was counted there.
    public let counted: Decimal3
    /// The book there at its count.
    public let book: Decimal3

    /// Describes a neighbour's line.
    public init(bin: String, key: LineKey, counted: Decimal3, book: Decimal3) {
        self.bin = bin
        self.key = key
        self.counted = counted
        self.book = book
    }
}

extension Guess {
    /// The likeliest cause of a difference; nil where there is none or nothing suggests itself.
    public static func cause(
        of key: LineKey, counted: Decimal3, book: Decimal3, packs: [PackUnit] = [], neighbours: [NeighbourLine] = []
    ) -> Guess? {
        let variance = counted.adding(-book)
        guard variance != .zero else { return nil }
        let same = neighbours.filter { $0.key.itemID == key.itemID }
        if let swap = same.first(where: { $0.counted == book && $0.book == counted }) { return .swappedBins(swap.bin) }
        if let opposite = same.first(where: { $0.counted.adding(-$0.book) == -variance }) {
            return .oppositeNearby(bin: opposite.bin, variance: -variance)
        }
        for pack in packs {
            guard let factor = pack.baseQuantity, factor > 1, counted != .zero, book != .zero else { continue }
            if pack.inBaseUnits(counted) == book || pack.inBaseUnits(book) == counted {
                return .packFactor(unit: pack.unit, factor: factor)
            }
        }
        return digitGuess(counted, book)
    }

    private static func digitGuess(_ counted: Decimal3, _ book: Decimal3) -> Guess? {
        let a = Array(counted.description.utf8)
        let b = Array(book.description.utf8)
        guard a.count >= 2 || b.count >= 2, counted > .zero, book > .zero else { return nil }
        if a.count == b.count {
            let differing = a.indices.filter { a[$0] != b[$0] }
            guard differing.count == 2, differing[0] + 1 == differing[1], a[differing[0]] == b[differing[1]],
                a[differing[1]] == b[differing[0]]
            else { return nil }
            return .transposedDigits
        }
        guard abs(a.count - b.count) == 1 else { return nil }
        let (short, long) = a.count < b.count ? (a, b) : (b, a)
        let isOneMore = long.indices.contains { index in
            Array(long[..<index]) + Array(long[(index + 1)...]) == short
        }
        return isOneMore ? .digitCount : nil
    }
}
