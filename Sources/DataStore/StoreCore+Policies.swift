import Basics
import ModelTables
import Models
import SQLite

extension StoreCore {
    /// Makes other policies hold from now on, in place of all that ``StoreOptions/policies`` named.
    ///
    /// What is received no more is let go where the backend has it; what is unsent stays, and waits while its model is
    /// not sent. Records made while their model was not sent are queued when it is, under the name of who made them.
    ///
    /// - Parameter identity: Who those are sent as of which nobody is known to have made them.
    package func setPolicies(_ policies: [String: SyncPolicy], as identity: String?) throws {
        var after = options
        after.policies = policies
        try change(from: policyNames(options), to: after, as: identity)
        context.setPolicies(policies)
    }

    /// Does what a change of policies between two openings asks for: another schema, or another program.
    func adoptPolicies() throws {
        let known = try connection.value("SELECT \"value\" FROM \"_meta\" WHERE \"key\"='policies'")?.text
        let now = policyNames(options)
        guard known != JSONValue.object(now).text else { return }
        let before = known.flatMap { (try? JSONValue(parsing: $0))?.object } ?? now
        try change(from: before, to: options, as: nil)
    }

    private func policyNames(_ options: StoreOptions) -> JSONObject {
        JSONObject(schema.models.map { (key: $0.name, value: .string(options.policy(of: $0).rawValue)) })
    }

    private func change(from before: JSONObject, to after: StoreOptions, as identity: String?) throws {
        _ = try commit(nil, .full) { transaction in
            for model in schema.models {
                guard let old = before[model.name]?.string.flatMap({ SyncPolicy(rawValue: $0) }) else { continue }
                let new = after.policy(of: model)
                if old.receives, !new.receives { try evictConfirmed(model) }
                if !old.sends, new.sends { try enqueueUnsent(model, identity) }
            }
            try transaction.setMeta("policies", JSONValue.object(policyNames(after)).text)
            log.touchedOutbox = true
        }
    }

    private func evictConfirmed(_ model: ModelSchema) throws {
        try StoreTransaction(context, core: self, identity: nil).evict(model: model.name, where: .all)
        try connection.run("DELETE FROM \"_mark\" WHERE \"model\"=?", [.text(model.name)])
    }

    /// Queues creates for records that were made while nothing of their model was sent, in the order of their making.
    private func enqueueUnsent(_ model: ModelSchema, _ identity: String?) throws {
        let table = try context.table(model.name)
        // Those that others made and a restored backend lost are theirs to send.
        let unconfirmed = SQLCondition("\"_version\" IS NULL AND \"_changed\" IS NULL")
        var last: Int64 = 0
        while true {
            let query = RowQuery(filter: .all, page: .first(500), condition: unconfirmed, afterRow: last)
            let rows = try table.table.rows(query, on: connection)
            guard let end = rows.last?.row else { return }
            last = end
            for row in rows where try entries(model.name, row.record.id).isEmpty {
                let maker = try maker(model.name, row.record.id)
                try keepMaker(nil, model.name, row.record.id)
                try enqueue(
                    .create, table, row.record.id,
                    fields: table.wire.json(row.record.values, table.wire.writable, skippingNull: true),
                    base: emptyObject, version: nil, maker ?? identity)
            }
        }
    }

    /// Remembers who made a record that is not sent, should it be sent one day; nil forgets it.
    func keepMaker(_ identity: String?, _ model: String, _ id: String) throws {
        let key = Value.text(Self.makerKey + model + "." + id)
        if let identity {
            try connection.run("INSERT OR REPLACE INTO \"_meta\" VALUES(?,?)", [key, .text(identity)])
        } else {
            try connection.run("DELETE FROM \"_meta\" WHERE \"key\"=?", [key])
        }
    }

    private func maker(_ model: String, _ id: String) throws -> String? {
        try connection.value(
            "SELECT \"value\" FROM \"_meta\" WHERE \"key\"=?", [.text(Self.makerKey + model + "." + id)])?.text
    }

    static let makerKey = "maker."
}

extension DataStore {
    /// Makes other policies hold from now on, in place of those that the store was opened with: a model can be switched
    /// between `NONE`, `UPSTREAM`, `DOWNSTREAM` and `BOTH` while the store is used.
    ///
    /// What is new is fetched, what is clean and received no more is let go, what is unsent stays. They hold until the
    /// store is closed.
    public func setPolicies(_ policies: [String: SyncPolicy]) async throws {
        let identity = identity
        try await writer.perform { try $0.setPolicies(policies, as: identity) }
        for reader in readers { await reader.setPolicies(policies) }
        driver?.policiesChanged()
    }

    /// Fetches a model's changes and sends its own now, whatever its timers say, and says what came of it.
    public func sync<M: Model>(_ type: M.Type) async -> SyncResult { await sync([M.schema.name]) }

    /// Fetches and sends the named models, or all, now.
    public func sync(_ models: Set<String>? = nil) async -> SyncResult {
        guard let driver else { return .failed("this store is local only") }
        return await driver.sync(models)
    }
}

extension StoreCore {
    /// How many entries of these models wait or are being sent up to a number, and the last number there is.
    package func waiting(of models: Set<String>?, upTo last: Int64) throws -> (count: Int, last: Int64) {
        try storeErrors {
            var count = 0
            for row in try connection.rows(
                "SELECT \"model\",count(*) FROM \"_outbox\" WHERE \"state\"<3 AND \"ord\"<=? GROUP BY 1",
                [.integer(last)])
            where models?.contains(row[0].text ?? "") ?? true {
                count += Int(row[1].integer ?? 0)
            }
            return (count, try connection.value("SELECT max(\"ord\") FROM \"_outbox\"")?.integer ?? 0)
        }
    }

    /// How many entries of these models are parked.
    package func parkedCount(of models: Set<String>?) throws -> Int {
        try storeErrors {
            try connection.rows(
                "SELECT \"model\",count(*) FROM \"_outbox\" WHERE \"state\"=3 AND \"state\">=2 GROUP BY 1"
            )
            .filter { models?.contains($0[0].text ?? "") ?? true }.reduce(0) { $0 + Int($1[1].integer ?? 0) }
        }
    }
}
