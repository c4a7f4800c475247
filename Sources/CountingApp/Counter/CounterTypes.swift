import Basics
import Counting
import Models
import Screens
import Terminal
import WarehouseModels

/// A scan or a typed line on its way to its meaning.
package struct CodeText: Sendable, Hashable {
    /// The text.
    package var text: String
    /// The bytes of a scan; nil for what was typed.
    package var raw: [UInt8]?
    /// The symbology identifier of a scan.
    package var symbology: String?

    package init(typed text: String) { self.text = text }

    package init(_ scan: Scan) {
        text = scan.text
        raw = scan.raw
        symbology = scan.symbology
    }

    /// Whether a scanner sent it.
    package var isScan: Bool { raw != nil }
    /// As the resolver takes it; the separators a scanner put for GS are GS already.
    var input: CodeInput {
        guard raw != nil else { return CodeInput(typed: text) }
        return CodeInput(scan: Array(text.utf8), symbology: symbology)
    }
    /// The bytes as they came, for the record.
    var base64: String? { raw.map { Base64.encode($0) } }
}

/// The line that is open for a quantity.
package struct OpenLine: Sendable, Hashable {
    /// What makes the line.
    package var key: LineKey
    /// The item; nil while the code is unknown.
    package var item: Item?
    /// The item's packs.
    package var packs: [PackUnit] = []
    /// The unit that bare numbers count; nil for the base unit.
    package var unit: String?
    /// The code that opened it.
    package var code: CodeText
    /// The expiry its label named.
    package var expiry: String?
    /// Whether the code was scanned again, so that each scan counts one.
    package var isPieceScanning = false
    /// Codes of the item, which no quantity may be.
    package var barcodes: [String] = []
    /// Whether its lot must be said first.
    package var wantsLot = false

    /// The units a quantity may be typed in.
    var units: QuantityUnits {
        QuantityUnits(baseUnit: item?.baseUnit ?? "EA", decimals: item?.decimals ?? 0, packs: packs, defaultUnit: unit)
    }
    /// How people call it.
    var title: String { item?.sku ?? "?" + (key.unknownCode ?? "") }
}

/// How a bin comes to be open beside others who count it.
package enum BinJoin: Sendable, Hashable {
    /// Nobody is known to be there, or it was asked already: a count of its own.
    case alone
    /// Adds up with this pass.
    case helping(String)
    /// In place of this pass.
    case takingOver(String)
    /// Not asked yet.
    case ask
}

/// What happens to the bin that is open when another is to be opened.
package enum Closing: Sendable, Hashable {
    /// Closes it where nothing is left open, else asks.
    case ask
    /// All of it was counted.
    case whole
    /// Only a part was.
    case part(String)
}

/// A bin to be opened.
package struct BinRequest: Sendable, Hashable {
    package var binID: String
    package var opening: PassOpening
    package var join: BinJoin = .ask
    package var closing: Closing = .ask
}

/// What a person asks for.
package enum CounterAct: Sendable, Hashable {
    case start
    case refresh
    /// Only the open bin.
    case refreshBin
    case signIn(CodeText)
    case signOut(draft: String?)
    case submit(CodeText)
    case openItem(ItemReading, CodeText)
    case openBin(BinRequest)
    case openTask(id: String, digits: String)
    case tally(String, isConfirmed: Bool)
    case piece
    case serial(String)
    case empty(digits: String?, scan: CodeText?)
    case skip(reason: String)
    case note(String)
    case undo
    case redo
    case close(Closing)
    case reopen
    case crew
    case help(CodeText)
    case find(String)
    case tray
    case messages
    case say(String)
    case saveDraft(String)
    case share
    case beat(Beat)
}

/// What a device's heartbeat says beside what the store knows.
package struct Beat: Sendable, Hashable {
    var personID: String?
    var sessionID: String?
    var binID: String?
    var unsent: Int
    var parked: Int
    var isCheckedOut: Bool
}

/// A row of a list that was asked for.
package struct FoundRow: Sendable, Hashable {
    package var cells: [String: String]
    package var pick: Pick

    /// What choosing it does.
    package enum Pick: Sendable, Hashable {
        case nothing
        case bin(String)
        case item(ItemReading, CodeText)
        case help(passID: String, binID: String)
        case answer(Answer)
    }

    /// The answer to a question.
    package enum Answer: Sendable, Hashable {
        case back
        case open(BinRequest)
        case close(Closing)
        case partReason
        case reason(String)
        case unit(String)
        case quit
    }
}

/// What an act came to.
package enum Outcome: Sendable, Hashable {
    case none
    /// Said on the message line.
    case said(ScreenMessage, Sound?)
    case signedIn(OpenLine?, typed: String)
    case signedOut
    /// A bin is open.
    case opened(ScreenMessage)
    /// The bin was closed and none is open.
    case left(ScreenMessage)
    case line(OpenLine, ScreenMessage?)
    /// Stored; the line is done.
    case stored(ScreenMessage)
    /// Stored; the line stays open for more.
    case counted(ScreenMessage, OpenLine)
    /// A large quantity, to be confirmed.
    case confirm(ScreenMessage)
    case matches([FoundRow])
    /// Something was left open in the bin: how shall it be closed? Then this one is opened.
    case askClose(BinRequest?)
    /// Somebody is counting there.
    case askJoin(BinRequest, who: String, code: String, passID: String)
    case rows([FoundRow])
}

/// The answer of every job.
package struct CounterAnswer: Sendable {
    var outcome: Outcome = .none
    /// What is around; nil where nothing of it can have changed.
    var floor: Floor?
    /// The open bin; nil where none is.
    var bin: BinView?
    /// Whether ``bin`` was looked up.
    var knowsBin = false
}

/// What is around: the person, the session and the next bins.
package struct Floor: Sendable {
    var person: Person?
    var session: CountSession?
    var names: [String: String] = [:]
    var tasks: [TaskRow] = []
    var place = ""
    var done = ""
    var crew: [[String: String]] = []
    var news: [[String: String]] = []
    /// The newest message of somebody else, to be announced once.
    var newest: (id: String, who: String, text: String)?
    /// Whether ``place`` and ``done`` were looked up, which only reading jobs do: it costs a walk over the session.
    var isWhole = false
}

/// One of the next bins.
package struct TaskRow: Sendable, Hashable {
    var taskID: String
    var binID: String
    var code: String
    var note: String
    var walkSequence: Int
}

/// The open bin as the screens show it.
package struct BinView: Sendable, Hashable {
    var pass: CountPass
    var code: String
    var notice: String
    var totals: PassTotals
    /// Those whose counts add up with this one's, in order of opening.
    var others: [Helper] = []
    var items: [String: Item] = [:]
    var expected: [Expected] = []
    /// Codes the person named no quantity for, by title.
    var entryCount = 0

    /// A pass that adds up with the own one.
    struct Helper: Sendable, Hashable {
        var passID: String
        var name: String
        var quantities: [LineKey: Decimal3]
    }

    /// An item shown in advance.
    struct Expected: Sendable, Hashable {
        var key: LineKey
        var quantity: Decimal3?
    }

    func title(of key: LineKey) -> String { key.itemID.map { items[$0]?.sku ?? $0 } ?? "?" + (key.unknownCode ?? "") }
}
