/// The port that a synchronisation engine fills: it moves the outbox out and the backend's changes in.
///
/// A store without a driver is local-only. Its methods may be called in any state and any number of times.
///
/// `AppSyncDriver` of the module SyncEngine fills it. A driver of one's own, for another backend, moves changes through
/// the ``SyncPort`` that it is given: it takes what waits (``SyncPort/nextMutations(limit:)``), says what the backend
/// answered (``SyncPort/settle(_:)``), and brings in what others changed (``SyncPort/applyPage(model:items:unreadable:mark:)``,
/// ``SyncPort/applyRemote(_:unreadable:)``).
public protocol SyncDriver: Sendable {
    /// Begins to synchronise and returns; connecting goes on behind.
    func start(_ port: SyncPort) async throws
    /// Ends it: when this returns, nothing of the driver touches the store any more.
    func stop() async
    /// The outbox may hold more than before. Called on the store's own thread; it must not block.
    func outboxChanged()
    /// The store's policies are others now. Called on no particular thread.
    func policiesChanged()
    /// Fetches and sends these models now (all for nil) and returns what came of it.
    func sync(_ models: Set<String>?) async -> SyncResult
    /// Whether changes that were made under a name can be sent with what the driver has to show; others wait.
    func maySend(as identity: String?) -> Bool
}

extension SyncDriver {
    /// A driver that looks at the policies at each start.
    public func policiesChanged() {}
    /// A driver that cannot be asked.
    public func sync(_ models: Set<String>?) async -> SyncResult {
        .failed("this driver cannot be asked to synchronise")
    }
    /// A driver that sends everybody's changes.
    public func maySend(as identity: String?) -> Bool { true }
}

/// What a manual sync came to.
public enum SyncResult: Sendable, Hashable {
    /// Everything that the backend had is here, but for the models that the counts name, and everything that was to be
    /// sent was decided.
    case done(SyncCounts)
    /// It could not be done: there is no link, or the backend refuses. What was done until then stays.
    case failed(String)
}

/// What a manual sync moved.
public struct SyncCounts: Sendable, Hashable {
    /// Rows that came.
    public var received: Int
    /// Changes that the backend took.
    public var sent: Int
    /// Changes that wait for a person.
    public var parked: Int
    /// Models that the backend does not give to this caller.
    public var denied: Set<String>
    /// Models that could not be fetched: the backend gave an error, or their scope is none that it can be asked for. A
    /// ``StoreEvent/failure(_:)`` says why.
    public var unfetched: Set<String>

    /// Nothing moved.
    public init(
        received: Int = 0, sent: Int = 0, parked: Int = 0, denied: Set<String> = [], unfetched: Set<String> = []
    ) {
        self.received = received
        self.sent = sent
        self.parked = parked
        self.denied = denied
        self.unfetched = unfetched
    }
}

/// What a running driver may do with its store.
public struct SyncPort: Sendable {
    /// Runs a closure on the store's thread; it gets nil once the store is closed.
    let work: @Sendable (@escaping @Sendable (StoreCore?) -> Void) -> Void
    let emitEvent: @Sendable (StoreEvent) -> Void

    package init(
        work: @escaping @Sendable (@escaping @Sendable (StoreCore?) -> Void) -> Void,
        emit: @escaping @Sendable (StoreEvent) -> Void
    ) {
        self.work = work
        emitEvent = emit
    }

    /// Runs `body` on the store's own thread, after what was enqueued before; not at all once the store is closed.
    package func enqueue(_ body: @escaping @Sendable (StoreCore) -> Void) {
        work { core in if let core { body(core) } }
    }

    /// Runs `body` on the store's own thread and waits for it.
    ///
    /// - Throws: ``StoreError/closed`` once the store is closed, or what `body` throws.
    @discardableResult
    package func perform<R: Sendable>(_ body: @escaping @Sendable (StoreCore) throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            work { core in
                continuation.resume(
                    with: Result {
                        guard let core else { throw StoreError.closed }
                        return try body(core)
                    })
            }
        }
    }

    /// Tells the store's readers; also keeps what it says about models for `isSynced`.
    public func emit(_ event: StoreEvent) { emitEvent(event) }
}
