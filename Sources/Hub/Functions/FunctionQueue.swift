/// Which calls of one function run and which wait: a value, told the time.
///
/// Calls that are preferred have places of their own to wait in and go first: whoever is known so waits behind no stranger.
struct FunctionQueue: Sendable {
    /// What to do.
    enum Action: Hashable, Sendable {
        case start(UInt64)
        case refuse(UInt64, FunctionFailure)
    }

    private struct Waiting: Sendable {
        let call: UInt64
        let since: Int64
    }

    private let concurrency: Int
    private let waitingLimit: Int
    private let patience: Int64
    private var running: Set<UInt64> = []
    private var preferred = FIFO<Waiting>()
    private var others = FIFO<Waiting>()
    private var isStopped = false

    /// `patience` is how long a call may wait for its turn, in milliseconds. Beside the `waitingLimit` a quarter of it is for
    /// calls that are preferred.
    init(concurrency: Int, waitingLimit: Int, patience: Int64) {
        self.concurrency = max(1, concurrency)
        self.waitingLimit = waitingLimit
        self.patience = patience
    }

    var runningCount: Int { running.count }
    var waitingCount: Int { preferred.count + others.count }

    /// A call comes.
    mutating func called(_ call: UInt64, isPreferred: Bool = false, at now: Int64) -> [Action] {
        guard !isStopped else { return [.refuse(call, .stopped)] }
        if running.count < concurrency {
            running.insert(call)
            return [.start(call)]
        }
        if isPreferred, preferred.count < waitingLimit / 4 {
            preferred.append(Waiting(call: call, since: now))
        } else if others.count < waitingLimit {
            others.append(Waiting(call: call, since: now))
        } else {
            return [.refuse(call, .busy)]
        }
        return []
    }

    /// A call has ended; those whose turn it is start, those who waited in vain are refused.
    mutating func ended(_ call: UInt64, at now: Int64) -> [Action] {
        guard running.remove(call) != nil, !isStopped else { return [] }
        var actions: [Action] = []
        while running.count < concurrency, let next = preferred.takeFirst() ?? others.takeFirst() {
            if now - next.since > patience {
                actions.append(.refuse(next.call, .busy))
            } else {
                running.insert(next.call)
                actions.append(.start(next.call))
            }
        }
        return actions
    }

    /// Nothing more starts; what runs is ended by the caller.
    mutating func stop() -> [Action] {
        isStopped = true
        let refused = ((preferred.elements + others.elements).map(\.call) + running).map { Action.refuse($0, .stopped) }
        (preferred, others, running) = (FIFO(), FIFO(), [])
        return refused
    }
}
