import AppSync
import Basics
import DataStore
import Models

/// What a session is told.
public enum SyncEvent: Sendable {
    case start
    case stop
    /// The outbox may hold more than before.
    case localCommit
    case httpAnswer(id: Int, HTTPAnswer)
    /// No answer came; the backend may have done what was asked, or not. Where it cannot have arrived, it was never asked.
    case httpFailed(id: Int, reason: String, mayHaveArrived: Bool = true)
    case socketOpened(socket: Int)
    /// Frames in the order in which they came, as many as were ready.
    case socketText(socket: Int, frames: [[UInt8]])
    case socketClosed(socket: Int, reason: String)
    /// Whoever answered is not the backend: its certificate is refused. Somebody has to do something first.
    case socketRefused(socket: Int, reason: String)
    /// The time that ``SyncAction/wake(afterMilliseconds:)`` asked for is over; too early or too often does no harm.
    case wake
    /// Another person signed in, or nobody is: what is here stays the last one's then.
    case personChanged(String?)
    /// The keys may be accepted now, or the network is back: try again at once.
    case tryAgain
    /// There are other credentials: what was paused goes on, and the connection is made anew under them.
    case credentialsChanged
    /// The same caller has a new token: what is open stays open, what was refused for the old one's end goes on.
    case credentialsRenewed
    case scopeChanged(SyncScope)
    /// The store's policies are others now.
    case policiesChanged
    /// Fetch and send these models now, all for nil, and answer with ``SyncAction/synced(id:_:)``.
    case syncNow(id: Int, models: Set<String>?)
}

/// An HTTP answer as the session needs it.
public struct HTTPAnswer: Sendable {
    /// The status.
    public var status: Int
    /// The body.
    public var body: [UInt8]
    /// What `Retry-After` says, in milliseconds.
    public var retryAfter: Int64?
    /// The backend's clock in milliseconds, where it says it exactly (`x-bincount-now`).
    public var serverTime: Int64?

    /// Puts one together.
    public init(
        status: Int, body: [UInt8], retryAfter: Int64? = nil, serverTime: Int64? = nil
    ) {
        self.status = status
        self.body = body
        self.retryAfter = retryAfter
        self.serverTime = serverTime
    }
}

/// What a session asks for.
public enum SyncAction: Sendable {
    /// POST this body under this person's name and answer with the id. Where `modes` names providers, their credentials
    /// are tried in that order, the next where one is refused as unauthorized. Where it is `personal`, credentials that may
    /// not send in that name are not shown: it then fails as what cannot have arrived.
    case http(id: Int, body: [UInt8], person: String?, modes: [AuthProvider] = [], personal: Bool = false)
    /// The answer is not wanted any more.
    case cancelHTTP(id: Int)
    /// Open a realtime socket under this person's name.
    case openSocket(socket: Int, person: String?)
    case sendText(socket: Int, [UInt8])
    case closeSocket(socket: Int)
    /// Send ``SyncEvent/wake`` after so long; it replaces what was asked for before.
    case wake(afterMilliseconds: Int64)
    case status(SyncStatus)
    /// For the store's readers.
    case event(StoreEvent)
    /// What became of ``SyncEvent/syncNow(id:models:)``.
    case synced(id: Int, SyncResult)
}

/// How a session works.
public struct SyncOptions: Sendable {
    /// What the backend is thought to be until it tells.
    public var profile = RemoteProfile.hub
    /// Which records are kept.
    public var scope = SyncScope.all
    /// Who is signed in.
    public var person: String?
    /// The groups that the key belongs to, where known: what all of a group may read is kept when another person signs in.
    public var groups: Set<String> = []
    /// This device's code, as owner rules with the claim `device` know it: what is its own stays whoever signs in.
    public var device: String?
    /// Rows of a page; AppSync gives at most 1,000.
    public var pageSize = 1000
    /// Milliseconds between two fetches of all changes while nothing is lost.
    public var resyncInterval: Int64 = 300_000
    /// Milliseconds after which a request without an answer counts as lost.
    public var requestLimit: Int64 = 30_000
    /// Requests with mutations under way at a time.
    public var maxInFlight = 2
    /// Models fetched at a time.
    public var pullWindow = 3
    /// Milliseconds for which a backend that does not say so itself remembers deletions: Amplify's 30 days.
    public var tombstoneLifetime: Int64 = 30 * 86_400_000
    /// Which credentials are used for which model.
    public var authModeStrategy = AuthModeStrategy.default
    /// The providers that there are credentials for.
    var availableProviders: @Sendable () -> Set<AuthProvider> = { [] }
    /// What `start` frames carry where a provider is chosen for their model.
    var modeAuthorization: (@Sendable (_ mode: AuthProvider, _ person: String?) -> RealtimeAuthorization)?
    /// The connection's credentials were refused, and there are others to try.
    var connectionRefused: @Sendable () -> Void = {}
    /// The claim of a token that names its person as the backend knows him, where that is another than `sub`: a hub's
    /// `--oidc-person-claim`. Dots lead into objects.
    public var personClaim: String?
    /// Whether the credentials may send what was changed under a name, and fetch for it; what they may not waits for others.
    package var maySend: @Sendable (_ identity: String?) -> Bool = { _ in true }
    /// Why the credentials may not fetch for who is signed in, though they may send his changes; nil where they may.
    var hindrance: @Sendable (_ person: String?) -> String? = { _ in nil }
    /// What the realtime protocol's `start` frames carry as authorisation.
    public var authorization: @Sendable (_ person: String?) -> RealtimeAuthorization

    /// The usual, with the authorisation of every subscription.
    public init(authorization: @escaping @Sendable (_ person: String?) -> RealtimeAuthorization) {
        self.authorization = authorization
    }
}
