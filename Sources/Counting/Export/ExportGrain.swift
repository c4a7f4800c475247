import Models
import WarehouseModels

/// A part of what an ERP's line is kept by.
public enum GrainPart: String, Sendable, Hashable, CaseIterable {
    case site, location, bin, item, lot, owner, status, plate
}

/// What one line of an ERP's document sums.
public struct ExportGrain: Sendable, Hashable, CustomStringConvertible {
    /// The parts in order.
    public let parts: [GrainPart]

    /// A grain of these parts; the item is always one of them.
    public init(_ parts: [GrainPart]) {
        self.parts = GrainPart.allCases.filter { parts.contains($0) || $0 == .item }
    }

    /// Reads `bin+item+lot`; nil where a word is no part.
    public init?(_ text: String) {
        let words = text.split(separator: "+").map { GrainPart(rawValue: String($0)) }
        guard !words.isEmpty, !words.contains(nil) else { return nil }
        self.init(words.compactMap(\.self))
    }

    /// `bin+item+lot`.
    public var description: String { parts.map(\.rawValue).joined(separator: "+") }

    /// The key that a line has at this grain: `bin=B-01;item=4711`.
    public func key(of line: GrainLine) -> String {
        parts.compactMap { part in line.value(of: part).map { "\(part.rawValue)=\(escaped($0))" } }
            .joined(separator: ";")
    }

    private func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            if character == ";" || character == "=" || character == "\\" { result.append("\\") }
            result.append(character)
        }
        return result
    }
}

/// One verdict as the roll-up sees it.
public struct GrainLine: Sendable, Hashable {
    /// The verdict's id.
    public let verdictID: String
    /// The bin's code.
    public let binCode: String
    /// The ERP's site.
    public var site: String?
    /// The ERP's location.
    public var location: String?
    /// The line.
    public let key: LineKey
    /// The item's SKU.
    public let sku: String
    /// The verdict.
    public let verdict: LineVerdict
    /// Movements booked since its count and up to now.
    public let moved: Decimal3

    /// Describes a verdict.
    public init(
        _ verdict: LineVerdict, binCode: String, sku: String, site: String? = nil, location: String? = nil,
        moved: Decimal3 = .zero
    ) {
        verdictID = verdict.id
        self.binCode = binCode
        self.sku = sku
        self.site = site
        self.location = location
        key = LineKey(verdict)
        self.verdict = verdict
        self.moved = moved
    }

    func value(of part: GrainPart) -> String? {
        switch part {
        case .site: site
        case .location: location
        case .bin: binCode
        case .item: sku
        case .lot: key.lot
        case .owner: key.stockOwner
        case .status: key.stockStatus
        case .plate: key.licencePlate
        }
    }
}
