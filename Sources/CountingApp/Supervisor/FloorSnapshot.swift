import Basics
import Models
import WarehouseModels

/// What a supervisor's floor view shows, read from the store in bounded queries.
package struct FloorSnapshot: Sendable, Hashable {
    /// The counts, the newest first.
    package var sessions: [CountSession] = []
    /// The one that is shown.
    package var session: CountSession?
    /// How far each zone is.
    package var zones: [ZoneProgress] = []
    /// The codes of all zones, counted or not.
    package var allZones: [String] = []
    /// The terminals with their people.
    package var people: [PersonOnFloor] = []
    /// Lines to decide, the dearest first, at most ``lineLimit``.
    package var lines: [LineToDecide] = []
    /// All lines to decide, and their gross value.
    package var lineCount = 0
    package var grossValue: Decimal4 = 0
    /// Bins in which two counts differ.
    package var differing: [String] = []
    /// Lines of which entries are still on their way, or the movements of their minute.
    package var incomplete: [LineToDecide] = []
    /// Unknown codes not yet matched.
    package var unknownCodes: [UnknownCode] = []
    /// Passes over a label that no bin has.
    package var unplaced: [PassOnSide] = []
    /// Passes of which something came too late to count.
    package var late: [PassOnSide] = []
    /// Passes that go on where somebody else's stopped, and wait for a supervisor's word.
    package var handOvers: [HandOver] = []
    /// Bins that were only partly counted, or skipped.
    package var partial: [BinTask] = []
    /// What came in last, the newest first.
    package var latest: [LatestEntry] = []
    /// The desk's alerts that nobody has read yet.
    package var alerts: [Message] = []
    /// How fast all are together.
    package var pace = Pace()
    /// What people said last, the newest first.
    package var talk: [Message] = []
    /// The desks' devices.
    package var desks: [Device] = []
    /// Decisions not answered yet, and the refused ones not yet seen.
    package var waiting: [DecisionOnFloor] = []
    package var refused: [DecisionOnFloor] = []
    /// This terminal's last decisions, answered or not.
    package var recent: [DecisionOnFloor] = []
    /// Export documents.
    package var documents: [ExportDocument] = []
    /// Lines that the ERP refused, and those that wait for open bins; at most ``lineLimit`` each.
    package var badLines: [ExportLine] = []
    package var heldLines: [ExportLine] = []
    /// What the hub refused of this terminal's own, in its words.
    package var refusedHere: [String] = []
    /// The pinned book.
    package var book: BookSnapshot?
    /// Everyone by id.
    package var names: [String: String] = [:]

    package init() {}

    /// Lines kept in memory; the rest is counted.
    package static let lineLimit = 200

    /// One zone of the session.
    package struct ZoneProgress: Sendable, Hashable {
        package var code: String
        package var name: String
        package var bins = 0
        package var done = 0
        /// A character per bin in walking order: `.` todo, `:` open, `#` done, `!` to decide.
        package var strip = ""
        /// Bins not done yet, the first ``FloorSnapshot/lineLimit``.
        package var left: [BinTask] = []
    }

    /// A terminal and who is at it.
    package struct PersonOnFloor: Sendable, Hashable {
        package var device: Device
        package var name: String
        package var binCode: String?
        package var pace = Pace()
    }

    /// A line with what a list shows of it.
    package struct LineToDecide: Sendable, Hashable {
        package var verdict: LineVerdict
        package var binCode: String
        package var sku: String
        package var name: String

        /// Several counts, and not all of them say the same.
        var differs: Bool {
            verdict.passIDs.count > 1 && (verdict.standingPassID == nil || verdict.finding != .OUT)
        }
    }

    /// A code that no master knows, over the session.
    package struct UnknownCode: Sendable, Hashable {
        package var code: String
        package var quantity: Decimal3
        package var bins: Int
        package var places: [String] = []
    }

    /// A pass that stands aside: late, or over an unknown label.
    package struct PassOnSide: Sendable, Hashable {
        package var passID: String
        package var name: String
        /// The bin's code, or what the label said.
        package var place: String
        /// Entries of it that stand aside.
        package var entries: Int
        /// When the last of them came.
        package var at: DateTime
        /// Another pass took it over.
        package var isTakenOver = false
        /// What they say, in a few words each.
        package var content: [Phrase] = []
    }

    /// A pass that goes on where somebody else's stopped: what that one counted stands only once it is handed over.
    package struct HandOver: Sendable, Hashable {
        /// The pass that goes on.
        package var pass: PassOnSide
        /// Who counts it.
        package var personID: String
        /// The pass that stopped, and who counted that.
        package var fromPassID: String
        package var from: String
    }

    /// A decision with what it is about.
    package struct DecisionOnFloor: Sendable, Hashable {
        package var decision: Decision
        /// `B-01-01 4711-AX`; nil where it is about several together.
        package var object: String?
        package var id: String { decision.id }
        /// What the desk said, in English.
        package var resultText: String { decision.resultText ?? "" }
    }

    /// One entry as the ticker shows it.
    package struct LatestEntry: Sendable, Hashable {
        package var id: String
        package var at: DateTime
        package var name: String
        package var binCode: String
        package var text: Phrase
    }

    /// Bins in the session, and those done.
    var totals: (bins: Int, done: Int) {
        zones.reduce((0, 0)) { ($0.0 + $1.bins, $0.1 + $1.done) }
    }
}

/// Everything about one line that its decision rests on.
package struct LineDetail: Sendable, Hashable {
    package var verdict: LineVerdict
    package var bin: Bin?
    package var item: Item?
    package var counts: [Count] = []
    package var around: [Around] = []

    /// Nothing whole was counted that could be accepted.
    var isIncomplete: Bool { verdict.counted == nil && verdict.finding == .INCOMPLETE }

    /// One pass's result for the line.
    package struct Count: Sendable, Hashable {
        package var passID: String
        /// Who counted, with a companion: `Ann Lee + Cara Diaz`.
        package var name: String
        package var ticket: String
        package var at: DateTime
        package var counted: Decimal3
        package var book: Decimal3?
        /// It belongs to another pass and adds up with it.
        package var helps = false
    }

    /// Something near the count, and when it was.
    package struct Around: Sendable, Hashable {
        package var at: DateTime?
        package var text: Phrase
    }
}

/// Somebody who may be sent to a bin.
package struct CounterChoice: Sendable, Hashable {
    package var person: Person
    /// Where they are now.
    package var place: String?
    /// Counted, helped or stood beside there already.
    package var wasThere = false
}
