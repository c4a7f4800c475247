import Models

/// What the store itself finds wrong, told after the commit that it belongs to.
extension StoreCore {
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
                recovery: "edit, retry or revert outbox entry \(entry.order)"))
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
