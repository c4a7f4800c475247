import Basics
import ModelTables
import Models
import SQLite

extension StoreTransaction {
    /// Outbox entries in their order.
    ///
    /// - Parameters:
    ///   - state: Only entries that stand there; `.queued` means both kinds of waiting.
    ///   - identity: Only this person's; `.some(nil)` those of nobody.
    ///   - after: Only entries with a greater ``OutboxEntry/order``: the next page.
    public func outbox(
        state: MutationState? = nil, identity: String?? = .none, after: Int64 = .min, limit: Int = 1000
    ) throws -> [OutboxEntry] {
        try open()
        var sql = "SELECT \(StoreSQL.columns) FROM \"_outbox\" WHERE \"ord\">?"
        var bindings: [Value] = [.integer(after)]
        switch state {
        case nil: break
        case .queued, .sealed: sql += " AND \"state\"<2"
        case .sending: sql += " AND \"state\"=2 AND \"state\">=2"
        case .parked: sql += " AND \"state\"=3 AND \"state\">=2"
        }
        if case .some(let identity) = identity {
            sql += " AND \"identity\"=?"
            bindings.append(.text(laneText(identity)))
        }
        sql += " ORDER BY \"ord\" LIMIT ?"
        bindings.append(.integer(Int64(limit)))
        return try connection.withStatement(sql) { statement in
            statement.bind(bindings)
            var result: [OutboxEntry] = []
            while try statement.step() { result.append(OutboxEntry(statement)) }
            return result
        }
    }

    /// One entry, nil where there is none any more.
    public func outboxEntry(_ order: Int64) throws -> OutboxEntry? {
        try open()
        return try connection.withStatement(StoreSQL.entry) { statement in
            statement.bind(order, at: 1)
            return try statement.step() ? OutboxEntry(statement) : nil
        }
    }

    /// The entries of one record in order.
    public func outbox(model: String, id: String) throws -> [OutboxEntry] {
        try open()
        return try connection.withStatement(StoreSQL.entriesOfRecord) { statement in
            statement.bind(model, at: 1)
            statement.bind(id, at: 2)
            var result: [OutboxEntry] = []
            while try statement.step() { result.append(OutboxEntry(statement)) }
            return result
        }
    }

    /// An entry beside what it was based on, what is shown here and what the backend is known to have.
    public func difference(_ entry: OutboxEntry) throws -> [OutboxDifference] {
        try open()
        let table = try context.table(entry.model)
        let local = try table.fetch(entry.id, on: connection).map { table.wire.object($0.values) }
        let remote = try connection.value(
            "SELECT \"fields\" FROM \"_shadow\" WHERE \"model\"=? AND \"id\"=?", [.text(entry.model), .text(entry.id)]
        )?.text.map { JSONObject(parsing: $0) }
        let names = entry.kind == .delete ? entry.base.keys : entry.fields.keys
        return names.map {
            OutboxDifference(
                field: $0, base: entry.base[$0], sent: entry.fields[$0], local: local?[$0], remote: remote?[$0])
        }
    }

    /// How many entries wait, of everyone or of one person.
    public func outboxStatus(identity: String?? = .none) throws -> OutboxStatus {
        var result = OutboxStatus()
        for (lane, status) in try laneCounts() {
            if case .some(let wanted) = identity, wanted != lane { continue }
            result.queued += status.queued
            result.sending += status.sending
            result.parked += status.parked
        }
        return result
    }

    /// How many entries wait, by who made them.
    public func unsentCounts() throws -> [(identity: String?, count: Int)] {
        try laneCounts().filter { !$0.1.isEmpty }.map { ($0.0, $0.1.unsent) }
    }

    private func laneCounts() throws -> [(String?, OutboxStatus)] {
        try open()
        if let core {
            return core.counts.sorted { $0.key < $1.key }.map { (laneIdentity($0.key), $0.value) }
        }
        var result: [String: OutboxStatus] = [:]
        for row in try connection.rows("SELECT \"identity\",\"state\",count(*) FROM \"_outbox\" GROUP BY 1,2") {
            let state = MutationState(rawValue: row[1].integer ?? 0) ?? .queued
            result[row[0].text ?? "", default: OutboxStatus()].add(Int(row[2].integer ?? 0), state)
        }
        return result.sorted { $0.key < $1.key }.map { (laneIdentity($0.key), $0.value) }
    }

    /// How many unsent entries a model has.
    public func unsentCount(model: String) throws -> Int {
        try open()
        return Int(
            try connection.value("SELECT count(*) FROM \"_outbox\" WHERE \"model\"=?", [.text(model)])?.integer ?? 0)
    }

    /// Where a record stands on its way to the backend.
    public func syncState(model: String, id: String) throws -> SyncState {
        let entries = try outbox(model: model, id: id)
        if let parked = entries.first(where: { $0.state == .parked }) { return .parked(reason: parked.reason ?? "") }
        if entries.contains(where: { $0.state == .sending }) { return .sending }
        if !entries.isEmpty { return .queued }
        guard let row = try context.table(model).fetch(id, on: connection) else { return .unknown }
        return row.version.map { .synced(version: $0) } ?? .local
    }

    /// How many records of a model name a parent that is not here (yet).
    public func orphanCount(model: String) throws -> Int {
        try open()
        let table = try context.table(model)
        var count: Int64 = 0
        for parent in table.parents {
            guard let target = context.tables[parent.target] else { continue }
            let fields = parent.positions.map { "\(table.table.name).\(quoted(table.model.fields[$0].name))" }
            let keys = target.model.primaryKey.map { "p.\(quoted($0))" }
            // A part of a key names nothing.
            let names = fields.map { "\($0) IS NOT NULL" }.joined(separator: " AND ")
            let isParent = zip(keys, fields).map { "\($0)=\($1)" }.joined(separator: " AND ")
            count +=
                try connection.value(
                    """
                    SELECT count(*) FROM \(table.table.name) WHERE \(names) AND NOT EXISTS(SELECT 1 FROM \
                    \(target.table.name) AS p WHERE \(isParent))
                    """)?.integer ?? 0
        }
        return Int(count)
    }
}
