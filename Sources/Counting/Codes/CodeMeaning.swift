import Basics
import Models
import WarehouseModels

/// What a code said about goods.
public struct ItemReading: Sendable, Hashable {
    /// The item.
    public let item: Item
    /// The pack whose code it was; nil for the base unit.
    public var pack: Pack?
    /// The unit and factor of a supervisor's match, where the code is unknown to masters.
    public var match: CodeMatch?
    /// The lot.
    public var lot: String?
    /// The serial number.
    public var serial: String?
    /// The expiry date, `YYYY-MM-DD`.
    public var expiry: String?
    /// The quantity the label itself states, in the pack's unit (identifiers 37 and 30).
    public var statedQuantity: Decimal3?
    /// The weight or measure the label states.
    public var measure: GS1Measure?
    /// The licence plate that the label also names.
    public var licencePlate: String?
    /// What is odd about the label.
    public var flags: [GS1Flag] = []
    /// Shorter lots that may be meant because a separator was lost; to be offered, never taken.
    public var otherLots: [String] = []

    /// An item without further facts.
    public init(item: Item) {
        self.item = item
    }
}

/// Why a scan is nothing known.
public enum UnknownReason: Sendable, Hashable, CustomStringConvertible {
    /// No master record has the code.
    case noRecord
    /// A well-formed number of an item that no master record has.
    case unknownGTIN(GTIN)
    /// A number for use in stores, which may hide a price or a weight.
    case restrictedNumber(RestrictedNumber)
    /// GS1 data that cannot be used.
    case badLabel([GS1Flag])
    /// Nothing but blanks or control characters.
    case empty

    /// One line for a person.
    public var description: String {
        switch self {
        case .noRecord: "no record has this code"
        case .unknownGTIN: "a valid number of an item that is not in the master data"
        case .restrictedNumber: "a store's own number, which may hold a price or a weight"
        case .badLabel: "a label that is damaged or printed wrongly"
        case .empty: "an empty scan"
        }
    }
}

/// One of several things that a code can mean.
public enum CodeCandidate: Sendable, Hashable {
    case bin(Bin)
    case item(ItemReading)
    case person(Person)
}

/// What a code means.
public enum CodeMeaning: Sendable, Hashable {
    /// A command: its letter and Enter in an empty field. The letter is in upper case.
    case command(Character)
    /// A bin.
    case bin(Bin)
    /// Goods.
    case item(ItemReading)
    /// A licence plate whose contents the label does not name.
    case plate(String, flags: [GS1Flag])
    /// A person's badge.
    case person(Person)
    /// Two to nine candidates, to be chosen by 1–9.
    case several([CodeCandidate])
    /// A scan that is nothing known: it goes to the tray with its raw bytes.
    case unknown(code: String, reason: UnknownReason)
    /// Typed text that is nothing known: it is only said so.
    case nothing
}
