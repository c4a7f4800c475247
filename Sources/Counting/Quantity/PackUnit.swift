import Models

/// A unit an item may be counted in: how many base units one of it holds.
public struct PackUnit: Sendable, Hashable {
    /// The unit's name as master data has it: `CS`, `EA`.
    public let unit: String
    let factor: Rational

    /// A unit of `numerator / denominator` base units; nil where the fraction is not positive.
    public init?(_ unit: String, numerator: Int64, denominator: Int64 = 1) {
        guard let factor = Rational(Int128(numerator), Int128(denominator)), factor > .zero else { return nil }
        self.unit = unit
        self.factor = factor
    }

    /// A unit whose factor is written as two numerals, as master data keeps them; nil where they are none.
    public init?(_ unit: String, numerator: String, denominator: String) {
        guard let top = Rational(numeral: numerator[...].utf8), let bottom = Rational(numeral: denominator[...].utf8),
            let factor = top.divided(by: bottom), factor > .zero
        else { return nil }
        self.unit = unit
        self.factor = factor
    }

    /// How many base units one holds, where three places can say it.
    public var baseQuantity: Decimal3? { factor.thousandths.map { Decimal3(units: $0) } }

    /// So many of this unit as base units; nil where that is no number of three places.
    public func inBaseUnits(_ quantity: Decimal3) -> Decimal3? {
        Rational(Int128(quantity.units), 1000)?.multiplied(by: factor)?.thousandths.map { Decimal3(units: $0) }
    }
}
