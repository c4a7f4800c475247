import Basics

/// One thread, one seed: the events of a simulated floor in the order of their virtual time.
final class SimWorld {
    private struct Event {
        let time: Int64
        let body: () -> Void
    }

    private(set) var random: SplitMix64
    private let clock = Locked<Int64>(0)
    /// The next one last.
    private var events: [Event] = []

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    /// Virtual milliseconds since the start.
    var now: Int64 { clock.current }

    /// A clock of this world that may be wrong by the time of day, never by uptime.
    func makeClock(_ name: String) -> SimClock { SimClock(world: clock, bootID: name) }

    /// A number in `0..<bound`.
    func below(_ bound: Int) -> Int { bound <= 1 ? 0 : Int(random.next() % UInt64(bound)) }
    /// True so many times in a thousand.
    func chance(_ permille: Int) -> Bool { below(1000) < permille }
    /// One of the elements.
    func pick<T>(_ elements: [T]) -> T { elements[below(elements.count)] }

    /// Runs `body` so many milliseconds from now; events of the same time run in the order in which they were asked for.
    func after(_ milliseconds: Int, _ body: @escaping () -> Void) { at(now + Int64(max(milliseconds, 0)), body) }

    /// Runs `body` at a time.
    func at(_ time: Int64, _ body: @escaping () -> Void) {
        // Before those of the same time, which were asked for earlier.
        var (low, high) = (0, events.count)
        while low < high {
            let middle = (low + high) / 2
            if events[middle].time > time { low = middle + 1 } else { high = middle }
        }
        events.insert(Event(time: time, body: body), at: low)
    }

    /// Ends it: what waits never happens, and lets go of whom it waited for.
    func end() { events = [] }

    /// Runs the next event; false where there is none before `limit`.
    func step(until limit: Int64) -> Bool {
        guard let next = events.last, next.time <= limit else { return false }
        events.removeLast()
        clock.withLock { $0 = max($0, next.time) }
        next.body()
        return true
    }
}

/// A device's clock: its uptime is the world's, its time of day is what somebody set.
final class SimClock: TimeSource {
    private let world: Locked<Int64>
    private let skew = Locked<Int64>(0)
    let bootID: String

    init(world: Locked<Int64>, bootID: String) {
        self.world = world
        self.bootID = bootID
    }

    func now() -> DateTime { DateTime(milliseconds: 1_800_000_000_000 + world.current + skew.current) }
    func uptime() -> Int64 { world.current }

    /// Sets the time of day forward or back.
    func jump(_ milliseconds: Int64) { skew.withLock { $0 += milliseconds } }
}
