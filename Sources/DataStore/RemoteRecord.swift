import Basics
import Models

/// A record as the backend has it.
public struct RemoteRecord: Sendable, Hashable {
    /// The fields; of a deleted record only the key need be there.
    public let record: Record
    /// The backend's version.
    public let version: Int64
    /// Whether it is deleted there.
    public let deleted: Bool
    /// When it changed there, in the backend's milliseconds.
    public let lastChangedAt: Int64

    /// Puts a record and its metadata together.
    public init(record: Record, version: Int64, deleted: Bool = false, lastChangedAt: Int64) {
        self.record = record
        self.version = version
        self.deleted = deleted
        self.lastChangedAt = lastChangedAt
    }
}

extension RemoteRecord {
    /// Reads a record's fields from their wire form, as an outbox entry has them; what is no field is passed over.
    ///
    /// - Throws: `WireError` where a value does not fit its field: such a row is an ``UnreadableRecord``.
    public init(
        _ fields: JSONObject, of model: ModelSchema, in schema: Schema, version: Int64, deleted: Bool = false,
        lastChangedAt: Int64
    ) throws(WireError) {
        var values: [Value] = []
        for field in model.fields {
            let value = fields[field.name] ?? .null
            values.append(value.isNull ? .null : try schema.storageValue(of: value, for: field, in: model.name))
        }
        self.init(
            record: Record(schema: model, values: values), version: version, deleted: deleted,
            lastChangedAt: lastChangedAt)
    }
}

/// A row from the backend that this client does not understand: it is kept aside and sync goes on.
public struct UnreadableRecord: Sendable, Hashable {
    /// The model's name.
    public let model: String
    /// The record's key, empty where even that is not known.
    public let id: String
    /// The backend's version, 0 where not known.
    public let version: Int64
    /// The row as it came, JSON text.
    public let json: String
    /// What is wrong with it.
    public let reason: String

    /// Makes one.
    public init(model: String, id: String, version: Int64, json: String, reason: String) {
        self.model = model
        self.id = id
        self.version = version
        self.json = json
        self.reason = reason
    }
}

/// How far a model was fetched.
public struct SyncMark: Sendable, Hashable {
    /// The model's name.
    public let model: String
    /// What to give as `lastSync` next time; nil before the first complete sync.
    public var lastSync: Int64?
    /// The next page of a sync under way.
    public var nextToken: String?
    /// `startedAt` of the sync under way: it becomes ``lastSync`` with the last page.
    public var startedAt: Int64?
    /// When the last complete base sync began.
    public var lastFullSync: Int64?
    /// The filter under which all this was fetched; another filter means another sync.
    public var scope: String?
    /// The backend's epoch; another epoch means that the backend was restored and everything is fetched again.
    public var epoch: String?

    /// A mark from nothing.
    public init(
        model: String, lastSync: Int64? = nil, nextToken: String? = nil, startedAt: Int64? = nil,
        lastFullSync: Int64? = nil, scope: String? = nil, epoch: String? = nil
    ) {
        self.model = model
        self.lastSync = lastSync
        self.nextToken = nextToken
        self.startedAt = startedAt
        self.lastFullSync = lastFullSync
        self.scope = scope
        self.epoch = epoch
    }
}

/// What the backend answered to one outbox entry.
public struct MutationResult: Sendable, Hashable {
    /// What it said.
    public enum Outcome: Sendable, Hashable {
        /// Done; this is the record now.
        case applied(RemoteRecord)
        /// Done; what the record is now this client does not understand.
        case appliedUnreadable(UnreadableRecord)
        /// The version was stale and the backend did not merge; its record, where it gave one.
        case conflict(RemoteRecord?)
        /// Refused for good: unauthorised, a failed condition, invalid.
        case refused(code: String, message: String)
        /// Not decided (link, overload): to be sent again, not before so many milliseconds.
        case transient(reason: String, delay: Int64)
        /// Not carried out, for certain, and not refused either: as if it had never been sent.
        case untouched(reason: String)
    }

    /// The entry's ``OutboxEntry/order``.
    public let order: Int64
    /// The answer.
    public let outcome: Outcome

    /// Answers an entry.
    public init(order: Int64, outcome: Outcome) {
        self.order = order
        self.outcome = outcome
    }
}

/// Entries that go out together: one identity, no two of one record.
public struct MutationBatch: Sendable, Hashable {
    /// Who made them.
    public let identity: String?
    /// In their order.
    public let entries: [OutboxEntry]
    /// The units of those that must be applied all or not at all, by ``OutboxEntry/order``.
    public var units: [Int64: Int64] = [:]
    /// By ``OutboxEntry/order``, the creates of the batch without which an entry must not be carried out: it refers to
    /// their records.
    public var needs: [Int64: [Int64]] = [:]
}

/// What a settled batch or an applied page did.
public struct ApplyReport: Sendable, Hashable {
    /// Rows new here.
    public var created = 0
    /// Rows changed here.
    public var updated = 0
    /// Rows removed here.
    public var deleted = 0
    /// Rows that were known already.
    public var ignored = 0
    /// Rows kept aside.
    public var quarantined = 0
    /// Entries settled.
    public var settled = 0
    /// Entries queued again.
    public var requeued = 0
    /// Entries parked.
    public var parked = 0
    /// Whether nothing was kept, since the store was cleared meanwhile.
    public var isVoid = false

    /// Nothing yet.
    public init() {}
}
