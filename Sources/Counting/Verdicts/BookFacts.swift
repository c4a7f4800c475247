import Basics
import Models
import WarehouseModels

/// Why the book at count time is not sure.
public enum BookDoubt: Sendable, Hashable {
    /// A pick or another movement was open while it was counted.
    case openMovement(document: String)
    /// A movement was booked within the window around the count.
    case movementNear(document: String)
    /// The time of the count cannot be placed.
    case unplacedTime
}

/// What the book said of a line when it was counted.
public enum BookAtCount: Sendable, Hashable {
    /// The quantity, and what makes it doubtful; empty means it is sure.
    case known(Decimal3, doubts: [BookDoubt])
    /// The feed of movements does not reach far enough yet.
    case waiting(until: DateTime)
}

/// The book of one bin: a snapshot and the movements since.
public struct BookFacts: Sendable {
    /// When the snapshot was taken.
    public let asOf: DateTime
    /// The feed of movements is complete up to here; nil where there is none yet.
    public let movementsThrough: DateTime?
    /// Whether no movement is booked while the count runs, so that there is no feed at all.
    public let isFrozen: Bool
    /// How near a movement makes a count doubtful (milliseconds).
    public let window: Int64
    private let lines: [LineKey: BookLine]
    private let movements: [StockMovement]

    /// Fifteen minutes.
    public static let usualWindow: Int64 = 15 * 60_000

    /// Gathers one bin's book; lines and movements of other bins must not be among them.
    public init(
        asOf: DateTime, movementsThrough: DateTime?, isFrozen: Bool, window: Int64 = BookFacts.usualWindow,
        lines: some Sequence<BookLine>, movements: some Sequence<StockMovement> = []
    ) {
        self.asOf = asOf
        self.movementsThrough = movementsThrough
        self.isFrozen = isFrozen
        self.window = window
        self.lines = Dictionary(lines.map { (LineKey($0), $0) }, uniquingKeysWith: { first, _ in first })
        self.movements = movements.sorted { ($0.bookedAt ?? asOf, $0.id) < ($1.bookedAt ?? asOf, $1.id) }
    }

    /// Gathers one bin's book under a snapshot.
    public init(
        _ snapshot: BookSnapshot, window: Int64 = BookFacts.usualWindow, lines: some Sequence<BookLine>,
        movements: some Sequence<StockMovement> = []
    ) {
        self.init(
            asOf: snapshot.asOf, movementsThrough: snapshot.movementsThrough, isFrozen: snapshot.bookFrozen,
            window: window, lines: lines, movements: movements)
    }

    /// The keys that the book holds, now or by a movement, in order.
    public var keys: [LineKey] {
        let moved = movements.filter { $0.state == .BOOKED && countsSince(snapshot: $0) }.map { LineKey($0) }
        return Set(lines.keys).union(moved).sorted()
    }

    /// The snapshot's line, nil where there is none.
    public func line(_ key: LineKey) -> BookLine? { lines[key] }

    /// The book at one moment: snapshot plus movements booked up to it.
    public func quantity(_ key: LineKey, at moment: DateTime) -> Decimal3 {
        var total = lines[key]?.quantity ?? .zero
        guard !isFrozen else { return total }
        for movement in booked(key) {
            guard let bookedAt = movement.bookedAt, bookedAt <= moment else { continue }
            total = total.adding(movement.quantity)
        }
        return total
    }

    /// The movements booked after one moment and up to another: what an unfrozen ERP has done since the count.
    public func moved(_ key: LineKey, after start: DateTime, through end: DateTime) -> Decimal3 {
        guard !isFrozen else { return .zero }
        return booked(key).reduce(.zero) { total, movement in
            guard let at = movement.bookedAt, at > start, at <= end else { return total }
            return total.adding(movement.quantity)
        }
    }

    /// Whether any movement of the line's item touches the time between two moments.
    public func hasMovement(_ key: LineKey, from start: DateTime, to end: DateTime) -> Bool {
        !isFrozen
            && movements.contains { movement in
                concerns(movement, key) && (movement.openedAt ?? movement.bookedAt ?? start) <= end
                    && (movement.state == .OPEN || movement.bookedAt ?? end >= start)
            }
    }

    /// The book at the time a line was counted, and how sure it is.
    ///
    /// `isPlaced` says whether the times stand on the hub's clock; where they do not, the quantity is of the end time
    /// and doubtful if anything ever moved.
    public func atCount(_ key: LineKey, from start: DateTime, to end: DateTime, isPlaced: Bool) -> BookAtCount {
        let total = quantity(key, at: end)
        guard !isFrozen else { return .known(total, doubts: isPlaced ? [] : [.unplacedTime]) }
        let needed = end.advanced(by: window)
        guard let movementsThrough, movementsThrough >= needed else { return .waiting(until: needed) }
        var doubts: [BookDoubt] = isPlaced ? [] : [.unplacedTime]
        for movement in movements where concerns(movement, key) {
            if let doubt = doubt(about: movement, from: start, to: end) { doubts.append(doubt) }
        }
        return .known(total, doubts: doubts)
    }

    /// A movement happens somewhere between its opening and its booking; that span must keep clear of the count.
    private func doubt(about movement: StockMovement, from start: DateTime, to end: DateTime) -> BookDoubt? {
        switch movement.state {
        case .CANCELLED: return nil
        case .OPEN:
            let opened = movement.openedAt ?? asOf
            return opened <= end.advanced(by: window) ? .openMovement(document: movement.document) : nil
        case .BOOKED:
            guard let booked = movement.bookedAt else { return nil }
            let opened = min(movement.openedAt ?? booked, booked)
            if booked < start.advanced(by: -window) || opened > end.advanced(by: window) { return nil }
            let near = booked <= end.advanced(by: window) || opened >= start.advanced(by: -window)
            return near ? .movementNear(document: movement.document) : .openMovement(document: movement.document)
        }
    }

    private func booked(_ key: LineKey) -> [StockMovement] {
        movements.filter { $0.state == .BOOKED && LineKey($0) == key && countsSince(snapshot: $0) }
    }

    private func countsSince(snapshot movement: StockMovement) -> Bool {
        movement.bookedAt.map { $0 > asOf } ?? false
    }

    /// A movement without a lot may be of any lot: for doubt the item alone decides.
    private func concerns(_ movement: StockMovement, _ key: LineKey) -> Bool { movement.itemID == key.itemID }
}
