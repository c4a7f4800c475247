import Basics

/// One thread, one seed: the events of a simulated floor in the order of their virtual time.
final class SimWorld {
    private struct Event {
        let time: Int64
        let number: Int
        let body: () -> Void
    }

    private(set) var random: SplitMix64
    private let clock = Locked<Int64>(0)
    private var heap: [Event] = []
    private var scheduled = 0

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
        scheduled += 1
        heap.append(Event(time: time, number: scheduled, body: body))
        var child = heap.count - 1
        while child > 0, precedes(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Runs the next event; false where there is none before `limit`.
    func step(until limit: Int64) -> Bool {
        guard let first = heap.first, first.time <= limit else { return false }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(child, least) {
                least = child
            }
            if least == parent { break }
            heap.swapAt(parent, least)
            parent = least
        }
        clock.withLock { $0 = max($0, first.time) }
        first.body()
        return true
    }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
        (heap[a].time, heap[a].number) < (heap[b].time, heap[b].number)
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
