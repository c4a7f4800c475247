import Basics
import Models

extension DataStore {
    /// Each change of a model's records from now on: one newest state per changed record for a slow reader, `.reset`
    /// beyond 10,000.
    public func observe<M: Model>(_ type: M.Type) -> ModelChanges<M> {
        ModelChanges(storage: ChangesStorage(hub))
    }

    /// Each change of one record from now on, its coming and going too.
    public func observe<M: Model>(_ type: M.Type, id: String) -> ModelChanges<M> {
        ModelChanges(storage: ChangesStorage(hub, id: id))
    }

    /// Each change from now on of the records of which `condition` holds: a record that comes to meet it is *created* to
    /// the reader, and one that meets it no more is *deleted*.
    ///
    /// A condition on related records is told as `.reset`, since only a fresh query can say what it changed.
    /// - Throws: ``StoreError/invalidQuery(_:)`` for a field that the model does not have.
    public func observe<M: Model>(_ type: M.Type, where condition: Predicate<M>) throws -> MatchingChanges<M> {
        let related = relatedModels(condition.node, M.schema)
        return MatchingChanges(
            storage: try storeErrors {
                try MatchingStorage(hub, condition.node, related: related) { [writer] in writer.enqueue($0) }
            })
    }

    /// Each change of several models' records from now on, untyped; nil means every model.
    public func observeRecords(of models: Set<String>? = nil) -> RecordChanges {
        let names = schema.models.map(\.name).filter { models?.contains($0) ?? true }
        return RecordChanges(storage: RecordChangesStorage(hub, names))
    }

    /// A live query: a snapshot now and after each change of it.
    ///
    /// A page keeps the cost at what is shown: a query of the first 50 of a million records reads and holds little more.
    /// A condition on related records is read afresh after each change of a model that it looks at.
    public func observeQuery<M: Model>(
        _ type: M.Type, where condition: Predicate<M> = .all, sort: [SortKey<M>] = [], page: Page? = nil
    ) -> QuerySnapshots<M> {
        let storage = QueryStorage<M>(
            hub, related: relatedModels(condition.node, M.schema),
            { try storeErrors { try LiveQuery(where: condition.node, sort: sort.map(\.key), page: page) } },
            fetch: { [weak self] part in
                guard let self else { throw StoreError.closed }
                // A transaction that ran when the reader registered did not gather changes for it: let it end first.
                try await self.writer.perform { _ in }
                let items = try await self.read {
                    try $0.query(type, where: condition, sort: part == nil ? [] : sort, page: part)
                }
                // Every commit that the fetch can have seen has been told when this comes back.
                try await self.writer.perform { _ in }
                return items
            })
        return QuerySnapshots(storage: storage)
    }

    /// The models that a condition looks at besides its own.
    private func relatedModels(_ node: PredicateNode, _ model: ModelSchema) -> Set<String> {
        switch node {
        case .all, .field: []
        case .and(let nodes), .or(let nodes):
            nodes.reduce(into: []) { $0.formUnion(relatedModels($1, model)) }
        case .not(let inner): relatedModels(inner, model)
        case .related(let name, let inner):
            model.relation(name).flatMap { schema.model($0.target) }
                .map { relatedModels(inner, $0).union([$0.name]) } ?? []
        }
    }

    /// Where a record stands on its way to the backend, now and after each change of it.
    ///
    /// Ends when the store closes or the reader's task is cancelled; a slow reader gets the newest.
    public func syncStates<M: Model>(of type: M.Type, id: String) -> AsyncStream<SyncState> {
        let (stream, continuation) = AsyncStream<SyncState>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let last = Locked<SyncState?>(nil)
        let name = M.schema.name
        let look: @Sendable () -> Void = { [writer] in
            writer.enqueue { core in
                guard let state = try? core?.read({ try $0.syncState(model: name, id: id) }) else { return }
                let isNew = last.withLock { last in
                    defer { last = state }
                    return last != state
                }
                if isNew { continuation.yield(state) }
            }
        }
        let added = hub.add(name, wantsOutbox: true) { news in
            switch news {
            case .outbox, .reset: look()
            case .changes(let changes): if changes.contains(where: { $0.id.hasSameBytes(as: id) }) { look() }
            case .related, .synced: break
            case .closed: continuation.finish()
            }
        }
        guard let added else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [hub] _ in hub.remove(added.token) }
        look()
        return stream
    }
}
