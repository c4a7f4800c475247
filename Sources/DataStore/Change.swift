import Models

/// What happened to one record in a committed transaction.
public struct Change: Sendable, Hashable {
    /// The kind of a change.
    public enum Kind: String, Sendable, Hashable {
        case created, updated, deleted
    }

    /// The model's name.
    public let model: String
    /// The record's key.
    public let id: String
    /// What happened.
    public let kind: Kind
    /// Whether this device made it; else it came from the backend.
    public let isLocal: Bool
    /// The record as it is now, or as it was before it was deleted; nil where that is not known.
    public let record: Record?

    /// Makes a change.
    public init(model: String, id: String, kind: Kind, isLocal: Bool, record: Record?) {
        self.model = model
        self.id = id
        self.kind = kind
        self.isLocal = isLocal
        self.record = record
    }
}

/// What one committed transaction did.
public struct CommittedChanges: Sendable {
    /// The changes in the order they were made; one record may occur several times.
    public let changes: [Change]
    /// Models of which so much changed that a reader had better look again; they have no ``changes``.
    public let resetModels: Set<String>
    /// Whether the outbox may hold more or other entries than before.
    public let touchedOutbox: Bool
}

/// What is known about one record's way to the backend.
public enum SyncState: Sendable, Hashable {
    /// No such record.
    case unknown
    /// Kept here only: its model is not sent.
    case local
    /// Waits to be sent.
    case queued
    /// Is being sent.
    case sending
    /// The backend has it, at this version.
    case synced(version: Int64)
    /// The backend refused a change of it, for this reason.
    case parked(reason: String)
}
