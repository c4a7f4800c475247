/// Wrong PINs in a row under one badge.
public struct SignInFailures: Sendable, Hashable {
    /// How many.
    public var count: Int
    /// When the last one was, in milliseconds since 1970.
    public var last: Int64

    /// After so long nothing is remembered of them.
    static let memory: Int64 = 86_400_000
    /// So many may be wrong before anybody has to wait.
    static let free = 4

    /// Until when nobody signs in under the badge: half a minute after the fifth, twice as long after each further one,
    /// an hour at most.
    public var lockedUntil: Int64? {
        guard count > Self.free else { return nil }
        let doublings = min(count - Self.free - 1, 7)
        return last + min(30_000 << Int64(doublings), 3_600_000)
    }
}

/// Who may try to sign in now: limits by address, by badge, and of what waits. A value; the time is told.
///
/// Badges that nobody has are treated as all others are, so that no answer and no wait tells which ones exist.
struct SignInGate: Sendable {
    /// Limits.
    struct Limits: Sendable, Hashable {
        /// Tries that one address may make at once.
        var addressBurst: Int64 = 30
        /// Milliseconds after which an address may make another.
        var addressPace: Int64 = 2000
        /// Tries that wait for scrypt.
        var waiting = 64
        /// Addresses and badges that are remembered.
        var memory = 10_000
    }

    /// What becomes of a try.
    enum Verdict: Sendable, Hashable {
        case go
        /// Too many tries; how many milliseconds to wait.
        case wait(milliseconds: Int64)
        /// Too many wait already.
        case full
    }

    private struct Bucket {
        /// Tries that were made and not yet forgotten, in milliseconds of ``Limits/addressPace``.
        var level: Int64
        var at: Int64
    }

    private let limits: Limits
    private var addresses: [String: Bucket] = [:]
    private(set) var failures: [String: SignInFailures] = [:]
    private var unlocks: [String: Int64] = [:]
    private(set) var waiting = 0

    /// Begins with what is remembered: wrong PINs, and how often each badge's lock was taken away by hand.
    init(_ limits: Limits = Limits(), failures: [String: SignInFailures] = [:], unlocks: [String: Int64] = [:]) {
        self.limits = limits
        self.failures = failures
        self.unlocks = unlocks
    }

    /// Asks for a try; `go` takes a place among those that wait, which ``done()`` gives back.
    ///
    /// `unlocks` is how often the badge's lock was taken away by hand; `uptime` never goes back, as the clock may.
    mutating func admit(
        badge: String, unlocks: Int64, address: String, now: Int64, uptime: Int64
    ) -> Verdict {
        if let wait = take(address, uptime) { return .wait(milliseconds: wait) }
        if let wait = lock(badge, unlocks, now) { return .wait(milliseconds: wait) }
        guard waiting < limits.waiting else { return .full }
        waiting += 1
        return .go
    }

    /// Gives the place back.
    mutating func done() { waiting -= 1 }

    /// How long a badge is locked; nil where it is not. Asked again when its turn comes: others may have failed since.
    mutating func lock(_ badge: String, _ unlocks: Int64, _ now: Int64) -> Int64? {
        if unlocks > self.unlocks[badge, default: 0] {
            self.unlocks[badge] = unlocks
            failures[badge] = nil
        }
        guard let found = failures[badge] else { return nil }
        // A clock that was set back must not lock anybody for years.
        if found.last > now { failures[badge]?.last = now }
        if found.last < now - SignInFailures.memory {
            failures[badge] = nil
            return nil
        }
        guard let until = failures[badge]?.lockedUntil, until > now else { return nil }
        return until - now
    }

    /// Notes what a try came to; gives what is to be remembered of the badge.
    mutating func note(badge: String, isRight: Bool, now: Int64) -> SignInFailures? {
        guard !isRight else {
            failures[badge] = nil
            return nil
        }
        if failures.count >= limits.memory, failures[badge] == nil { forgetOldFailures() }
        var found = failures[badge] ?? SignInFailures(count: 0, last: now)
        found.count += 1
        found.last = now
        failures[badge] = found
        return found
    }

    /// Takes one of an address's tries; else how long until there is one.
    private mutating func take(_ address: String, _ uptime: Int64) -> Int64? {
        if addresses.count >= limits.memory, addresses[address] == nil { forgetOldAddresses(uptime) }
        var bucket = addresses[address] ?? Bucket(level: 0, at: uptime)
        bucket.level = max(0, bucket.level - (uptime - bucket.at))
        bucket.at = uptime
        defer { addresses[address] = bucket }
        let room = limits.addressBurst * limits.addressPace - bucket.level
        guard room >= limits.addressPace else { return limits.addressPace - room }
        bucket.level += limits.addressPace
        return nil
    }

    private mutating func forgetOldAddresses(_ uptime: Int64) {
        addresses = addresses.filter { $0.value.level > uptime - $0.value.at }
        guard addresses.count >= limits.memory else { return }
        // So many at once are an attack: those that have tried least go first, and gain least.
        let middle = addresses.values.map(\.level).sorted()[addresses.count / 2]
        addresses = addresses.filter { $0.value.level > middle }
    }

    private mutating func forgetOldFailures() {
        // Who has failed most is remembered longest: to be forgotten costs as many tries as there are others.
        let sorted = failures.sorted { ($0.value.count, $0.value.last) < ($1.value.count, $1.value.last) }
        for (badge, _) in sorted.prefix(failures.count / 2) { failures[badge] = nil }
    }
}
