import Basics
import Models
import SQLite

extension StoreCore {
    /// The backend did not merge: the handler decides.
    func resolve(
        _ entry: OutboxEntry, _ remote: RemoteRecord?, _ table: StoreTable, _ report: inout ApplyReport
    ) throws {
        guard let remote, remote.deleted || table.wire.problem(remote.record.values, isRemote: true) == nil else {
            return try park(entry, "the backend reports a conflict and no readable record", .badModel, &report)
        }
        if table.isCreateOnly || entry.kind == .create {
            // Nothing that was only ever added is given up: it is there already, or a person must look.
            let sent = try? table.wire.values(entry.fields)
            if !remote.deleted, let sent,
                table.wire.writable.allSatisfy({ sent[$0] == remote.record.values[$0] })
            {
                return try settle(entry, remote, table, &report)
            }
            return try park(entry, Self.foundThereReason, .badRecord, theirs: remote, &report)
        }
        if try standsOn(entry, remote, table, &report) { return }
        let local = try local(entry, remote, table)
        switch options.conflictHandler(Conflict(entry: entry, local: local, remote: remote)) {
        case .applyRemote where try unit(of: entry.order) != nil: try parkPart(entry, remote, &report)
        case .applyRemote:
            if try takesPart(entry, remote, table, &report) { return }
            let fields = entry.kind == .delete ? [] : entry.fields.keys
            try noteConflict(entry, fields, remote, table)
            try giveUp(entry, remote, table, &report)
        case .retryLocal:
            let fields = remote.deleted ? entry.fields : over(table.wire.object(remote.record.values), entry)
            try retry(entry, entry.kind, fields, remote, table, &report)
        case .retry(let record):
            if let problem = problem(of: record, inPlaceOf: entry, table) {
                return try park(
                    entry, "the conflict handler's record cannot be sent: \(problem)", .badRecord, theirs: remote,
                    &report)
            }
            let fields = changes(to: record, of: entry, local, remote, table)
            if fields.isEmpty, !remote.deleted {
                // Without it the others of its transaction would be half of that.
                if try unit(of: entry.order) != nil { return try parkPart(entry, remote, &report) }
                return try giveUp(entry, remote, table, &report)
            }
            // A delete that is answered with a record is a delete no more.
            try retry(entry, .update, fields, remote, table, &report)
        }
    }

    /// Why a create is parked that meets a record.
    static let foundThereReason = "the backend has another record with this id"
    /// What a create is refused with that meets a deleted record, at a backend that makes none anew.
    package static let deletedThereReason = "a record with this id was deleted; use a new id"

    private func parkPart(_ entry: OutboxEntry, _ remote: RemoteRecord, _ report: inout ApplyReport) throws {
        try park(
            entry, "the backend's record differs, and its transaction goes as one or not at all", .badRecord,
            theirs: remote, &report)
    }

    /// What makes the backend's record a handler's. What the handler left as the entry's operation makes it, or as it is there, stays
    /// that operation: as a value it would take away what others do to the field until it arrives.
    private func changes(
        to record: Record, of entry: OutboxEntry, _ local: Record?, _ remote: RemoteRecord, _ table: StoreTable
    ) -> JSONObject {
        if remote.deleted { return JSONObject() }
        let changed = table.wire.differences(remote.record.values, record.values)
        var fields = JSONObject(parsing: text(table.wire.json(record.values, changed)))
        guard entry.hasOperations, let local else { return fields }
        for (name, value) in entry.fields.members where FieldOperation(value) != nil {
            // A handler that begins with the backend's record has said nothing of it either.
            if record[name] == local[name] || record[name] == remote.record[name] { fields[name] = value }
        }
        return fields
    }

    /// What an update sets, put on the backend's record: of an embedded value what it changes, and the rest as it is there.
    private func over(_ there: JSONObject, _ entry: OutboxEntry) -> JSONObject {
        guard entry.kind == .update else { return entry.fields }
        let base = entry.base
        var fields = entry.fields
        for (name, value) in fields.members where FieldOperation(value) == nil {
            fields[name] = (there[name] ?? .null).taking(value, over: base[name] ?? .null)
        }
        return fields
    }

    /// What keeps a handler's record from being sent in place of an entry's.
    private func problem(of record: Record, inPlaceOf entry: OutboxEntry, _ table: StoreTable) -> String? {
        guard record.schema.name == entry.model, record.values.count == table.model.fields.count else {
            return "it is one of \(record.schema.name) and not of \(entry.model)"
        }
        // Before its key: only values of the right types make one.
        if let problem = table.wire.problem(record.values) {
            return "\(entry.model).\(problem.field): \(problem.reason)"
        }
        let id = table.record(record.values).id
        return id == entry.id ? nil : "it is \(printable(id)) and not \(printable(entry.id))"
    }

    /// The backend's record with a change in it, and nothing else: what waits behind the change goes by itself, and what
    /// others did to other fields is not this change's to undo. Nil for a delete; where the backend has deleted it, as it is
    /// here.
    private func local(_ entry: OutboxEntry, _ remote: RemoteRecord, _ table: StoreTable) throws -> Record? {
        if entry.kind == .delete { return nil }
        if !remote.deleted {
            let there = table.wire.object(remote.record.values)
            let fields = over(there, entry).members.map { member in
                (key: member.key, value: member.value.over(there[member.key] ?? .null))
            }
            if let values = try? table.wire.values(JSONObject(fields), over: remote.record.values) {
                return table.record(values)
            }
        }
        return try table.fetch(entry.id, on: connection).map { table.record($0.values) }
    }

    /// Only what others did to the same fields is a conflict: an update is put on the backend's record as one that was never
    /// sent is when a newer record comes.
    ///
    /// One that was tried before kept its content and its version, since it may have arrived; so did one that a restored
    /// backend lost, on which others built since. A conflict tells what became of it: the record has all of it, or (at a
    /// backend that knows mutations again) nothing of it was carried out.
    private func standsOn(
        _ entry: OutboxEntry, _ remote: RemoteRecord, _ table: StoreTable, _ report: inout ApplyReport
    ) throws -> Bool {
        guard !remote.deleted else { return false }
        let isFirstTry = entry.attempts <= 1 && !entry.isLost
        let there = table.wire.object(remote.record.values)
        if entry.kind == .delete {
            // Of one without a version the backend could not say what it has against it.
            if isFirstTry, entry.baseVersion != nil { return false }
            let shown = entry.base
            let isSame = table.wire.writable.allSatisfy { position in
                let name = table.model.fields[position].name
                return (shown[name] ?? .null) == (there[name] ?? .null)
            }
            guard isSame, life != nil else { return false }
            try retry(entry, .delete, entry.fields, remote, table, keepsName: true, &report)
            return true
        }
        switch ThreeWay.rebase(fields: entry.fields, base: entry.base, onto: there) {
        // Nobody judged its condition.
        case .done where isFirstTry && entry.condition != nil: return false
        case .done: try settle(entry, remote, table, &report)
        case .onto(let fields, _) where life != nil || isFirstTry:
            try retry(entry, .update, fields, remote, table, keepsName: true, &report)
        case .onto, .conflict: return false
        }
        return true
    }

    /// What nobody contests of a change goes again where the backend's record stands: its operations, which commute with
    /// what others did. Of a change that the backend had taken and lost, all that nobody else changed since. False where
    /// nothing of it is left.
    private func takesPart(
        _ entry: OutboxEntry, _ remote: RemoteRecord, _ table: StoreTable, _ report: inout ApplyReport
    ) throws -> Bool {
        guard entry.kind == .update, !remote.deleted, entry.isLost || entry.hasOperations else { return false }
        let contested: [String]
        let rest: JSONObject
        let there = table.wire.object(remote.record.values)
        if entry.isLost {
            guard
                case .conflict(let fields, let others) = ThreeWay.rebase(
                    fields: entry.fields, base: entry.base, onto: there)
            else { return false }
            (contested, rest) = (fields, others)
        } else {
            rest = JSONObject(entry.fields.members.filter { FieldOperation($0.value) != nil })
            contested = entry.fields.keys.filter { rest[$0] == nil }
        }
        if rest.isEmpty { return false }
        if !contested.isEmpty { try noteConflict(entry, contested, remote, table) }
        try retry(entry, .update, rest, remote, table, &report)
        return true
    }

    private func giveUp(
        _ entry: OutboxEntry, _ remote: RemoteRecord, _ table: StoreTable, _ report: inout ApplyReport
    ) throws {
        let later = try otherEntries(than: entry)
        try removeEntry(entry)
        report.settled += 1
        if later.isEmpty, try shadow(entry.model, entry.id) == nil {
            // The row may show this version already, with the local change over it.
            let old = try table.fetch(entry.id, on: connection)
            if remote.deleted {
                try putTombstone(entry.model, entry.id, remote.version, remote.lastChangedAt)
            }
            try show(
                remote.deleted ? nil : table.wire.object(remote.record.values), old, table, entry.id,
                version: remote.version, lastChangedAt: remote.lastChangedAt)
            return
        }
        try settle(entry, remote, table, later, ThreeWay.Answer(), &report)
    }

    /// Sends a change again over the backend's record; as a new mutation, unless nobody decided anything anew.
    private func retry(
        _ entry: OutboxEntry, _ kind: MutationKind, _ fields: JSONObject, _ remote: RemoteRecord, _ table: StoreTable,
        keepsName: Bool = false, _ report: inout ApplyReport
    ) throws {
        guard entry.rounds + 1 < StoreCore.roundLimit else {
            return try park(
                entry, "conflicts \(entry.rounds + 1) times; look at it and retry", .badRecord, theirs: remote, &report)
        }
        guard !remote.deleted else {
            return try park(entry, "the backend has deleted the record", .badRecord, theirs: remote, &report)
        }
        let there = table.wire.object(remote.record.values)
        var base = JSONObject()
        if kind == .delete {
            base = there
        } else {
            for field in fields.keys { base[field] = there[field] ?? .null }
        }
        try connection.run(
            """
            UPDATE "_outbox" SET "state"=1, "mutation"=?, "kind"=?, "fields"=?, "base"=?, "version"=?, "rounds"="rounds"+1, \
            "attempts"=0 WHERE "ord"=?
            """,
            [
                .text(keepsName ? entry.mutationID : options.random.uuid()), .integer(kind.rawValue),
                .text(JSONValue.object(fields).text),
                .text(JSONValue.object(base).text), .integer(remote.version), .integer(entry.order),
            ])
        count(entry.identity) {
            $0.sending -= 1
            $0.queued += 1
        }
        report.requeued += 1
        let old = try table.fetch(entry.id, on: connection)
        try putShadow(
            entry.model, entry.id,
            Shadow(version: remote.version, lastChangedAt: remote.lastChangedAt, isDeleted: false, object: there))
        try show(
            overlay(there, try entries(entry.model, entry.id)), old, table, entry.id, version: remote.version,
            lastChangedAt: remote.lastChangedAt)
    }
}

extension OutboxEntry {
    /// Whether the backend had taken it and lost it with a restore.
    var isLost: Bool { reason?.hasPrefix(StoreCore.lostReason) ?? false }
}
