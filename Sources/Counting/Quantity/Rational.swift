/// An exact fraction of 128-bit integers: what quantities are computed in before they are rounded to nothing.
///
/// Pack factors may be fractions (a base unit of 1/3 case), so a chain of products is exact only as a fraction.
struct Rational: Hashable, Sendable {
    /// The reduced numerator; it carries the sign.
    let numerator: Int128
    /// The reduced denominator, positive.
    let denominator: Int128

    /// Reduces `numerator / denominator`; nil where the denominator is 0.
    init?(_ numerator: Int128, _ denominator: Int128 = 1) {
        guard denominator != 0, denominator > Int128.min, numerator > Int128.min else { return nil }
        let divisor = Rational.greatestCommonDivisor(abs(numerator), abs(denominator))
        let sign: Int128 = denominator < 0 ? -1 : 1
        self.numerator = sign * numerator / divisor
        self.denominator = sign * denominator / divisor
    }

    /// Zero.
    static let zero = Rational(whole: 0)

    /// A whole number.
    init(whole: Int64) {
        numerator = Int128(whole)
        denominator = 1
    }

    /// Reads an unsigned numeral such as `12`, `0.5`, `.5` or `12.`; nil where it is none or does not fit.
    init?(numeral: Substring.UTF8View) {
        var value: Int128 = 0
        var scale: Int128 = 1
        var sawPoint = false
        var digits = 0
        for byte in numeral {
            if byte == UInt8(ascii: "."), !sawPoint {
                sawPoint = true
                continue
            }
            guard byte >= 48, byte <= 57, digits < 30 else { return nil }
            digits += 1
            value = value * 10 + Int128(byte - 48)
            if sawPoint { scale *= 10 }
        }
        guard digits > 0 else { return nil }
        self.init(value, scale)
    }

    /// The sum, nil on overflow.
    func adding(_ other: Rational) -> Rational? {
        guard let a = Rational.product(numerator, other.denominator),
            let b = Rational.product(other.numerator, denominator),
            let scale = Rational.product(denominator, other.denominator)
        else { return nil }
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? nil : Rational(sum, scale)
    }

    /// The product, nil on overflow.
    func multiplied(by other: Rational) -> Rational? {
        guard let top = Rational.product(numerator, other.numerator),
            let bottom = Rational.product(denominator, other.denominator)
        else { return nil }
        return Rational(top, bottom)
    }

    /// The quotient, nil on overflow or where `other` is 0.
    func divided(by other: Rational) -> Rational? {
        guard let inverse = Rational(other.denominator, other.numerator) else { return nil }
        return multiplied(by: inverse)
    }

    /// The negated value.
    var negated: Rational { Rational(-numerator, denominator) ?? .zero }

    /// The value in thousandths where it is a whole number of them and fits.
    var thousandths: Int64? {
        guard let scaled = Rational.product(numerator, 1000), scaled % denominator == 0 else { return nil }
        return Int64(exactly: scaled / denominator)
    }

    private static func product(_ a: Int128, _ b: Int128) -> Int128? {
        let (result, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? nil : result
    }

    private static func greatestCommonDivisor(_ a: Int128, _ b: Int128) -> Int128 {
        var (x, y) = (a, b)
        while y != 0 { (x, y) = (y, x % y) }
        return max(x, 1)
    }
}

extension Rational: Comparable {
    /// Orders by value.
    static func < (a: Rational, b: Rational) -> Bool {
        let left = a.numerator.multipliedFullWidth(by: b.denominator)
        let right = b.numerator.multipliedFullWidth(by: a.denominator)
        return left.high == right.high ? left.low < right.low : left.high < right.high
    }
}
