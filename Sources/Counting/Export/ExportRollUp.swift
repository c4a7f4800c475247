import Basics
import Models
import WarehouseModels

/// One line of an ERP's document, summed from verdicts.
public struct RolledUpLine: Sendable, Hashable {
    /// The key at the connector's grain.
    public let grainKey: String
    /// The verdicts it sums, ordered by id.
    public let verdictIDs: [String]
    /// The bins that are not settled yet; empty where it may be sent.
    public let heldFor: [String]
    /// The number to send; nil while it is held, and where all of it was waived.
    public let quantity: Decimal3?
    /// The movements that the number contains.
    public let movedSince: Decimal3
    /// Whether the sum is a counted zero, which ERPs want said apart from an empty field.
    public let zeroFlag: Bool
    /// The latest count among them.
    public let countedAt: DateTime?
    /// What was counted, summed; nil while it is held.
    public let counted: Decimal3?
    /// The book at count, summed; nil while it is held.
    public let book: Decimal3?

    /// Whether it may be sent.
    public var isReady: Bool { heldFor.isEmpty && quantity != nil }
    /// What `ExportLine.heldFor` says.
    public var heldText: String? { heldFor.isEmpty ? nil : heldFor.joined(separator: ", ") }
}

/// A bin whose stock of a grain key is not settled because it has no verdict yet.
public struct OpenBin: Sendable, Hashable {
    /// The bin's code.
    public let binCode: String
    /// The ERP's site and location of its zone.
    public let site: String?
    /// The ERP's location.
    public let location: String?
    /// The items that the book has there, by SKU.
    public let skus: Set<String>

    /// Describes an open bin.
    public init(binCode: String, site: String? = nil, location: String? = nil, skus: Set<String>) {
        self.binCode = binCode
        self.site = site
        self.location = location
        self.skus = skus
    }
}

/// Sums verdicts to a connector's grain.
///
/// A line is held until every verdict it sums is accepted and every open bin that holds the item is settled: a partial
/// sum would post a loss that never happened.
public enum ExportRollUp {
    /// The lines at a grain, ordered by key.
    ///
    /// Waived verdicts stand with their book quantity, so that a sum over bins stays right; where all are waived nothing
    /// is sent. Exported ones count too: they are part of an absolute sum.
    public static func lines(
        _ verdicts: some Sequence<GrainLine>, grain: ExportGrain, semantics: PostingSemantics, bookFrozen: Bool,
        openBins: [OpenBin] = []
    ) -> [RolledUpLine] {
        Dictionary(grouping: verdicts) { grain.key(of: $0) }
            .map { key, group in line(key, group, grain, semantics, bookFrozen, openBins) }
            .sorted { $0.grainKey < $1.grainKey }
    }

    private static func line(
        _ key: String, _ group: [GrainLine], _ grain: ExportGrain, _ semantics: PostingSemantics, _ bookFrozen: Bool,
        _ openBins: [OpenBin]
    ) -> RolledUpLine {
        var held = Set(group.filter { !isSettled($0.verdict) }.map(\.binCode))
        for bin in openBins where group.contains(where: { touches(bin, $0, grain) }) { held.insert(bin.binCode) }
        let isWaived = group.allSatisfy { $0.verdict.state == .WAIVED }
        var quantity = Decimal3.zero
        var moved = Decimal3.zero
        var counted = Decimal3.zero
        var book = Decimal3.zero
        for line in group {
            let bookQuantity = line.verdict.bookAtCount ?? .zero
            let own = line.verdict.state == .WAIVED ? bookQuantity : line.verdict.counted ?? bookQuantity
            let posting = PostingQuantity(
                semantics, counted: own, bookAtCount: bookQuantity, moved: line.moved, bookFrozen: bookFrozen)
            quantity = quantity.adding(posting.quantity)
            moved = moved.adding(posting.movedSince)
            counted = counted.adding(own)
            book = book.adding(bookQuantity)
        }
        let isOpen = !held.isEmpty
        return RolledUpLine(
            grainKey: key, verdictIDs: group.map(\.verdictID).sorted(), heldFor: held.sorted(),
            quantity: isOpen || isWaived ? nil : quantity, movedSince: isOpen ? .zero : moved,
            zeroFlag: !isOpen && !isWaived && semantics != .DELTA && quantity == .zero,
            countedAt: group.compactMap(\.verdict.countedTo).max(), counted: isOpen ? nil : counted,
            book: isOpen ? nil : book)
    }

    private static func isSettled(_ verdict: LineVerdict) -> Bool {
        switch verdict.state {
        case .ACCEPTED, .EXPORTED, .WAIVED: true
        default: false
        }
    }

    private static func touches(_ bin: OpenBin, _ line: GrainLine, _ grain: ExportGrain) -> Bool {
        guard bin.skus.contains(line.sku) else { return false }
        if grain.parts.contains(.bin), bin.binCode != line.binCode { return false }
        if grain.parts.contains(.location), bin.location != line.location { return false }
        if grain.parts.contains(.site), bin.site != line.site { return false }
        return true
    }
}
