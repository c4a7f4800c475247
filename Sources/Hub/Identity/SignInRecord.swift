/// What is remembered of one badge at one place, or of one badge at all places of a crowd.
public struct SignInRecord: Sendable, Hashable {
    /// Wrong PINs in a row; of a crowd, those that are not forgotten yet.
    public var count: Int
    /// When the last one was, in milliseconds since 1970.
    public var last: Int64
    /// When a right PIN was given there; nil where that never was.
    public var known: Int64?

    /// After so long nothing is remembered of wrong PINs.
    static let memory: Int64 = 86_400_000
    /// So long a place is known where somebody signed in.
    static let acquaintance: Int64 = 90 * 86_400_000
    /// So many may be wrong at a place before anybody has to wait there.
    static let free = 4
    /// So many may be wrong in a crowd; each hour one of them is forgotten. Whoever guesses from one address alone never
    /// comes to so many, because his own place makes him wait longer.
    static let crowdFree = 24
    static let crowdPace: Int64 = 3_600_000

    /// Begins with nothing.
    init(count: Int = 0, last: Int64 = 0, known: Int64? = nil) {
        self.count = count
        self.last = last
        self.known = known
    }

    /// Until when nobody signs in under the badge at this place: half a minute after the fifth, twice as long after each
    /// further one, an hour at most.
    public var lockedUntil: Int64? {
        guard count > Self.free else { return nil }
        let doublings = min(count - Self.free - 1, 7)
        return last + min(30_000 << Int64(doublings), 3_600_000)
    }

    /// Until when a crowd has had its share.
    var crowdLockedUntil: Int64? { count >= Self.crowdFree ? last + Self.crowdPace : nil }

    /// Whether somebody signed in here of late.
    func isKnown(_ now: Int64) -> Bool { known.map { $0 > now - Self.acquaintance } ?? false }

    /// A clock that was set back must not lock anybody for years.
    mutating func settle(_ now: Int64, isCrowd: Bool) {
        if last > now { last = now }
        if let known, known > now { self.known = now }
        if isCrowd {
            let forgotten = (now - last) / Self.crowdPace
            count = max(0, count - Int(clamping: forgotten))
            last += forgotten * Self.crowdPace
        }
        if last < now - Self.memory { count = 0 }
    }
}
