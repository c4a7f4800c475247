import Basics
import DataStore
import Screens
import System
import Terminal

/// What a shell reports to whoever shows it.
package protocol AppHost: AnyObject, Sendable {
    /// The picture may differ from the last one; called on the shell's executor.
    func needsPainting()
    /// A sound is due.
    func play(_ sound: Sound)
    /// The machine wants to end.
    func quit()
}

/// Runs an app's machine on a store: performs its jobs in order, tells it what changed, and keeps nothing itself.
///
/// The shell is an actor on the executor it is given: the key-reading loop on a terminal, any thread without one. Keys
/// are handed over with `assumeIsolated` on that loop, so that no key waits for a job.
package actor AppShell<Machine: AppMachine & Sendable> {
    private nonisolated let executor: any SerialExecutor
    /// The executor given at the start.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var machine: Machine
    private let store: DataStore
    private let link: LinkMonitor
    private let makeEnvironment: @Sendable (Int?) -> JobEnvironment
    private let personChanged: @Sendable (String?) -> Void
    private let time: any TimeSource
    private weak var host: (any AppHost)?
    private let jobs: AsyncStream<(Int, Machine.Job)>
    private let addJob: AsyncStream<(Int, Machine.Job)>.Continuation
    private var tasks: [Task<Void, Never>] = []
    private var waiters: [Int: (condition: (Machine) -> Bool, continuation: CheckedContinuation<Void, Never>)] = [:]
    private var nextWaiter = 0
    /// Jobs asked for and not yet answered; 0 is idle.
    private(set) package var jobsInFlight = 0

    package init(
        machine: Machine, store: DataStore, link: LinkMonitor, time: any TimeSource, host: (any AppHost)?,
        executor: any SerialExecutor, environment: @escaping @Sendable (_ clockOffset: Int?) -> JobEnvironment,
        personChanged: @escaping @Sendable (String?) -> Void = { _ in }
    ) {
        self.machine = machine
        self.store = store
        self.link = link
        self.time = time
        self.host = host
        self.executor = executor
        makeEnvironment = environment
        self.personChanged = personChanged
        (jobs, addJob) = AsyncStream.makeStream()
    }

    /// Starts the machine and everything that feeds it; call it once.
    package func start() {
        // Followed before anything is read: what changes between the two must not be missed.
        let (states, changes) = (link.states(), store.changedModels())
        tasks.append(Task { await self.performJobs() })
        tasks.append(Task { for await state in states { self.send(.link(state)) } })
        tasks.append(Task { for await models in changes { self.send(.changed(models: models)) } })
        send(.started)
    }

    /// Stops feeding the machine and waits for the job under way, so that nothing touches the store afterwards.
    package func stop() async {
        addJob.finish()
        for task in tasks.dropFirst() { task.cancel() }
        for task in tasks { await task.value }
        tasks = []
    }

    /// Tells the machine something.
    package func send(_ event: AppEvent<Machine.Job.Answer>) {
        for effect in machine.handle(event, at: Moment(time)) {
            switch effect {
            case .perform(let number, let job):
                jobsInFlight += 1
                addJob.yield((number, job))
            case .sound(let sound): host?.play(sound)
            case .personChanged(let person): personChanged(person)
            case .quit: host?.quit()
            }
        }
        host?.needsPainting()
        wakeWaiters()
    }

    /// Hands over what a person or a scanner did.
    package func input(_ input: Input) { send(.input(input)) }

    /// The picture to show now.
    package func view() -> AppView { machine.view(at: Moment(time)) }

    /// The language to show it in.
    package var language: String { machine.language }

    /// Looks at the machine, for scripts and tests.
    package func inspect<Value: Sendable>(_ body: @Sendable (Machine) -> Value) -> Value { body(machine) }

    /// Returns as soon as `condition` holds of the machine, or the task is cancelled; for scripts and tests, which never
    /// sleep.
    package func wait(until condition: @escaping @Sendable (Machine) -> Bool) async {
        if condition(machine) || Task.isCancelled { return }
        nextWaiter += 1
        let number = nextWaiter
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Cancelled before this line, nobody would come to wake it.
                if Task.isCancelled { continuation.resume() } else { waiters[number] = (condition, continuation) }
            }
        } onCancel: {
            Task { await self.wake(number) }
        }
    }

    private func wake(_ number: Int) { waiters.removeValue(forKey: number)?.continuation.resume() }

    private func wakeWaiters() {
        for (number, waiter) in waiters where waiter.condition(machine) { wake(number) }
    }

    private func performJobs() async {
        for await (number, job) in jobs {
            let environment = makeEnvironment(link.current.clockOffsetMilliseconds)
            let result: Result<Machine.Job.Answer, JobFailure>
            do {
                // The outbox entries of this transaction go out under the job's person; jobs run one at a time.
                store.identity = job.identity
                let answer =
                    job.writes
                    ? try await store.transaction { try job.perform(in: $0, environment) }
                    : try await store.read { try job.perform(in: $0, environment) }
                result = .success(answer)
            } catch let failure as JobFailure {
                result = .failure(failure)
            } catch {
                result = .failure(JobFailure("\(error)"))
            }
            jobsInFlight -= 1
            send(.answered(job: number, result))
        }
    }
}
