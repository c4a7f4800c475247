import Models

/// What a typed quantity may be counted in: the item's base unit, its packs, and the unit that bare numbers stand for.
public struct QuantityUnits: Sendable, Hashable {
    /// The item's base unit.
    public let baseUnit: String
    /// How many places a base quantity may have (0–3).
    public let decimals: Int
    /// The declared packs.
    public let packs: [PackUnit]
    /// What a number without a unit counts: the base unit, or the pack whose barcode was scanned.
    public let defaultUnit: PackUnit

    /// Describes an item's units.
    ///
    /// `defaultUnit` names a declared pack; nil or an undeclared name means the base unit.
    public init(baseUnit: String, decimals: Int, packs: [PackUnit] = [], defaultUnit: String? = nil) {
        self.baseUnit = baseUnit
        self.decimals = min(max(decimals, 0), Decimal3.places)
        self.packs = packs
        let base = PackUnit(base: baseUnit)
        self.defaultUnit = packs.first { sameUnit($0.unit, defaultUnit ?? "") } ?? base
    }

    /// The largest pack, which the "more than ten packs" question measures by; nil where no pack holds more than one.
    public var largestPack: PackUnit? {
        packs.filter { $0.factor > Rational(whole: 1) }.max { $0.factor < $1.factor }
    }

    /// The unit a suffix names: exactly, in the plural, or by an abbreviation that only one unit has.
    func unit(named text: String) -> PackUnit? {
        let units = [PackUnit(base: baseUnit)] + packs
        if let exact = units.first(where: { sameUnit($0.unit, text) }) { return exact }
        if let plural = units.first(where: { sameUnit($0.unit + "s", text) }) { return plural }
        let abbreviated = units.filter { $0.unit.lowercased().hasPrefix(text.lowercased()) }
        return abbreviated.count == 1 ? abbreviated[0] : nil
    }
}

extension PackUnit {
    /// The unit of one base unit.
    init(base unit: String) {
        self.unit = unit
        factor = Rational(whole: 1)
    }
}

/// Whether two unit names are the same but for case.
func sameUnit(_ a: String, _ b: String) -> Bool { a.lowercased() == b.lowercased() }
