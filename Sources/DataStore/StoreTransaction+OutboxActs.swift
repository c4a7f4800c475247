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
        // What was refused did not arrive; only a try before that one may have.
        try connection.run(
            "UPDATE \"_outbox\" SET \"state\"=1, \"reason\"=NULL, \"rounds\"=0, \"attempts\"=? WHERE \"ord\"=?",
            [.integer(Int64(entry.wasRefused ? max(entry.attempts - 1, 0) : entry.attempts)), .integer(entry.order)])
        try core.releaseHeld(by: entry.order)
        core.count(entry.identity) {
            $0.parked -= 1
            $0.queued += 1
        }
    }

    /// Sends other values in place of an entry's; the record here shows them too.
    ///
    /// An entry that was sent and not answered may have arrived: it stays as it is, and the other values go as a change that
    /// was made after it, by the same person.
    /// - Parameter fields: Wire values by field; fields that are not named stay.
    /// - Throws: ``StoreError/createOnly(model:id:)`` for create-only models, whose corrections are new records;
    ///   ``StoreError/entryNotAvailable(_:reason:)`` where it cannot be said yet what the other values would stand on.
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
            // A value set now need not be what an operation, which may be carried out yet, is to come on top of.
            throw StoreError.entryNotAvailable(
                order,
                reason: entry.state == .parked
                    ? "it adds to a value and may have arrived before the schema changed; revert it, and make anew what did not"
                    : "it adds to a value and may have arrived already; edit it once that is answered")
        }
        if entry.attempts > 0, entry.state != .parked, entry.condition != nil {
            // By itself the other value would be set whether the condition holds or not; under it, against what arrived.
            throw StoreError.entryNotAvailable(
                order, reason: "it has a condition and may have arrived already; edit it once that is answered")
        }
        let old = try table.fetch(entry.id, on: connection)
        let waiting = try outbox(model: entry.model, id: entry.id)
        let image = try core.serverImage(old, waiting, table, entry.id)
        let edited = try edit(entry, fields, over: image, core)
        // What the backend has besides is not known while its row is not here.
        let values = try checkedValues(
            edited.content.fields, over: image, isPart: edited.content.kind == .update && image == nil, table, entry.id)
        if core.options.checksParents { try core.checkParents(entry.id, values, table) }
        if entry.attempts > 0, entry.state != .parked {
            return try whole(isCascade: true) { try follow(entry, fields, waiting, image, old, table, core) }
        }
        try whole(isCascade: true) {
            for member in try core.parkedUnit(of: order) where member.order != order { try release(member, core) }
            try connection.run(
                """
                UPDATE "_outbox" SET "mutation"=?, "kind"=?, "fields"=?, "base"=?, "version"=?, "rounds"=0, \
                "reason"=NULL, "attempts"=0, "state"=CASE "state" WHEN 3 THEN 1 ELSE "state" END WHERE "ord"=?
                """,
                [
                    .text(random.uuid()), .integer(edited.content.kind.rawValue),
                    .text(JSONValue.object(edited.content.fields).text),
                    .text(JSONValue.object(edited.content.base).text),
                    edited.version.map { .integer($0) } ?? .null, .integer(order),
                ])
            try core.unhold(order)
            // What was changed after it was changed from what it says now.
            let base = edited.content.base
            let now = JSONObject(fields.members.map { (key: $0.key, value: $0.value.over(base[$0.key] ?? .null)) })
            try core.moveBases(try outbox(model: entry.model, id: entry.id), after: entry, to: now) { $0.baseVersion }
            if entry.state == .parked {
                try core.releaseHeld(by: order)
                core.count(entry.identity) {
                    $0.parked -= 1
                    $0.queued += 1
                }
            }
            try showWaiting(entry, image ?? core.beneath(old, waiting, table), old, table, core)
        }
    }

    /// What an entry says with other values in it, and over which version.
    ///
    /// What was refused did not arrive; but a try before that one may have. Where the backend's record is known and has all of
    /// the entry, the other values are a change of that.
    private func edit(
        _ entry: OutboxEntry, _ fields: JSONObject, over image: JSONObject?, _ core: StoreCore
    ) throws -> (content: PendingMutation, version: Int64?) {
        if entry.state == .parked, entry.attempts > 0, let there = try core.shadow(entry.model, entry.id),
            !there.isDeleted, try core.companions(of: entry.order).isEmpty,
            ThreeWay.rebase(fields: entry.fields, base: entry.base, onto: there.object) == .done
        {
            let changed = fields.members.filter { (there.object[$0.key] ?? .null) != $0.value }
            let base = changed.map { (key: $0.key, value: there.object[$0.key] ?? .null) }
            if !changed.isEmpty {
                let content = PendingMutation(kind: .update, fields: JSONObject(changed), base: JSONObject(base))
                return (content, there.version)
            }
        }
        var content = PendingMutation(kind: entry.kind, fields: entry.fields, base: entry.base)
        for member in fields.members {
            if entry.kind == .create, member.value.isNull {
                content.fields[member.key] = nil
            } else {
                content.fields[member.key] = member.value
            }
            if entry.kind == .update, content.base[member.key] == nil {
                content.base[member.key] = image?[member.key] ?? .null
            }
        }
        return (content, entry.baseVersion)
    }

    /// Makes other values a change after an entry that may have arrived: under a new name and on its old version the backend
    /// would take them for a change that knew nothing of the entry.
    private func follow(
        _ entry: OutboxEntry, _ fields: JSONObject, _ waiting: [OutboxEntry], _ image: JSONObject?,
        _ old: StoreTable.Row?, _ table: StoreTable, _ core: StoreCore
    ) throws {
        var changed = JSONObject()
        var base = JSONObject()
        for member in fields.members {
            let before = entry.fields[member.key] ?? (entry.kind == .update ? image?[member.key] : nil) ?? .null
            if member.value == before { continue }
            let isChangedSince = waiting.contains {
                $0.order > entry.order && ($0.kind == .delete || $0.fields[member.key] != nil)
            }
            if isChangedSince {
                throw StoreError.entryNotAvailable(
                    entry.order,
                    reason: "it may have arrived already, and a later change has \(member.key) too; edit that one")
            }
            changed[member.key] = member.value
            base[member.key] = before
        }
        if changed.isEmpty { return }
        if let old {
            let values = try table.wire.values(changed, over: old.values)
            try table.update(entry.id, values, table.wire.differences(old.values, values), on: connection)
            // Told first: what the outbox makes of it may show the backend's record instead.
            core.note(.updated, table, entry.id, values, isLocal: true)
        }
        try core.enqueue(
            .update, table, entry.id, fields: JSONValue.object(changed).bytes, base: JSONValue.object(base).bytes,
            version: old?.version ?? entry.baseVersion, entry.identity)
    }

    /// Shows what waits of a record over what lies beneath it.
    ///
    /// - Parameter beneath: The backend's record; where that is deleted and what waits is unanswered, the row as it was here
    ///   before what waits.
    func showWaiting(
        _ entry: OutboxEntry, _ beneath: JSONObject?, _ old: StoreTable.Row?, _ table: StoreTable, _ core: StoreCore
    ) throws {
        let waiting = try outbox(model: entry.model, id: entry.id)
        let shadow = try core.shadow(entry.model, entry.id)
        let known = old.map(\.version) ?? (entry.kind == .create ? nil : entry.baseVersion)
        // Without a change it would pass for the backend's, which lacks it since it was restored.
        let isLost =
            waiting.isEmpty && shadow == nil && (core.isTakenBack(old?.lastChangedAt) || core.wasMissingThere(entry))
        try core.show(
            core.overlay(beneath, waiting), old, table, entry.id,
            version: isLost ? nil : shadow?.version ?? known,
            lastChangedAt: shadow?.lastChangedAt ?? old?.lastChangedAt)
    }

    func available(_ order: Int64) throws -> OutboxEntry {
        guard let entry = try outboxEntry(order) else { throw StoreError.unknownEntry(order) }
        guard entry.state != .sending else {
            throw StoreError.entryNotAvailable(order, reason: "it is being sent; try again in a moment")
        }
        return entry
    }

    private func checkedValues(
        _ fields: JSONObject, over image: JSONObject?, isPart: Bool, _ table: StoreTable, _ id: String
    ) throws -> [Value] {
        do {
            let plain = JSONObject(fields.members.map { (key: $0.key, value: $0.value.over(image?[$0.key] ?? .null)) })
            let values = try table.wire.values(plain, over: try image.map { try table.wire.values($0) })
            if let problem = table.wire.problem(values), !(isPart && problem.isMissing) {
                throw StoreError.invalidField(
                    model: table.model.name, id: id, field: problem.field, reason: problem.reason)
            }
            return values
        } catch let error as WireError {
            throw StoreError.invalidField(model: error.type, id: id, field: error.field, reason: error.message)
        }
    }
}

extension OutboxEntry {
    /// Whether the backend's answer parked it, to which it was not carried out; a migration parks without any.
    fileprivate var wasRefused: Bool {
        guard state == .parked, let reason else { return false }
        return !reason.includes(BesideRows.schemaReason) && !reason.hasPrefix(BesideRows.unitReason)
    }
}
