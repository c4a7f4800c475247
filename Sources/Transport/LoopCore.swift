import CWebSockets
import Glibc
import Synchronization
import System

/// Where a server listens.
struct ListenerAddress: Sendable {
    let host: String
    let port: Int
}

/// The thread, the context and the queue behind a `WebSocketLoop`.
// Guard of @unchecked Sendable: `shared` is a mutex, `live` is atomic; everything else is touched before the thread
// starts and then on the loop's thread only.
final class LoopCore: @unchecked Sendable {
    enum Work: Sendable {
        case closure(@Sendable () -> Void)
        case job(UnownedJob, WebSocketLoop)
    }

    // Guard of @unchecked Sendable: lives in the mutex; `wakes` is only passed to lws_cancel_service, which any thread
    // may call, and the semaphores are made to be shared.
    private struct Shared: @unchecked Sendable {
        var queue: [Work] = []
        var wakes: OpaquePointer?
        var woken = false
        var stopping = false
        var ended = false
        var thread: pthread_t?
        var endWaiters: [UnsafeMutablePointer<sem_t>] = []
    }

    private let shared = Mutex(Shared())
    /// Nil once the loop is ending: sockets then only wait to be closed.
    private(set) var context: OpaquePointer?
    private var vhost: OpaquePointer?
    private var interface: UnsafeMutablePointer<CChar>?
    /// The port that is listened on.
    private(set) var port = 0
    /// Makes the owner of an accepted connection.
    var accept: ((Socket) -> (any SocketOwner)?)?
    /// What accepted connections are secured with; nil for plain ones.
    var secures: TLSServerContext?
    var timers: [ObjectIdentifier: TimerHandle] = [:]
    /// Sockets whose connection is being made: libwebsockets does not know all of them.
    var connecting: [ObjectIdentifier: Socket] = [:]
    let names: NameLookup
    /// Sockets with bytes to send at the end of this round.
    private var dirty: [Socket] = []
    /// Where small pieces are put together for one system call.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    /// Where what came under TLS is put when it is readable.
    let plain = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)

    init(listener: ListenerAddress?, names: NameLookup) throws(TransportError) {
        self.names = names
        _ = quietLibrary
        var info = lws_context_creation_info()
        cws_prepare(&info, protocols, Unmanaged.passUnretained(self).toOpaque())
        guard let context = lws_create_context(&info) else {
            throw .cannotListen("a new loop", reason: "libwebsockets cannot be started")
        }
        if let listener {
            let host = listener.host == "localhost" ? "127.0.0.1" : listener.host
            // libwebsockets keeps the pointer; it is given back when the loop has ended.
            if host != "0.0.0.0" && host != "::" { interface = strdup(host) }
            cws_prepare_listener(&info, interface, Int32(listener.port), host.contains(":") ? 1 : 0)
        }
        guard let vhost = lws_create_vhost(context, &info) else {
            lws_context_destroy(context)
            let address = listener.map { "\($0.host):\($0.port)" } ?? "a new loop"
            let reason = listener.map { "\(ListenObstacle($0) ?? .elsewhere)" }
            throw .cannotListen(address, reason: reason ?? "libwebsockets cannot be started")
        }
        port = listener == nil ? 0 : Int(lws_get_vhost_listen_port(vhost))
        self.context = context
        self.vhost = vhost
        shared.withLock { $0.wakes = context }
    }

    deinit {
        scratch.deallocate()
        plain.deallocate()
        free(interface)
    }

    // MARK: From any thread

    var isCurrent: Bool {
        guard let thread = shared.withLock({ $0.thread }) else { return false }
        return pthread_equal(thread, pthread_self()) != 0
    }

    var isStopped: Bool { shared.withLock { $0.ended } }

    @discardableResult
    func add(_ work: Work) -> Bool {
        shared.withLock { shared in
            if shared.ended { return false }
            shared.queue.append(work)
            wake(&shared)
            return true
        }
    }

    /// Runs `body` at once if the caller is on the loop's thread, else soon.
    func perform(_ body: @escaping @Sendable () -> Void) {
        if isCurrent { body() } else { add(.closure(body)) }
    }

    func requestStop() {
        shared.withLock { shared in
            shared.stopping = true
            wake(&shared)
        }
    }

    func waitForEnd() {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        let mustWait = shared.withLock { shared in
            if !shared.ended { shared.endWaiters.append(semaphore) }
            return !shared.ended
        }
        if mustWait { while sem_wait(semaphore) != 0 {} }
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    /// Makes `poll` return. Under the lock, so that the context cannot be destroyed meanwhile.
    private func wake(_ shared: inout Shared) {
        guard !shared.woken, let context = shared.wakes else { return }
        shared.woken = true
        lws_cancel_service(context)
    }

    // MARK: On the loop's thread

    func runThread() {
        let me = pthread_self()
        shared.withLock { $0.thread = me }
        while drain(), let context {
            if lws_service(context, 0) < 0 { break }
            flushDirty()
        }
        finish()
    }

    /// Runs what is queued; false when the loop shall end.
    private func drain() -> Bool {
        let (queue, stopping) = shared.withLock { shared in
            defer { shared.queue = [] }
            shared.woken = false
            return (shared.queue, shared.stopping)
        }
        run(queue)
        return !stopping
    }

    private func run(_ queue: [Work]) {
        for work in queue {
            switch work {
            case .closure(let body): body()
            case .job(let job, let loop): job.runSynchronously(on: loop.asUnownedSerialExecutor())
            }
        }
        flushDirty()
    }

    private func finish() {
        shared.withLock { $0.wakes = nil }
        for timer in Array(timers.values) { timer.cancel() }
        let ending = context
        context = nil
        // Closes every socket; their owners are told through the protocol callback.
        lws_context_destroy(ending)
        for socket in Array(connecting.values) { socket.ended(reason: nil) }
        // What closing queued still runs; then nothing is accepted any more.
        while true {
            let queue = shared.withLock { shared in
                if shared.queue.isEmpty { shared.ended = true }
                defer { shared.queue = [] }
                return shared.queue
            }
            if queue.isEmpty { break }
            run(queue)
        }
        accept = nil
        let waiters = shared.withLock { shared in
            shared.thread = nil
            return shared.endWaiters
        }
        for semaphore in waiters { sem_post(semaphore) }
    }

    func markDirty(_ socket: Socket) {
        dirty.append(socket)
    }

    /// Sends what was queued in this round. Several messages to one socket so become one system call.
    func flushDirty() {
        while !dirty.isEmpty {
            let sockets = dirty
            dirty.removeAll(keepingCapacity: true)
            for socket in sockets { socket.flush() }
        }
    }

    /// Milliseconds that never go back.
    var now: Int64 { Int64(lws_now_usecs()) / 1000 }

    /// Begins a connection; nil when it failed at once. A name instead of an address would make the whole loop wait.
    func connect(_ socket: Socket, address: String, port: Int) -> OpaquePointer? {
        guard let context else { return nil }
        return cws_connect(context, vhost, address, Int32(port), Unmanaged.passUnretained(socket).toOpaque())
    }
}

/// Turns libwebsockets' own logging off, once for the process: it would print headers.
private let quietLibrary: Void = lws_set_log_level(0, nil)

/// The table that libwebsockets keeps pointing to, made once for the process.
// Guard of nonisolated(unsafe): written once here, then only read.
nonisolated(unsafe) private let protocols: UnsafeMutablePointer<lws_protocols> = {
    let table = UnsafeMutablePointer<lws_protocols>.allocate(capacity: 2)
    table.initialize(repeating: lws_protocols(), count: 2)
    table[0].name = cws_protocol_name()
    table[0].callback = socketCallback
    // Above the largest piece that is ever written, so that libwebsockets does not cut it.
    table[0].tx_packet_size = 1 << 20
    return table
}()
