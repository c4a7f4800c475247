import Models

/// Why a typed quantity should be confirmed once before it is stored.
///
/// A concern is only an observation; whether and how to ask is the screen's affair. The most frequent cause is a scan
/// that landed in the quantity field.
public enum QuantityConcern: Sendable, Hashable {
    /// A number of more than six digits was typed.
    case manyDigits(Int)
    /// A typed number is one of the item's own barcodes.
    case isBarcode(String)
    /// More than ten of the item's largest pack.
    case exceedsPacks(unit: String)

    /// Digits up to which nothing is asked.
    public static let usualDigits = 6
    /// Largest packs up to which nothing is asked.
    public static let usualPacks: Int64 = 10
}

extension TypedQuantity {
    /// What should be asked about before this is stored; `barcodes` are the item's, in any length.
    public func concerns(in units: QuantityUnits, barcodes: some Sequence<String>) -> [QuantityConcern] {
        var result: [QuantityConcern] = []
        let digits = numerals.map { $0.filter(\.isNumber).count }.max() ?? 0
        if digits > QuantityConcern.usualDigits { result.append(.manyDigits(digits)) }
        let codes = Set(barcodes.map(normalisedCode))
        if let code = numerals.first(where: { codes.contains(normalisedCode($0)) }) { result.append(.isBarcode(code)) }
        if let pack = units.largestPack,
            let limit = pack.factor.multiplied(by: Rational(whole: QuantityConcern.usualPacks)),
            let value = Rational(Int128(base.units), 1000), value > limit
        {
            result.append(.exceedsPacks(unit: pack.unit))
        }
        return result
    }
}
