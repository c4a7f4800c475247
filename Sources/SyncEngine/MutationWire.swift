import AppSync
import Basics
import DataStore
import Models

extension OutgoingMutation {
    /// An outbox entry in the wire's terms.
    init(_ entry: OutboxEntry, _ model: ModelSchema, unit: Int64? = nil) {
        let operation: ModelOperation =
            switch entry.kind {
            case .create: .create
            case .update: .update
            case .delete: .delete
            }
        var fieldsJSON = entry.fieldsJSON
        var operations: JSONObject?
        if entry.hasOperations {
            let members = entry.fields.members
            operations = JSONObject(
                members.compactMap { member in
                    FieldOperation(member.value).map { (key: member.key, value: $0.wire) }
                })
            let plain = members.filter { FieldOperation($0.value) == nil }
            fieldsJSON = JSONValue.object(JSONObject(plain)).text
        }
        self.init(
            operation, model, id: entry.id, fieldsJSON: fieldsJSON, version: entry.baseVersion,
            mutationID: entry.mutationID, condition: entry.condition, operations: operations, unit: unit)
        if operation == .update {
            let base = entry.base
            if !base.isEmpty { bases = base }
        }
    }
}

extension RemoteRecord {
    /// A record from the wire.
    init(_ wire: WireRecord) {
        self.init(
            record: wire.record, version: wire.version, deleted: wire.isDeleted, lastChangedAt: wire.lastChangedAt)
    }
}

extension UnreadableRecord {
    /// A row that could not be read.
    init(_ row: QuarantinedRecord) {
        self.init(model: row.model, id: row.id ?? "", version: row.version ?? 0, json: row.text, reason: row.reason)
    }
}

/// What one answer of the backend means for an outbox entry.
enum Verdict {
    case outcome(MutationResult.Outcome)
    /// The record is there already; whether it is ours must be looked up.
    case verify
}

extension MutationAnswer {
    /// Reads the answer to an entry.
    ///
    /// - Parameter knowsIDs: whether the backend knows retries again; if not, a create that is refused because the record
    ///   exists may be our own from before.
    func verdict(
        on entry: OutboxEntry, model: ModelSchema, reader: AnswerReader, schema: Schema, knowsIDs: Bool
    ) -> Verdict {
        switch self {
        case .done(let record): return .outcome(.applied(RemoteRecord(record)))
        case .doneWithoutRecord(nil) where entry.kind == .delete:
            // It was never there, or is gone for good: what was wanted is the case.
            return .outcome(.applied(entry.tombstone(model, schema)))
        case .doneWithoutRecord(nil):
            return .outcome(.refused(code: "NoRecord", message: "the backend gave no record back and no reason"))
        case .doneWithoutRecord(let row?):
            if row.id == entry.id, row.version != nil { return .outcome(.appliedUnreadable(UnreadableRecord(row))) }
            return .outcome(.refused(code: "Unreadable", message: "done, but the answer cannot be read: \(row.reason)"))
        case .missing: return .outcome(.transient(reason: "the backend did not answer this change", delay: 1000))
        case .refused(let errors):
            guard let error = errors.first else {
                return .outcome(.transient(reason: "refused without a reason", delay: 1000))
            }
            return error.verdict(on: entry, model: model, reader: reader, schema: schema, knowsIDs: knowsIDs)
        }
    }
}

extension ResponseError {
    fileprivate func verdict(
        on entry: OutboxEntry, model: ModelSchema, reader: AnswerReader, schema: Schema, knowsIDs: Bool
    ) -> Verdict {
        let theirs = reader.record(of: self, model: model)
        switch errorType {
        case ErrorType.transactionCanceled?:
            // Another of its unit decides what becomes of it.
            return .outcome(.transient(reason: message, delay: 0))
        case ErrorType.otherLife?: return .outcome(.untouched(reason: message))
        case ErrorType.conflictUnhandled?:
            if entry.kind == .delete, let theirs, theirs.isDeleted { return .outcome(.applied(RemoteRecord(theirs))) }
            return .outcome(.conflict(theirs.map { RemoteRecord($0) }))
        case ErrorType.conditionalCheckFailed?, "DynamoDB:ConditionalCheckFailedException"?:
            if entry.kind == .create, !knowsIDs {
                guard let theirs else { return .verify }
                return .outcome(entry.created(theirs, model, schema))
            }
            if entry.kind == .create, let theirs, theirs.isDeleted { return .outcome(entry.refused(by: theirs)) }
            return .outcome(.refused(code: errorType ?? "", message: message))
        default: return .outcome(outcome(for: entry))
        }
    }

    /// Whether a change that this was answered to is tried again, or waits for a person.
    func outcome(for entry: OutboxEntry) -> MutationResult.Outcome {
        let code = errorType ?? "Invalid"
        guard StoreProblem.ErrorType(code: code) == .transient else { return .refused(code: code, message: message) }
        // Doubling with every try, a quarter of an hour at most.
        let delay = Int64(1000) << Int64(min(entry.attempts, 10))
        return .transient(reason: description, delay: min(delay, 900_000))
    }
}

extension OutboxEntry {
    /// What a deleted record is where the backend has none.
    func tombstone(_ model: ModelSchema, _ schema: Schema) -> RemoteRecord {
        var values = [Value](repeating: .null, count: model.fields.count)
        let object = (try? JSONValue(parsing: fieldsJSON))?.object ?? JSONObject()
        for key in model.primaryKey {
            guard let position = model.position(of: key), let part = object[key],
                let value = try? schema.storageValue(of: part, for: model.fields[position], in: model.name)
            else { continue }
            values[position] = value
        }
        if model.primaryKey == ["id"], let position = model.position(of: "id") { values[position] = .text(id) }
        return RemoteRecord(
            record: Record(schema: model, values: values), version: (baseVersion ?? 0) + 1, deleted: true,
            lastChangedAt: 0)
    }

    /// Whether an earlier try of an update may have been carried out.
    var isRepeatedUpdate: Bool { kind == .update && attempts > 0 }

    /// Decides about a create whose record exists at a backend without mutation ids: ours from a try whose answer was
    /// lost, if it holds what was sent, or has been changed since by somebody and nobody else can have made it.
    func created(_ theirs: WireRecord, _ model: ModelSchema, _ schema: Schema) -> MutationResult.Outcome {
        let isChangedOwn = attempts > 0 && !theirs.isDeleted && theirs.version > 1 && hasOwnKey(model)
        return isChangedOwn || isHeld(by: theirs, model, schema)
            ? .applied(RemoteRecord(theirs)) : refused(by: theirs)
    }

    /// Whether nobody else gives a record this key: it is a UUID and nothing that is read off something.
    private func hasOwnKey(_ model: ModelSchema) -> Bool {
        let lengths = id.split(separator: "-", omittingEmptySubsequences: false).map(\.utf8.count)
        return model.primaryKey == ["id"] && lengths == [8, 4, 4, 4, 12]
            && id.utf8.allSatisfy { $0 == UInt8(ascii: "-") || Character(UnicodeScalar($0)).isHexDigit }
    }

    /// Whether a record holds what was sent.
    func isHeld(by theirs: WireRecord, _ model: ModelSchema, _ schema: Schema) -> Bool {
        let sent = (try? JSONValue(parsing: fieldsJSON))?.object ?? JSONObject()
        return !theirs.isDeleted
            && sent.members.allSatisfy { member in
                guard let field = model.field(member.key),
                    let value = try? schema.storageValue(of: member.value, for: field, in: model.name)
                else { return false }
                return theirs.record[member.key] == value
            }
    }

    /// What a create comes to whose id another record has.
    func refused(by theirs: WireRecord) -> MutationResult.Outcome {
        .refused(
            code: ErrorType.conditionalCheckFailed,
            message: theirs.isDeleted ? StoreCore.deletedThereReason : "another record with this id exists")
    }
}
