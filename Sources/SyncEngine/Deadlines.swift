/// Many deadlines behind one timer: the earliest decides when to wake, and moving one away costs nothing.
struct Deadlines {
    enum Key: Hashable {
        case connection
        /// The connection has been live for long enough to count.
        case steadiness
        case outbox
        case pull
        case request(Int)
    }

    private var due: [Key: Int64] = [:]
    /// When the timer that is set now will fire.
    private var armed: Int64?

    /// Sets or (with nil) takes away one.
    mutating func set(_ key: Key, at time: Int64?) { due[key] = time }

    /// Those that are over; each is taken away and given once, the longest overdue first.
    mutating func takeDue(now: Int64) -> [Key] {
        if let armed, armed <= now { self.armed = nil }
        let over = due.filter { $0.value <= now }.sorted { ($0.value, $0.key.order) < ($1.value, $1.key.order) }
        for entry in over { due[entry.key] = nil }
        return over.map(\.key)
    }

    /// How long to set the timer for; nil where the one that is set will do.
    mutating func timer(now: Int64) -> Int64? {
        guard let next = due.values.min() else { return nil }
        if let armed, armed <= next { return nil }
        armed = next
        return max(next - now, 0)
    }

    mutating func removeAll() {
        due.removeAll()
        armed = nil
    }
}

extension Deadlines.Key {
    /// Breaks ties, so that a seed replays.
    fileprivate var order: Int {
        switch self {
        case .connection: -4
        case .steadiness: -3
        case .outbox: -2
        case .pull: -1
        case .request(let id): id
        }
    }
}
