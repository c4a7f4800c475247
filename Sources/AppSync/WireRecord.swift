import Basics
import Models

/// A record as the service sent it, with what the service says about it.
public struct WireRecord: Sendable, Hashable {
    /// The record.
    public let record: Record
    /// `_version`.
    public let version: Int64
    /// `_deleted`.
    public let isDeleted: Bool
    /// `_lastChangedAt`.
    public let lastChangedAt: Int64

    /// Puts one together.
    public init(record: Record, version: Int64, isDeleted: Bool, lastChangedAt: Int64) {
        self.record = record
        self.version = version
        self.isDeleted = isDeleted
        self.lastChangedAt = lastChangedAt
    }
}

/// A record that came and could not be read: it is set aside and shown, the rest of its page is kept.
public struct QuarantinedRecord: Error, Sendable, Hashable {
    /// The model's name.
    public let model: String
    /// The key, where it could be read.
    public let id: String?
    /// `_version`, where it could be read.
    public let version: Int64?
    /// What is wrong.
    public let reason: String
    /// The record's text as it came, whole: it is all that there is of a row that came over a subscription, and what a
    /// later version of the program reads it from.
    public let text: String

    /// Puts one together.
    public init(model: String, id: String?, version: Int64? = nil, reason: String, text: String) {
        self.model = model
        self.id = id
        self.version = version
        self.reason = reason
        self.text = text
    }
}

/// An answer to `syncXs`.
public struct SyncPage: Sendable {
    /// The records in order.
    public var items: [WireRecord] = []
    /// Those that could not be read.
    public var quarantined: [QuarantinedRecord] = []
    /// Where to go on; nil at the end.
    public var nextToken: String?
    /// The mark to keep when the last page has been applied.
    public var startedAt: Int64?
    /// Whether the answer has the page at all; without it only errors came.
    public var isPresent = false

    /// An empty page.
    public init() {}
}

/// The part of an answer that is not `data`.
public struct AnswerTail: Sendable {
    /// The errors.
    public var errors: [ResponseError] = []
    /// `extensions.bincount`.
    public var bincount: JSONValue?
    /// Whether the answer has `data`: a GraphQL service gave it, and nobody on the way to one.
    public var hasData = false

    /// Nothing.
    public init() {}
}
