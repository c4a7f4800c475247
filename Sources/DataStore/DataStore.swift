import Basics
import Models

/// A local store of models that synchronises behind the scenes.
///
/// Every call is durable when it returns and never waits for the link.
public final class DataStore: Sendable {
    /// Opens or makes a store.
    public init(
        schema: Schema, at location: StoreLocation, options: StoreOptions, driver: (any SyncDriver)? = nil
    ) async throws { notBuilt() }

    /// Who acts now; each outbox entry keeps the identity it was made under.
    public var identity: String? {
        get { notBuilt() }
        set { notBuilt() }
    }

    /// Runs `body` in one transaction that is durable when this returns, or has not happened when it throws.
    public func transaction<R: Sendable>(
        _ body: @escaping @Sendable (StoreTransaction) throws -> R
    ) async throws -> R { notBuilt() }
    /// Runs `body` over one state of the store, beside the writer.
    public func read<R: Sendable>(
        _ body: @escaping @Sendable (StoreTransaction) throws -> R
    ) async throws -> R { notBuilt() }
    /// Keeps a record.
    public func save<M: Model>(_ model: M) async throws { notBuilt() }
    /// Removes a record and those that belong to it.
    public func delete<M: Model>(_ model: M) async throws { notBuilt() }
    /// The record with this key.
    public func get<M: Model>(_ type: M.Type, id: String) async throws -> M? { notBuilt() }
    /// The records of which `condition` holds.
    public func query<M: Model>(
        _ type: M.Type, where condition: Predicate<M> = .all, sort: [SortKey<M>] = [], page: Page? = nil
    ) async throws -> [M] { notBuilt() }

    /// Each change of a model's records: one newest state per changed record for a slow reader, `.reset` beyond 10,000.
    public func observe<M: Model>(_ type: M.Type) -> ModelChanges<M> { notBuilt() }
    /// A live query: a snapshot now and after each change of it.
    public func observeQuery<M: Model>(
        _ type: M.Type, where condition: Predicate<M> = .all, sort: [SortKey<M>] = [], page: Page? = nil
    ) -> QuerySnapshots<M> { notBuilt() }

    /// Begins to synchronise; without a driver it does nothing. Any number of calls.
    public func start() async throws { notBuilt() }
    /// Ends synchronising; data and outbox stay. Any number of calls.
    public func stop() async { notBuilt() }
    /// What to do with unsent changes when all is cleared.
    public enum ClearMode: Sendable, Hashable {
        /// Refuse if anything is unsent.
        case refuse
        /// Send everything first, for at most so many milliseconds.
        case flush(timeout: Int64)
        /// Give it up.
        case discard
    }
    /// Removes all records, marks and sent or given-up changes; identity of the store and settings stay.
    public func clear(_ mode: ClearMode) async throws { notBuilt() }
    /// Stops and closes; later calls throw ``StoreError/closed``.
    public func close() async { notBuilt() }

    /// What the store tells about itself from now on.
    public var events: AsyncStream<StoreEvent> { notBuilt() }
    /// Where a record stands on its way to the backend.
    public func syncState<M: Model>(of model: M) async throws -> SyncState { notBuilt() }
}
