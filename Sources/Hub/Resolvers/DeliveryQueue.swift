import Basics

/// Something committed that a function is to get.
struct Delivery: Sendable, Hashable {
    /// Its place in the order of commits.
    let number: Int64
    /// The record that it is about; deliveries of one record keep their order.
    let record: String
    let payload: [UInt8]
    var attempts: Int
    /// When it is tried next, in hub time.
    var due: Int64
}

/// Decides when which delivery goes to one function: a value, told the time.
///
/// What waits lies in a table, committed with the mutation; this holds the first of it. Each is tried until the function
/// has taken it, with growing pauses, and given up at last, so that it is parked where a person sees it.
struct DeliveryQueue: Sendable {
    enum Event: Sendable {
        /// The next rows of the table; `isAll` where there are no more.
        case loaded([Delivery], isAll: Bool)
        /// Rows were committed.
        case written
        case answered(Int64, FunctionOutcome)
        /// A person has changed rows of the table: let them be tried again, or dropped them. Of those under way, these
        /// are gone.
        case changed(gone: Set<Int64>)
        /// Time has passed.
        case tick
    }

    enum Action: Sendable, Hashable {
        /// Give the next rows after a number.
        case load(after: Int64, limit: Int)
        case call(Delivery)
        /// The function has taken it: forget its row.
        case delete(Int64)
        /// Write into its row that it was tried.
        case postpone(Delivery, reason: String)
        /// Write into its row that it was given up.
        case park(Delivery, reason: String)
    }

    struct Limits: Sendable {
        /// The pauses after each failed try, in milliseconds; after the last try a delivery is given up.
        var pauses: [Int64] = [1_000, 5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000]
        /// How many are on their way at a time.
        var atOnce = 16
        /// How many are in memory.
        var window = 256
    }

    private let limits: Limits
    /// In the order of their numbers.
    private var deliveries: [Delivery] = []
    private var running: Set<Int64> = []
    private var last: Int64 = 0
    private var hasMore = true
    private var isLoading = false

    init(limits: Limits = Limits()) {
        self.limits = limits
    }

    var runningCount: Int { running.count }
    /// The numbers of those that are under way.
    var underWay: Set<Int64> { running }

    mutating func handle(_ event: Event, at now: Int64) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .loaded(let rows, let isAll):
            isLoading = false
            hasMore = !isAll
            if running.isEmpty {
                deliveries += rows
            } else {
                // What is under way may be read again after a change.
                deliveries += rows.filter { !running.contains($0.number) }
                deliveries.sort { $0.number < $1.number }
            }
            if let number = rows.last?.number { last = number }
        case .written: hasMore = true
        case .changed(let gone):
            // What is under way stays, unless nobody waits for what comes of it; everything else is read anew.
            deliveries.removeAll { !running.contains($0.number) || gone.contains($0.number) }
            (last, hasMore, isLoading) = (0, true, false)
        case .answered(let number, let outcome):
            guard running.remove(number) != nil,
                let index = deliveries.firstIndex(where: { $0.number == number })
            else { return [] }
            actions += settle(index, outcome, now)
        case .tick: break
        }
        actions += start(now)
        if hasMore, !isLoading, deliveries.count < limits.window {
            isLoading = true
            actions.append(.load(after: last, limit: limits.window - deliveries.count))
        }
        return actions
    }

    private mutating func settle(_ index: Int, _ outcome: FunctionOutcome, _ now: Int64) -> [Action] {
        let failure: FunctionFailure
        switch outcome {
        case .success: return [.delete(deliveries.remove(at: index).number)]
        case .failure(let found): failure = found
        }
        switch failure {
        case .stopped:
            // The row stays as it is for the next start.
            return []
        case .busy:
            deliveries[index].due = now + limits.pauses[0]
            return []
        case .timedOut, .unreachable, .failed, .unreadable: break
        }
        deliveries[index].attempts += 1
        guard deliveries[index].attempts <= limits.pauses.count else {
            return [.park(deliveries.remove(at: index), reason: failure.description)]
        }
        deliveries[index].due = now + limits.pauses[deliveries[index].attempts - 1]
        return [.postpone(deliveries[index], reason: failure.description)]
    }

    /// Starts what is due, of each record only the first.
    private mutating func start(_ now: Int64) -> [Action] {
        guard running.count < limits.atOnce else { return [] }
        var actions: [Action] = []
        var records: Set<String> = []
        for delivery in deliveries where records.insert(delivery.record).inserted {
            guard running.count < limits.atOnce else { break }
            guard delivery.due <= now, running.insert(delivery.number).inserted else { continue }
            actions.append(.call(delivery))
        }
        return actions
    }
}
