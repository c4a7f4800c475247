import DataStore

/// Something about synchronising that a person or a program should know, with what helps: what an error handler gets.
public struct SyncProblem: Sendable, Hashable, CustomStringConvertible {
    /// What was being done.
    public enum Process: String, Sendable, Hashable, CaseIterable {
        /// Sending a change.
        case push
        /// Fetching a model.
        case pull
        /// Hearing of changes as they happen.
        case subscribe
        /// Being let in.
        case authenticate
        /// Keeping what came, or what was answered.
        case store
    }

    /// What was being done.
    public let process: Process
    /// The model it was about.
    public var model: String?
    /// The record it was about.
    public var id: String?
    /// The outbox entry it was about, for `outbox show`, `retry`, `edit` and `revert`.
    public var entry: Int64?
    /// What happened.
    public let message: String
    /// What to do, or what happens by itself.
    public let recovery: String

    /// Puts one together.
    public init(
        _ process: Process, model: String? = nil, id: String? = nil, entry: Int64? = nil, message: String,
        recovery: String
    ) {
        self.process = process
        self.model = model
        self.id = id
        self.entry = entry
        self.message = message
        self.recovery = recovery
    }

    /// One line.
    public var description: String { "\(message); \(recovery)" }
}

extension SyncSession {
    /// Tells of a problem: the handler, and the readers of the store's events.
    func tell(of problem: SyncProblem) {
        options.errorHandler?(problem)
        perform(.event(.failure(problem.description)))
    }

    /// Tells the handler of changes that the backend refused for good; the store tells its readers itself.
    func tellOfRefusals(_ results: [MutationResult], _ entries: [OutboxEntry]) {
        guard let handler = options.errorHandler else { return }
        for result in results {
            guard case .refused(let code, let message) = result.outcome,
                let entry = entries.first(where: { $0.order == result.order })
            else { continue }
            handler(
                SyncProblem(
                    .push, model: entry.model, id: entry.id, entry: entry.order,
                    message: code.isEmpty ? message : "\(code): \(message)",
                    recovery: "it is parked; look at it, then retry, edit or revert it"))
        }
    }

    func tellOfRefusedCredentials(_ reason: String) {
        options.errorHandler?(
            SyncProblem(
                .authenticate, message: reason,
                recovery: "give the driver other credentials; what waits stays as it is until then"))
        perform(.event(.authenticationNeeded(identity: options.person, detail: reason)))
    }
}
