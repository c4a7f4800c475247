import WarehouseModels

/// What makes one line of a bin: the item with its lot, owner, status and licence plate; or a code nobody knows yet.
public struct LineKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The item; nil while the code is unknown.
    public let itemID: String?
    /// The unknown code in normal form; nil where the item is known.
    public let unknownCode: String?
    /// The lot; lower case is significant.
    public let lot: String?
    /// Whose stock it is, where it is not the site's own.
    public let stockOwner: String?
    /// The stock status, where it is not free stock.
    public let stockStatus: String?
    /// The pallet or container it lies on.
    public let licencePlate: String?

    /// The line of an item.
    public init(
        itemID: String, lot: String? = nil, stockOwner: String? = nil, stockStatus: String? = nil,
        licencePlate: String? = nil
    ) {
        self.init(itemID, nil, lot, stockOwner, stockStatus, licencePlate)
    }

    /// The line of a code that no master record has; `code` is brought into normal form.
    public init(
        unknownCode code: String, lot: String? = nil, stockOwner: String? = nil, stockStatus: String? = nil,
        licencePlate: String? = nil
    ) {
        self.init(nil, normalisedCode(code), lot, stockOwner, stockStatus, licencePlate)
    }

    private init(
        _ item: String?, _ code: String?, _ lot: String?, _ owner: String?, _ status: String?, _ plate: String?
    ) {
        itemID = item
        unknownCode = code
        // Empty text and null name the same line: masters from files have one, terminals the other.
        self.lot = lot?.isEmpty == true ? nil : lot
        stockOwner = owner?.isEmpty == true ? nil : owner
        stockStatus = status?.isEmpty == true ? nil : status
        licencePlate = plate?.isEmpty == true ? nil : plate
    }

    /// The line that an entry is about; nil where it is about the whole bin.
    public init?(_ entry: CountEntry) {
        if let item = entry.itemID {
            self.init(item, nil, entry.lot, entry.stockOwner, entry.stockStatus, entry.licencePlate)
        } else if let code = entry.code {
            let value = normalisedCode(code)
            self.init(nil, value, entry.lot, entry.stockOwner, entry.stockStatus, entry.licencePlate)
        } else {
            return nil
        }
    }

    /// The line of a book line.
    public init(_ line: BookLine) {
        self.init(line.itemID, nil, line.lot, line.stockOwner, line.stockStatus, line.licencePlate)
    }

    /// The line of a movement.
    public init(_ movement: StockMovement) {
        self.init(
            movement.itemID, nil, movement.lot, movement.stockOwner, movement.stockStatus, movement.licencePlate)
    }

    /// The line of a verdict.
    public init(_ verdict: LineVerdict) {
        self.init(verdict.itemID, nil, verdict.lot, verdict.stockOwner, verdict.stockStatus, verdict.licencePlate)
    }

    /// The same line of a known item.
    public func matched(to itemID: String) -> LineKey {
        LineKey(itemID, nil, lot, stockOwner, stockStatus, licencePlate)
    }

    /// The parts in a fixed order, for ids and for comparing.
    public var parts: [String?] { [itemID, unknownCode, lot, stockOwner, stockStatus, licencePlate] }

    /// Item or code, then whatever else is set.
    public var description: String {
        var text = itemID ?? "?" + (unknownCode ?? "")
        if let lot { text += " lot \(lot)" }
        if let stockOwner { text += " of \(stockOwner)" }
        if let stockStatus { text += " \(stockStatus)" }
        if let licencePlate { text += " on \(licencePlate)" }
        return text
    }

    /// Orders known items before unknown codes, then by each part.
    public static func < (a: LineKey, b: LineKey) -> Bool {
        if (a.itemID == nil) != (b.itemID == nil) { return a.itemID != nil }
        for (left, right) in zip(a.parts, b.parts) where left != right {
            guard let left else { return true }
            guard let right else { return false }
            return left < right
        }
        return false
    }
}
