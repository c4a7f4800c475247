import Basics
import Models

/// What a mutation does.
public enum MutationKind: Int64, Sendable, Hashable, CaseIterable {
    case create = 0
    case update = 1
    case delete = 2

    /// `create`, `update` or `delete`.
    public var name: String {
        switch self {
        case .create: "create"
        case .update: "update"
        case .delete: "delete"
        }
    }
}

/// Where an outbox entry stands.
public enum MutationState: Int64, Sendable, Hashable, CaseIterable {
    /// Waits, and later changes of the record are merged into it.
    case queued = 0
    /// Waits, but was sent before or is followed by others: it stays as it is.
    case sealed = 1
    /// Is being sent.
    case sending = 2
    /// Was refused; waits for a person.
    case parked = 3

    /// `queued`, `sending` or `parked`: what a person needs to know.
    public var name: String {
        switch self {
        case .queued, .sealed: "queued"
        case .sending: "sending"
        case .parked: "parked"
        }
    }
}

/// One local change on its way to the backend.
public struct OutboxEntry: Sendable, Hashable {
    /// Its place in the order of changes; it names the entry and is never used again.
    public let order: Int64
    /// Names the mutation over all retries; a changed entry gets a new one.
    public let mutationID: String
    /// The model's name.
    public let model: String
    /// The record's key.
    public let id: String
    /// What it does.
    public let kind: MutationKind
    /// The fields to send in their wire form, a JSON object's text: all that hold something for a create, the changed
    /// ones for an update, the key's for a delete.
    public let fieldsJSON: String
    /// The version the change was made on; nil for a create.
    public let baseVersion: Int64?
    /// What the changed fields held before (for a delete: the whole record), a JSON object's text.
    public let baseJSON: String
    /// The person it was made by; sent only under that name. Nil where nobody was signed in.
    public let identity: String?
    /// When it was made.
    public let createdAt: DateTime
    /// How often it was sent.
    public let attempts: Int
    /// How often it was made anew after the backend's merge dropped it or a conflict was retried.
    public let rounds: Int
    /// Where it stands.
    public let state: MutationState
    /// Why it is parked, or why the last attempt failed.
    public let reason: String?
    /// The backend makes the change only if this holds of its record; nil for a change without a condition.
    public let condition: PredicateNode?
    /// When it was last sent or parked; nil before the first time.
    public let lastTriedAt: DateTime?

    /// The fields to send.
    public var fields: JSONObject { JSONObject(parsing: fieldsJSON) }
    /// What the fields held before.
    public var base: JSONObject { JSONObject(parsing: baseJSON) }
}

extension JSONObject {
    /// Reads an object's text; empty where it is none.
    init(parsing text: String) {
        self = (try? JSONValue(parsing: text))?.object ?? JSONObject()
    }
}

/// One field of an entry, side by side: `outbox show`.
public struct OutboxDifference: Sendable, Hashable {
    /// The field.
    public let field: String
    /// What it held before the change.
    public let base: JSONValue?
    /// What is to be sent.
    public let sent: JSONValue?
    /// What this device shows now.
    public let local: JSONValue?
    /// What the backend is known to have.
    public let remote: JSONValue?
}

/// How much waits, for a badge.
public struct OutboxStatus: Sendable, Hashable {
    /// Entries that wait to be sent.
    public var queued: Int
    /// Entries that are being sent.
    public var sending: Int
    /// Entries that were refused.
    public var parked: Int

    /// Makes a status.
    public init(queued: Int = 0, sending: Int = 0, parked: Int = 0) {
        self.queued = queued
        self.sending = sending
        self.parked = parked
    }

    /// Everything that the backend does not have yet.
    public var unsent: Int { queued + sending + parked }
    /// Whether nothing waits.
    public var isEmpty: Bool { unsent == 0 }
}
