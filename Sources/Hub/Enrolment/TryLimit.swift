/// How often something may go wrong, by address and in all. A value; the time is told.
///
/// Only failures count, so that a hundred terminals enrol behind one router while a guesser waits. What is common to all
/// addresses holds for those that have failed, so that guessers shut nobody else out; it bounds what they cost. How seldom
/// a code is guessed is not its work: that is the codes' length.
struct TryLimit: Sendable {
    /// Failures that one address may have at once.
    var addressBurst: Int64 = 5
    /// Milliseconds after which one of an address's failures is forgotten.
    var addressPace: Int64 = 12_000
    /// The same for all addresses together.
    var burst: Int64 = 60
    var pace: Int64 = 2_000
    /// Addresses that are remembered.
    var memory = 4_096

    private struct Level: Sendable {
        /// Failures that are not forgotten yet, in milliseconds.
        var value: Int64 = 0
        var at: Int64 = 0

        mutating func sink(to now: Int64) {
            value = max(0, value - max(0, now - at))
            at = now
        }
    }

    private var addresses: [String: Level] = [:]
    private var all = Level()

    init() {}

    /// How many milliseconds an address must wait before it may try; nil where it may now.
    mutating func wait(_ address: String, now: Int64) -> Int64? {
        all.sink(to: now)
        addresses[address]?.sink(to: now)
        let own = (addresses[address]?.value ?? 0) - (addressBurst - 1) * addressPace
        let hasFailed = addresses[address].map { $0.value > 0 } ?? (addresses.count >= memory)
        let common = hasFailed ? all.value - (burst - 1) * pace : 0
        let wait = max(own, common)
        return wait > 0 ? wait : nil
    }

    /// Notes a failure.
    mutating func failed(_ address: String, now: Int64) {
        all.sink(to: now)
        all.value += pace
        if addresses.count >= memory, addresses[address] == nil {
            addresses = addresses.filter { $0.value.value > now - $0.value.at }
            // Still as many: everybody is guessing, and the common limit holds them all.
            if addresses.count >= memory { return }
        }
        addresses[address, default: Level(value: 0, at: now)].sink(to: now)
        addresses[address, default: Level(value: 0, at: now)].value += addressPace
    }
}
