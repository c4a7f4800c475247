import Models

/// Something that went wrong behind the scenes, for ``StoreOptions/errorHandler``: what, where, and what can be done.
public struct StoreProblem: Sendable, Hashable, CustomStringConvertible {
    /// What was being done.
    public enum Process: String, Sendable, Hashable {
        /// Sending a local change.
        case mutation
        /// Taking in what the backend has.
        case sync
        /// Reaching the backend.
        case connection
    }

    /// What was being done.
    public let process: Process
    /// The model, where it is about one.
    public let model: String?
    /// The record's key, where it is about one.
    public let id: String?
    /// What happened.
    public let cause: String
    /// What a person or the program can do about it.
    public let recovery: String

    /// One line for a person.
    public var description: String {
        let subject = [model, id].compactMap { $0 }.joined(separator: " ")
        return (subject.isEmpty ? "" : subject + ": ") + cause + "; " + recovery
    }
}

extension StoreEvent {
    /// The problem that an event tells of; nil where it tells of none.
    public var problem: StoreProblem? {
        switch self {
        case .parked(let entry):
            StoreProblem(
                process: .mutation, model: entry.model, id: entry.id,
                cause: "the backend refused the \(entry.kind.name): \(entry.reason ?? "no reason given")",
                recovery: "edit, retry or revert outbox entry \(entry.order)")
        case .conflict(let model, let id, let fields):
            StoreProblem(
                process: .mutation, model: model, id: id,
                cause: "another change of \(fields.joined(separator: ", ")) was first and stands",
                recovery: "look at the record and change it again where that is wrong")
        case .quarantined(let record):
            StoreProblem(
                process: .sync, model: record.model, id: record.id,
                cause: "the row cannot be understood: \(record.reason)",
                recovery: "update this program, or mend the row at the backend; it is kept aside and sync goes on")
        case .authenticationNeeded(let identity, let detail):
            StoreProblem(
                process: .connection, model: nil, id: nil,
                cause: "the credentials\(identity.map { " of \($0)" } ?? "") are missing or refused: \(detail)",
                recovery: "sign in again; what waits is kept and sent then")
        case .failure(let text):
            StoreProblem(
                process: .sync, model: nil, id: nil, cause: text,
                recovery: "nothing is lost; it is tried again, and where it stays the log says more")
        default: nil
        }
    }
}
