/// The port that a synchronisation engine fills: it moves the outbox out and the backend's changes in.
///
/// A store without a driver is local-only. Both methods may be called in any state and any number of times.
public protocol SyncDriver: Sendable {
    /// Begins to synchronise and returns; connecting goes on behind.
    func start(_ port: SyncPort) async throws
    /// Ends it: when this returns, nothing of the driver touches the store any more.
    func stop() async
    /// The outbox may hold more than before. Called on the store's own thread; it must not block.
    func outboxChanged()
}

/// What a running driver may do with its store.
public struct SyncPort: Sendable {
    let work: @Sendable (@escaping @Sendable (StoreCore) -> Void) -> Void
    let emitEvent: @Sendable (StoreEvent) -> Void

    package init(
        work: @escaping @Sendable (@escaping @Sendable (StoreCore) -> Void) -> Void,
        emit: @escaping @Sendable (StoreEvent) -> Void
    ) {
        self.work = work
        emitEvent = emit
    }

    /// Runs `body` on the store's own thread, after what was enqueued before.
    package func enqueue(_ body: @escaping @Sendable (StoreCore) -> Void) { work(body) }

    /// Runs `body` on the store's own thread and waits for it.
    package func perform<R: Sendable>(_ body: @escaping @Sendable (StoreCore) throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            work { core in continuation.resume(with: Result { try body(core) }) }
        }
    }

    /// Tells the store's readers; also keeps what it says about models for `isSynced`.
    package func emit(_ event: StoreEvent) { emitEvent(event) }
}
