import Models

/// What a store tells about itself while it works. A first start tells, in this order: ``networkStatus(isActive:detail:)``,
/// ``subscriptionsEstablished``, ``syncQueriesStarted(models:)``, ``progress(model:rows:)`` and
/// ``modelSynced(model:isFullSync:_:)`` of each model, ``syncQueriesReady``, ``ready``.
public enum StoreEvent: Sendable, Hashable {
    /// The outbox has another length or state.
    case outboxStatus(OutboxStatus)
    /// A local change waits to be sent; the record as it is now, nil where it was deleted. Told by
    /// ``DataStore/eventsWithMutations``.
    case outboxMutationEnqueued(model: String, id: String, MutationKind, Record?)
    /// The backend has a local change; this is its record now. Told by ``DataStore/eventsWithMutations``.
    case outboxMutationProcessed(model: String, id: String, MutationKind, RemoteRecord)
    /// The backend's record did not meet a change's condition; the change is parked.
    case conditionalSaveFailed(OutboxEntry)
    /// A change cannot be made at the backend; it waits for a person.
    case parked(OutboxEntry)
    /// The backend's record differed from what was sent and stands; these fields were given up.
    case conflict(model: String, id: String, fields: [String])
    /// A row from the backend could not be understood and is kept aside.
    case quarantined(UnreadableRecord)
    /// Whether changes arrive by themselves now, and if not, why; told when it changes.
    case networkStatus(isActive: Bool, detail: String)
    /// Everything is subscribed to.
    case subscriptionsEstablished
    /// Fetching began, of these models.
    case syncQueriesStarted(models: [String])
    /// A page of a model arrived, of so many rows.
    case progress(model: String, rows: Int)
    /// A model is complete, and what its fetch changed here.
    case modelSynced(model: String, isFullSync: Bool, ModelCounts)
    /// Every model is complete, is denied, or could not be fetched, which a ``failure(_:)`` told.
    case syncQueriesReady
    /// Every model is complete and changes arrive by themselves: once for each time that the link came up.
    case ready
    /// Not everything of a model came, for this reason.
    case truncated(model: String, Truncation)
    /// Credentials are missing or refused; this kind of work pauses until there are others.
    case paused(StoreProblem.Process, identity: String?, detail: String)
    /// What the driver says of itself is something else; ask it.
    case driverStatusChanged
    /// Synchronising was stopped by ``DataStore/stop()``: once for each start, by whichever driver.
    case stopped
    /// Something failed that a person should know.
    case failure(StoreProblem)
}

/// Why not everything of a model came.
public enum Truncation: Sendable, Hashable {
    /// The backend does not know any more everything that changed since the model was last fetched: all of it is compared.
    case history
    /// The backend has more records than the scope's limit lets come; so many came.
    case limit(Int)
}

/// What fetching a model changed here.
public struct ModelCounts: Sendable, Hashable {
    /// Rows that came, known before or not.
    public var rows: Int
    /// Rows that are new here.
    public var created: Int
    /// Rows that are different now.
    public var updated: Int
    /// Rows that are gone.
    public var deleted: Int

    /// Puts counts together.
    public init(rows: Int = 0, created: Int = 0, updated: Int = 0, deleted: Int = 0) {
        self.rows = rows
        self.created = created
        self.updated = updated
        self.deleted = deleted
    }
}
