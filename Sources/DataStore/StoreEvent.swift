import Models

/// What a store tells about itself while it works.
public enum StoreEvent: Sendable, Hashable {
    /// The outbox has another length or state.
    case outboxStatus(OutboxStatus)
    /// A local change waits to be sent. Told by ``DataStore/eventsWithMutations``.
    case mutationEnqueued(model: String, id: String, MutationKind)
    /// The backend has a local change; its record has this version now. Told by ``DataStore/eventsWithMutations``.
    case mutationProcessed(model: String, id: String, MutationKind, version: Int64, isDeleted: Bool)
    /// The backend's record did not meet a change's condition; the change is parked.
    case conditionFailed(OutboxEntry)
    /// The backend refused a change; it waits for a person.
    case parked(OutboxEntry)
    /// The backend's record differed from what was sent and stands; these fields were given up.
    case conflict(model: String, id: String, fields: [String])
    /// A row from the backend could not be understood and is kept aside.
    case quarantined(UnreadableRecord)
    /// Fetching began, of these models.
    case syncStarted(models: [String])
    /// A page of a model arrived: so many rows so far.
    case modelProgress(model: String, rows: Int)
    /// A model is complete.
    case modelSynced(model: String, isFullSync: Bool, rows: Int)
    /// All models are complete and changes arrive by themselves.
    case ready
    /// Whether the backend can be reached, and what the driver says about it.
    case networkStatus(isActive: Bool, detail: String)
    /// Credentials are missing or refused; sending pauses until there are others.
    case authenticationNeeded(identity: String?, detail: String)
    /// Synchronising stopped.
    case stopped
    /// Something failed that a person should know.
    case failure(String)
}
