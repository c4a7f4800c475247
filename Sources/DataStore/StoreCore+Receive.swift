import Basics
import Models
import SQLite

extension StoreCore {
    /// Applies one fetched page and its mark in one transaction.
    ///
    /// Rows that cannot be understood are kept aside, and the page goes on. Rows may come before their parents.
    /// - Parameters:
    ///   - left: Keys of records that others moved out of what is kept here, as the backend had them at `leftUpTo`: what
    ///     changed later may be back.
    ///   - clearings: How often the store had been cleared when the page was asked for. Where another process
    ///     cleared it since, the page goes on from nothing that is here, and nothing of it is kept.
    @discardableResult
    package func applyPage(
        model: String, items: [RemoteRecord], left: [String] = [], leftUpTo: Int64 = .max,
        unreadable: [UnreadableRecord] = [], mark: SyncMark?, clearings: Int64? = nil
    ) throws -> ApplyReport {
        try commit(nil, .normal) { _ in
            var report = ApplyReport()
            if let clearings, try self.clearings() != clearings {
                report.isVoid = true
                return report
            }
            let table = try context.table(model)
            let isDirty = try hasEntries(model)
            for item in items { try apply(item, table, isDirty: isDirty, isPage: true, &report) }
            for id in left where try letGo(id, table, changedUpTo: leftUpTo) { report.deleted += 1 }
            for record in unreadable { try quarantine(record, &report) }
            if let mark {
                try store(mark)
                if mark.lastSync != nil { try forgetLackedFields(of: model) }
            }
            return report
        }
    }

    /// Applies changes of any models that came by subscription.
    ///
    /// - Parameter outside: Changes of records that are not kept here: what they move out goes.
    @discardableResult
    package func applyRemote(
        _ records: [RemoteRecord], outside: [RemoteRecord] = [], unreadable: [UnreadableRecord] = []
    ) throws -> ApplyReport {
        try commit(nil, .normal) { _ in
            var report = ApplyReport()
            var dirty: [String: Bool] = [:]
            for record in records {
                let table = try context.table(record.record.schema.name)
                let model = table.model.name
                let isDirty = try dirty[model] ?? hasEntries(model)
                dirty[model] = isDirty
                try apply(record, table, isDirty: isDirty, &report)
            }
            for record in outside {
                let table = try context.table(record.record.schema.name)
                let id = record.record.id
                if try entries(table.model.name, id).isEmpty {
                    if try letGo(id, table, olderThan: record.version) { report.deleted += 1 }
                } else {
                    // Seen until what waits is answered, and goes with that.
                    try apply(record, table, isDirty: true, &report)
                    _ = try letGo(id, table, olderThan: record.version + 1)
                }
            }
            for record in unreadable { try quarantine(record, &report) }
            return report
        }
    }

    private func hasEntries(_ model: String) throws -> Bool {
        guard counts.values.contains(where: { !$0.isEmpty }) else { return false }
        return try connection.withStatement(StoreSQL.hasEntries) { statement in
            statement.bind(model, at: 1)
            return try statement.step()
        }
    }

    /// Takes in a record of the backend.
    ///
    /// - Parameter isPage: Whether it came by a query of all fields. An event tells no more than the mutation that caused it
    ///   selected (AppSync, "Subscription fields"), so that a page may know more of the very same version.
    func apply(
        _ remote: RemoteRecord, _ table: StoreTable, isDirty: Bool, isPage: Bool = false, _ report: inout ApplyReport
    ) throws {
        let id = remote.record.id
        let model = table.model.name
        if !remote.deleted, let problem = table.wire.problem(remote.record.values, isRemote: true) {
            var object = table.wire.object(remote.record.values)
            object["_lastChangedAt"] = .integer(remote.lastChangedAt)
            let unreadable = UnreadableRecord(
                model: model, id: id, version: remote.version, json: JSONValue.object(object).text,
                reason: "\(problem.field): \(problem.reason)")
            return try quarantine(unreadable, &report)
        }
        if let deletion = try deletion(after: remote, table) {
            // What was taken in from elsewhere of a deleted record goes once nothing of it waits.
            if let old = try table.fetch(id, on: connection), old.version ?? 0 <= deletion.version,
                try entries(model, id).isEmpty
            {
                report.deleted += 1
                return try show(nil, old, table, id, version: nil, lastChangedAt: nil)
            }
            report.ignored += 1
            return
        }
        if hasQuarantine {
            try connection.run(
                "DELETE FROM \"_quarantine\" WHERE \"model\"=? AND \"id\"=? AND \"version\"<=?",
                [.text(model), .text(id), .integer(remote.version)])
        }
        let waiting = isDirty ? try entries(model, id) : []
        guard waiting.isEmpty else { return try merge(remote, waiting, table, id, isPage: isPage, &report) }
        if remote.deleted { return try bury(remote, table, id, &report) }
        let row = StoreTable.Row(
            values: remote.record.values, version: remote.version, lastChangedAt: remote.lastChangedAt)
        if try table.insertIfAbsent(id, row, on: connection) {
            report.created += 1
            note(.created, table, id, row.values, isLocal: false)
        } else if try table.updateOlder(id, row, on: connection) {
            report.updated += 1
            note(.updated, table, id, row.values, isLocal: false)
        } else if try !takeBack(remote, table, id, &report), try !fillIn(remote, [], table, id, &report),
            try !isPage || !correct(remote, [], table, id, &report)
        {
            report.ignored += 1
        }
    }

    /// Puts a page's record in place of the same version of it that holds something else; false where there is none.
    private func correct(
        _ remote: RemoteRecord, _ waiting: [OutboxEntry], _ table: StoreTable, _ id: String,
        _ report: inout ApplyReport
    ) throws -> Bool {
        guard !remote.deleted, let old = try table.fetch(id, on: connection), old.version == remote.version,
            try known(old, under: waiting, table, id) != remote.record.values
        else { return false }
        let image = Shadow(
            version: remote.version, lastChangedAt: remote.lastChangedAt, isDeleted: false,
            object: table.wire.object(remote.record.values))
        try show(image, under: waiting, old, table, id)
        report.updated += 1
        return true
    }

    /// The values that the backend is thought to have of a row.
    private func known(
        _ row: StoreTable.Row, under waiting: [OutboxEntry], _ table: StoreTable, _ id: String
    ) throws -> [Value]? {
        if waiting.isEmpty { return row.values }
        return try serverImage(row, waiting, table, id).flatMap { try? table.wire.values($0) }
    }

    private func bury(
        _ remote: RemoteRecord, _ table: StoreTable, _ id: String, _ report: inout ApplyReport
    ) throws {
        let old = try table.fetch(id, on: connection)
        if let version = old?.version, version >= remote.version {
            report.ignored += 1
            return
        }
        try putTombstone(table.model.name, id, remote.version, remote.lastChangedAt)
        if old == nil { report.ignored += 1 } else { report.deleted += 1 }
        try show(nil, old, table, id, version: nil, lastChangedAt: nil)
    }

    /// A remote change of a record that has local changes waiting: what they do not touch is seen at once, what they do
    /// stays as it is here until the backend has answered.
    private func merge(
        _ remote: RemoteRecord, _ waiting: [OutboxEntry], _ table: StoreTable, _ id: String, isPage: Bool,
        _ report: inout ApplyReport
    ) throws {
        let model = table.model.name
        let old = try table.fetch(id, on: connection)
        var known = try shadow(model, id)
        if isPage, known?.version == remote.version, known?.hasLeft == true, var image = known, !remote.deleted {
            // It is asked for again.
            image.hasLeft = false
            try putShadow(model, id, image)
            known = image
        }
        if let version = old?.version ?? known?.version, version >= remote.version,
            !isVoid(old?.lastChangedAt ?? known?.lastChangedAt, for: remote) || version == remote.version
        {
            if try !fillIn(remote, waiting, table, id, &report),
                try !isPage || !correct(remote, waiting, table, id, &report)
            {
                report.ignored += 1
            }
            return
        }
        var entries = waiting
        if remote.deleted {
            if entries.allSatisfy({ $0.kind == .delete && $0.state != .sending }) {
                for entry in entries { try removeEntry(entry) }
                try removeShadow(model, id)
                return try bury(remote, table, id, &report)
            }
        } else {
            entries = try rebaseFirst(
                entries, onto: table.wire.object(remote.record.values), version: remote.version)
        }
        let image = remote.deleted ? nil : table.wire.object(remote.record.values)
        if entries.isEmpty {
            try removeShadow(model, id)
        } else {
            try putShadow(
                model, id,
                Shadow(
                    version: remote.version, lastChangedAt: remote.lastChangedAt, isDeleted: remote.deleted,
                    object: image ?? JSONObject()))
        }
        report.updated += 1
        // A record deleted there and changed here stays visible until the backend has answered the change.
        let visible = remote.deleted ? old.map { table.wire.object($0.values) } : overlay(image, entries)
        try show(
            visible, old, table, id, version: remote.version, lastChangedAt: remote.lastChangedAt)
    }

    /// Puts the first waiting change on the backend's new record, where it was never sent and touches other fields.
    func rebaseFirst(_ entries: [OutboxEntry], onto remote: JSONObject, version: Int64) throws -> [OutboxEntry] {
        guard let first = entries.first, first.attempts == 0, first.state == .queued || first.state == .sealed,
            first.kind == .update
        else { return entries }
        switch ThreeWay.rebase(fields: first.fields, base: first.base, onto: remote) {
        case .onto(let fields, let base):
            try rewrite(first, PendingMutation(kind: .update, fields: fields, base: base), version: version)
            guard fields != first.fields, let rewritten = try entry(first.order) else { return entries }
            return [rewritten] + entries.dropFirst()
        case .done:
            try removeEntry(first)
            return try rebaseFirst(Array(entries.dropFirst()), onto: remote, version: version)
        case .conflict: return entries
        }
    }
}

extension StoreCore {
    /// How far a model was fetched.
    package func mark(of model: String) throws -> SyncMark {
        try storeErrors {
            try SyncMark.stored(model, on: connection)
        }
    }

    /// Changes how far a model was fetched.
    package func setMark(_ mark: SyncMark) throws {
        try commit(nil, .normal) { _ in try change(mark) }
    }

    private func change(_ mark: SyncMark) throws {
        try store(mark)
        // Fetched from the beginning, what is still there and cannot be understood comes again.
        if mark.lastSync == nil, mark.lastFullSync == nil, mark.nextToken == nil {
            try forgetQuarantined(of: mark.model)
        }
    }

    /// Which of the models are complete, as far as the file tells: all of each came, and no fetch of all is under way.
    func completeModels() throws -> Set<String> {
        try storeErrors {
            let complete = try connection.rows(
                "SELECT \"model\" FROM \"_mark\" WHERE \"lastFullSync\" IS NOT NULL")
            return Set(complete.compactMap { $0[0].text })
        }
    }

    private func store(_ mark: SyncMark) throws {
        if mark.lastSync == nil, mark.lastFullSync == nil { begunAnew.insert(mark.model) }
        func integer(_ value: Int64?) -> Value { value.map { .integer($0) } ?? .null }
        func text(_ value: String?) -> Value { value.map { .text($0) } ?? .null }
        try connection.run(
            "INSERT OR REPLACE INTO \"_mark\" VALUES(?,?,?,?,?,?,?)",
            [
                .text(mark.model), integer(mark.lastSync), text(mark.nextToken), integer(mark.startedAt),
                integer(mark.lastFullSync), text(mark.scope), text(mark.epoch),
            ])
    }

    /// Reads one stored value of the driver, such as the backend's epoch.
    package func driverState(_ key: String) throws -> String? {
        try storeErrors {
            try connection.value("SELECT \"value\" FROM \"_meta\" WHERE \"key\"=?", [.text("driver." + key)])?.text
        }
    }

    /// Keeps one value of the driver.
    package func setDriverState(_ key: String, _ value: String?) throws {
        try commit(nil, .normal) { try $0.setMeta("driver." + key, value) }
    }

    /// Keeps values of the driver by their keys, and marks with them: all or none. Nil takes a value away.
    package func setDriverState(_ values: [(key: String, value: String?)], marks: [SyncMark] = []) throws {
        try commit(nil, .normal) { transaction in
            for (key, value) in values {
                try transaction.setMeta("driver." + key, value)
            }
            for mark in marks { try change(mark) }
        }
    }

    /// What follows `prefix` in the keys under which the driver keeps values, in order.
    package func driverKeys(after prefix: String) throws -> [String] {
        let start = "driver." + prefix
        return try storeErrors {
            let keys = try connection.rows(
                "SELECT substr(\"key\",?2) FROM \"_meta\" WHERE \"key\">=?1 AND \"key\"<?3 ORDER BY 1",
                [.text(start), .integer(Int64(start.unicodeScalars.count) + 1), .text(start + "\u{10FFFF}")])
            return keys.compactMap { $0[0].text }
        }
    }

    /// Removes clean rows that the scope no longer covers: those of which `condition` holds and nothing is unsent.
    ///
    /// No tombstones: the rows come back with a wider scope. Gives how many went.
    @discardableResult
    package func evict(model: String, where condition: PredicateNode) throws -> Int {
        try commit(nil, .normal) { try $0.evict(model: model, where: condition) }
    }
}

extension SyncMark {
    static func stored(_ model: String, on connection: Connection) throws -> SyncMark {
        let rows = try connection.rows(
            """
            SELECT "lastSync","nextToken","startedAt","lastFullSync","scope","epoch" FROM "_mark" WHERE "model"=?
            """, [.text(model)])
        guard let row = rows.first else { return SyncMark(model: model) }
        return SyncMark(
            model: model, lastSync: row[0].integer, nextToken: row[1].text, startedAt: row[2].integer,
            lastFullSync: row[3].integer, scope: row[4].text, epoch: row[5].text)
    }
}
