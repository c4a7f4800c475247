import Models

extension Decimal3 {
    /// The value of a quantity at a unit cost, rounded half away from zero to four places.
    public func valued(at unitCost: Decimal3) -> Decimal4 {
        let product = Int128(units) * Int128(unitCost.units)
        let half: Int128 = product < 0 ? -50 : 50
        let rounded = (product + half) / 100
        return Decimal4(units: Int64(clamping: rounded))
    }
}
