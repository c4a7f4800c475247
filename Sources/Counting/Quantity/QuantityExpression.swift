import Models

/// What is wrong with a typed quantity, in one line for the person who typed it.
public enum QuantityError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Nothing was typed.
    case empty
    /// The text ends where a number must follow.
    case unfinished
    /// A character that has no place there; `position` counts characters from 1.
    case unexpected(Character, position: Int)
    /// A suffix that is no declared unit of the item.
    case unknownUnit(String)
    /// One product names two units.
    case twoUnits
    /// The result has more places than the item allows.
    case tooManyPlaces(allowed: Int)
    /// The result has more than twelve digits before the point.
    case overflow
    /// The result is below zero.
    case negative

    /// One line for a person.
    public var description: String {
        switch self {
        case .empty: "no quantity yet"
        case .unfinished: "a number is missing at the end"
        case .unexpected(let character, let position): "'\(character)' cannot stand at place \(position)"
        case .unknownUnit(let unit): "'\(unit)' is no unit of this item"
        case .twoUnits: "a product has one unit only"
        case .tooManyPlaces(let allowed): allowed == 0 ? "whole units only" : "at most \(allowed) decimal places"
        case .overflow: "too large: at most 12 digits"
        case .negative: "a count cannot be below zero"
        }
    }
}

/// A quantity as typed and what it comes to.
public struct TypedQuantity: Sendable, Hashable {
    /// The text as typed, without outer blanks.
    public let expression: String
    /// The result in base units.
    public let base: Decimal3
    /// The unit of ``quantity``: the one unit that every product used, else the base unit.
    public let unit: String
    /// The result in ``unit``.
    public let quantity: Decimal3
    /// The numerals in the order typed; the sanity questions look at them.
    public let numerals: [String]
    /// Whether the text was one number without operator or unit.
    public let isPlain: Bool
}

/// The quantity algebra: `12`, `13*12+2`, `4*6*12+7`, `3 CS + 5`, `2.5`.
///
/// Products bind before sums; `x` and `×` stand for `*`; a unit may follow a number. Results are exact.
public enum QuantityExpression {
    /// Evaluates a typed quantity.
    ///
    /// - Parameter allowsNegative: whether the result may be below zero, as a correction is; a count may not.
    /// - Throws: ``QuantityError``.
    public static func evaluate(
        _ text: String, in units: QuantityUnits, allowsNegative: Bool = false
    ) throws(QuantityError) -> TypedQuantity {
        var parser = QuantityParser(text, units: units)
        let sum = try parser.sum()
        guard allowsNegative || sum.total >= .zero else { throw .negative }
        let base = try decimal(sum.total, decimals: units.decimals)
        var unit = units.baseUnit
        var quantity = base
        if let shared = sum.sharedUnit, shared.unit != unit,
            let inUnit = sum.total.divided(by: shared.factor)?.thousandths
        {
            unit = shared.unit
            quantity = Decimal3(units: inUnit)
        }
        return TypedQuantity(
            expression: parser.trimmed, base: base, unit: unit, quantity: quantity, numerals: parser.numerals,
            isPlain: sum.isPlain)
    }

    /// What an unfinished text comes to so far: `13*12+` is 156; nil where not even a part of it makes sense.
    public static func preview(_ text: String, in units: QuantityUnits) -> TypedQuantity? {
        var rest = Substring(text)
        while !rest.isEmpty {
            if let value = try? evaluate(String(rest), in: units, allowsNegative: true) { return value }
            guard let last = rest.last, !last.isNumber else { return nil }
            rest = rest.dropLast()
        }
        return nil
    }

    private static func decimal(_ value: Rational, decimals: Int) throws(QuantityError) -> Decimal3 {
        let limit = Rational(whole: 1_000_000_000_000)
        guard value < limit, value.negated < limit else { throw .overflow }
        guard let units = value.thousandths, units % powerOfTen(Decimal3.places - decimals) == 0 else {
            throw .tooManyPlaces(allowed: decimals)
        }
        return Decimal3(units: units)
    }
}
