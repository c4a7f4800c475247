import Models

/// Something that went wrong behind the scenes, for ``StoreOptions/errorHandler``: what, where, and what can be done.
public struct StoreProblem: Sendable, Hashable, CustomStringConvertible {
    /// What was being done.
    public enum Process: String, Sendable, Hashable, CaseIterable {
        /// Sending a local change.
        case mutate
        /// Fetching what the backend has.
        case sync
        /// Hearing of changes as they happen.
        case subscribe
        /// Keeping what came, or what was answered.
        case store
    }

    /// What kind of trouble it is; the raw values are Amplify's.
    public enum ErrorType: String, Sendable, Hashable, CaseIterable {
        /// This record's content, or what others did to it: the next one may go well.
        case badRecord = "BadRecord"
        /// The schema here and there do not fit together.
        case badModel = "BadModel"
        /// How this store or its backend is set up.
        case configuration = "ConfigError"
        /// It may go well by itself another time.
        case transient = "Transient"
        /// The caller is unknown there, or may not.
        case unauthorized = "Unauthorized"
        /// None of these.
        case unknown = "Unknown"

        /// What a backend's error code means; codes are AppSync's, with or without their long form before a `#`.
        public init(code: String) {
            switch code.split(separator: "#").last.map(String.init) ?? code {
            case "Unauthorized", "UnauthorizedException", "NotAuthorizedException": self = .unauthorized
            case "UnknownModel", "ValidationError", "FieldUndefined": self = .badModel
            case "Unsupported", "UnsupportedOperation", "OperationDisabled": self = .configuration
            case "InternalFailure", "LimitExceededError", "ConflictError", "MaxConflicts", "DeltaSyncWriteError",
                "MaxSubscriptionsReachedError",
                _ where Self.passing.contains { code.includes($0) }:
                self = .transient
            case "BadRequest", "Invalid", "NoRecord", "Unreadable", "ConflictUnhandled",
                _ where code.includes("ConditionalCheckFailed"):
                self = .badRecord
            default: self = .unknown
            }
        }

        /// What the codes of a resolver's own source (`DynamoDB:…`, `Lambda:…`) hold where it was only too busy, or broke
        /// down: the same change may go well later.
        private static let passing = [
            "Throttl", "ThroughputExceeded", "TooManyRequests", "RequestLimitExceeded", "InternalServerError",
            "ServiceUnavailable", "Timeout", "TransactionConflict",
        ]
    }

    /// What a program may want to tell apart, whatever the words.
    public enum Cause: String, Sendable, Hashable, CaseIterable {
        /// The backend's database is another than before: put back from a backup, or made anew.
        case otherBackend
        /// The backend was restored and lacks changes that were made here: they are sent again.
        case lostChanges
        /// The backend was restored and lacks rows that others made: they stay here.
        case lostRows
    }

    /// What was being done.
    public let process: Process
    /// What kind of trouble it is.
    public let errorType: ErrorType
    /// What happened, for a person.
    public let message: String
    /// What a person or the program can do about it, or what happens by itself.
    public let recovery: String
    /// What it comes from, where that has a name of its own.
    public var cause: Cause?
    /// The model, where it is about one.
    public var model: String?
    /// The record's key, where it is about one.
    public var id: String?
    /// What was to be done to the record, where it is about a change.
    public var operation: MutationKind?
    /// The outbox entry, where it is about one: `outbox show`, `retry`, `edit` and `revert` take its `order`.
    public var entry: OutboxEntry?
    /// The record as it is here; nil where it is not, or where it is about none.
    public var local: Record?
    /// The record as the backend is known to have it.
    public var remote: RemoteRecord?

    /// Puts one together.
    public init(
        _ process: Process, _ errorType: ErrorType, cause: Cause? = nil, model: String? = nil, id: String? = nil,
        operation: MutationKind? = nil, entry: OutboxEntry? = nil, local: Record? = nil, remote: RemoteRecord? = nil,
        message: String, recovery: String
    ) {
        self.process = process
        self.errorType = errorType
        self.message = message
        self.recovery = recovery
        self.cause = cause
        self.model = model
        self.id = id
        self.operation = operation
        self.entry = entry
        self.local = local
        self.remote = remote
    }

    /// One line for a person.
    public var description: String {
        let subject = [model, id].compactMap { $0 }.joined(separator: " ")
        return (subject.isEmpty ? "" : subject + ": ") + message + "; " + recovery
    }
}

extension StoreEvent {
    /// The problem that a driver's event tells of; nil where it tells of none. The store's own are told where they arise.
    var driverProblem: StoreProblem? {
        switch self {
        case .paused(let process, let identity, let detail):
            StoreProblem(
                process, .unauthorized,
                message: "the credentials\(identity.map { " of \($0)" } ?? "") are missing or refused: \(detail)",
                recovery: "give the driver others; what waits is kept and sent then")
        case .failure(let problem): problem
        default: nil
        }
    }
}

extension StoreOptions {
    /// Tells of a problem: the handler, or the log where there is none.
    func tell(of problem: StoreProblem) {
        if let errorHandler { errorHandler(problem) } else { log(.error, problem.description) }
    }
}
