import Models

/// What a driver of one's own needs. Each call is one step on the store's thread, durable when it returns; all throw
/// ``StoreError/closed`` once the store is closed.
extension SyncPort {
    /// The models that are to be received, as the policies have it now.
    public func receivedModels() async throws -> [ModelSchema] {
        try await perform { core in core.schema.models.filter { core.options.policy(of: $0).receives } }
    }

    /// Takes the oldest changes that may go, of one person, and marks them as being sent; nil where none may go now.
    ///
    /// No two are of one record, none depends on another of them, and none is given again before it is answered with
    /// ``settle(_:)``: each must be. A mutation id is the same at every try, so that a backend can apply it once.
    /// Those with a common unit (``MutationBatch/units``) are to be applied all or not at all, and some hold operations
    /// instead of values (``OutboxEntry/hasOperations``): where the backend cannot do that, refuse them.
    /// - Parameter limit: How many at most; a unit that is larger comes alone.
    public func nextMutations(limit: Int) async throws -> MutationBatch? {
        try await perform { try $0.nextMutations(limit: limit, joinsParents: false) }
    }

    /// Says what the backend answered to changes that were taken: what it has goes into the rows, what it refused is parked,
    /// what it did not decide waits again.
    @discardableResult
    public func settle(_ results: [MutationResult]) async throws -> ApplyReport {
        try await perform { try $0.settle(results) }
    }

    /// Milliseconds until a change that was not decided may be tried again; nil where none waits for time.
    public func nextRetryDelay() async throws -> Int64? {
        try await perform { $0.nextRetryDelay() }
    }

    /// How far a model was fetched; nothing of it is known before the first page.
    public func mark(of model: String) async throws -> SyncMark {
        try await perform { try $0.mark(of: model) }
    }

    /// Takes in a page of a model and how far it was fetched with it, in one transaction.
    ///
    /// A version that is older than what is here changes nothing; over a change that waits here it shows only in other
    /// fields. Rows may come before their parents, and what cannot be read is kept aside.
    @discardableResult
    public func applyPage(
        model: String, items: [RemoteRecord], unreadable: [UnreadableRecord] = [], mark: SyncMark? = nil
    ) async throws -> ApplyReport {
        try await perform { try $0.applyPage(model: model, items: items, unreadable: unreadable, mark: mark) }
    }

    /// Takes in changes of any models, as they come.
    @discardableResult
    public func applyRemote(
        _ records: [RemoteRecord], unreadable: [UnreadableRecord] = []
    ) async throws -> ApplyReport {
        try await perform { try $0.applyRemote(records, unreadable: unreadable) }
    }

    /// A value that the driver has kept in the store.
    public func driverState(_ key: String) async throws -> String? {
        try await perform { try $0.driverState("own." + key) }
    }

    /// Keeps a value in the store, until it is cleared; nil forgets it.
    public func setDriverState(_ key: String, _ value: String?) async throws {
        try await perform { try $0.setDriverState("own." + key, value) }
    }
}
