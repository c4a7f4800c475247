import AppSync

/// What one request, one answer and one realtime connection may cost, and what may wait.
///
/// The standard values are AppSync's quotas (`appsync-protocol.md` §4.6, §5.4) where it has one.
public struct HubLimits: Sendable, Hashable {
    /// Tokens of a document.
    public var documentTokens = 15_000
    /// How deep fields may nest.
    public var depth = 20
    /// Fields that a document may select with its fragments spread out.
    public var fields = 20_000
    /// Root fields and relations that one request resolves.
    public var resolvers = 10_000
    /// Rows that one request looks at; a page that reaches it ends early, with a token to go on.
    public var rows = 1_000_000
    /// Comparisons and connectives of one filter.
    public var filterParts = 10_000
    /// Those of a mutation's condition, as DynamoDB has it: everybody's commits wait while it is looked at.
    public var conditionParts = 300
    /// How long one request of queries may run.
    public var milliseconds: Int64 = 30_000
    /// Rows that relations look at for the answer of one request of mutations, or for what one connection is told of a
    /// batch of changes: everybody's commits wait meanwhile, so that it is less than for queries.
    public var relatedRows = 10_000
    /// How long they may take for it.
    public var relatedMilliseconds: Int64 = 1_000
    /// Bytes of one answer; a page that reaches it ends early, with a token to go on.
    public var answerBytes = 5 << 20
    /// Bytes of one record, as DynamoDB has it; a larger one is refused.
    public var itemBytes = 400 << 10
    /// Whether `__schema` and `__type` are answered.
    public var allowsIntrospection = true

    /// Subscriptions, and operations under way, of one connection.
    public var subscriptions = 200
    /// Bytes that the documents and variables of one caller's subscriptions may take in memory.
    public var subscriptionBytes = 32 << 20
    /// How long the documents and events of one caller's subscriptions may make commits wait at once, and in all for a
    /// tenth of the time. It is generous: a terminal's documents are read when the hub has just started.
    public var subscriptionMilliseconds: Int64 = 5_000
    /// What the filter of a subscription may hold.
    public var subscriptionFilter = SubscriptionFilterLimits()
    /// Frames that one connection may send at once.
    public var frameBurst = 1_000
    /// Frames that it may send each second afterwards.
    public var framesPerSecond = 100
    /// Bytes of one realtime message.
    public var frameBytes = 240 << 10
    /// How long a connection may take to say who it is.
    public var handshakeMilliseconds: Int64 = 30_000
    /// How long a connection lives.
    public var connectionMilliseconds: Int64 = 24 * 3_600_000

    /// Connections at once; more are closed as they come.
    public var connections = 10_000
    /// How many of them one address may have that is not this machine's own; a whole site may come through one router.
    public var connectionsPerAddress = 512
    /// Bytes of one request's body.
    public var bodyBytes = 8 << 20

    /// Requests that may wait for a commit, and as many that may wait to be read; more are answered with 503.
    public var waitingRequests = 4096
    /// How many of those that wait to be read may be one caller's, which is a key or a person.
    public var waitingReadsPerCaller = 1024
    /// Requests of one commit at most.
    public var requestsPerCommit = 256

    /// The standard limits.
    public init() {}

    /// Bytes after which no further row is written: where pages end, and one more record however its text is escaped. Only
    /// who selects the same fields again and again under other names meets it with less.
    var answerCeiling: Int { answerBytes + 8 * itemBytes }

    /// What an answer is that would have more.
    var answerTooLarge: ResponseError {
        ResponseError(
            "The answer is larger than \(answerBytes) bytes; ask for less at once.", errorType: ErrorType.limitExceeded)
    }

    /// These limits for what is read on the thread that commits: answers of mutations, and events.
    var besideCommits: HubLimits {
        var limits = self
        limits.rows = min(rows, relatedRows)
        limits.milliseconds = min(milliseconds, relatedMilliseconds)
        return limits
    }
}
