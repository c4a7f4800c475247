import Glibc

/// One thread that runs jobs in the order in which they come.
///
/// An actor whose `unownedExecutor` is a `ThreadExecutor` always runs on that thread, so it may block there (SQLite,
/// fsync) without taking a thread from Swift's pool, which has only one per core.
public final class ThreadExecutor: SerialExecutor {
    private let name: String
    private let shared: Shared

    /// Starts the thread; `name` (at most 15 bytes are used) shows in `top -H` and in debuggers.
    public init(name: String) {
        self.name = name
        shared = Shared()
    }

    deinit {
        // Queued work holds a reference to its executor, so nothing can be waiting here; the thread ends by itself.
        shared.finish()
    }

    /// Adds a job of an actor or task. Swift calls this.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        add(.job(job, self))
    }

    /// Runs `body` on the thread, after everything queued before it.
    public func async(_ body: @escaping @Sendable () -> Void) {
        add(.closure(body))
    }

    /// Runs `body` on the thread and returns what it returns.
    public func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            async { continuation.resume(with: Result(catching: body)) }
        }
    }

    /// Runs `body` on the thread and waits for it, blocking the caller. Not for tasks of Swift's pool.
    public func runBlocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) throws -> R {
        if isCurrent { return try body() }
        let box = ResultBox<R>()
        async { box.set(Result(catching: body)) }
        return try box.wait().get()
    }

    /// Whether the caller is on this executor's thread.
    public var isCurrent: Bool { shared.isCurrent }

    /// Traps unless the caller is on this executor's thread; `assumeIsolated` uses it.
    public func checkIsolated() {
        precondition(isCurrent, "not on the thread \(name)")
    }

    /// Whether the caller is on this executor's thread; Swift asks before it traps.
    public func isIsolatingCurrentContext() -> Bool? { isCurrent }

    /// Lets what is queued run, then ends the thread and waits for its end.
    ///
    /// Work that still comes later is not lost: it starts the thread again for as long as there is something to do.
    public func stop() {
        shared.finish()
        if !isCurrent { shared.waitForEnd() }
    }

    private func add(_ work: Work) {
        shared.add(work, threadName: name)
    }
}

/// One piece of queued work. A job keeps its executor alive until it has run.
private enum Work {
    case job(UnownedJob, ThreadExecutor)
    case closure(@Sendable () -> Void)

    func run() {
        switch self {
        case .job(let job, let executor):
            job.runSynchronously(on: executor.asUnownedSerialExecutor())
        case .closure(let body): body()
        }
    }
}

// Guard of @unchecked Sendable: every stored property is read and written only with `lock` held.
private final class Shared: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var queue: [Work] = []
    private var thread: pthread_t?
    private var idle = false
    private var finishing = false

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

    func add(_ work: Work, threadName: String) {
        pthread_mutex_lock(lock)
        queue.append(work)
        let wakes = idle
        idle = false
        if thread == nil { thread = startThread(named: threadName) { self.loop() } }
        pthread_mutex_unlock(lock)
        // Without the lock, which the woken thread takes first.
        if wakes { pthread_cond_broadcast(changed) }
    }

    func finish() {
        pthread_mutex_lock(lock)
        finishing = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(lock)
    }

    func waitForEnd() {
        pthread_mutex_lock(lock)
        while thread != nil { pthread_cond_wait(changed, lock) }
        pthread_mutex_unlock(lock)
    }

    var isCurrent: Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        guard let thread else { return false }
        return pthread_equal(thread, pthread_self()) != 0
    }

    private func loop() {
        var batch: [Work] = []
        pthread_mutex_lock(lock)
        while true {
            if queue.isEmpty {
                if finishing { break }
                idle = true
                pthread_cond_wait(changed, lock)
                continue
            }
            idle = false
            swap(&batch, &queue)
            pthread_mutex_unlock(lock)
            for work in batch { work.run() }
            batch.removeAll(keepingCapacity: true)
            pthread_mutex_lock(lock)
        }
        thread = nil
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(lock)
    }
}

/// Hands one result from one thread to another that waits for it.
// Guard of @unchecked Sendable: `result` is touched only with `lock` held.
private final class ResultBox<R: Sendable>: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var result: Result<R, any Error>?

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

    func set(_ value: Result<R, any Error>) {
        pthread_mutex_lock(lock)
        result = value
        pthread_cond_signal(changed)
        pthread_mutex_unlock(lock)
    }

    func wait() -> Result<R, any Error> {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while true {
            if let result { return result }
            pthread_cond_wait(changed, lock)
        }
    }
}
