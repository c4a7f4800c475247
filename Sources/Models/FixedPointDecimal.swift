import Basics

/// An exact decimal number with a fixed count of places, kept as an integer of its last place.
///
/// Parsed from digits, never from a double; sums and products are exact or trap on overflow of 64 bits.
public protocol FixedPointDecimal: Sendable, Hashable, Comparable, Codable, CustomStringConvertible, FieldValue,
    ExpressibleByIntegerLiteral
{
    /// Digits after the point.
    static var places: Int { get }
    /// The value times ten to the power of ``places``.
    var units: Int64 { get }
    /// The value that has these units.
    init(units: Int64)
}

/// A quantity: three decimal places.
public struct Decimal3: FixedPointDecimal {
    /// 3.
    public static let places = 3
    /// Thousandths.
    public let units: Int64

    /// The value of so many thousandths.
    @inlinable
    public init(units: Int64) {
        self.units = units
    }
}

/// An amount of money: four decimal places.
public struct Decimal4: FixedPointDecimal {
    /// 4.
    public static let places = 4
    /// Ten-thousandths.
    public let units: Int64

    /// The value of so many ten-thousandths.
    @inlinable
    public init(units: Int64) {
        self.units = units
    }
}

/// Ten to the power of `exponent` (0–18).
public func powerOfTen(_ exponent: Int) -> Int64 {
    var result: Int64 = 1
    for _ in 0..<exponent { result *= 10 }
    return result
}

/// Reads a plain or scientific decimal numeral as units of 10^-places; nil where it is none, does not fit, or has more
/// significant places.
public func decimalUnits(_ text: String, places: Int) -> Int64? {
    var digits: [UInt8] = []
    var fraction = 0
    var sawPoint = false
    var negative = false
    var exponent = 0
    let bytes = Array(text.utf8)
    var index = 0
    if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
        negative = first == UInt8(ascii: "-")
        index = 1
    }
    while index < bytes.count {
        let byte = bytes[index]
        if byte >= 48, byte <= 57 {
            digits.append(byte - 48)
            if sawPoint { fraction += 1 }
        } else if byte == UInt8(ascii: "."), !sawPoint {
            sawPoint = true
        } else if byte | 32 == UInt8(ascii: "e") {
            let value = Int(String(decoding: bytes[(index + 1)...], as: UTF8.self))
            guard let value, (-30...30).contains(value) else { return nil }
            exponent = value
            break
        } else {
            return nil
        }
        index += 1
    }
    guard !digits.isEmpty else { return nil }
    var shift = places + exponent - fraction
    while shift < 0 {
        guard let last = digits.popLast() else { return 0 }
        guard last == 0 else { return nil }
        shift += 1
    }
    var value: Int64 = 0
    for digit in digits + Array(repeating: 0, count: shift) {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(Int64(digit))
        guard !overflow, !carry else { return nil }
        value = sum
    }
    return negative ? -value : value
}

/// The shortest numeral of `units` of 10^-places: `12`, `0.5`, `-3.125`.
public func decimalText(_ units: Int64, places: Int) -> String {
    let scale = UInt64(powerOfTen(places))
    let magnitude = units.magnitude
    var text = (units < 0 ? "-" : "") + String(magnitude / scale)
    let rest = magnitude % scale
    guard rest != 0 else { return text }
    var fraction = padded(Int(rest), places)
    while fraction.hasSuffix("0") { fraction.removeLast() }
    text += "." + fraction
    return text
}

extension FixedPointDecimal {
    /// Reads a numeral such as `12`, `-0.5` or `1e3`; nil where it is none or has more places than the type.
    public init?(_ text: String) {
        guard let units = decimalUnits(text, places: Self.places) else { return nil }
        self.init(units: units)
    }

    /// A whole number.
    public init(_ value: Int) {
        self.init(units: Int64(value) * powerOfTen(Self.places))
    }

    /// A whole number.
    public init(integerLiteral value: Int) {
        self.init(value)
    }

    /// Zero.
    public static var zero: Self { Self(units: 0) }
    /// The shortest numeral.
    public var description: String { decimalText(units, places: Self.places) }
    /// Whether there is nothing after the point.
    public var isWhole: Bool { units % powerOfTen(Self.places) == 0 }
    /// The value without its sign.
    public var magnitude: Self { Self(units: abs(units)) }

    /// Orders by value.
    public static func < (a: Self, b: Self) -> Bool { a.units < b.units }
    /// The exact sum.
    public static func + (a: Self, b: Self) -> Self { Self(units: a.units + b.units) }
    /// The exact difference.
    public static func - (a: Self, b: Self) -> Self { Self(units: a.units - b.units) }
    /// The negated value.
    public static prefix func - (a: Self) -> Self { Self(units: -a.units) }
    /// Adds in place.
    public static func += (a: inout Self, b: Self) { a = a + b }
    /// Subtracts in place.
    public static func -= (a: inout Self, b: Self) { a = a - b }

    /// The product, or nil where it has more places than the type or does not fit.
    public func multiplied(by other: some FixedPointDecimal) -> Self? {
        let product = units.multipliedFullWidth(by: other.units)
        let scale = powerOfTen(type(of: other).places)
        guard product.high == (Int64(bitPattern: product.low) < 0 ? -1 : 0) else {
            let (quotient, remainder) = scale.dividingChecked(product)
            return remainder == 0 ? quotient.map(Self.init(units:)) : nil
        }
        let value = Int64(bitPattern: product.low)
        return value % scale == 0 ? Self(units: value / scale) : nil
    }

    /// Decodes a JSON number or a numeral in a string.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text: String
        do { text = try container.decode(String.self) } catch { text = String(try container.decode(Double.self)) }
        guard let value = Self(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(text) is no decimal of \(Self.places) places")
        }
        self = value
    }

    /// Encodes the shortest numeral as a string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension Int64 {
    /// Divides a full-width product by `self`; the quotient is nil where it does not fit.
    fileprivate func dividingChecked(_ product: (high: Int64, low: UInt64)) -> (quotient: Int64?, remainder: Int64) {
        guard product.high.magnitude < magnitude / 2 else { return (nil, 0) }
        let result = dividingFullWidth(product)
        return (result.quotient, result.remainder)
    }
}
