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
    /// The terminals with their people.
    package var people: [PersonOnFloor] = []
    /// Lines to decide, the dearest first, at most ``lineLimit``.
    package var lines: [LineToDecide] = []
    /// All lines to decide, and their gross value.
    package var lineCount = 0
    package var grossValue: Decimal4 = 0
    /// Bins in which two counts differ.
    package var differing: [String] = []
    /// Unknown codes not yet matched.
    package var unknownCodes: [UnknownCode] = []
    /// Codes of bins that were only partly counted, or skipped.
    package var partial: [BinTask] = []
    /// What came in last, the newest first.
    package var latest: [LatestEntry] = []
    /// The desks' devices.
    package var desks: [Device] = []
    /// Decisions not answered yet, and the last refused ones.
    package var waiting: [Decision] = []
    package var refused: [Decision] = []
    /// Export documents by state.
    package var documents: [ExportDocument] = []
    package var heldLines = 0
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
        /// Codes of bins not done yet, the first few.
        package var left: [String] = []
    }

    /// A terminal and who is at it.
    package struct PersonOnFloor: Sendable, Hashable {
        package var device: Device
        package var name: String
        package var binCode: String?
        package var closedLastHour = 0
    }

    /// A line with what a list shows of it.
    package struct LineToDecide: Sendable, Hashable {
        package var verdict: LineVerdict
        package var binCode: String
        package var sku: String
        package var name: String
    }

    /// A code that no master knows, over the session.
    package struct UnknownCode: Sendable, Hashable {
        package var code: String
        package var quantity: Decimal3
        package var bins: Int
        package var after: String
    }

    /// One entry as the ticker shows it.
    package struct LatestEntry: Sendable, Hashable {
        package var id: String
        package var at: DateTime
        package var name: String
        package var binCode: String
        package var text: String
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
    package var around: [String] = []
    package var tolerance: String?

    /// One pass's result for the line.
    package struct Count: Sendable, Hashable {
        package var passID: String
        package var name: String
        package var at: DateTime
        package var counted: Decimal3
        package var book: Decimal3?
    }
}
