import Basics
import Models
import WarehouseModels

/// What the judge goes by beside counts and book.
public struct JudgePolicy: Sendable, Hashable {
    /// How far a count may lie from the book.
    public var tolerance: Tolerance
    /// What a unit costs; nil where unknown.
    public var unitCost: Decimal3?
    /// Two opinions agree within this: 0 for what is counted in pieces, more for bulk.
    public var epsilon: Decimal3
    /// Whether an opinion that agrees with the book stands by itself against one that does not.
    ///
    /// False shows the line to a supervisor with the proposal.
    public var acceptsOverturned: Bool
    /// Whether a confirmed difference of this line's value is accepted without a person.
    public var acceptsConfirmed: Bool
    /// After how many opinions of different people a supervisor decides.
    public var mostOpinions: Int

    /// Makes a policy.
    public init(
        tolerance: Tolerance, unitCost: Decimal3? = nil, epsilon: Decimal3 = .zero, acceptsOverturned: Bool = false,
        acceptsConfirmed: Bool = false, mostOpinions: Int = 3
    ) {
        self.tolerance = tolerance
        self.unitCost = unitCost
        self.epsilon = epsilon
        self.acceptsOverturned = acceptsOverturned
        self.acceptsConfirmed = acceptsConfirmed
        self.mostOpinions = mostOpinions
    }
}

/// What the opinions about one line come to.
public struct LineJudgement: Sendable, Hashable {
    /// What is to be done.
    public let state: VerdictState
    /// What was found.
    public let finding: VerdictFinding
    /// The reading that stands or is proposed; where it does not stand, the latest.
    public let reading: LineReading?
    /// Whether ``reading`` stands (or is proposed to), rather than being only the latest.
    public let stands: Bool
    /// Every reading, by time.
    public let readings: [LineReading]
    /// Opinions that the standing one overturns.
    public let overturned: [String]
    /// The feed of movements is waited for until here.
    public let waitingUntil: DateTime?
}

/// Judges one line by all opinions about its bin.
public enum LineJudge {
    /// The lines to judge: what the book holds, and what anyone counted under a known item.
    public static func keys(opinions: [Opinion], book: BookFacts) -> [LineKey] {
        var keys = Set(book.keys)
        for opinion in opinions { keys.formUnion(opinion.lines.keys.filter { $0.itemID != nil }) }
        return keys.sorted()
    }

    /// Judges a line; nil where no opinion says anything and the book has nothing.
    ///
    /// Opinions are compared by variance, each against the book of its own time: equal numbers with a pick between them
    /// differ, and different ones can agree.
    public static func judge(
        _ key: LineKey, opinions: [Opinion], book: BookFacts, policy: JudgePolicy
    ) -> LineJudgement? {
        let live = opinions.filter { $0.state != .void }
        guard !live.isEmpty else { return nil }
        let readings = live.compactMap { LineReading(key, in: $0, book: book) }
            .sorted { ($0.to, $0.opinionID) < ($1.to, $1.opinionID) }
        let isPending = readings.count < live.count
        let counted = readings.filter { $0.counted != nil }
        guard let latest = counted.last else {
            return LineJudgement(
                state: .OPEN, finding: .INCOMPLETE, reading: readings.last, stands: false, readings: readings,
                overturned: [], waitingUntil: nil)
        }
        if let until = counted.compactMap(\.waiting).max() {
            return LineJudgement(
                state: .OPEN, finding: .INCOMPLETE, reading: latest, stands: false, readings: readings,
                overturned: [], waitingUntil: until)
        }
        var result = Deliberation(policy: policy, counted: counted).outcome(book: book, key: key)
        // Nothing is settled while someone is still counting it.
        if isPending, result.state == .ACCEPTED || result.state == .TO_DECIDE {
            result.state = .OPEN
        }
        return LineJudgement(
            state: result.state, finding: result.finding, reading: result.reading, stands: result.stands,
            readings: readings, overturned: result.overturned, waitingUntil: nil)
    }
}

extension LineReading {
    fileprivate var waiting: DateTime? {
        if case .waiting(let until) = book { until } else { nil }
    }
}
