import AppSync
import Basics
import DataStore
import Synchronization
import Transport

/// Callers that wait for a manual sync.
struct ManualWaiters: Sendable {
    var waiting: [Int: CheckedContinuation<SyncResult, Never>] = [:]
    private var next = 1

    mutating func add(_ continuation: CheckedContinuation<SyncResult, Never>) -> Int {
        defer { next += 1 }
        waiting[next] = continuation
        return next
    }
}

/// One session from the store's start to its stop.
///
/// Guard of `@unchecked Sendable`: everything in `inside` is touched on the store's own thread only, where
/// ``SyncPort/enqueue(_:)`` runs its closures; the rest is behind locks.
final class RunningSession: @unchecked Sendable {
    /// What lives on the store's thread.
    private struct Inside {
        var session: SyncSession?
        var exchanges: [Int: RequestInModes] = [:]
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

    /// Tells whoever shows the status that it is another one.
    func statusChanged() { port.emit(.driverStatusChanged) }

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
        case .http(let id, let body, let person, let modes, let personal):
            inside.exchanges[id] = remote.send(
                body, person: person, modes: modes, personal: personal, timeoutMilliseconds: options.requestLimit
            ) { [weak self] in self?.answered(id, $0) }
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
            port.emit(.driverStatusChanged)
        case .event(let event): port.emit(event)
        case .synced(let id, let result): remote.synced(id, result)
        }
    }

    private func answered(_ id: Int, _ result: Result<HTTPResponse, RequestFailure>) {
        port.enqueue { [self] _ in
            guard inside.exchanges.removeValue(forKey: id) != nil else { return }
            switch result {
            case .success(let response):
                remote?.carried(response.body)
                let answer = HTTPAnswer(response)
                remote?.heard(backendTime: answer.serverTime)
                handle(.httpAnswer(id: id, answer))
            case .failure(let failure):
                handle(.httpFailed(id: id, reason: failure.reason, mayHaveArrived: failure.mayHaveArrived))
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
        case .failed(.untrusted(let problem)):
            port.enqueue { [self] _ in
                inside.sockets[socket] = nil
                handle(.socketRefused(socket: socket, reason: problem.description))
            }
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

extension HTTPAnswer {
    /// Takes what a backend or a proxy in between answered; any numbers may be in it.
    init(_ response: HTTPResponse) {
        let wait = response.headers["retry-after"].flatMap { Int64($0) }
        let time = response.headers[HeaderName.now].flatMap { Int64($0) }
        self.init(
            status: response.status, body: response.body,
            retryAfter: wait.map { min(max($0, 0), Self.longestWait) * 1000 },
            serverTime: time.flatMap { Self.times.contains($0) ? $0 : nil })
    }

    /// Nobody is sent away for more than a day, in seconds.
    private static let longestWait: Int64 = 86_400
    /// What a clock can show, in milliseconds: sums of these never overflow.
    private static let times: ClosedRange<Int64> = 0...1_000_000_000_000_000
}
