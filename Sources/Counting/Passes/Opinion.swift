import Basics
import Models
import WarehouseModels

/// How far an opinion is.
public enum OpinionState: Sendable, Hashable {
    /// A pass of it is not closed.
    case open
    /// Closed, but entries are still on their way.
    case incomplete
    /// Closed and all there: it may be judged.
    case whole
    /// All there, and a counter said that only a part of the bin was counted.
    case partial(reason: String)
    /// Nothing of it counts: void, or taken over anew.
    case void
}

/// Entries of a pass that CLOSE or a take-over speaks of and that have not arrived.
public struct MissingEntries: Sendable, Hashable {
    /// The pass.
    public let passID: String
    /// The terminal they wait on.
    public let deviceID: String
    /// How many.
    public let count: Int
    /// The sequences they can have.
    public let candidates: [Int]
}

/// One opinion about a bin: a pass with its helpers, whose counts add up.
public struct Opinion: Sendable, Hashable {
    /// The first pass's id, which names the opinion.
    public let id: String
    /// The passes, by the time they were opened.
    public let passes: [CountPass]
    /// What each pass comes to, by pass id.
    public let totals: [String: PassTotals]
    /// The lines of all passes added up.
    public let lines: [LineKey: CountLine]
    /// The statement that the bin is empty, where every pass that counted says so.
    public let empty: BinStatement?
    /// The statement that the bin, or what was left of it, was not counted.
    public let skip: BinStatement?
    /// Plates taken whole (true) or opened (false).
    public let plates: [String: Bool]
    /// How far it is.
    public let state: OpinionState
    /// What has not arrived.
    public let missing: [MissingEntries]
    /// Entries that came after a take-over, which count only by LATE_TAKE.
    public let late: [String]
    /// When the last pass was closed.
    public let closedAt: DateTime?
    /// The tasks of it to which a supervisor sent somebody who had been there before (OVERRIDE): beside opinions of other
    /// tasks it counts as another person's.
    public let overriddenTasks: Set<String>

    /// Everyone who counted, helped or stood beside: none of them may count the recount.
    public var people: Set<String> { Set(passes.flatMap { [$0.counterID, $0.companionID].compactMap(\.self) }) }
    /// The passes' ids in order.
    public var passIDs: [String] { passes.map(\.id) }
    /// Whether it is closed and all of it has arrived.
    public var isJudgeable: Bool {
        switch state {
        case .whole, .partial: true
        default: false
        }
    }
}

extension Sequence<Opinion> {
    /// Who may not count a recount: every counter, helper and companion of every opinion.
    public var excludedPeople: Set<String> { reduce(into: []) { $0.formUnion($1.people) } }
}
