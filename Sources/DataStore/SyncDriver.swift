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
    package func emit(_ event: StoreEvent) { emitEvent(event) }
}
