import AppSync
import Basics
import DataStore
import Models
import System
import Transport

/// Synchronises a store with an AppSync backend, ours or another, over HTTP and its realtime WebSocket.
///
/// The shell around ``SyncSession``: the session and its transactions run on the store's own thread, sockets on the
/// link's. Give one to the store that it shall move; it serves one store.
public final class AppSyncDriver: SyncDriver {
    /// The backend's URL.
    public let url: String

    let address: URLParts
    let credentials: Locked<DriverCredentials>
    /// Whether the backend is a hub, which renews the tokens that it gave.
    let renewsTokens: Bool
    let renewal = Locked(TokenRenewal())
    let renewalTimer = Locked<LoopTimer?>(nil)
    let renewalTime: any TimeSource
    /// Gets a renewed token, to be kept; on the link's thread.
    let tokenRenewed = Locked<(@Sendable (String) -> Void)?>(nil)
    let lastEnd = Locked<DateTime?>(nil)
    private let manual = Locked<ManualWaiters>(ManualWaiters())
    private let device: String?
    private let loop: WebSocketLoop
    private let ownsLoop: Bool
    let client: HTTPClient
    private let tls: TLSClientContext?
    private let options: SyncOptions
    private let log: Log
    private let person: Locked<String?>
    private let scope: Locked<SyncScope>
    private let latest = Locked(SyncStatus())
    private let carried = Locked(SyncTraffic())
    private let running = Locked<RunningSession?>(nil)

    /// Prepares a driver; nothing is connected before the store starts it.
    ///
    /// - Parameters:
    ///   - url: the GraphQL endpoint, `http://host:port/graphql`
    ///   - key: the API key; it is sent and never logged
    ///   - device: this device's code, for the hub's owner rules
    ///   - person: who is signed in; see ``setPerson(_:)``
    ///   - tls: whom to believe under `https`: a pinned authority, else those that the system trusts
    ///   - loop: a loop to share; else the driver has its own thread
    /// - Throws: `URLParts.ParseError`, or `TransportError` where the link cannot be made at all.
    public convenience init(
        url: String, key: String, device: String?, person: String? = nil, scope: SyncScope = .all,
        tls: TLSClientContext? = nil, loop: WebSocketLoop? = nil, log: Log = .none,
        configure: (inout SyncOptions) -> Void = { _ in }
    ) throws {
        try self.init(
            url: url, credentials: .apiKey(key), device: device, person: person, scope: scope, tls: tls, loop: loop,
            log: log, configure: configure)
    }

    /// Prepares a driver with a key or a token; a token is renewed by itself where `renewing` gives what keeps it.
    ///
    /// - Parameters:
    ///   - renewing: gets each renewed token of our hub; nil leaves renewing to the caller, as for Cognito and OIDC.
    ///   - time: the clock that a token's end is compared with.
    public init(
        url: String, credentials: SyncCredentials, device: String?, person: String? = nil, scope: SyncScope = .all,
        tls: TLSClientContext? = nil, loop: WebSocketLoop? = nil, log: Log = .none,
        configure: (inout SyncOptions) -> Void = { _ in },
        renewing: (@Sendable (String) -> Void)? = nil, time: any TimeSource = SystemTimeSource()
    ) throws {
        let address = try URLParts(url)
        self.url = url
        self.address = address
        let credentials = Locked(DriverCredentials(standard: credentials))
        self.credentials = credentials
        renewsTokens = renewing != nil
        renewalTime = time
        tokenRenewed.withLock { $0 = renewing }
        self.device = device
        self.log = log
        self.person = Locked(person)
        self.scope = Locked(scope)
        ownsLoop = loop == nil
        self.loop = try loop ?? WebSocketLoop(name: "link")
        // Made once: the system's authorities are read from many files.
        let trust = address.isSecure ? try tls ?? .system() : nil
        self.tls = trust
        client = try HTTPClient(loop: self.loop, origin: address, tls: trust)
        let host = address.host
        var options = SyncOptions { person in
            credentials.current.standard.authorization(host: host, person: person, device: device)
        }
        options.modeAuthorization = { mode, person in
            credentials.current.of(mode).authorization(host: host, person: person, device: device)
        }
        options.device = device
        configure(&options)
        options.use(credentials)
        self.options = options
    }

    deinit {
        if ownsLoop { loop.stop() }
    }

    /// How synchronising stands.
    public var status: SyncStatus { latest.current }

    /// When the token ends that the hub renews no more, so that only a PIN helps; nil while it renews it.
    public var signInEnds: DateTime? { lastEnd.current }

    /// Says who is signed in: what is fetched and subscribed to is that person's from now on. Entries keep the person
    /// they were made by.
    ///
    /// Another person lets go of what was here for the one before, unless it is unsent or surely to be read by both: at
    /// once, with a link or without. Nobody (nil) lets go of nothing, across restarts: the one before may come back without
    /// a link. Until somebody is named, models that are read by owner are neither fetched nor heard then, and are among
    /// ``SyncStatus/unfetchedModels``; an app that must not leave them on its disk calls `clear()`.
    ///
    /// While the credentials name other people and not this one, nothing is fetched or heard: ``status`` is paused
    /// then, and says whom they name. A token names its person by `sub`, `username`, `cognito:username` and
    /// `sub::username`; where the backend goes by another claim, ``SyncOptions/personClaim`` says which.
    public func setPerson(_ person: String?) {
        self.person.withLock { $0 = person }
        running.current?.tell(.personChanged(person))
    }

    /// Narrows or widens what is kept here.
    ///
    /// Where the backend cannot be asked for one of its conditions (``SyncScope/keep(_:where:)`` refuses such a one), a
    /// failure is told and the scope before it goes on; a later start throws.
    public func setScope(_ scope: SyncScope) {
        self.scope.withLock { $0 = scope }
        running.current?.tell(.scopeChanged(scope))
    }

    /// Notes when nothing but a PIN helps, and tells whoever shows it.
    func note(signInEnds end: DateTime?) {
        let isNew = lastEnd.withLock { last in
            defer { last = end }
            return last != end
        }
        if isNew { running.current?.statusChanged() }
    }

    func tellOfCredentials() { running.current?.tell(.credentialsChanged) }

    /// The person and his rights are the same: what is open stays open, new subscriptions show the new token.
    func tellOfRenewal() { running.current?.tell(.credentialsRenewed) }

    /// Says that the store has other policies now.
    public func policiesChanged() { running.current?.tell(.policiesChanged) }

    /// Whether what was made under a name can be sent with the credentials there are.
    public func maySend(as identity: String?) -> Bool { options.maySend(identity) }

    /// Fetches and sends these models now, all for nil; a stopped engine says so.
    public func sync(_ models: Set<String>?) async -> SyncResult {
        guard let session = running.current else { return .failed("synchronising is stopped") }
        return await withCheckedContinuation { continuation in
            let id = manual.withLock { $0.add(continuation) }
            session.tell(.syncNow(id: id, models: models))
            // Stopped in between: nobody would answer.
            if running.current !== session { endManual() }
        }
    }

    /// What went over HTTP since this driver was made; bodies only.
    public var traffic: SyncTraffic { carried.current }

    func carried(_ body: [UInt8]) { carried.withLock { $0.bytesReceived += body.count } }

    func synced(_ id: Int, _ result: SyncResult) {
        manual.withLock { $0.waiting.removeValue(forKey: id) }?.resume(returning: result)
    }

    /// Nobody is left waiting when a session ends.
    private func endManual() {
        let waiting = manual.withLock { manual in
            defer { manual.waiting = [:] }
            return manual.waiting
        }
        for continuation in waiting.values { continuation.resume(returning: .failed("synchronising stopped")) }
    }

    /// Tries at once instead of waiting: the network may be back, or the key be accepted now.
    public func tryAgain() { running.current?.tell(.tryAgain) }

    /// Begins to synchronise through a store's port; one that runs is ended first.
    ///
    /// - Throws: `FilterError` where the backend cannot be asked for a condition of the scope.
    public func start(_ port: SyncPort) async throws {
        var options = options
        options.person = person.current
        options.scope = scope.current
        let scope = options.scope
        if let problem = try await port.perform({ scope.problem(in: $0.schema) }) { throw problem.error }
        let session = RunningSession(port: port, options: options, remote: self)
        let previous = running.withLock { running in
            defer { running = session }
            return running
        }
        await previous?.end()
        try await session.begin()
        beginRenewal(credentials.current.standard)
    }

    /// Ends and waits for what is under way; what is unsent stays in the outbox.
    public func stop() async {
        let session = running.withLock { running in
            defer { running = nil }
            return running
        }
        await session?.end()
        endRenewal()
        endManual()
    }

    /// Says that something waits to be sent.
    public func outboxChanged() { running.current?.outboxChanged() }

    // MARK: What a running session asks for

    func took(_ status: SyncStatus) { latest.withLock { $0 = status } }

    func send(
        _ body: [UInt8], person: String?, modes: [AuthProvider], personal: Bool, timeoutMilliseconds: Int64,
        _ completion: @escaping RequestInModes.Completion
    ) -> RequestInModes {
        let request = RequestInModes(modes, completion) { [client, address] mode, completion in
            // Read once: they may be replaced at any moment, and what was looked at must be what is shown.
            let shown = self.credentials.current.of(mode)
            guard !personal || shown.maySend(as: person, claim: self.options.personClaim) else { return nil }
            self.carried.withLock { carried in
                carried.requests += 1
                carried.bytesSent += body.count
            }
            return client.send(
                HTTPRequest(
                    path: address.path, query: address.query, headers: self.headers(shown, person), body: body),
                timeoutMilliseconds: timeoutMilliseconds
            ) { completion($0.mapError(RequestFailure.init)) }
        }
        request.begin()
        return request
    }

    func connect(
        person: String?, _ onEvent: @escaping @Sendable (WebSocketEvent) -> Void
    ) -> WebSocketClient {
        let authorization =
            options.authModeStrategy == .multiAuth
            ? credentials.current.forConnection.authorization(host: address.host, person: person, device: device)
            : options.authorization(person)
        var options = WebSocketClientOptions(realtimeAddress)
        options.tls = tls
        options.subprotocols = [RealtimeAuthorization.subprotocolName, authorization.subprotocol]
        return WebSocketClient(loop: loop, options: options, onEvent: onEvent)
    }

    func after(
        _ milliseconds: Int64, _ body: @escaping @Sendable () -> Void, keep: @escaping @Sendable (LoopTimer) -> Void
    ) {
        let loop = loop
        loop.execute { keep(loop.schedule(afterMilliseconds: milliseconds, body)) }
    }

    func report(_ text: String) { log(.debug, text) }

    func warn(_ text: String) { log(.warning, text) }

    private func headers(_ shown: SyncCredentials, _ person: String?) -> HTTPHeaders {
        HTTPHeaders([("content-type", "application/json")] + shown.headers(person: person, device: device))
    }

    /// AppSync's own hosts have another name for realtime, custom domains another path (`appsync-protocol.md` §4.1).
    private var realtimeAddress: URLParts {
        var result = address
        result.scheme = address.isSecure ? "wss" : "ws"
        if address.host.includes(".appsync-api.") {
            result.host = address.host.replacingAll(".appsync-api.", with: ".appsync-realtime-api.")
        } else {
            result.path += "/realtime"
        }
        return result
    }
}
