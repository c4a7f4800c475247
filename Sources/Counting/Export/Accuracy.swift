import Models
import WarehouseModels

/// One judged line as the figures of accuracy see it.
public struct AccuracyLine: Sendable, Hashable {
    /// The bin.
    public let binID: String
    /// What was counted.
    public let counted: Decimal3
    /// The book at count.
    public let book: Decimal3
    /// Whether it is within tolerance.
    public let isWithin: Bool
    /// The value of the difference, nil without a cost.
    public let varianceValue: Decimal4?

    /// Describes a line.
    public init(binID: String, counted: Decimal3, book: Decimal3, isWithin: Bool, varianceValue: Decimal4? = nil) {
        self.binID = binID
        self.counted = counted
        self.book = book
        self.isWithin = isWithin
        self.varianceValue = varianceValue
    }

    /// A verdict's line; nil where nothing was counted.
    public init?(_ verdict: LineVerdict) {
        guard let counted = verdict.counted, let book = verdict.bookAtCount else { return nil }
        self.init(
            binID: verdict.binID, counted: counted, book: book,
            isWithin: verdict.finding == .CLEAN || verdict.finding == .WITHIN, varianceValue: verdict.varianceValue)
    }
}

/// A share of a whole, kept exact.
public struct Share: Sendable, Hashable {
    /// The part.
    public let part: Int64
    /// The whole.
    public let whole: Int64

    /// Makes a share.
    public init(_ part: Int64, of whole: Int64) {
        self.part = part
        self.whole = whole
    }

    /// The share in per cent with one place, rounded down so that 99.96 is never shown as 100; nil of nothing.
    public var percentText: String? {
        guard whole != 0 else { return nil }
        let tenths = Int128(part) * 1000 / Int128(whole)
        return "\(tenths < 0 ? "-" : "")\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
    }
}

/// The figures of inventory record accuracy.
public struct Accuracy: Sendable, Hashable {
    /// Bins with every line in tolerance, of bins counted (target 97 % and more).
    public let bins: Share
    /// Lines in tolerance, of lines counted (target 95 to 99 %).
    public let lines: Share
    /// Lines that are exactly right, of lines counted.
    public let strictLines: Share
    /// Units right, of units in the book: 1 − Σ|counted − book| / Σ book. Never of the net difference.
    public let units: Share
    /// Σ|counted − book|.
    public let grossUnits: Decimal3
    /// Σ(counted − book).
    public let netUnits: Decimal3
    /// Σ|difference| in money.
    public let grossValue: Decimal4
    /// Σ difference in money.
    public let netValue: Decimal4

    /// Computes the figures.
    public init(_ judged: some Sequence<AccuracyLine>) {
        var byBin: [String: Bool] = [:]
        var (count, within, exact): (Int64, Int64, Int64) = (0, 0, 0)
        var (book, gross, net) = (Decimal3.zero, Decimal3.zero, Decimal3.zero)
        var (grossMoney, netMoney): (Int64, Int64) = (0, 0)
        for line in judged {
            let variance = line.counted.adding(-line.book)
            byBin[line.binID] = (byBin[line.binID] ?? true) && line.isWithin
            count += 1
            if line.isWithin { within += 1 }
            if variance == .zero { exact += 1 }
            book = book.adding(line.book)
            gross = gross.adding(variance.magnitude)
            net = net.adding(variance)
            let money = line.varianceValue?.units ?? 0
            grossMoney = grossMoney.addingClamped(abs(money))
            netMoney = netMoney.addingClamped(money)
        }
        bins = Share(Int64(byBin.values.count { $0 }), of: Int64(byBin.count))
        lines = Share(within, of: count)
        strictLines = Share(exact, of: count)
        units = Share(book.adding(-gross).units, of: book.units)
        grossUnits = gross
        netUnits = net
        grossValue = Decimal4(units: grossMoney)
        netValue = Decimal4(units: netMoney)
    }
}

extension Int64 {
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (self < 0 ? .min + 1 : .max) : sum
    }
}

/// How well a counter counts.
public struct CounterQuality: Sendable, Hashable {
    /// First counts that agree with what was finally accepted, of first counts.
    public let firstCountHits: Share
    /// Opinions that a later one overturned, of all.
    public let overturned: Share
    /// The median time per bin in seconds; nil without a bin.
    public let medianSecondsPerBin: Int?

    /// Computes the figures of one person.
    ///
    /// - Parameters:
    ///   - firstCounts: for each line first counted by this person, what was counted and what was finally accepted.
    ///   - opinions: for each opinion of this person whether it was overturned.
    ///   - secondsPerBin: how long each bin took.
    public init(firstCounts: [(counted: Decimal3, final: Decimal3)], opinions: [Bool], secondsPerBin: [Int]) {
        firstCountHits = Share(Int64(firstCounts.count { $0.counted == $0.final }), of: Int64(firstCounts.count))
        overturned = Share(Int64(opinions.count { $0 }), of: Int64(opinions.count))
        let sorted = secondsPerBin.sorted()
        let middle = sorted.count / 2
        medianSecondsPerBin =
            sorted.isEmpty
            ? nil : (sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2)
    }
}
