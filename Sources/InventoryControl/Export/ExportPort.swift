import Basics
import Counting
import Models
import WarehouseModels

/// A document as a connector gets it, with all that its lines say.
public struct ExportPayload: Sendable, Hashable {
    /// One line with the names that an ERP knows.
    public struct Line: Sendable, Hashable {
        /// The line's id, the same at every repetition.
        public let id: String
        /// The bin's code, where lines are by bin.
        public let bin: String?
        /// The item's number at the ERP.
        public let sku: String
        /// The lot, of items tracked by lot.
        public let lot: String?
        /// Whose stock it is; nil is our own.
        public let stockOwner: String?
        /// The stock's status (unrestricted, blocked, in inspection); nil is the usual one.
        public let stockStatus: String?
        /// The pallet or container it stands on.
        public let licencePlate: String?
        /// The ERP's site of the bin's zone.
        public let site: String?
        /// The ERP's storage location of the bin's zone.
        public let location: String?
        /// What is to be posted, in the sense of the payload's semantics.
        public let quantity: Decimal3
        /// The unit of every quantity of the line: the item's base unit.
        public let unit: String
        /// Whether nothing was found, which ERPs want said and not left out.
        public let zeroFlag: Bool
        /// What people counted.
        public let counted: Decimal3?
        /// The book as of the count.
        public let bookAtCount: Decimal3?
        /// Counted less book.
        public let variance: Decimal3?
        /// What was moved between the count and the export.
        public let movedSince: Decimal3?
        /// When the line was counted.
        public let countedAt: DateTime?
        /// Who counted it.
        public let countedBy: [String]
        /// The passes it rests on.
        public let passes: [String]
        /// The serial numbers found.
        public let serials: [String]
        /// Who approved it; nil where the rules did.
        public let approvedBy: String?
        /// Why it was approved, in the supervisor's words.
        public let reason: String?
        /// The ERP's own reference that came with the book, handed back as it was.
        public let erpRef: JSONValue?
    }

    /// The document's id, which the other side recognises a repetition by.
    public let id: String
    /// The session's id.
    public let session: String
    /// What a posted quantity means to this ERP.
    public let semantics: PostingSemantics
    /// What the lines are summed by.
    public let grain: String
    /// The lines, in order.
    public let lines: [Line]
}

/// A thing to do outside of any transaction.
public struct ExportJob: Sendable, Hashable {
    /// What is to be done with the document.
    public enum Act: Sendable, Hashable { case send, find }

    /// To send it, or to ask what became of it.
    public let act: Act
    /// The way it goes.
    public let connector: ConnectorOptions
    /// The document.
    public let payload: ExportPayload
}

/// What came of a job.
public struct ExportResult: Sendable, Hashable {
    /// How a line fared, where the other side says so line by line.
    public struct LineResult: Sendable, Hashable {
        /// The line's id.
        public var id: String
        /// Whether the other side took it.
        public var isAccepted: Bool
        /// The other side's reference.
        public var reference: String?
        /// Why it was not taken.
        public var error: String?

        /// Makes a line's result.
        public init(id: String, isAccepted: Bool, reference: String? = nil, error: String? = nil) {
            self.id = id
            self.isAccepted = isAccepted
            self.reference = reference
            self.error = error
        }
    }

    /// What is known of the document now.
    public enum Answer: Sendable, Hashable {
        /// It is in the ERP.
        case confirmed(reference: String?)
        /// It certainly did not arrive; try again later.
        case retry(String)
        /// The ERP does not take it.
        case rejected(String)
        /// It may have arrived or not.
        case unknown(String)
        /// A look-up found nothing: it did not arrive.
        case notFound
        /// The connector cannot look up: a person must.
        case cannotFind(String)
    }

    /// The document's id.
    public let document: String
    /// How the document fared.
    public let answer: Answer
    /// How its lines fared, where the other side says so; empty means all as the document.
    public var lines: [LineResult] = []

    /// Makes a result.
    public init(document: String, answer: Answer, lines: [LineResult] = []) {
        self.document = document
        self.answer = answer
        self.lines = lines
    }
}

/// The way to the ERPs; injected, so that a simulation can own it.
public protocol ExportPort: Sendable {
    /// Does a job to its end; never throws, since every outcome is a fact about the document.
    func perform(_ job: ExportJob) async -> ExportResult
}
