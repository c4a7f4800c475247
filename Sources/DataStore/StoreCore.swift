import Basics
import Models

/// The synchronous heart of a store over one connection.
///
/// Not Sendable: it belongs to one thread, the writer executor's or a simulator's.
public final class StoreCore {
    /// The models.
    public let schema: Schema
    /// How it was opened.
    public let options: StoreOptions

    /// Opens or makes the store, migrating its tables where the schema grew.
    public init(schema: Schema, at location: StoreLocation, options: StoreOptions) throws { notBuilt() }

    /// Names this store for good; a copy or a new file has another.
    public var storeID: String { notBuilt() }

    /// Runs `body` in one transaction that is durable when this returns, or has not happened when it throws.
    public func write<R>(as identity: String?, _ body: (StoreTransaction) throws -> R) throws -> R { notBuilt() }
    /// Runs `body` over one state of the store; writing in it throws.
    public func read<R>(_ body: (StoreTransaction) throws -> R) throws -> R { notBuilt() }

    /// Calls `body` after every commit until the token is removed.
    public func addObserver(_ body: @escaping (CommittedChanges) -> Void) -> Int { notBuilt() }
    /// Ends what ``addObserver(_:)`` began.
    public func removeObserver(_ token: Int) { notBuilt() }
    /// Gets what the store tells about itself; called on the store's thread.
    package var onEvent: ((StoreEvent) -> Void)?

    // MARK: Sending

    /// Puts back to *queued* what was being sent when the store was closed; call once before sending.
    package func resetSending() throws { notBuilt() }
    /// Takes the next entries and marks them as being sent: the oldest that may go, of one identity.
    ///
    /// No two of one record; none whose record has an earlier entry unsettled; none that refers to a record whose create
    /// is parked or held back itself. Nil where nothing may go now.
    /// - Parameter busy: identities that have a batch under way and are passed over.
    package func nextMutations(limit: Int, busy: Set<String?> = []) throws -> MutationBatch? { notBuilt() }
    /// Milliseconds until an entry that failed for now may be tried again; nil where none waits for time.
    package func nextRetryDelay() -> Int64? { notBuilt() }
    /// Applies the backend's answers in one transaction.
    @discardableResult
    package func settle(_ results: [MutationResult]) throws -> ApplyReport { notBuilt() }

    // MARK: Receiving

    /// Applies one fetched page and its mark in one transaction.
    @discardableResult
    package func applyPage(
        model: String, items: [RemoteRecord], unreadable: [UnreadableRecord] = [], mark: SyncMark?
    ) throws -> ApplyReport { notBuilt() }
    /// Applies changes of any models that came by subscription.
    @discardableResult
    package func applyRemote(
        _ records: [RemoteRecord], unreadable: [UnreadableRecord] = []
    ) throws -> ApplyReport { notBuilt() }
    /// How far a model was fetched.
    package func mark(of model: String) throws -> SyncMark { notBuilt() }
    /// Changes how far a model was fetched.
    package func setMark(_ mark: SyncMark) throws { notBuilt() }
    /// Removes clean rows that the scope no longer covers: those of which `condition` holds and nothing is unsent.
    @discardableResult
    package func evict(model: String, where condition: PredicateNode) throws -> Int { notBuilt() }
    /// Reads one stored value of the driver, such as the backend's epoch.
    package func driverState(_ key: String) throws -> String? { notBuilt() }
    /// Keeps one value of the driver.
    package func setDriverState(_ key: String, _ value: String?) throws { notBuilt() }
}
