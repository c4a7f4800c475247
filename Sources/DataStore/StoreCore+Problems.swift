import Models

/// What the store itself finds wrong, told after the commit that it belongs to.
extension StoreCore {
    /// Keeps a refused entry aside until a person acts; its row stays as it is here.
    func park(
        _ entry: OutboxEntry, _ reason: String, _ errorType: StoreProblem.ErrorType, theirs remote: RemoteRecord? = nil,
        _ report: inout ApplyReport
    ) throws {
        try parkAlone(entry, reason, errorType, theirs: remote, &report)
        if hasUnits { try parkUnit(of: entry, reason, errorType, &report) }
    }

    func parkAlone(
        _ entry: OutboxEntry, _ reason: String, _ errorType: StoreProblem.ErrorType, theirs remote: RemoteRecord? = nil,
        _ report: inout ApplyReport
    ) throws {
        try connection.run(
            "UPDATE \"_outbox\" SET \"state\"=3, \"seal\"=\"ord\", \"reason\"=?, \"tried\"=? WHERE \"ord\"=?",
            [.text(reason), .integer(options.time.now().milliseconds), .integer(entry.order)])
        count(entry.identity) {
            $0.add(-1, entry.state)
            $0.parked += 1
        }
        retryAt[entry.order] = nil
        report.parked += 1
        if let parked = try self.entry(entry.order) { try noteParked(parked, errorType, remote) }
    }

    /// A change waits for a person.
    func noteParked(
        _ entry: OutboxEntry, _ errorType: StoreProblem.ErrorType, _ remote: RemoteRecord?
    ) throws {
        events.append(.parked(entry))
        // None where the schema lacks the model.
        let table = context.tables[entry.model]
        problems.append(
            StoreProblem(
                .mutate, errorType, model: entry.model, id: entry.id, operation: entry.kind, entry: entry,
                local: try table.flatMap { table in
                    try table.fetch(entry.id, on: connection).map { table.record($0.values) }
                }, remote: try remote ?? table.flatMap { try known(entry.id, $0) },
                message: "the \(entry.kind.name) waits: \(entry.reason ?? "no reason given")",
                recovery: entry.wasFoundThere
                    ? "revert outbox entry \(entry.order) to keep the record that the backend has"
                    : "edit, retry or revert outbox entry \(entry.order)"))
    }

    /// Another change of the same fields was first.
    func noteConflict(_ entry: OutboxEntry, _ fields: [String], _ remote: RemoteRecord, _ table: StoreTable) throws {
        events.append(.conflict(model: entry.model, id: entry.id, fields: fields))
        let subject = fields.isEmpty ? "the record" : fields.joined(separator: ", ")
        problems.append(
            StoreProblem(
                .mutate, .badRecord, model: entry.model, id: entry.id, operation: entry.kind, entry: entry,
                local: try table.fetch(entry.id, on: connection).map { table.record($0.values) }, remote: remote,
                message: "another change of \(subject) was first and stands",
                recovery: "look at the record and change it again where that is wrong"))
    }

    /// A row of the backend's cannot be understood.
    func noteQuarantined(_ row: UnreadableRecord) {
        events.append(.quarantined(row))
        problems.append(
            StoreProblem(
                .sync, .badRecord, model: row.model, id: row.id,
                message: "the row cannot be understood: \(row.reason)",
                recovery: "update this program, or mend the row at the backend; it is kept aside and sync goes on"))
    }

    /// A record as the backend is known to have it while changes of it wait here.
    func known(_ id: String, _ table: StoreTable) throws -> RemoteRecord? {
        guard let image = try shadow(table.model.name, id), let values = try? table.wire.values(image.object) else {
            return nil
        }
        return RemoteRecord(
            record: table.record(values), version: image.version, deleted: image.isDeleted,
            lastChangedAt: image.lastChangedAt)
    }
}
