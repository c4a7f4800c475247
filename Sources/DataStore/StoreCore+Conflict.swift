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
        let local = try table.fetch(entry.id, on: connection).map { table.record($0.values) }
        if table.isCreateOnly || entry.kind == .create {
            // Nothing that was only ever added is given up: it is there already, or a person must look.
            let sent = try? table.wire.values(entry.fields)
            if !remote.deleted, let sent,
                table.wire.writable.allSatisfy({ sent[$0] == remote.record.values[$0] })
            {
                return try settle(entry, remote, table, &report)
            }
            return try park(entry, "the backend has another record with this id", .badRecord, theirs: remote, &report)
        }
        switch options.conflictHandler(Conflict(entry: entry, local: local, remote: remote)) {
        case .applyRemote where try unit(of: entry.order) != nil:
            try park(
                entry, "the backend's record differs, and its transaction goes as one or not at all", .badRecord,
                theirs: remote,
                &report)
        case .applyRemote:
            let fields = entry.kind == .delete ? [] : entry.fields.keys
            try noteConflict(entry, fields, remote, table)
            try giveUp(entry, remote, table, &report)
        case .retryLocal: try retry(entry, entry.kind, entry.fields, remote, table, &report)
        case .retry(let record):
            let there = remote.record.values
            let changed = remote.deleted ? [] : table.wire.differences(there, record.values)
            if changed.isEmpty, !remote.deleted { return try giveUp(entry, remote, table, &report) }
            // A delete that is answered with a record is a delete no more.
            try retry(
                entry, .update, JSONObject(parsing: text(table.wire.json(record.values, changed))), remote, table,
                &report)
        }
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

    /// Sends a change again over the backend's record, as a new mutation.
    private func retry(
        _ entry: OutboxEntry, _ kind: MutationKind, _ fields: JSONObject, _ remote: RemoteRecord, _ table: StoreTable,
        _ report: inout ApplyReport
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
                .text(options.random.uuid()), .integer(kind.rawValue), .text(JSONValue.object(fields).text),
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
