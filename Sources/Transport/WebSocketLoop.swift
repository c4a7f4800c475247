import CWebSockets
import Glibc
import Synchronization
import System

/// One thread with one libwebsockets context: all sockets of a server, or those of any number of clients.
///
/// Everything about its sockets happens on this thread, handlers and callbacks too; they must not block. From other
/// threads use `execute` or `run`. It is also an executor, so an actor can live on it.
///
/// libwebsockets gives the poll loop, connecting, listening and (later) TLS. HTTP/1.1 and WebSocket frames are read and
/// written by this module: libwebsockets 4.1 refuses an upgrade whose `Sec-WebSocket-Protocol` is longer than 127 bytes,
/// and AppSync's clients put their authorisation there.
public final class WebSocketLoop: SerialExecutor {
    let core: LoopCore

    /// Starts a loop for clients. `name` (at most 15 bytes are used) shows in `top -H`.
    ///
    /// Host names are looked up elsewhere, so that a name server that is away delays nobody else.
    public convenience init(name: String = "link") throws(TransportError) {
        try self.init(name: name, listener: nil) { _ in }
    }

    /// `prepare` runs before the thread does.
    init(
        name: String, listener: ListenerAddress?, names: NameLookup = NameLookup(), prepare: (LoopCore) -> Void
    ) throws(TransportError) {
        core = try LoopCore(listener: listener, names: names)
        prepare(core)
        let core = core
        startThread(named: name) { core.runThread() }
    }

    deinit {
        core.requestStop()
    }

    /// Closes every connection at once, ends the thread and waits for it, unless called on the loop's own thread.
    ///
    /// Callbacks of what was open are called before it returns. Work that comes later is dropped.
    public func stop() {
        core.requestStop()
        if !isCurrent { core.waitForEnd() }
    }

    /// Whether the caller is on the loop's thread.
    public var isCurrent: Bool { core.isCurrent }

    /// Runs `body` on the loop's thread, after what was queued before; returns false if the loop is stopped.
    @discardableResult
    public func execute(_ body: @escaping @Sendable () -> Void) -> Bool {
        core.add(.closure(body))
    }

    /// Runs `body` on the loop's thread and returns its result.
    public func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            let accepted = execute { continuation.resume(with: Result(catching: body)) }
            if !accepted { continuation.resume(throwing: TransportError.stopped) }
        }
    }

    /// Calls `body` on the loop's thread after a time, once or again and again. Must be called on the loop's thread.
    ///
    /// The timer lives as long as its reference; let it go, or call `cancel()`, to stop it.
    public func schedule(
        afterMilliseconds delay: Int64, repeating: Bool = false, _ body: @escaping @Sendable () -> Void
    ) -> LoopTimer {
        checkIsolated()
        return LoopTimer(core, milliseconds: delay, repeating: repeating, body)
    }

    /// Adds a job of an actor or task. Swift calls this. A job for a stopped loop runs on a thread made for it, so that
    /// its task does not hang.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if core.add(.job(job, self)) { return }
        startThread(named: "late job") { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    /// Traps unless the caller is on the loop's thread; `assumeIsolated` uses it.
    public func checkIsolated() {
        precondition(isCurrent || core.isStopped, "not on the loop's thread")
    }

    /// Whether the caller is on the loop's thread; Swift asks before it traps.
    public func isIsolatingCurrentContext() -> Bool? { isCurrent || core.isStopped }
}

// Guard of @unchecked Sendable: made, fired and cancelled on the loop's thread only; `cancel` and `deinit` hop there.
/// A timer of a loop; see `WebSocketLoop.schedule`.
public final class LoopTimer: @unchecked Sendable {
    private let core: LoopCore
    private let handle: TimerHandle

    init(_ core: LoopCore, milliseconds: Int64, repeating: Bool, _ body: @escaping @Sendable () -> Void) {
        self.core = core
        handle = TimerHandle(core, milliseconds: milliseconds, repeating: repeating, body)
        handle.arm()
    }

    deinit {
        cancel()
    }

    /// Stops it; nothing happens if it has fired.
    public func cancel() {
        let handle = handle
        if core.isCurrent { handle.cancel() } else { core.add(.closure { handle.cancel() }) }
    }
}

// Guard of @unchecked Sendable: touched on the loop's thread only.
/// The part of a timer that libwebsockets points to.
final class TimerHandle: @unchecked Sendable {
    private unowned let core: LoopCore
    private let microseconds: Int64
    private let repeating: Bool
    private var body: (@Sendable () -> Void)?
    private let timer = UnsafeMutablePointer<cws_timer>.allocate(capacity: 1)
    private var armed = false

    init(_ core: LoopCore, milliseconds: Int64, repeating: Bool, _ body: @escaping @Sendable () -> Void) {
        self.core = core
        microseconds = max(1, milliseconds) * 1000
        self.repeating = repeating
        self.body = body
        timer.initialize(to: cws_timer())
    }

    deinit {
        timer.deallocate()
    }

    /// While it is armed libwebsockets' pointer owns a reference.
    func arm() {
        guard let context = core.context else { return }
        if !armed {
            armed = true
            timer.pointee.owner = Unmanaged.passRetained(self).toOpaque()
            core.timers[ObjectIdentifier(self)] = self
        }
        lws_sul_schedule(context, 0, &timer.pointee.sul, timerFired, microseconds)
    }

    func fire() {
        let body = body
        if repeating { arm() } else { disarm() }
        body?()
        core.flushDirty()
    }

    func cancel() {
        body = nil
        guard armed else { return }
        if core.context != nil { lws_sul_cancel(&timer.pointee.sul) }
        disarm()
    }

    private func disarm() {
        guard armed else { return }
        armed = false
        core.timers[ObjectIdentifier(self)] = nil
        Unmanaged.passUnretained(self).release()
    }
}

private func timerFired(_ timer: UnsafeMutablePointer<lws_sorted_usec_list_t>?) {
    // The list entry is the first member of cws_timer, so both have one address.
    guard let timer, let owner = UnsafeMutableRawPointer(timer).assumingMemoryBound(to: cws_timer.self).pointee.owner
    else { return }
    Unmanaged<TimerHandle>.fromOpaque(owner).takeUnretainedValue().fire()
}
