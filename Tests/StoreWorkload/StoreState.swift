import Basics
import DataStore
import Models
import SQLite
import System

/// What a store holds, as text that can be compared: rows with their versions, what waits, marks, what is kept aside.
package enum StoreState {
    /// Opens a store with the newest schema, migrating it where need be, says what it holds and closes it.
    ///
    /// - Throws: Where it does not open, or is damaged.
    package static func read(_ directory: String) throws -> String {
        let core = try open(directory)
        defer { core.close() }
        let damage = try integrity(directory + "/store.sqlite")
        if !damage.isEmpty { return "damaged: \(damage)" }
        var lines: [String] = []
        try core.read { tx in
            for model in core.schema.models {
                for record in try tx.query(model: model.name).sorted(by: { $0.id < $1.id }) {
                    let state = try tx.syncState(model: model.name, id: record.id)
                    lines.append("\(model.name) \(record.values.map { shown($0) }) \(state)")
                }
            }
            for entry in try tx.outbox() {
                lines.append(
                    "\(entry.kind.name) \(entry.model) \(entry.id) \(entry.state.name) \(entry.fieldsJSON) "
                        + "\(entry.baseVersion ?? 0) \(entry.identity ?? "") \(entry.reason ?? "")")
            }
            lines.append("\(try tx.outboxStatus())")
        }
        for model in core.schema.models { lines.append("\(try core.mark(of: model.name))") }
        lines += try core.quarantined().map { "\($0)" }
        let export = directory + "/unsent.jsonl"
        if Files.exists(export) {
            lines.append("exported \(try Files.readText(export).split(separator: "\n").count)")
        }
        let backup = directory + "/store.sqlite.backup-1"
        if Files.exists(backup) {
            let damage = try integrity(backup)
            if !damage.isEmpty { lines.append("the backup is damaged: \(damage)") }
        }
        return lines.joined(separator: "\n")
    }

    /// Saves, sends and settles on a store that went through something; gives what went wrong.
    package static func goOn(_ directory: String) throws -> String? {
        let core = try open(directory, seed: 77)
        defer { core.close() }
        guard let shelf = core.schema.model("Shelf") else { return "there are no shelves" }
        try core.resetSending()
        try core.write(as: "eve") {
            try $0.save(Record(schema: shelf, values: [.text("new"), .text("N"), .null, .text("here")]))
        }
        var rounds = 0
        while let batch = try core.nextMutations(limit: 50) {
            rounds += 1
            if rounds > 20 { return "what waits is sent without end" }
            try core.settle(
                try batch.entries.map { entry in
                    let record = try core.read { try $0.get(model: entry.model, id: entry.id) }
                    let model = record?.schema ?? shelf
                    let values = record?.values ?? [.text(entry.id)] + model.fields.dropFirst().map { _ in .null }
                    return MutationResult(
                        order: entry.order,
                        outcome: .applied(
                            RemoteRecord(
                                record: Record(schema: model, values: values), version: 9, deleted: record == nil,
                                lastChangedAt: 9000)))
                })
        }
        let left = core.outboxStatus
        if left.queued + left.sending > 0 { return "left in the outbox: \(left)" }
        let state = try core.read { try $0.syncState(model: "Shelf", id: "new") }
        return state == .synced(version: 9) ? nil : "the new record is \(state)"
    }

    private static func open(_ directory: String, seed: UInt64 = 6) throws -> StoreCore {
        try StoreCore(
            schema: WorkloadSchema.second, at: .directory(directory),
            options: Workload.options(WorkloadSchema.versions, seed: seed))
    }

    private static func integrity(_ path: String) throws -> [String] {
        try Connection.open(path: path).integrityProblems()
    }

    /// A value, long texts by their length.
    private static func shown(_ value: Value) -> String {
        if case .text(let text) = value, text.utf8.count > 40 { return "\(text.prefix(10))…\(text.utf8.count)" }
        return "\(value)"
    }
}
