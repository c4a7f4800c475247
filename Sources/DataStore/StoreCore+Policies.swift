import Basics
import ModelTables
import Models
import SQLite

extension StoreCore {
    /// Makes other policies hold from now on, in place of all that held, for every process that has the store open.
    ///
    /// What is received no more is let go where the backend has it; what is unsent stays, and waits while its model is
    /// not sent. Records made while their model did not travel are queued when it does, under the name of who made
    /// them.
    ///
    /// - Parameter identity: Who those are sent as of which nobody is known to have made them.
    package func setPolicies(_ policies: [String: SyncPolicy], as identity: String?) throws {
        try commit(nil, .full) { transaction in
            try change(from: policiesByModel(options.policies), to: policies, as: identity, transaction)
        }
        ownPolicies = policies
        context.setPolicies(policies)
    }

    /// Makes the policies hold that this process was opened with, where it was opened with some: called by the one that
    /// synchronises. Any other that opens the store goes by those that hold.
    package func lead() throws {
        guard !ownPolicies.isEmpty, policiesByModel(ownPolicies) != policiesByModel(options.policies) else { return }
        try setPolicies(ownPolicies, as: nil)
    }

    /// Takes the policies that hold for the store, whatever it was opened with; those it was opened with where none do
    /// yet. Does what another schema asks for, whose models have other policies of their own.
    func adoptPolicies() throws {
        if try storedPolicies(Self.chosenKey) != nil,
            try storedPolicies(Self.policiesKey) == policiesByModel(options.policies)
        {
            return
        }
        var chosen = options.policies
        try commit(nil, .full) { transaction in
            let known = try storedPolicies(Self.policiesKey)
            if let stored = try storedPolicies(Self.chosenKey) {
                chosen = stored
            } else if let known {
                // Kept before choices were: what differs from the schema was chosen.
                chosen = known.filter { name, policy in schema.model(name).map { $0.syncPolicy != policy } ?? false }
            }
            try change(from: known ?? [:], to: chosen, as: nil, transaction)
        }
        context.setPolicies(chosen)
    }

    /// Takes over what another process made hold since: also where that is what holds here, for what others in between let
    /// go is gone.
    func followPolicies() throws {
        let count = try policyChangeCount()
        guard let chosen = try storedPolicies(Self.chosenKey), chosen != options.policies || count != policyChanges
        else { return }
        policyChanges = count
        context.setPolicies(chosen)
        // At opening the choice of this process is not known better by another.
        guard isOpen else { return }
        ownPolicies = chosen
        havePoliciesChanged = true
    }

    /// How often other policies were made to hold.
    private func policyChangeCount() throws -> Int64 {
        let sql = "SELECT CAST(\"value\" AS INTEGER) FROM \"_meta\" WHERE \"key\"=?"
        return try connection.value(sql, [.text(Self.changesKey)])?.integer ?? 0
    }

    private func storedPolicies(_ key: String) throws -> [String: SyncPolicy]? {
        guard let text = try connection.value("SELECT \"value\" FROM \"_meta\" WHERE \"key\"=?", [.text(key)])?.text
        else { return nil }
        let pairs = JSONObject(parsing: text).members.compactMap { member in
            member.value.string.flatMap { SyncPolicy(rawValue: $0) }.map { (member.key, $0) }
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    /// The policy of each model where these are chosen.
    private func policiesByModel(_ chosen: [String: SyncPolicy]) -> [String: SyncPolicy] {
        Dictionary(
            schema.models.map { ($0.name, chosen[$0.name] ?? $0.syncPolicy) }, uniquingKeysWith: { first, _ in first })
    }

    private func change(
        from before: [String: SyncPolicy], to chosen: [String: SyncPolicy], as identity: String?,
        _ transaction: StoreTransaction
    ) throws {
        let after = policiesByModel(chosen)
        // What others refer to goes first.
        for model in schema.modelsInDependencyOrder {
            guard let old = before[model.name], let new = after[model.name] else { continue }
            if old.receives, !new.receives { try evictConfirmed(model) }
            guard old != new, !old.sends, new != .none else { continue }
            // Where it is only received they wait: without an entry, what comes would take their place unseen.
            try enqueueUnsent(model, identity)
            if hasHeldEntries { try Self.forgetHeldEntries(connection) }
        }
        func json(_ policies: [String: SyncPolicy]) -> String {
            let names = policies.sorted { $0.key < $1.key }.map {
                (key: $0.key, value: JSONValue.string($0.value.rawValue))
            }
            return JSONValue.object(JSONObject(names)).text
        }
        try transaction.setMeta(Self.policiesKey, json(after))
        try transaction.setMeta(Self.chosenKey, json(chosen))
        policyChanges = try policyChangeCount() + 1
        try transaction.setMeta(Self.changesKey, String(policyChanges))
        log.touchedOutbox = true
    }

    /// The policy of each model as the rows are now.
    static let policiesKey = "policies"
    /// Those of them that somebody chose; the others are the schema's.
    static let chosenKey = "policies.chosen"
    /// How often they were set, by whichever process.
    static let changesKey = "policies.changes"

    private func evictConfirmed(_ model: ModelSchema) throws {
        try StoreTransaction(context, core: self, identity: nil).evict(model: model.name, where: .all)
        try forgetQuarantined(of: model.name)
        try connection.run("DELETE FROM \"_mark\" WHERE \"model\"=?", [.text(model.name)])
    }

    /// Queues creates for records that were made while their model did not travel, in the order of their making.
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
    /// What is new is fetched, what is clean and received no more is let go, what is unsent stays. They hold for every
    /// process that has the store open, until others are set or one begins to synchronise that was opened with others.
    /// - Throws: ``StoreError/unknownModel(_:)`` for a name that is no model's; all is then as it was.
    public func setPolicies(_ policies: [String: SyncPolicy]) async throws {
        if let unknown = schema.firstUnknown(of: policies.keys) { throw StoreError.unknownModel(unknown) }
        let identity = identity
        try await writer.perform { try $0.setPolicies(policies, as: identity) }
        await tellReadersOfPolicies()
        driver?.policiesChanged()
    }

    /// What readers say of models' policies follows the writer's.
    func tellReadersOfPolicies() async {
        guard let options = try? await writer.perform({ $0.options }) else { return }
        for reader in readers { await reader.setPolicies(options.policies) }
        guard driver != nil else { return }
        let now = Set(schema.models.filter { options.policy(of: $0).receives }.map(\.name))
        let before = received.withLock { received in
            defer { received = now }
            return received
        }
        for model in before.subtracting(now) { hub.setSynced(model, true) }
        for model in now.subtracting(before) { hub.setSynced(model, false) }
    }

    /// Fetches a model's changes and sends its own now, whatever its timers say, and says what came of it.
    public func sync<M: Model>(_ type: M.Type) async -> SyncResult { await sync([M.schema.name]) }

    /// Fetches and sends the named models, or all, now.
    public func sync(_ models: Set<String>? = nil) async -> SyncResult {
        if let unknown = schema.firstUnknown(of: models ?? []) {
            return .failed(StoreError.unknownModel(unknown).description)
        }
        guard let driver else { return .failed("this store is local only") }
        if await lifecycle.isFollowing {
            return .failed("another process synchronises this store; ask that one, or wait for what it fetches")
        }
        return await driver.sync(models)
    }
}

extension Schema {
    /// The first name, in alphabetical order, that is no model's.
    fileprivate func firstUnknown(of names: some Collection<String>) -> String? {
        names.filter { model($0) == nil }.min()
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
