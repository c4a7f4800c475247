import Basics
import Models
import WarehouseModels

/// How far a count may lie from the book and still be accepted.
public struct Tolerance: Sendable, Hashable {
    /// Per cent of the book quantity; nil where not limited so.
    public var percent: Decimal3?
    /// Base units; nil where not limited so.
    public var units: Decimal3?
    /// Money; nil where not limited so.
    public var value: Decimal4?
    /// A difference up to this many units is always within.
    public var floor: Decimal3
    /// Whether all limits must hold (all-of) or one is enough (any-of).
    public var needsAll: Bool

    /// Describes a tolerance; without any limit and floor only exact counts are within.
    public init(
        percent: Decimal3? = nil, units: Decimal3? = nil, value: Decimal4? = nil, floor: Decimal3 = .zero,
        needsAll: Bool = false
    ) {
        self.percent = percent
        self.units = units
        self.value = value
        self.floor = floor
        self.needsAll = needsAll
    }

    /// Nothing but the exact count.
    public static let exact = Tolerance()

    /// The usual set: ±0.2 % for class A, ±5 % for C, ±1 % for B and what has no class; exact for serial numbers.
    public static func usual(abcClass: String?, tracking: Tracking) -> Tolerance {
        guard tracking != .SERIAL else { return .exact }
        switch abcClass?.uppercased() {
        case "A": return Tolerance(percent: Decimal3(units: 200))
        case "C": return Tolerance(percent: Decimal3(units: 5000))
        default: return Tolerance(percent: Decimal3(units: 1000))
        }
    }

    /// Whether a variance is within; without a unit cost a limit in money does not hold.
    public func allows(_ variance: Decimal3, book: Decimal3, unitCost: Decimal3?) -> Bool {
        let size = variance.magnitude
        if size == .zero || size <= floor { return true }
        var tests: [Bool] = []
        if let percent {
            tests.append(Int128(size.units) * 100_000 <= Int128(percent.units) * Int128(book.magnitude.units))
        }
        if let units { tests.append(size <= units) }
        if let value { tests.append(unitCost.map { size.valued(at: $0).magnitude <= value } ?? false) }
        guard !tests.isEmpty else { return false }
        return needsAll ? tests.allSatisfy(\.self) : tests.contains(true)
    }
}

/// The site's tolerances: rules by class, unit, zone and value, the most specific first, the usual set behind them.
///
/// A rule's `limits` is an object of `percent`, `units`, `value` and `floor`.
public struct ToleranceTable: Sendable {
    private let rules: [Rule]

    /// The tolerance rules that hold at a moment.
    public init(_ rules: some Sequence<Rule>, at moment: DateTime) {
        self.rules = rules.filter { $0.kind == .tolerance && $0.since <= moment }
            .sorted { ($0.specificity, $0.since, $0.id) > ($1.specificity, $1.since, $1.id) }
    }

    /// The tolerance for an item in a zone whose book is worth so much.
    public func tolerance(
        abcClass: String?, unit: String, zoneID: String?, bookValue: Decimal4?, tracking: Tracking
    ) -> Tolerance {
        let rule = rules.first { rule in
            rule.covers(abcClass: abcClass, unit: unit, zoneID: zoneID, value: bookValue)
        }
        guard let rule else { return Tolerance.usual(abcClass: abcClass, tracking: tracking) }
        return Tolerance(limits: rule.limits.value, test: rule.test)
    }
}

/// Up to which value a difference is accepted without a person, and who may accept more.
///
/// A rule's `limits` is an object with `auto` (true) or `roles` (a list of names).
public struct ApprovalBands: Sendable {
    private let rules: [Rule]

    /// The approval bands that hold at a moment.
    public init(_ rules: some Sequence<Rule>, at moment: DateTime) {
        self.rules = rules.filter { $0.kind == .approval_band && $0.since <= moment }
            .sorted { ($0.specificity, $0.since, $0.id) > ($1.specificity, $1.since, $1.id) }
    }

    /// Whether a confirmed difference of this value is accepted by itself; without a rule never.
    public func isAutomatic(_ value: Decimal4, abcClass: String?, zoneID: String?) -> Bool {
        band(value, abcClass, zoneID)?.limits.value["auto"]?.bool ?? false
    }

    /// Whether someone with these roles may accept a difference of this value; without a rule supervisors may.
    public func allows(_ roles: Set<String>, value: Decimal4, abcClass: String?, zoneID: String?) -> Bool {
        guard let named = band(value, abcClass, zoneID)?.limits.value["roles"]?.array else {
            return roles.contains("supervisors")
        }
        return named.compactMap(\.string).contains(where: roles.contains)
    }

    private func band(_ value: Decimal4, _ abcClass: String?, _ zoneID: String?) -> Rule? {
        rules.first { $0.covers(abcClass: abcClass, unit: nil, zoneID: zoneID, value: value.magnitude) }
    }
}

extension Tolerance {
    /// Reads a rule's limits; numbers may be written as numbers or as text.
    public init(limits: JSONValue, test: String) {
        func numeral(_ name: String) -> String? {
            switch limits[name] {
            case .integer(let value): String(value)
            case .number(let text), .string(let text): text
            default: nil
            }
        }
        self.init(
            percent: numeral("percent").flatMap { Decimal3($0) }, units: numeral("units").flatMap { Decimal3($0) },
            value: numeral("value").flatMap { Decimal4($0) },
            floor: numeral("floor").flatMap { Decimal3($0) } ?? .zero, needsAll: test == "all-of")
    }
}

extension Rule {
    /// How many conditions a rule names.
    fileprivate var specificity: Int {
        [abcClass != nil, unit != nil, zoneID != nil, valueFrom != nil || valueTo != nil].count { $0 }
    }

    /// Whether every condition that the rule names holds; a value range is from inclusive to exclusive.
    fileprivate func covers(abcClass: String?, unit: String?, zoneID: String?, value: Decimal4?) -> Bool {
        if let own = self.abcClass, own.uppercased() != abcClass?.uppercased() { return false }
        if let own = self.unit, !sameUnit(own, unit ?? "") { return false }
        if let own = self.zoneID, own != zoneID { return false }
        guard valueFrom != nil || valueTo != nil else { return true }
        guard let value else { return false }
        if let valueFrom, Int128(value.units) < Int128(valueFrom.units) * 10 { return false }
        if let valueTo, Int128(value.units) >= Int128(valueTo.units) * 10 { return false }
        return true
    }
}
