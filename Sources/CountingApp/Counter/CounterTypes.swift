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
    /// Adds up with whatever this person counts there; this terminal need not know of it.
    case helpingPerson(String)
    /// Goes on with the open pass under another crew.
    case goingOn
    /// In place of this pass, counting the bin anew.
    case takingOver(String)
    /// In place of this pass from where it stopped: what it counted so far counts too, somebody else's once a supervisor
    /// hands it over.
    case goingOnFrom(String)
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

/// Where a pass counts.
package enum BinPlace: Sendable, Hashable {
    case bin(String)
    /// What a label says that no bin is known for.
    case label(String)
}

/// A bin to be opened.
package struct BinRequest: Sendable, Hashable {
    package var place: BinPlace
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
    case signOut
    case submit(CodeText)
    /// A scan while something is asked about a bin: another bin takes its place, anything else waits.
    case submitWhileAsked(CodeText)
    case openItem(ItemReading, CodeText)
    case openBin(BinRequest)
    case openTask(id: String, digits: String)
    /// Opens the bin of a label in order to help a person there.
    case join(CodeText, person: String)
    /// Counts with a second person at this terminal, or alone again.
    case companion(String?)
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
    case helpPerson(String)
    case find(String)
    case tray
    case messages
    case say(String, to: Recipient)
    case saveDraft(String)
    case share
    /// Whether a serial number was counted elsewhere too.
    case serialCheck(serial: String, itemID: String?, passID: String)
    /// What this person's unknown codes turned out to be; nil at first only learns what was known before.
    case matches(known: Set<String>?)
    case beat(Beat)
}

/// Whom a message is for.
package enum Recipient: Sendable, Hashable {
    case floor
    case supervisors
    case person(String)
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
        /// A message, which is only read.
        case news(News)
        case bin(String)
        case item(ItemReading, CodeText)
        case help(passID: String, place: BinPlace)
        case answer(Answer)
    }

    /// The answer to a question.
    package enum Answer: Sendable, Hashable {
        case back
        case open(BinRequest)
        case close(Closing)
        case help(person: String)
        case companion(String?)
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
    /// The bin that is open already is in front again.
    case returned(ScreenMessage)
    /// The bin was closed and none is open.
    case left(ScreenMessage)
    case line(OpenLine, ScreenMessage?)
    /// Stored; the line is done.
    case stored(ScreenMessage)
    /// Stored; the line stays open for more. A serial number is looked for elsewhere too.
    case counted(ScreenMessage, OpenLine, serial: String? = nil)
    /// A large quantity, to be confirmed.
    case confirm(ScreenMessage)
    case matches([FoundRow])
    /// Something was left open in the bin: how shall it be closed? Then this one is opened.
    case askClose(BinRequest?)
    /// Somebody is counting there.
    case askJoin(BinRequest, Holder)
    /// A colleague's badge was scanned in an open bin: what for?
    case askBadge(person: String, who: String, isCompanion: Bool)
    /// A person is to be helped of whom no open bin is known: which one?
    case askPlace(person: String, who: String)
    /// A label that no bin is known for.
    case askFound(BinRequest, label: String)
    /// Said only if nothing else is: it was looked up beside what the person does.
    case aside(ScreenMessage)
    /// A scan that must wait for the answer.
    case held
    /// What unknown codes turned out to be, and all matches known by now.
    case matched([LearnedCode], known: Set<String>)
    case rows([FoundRow])
}

/// Who counts a bin that is to be opened, as far as this terminal knows.
package struct Holder: Sendable, Hashable {
    var passID: String
    var who: String
    /// The bin's code, or what its label says.
    var code: String
    /// It is the person's own pass, at another terminal.
    var isOwn: Bool
    var device: String
    /// What was counted there can be read here, so that a last entry of it can be named.
    var isReadable: Bool
}

/// What a code that a person had counted turned out to be.
package struct LearnedCode: Sendable, Hashable {
    var code: String
    var item: String
    /// `case of 12`, or the item's own unit.
    var unit: String
    var time: String
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
