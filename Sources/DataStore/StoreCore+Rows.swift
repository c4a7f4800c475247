import Basics
import Models
import SQLite

/// A server record kept aside while local changes of it wait.
struct Shadow {
    var version: Int64
    var lastChangedAt: Int64
    var isDeleted: Bool
    /// Whether others moved it out of what is kept here: its row goes once nothing of it waits.
    var hasLeft = false
    var object: JSONObject

    /// How ``isDeleted`` and ``hasLeft`` are stored.
    fileprivate var standing: Int64 { isDeleted ? 1 : hasLeft ? 2 : 0 }
}

extension StoreCore {
    func shadow(_ model: String, _ id: String) throws -> Shadow? {
        guard hasShadows else { return nil }
        return try connection.withStatement(StoreSQL.shadow) { statement in
            statement.bind(model, at: 1)
            statement.bind(id, at: 2)
            guard try statement.step() else { return nil }
            return Shadow(
                version: statement.integer(at: 0), lastChangedAt: statement.integer(at: 1),
                isDeleted: statement.integer(at: 2) == 1, hasLeft: statement.integer(at: 2) == 2,
                object: JSONObject(parsing: statement.text(at: 3)))
        }
    }

    func putShadow(_ model: String, _ id: String, _ shadow: Shadow) throws {
        hasShadows = true
        try connection.run(
            "INSERT OR REPLACE INTO \"_shadow\" VALUES(?,?,?,?,?,?)",
            [
                .text(model), .text(id), .integer(shadow.version), .integer(shadow.lastChangedAt),
                .integer(shadow.standing), .text(JSONValue.object(shadow.object).text),
            ])
    }

    func removeShadow(_ model: String, _ id: String) throws {
        guard hasShadows else { return }
        try connection.run("DELETE FROM \"_shadow\" WHERE \"model\"=? AND \"id\"=?", [.text(model), .text(id)])
    }

    func tombstone(_ model: String, _ id: String) throws -> Int64? {
        guard deletions.contains(model) else { return nil }
        return try connection.withStatement(StoreSQL.tombstone) { statement in
            statement.bind(model, at: 1)
            statement.bind(id, at: 2)
            return try statement.step() ? statement.integer(at: 0) : nil
        }
    }

    func removeTombstone(_ model: String, _ id: String) throws {
        try connection.run("DELETE FROM \"_tombstone\" WHERE \"model\"=? AND \"id\"=?", [.text(model), .text(id)])
    }

    func putTombstone(_ model: String, _ id: String, _ version: Int64, _ lastChangedAt: Int64) throws {
        deletions.insert(model)
        try connection.withStatement(StoreSQL.putTombstone) { statement in
            statement.bind(model, at: 1)
            statement.bind(id, at: 2)
            statement.bind(version, at: 3)
            statement.bind(lastChangedAt, at: 4)
            _ = try statement.step()
        }
    }

    /// The backend's deletion of a record later than it was `remote`, as far as it is known here; nil where there was
    /// none. A record that was made anew there may be changed here again.
    func deletion(after remote: RemoteRecord, _ table: StoreTable) throws -> Shadow? {
        let (model, id) = (table.model.name, remote.record.id)
        guard let version = try tombstone(model, id) else { return nil }
        let isOlder = remote.version <= version
        if isOlder, try !isTombstoneVoid(for: remote, table) {
            return Shadow(version: version, lastChangedAt: remote.lastChangedAt, isDeleted: true, object: JSONObject())
        }
        if isOlder || !remote.deleted { try removeTombstone(model, id) }
        return nil
    }

    /// The backend's record as far as it is known here; nil where it has none.
    ///
    /// What was kept aside when it came over local changes, else this row without the changes that wait.
    func serverImage(_ row: StoreTable.Row?, _ entries: [OutboxEntry], _ table: StoreTable, _ id: String) throws
        -> JSONObject?
    {
        if let shadow = try shadow(table.model.name, id) { return shadow.isDeleted ? nil : shadow.object }
        return beneath(row, entries, table)
    }

    /// A row without the changes that wait; nil where the first of them makes it.
    func beneath(_ row: StoreTable.Row?, _ entries: [OutboxEntry], _ table: StoreTable) -> JSONObject? {
        var object = row.map { table.wire.object($0.values) }
        for entry in entries.reversed() {
            switch entry.kind {
            case .create: return nil
            case .delete: object = entry.base
            case .update: for member in entry.base.members { object?[member.key] = member.value }
            }
        }
        return object
    }

    /// The backend's record with the waiting changes over it; nil where the last one deletes it.
    func overlay(_ image: JSONObject?, _ entries: some Sequence<OutboxEntry>) -> JSONObject? {
        var object = image
        for entry in entries {
            switch entry.kind {
            case .create: object = entry.fields
            case .delete: object = nil
            case .update:
                guard let before = object else { continue }
                // Over what those before it make: operations of several add up.
                for member in entry.fields.members { object?[member.key] = entry.shown(member, over: before) }
            }
        }
        return object
    }

    /// Shows what the backend has with what still waits over it; where nothing waits any more it is not kept aside either.
    ///
    /// A record deleted there and changed here stays visible until the backend has answered the change.
    func show(
        _ image: Shadow, under waiting: [OutboxEntry], _ old: StoreTable.Row?, _ table: StoreTable, _ id: String
    ) throws {
        let model = table.model.name
        if waiting.isEmpty { try removeShadow(model, id) } else { try putShadow(model, id, image) }
        if image.isDeleted, waiting.isEmpty { try putTombstone(model, id, image.version, image.lastChangedAt) }
        let isGone = waiting.isEmpty || waiting.contains { $0.kind == .delete }
        let visible =
            image.isDeleted
            ? (isGone ? nil : old.map { table.wire.object($0.values) })
            : image.hasLeft && waiting.isEmpty ? nil : overlay(image.object, waiting)
        try show(visible, old, table, id, version: image.version, lastChangedAt: image.lastChangedAt)
    }

    /// Shows the backend's record that came while changes waited, with those over it that are left: what was here before
    /// them is not what the backend has.
    func showKept(_ table: StoreTable, _ id: String) throws {
        guard let kept = try shadow(table.model.name, id) else { return }
        try show(
            kept, under: try entries(table.model.name, id), try table.fetch(id, on: connection), table, id)
    }

    /// Makes the visible row what `object` says and tells the observers if that is a change.
    func show(
        _ object: JSONObject?, _ old: StoreTable.Row?, _ table: StoreTable, _ id: String, version: Int64?,
        lastChangedAt: Int64?
    ) throws {
        guard let object else {
            guard let old else { return }
            _ = try table.delete(id, on: connection)
            knownParents.removeAll()
            note(.deleted, table, id, old.values, isLocal: false)
            return
        }
        let values: [Value]
        do {
            values = try table.wire.completed(try table.wire.values(object))
        } catch {
            // One record that no longer fits its model must not stop the others: it is kept aside.
            var report = ApplyReport()
            let record = UnreadableRecord(
                model: table.model.name, id: id, version: version ?? 0, json: JSONValue.object(object).text,
                reason: error.description)
            return try quarantine(record, &report)
        }
        let new = StoreTable.Row(values: values, version: version, lastChangedAt: lastChangedAt)
        guard new != old else { return }
        try table.put(id, new, on: connection)
        if new.values != old?.values {
            note(old == nil ? .created : .updated, table, id, new.values, isLocal: false)
        }
    }
}
