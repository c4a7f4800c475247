/// A number for use inside a store or a company: it names nothing outside of it, and may hide a price or a weight.
public struct RestrictedNumber: Sendable, Hashable {
    /// How far a number's meaning reaches.
    public enum Reach: Sendable, Hashable {
        /// Agreed in a country (prefix 02 and 20–29): often with price or weight inside.
        case region
        /// Made up by the company (prefix 04, eight digits beginning with 0 or 2).
        case company
    }

    /// The number as fourteen digits.
    public let gtin: GTIN
    /// How far its meaning reaches.
    public let reach: Reach

    /// Recognises a restricted number; nil where the number belongs to an item anywhere.
    public init?(_ gtin: GTIN) {
        let thirteen = gtin.digits.dropFirst()
        guard gtin.indicator == 0 else { return nil }
        self.gtin = gtin
        if gtin.shortest.count == 8 {
            guard let first = gtin.shortest.first, first == "0" || first == "2" else { return nil }
            reach = .company
        } else if thirteen.hasPrefix("2") || thirteen.hasPrefix("02") {
            reach = .region
        } else if thirteen.hasPrefix("04") {
            reach = .company
        } else {
            return nil
        }
    }
}
