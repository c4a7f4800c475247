/// Which calls of one function run and which wait: a value, told the time.
struct FunctionQueue: Sendable {
    /// What to do.
    enum Action: Hashable, Sendable {
        case start(UInt64)
        case refuse(UInt64, FunctionFailure)
    }

    private let concurrency: Int
    private let waitingLimit: Int
    private let patience: Int64
    private var running: Set<UInt64> = []
    private var waiting: [(call: UInt64, since: Int64)] = []
    private var head = 0
    private var isStopped = false

    /// `patience` is how long a call may wait for its turn, in milliseconds.
    init(concurrency: Int, waitingLimit: Int, patience: Int64) {
        self.concurrency = max(1, concurrency)
        self.waitingLimit = waitingLimit
        self.patience = patience
    }

    var runningCount: Int { running.count }
    var waitingCount: Int { waiting.count - head }

    /// A call comes.
    mutating func called(_ call: UInt64, at now: Int64) -> [Action] {
        guard !isStopped else { return [.refuse(call, .stopped)] }
        if running.count < concurrency {
            running.insert(call)
            return [.start(call)]
        }
        guard waitingCount < waitingLimit else { return [.refuse(call, .busy)] }
        waiting.append((call, now))
        return []
    }

    /// A call has ended; those whose turn it is start, those who waited in vain are refused.
    mutating func ended(_ call: UInt64, at now: Int64) -> [Action] {
        guard running.remove(call) != nil, !isStopped else { return [] }
        var actions: [Action] = []
        while running.count < concurrency, head < waiting.count {
            let next = waiting[head]
            head += 1
            if now - next.since > patience {
                actions.append(.refuse(next.call, .busy))
            } else {
                running.insert(next.call)
                actions.append(.start(next.call))
            }
        }
        if head > 256, head * 2 > waiting.count {
            waiting.removeFirst(head)
            head = 0
        }
        return actions
    }

    /// Nothing more starts; what runs is ended by the caller.
    mutating func stop() -> [Action] {
        isStopped = true
        let refused = waiting[head...].map { Action.refuse($0.call, .stopped) } + running.map { .refuse($0, .stopped) }
        waiting = []
        head = 0
        running = []
        return refused
    }
}
