import Models

/// What the store refuses or cannot do, each with the facts a program needs and a text that says what to do.
public enum StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The store has no such model.
    case unknownModel(String)
    /// A required field holds nothing.
    case missingField(model: String, id: String, field: String)
    /// A field holds a value that its type does not take.
    case invalidField(model: String, id: String, field: String, reason: String)
    /// The record named by a `belongsTo` relation is not here.
    case missingParent(model: String, id: String, field: String, parent: String, parentID: String)
    /// A create-only record was to be changed or deleted.
    case createOnly(model: String, id: String)
    /// The model is only received here; local changes would never leave.
    case downstreamOnly(model: String)
    /// A record with this id was deleted and the id cannot be used again.
    case deleted(model: String, id: String)
    /// The condition of a conditional save or delete did not hold.
    case conditionFailed(model: String, id: String)
    /// The record to be changed is not here.
    case missingRecord(model: String, id: String)
    /// A transaction that goes as one makes more changes than a backend takes at once.
    case transactionTooLarge(Int, limit: Int)
    /// A transaction that goes as one changes a record twice, once of it under a condition.
    case changedTwiceInUnit(model: String, id: String)
    /// A write was tried where only reading is possible.
    case readOnly
    /// The store was closed, or is being cleared.
    case closed
    /// `clear(.refuse)` found changes that were not sent, or `flush` such as nothing but a person lets go.
    case unsentChanges(Int)
    /// `clear(.flush)` could not send everything in time.
    case flushTimedOut(left: Int)
    /// No outbox entry has this number.
    case unknownEntry(Int64)
    /// The outbox entry is being sent, or is not in the state the act needs.
    case entryNotAvailable(Int64, reason: String)
    /// The outbox entry goes as one with these others: it is taken back with them or not at all.
    case partOfUnit(Int64, others: [Int64])
    /// The disk is full; nothing of the transaction was kept.
    case diskFull
    /// Another process holds the store's directory.
    case locked(path: String)
    /// The file was made by a newer version or another program, or does not fit the schema; it was left as it is.
    case unusableDatabase(String)
    /// A stored row does not fit its model.
    case unreadableRow(model: String, id: String, reason: String)
    /// An import could not be read; nothing of it was taken in. The file is named where it was one.
    case invalidImport(file: String? = nil, line: Int, reason: String)
    /// A file to export to or to import from cannot be used; the store is as it was.
    case unusableFile(String)
    /// A condition or a sort names a field that cannot be used so.
    case invalidQuery(String)
    /// The database failed otherwise.
    case database(String)

    /// One line that says what happened and what to do.
    public var description: String {
        switch self {
        case .unknownModel(let model): "the store has no model \(model); check the schema it was opened with"
        case .missingField(let model, let id, let field): "\(model) \(id): \(field) is required; give it a value"
        case .invalidField(let model, let id, let field, let reason): "\(model) \(id): \(field): \(reason)"
        case .missingParent(let model, let id, let field, let parent, let parentID):
            "\(model) \(id): \(field) names \(parent) \(parentID), which is not here; save the \(parent) first"
        case .createOnly(let model, let id):
            "\(model) \(id) exists and \(model) is create-only; add a new record instead of changing this one"
        case .downstreamOnly(let model):
            "\(model) is only received here; change it where it is made"
        case .deleted(let model, let id): "\(model) \(id) was deleted; use a new id"
        case .conditionFailed(let model, let id): "\(model) \(id): the condition does not hold; read it again"
        case .missingRecord(let model, let id): "there is no \(model) \(id) here; save it first"
        case .transactionTooLarge(let count, let limit):
            "the transaction makes \(count) changes, and at most \(limit) go as one; make several of it"
        case .changedTwiceInUnit(let model, let id):
            "\(model) \(id) is changed twice in a transaction that goes as one, once under a condition; make one change of it"
        case .readOnly: "this is a read; use a transaction to write"
        case .closed: "the store is closed or being cleared; open it again"
        case .unsentChanges(let count):
            "\(count) changes were not sent; let them be sent (flush), decide about those that were refused (outbox), or "
                + "give them up (discard)"
        case .flushTimedOut(let left): "\(left) changes could not be sent in time; check the link and try again"
        case .unknownEntry(let order): "the outbox has no entry \(order); list it again"
        case .entryNotAvailable(let order, let reason): "outbox entry \(order): \(reason)"
        case .partOfUnit(let order, let others):
            "outbox entry \(order) goes as one with \(others.prefix(20).map(String.init).joined(separator: ", "))"
                + (others.count > 20 ? " and \(others.count - 20) more" : "")
                + ", and half of a transaction is never sent; take the whole of it back, or nothing"
        case .diskFull: "the disk is full; nothing of this change was kept; make room and try again"
        case .locked(let path): "\(path) is in use by another process; close that one or use another directory"
        case .unusableDatabase(let reason): reason
        case .unreadableRow(let model, let id, let reason):
            "\(model) \(id) cannot be read: \(reason); give its values another form with a schema version "
                + "(StoreOptions.migrations), or clear the store, which fetches it anew"
        case .invalidImport(let file, let line, let reason):
            (file.map { "\($0): " } ?? "") + "line \(line): \(reason)"
        case .unusableFile(let reason): reason
        case .invalidQuery(let reason): "the query is wrong: \(reason)"
        case .database(let reason): "the database failed: \(reason)"
        }
    }
}
