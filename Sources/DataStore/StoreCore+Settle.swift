import Basics
import Models
import SQLite

extension StoreCore {
    /// How often a change that the backend's merge drops, or that meets a conflict, is sent anew before it is parked.
    package static let roundLimit = 5

    /// Applies the backend's answers in one transaction.
    ///
    /// An answer to an entry that is not being sent any more changes no entry; its record is taken in all the same.
    @discardableResult
    package func settle(_ results: [MutationResult]) throws -> ApplyReport {
        if results.isEmpty { return ApplyReport() }
        return try commit(nil, .full) { _ in
            var report = ApplyReport()
            for result in try wholeUnits(results) {
                let found = try entry(result.order)
                guard let found, found.state == .sending else {
                    if case .applied(let remote) = result.outcome {
                        let table = try context.table(remote.record.schema.name)
                        try apply(remote, table, isDirty: true, &report)
                    }
                    if case .appliedUnreadable(let row) = result.outcome { try quarantine(row, &report) }
                    continue
                }
                guard let table = context.tables[found.model] else {
                    try park(found, "the schema has no \(found.model) any more", .badModel, &report)
                    continue
                }
                switch result.outcome {
                case .applied(let remote): try settle(found, remote, table, &report)
                case .appliedUnreadable(let row): try settle(found, unreadable: row, &report)
                case .conflict(let remote): try resolve(found, remote, table, &report)
                case .refused(let code, let message):
                    if let delay = waitsForAuthor(found, code) {
                        try putBack(found, Self.authorReason, delay, &report)
                        continue
                    }
                    if found.condition != nil, code.includes("ConditionalCheckFailed") {
                        events.append(.conditionalSaveFailed(found))
                    }
                    try park(
                        found, code.isEmpty ? message : "\(code): \(message)", StoreProblem.ErrorType(code: code),
                        &report)
                case .transient(let reason, let delay): try putBack(found, reason, delay, &report)
                case .untouched(let reason):
                    try putBack(found, reason, 0, &report)
                    // This try counts for nothing; of one before it no answer may have come.
                    try connection.run(
                        "UPDATE \"_outbox\" SET \"attempts\"=max(\"attempts\"-1,0) WHERE \"ord\"=?",
                        [.integer(found.order)])
                }
            }
            return report
        }
    }

    func settle(
        _ sent: OutboxEntry, _ remote: RemoteRecord, _ table: StoreTable, _ report: inout ApplyReport
    ) throws {
        let later = try otherEntries(than: sent)
        try keep(sent, confirmedAt: remote.lastChangedAt)
        try removeEntry(sent)
        report.settled += 1
        if isListenedTo {
            events.append(
                .outboxMutationProcessed(model: sent.model, id: sent.id, sent.kind, remote))
        }
        if !remote.deleted, table.wire.problem(remote.record.values, isRemote: true) != nil {
            // The backend has it, in a form that this client does not understand: kept aside, the row stays as it is.
            return try apply(remote, table, isDirty: true, &report)
        }
        if !remote.deleted, let deletion = try deletion(after: remote, table) {
            // Carried out before the record was deleted, and asked for again.
            try rebase(later.first, after: sent, ThreeWay.Answer(), onto: deletion)
            report.updated += 1
            let old = try table.fetch(sent.id, on: connection)
            return try show(deletion, under: try entries(sent.model, sent.id), old, table, sent.id)
        }
        let answer = try compare(sent, remote, table)
        if !answer.overruled.isEmpty {
            try noteConflict(sent, answer.overruled, remote, table)
        }
        if later.isEmpty, answer.dropped.isEmpty, try shadow(sent.model, sent.id) == nil {
            return try replace(remote, table, &report)
        }
        try settle(sent, remote, table, later, answer, &report)
    }

    /// The backend has it, in a form that this client does not understand: kept aside, the row stays as it is, and what
    /// waits behind the change follows it.
    private func settle(_ sent: OutboxEntry, unreadable row: UnreadableRecord, _ report: inout ApplyReport) throws {
        let object = JSONObject(parsing: row.json)
        let changed = object["_lastChangedAt"]?.integer ?? 0
        let later = try otherEntries(than: sent)
        try keep(sent, confirmedAt: changed)
        try removeEntry(sent)
        report.settled += 1
        let image = Shadow(version: row.version, lastChangedAt: changed, isDeleted: false, object: object)
        try rebase(later.first, after: sent, ThreeWay.Answer(), onto: image)
        if later.isEmpty { try removeShadow(sent.model, sent.id) }
        try quarantine(row, &report)
    }

    /// Takes in the answer to the only change that waited: the row is there, in an older version or in this one.
    private func replace(_ remote: RemoteRecord, _ table: StoreTable, _ report: inout ApplyReport) throws {
        let row = StoreTable.Row(
            values: remote.record.values, version: remote.version, lastChangedAt: remote.lastChangedAt)
        let id = remote.record.id
        if !remote.deleted, try table.updateOlder(id, row, on: connection) {
            report.updated += 1
            note(.updated, table, id, row.values, isLocal: false)
        } else {
            try apply(remote, table, isDirty: false, &report)
        }
    }

    private func compare(
        _ sent: OutboxEntry, _ remote: RemoteRecord, _ table: StoreTable
    ) throws -> ThreeWay.Answer {
        if sent.kind == .delete || remote.deleted { return ThreeWay.Answer() }
        if sent.kind == .create {
            // Compared as values: parsing each created record's JSON would cost more than settling it.
            if let values = try? table.wire.values(sent.fields),
                table.wire.writable.allSatisfy({ values[$0] == remote.record.values[$0] })
            {
                return ThreeWay.Answer()
            }
            let object = table.wire.object(remote.record.values)
            let answer = ThreeWay.compare(fields: sent.fields, base: JSONObject(), answer: object)
            return ThreeWay.Answer(dropped: [], overruled: answer.dropped + answer.overruled)
        }
        return ThreeWay.compare(
            fields: sent.fields, base: sent.base, answer: table.wire.object(remote.record.values))
    }

    /// The long way: something else waits for the record, or the backend's merge dropped a part of what was sent.
    func settle(
        _ sent: OutboxEntry, _ remote: RemoteRecord, _ table: StoreTable, _ later: [OutboxEntry],
        _ answer: ThreeWay.Answer, _ report: inout ApplyReport
    ) throws {
        let (model, id) = (sent.model, sent.id)
        let old = try table.fetch(id, on: connection)
        let known = try shadow(model, id)
        var image = Shadow(
            version: remote.version, lastChangedAt: remote.lastChangedAt, isDeleted: remote.deleted,
            object: remote.deleted ? JSONObject() : table.wire.object(remote.record.values))
        // Somebody's later change came by subscription before this answer, or the record was seen to be gone later than
        // this, and that was not lost since with the backend's end.
        if let known, !isTakenBack(known.lastChangedAt),
            known.version > remote.version || (known.isDeleted && known.lastChangedAt >= remote.lastChangedAt)
        {
            image = known
            image.version = max(known.version, remote.version)
        }
        let covered = Set(later.flatMap { $0.fields.members.filter { FieldOperation($0.value) == nil }.map(\.key) })
        let dropped = answer.dropped
        var answer = answer
        answer.dropped.removeAll { field in
            !(image.object[field] ?? .null).stillHolds(sent.base[field] ?? .null, for: sent.fields[field] ?? .null)
        }
        let overruled = dropped.filter { field in
            !answer.dropped.contains(field) && !covered.contains(field)
                && (image.object[field] ?? .null) != (sent.fields[field] ?? .null)
        }
        if !overruled.isEmpty {
            // That change was to a field that the merge had dropped of ours: it stands, and somebody is told.
            try noteConflict(sent, overruled, try self.known(id, table) ?? remote, table)
        }
        try rebase(later.first, after: sent, answer, onto: image)
        let isDeletedLater = later.contains { $0.kind == .delete }
        let again = isDeletedLater ? [] : answer.dropped.filter { !covered.contains($0) }
        if !again.isEmpty { try resend(again, of: sent, before: later, on: image, table, &report) }

        report.updated += 1
        try show(image, under: try entries(model, id), old, table, id)
    }

    /// Puts the change that waits behind a settled one on what the backend has now.
    private func rebase(
        _ next: OutboxEntry?, after sent: OutboxEntry, _ answer: ThreeWay.Answer, onto image: Shadow
    ) throws {
        guard let next, next.state == .queued || next.state == .sealed, next.attempts == 0 else { return }
        switch next.kind {
        case .create: return
        case .delete:
            // Deleted was the record as it was shown here. What others did to it meanwhile nobody has looked at: then the
            // delete keeps its version, so that the backend judges it as any delete of an older state.
            let isUnseen = !answer.overruled.isEmpty || hasUnseen(next, after: sent, image, answer)
            try rewrite(
                next, PendingMutation(kind: .delete, fields: next.fields, base: isUnseen ? next.base : image.object),
                version: isUnseen ? unseenVersion(next, after: sent, image) : image.version)
        case .update:
            var base = next.base
            // What the merge dropped is not another person's change: this one was made over it, and brings it along.
            for field in answer.dropped where base[field] != nil { base[field] = sent.base[field] ?? .null }
            switch ThreeWay.rebase(fields: next.fields, base: base, onto: image.object) {
            case .onto(let fields, let base):
                try rewrite(
                    next, PendingMutation(kind: .update, fields: fields, base: base), version: image.version)
            case .done: try removeEntry(next)
            case .conflict:
                try rewrite(
                    next, PendingMutation(kind: .update, fields: next.fields, base: base),
                    version: unseenVersion(next, after: sent, image))
            }
        }
    }

    /// Whether the backend's record holds something that was not shown here when a delete was made.
    private func hasUnseen(
        _ delete: OutboxEntry, after sent: OutboxEntry, _ image: Shadow, _ answer: ThreeWay.Answer
    ) -> Bool {
        guard !image.isDeleted, let model = schema.model(delete.model) else { return false }
        let shown = delete.base
        return model.fields.contains { field in
            if field.isReadOnly { return false }
            var theirs = image.object[field.name] ?? .null
            // What the merge dropped of our own is no news.
            if answer.dropped.contains(field.name), let ours = sent.fields[field.name] {
                theirs = theirs.taking(ours, over: sent.base[field.name] ?? .null)
            }
            return (shown[field.name] ?? .null) != theirs
        }
    }

    /// The version on which a change was made that has not seen the newest.
    ///
    /// A record that was made here was seen in its first version; what others did to it since was not. Nor was what the
    /// change that is settled now hid when this one was made over it.
    private func unseenVersion(_ next: OutboxEntry, after sent: OutboxEntry, _ image: Shadow) -> Int64 {
        let known = next.baseVersion ?? sent.baseVersion ?? (sent.kind == .create ? 1 : image.version)
        return min(known, max(image.version - 1, 1))
    }

    /// Sends again what the backend's merge dropped, with the version it answered.
    private func resend(
        _ fields: [String], of sent: OutboxEntry, before later: [OutboxEntry], on image: Shadow, _ table: StoreTable,
        _ report: inout ApplyReport
    ) throws {
        var values = JSONObject()
        var base = JSONObject()
        for field in fields {
            let theirs = image.object[field] ?? .null
            let mine = theirs.taking(sent.fields[field] ?? .null, over: sent.base[field] ?? .null)
            values[field] = later.reduce(mine) { value, entry in
                entry.fields[field].flatMap { FieldOperation($0) }?.applied(to: value) ?? value
            }
            base[field] = theirs
        }
        try enqueue(
            .update, table, sent.id, fields: JSONValue.object(values).bytes, base: JSONValue.object(base).bytes,
            version: image.version, sent.identity, rounds: sent.rounds + 1)
        report.requeued += 1
        guard sent.rounds + 1 >= StoreCore.roundLimit, let again = try entries(sent.model, sent.id).last else { return }
        try park(
            again, "the backend's merge dropped \(fields.joined(separator: ", ")) \(sent.rounds + 1) times", .badRecord,
            &report)
    }
}

extension StoreCore {
    /// Puts an entry back that was not decided. It may have arrived, so its content stays.
    private func putBack(
        _ entry: OutboxEntry, _ reason: String, _ delay: Int64, _ report: inout ApplyReport
    ) throws {
        // That it is lost stays known, whatever becomes of this try.
        let text = entry.isLost && !reason.hasPrefix(Self.lostReason) ? "\(Self.lostReason) (\(reason))" : reason
        try connection.run(
            "UPDATE \"_outbox\" SET \"state\"=1, \"reason\"=? WHERE \"ord\"=?", [.text(text), .integer(entry.order)])
        count(entry.identity) {
            $0.sending -= 1
            $0.queued += 1
        }
        if delay > 0 { retryAt[entry.order] = options.time.uptime() + delay }
        report.requeued += 1
    }
}
