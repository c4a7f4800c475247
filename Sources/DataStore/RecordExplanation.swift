import Basics
import Models
import SQLite

/// Why a record is here, missing, waiting or parked: everything that the store knows about it.
public struct RecordExplanation: Sendable, Hashable, CustomStringConvertible {
    /// The model's name.
    public let model: String
    /// The record's key.
    public let id: String
    /// Whether there is a row.
    public let isHere: Bool
    /// Where it stands on its way to the backend.
    public let state: SyncState
    /// The backend's version that the row shows or is based on; nil where the backend never confirmed it.
    public let version: Int64?
    /// When the backend last changed it, in the backend's time.
    public let lastChangedAt: DateTime?
    /// Which way the model travels.
    public let policy: SyncPolicy
    /// Its changes that wait, in order.
    public let entries: [OutboxEntry]
    /// What keeps the first of them from being sent now; empty where it may go.
    public let holds: [MutationHold]
    /// The backend's newer version, kept aside until the waiting changes are answered.
    public let asideVersion: Int64?
    /// Whether the backend deleted it while changes of it wait here.
    public let isDeletedThere: Bool
    /// Whether others moved it out of what is kept here while changes of it wait.
    public let hasLeft: Bool
    /// The version under which the backend deleted it.
    public let deletedVersion: Int64?
    /// What came from the backend and could not be understood.
    public let quarantined: UnreadableRecord?
    /// Parents it names that are not here, as `Model key`.
    public let missingParents: [String]
    /// How far the model was fetched.
    public let mark: SyncMark
    /// How many records the scope's limit let come of its model, where the backend has more.
    public let truncatedAt: Int?
    /// Whether nothing is ever fetched into the store.
    public let isLocalOnly: Bool

    /// An entry that must arrive, or be decided, before this record's first one may go: the parent's create.
    public var heldBy: OutboxEntry? {
        for case .parent(let entry) in holds { return entry }
        return nil
    }

    /// Under which key the driver keeps that only a part of a model came.
    package static func truncationKey(of model: String) -> String { truncationPrefix + model }
    package static let truncationPrefix = "truncated."

    /// The answer in sentences, the first the shortest.
    public var lines: [String] {
        var result = [headline]
        if let quarantined { result.append("the backend's row is kept aside: \(quarantined.reason)") }
        for parent in missingParents { result.append("its \(parent) is not here yet") }
        for entry in entries {
            let tries = entry.attempts == 1 ? "once" : "\(entry.attempts) times"
            let tried = entry.attempts == 0 ? "not sent yet" : "sent \(tries)"
            result.append(
                "\(entry.kind.name) \(entry.order) is \(entry.state.name), \(tried)"
                    + (entry.reason.map { ": \($0)" } ?? "") + (entry.identity.map { ", by \($0)" } ?? ""))
        }
        for hold in holds { result.append("it \(hold)") }
        if isDeletedThere {
            result.append("the backend deleted it; it stays until the waiting change is answered")
        } else if hasLeft {
            result.append("others moved it out of what is kept here; it goes once nothing of it waits")
        } else if let asideVersion {
            result.append("the backend's version \(asideVersion) is merged once the waiting changes are answered")
        }
        return result
    }

    private var headline: String {
        switch state {
        case .parked(let reason): return "a change of it was refused and waits for a person: \(reason)"
        case .sending: return "a change of it is being sent"
        case .queued: return "a change of it waits to be sent"
        case .synced(let version): return "the backend has it, as version \(version)"
        case .local: return policy.sends ? "it was made here and nothing of it waits" : "it is kept here only"
        case .unknown:
            if let deletedVersion { return "it is not here: the backend deleted it as version \(deletedVersion)" }
            if quarantined != nil { return "it is not here: what came from the backend could not be understood" }
            if !policy.receives { return "it is not here, and its model is not fetched" }
            if isLocalOnly { return "it is not here, and this store is local only" }
            if mark.nextToken != nil { return "it is not here: its model is still being fetched" }
            if mark.lastSync == nil { return "it is not here: its model was not fetched yet" }
            if let truncatedAt {
                return
                    "it is not here, perhaps for the scope's limit: of its model only \(truncatedAt) records were fetched"
            }
            if mark.scope != nil { return "it is not here: the backend has none in the scope that is fetched" }
            return "it is not here, and was not at the backend when the model was last fetched"
        }
    }

    /// The sentences, one a line.
    public var description: String { (["\(model) \(id)"] + lines.map { "  " + $0 }).joined(separator: "\n") }
}

extension StoreTransaction {
    /// Why a record is here, missing, waiting or parked.
    ///
    /// What only the driver knows is in ``DataStore/explain(model:id:)``.
    public func explain(model: String, id: String) throws -> RecordExplanation {
        try explain(model: model, id: id, SendingKnowledge(retries: core?.retryTimes() ?? [:]))
    }

    func explain(model: String, id: String, _ knowledge: SendingKnowledge) throws -> RecordExplanation {
        try open()
        let table = try context.table(model)
        let row = try table.fetch(id, on: connection)
        let entries = try outbox(model: model, id: id)
        let shadow = try connection.rows(
            "SELECT \"version\",\"deleted\" FROM \"_shadow\" WHERE \"model\"=? AND \"id\"=?", [.text(model), .text(id)]
        ).first
        let buried = try connection.value(
            "SELECT \"version\" FROM \"_tombstone\" WHERE \"model\"=? AND \"id\"=?", [.text(model), .text(id)])
        let strange = try connection.rows(
            "SELECT \"version\",\"json\",\"reason\" FROM \"_quarantine\" WHERE \"model\"=? AND \"id\"=?",
            [.text(model), .text(id)]
        ).first
        return RecordExplanation(
            model: model, id: id, isHere: row != nil, state: try syncState(model: model, id: id), version: row?.version,
            lastChangedAt: row?.lastChangedAt.map { DateTime(milliseconds: $0) }, policy: table.policy,
            entries: entries, holds: try entries.first.map { try holds(of: $0, knowledge) } ?? [],
            asideVersion: shadow?[0].integer, isDeletedThere: shadow?[1].integer == 1, hasLeft: shadow?[1].integer == 2,
            deletedVersion: buried?.integer,
            quarantined: strange.map {
                UnreadableRecord(
                    model: model, id: id, version: $0[0].integer ?? 0, json: $0[1].text ?? "", reason: $0[2].text ?? "")
            }, missingParents: try row.map { try missingParents($0.values, table) } ?? [],
            mark: try SyncMark.stored(model, on: connection),
            truncatedAt: try meta("driver." + RecordExplanation.truncationKey(of: model)).flatMap { Int($0) },
            isLocalOnly: knowledge.isLocalOnly || context.options.isLocalOnly)
    }

    private func missingParents(_ values: [Value], _ table: StoreTable) throws -> [String] {
        try table.parents.compactMap { parent in
            let key = parent.positions.map { values[$0] }
            guard !key.contains(.null), let target = context.tables[parent.target] else { return nil }
            let id = key.map(keyText).joined(separator: "#")
            return try target.contains(id, on: connection) ? nil : "\(parent.target) \(id)"
        }
    }

    /// The creates of records that an entry refers to, while the backend does not have them.
    func holders(of entry: OutboxEntry, _ table: StoreTable) throws -> [OutboxEntry] {
        guard entry.kind != .delete else { return [] }
        let fields = entry.fields
        return try table.parents.compactMap { parent in
            guard let id = table.parentID(parent.positions, in: fields),
                parent.target != entry.model || id != entry.id,
                let create = try outbox(model: parent.target, id: id).first(where: { $0.kind == .create })
            else { return nil }
            return create.state == .parked || create.order < entry.order ? create : nil
        }
    }

    /// The entries that cannot go before this one is decided: later changes of its record, and, where it makes the
    /// record, those that refer to it, and so on.
    public func dependants(of order: Int64) throws -> [OutboxEntry] {
        try open()
        guard let first = try outboxEntry(order) else { throw StoreError.unknownEntry(order) }
        var found: [Int64: OutboxEntry] = [:]
        var waiting = [first]
        while let entry = waiting.popLast() {
            var next = try outbox(model: entry.model, id: entry.id).filter { $0.order > entry.order }
            if entry.kind == .create { next += try referring(to: entry) }
            for other in next where other.order != order && found.updateValue(other, forKey: other.order) == nil {
                waiting.append(other)
            }
        }
        return found.values.sorted { $0.order < $1.order }
    }

    private func referring(to entry: OutboxEntry) throws -> [OutboxEntry] {
        guard let keyField = context.tables[entry.model]?.model.primaryKey.first else { return [] }
        var result: [OutboxEntry] = []
        for table in context.tables.values.sorted(by: { $0.model.name < $1.model.name }) {
            for parent in table.parents where parent.target == entry.model {
                guard let position = parent.positions.first else { continue }
                // Both are in the wire's form, so the first part of the key is compared as it is; the rest is below.
                let orders = try connection.rows(
                    """
                    SELECT "ord" FROM "_outbox" WHERE "model"=? AND "kind"<2 AND \
                    json_extract("fields",?)=json_extract(?,?)
                    """,
                    [
                        .text(table.model.name), .text("$.\"\(table.model.fields[position].name)\""),
                        .text(entry.fieldsJSON), .text("$.\"\(keyField)\""),
                    ])
                for order in orders.compactMap({ $0[0].integer }) {
                    guard let other = try outboxEntry(order) else { continue }
                    if try holders(of: other, table).contains(where: { $0.order == entry.order }) {
                        result.append(other)
                    }
                }
            }
        }
        return result
    }
}

extension DataStore {
    /// Why a record is here, missing, waiting or parked.
    public func explain<M: Model>(_ type: M.Type, id: String) async throws -> RecordExplanation {
        try await explain(model: M.schema.name, id: id)
    }

    /// Why a record is here, missing, waiting or parked.
    public func explain(model: String, id: String) async throws -> RecordExplanation {
        var knowledge = SendingKnowledge(retries: try await writer.perform { $0.retryTimes() })
        knowledge.isLocalOnly = driver == nil
        if let driver { knowledge.maySend = { driver.maySend(as: $0) } }
        return try await read { [knowledge] in try $0.explain(model: model, id: id, knowledge) }
    }
}
