import AppSync
import Basics
import DataStore
import Models
import Synchronization
import Transport

/// Synchronises a store with an AppSync backend, ours or another, over HTTP and its realtime WebSocket.
///
/// The shell around ``SyncSession``: the session and its transactions run on the store's own thread, sockets on the
/// link's. Give one to the store that it shall move; it serves one store.
public final class AppSyncDriver: SyncDriver {
    /// The backend's URL.
    public let url: String

    private let address: URLParts
    private let key: String
    private let device: String?
    private let loop: WebSocketLoop
    private let ownsLoop: Bool
    private let client: HTTPClient
    private let options: SyncOptions
    private let log: Log
    private let person: Locked<String?>
    private let scope: Locked<SyncScope>
    private let latest = Locked(SyncStatus())
    private let running = Locked<RunningSession?>(nil)

    /// Prepares a driver; nothing is connected before the store starts it.
    ///
    /// - Parameters:
    ///   - url: the GraphQL endpoint, `http://host:port/graphql`
    ///   - key: the API key; it is sent and never logged
    ///   - device: this device's code, for the hub's owner rules
    ///   - person: who is signed in; see ``setPerson(_:)``
    ///   - loop: a loop to share; else the driver has its own thread
    /// - Throws: `URLParts.ParseError`, or `TransportError` where the link cannot be made at all.
    public init(
        url: String, key: String, device: String?, person: String? = nil, scope: SyncScope = .all,
        loop: WebSocketLoop? = nil, log: Log = .none, configure: (inout SyncOptions) -> Void = { _ in }
    ) throws {
        let address = try URLParts(url)
        self.url = url
        self.address = address
        self.key = key
        self.device = device
        self.log = log
        self.person = Locked(person)
        self.scope = Locked(scope)
        ownsLoop = loop == nil
        self.loop = try loop ?? WebSocketLoop(name: "link")
        client = try HTTPClient(loop: self.loop, origin: address)
        let host = address.host
        var options = SyncOptions { person in
            RealtimeAuthorization(host: host, apiKey: key, person: person, device: device)
        }
        configure(&options)
        self.options = options
    }

    deinit {
        if ownsLoop { loop.stop() }
    }

    /// How synchronising stands.
    public var status: SyncStatus { latest.current }

    /// Says who is signed in: what is fetched and subscribed to is that person's from now on. Entries keep the person
    /// they were made by.
    public func setPerson(_ person: String?) {
        self.person.withLock { $0 = person }
        running.current?.tell(.personChanged(person))
    }

    /// Narrows or widens what is kept here.
    public func setScope(_ scope: SyncScope) {
        self.scope.withLock { $0 = scope }
        running.current?.tell(.scopeChanged(scope))
    }

    /// Tries at once instead of waiting: the network may be back, or the key be accepted now.
    public func tryAgain() { running.current?.tell(.tryAgain) }

    /// Begins to synchronise through a store's port; one that runs is ended first.
    public func start(_ port: SyncPort) async throws {
        var options = options
        options.person = person.current
        options.scope = scope.current
        let session = RunningSession(port: port, options: options, remote: self)
        let previous = running.withLock { running in
            defer { running = session }
            return running
        }
        await previous?.end()
        try await session.begin()
    }

    /// Ends and waits for what is under way; what is unsent stays in the outbox.
    public func stop() async {
        let session = running.withLock { running in
            defer { running = nil }
            return running
        }
        await session?.end()
    }

    /// Says that something waits to be sent.
    public func outboxChanged() { running.current?.outboxChanged() }

    // MARK: What a running session asks for

    fileprivate func took(_ status: SyncStatus) { latest.withLock { $0 = status } }

    fileprivate func send(
        _ body: [UInt8], person: String?, timeoutMilliseconds: Int64,
        _ completion: @escaping @Sendable (Result<HTTPResponse, TransportError>) -> Void
    ) -> HTTPExchange {
        client.send(
            HTTPRequest(path: address.path, query: address.query, headers: headers(person), body: body),
            timeoutMilliseconds: timeoutMilliseconds, completion: completion)
    }

    fileprivate func connect(
        person: String?, _ onEvent: @escaping @Sendable (WebSocketEvent) -> Void
    ) -> WebSocketClient {
        let authorization = options.authorization(person)
        var options = WebSocketClientOptions(realtimeAddress)
        options.subprotocols = [RealtimeAuthorization.subprotocolName, authorization.subprotocol]
        return WebSocketClient(loop: loop, options: options, onEvent: onEvent)
    }

    fileprivate func after(
        _ milliseconds: Int64, _ body: @escaping @Sendable () -> Void, keep: @escaping @Sendable (LoopTimer) -> Void
    ) {
        let loop = loop
        loop.execute { keep(loop.schedule(afterMilliseconds: milliseconds, body)) }
    }

    fileprivate func report(_ text: String) { log(.debug, text) }

    private func headers(_ person: String?) -> HTTPHeaders {
        var fields = [("content-type", "application/json"), (HeaderName.apiKey, key)]
        if let device { fields.append((HeaderName.device, device)) }
        if let person { fields.append((HeaderName.person, person)) }
        return HTTPHeaders(fields)
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

/// One session from the store's start to its stop.
///
/// Guard of `@unchecked Sendable`: everything in `inside` is touched on the store's own thread only, where
/// ``SyncPort/enqueue(_:)`` runs its closures; the rest is behind locks.
private final class RunningSession: @unchecked Sendable {
    /// What lives on the store's thread.
    private struct Inside {
        var session: SyncSession?
        var exchanges: [Int: HTTPExchange] = [:]
        var sockets: [Int: WebSocketClient] = [:]
    }

    private let port: SyncPort
    private let options: SyncOptions
    private weak var remote: AppSyncDriver?
    private var inside = Inside()
    private let hasEnded = Atomic(false)
    private let kickWaits = Atomic(false)
    private let frames = Locked<[Int: [[UInt8]]]>([:])
    private let timer = Locked<LoopTimer?>(nil)

    init(port: SyncPort, options: SyncOptions, remote: AppSyncDriver) {
        self.port = port
        self.options = options
        self.remote = remote
    }

    func begin() async throws {
        try await port.perform { [self] core in
            let session = SyncSession(core: core, options: options) { [unowned self] in act($0) }
            inside.session = session
            session.handle(.start)
        }
    }

    /// Stops the session; when this returns it touches the store no more. A store that was closed has ended it already.
    func end() async {
        try? await port.perform { [self] _ in
            guard !hasEnded.exchange(true, ordering: .relaxed) else { return }
            inside.session?.handle(.stop)
            for exchange in inside.exchanges.values { exchange.cancel() }
            for socket in inside.sockets.values { socket.abort() }
            inside = Inside()
        }
        timer.withLock { timer in
            timer?.cancel()
            timer = nil
        }
    }

    func tell(_ event: SyncEvent) {
        port.enqueue { [self] _ in handle(event) }
    }

    /// Called inside a commit, so the session is told after it; many commits make one word.
    func outboxChanged() {
        guard !kickWaits.exchange(true, ordering: .relaxed) else { return }
        port.enqueue { [self] _ in
            kickWaits.store(false, ordering: .relaxed)
            handle(.localCommit)
        }
    }

    private func handle(_ event: SyncEvent) {
        guard !hasEnded.load(ordering: .relaxed) else { return }
        inside.session?.handle(event)
    }

    /// Does what the session asks for; on the store's thread, and never calls back into the session.
    private func act(_ action: SyncAction) {
        guard let remote else { return }
        switch action {
        case .http(let id, let body, let person):
            inside.exchanges[id] = remote.send(body, person: person, timeoutMilliseconds: options.requestLimit) {
                [weak self] in self?.answered(id, $0)
            }
        case .cancelHTTP(let id): inside.exchanges.removeValue(forKey: id)?.cancel()
        case .openSocket(let socket, let person):
            inside.sockets[socket] = remote.connect(person: person) { [weak self] in self?.heard(socket, $0) }
        case .sendText(let socket, let text): inside.sockets[socket]?.send(text)
        case .closeSocket(let socket): inside.sockets.removeValue(forKey: socket)?.close()
        case .wake(let milliseconds):
            remote.after(milliseconds) { [weak self] in
                self?.tell(.wake)
            } keep: { [weak self] timer in
                self?.timer.withLock { old in
                    old?.cancel()
                    old = timer
                }
            }
        case .status(let status):
            remote.took(status)
            port.emit(.networkStatus(isActive: status.isLive, detail: "\(status.link)"))
        case .event(let event): port.emit(event)
        }
    }

    private func answered(_ id: Int, _ result: Result<HTTPResponse, TransportError>) {
        port.enqueue { [self] _ in
            guard inside.exchanges.removeValue(forKey: id) != nil else { return }
            switch result {
            case .success(let response):
                let retryAfter = response.headers["retry-after"].flatMap { Int64($0) }.map { $0 * 1000 }
                let serverTime = response.headers[HeaderName.now].flatMap { Int64($0) }
                handle(
                    .httpAnswer(
                        id: id,
                        HTTPAnswer(
                            status: response.status, body: response.body, retryAfter: retryAfter,
                            serverTime: serverTime)))
            case .failure(let error): handle(.httpFailed(id: id, reason: "\(error)"))
            }
        }
    }

    /// Takes a socket's event on the link's thread; frames that come while the store is busy go in as one.
    private func heard(_ socket: Int, _ event: WebSocketEvent) {
        switch event {
        case .opened: tell(.socketOpened(socket: socket))
        case .text(let bytes):
            let isFirst = frames.withLock { frames in
                frames[socket, default: []].append(bytes)
                return frames[socket]?.count == 1
            }
            guard isFirst else { return }
            port.enqueue { [self] _ in
                let ready = frames.withLock { $0.removeValue(forKey: socket) ?? [] }
                handle(.socketText(socket: socket, frames: ready))
            }
        case .closed(let code, let reason):
            ended(socket, reason.isEmpty ? "the hub closed the connection (\(code))" : reason)
        case .failed(let error): ended(socket, "\(error)")
        }
    }

    private func ended(_ socket: Int, _ reason: String) {
        port.enqueue { [self] _ in
            inside.sockets[socket] = nil
            handle(.socketClosed(socket: socket, reason: reason))
        }
    }
}
