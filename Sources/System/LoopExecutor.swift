import CSystem
import Glibc
import Synchronization

/// An executor whose jobs run inside somebody's own `poll` loop, such as the one that reads keys.
///
/// The loop polls `fileDescriptor` for reading beside its other descriptors and calls `runPendingJobs()` whenever it is
/// readable. The thread that first calls `bind()` or `runPendingJobs()` is the executor's thread from then on.
public final class LoopExecutor: SerialExecutor {
    /// Becomes readable when a job waits.
    public let fileDescriptor: Int32

    private struct State {
        var work: [Work] = []
        var signalled = false
        var owner: pthread_t?
    }

    private enum Work {
        case job(UnownedJob)
        case closure(@Sendable () -> Void)
    }

    private let state = Mutex(State())

    /// Makes the executor; throws when the process has no descriptor left.
    public init() throws(SystemError) {
        fileDescriptor = try systemCall("make an eventfd") { csystem_eventfd() }
    }

    deinit {
        close(fileDescriptor)
    }

    /// Makes the caller's thread the executor's thread.
    public func bind() {
        let me = pthread_self()
        state.withLock { $0.owner = me }
    }

    /// Adds a job of an actor or task. Swift calls this.
    public func enqueue(_ job: consuming ExecutorJob) {
        add(.job(UnownedJob(job)))
    }

    /// Runs `body` in the loop, after everything queued before it.
    public func async(_ body: @escaping @Sendable () -> Void) {
        add(.closure(body))
    }

    /// Makes the loop's `poll` return although no job waits.
    public func wake() {
        signal()
    }

    /// Runs the jobs that wait now, in order, and returns how many there were. Jobs added meanwhile wait for the next
    /// round, so that keys are never kept waiting by jobs that add jobs.
    @discardableResult
    public func runPendingJobs() -> Int {
        var count: UInt64 = 0
        _ = read(fileDescriptor, &count, 8)
        let me = pthread_self()
        let work = state.withLock { state in
            if state.owner == nil { state.owner = me }
            state.signalled = false
            let work = state.work
            state.work = []
            return work
        }
        for item in work {
            switch item {
            case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
            case .closure(let body): body()
            }
        }
        return work.count
    }

    /// Runs jobs as they come on the caller's thread, which must be the executor's, until `isDone` says so; it is asked
    /// again after each round, and after ``wake()``. For what still has jobs here when the loop has ended.
    public func run(until isDone: () -> Bool) {
        var descriptor = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
        while true {
            runPendingJobs()
            if isDone() { return }
            poll(&descriptor, 1, -1)
        }
    }

    /// Whether a job waits.
    public var hasPendingJobs: Bool { state.withLock { !$0.work.isEmpty } }

    /// Whether the caller is on the loop's thread.
    public var isCurrent: Bool {
        guard let owner = state.withLock({ $0.owner }) else { return false }
        return pthread_equal(owner, pthread_self()) != 0
    }

    /// Traps unless the caller is on the loop's thread; `assumeIsolated` uses it.
    public func checkIsolated() {
        precondition(isCurrent, "not on the loop's thread")
    }

    /// Whether the caller is on the loop's thread; Swift asks before it traps.
    public func isIsolatingCurrentContext() -> Bool? { isCurrent }

    private func add(_ work: Work) {
        let mustSignal = state.withLock { state in
            state.work.append(work)
            defer { state.signalled = true }
            return !state.signalled
        }
        if mustSignal { signal() }
    }

    private func signal() {
        var one: UInt64 = 1
        // Fails only when the counter is full, and then the loop is awake already.
        _ = write(fileDescriptor, &one, 8)
    }
}
