import Basics
import Models
import WarehouseModels

/// How a pass ended.
public struct PassClosing: Sendable, Hashable {
    /// Why only a part was counted; nil where the whole bin was.
    public let partReason: String?
    /// How many entries the pass has, the CLOSE itself included; nil where the terminal did not say.
    public let entryCount: Int?
    /// The sequence of the CLOSE.
    public let sequence: Int
    /// When, on the hub's clock where it can be placed.
    public let at: DateTime

    /// Whether the counter said that all of the bin was counted.
    public var isWhole: Bool { partReason == nil }
}

/// A statement about the whole bin.
public struct BinStatement: Sendable, Hashable {
    /// What proves that the counter stood there.
    public let proof: EntryProof?
    /// The reason or note that came with it.
    public let reason: String?
    /// When.
    public let at: DateTime
}

/// Why an entry changes nothing.
public enum IgnoredReason: Sendable, Hashable {
    /// It came after the pass was closed.
    case afterClose
    /// Another pass took over before it.
    case takenOver
    /// It takes back something of another author.
    case foreignUndo
    /// It takes back a CLOSE or VOID, an entry of its own future, or itself.
    case impossibleUndo
    /// It takes back an entry that has not arrived.
    case unknownTarget
}

/// What a pass comes to: a pure fold over its entries in sequence order.
public struct PassTotals: Sendable, Hashable {
    /// The pass.
    public let passID: String
    /// The lines by key.
    public internal(set) var lines: [LineKey: CountLine] = [:]
    /// The statement that the bin is empty.
    public internal(set) var empty: BinStatement?
    /// The statement that the bin was not counted.
    public internal(set) var skip: BinStatement?
    /// Licence plates taken whole (true) or opened and counted (false).
    public internal(set) var plates: [String: Bool] = [:]
    /// How it ended; nil while it is open.
    public internal(set) var closing: PassClosing?
    /// Whether it was declared void: it counts nothing, and its ticket stays accounted for.
    public internal(set) var isVoid = false
    /// How many of its entries have arrived, whatever they do.
    public internal(set) var received = 0
    /// Entries that change nothing, and why.
    public internal(set) var ignored: [String: IgnoredReason] = [:]
    /// Entries that were taken back.
    public internal(set) var reversed: Set<String> = []

    /// Starts without entries.
    public init(passID: String) {
        self.passID = passID
    }

    /// Whether all entries that CLOSE speaks of have arrived; false while it is open.
    public var isWhole: Bool {
        guard let closing else { return isVoid }
        return received - afterClose >= closing.entryCount ?? 0
    }

    /// How many entries are still on their way; 0 while it is open.
    public var missingCount: Int {
        guard let expected = closing?.entryCount else { return 0 }
        return max(0, expected - (received - afterClose))
    }

    /// The lines that still have no quantity, in order.
    public var openLines: [LineKey] { lines.filter { $0.value.isOpen }.map(\.key).sorted() }
    /// Codes that no master knows, in order.
    public var unknownCodes: [LineKey] { lines.keys.filter { $0.itemID == nil }.sorted() }
    /// The sum of all lines, whatever they count; what the screen calls "3 lines, 170".
    public var units: Decimal3 { lines.values.reduce(.zero) { $0.adding($1.quantity ?? .zero) } }

    private var afterClose: Int { ignored.values.count { $0 == .afterClose } }

    /// Takes a statement about the whole bin in sequence order.
    mutating func applyToBin(_ entry: CountEntry, at time: DateTime?) {
        let statement = BinStatement(proof: entry.proof, reason: entry.reason ?? entry.text, at: time ?? entry.at)
        switch entry.kind {
        case .EMPTY:
            empty = statement
            skip = nil
        case .SKIP: skip = statement
        case .PLATE_WHOLE: if let plate = entry.licencePlate { plates[plate] = true }
        case .PLATE_OPENED: if let plate = entry.licencePlate { plates[plate] = false }
        case .VOID: isVoid = true
        case .CLOSE:
            closing = PassClosing(
                partReason: entry.reason, entryCount: entry.entryCount, sequence: entry.sequence,
                at: time ?? entry.at)
        default: break
        }
    }
}

/// Where a fold gets an entry's time on the hub's clock; nil where it cannot be placed.
public typealias EntryTime = @Sendable (CountEntry) -> DateTime?

/// The device's time and the offset it measured at its last contact; nil where it never had one.
public func timeByOffset(_ entry: CountEntry) -> DateTime? {
    entry.clockOffsetMs.map { entry.at.advanced(by: Int64($0)) }
}
