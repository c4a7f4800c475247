import Basics
import Models
import WarehouseModels

/// What one opinion says of one line, set against the book of its own time.
public struct LineReading: Sendable, Hashable {
    /// The opinion.
    public let opinionID: String
    /// Its passes.
    public let passIDs: [String]
    /// Everyone who counted, helped or stood beside.
    public let people: Set<String>
    /// Beside readings of other tasks it counts as another person's where there are any; see ``Opinion/overriddenTasks``.
    public let overriddenTasks: Set<String>
    /// What the quantity rests on.
    public let basis: VerdictBasis
    /// The quantity; nil where it was not counted.
    public let counted: Decimal3?
    /// The serial numbers seen.
    public let serials: Set<String>
    /// When the line was begun.
    public let from: DateTime
    /// When it was last counted.
    public let to: DateTime
    /// The book at that time.
    public let book: BookAtCount
    /// Serial numbers that the book has and nobody saw.
    public let missingSerials: Set<String>
    /// Serial numbers that the book has not.
    public let extraSerials: Set<String>

    /// The book quantity; nil while the feed is waited for.
    public var bookQuantity: Decimal3? {
        if case .known(let quantity, _) = book { quantity } else { nil }
    }

    /// Counted minus book; nil while either is unknown.
    public var variance: Decimal3? {
        guard let counted, let book = bookQuantity else { return nil }
        return counted.adding(-book)
    }

    /// Why the comparison is not sure.
    public var doubts: [BookDoubt] {
        if case .known(_, let doubts) = book { doubts } else { [] }
    }

    /// Whether it can be compared: counted, the book known, and no doubt.
    public var isSure: Bool { variance != nil && doubts.isEmpty }

    /// Whether nobody stands behind both, so that one can confirm the other.
    func isIndependent(of other: LineReading) -> Bool {
        if people.isDisjoint(with: other.people) { return true }
        // One OVERRIDE is one more word, however often its task is counted.
        let isOverridden = !overriddenTasks.isEmpty || !other.overriddenTasks.isEmpty
        return isOverridden && overriddenTasks.isDisjoint(with: other.overriddenTasks)
    }

    /// Whether it is the same people's word again.
    func repeats(_ other: LineReading) -> Bool { people == other.people && !isIndependent(of: other) }

    /// Whether two readings say the same, each against the book of its own time.
    func agrees(with other: LineReading, within epsilon: Decimal3) -> Bool {
        guard let a = variance, let b = other.variance else { return false }
        return a.adding(-b).magnitude <= epsilon && missingSerials == other.missingSerials
            && extraSerials == other.extraSerials
    }
}

extension LineReading {
    /// Reads a line out of an opinion; nil while the opinion cannot be judged, and where nothing of it counts.
    public init?(_ key: LineKey, in opinion: Opinion, book facts: BookFacts) {
        guard opinion.isJudgeable else { return nil }
        let line = opinion.lines[key]
        let closed = opinion.closedAt ?? opinion.passes[0].openedAt
        let began = opinion.lines.values.compactMap(\.from).min() ?? closed
        var from = line?.from ?? min(began, closed)
        var to = line?.to ?? closed
        var basis: VerdictBasis
        var quantity = line?.quantity
        let isWholePlate =
            line?.flags.contains(.wholePlate) == true || key.licencePlate.map { opinion.plates[$0] == true } ?? false
        if let quantity {
            basis = quantity == .zero ? .STATED_ZERO : .COUNTED
        } else if isWholePlate {
            // A plate that nobody opened holds what the book says of it.
            basis = .COUNTED
            quantity = facts.quantity(key, at: to)
        } else if line != nil {
            basis = .NOT_COUNTED
        } else if let empty = opinion.empty {
            basis = .BIN_EMPTY
            quantity = .zero
            (from, to) = (empty.at, empty.at)
        } else if opinion.skip != nil || opinion.state != .whole {
            basis = .NOT_COUNTED
        } else {
            basis = .ABSENT
            quantity = .zero
        }
        let isPlaced = !opinion.lines.values.contains { $0.flags.contains(.unplacedTime) }
        opinionID = opinion.id
        passIDs = opinion.passIDs
        people = opinion.people
        overriddenTasks = opinion.overriddenTasks
        self.basis = basis
        counted = quantity
        serials = line?.serials ?? []
        self.from = from
        self.to = to
        book = facts.atCount(key, from: from, to: to, isPlaced: isPlaced)
        let known = Set(facts.line(key)?.serials ?? [])
        let moved = facts.moved(key, after: facts.asOf, through: to) != .zero
        let comparable = !known.isEmpty && !moved && quantity != nil && !isWholePlate
        missingSerials = comparable ? known.subtracting(serials) : []
        extraSerials = comparable ? serials.subtracting(known) : []
    }
}
