/// Who may try to sign in now: limits by place, by badge and place, by badge in a crowd, and of what waits. A value; the
/// time is told.
///
/// Wrong PINs lock a badge at the place where they were given. Places where the badge's owner signed in before are told
/// apart one by one; all others share what a badge may be guessed at in a day, however many there are. So guessing stays
/// hopeless, and whoever guesses shuts nobody out at his own terminal. Badges that nobody has are treated as all others
/// are, so that no answer and no wait tells which ones exist.
struct SignInGate: Sendable {
    /// Limits.
    struct Limits: Sendable, Hashable {
        /// Tries that one place may make at once.
        var placeBurst: Int64 = 30
        /// Milliseconds after which a place may make another.
        var placePace: Int64 = 2000
        /// Tries that wait for scrypt.
        var waiting = 64
        /// How many of them may be those of strangers: the others' wait is never full for their sake.
        var waitingStrangers = 48
        /// Places, and badges at places, that are remembered.
        var memory = 10_000
        /// Places where one badge is known.
        var places = 8
    }

    /// What becomes of a try.
    enum Verdict: Sendable, Hashable {
        case go
        /// Too many tries; how many milliseconds to wait.
        case wait(milliseconds: Int64)
        /// Too many wait already.
        case full
    }

    /// A badge at a place, or in a crowd.
    struct Key: Sendable, Hashable {
        let badge: String
        let place: String

        init(_ badge: String, _ place: String) {
            self.badge = badge
            self.place = place
        }
    }

    private struct Bucket {
        /// Tries that were made and not yet forgotten, in milliseconds of ``Limits/placePace``.
        var level: Int64
        var at: Int64
    }

    private let limits: Limits
    private var places: [String: Bucket] = [:]
    private(set) var records: [Key: SignInRecord] = [:]
    private var unlocks: [String: Int64] = [:]
    private(set) var waiting = 0

    /// Begins with what is remembered: of badges at places, and how often each badge's lock was taken away by hand.
    init(_ limits: Limits = Limits(), records: [Key: SignInRecord] = [:], unlocks: [String: Int64] = [:]) {
        self.limits = limits
        self.records = records
        self.unlocks = unlocks
    }

    /// Asks for a try; `go` takes a place among those that wait, which ``done()`` gives back.
    ///
    /// `unlocks` is how often the badge's lock was taken away by hand; `uptime` never goes back, as the clock may.
    mutating func admit(
        badge: String, unlocks: Int64, place: SignInPlace, now: Int64, uptime: Int64
    ) -> Verdict {
        if let wait = take(place.text, uptime) { return .wait(milliseconds: wait) }
        if let wait = lock(badge, unlocks, place, now) { return .wait(milliseconds: wait) }
        let isStranger = place.crowd == .strangers && !isKnown(badge, place, now)
        guard waiting < (isStranger ? limits.waitingStrangers : limits.waiting) else { return .full }
        waiting += 1
        return .go
    }

    /// Gives the place back.
    mutating func done() { waiting -= 1 }

    /// How long a badge is locked at a place; nil where it is not. Asked again when its turn comes: others may have failed
    /// since.
    mutating func lock(_ badge: String, _ unlocks: Int64, _ place: SignInPlace, _ now: Int64) -> Int64? {
        if unlocks > self.unlocks[badge, default: 0] {
            self.unlocks[badge] = unlocks
            for key in records.keys where key.badge == badge { change(key) { $0.count = 0 } }
        }
        var until = settled(Key(badge, place.text), now, isCrowd: false)?.lockedUntil ?? 0
        if let crowd = place.crowd, !isKnown(badge, place, now) {
            until = max(until, settled(Key(badge, crowd.rawValue), now, isCrowd: true)?.crowdLockedUntil ?? 0)
        }
        return until > now ? until - now : nil
    }

    /// Whether the badge's owner signed in here before.
    func isKnown(_ badge: String, _ place: SignInPlace, _ now: Int64) -> Bool {
        place.crowd == nil || records[Key(badge, place.text)]?.isKnown(now) == true
    }

    /// Notes what a try came to; gives what is to be remembered from now on, nil for what is to be forgotten.
    mutating func note(
        badge: String, place: SignInPlace, isRight: Bool, now: Int64
    ) -> [Key: SignInRecord?] {
        let here = Key(badge, place.text)
        var changed: [Key] = [here]
        if isRight {
            if place.crowd == nil {
                records[here] = nil
            } else {
                records[here] = SignInRecord(count: 0, last: now, known: now)
                changed += forgetPlaces(of: badge, but: here, now)
            }
        } else {
            if records.count >= limits.memory { changed += forgetRecords() }
            // What a crowd has had is not given back by a right PIN: it would be a guesser's too.
            if let crowd = place.crowd, !isKnown(badge, place, now) {
                let key = Key(badge, crowd.rawValue)
                _ = settled(key, now, isCrowd: true)
                // The pace goes on from the wrong PIN that began it.
                var record = records[key] ?? SignInRecord(last: now)
                if record.count == 0 { record.last = now }
                record.count = min(record.count + 1, SignInRecord.crowdFree)
                records[key] = record
                changed.append(key)
            }
            _ = settled(here, now, isCrowd: false)
            var record = records[here] ?? SignInRecord()
            record.count += 1
            record.last = now
            records[here] = record
        }
        return Dictionary(changed.map { ($0, records[$0]) }, uniquingKeysWith: { first, _ in first })
    }

    private mutating func change(_ key: Key, _ body: (inout SignInRecord) -> Void) {
        guard var record = records[key] else { return }
        body(&record)
        records[key] = record.count == 0 && record.known == nil ? nil : record
    }

    private mutating func settled(_ key: Key, _ now: Int64, isCrowd: Bool) -> SignInRecord? {
        change(key) { $0.settle(now, isCrowd: isCrowd) }
        return records[key]
    }

    /// Takes one of a place's tries; else how long until there is one.
    private mutating func take(_ place: String, _ uptime: Int64) -> Int64? {
        if places.count >= limits.memory, places[place] == nil { forgetOldPlaces(uptime) }
        var bucket = places[place] ?? Bucket(level: 0, at: uptime)
        bucket.level = max(0, bucket.level - (uptime - bucket.at))
        bucket.at = uptime
        defer { places[place] = bucket }
        let room = limits.placeBurst * limits.placePace - bucket.level
        guard room >= limits.placePace else { return limits.placePace - room }
        bucket.level += limits.placePace
        return nil
    }

    private mutating func forgetOldPlaces(_ uptime: Int64) {
        places = places.filter { $0.value.level > uptime - $0.value.at }
        guard places.count >= limits.memory else { return }
        // So many at once are an attack: those that have tried least go first, and gain least.
        let middle = places.values.map(\.level).sorted()[places.count / 2]
        places = places.filter { $0.value.level > middle }
    }

    /// Keeps the places of a badge that were used last, this one among them; gives those that it lets go of.
    private mutating func forgetPlaces(of badge: String, but here: Key, _ now: Int64) -> [Key] {
        let others = records.filter { $0.key.badge == badge && $0.key != here && $0.value.known != nil }.keys
        // The clock may have been set back since: what it said then is no later than now.
        let known = others.map { (key: $0, known: settled($0, now, isCrowd: false)?.known ?? 0) }
            .sorted { ($0.known, $0.key.place) > ($1.known, $1.key.place) }
        let gone = known.dropFirst(limits.places - 1).map(\.key)
        for key in gone { change(key) { $0.known = nil } }
        return gone
    }

    private mutating func forgetRecords() -> [Key] {
        // Who has failed most is remembered longest: to be forgotten costs as many tries as there are others. Known places
        // are few, and stay.
        let strange = records.filter { $0.value.known == nil }
        guard strange.count >= limits.memory else { return [] }
        let sorted = strange.sorted { ($0.value.count, $0.value.last) < ($1.value.count, $1.value.last) }
        let gone = sorted.prefix(sorted.count / 2).map(\.key)
        for key in gone { records[key] = nil }
        return gone
    }
}
