import ModelTables
import Models
import SQLite

extension SyncState {
    /// A sync state without its particulars, for queries.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case local, queued, sending, synced, parked

        /// The states of what the backend does not have yet.
        public static let unsent: Set<Kind> = [.queued, .sending, .parked]
    }
}

extension StoreTransaction {
    /// The records of which `condition` holds and that stand in one of these states on their way to the backend.
    ///
    /// Deleted records whose delete waits are not among them; the outbox has those.
    public func query<M: Model>(
        _ type: M.Type, in states: Set<SyncState.Kind>, where condition: Predicate<M> = .all, sort: [SortKey<M>] = [],
        page: Page? = nil
    ) throws -> [M] {
        try open()
        let table = try context.table(M.schema.name)
        return try table.table.models(
            M.self,
            RowQuery(
                filter: condition.node, sort: sort.map(\.key), page: page, condition: standing(states, table)),
            on: connection)
    }

    /// How many records of which `condition` holds stand in one of these states.
    public func count<M: Model>(
        _ type: M.Type, in states: Set<SyncState.Kind>, where condition: Predicate<M> = .all
    ) throws -> Int {
        try open()
        let table = try context.table(M.schema.name)
        return try table.table.count(
            RowQuery(filter: condition.node, condition: standing(states, table)), on: connection)
    }

    private func standing(_ states: Set<SyncState.Kind>, _ table: StoreTable) -> SQLCondition {
        let key = "\(table.table.name).\(table.table.keyColumn)"
        // By the index of a record's entries.
        func entry(_ state: String = "") -> String {
            "EXISTS(SELECT 1 FROM \"_outbox\" AS o WHERE o.\"model\"=? AND o.\"id\"=\(key)\(state))"
        }
        let (any, sending, parked) = (entry(), entry(" AND o.\"state\"=2"), entry(" AND o.\"state\"=3"))
        let model = Value.text(table.model.name)
        var result = SQLCondition("0")
        for state in SyncState.Kind.allCases where states.contains(state) {
            let one: SQLCondition =
                switch state {
                case .parked: SQLCondition(parked, [model])
                case .sending: SQLCondition("\(sending) AND NOT \(parked)", [model, model])
                case .queued: SQLCondition("\(any) AND NOT \(sending) AND NOT \(parked)", [model, model, model])
                case .synced: SQLCondition("\"_version\" IS NOT NULL AND NOT \(any)", [model])
                case .local: SQLCondition("\"_version\" IS NULL AND NOT \(any)", [model])
                }
            result.sql += " OR (\(one.sql))"
            result.bindings += one.bindings
        }
        return result
    }
}

extension DataStore {
    /// The records of which `condition` holds and that stand in one of these states on their way to the backend.
    public func query<M: Model>(
        _ type: M.Type, in states: Set<SyncState.Kind>, where condition: Predicate<M> = .all, sort: [SortKey<M>] = [],
        page: Page? = nil
    ) async throws -> [M] {
        try await read { try $0.query(type, in: states, where: condition, sort: sort, page: page) }
    }

    /// How many records of which `condition` holds stand in one of these states.
    public func count<M: Model>(
        _ type: M.Type, in states: Set<SyncState.Kind>, where condition: Predicate<M> = .all
    ) async throws -> Int {
        try await read { try $0.count(type, in: states, where: condition) }
    }
}
