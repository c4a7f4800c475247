import Basics
import Counting
import Models
import WarehouseModels

/// A document as a connector gets it, with all that its lines say.
public struct ExportPayload: Sendable, Hashable {
    /// One line with the names that an ERP knows.
    public struct Line: Sendable, Hashable {
        public let id: String
        public let bin: String?
        public let sku: String
        public let lot: String?
        public let stockOwner: String?
        public let stockStatus: String?
        public let licencePlate: String?
        public let site: String?
        public let location: String?
        public let quantity: Decimal3
        public let unit: String
        public let zeroFlag: Bool
        public let counted: Decimal3?
        public let bookAtCount: Decimal3?
        public let variance: Decimal3?
        public let movedSince: Decimal3?
        public let countedAt: DateTime?
        public let countedBy: [String]
        public let passes: [String]
        public let serials: [String]
        public let approvedBy: String?
        public let reason: String?
        public let erpRef: JSONValue?
    }

    /// The document's id, which the other side recognises a repetition by.
    public let id: String
    public let session: String
    public let semantics: PostingSemantics
    public let grain: String
    public let lines: [Line]
}

/// A thing to do outside of any transaction.
public struct ExportJob: Sendable, Hashable {
    /// What is to be done with the document.
    public enum Act: Sendable, Hashable { case send, find }

    public let act: Act
    public let connector: ConnectorOptions
    public let payload: ExportPayload
}

/// What came of a job.
public struct ExportResult: Sendable, Hashable {
    /// How a line fared, where the other side says so line by line.
    public struct LineResult: Sendable, Hashable {
        public var id: String
        public var isAccepted: Bool
        public var reference: String?
        public var error: String?

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

    public let document: String
    public let answer: Answer
    public var lines: [LineResult] = []

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
