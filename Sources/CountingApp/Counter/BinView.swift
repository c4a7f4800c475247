import Counting
import Models
import WarehouseModels

/// The open bin as the screens show it.
package struct BinView: Sendable, Hashable {
    var pass: CountPass
    var code: String
    var notice: String
    var totals: PassTotals
    var session: SessionState?
    /// A second person at this terminal.
    var companion: String?
    /// Who took this bin over: what is counted here since then does not count.
    var takenBy: String?
    /// Those whose counts add up with this one's, in order of opening.
    var others: [Helper] = []
    var items: [String: Item] = [:]
    var expected: [Expected] = []
    /// The notes of this pass.
    var notes: [Note] = []
    /// It goes on from somebody else's count, which a supervisor must hand over.
    var awaitsWord = false
    /// How many entries this pass has.
    var entryCount = 0
    /// How many entries of this pass, and of this person's that it adds up with, were sent from here and are not here now.
    var missing = 0

    /// A pass that adds up with the own one.
    struct Helper: Sendable, Hashable {
        var passID: String
        /// Nil for an earlier pass of the same person.
        var name: String?
        var quantities: [LineKey: Decimal3]
    }

    /// A note, and when it was written.
    struct Note: Sendable, Hashable {
        var time: String
        var text: String
    }

    /// An item shown in advance.
    struct Expected: Sendable, Hashable {
        var key: LineKey
        var quantity: Decimal3?
    }

    /// Whether this pass adds to another one: what it does not hold is no miss.
    var isHelping: Bool {
        pass.helpsPassID != nil || pass.helpsPersonID != nil || pass.takesOverThrough ?? 0 > 0
    }

    func title(of key: LineKey) -> String { key.itemID.map { items[$0]?.sku ?? $0 } ?? "?" + (key.unknownCode ?? "") }
}
