import Basics
import ModelTables
import Models

extension StoreTransaction {
    /// Lets a parked entry be sent again as it is.
    public func retryOutbox(_ order: Int64) throws {
        let core = try writer()
        let entry = try available(order)
        guard entry.state == .parked else { return }
        try whole(isCascade: true) {
            for member in try core.parkedUnit(of: order) where member.order != order { try release(member, core) }
            try release(entry, core)
        }
    }

    private func release(_ entry: OutboxEntry, _ core: StoreCore) throws {
        try connection.run(
            "UPDATE \"_outbox\" SET \"state\"=1, \"reason\"=NULL, \"rounds\"=0 WHERE \"ord\"=?",
            [.integer(entry.order)])
        try core.releaseHeld(by: entry.order)
        core.count(entry.identity) {
            $0.parked -= 1
            $0.queued += 1
        }
    }

    /// Sends other values in place of an entry's; the record here shows them too.
    ///
    /// - Parameter fields: Wire values by field; fields that are not named stay.
    /// - Throws: ``StoreError/createOnly(model:id:)`` for create-only models, whose corrections are new records.
    public func editOutbox(_ order: Int64, fields: JSONObject) throws {
        let core = try writer()
        let entry = try available(order)
        let table = try context.table(entry.model)
        if table.isCreateOnly { throw StoreError.createOnly(model: entry.model, id: entry.id) }
        guard entry.kind != .delete else {
            throw StoreError.entryNotAvailable(order, reason: "a delete has no values; revert it to keep the record")
        }
        for key in fields.keys {
            guard let position = table.model.position(of: key), table.wire.writable.contains(position),
                !table.model.primaryKey.contains(key)
            else {
                throw StoreError.invalidField(
                    model: entry.model, id: entry.id, field: key, reason: "there is no such field to edit")
            }
        }
        if entry.state != .parked, entry.attempts > 0, try !core.companions(of: order).isEmpty {
            // What arrived of its transaction is answered under the old names; the edited part would be a change of its own.
            throw StoreError.entryNotAvailable(
                order, reason: "its transaction may have arrived already; edit it once that is answered")
        }
        if entry.attempts > 0, entry.state != .parked || entry.reason?.includes(BesideRows.schemaReason) == true,
            (entry.fields.members + fields.members).contains(where: { FieldOperation($0.value) != nil })
        {
            // Under a new name it would be carried out once more; what sets a value may be.
            throw StoreError.entryNotAvailable(
                order,
                reason: entry.state == .parked
                    ? "it adds to a value and may have arrived before the schema changed; revert it, and make anew what did not"
                    : "it adds to a value and may have arrived already; edit it once that is answered")
        }
        let old = try table.fetch(entry.id, on: connection)
        let image = try core.serverImage(old, try outbox(model: entry.model, id: entry.id), table, entry.id)
        var edited = entry.fields
        var base = entry.base
        for member in fields.members {
            if entry.kind == .create, member.value.isNull {
                edited[member.key] = nil
            } else {
                edited[member.key] = member.value
            }
            if entry.kind == .update, base[member.key] == nil { base[member.key] = image?[member.key] ?? .null }
        }
        // What the backend has besides is not known while its row is not here.
        try checkValues(edited, over: image, isPart: entry.kind == .update && image == nil, table, entry.id)
        try whole(isCascade: true) {
            for member in try core.parkedUnit(of: order) where member.order != order { try release(member, core) }
            // What was refused did not arrive. What got no answer may have, under its old name: it counts as sent.
            try connection.run(
                """
                UPDATE "_outbox" SET "mutation"=?, "fields"=?, "base"=?, "rounds"=0, "reason"=NULL, \
                "attempts"=CASE "state" WHEN 3 THEN 0 ELSE "attempts" END, \
                "state"=CASE "state" WHEN 3 THEN 1 ELSE "state" END WHERE "ord"=?
                """,
                [
                    .text(random.uuid()), .text(JSONValue.object(edited).text), .text(JSONValue.object(base).text),
                    .integer(order),
                ])
            try core.unhold(order)
            // What was changed after it was changed from what it says now.
            let now = JSONObject(fields.members.map { (key: $0.key, value: $0.value.over(base[$0.key] ?? .null)) })
            try core.moveBases(try outbox(model: entry.model, id: entry.id), after: entry, to: now) { $0.baseVersion }
            if entry.state == .parked {
                try core.releaseHeld(by: order)
                core.count(entry.identity) {
                    $0.parked -= 1
                    $0.queued += 1
                }
            }
            try showWaiting(entry, image, old, table, core)
        }
    }

    func showWaiting(
        _ entry: OutboxEntry, _ image: JSONObject?, _ old: StoreTable.Row?, _ table: StoreTable, _ core: StoreCore
    ) throws {
        let waiting = try outbox(model: entry.model, id: entry.id)
        let shadow = try core.shadow(entry.model, entry.id)
        try core.show(
            core.overlay(image, waiting), old, table, entry.id,
            version: shadow?.version ?? old?.version ?? (entry.kind == .create ? nil : entry.baseVersion),
            lastChangedAt: shadow?.lastChangedAt ?? old?.lastChangedAt)
    }

    func available(_ order: Int64) throws -> OutboxEntry {
        guard let entry = try outboxEntry(order) else { throw StoreError.unknownEntry(order) }
        guard entry.state != .sending else {
            throw StoreError.entryNotAvailable(order, reason: "it is being sent; try again in a moment")
        }
        return entry
    }

    private func checkValues(
        _ fields: JSONObject, over image: JSONObject?, isPart: Bool, _ table: StoreTable, _ id: String
    ) throws {
        do {
            let plain = JSONObject(fields.members.map { (key: $0.key, value: $0.value.over(image?[$0.key] ?? .null)) })
            let values = try table.wire.values(plain, over: try image.map { try table.wire.values($0) })
            if let problem = table.wire.problem(values), !(isPart && problem.isMissing) {
                throw StoreError.invalidField(
                    model: table.model.name, id: id, field: problem.field, reason: problem.reason)
            }
        } catch let error as WireError {
            throw StoreError.invalidField(model: error.type, id: id, field: error.field, reason: error.message)
        }
    }
}
