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
/// What waits lies in a table, committed with the mutation; this holds the first of each record, so that one record with
/// many that fail leaves room for all others. Each is tried until the function has taken it, with growing pauses, and given
/// up at last, so that it is parked where a person sees it.
struct DeliveryQueue: Sendable {
    enum Event: Sendable {
        /// The next rows of the table; `isAll` where there are no more.
        case loaded([Delivery], isAll: Bool)
        /// Enough was read for one turn: the load is asked for again when time has passed.
        case putOff
        /// The first row of a record; nil where it has none.
        case found(record: String, Delivery?)
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
        /// Give the first row of a record, up to a number. Rows that were taken or given up are none any more, though
        /// that is not committed yet.
        case find(record: String, through: Int64)
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
        /// How many are in memory that may go at once.
        var window = 256
        /// How many are in memory, with those that wait for their next try.
        var held = 1_024
    }

    private let limits: Limits
    /// One of a record, in the order of their numbers.
    private var deliveries: [Delivery] = []
    /// The records of those.
    private var records: Set<String> = []
    /// Records of which more rows were read than are held.
    private var behind: Set<String> = []
    private var running: Set<Int64> = []
    /// Up to where the table was read.
    private var last: Int64 = 0
    private var hasMore = true
    private var isLoading = false
    /// Whether the load that was asked for waits for the next tick.
    private var isPutOff = false

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
            // What is under way may be read again after a change.
            for row in rows where !running.contains(row.number) {
                if records.contains(row.record) || behind.contains(row.record) {
                    behind.insert(row.record)
                } else {
                    hold(row)
                }
            }
            if let number = rows.last?.number { last = number }
        case .putOff:
            isPutOff = true
            return []
        case .found(let record, let row):
            guard behind.contains(record), !records.contains(record) else { break }
            if let row { hold(row) } else { behind.remove(record) }
        case .written: hasMore = true
        case .changed(let gone):
            // What is under way stays, unless nobody waits for what comes of it; everything else is read anew.
            deliveries.removeAll { !running.contains($0.number) || gone.contains($0.number) }
            (records, behind) = (Set(deliveries.map(\.record)), [])
            (last, hasMore, isLoading, isPutOff) = (0, true, false, false)
        case .answered(let number, let outcome):
            guard running.remove(number) != nil,
                let index = deliveries.firstIndex(where: { $0.number == number })
            else { return [] }
            actions += settle(index, outcome, now)
        case .tick:
            if isPutOff { (isLoading, isPutOff) = (false, false) }
        }
        actions += start(now)
        actions += behind.subtracting(records).sorted().map { .find(record: $0, through: last) }
        let free = room(now)
        if hasMore, !isLoading, free > 0 {
            isLoading = true
            // Most may be rows of records that are held: few at a time would be many readings.
            actions.append(.load(after: last, limit: max(free, limits.window / 8)))
        }
        return actions
    }

    /// How many more may be held.
    private func room(_ now: Int64) -> Int {
        let pausing = deliveries.count { $0.due > now && !running.contains($0.number) }
        return min(limits.window - (deliveries.count - pausing), limits.held - deliveries.count)
    }

    private mutating func hold(_ row: Delivery) {
        records.insert(row.record)
        deliveries.insert(row, at: deliveries.firstIndex { $0.number > row.number } ?? deliveries.endIndex)
    }

    private mutating func letGo(_ index: Int) -> Delivery {
        let delivery = deliveries.remove(at: index)
        records.remove(delivery.record)
        return delivery
    }

    private mutating func settle(_ index: Int, _ outcome: FunctionOutcome, _ now: Int64) -> [Action] {
        let failure: FunctionFailure
        switch outcome {
        case .success: return [.delete(letGo(index).number)]
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
            return [.park(letGo(index), reason: failure.description)]
        }
        deliveries[index].due = now + limits.pauses[deliveries[index].attempts - 1]
        return [.postpone(deliveries[index], reason: failure.description)]
    }

    /// Starts what is due.
    private mutating func start(_ now: Int64) -> [Action] {
        guard running.count < limits.atOnce else { return [] }
        var actions: [Action] = []
        for delivery in deliveries {
            guard running.count < limits.atOnce else { break }
            guard delivery.due <= now, running.insert(delivery.number).inserted else { continue }
            actions.append(.call(delivery))
        }
        return actions
    }
}
