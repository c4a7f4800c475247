import Basics
import Models
import WarehouseModels

/// What a person should know about a line beside its quantity.
public struct LineFlags: OptionSet, Sendable, Hashable {
    /// The bits.
    public let rawValue: Int
    /// Makes flags of bits.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// A serial number was scanned more than once; it counts once.
    public static let duplicateSerial = LineFlags(rawValue: 1)
    /// Goods of different expiry lie under one line.
    public static let severalExpiries = LineFlags(rawValue: 2)
    /// The time of an entry cannot be placed on the hub's clock.
    public static let unplacedTime = LineFlags(rawValue: 4)
    /// Corrections took more away than was counted.
    public static let belowZero = LineFlags(rawValue: 8)
    /// The counter said he could not count this line.
    public static let skipped = LineFlags(rawValue: 16)
    /// A plate was taken as whole, unopened.
    public static let wholePlate = LineFlags(rawValue: 32)
    /// It was counted under a code that was matched to the item afterwards.
    public static let matched = LineFlags(rawValue: 64)
    /// The counter marked a condition.
    public static let condition = LineFlags(rawValue: 128)
    /// Of several people adding up, not all gave a quantity.
    public static let partlyWithoutQuantity = LineFlags(rawValue: 256)
}

/// One line of a pass or of an opinion: what was counted under one key.
public struct CountLine: Sendable, Hashable {
    /// What was counted apart from serial numbers; nil while the line is only open.
    public private(set) var tallied: Decimal3?
    /// The serial numbers seen; each counts one.
    public private(set) var serials: Set<String> = []
    /// The catch quantity (weight), nil where none was given.
    public private(set) var catchQuantity: Decimal3?
    /// The expiry dates named.
    public private(set) var expiries: Set<String> = []
    /// The conditions marked, in order.
    public private(set) var conditions: [String] = []
    /// What should be known beside.
    public private(set) var flags: LineFlags = []
    /// The time of the first entry that counts.
    public private(set) var from: DateTime?
    /// The time of the last entry that counts.
    public private(set) var to: DateTime?
    /// How many entries stand behind it.
    public private(set) var entries = 0

    /// A line that nothing was written to.
    public init() {}

    /// The total in base units; nil where the line was opened and has no quantity yet (shown as `-`).
    public var quantity: Decimal3? {
        if tallied == nil, serials.isEmpty { return nil }
        return (tallied ?? .zero).adding(Decimal3(units: Int64(serials.count) * 1000))
    }

    /// Whether it waits for a quantity or for a word that it could not be counted.
    public var isOpen: Bool { quantity == nil && !flags.contains(.skipped) && !flags.contains(.wholePlate) }

    /// Takes the next entry in sequence order; `factor` turns a matched code's pieces into base units.
    mutating func apply(_ entry: CountEntry, factor: Decimal3?, at time: DateTime?) {
        let amount = entry.countedAmount(factor: factor)
        entries += 1
        stamp(entry, time)
        if factor != nil { flags.insert(.matched) }
        if let expiry = entry.expiry { expiries.insert(expiry) }
        if expiries.count > 1 { flags.insert(.severalExpiries) }
        switch entry.kind {
        case .TALLY, .UNKNOWN: add(amount, catch: entry.catchQuantity)
        case .SET:
            guard let amount else { return }
            if amount == .zero { serials = [] }
            tallied = amount.adding(Decimal3(units: -Int64(serials.count) * 1000))
            catchQuantity = entry.catchQuantity
        case .EMPTY:
            serials = []
            tallied = .zero
            catchQuantity = nil
        case .SERIAL:
            guard let serial = entry.serial, !serial.isEmpty else { return add(amount, catch: entry.catchQuantity) }
            if !serials.insert(serial).inserted { flags.insert(.duplicateSerial) }
            add(nil, catch: entry.catchQuantity)
        case .PLATE_WHOLE:
            flags.insert(.wholePlate)
            add(amount, catch: entry.catchQuantity)
        case .PLATE_OPENED:
            flags.remove(.wholePlate)
            add(amount, catch: entry.catchQuantity)
        case .SKIP: flags.insert(.skipped)
        case .CONDITION:
            flags.insert(.condition)
            conditions.append(entry.reason ?? entry.text ?? "")
        case .NOTE, .SHARE, .UNDO, .CLOSE, .VOID: break
        }
        if let quantity, quantity < .zero { flags.insert(.belowZero) } else { flags.remove(.belowZero) }
    }

    /// Adds what another pass of the same opinion counted.
    mutating func merge(_ other: CountLine) {
        if (quantity == nil) != (other.quantity == nil), entries > 0 { flags.insert(.partlyWithoutQuantity) }
        if let more = other.tallied { tallied = (tallied ?? .zero).adding(more) }
        if !serials.isDisjoint(with: other.serials) { flags.insert(.duplicateSerial) }
        serials.formUnion(other.serials)
        if let more = other.catchQuantity { catchQuantity = (catchQuantity ?? .zero).adding(more) }
        expiries.formUnion(other.expiries)
        conditions += other.conditions
        flags.formUnion(other.flags)
        if expiries.count > 1 { flags.insert(.severalExpiries) }
        if let start = other.from { from = min(from ?? start, start) }
        if let end = other.to { to = max(to ?? end, end) }
        entries += other.entries
    }

    private mutating func add(_ amount: Decimal3?, catch weight: Decimal3?) {
        if let amount { tallied = (tallied ?? .zero).adding(amount) }
        if let weight { catchQuantity = (catchQuantity ?? .zero).adding(weight) }
    }

    private mutating func stamp(_ entry: CountEntry, _ time: DateTime?) {
        guard entry.kind != .NOTE, entry.kind != .CONDITION else { return }
        if time == nil { flags.insert(.unplacedTime) }
        let moment = time ?? entry.at
        from = min(from ?? moment, moment)
        to = max(to ?? moment, moment)
    }
}

extension CountEntry {
    /// The quantity an entry speaks of in base units; nil where it names none.
    func countedAmount(factor: Decimal3?) -> Decimal3? {
        guard let amount = baseQuantity ?? quantity else { return nil }
        guard let factor else { return amount }
        return amount.multiplied(by: factor)
    }
}

extension Decimal3 {
    /// The sum, held at the limits instead of trapping: foreign entries must not be able to stop the program.
    func adding(_ other: Decimal3) -> Decimal3 {
        let (sum, overflow) = units.addingReportingOverflow(other.units)
        return Decimal3(units: overflow ? (units < 0 ? .min + 1 : .max) : sum)
    }
}
