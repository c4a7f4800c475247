/// How much a driver has asked for and got, for measurements.
public struct SyncTraffic: Sendable, Hashable {
    /// Requests that were sent.
    public var requests = 0
    /// Bytes of their bodies.
    public var bytesSent = 0
    /// Bytes of their answers' bodies.
    public var bytesReceived = 0

    /// Nothing yet.
    public init() {}
}

/// How synchronising stands, for a badge and for the supervisor's eyes.
public struct SyncStatus: Sendable, Hashable {
    /// The link.
    public enum Link: Sendable, Hashable {
        /// Not started.
        case stopped
        /// Being built up.
        case connecting
        /// Changes arrive by themselves.
        case live
        /// Lost; it is tried again by itself.
        case down(reason: String)
        /// The backend refuses the credentials, or they are another person's than who is signed in; it needs others.
        case paused(reason: String)
    }

    /// How much of a fetch is done.
    public struct Progress: Sendable, Hashable {
        /// Models that are complete.
        public var modelsDone = 0
        /// Models in all.
        public var modelsTotal = 0
        /// Rows that arrived since this fetch began.
        public var rows = 0
        /// How many rows the backend says it has to give, by model; models that it does not say it of are missing.
        public var expectedRows: [String: Int] = [:]
        /// The uptime in milliseconds at which the fetch began.
        public var startedAt: Int64 = 0
        /// Milliseconds that the models under way will still take at the pace so far; nil where the backend does not say
        /// how much is left of them.
        public var remainingMilliseconds: Int64?

        /// Works out ``remainingMilliseconds``.
        mutating func estimate(now: Int64) {
            let expected = expectedRows.values.reduce(0, +)
            guard rows > 0, expected >= rows, now > startedAt else {
                remainingMilliseconds = nil
                return
            }
            remainingMilliseconds = Int64(Double(expected - rows) * Double(now - startedAt) / Double(rows))
        }
    }

    /// The link.
    public var link: Link = .stopped
    /// The uptime in milliseconds at which it became so.
    public var linkSince: Int64 = 0
    /// The uptime in milliseconds at which the backend was last heard of; nil if never since the start.
    public var lastContact: Int64?
    /// Entries that wait or are being sent.
    public var unsent = 0
    /// Entries that were refused and wait for a person.
    public var parked = 0
    /// The fetch under way; nil when everything is here.
    public var progress: Progress?
    /// Whether everything was fetched once since the start, but for ``deniedModels`` and ``unfetchedModels``.
    public var isComplete = false
    /// Models that the backend does not give to this caller.
    public var deniedModels: Set<String> = []
    /// Models that the last round could not fetch: the backend gave an error, their scope is none that it can be asked
    /// for, or they are another's whom nobody has followed yet. What is here of them may be old, also where a live query
    /// calls it synced.
    public var unfetchedModels: Set<String> = []
    /// Models of which the backend has more than the scope's limit let come.
    public var truncatedModels: Set<String> = []
    /// How often changes were missed for so long that a model had to be compared as a whole, since the start.
    public var gaps = 0
    /// Rows that came and could not be read, since the start.
    public var quarantined = 0
    /// The backend's clock minus this device's, in milliseconds; nil before it was measured.
    public var clockOffsetMilliseconds: Int64?

    /// Nothing known.
    public init() {}

    /// Whether the link is up.
    public var isLive: Bool { link == .live }
    /// Why it is paused; nil where it is not.
    public var pausedReason: String? { if case .paused(let reason) = link { reason } else { nil } }
}
