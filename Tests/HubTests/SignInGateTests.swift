import Testing

@testable import Hub

@Suite struct SignInGateTests {
    private static let hour: Int64 = 3_600_000
    private static let terminal = SignInPlace(
        terminal: Caller(groups: ["counters"], device: "T1", source: .storedKey("k1"), fingerprint: "f"))
    private static let otherTerminal = SignInPlace(
        terminal: Caller(groups: ["counters"], device: "T2", source: .storedKey("k2"), fingerprint: "g"))

    private static func tryOnce(
        _ gate: inout SignInGate, _ badge: String, at now: Int64, from address: String = "10.0.0.1",
        unlocks: Int64 = 0, isRight: Bool = false
    ) -> SignInGate.Verdict {
        tryOnce(
            &gate, badge, at: now, in: SignInPlace(address: address), unlocks: unlocks, isRight: isRight)
    }

    private static func tryOnce(
        _ gate: inout SignInGate, _ badge: String, at now: Int64, in place: SignInPlace, unlocks: Int64 = 0,
        isRight: Bool = false
    ) -> SignInGate.Verdict {
        let verdict = gate.admit(badge: badge, unlocks: unlocks, place: place, now: now, uptime: now)
        if verdict == .go {
            _ = gate.note(badge: badge, place: place, isRight: isRight, now: now)
            gate.done()
        }
        return verdict
    }

    /// Guesses as often as the gate lets, until a time; gives how often that was. After each failure it asks at once
    /// whether it may go on, as a guesser does.
    private static func guess(
        _ gate: inout SignInGate, _ badge: String, from begin: Int64 = 0, until end: Int64, in places: [SignInPlace]
    ) -> Int {
        var count = 0
        var now = begin
        while now < end {
            var next = end
            for place in places {
                while gate.lock(badge, 0, place, now) == nil {
                    _ = gate.note(badge: badge, place: place, isRight: false, now: now)
                    count += 1
                }
                next = min(next, now + (gate.lock(badge, 0, place, now) ?? 0))
            }
            now = next
        }
        return count
    }

    private static func addresses(_ count: Int) -> [SignInPlace] {
        (0..<count).map { SignInPlace(address: "10.1.\($0 / 200).\($0 % 200)") }
    }

    @Test func fourMayBeWrongAndThenTheWaitGrowsToAnHour() {
        var gate = SignInGate()
        var now: Int64 = 1_000_000
        for _ in 0..<4 { #expect(Self.tryOnce(&gate, "ann", at: now) == .go) }
        var waits: [Int64] = []
        for _ in 0..<10 {
            #expect(Self.tryOnce(&gate, "ann", at: now) == .go)
            guard let wait = gate.lock("ann", 0, SignInPlace(address: "10.0.0.1"), now) else {
                Issue.record("not locked")
                return
            }
            waits.append(wait)
            #expect(Self.tryOnce(&gate, "ann", at: now + wait - 1) == .wait(milliseconds: 1))
            now += wait
        }
        #expect(waits.map { $0 / 1000 } == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
    }

    @Test func aRightPINEndsTheCountWhereItIsGiven() {
        var gate = SignInGate()
        for _ in 0..<4 { _ = Self.tryOnce(&gate, "ann", at: 0) }
        #expect(Self.tryOnce(&gate, "ann", at: 0, isRight: true) == .go)
        #expect(gate.records[.init("ann", "address 10.0.0.1")]?.count == 0)
        for _ in 0..<4 { #expect(Self.tryOnce(&gate, "ann", at: 0) == .go) }
    }

    @Test func aLockIsOneBadgesOnly() {
        var gate = SignInGate()
        for _ in 0..<5 { _ = Self.tryOnce(&gate, "ann", at: 0) }
        #expect(Self.tryOnce(&gate, "ann", at: 0) == .wait(milliseconds: 30_000))
        #expect(Self.tryOnce(&gate, "bob", at: 0) == .go)
    }

    // MARK: Whoever guesses shuts out himself

    @Test func whoeverGuessesFromOneAddressLocksThatAddressAndNobodyElse() {
        var gate = SignInGate()
        _ = Self.guess(&gate, "ann", until: 30 * 24 * Self.hour, in: Self.addresses(1))
        let now = 30 * 24 * Self.hour
        // Not even where she never was before.
        #expect(Self.tryOnce(&gate, "ann", at: now, from: "10.0.0.9", isRight: true) == .go)
        #expect(Self.tryOnce(&gate, "ann", at: now, in: Self.terminal, isRight: true) == .go)
    }

    @Test func whoeverGuessesFromEverywhereLocksNobodyWhereHeSignedInBefore() {
        var gate = SignInGate()
        let kept = SignInPlace(signedIn: 5000)
        #expect(Self.tryOnce(&gate, "ann", at: 0, from: "10.0.0.9", isRight: true) == .go)
        #expect(Self.tryOnce(&gate, "ann", at: 0, in: Self.terminal, isRight: true) == .go)
        let now = 2 * 24 * Self.hour
        _ = Self.guess(&gate, "ann", until: now + 1, in: Self.addresses(100))
        #expect(Self.tryOnce(&gate, "ann", at: now, from: "10.0.0.8") != .go, "a new place waits")
        #expect(Self.tryOnce(&gate, "ann", at: now, from: "10.0.0.9", isRight: true) == .go)
        #expect(Self.tryOnce(&gate, "ann", at: now, in: Self.terminal, isRight: true) == .go)
        #expect(Self.tryOnce(&gate, "ann", at: now, in: kept, isRight: true) == .go)
        // Strangers without a key do not shut out a terminal that never saw her either.
        #expect(Self.tryOnce(&gate, "ann", at: now, in: Self.otherTerminal, isRight: true) == .go)
        // At each of these places her own wrong PINs count as everywhere.
        for place in [Self.terminal, kept, SignInPlace(address: "10.0.0.9")] {
            for _ in 0..<5 { #expect(Self.tryOnce(&gate, "ann", at: now, in: place) == .go) }
            #expect(Self.tryOnce(&gate, "ann", at: now, in: place) == .wait(milliseconds: 30_000))
        }
    }

    @Test func guessingStaysHopelessHoweverManyAddressesAndTakenKeysThereAre() {
        let days: Int64 = 10
        let end = days * 24 * Self.hour
        var gate = SignInGate()
        #expect(Self.guess(&gate, "ann", until: end, in: Self.addresses(1)) <= Int(days) * 24 + 12)
        gate = SignInGate()
        #expect(Self.guess(&gate, "ann", until: end, in: Self.addresses(60)) <= Int(days) * 24 + 24)
        gate = SignInGate()
        let keys = (0..<40).map {
            SignInPlace(terminal: Caller(groups: ["counters"], source: .storedKey("taken\($0)")))
        }
        #expect(Self.guess(&gate, "ann", until: end, in: keys) <= Int(days) * 24 + 24)
        // A right PIN in between, of her own, gives the crowd nothing back.
        var now = end
        var count = 0
        while now < 2 * end {
            #expect(gate.note(badge: "ann", place: Self.otherTerminal, isRight: true, now: now).count == 1)
            count += Self.guess(&gate, "ann", from: now, until: now + 6 * Self.hour, in: keys)
            now += 6 * Self.hour
        }
        #expect(count <= Int(days) * 24 + 24)
    }

    @Test func aKeyThatNamesAnotherTerminalForEachTryIsOnePlace() {
        let places = (0..<3).map {
            SignInPlace(terminal: Caller(groups: [], device: "T\($0)", fingerprint: "same"))
        }
        #expect(Set(places).count == 1)
        // The hosts of one IPv6 network are one place, for one machine has very many.
        #expect(SignInPlace(address: "2001:db8:1:2:3::9") == SignInPlace(address: "2001:db8:1:2:ffff::1"))
        #expect(SignInPlace(address: "2001:db8:1:2:3::9") != SignInPlace(address: "2001:db8:1:3:3::9"))
    }

    @Test func onlyTheLastPlacesOfABadgeAreKnownAndOnlyForAWhile() {
        var limits = SignInGate.Limits()
        limits.places = 3
        var gate = SignInGate(limits)
        for (index, place) in Self.addresses(5).enumerated() {
            #expect(Self.tryOnce(&gate, "ann", at: Int64(index), in: place, isRight: true) == .go)
        }
        #expect(Self.addresses(5).map { gate.isKnown("ann", $0, 10) } == [false, false, true, true, true])
        #expect(!gate.isKnown("bob", Self.addresses(5)[4], 10))
        #expect(!gate.isKnown("ann", Self.addresses(5)[4], 91 * 24 * Self.hour))
    }

    @Test func aRightPINAfterTheClockWasSetBackMakesItsPlaceKnownToo() {
        var gate = SignInGate()
        let places = Self.addresses(9)
        for place in places.prefix(8) {
            #expect(Self.tryOnce(&gate, "ann", at: 24 * Self.hour, in: place, isRight: true) == .go)
        }
        let changed = gate.note(badge: "ann", place: places[8], isRight: true, now: 1000)
        #expect(changed.count == 2, "it and the one that is let go of")
        #expect(gate.isKnown("ann", places[8], 1000))
        #expect(places.filter { gate.isKnown("ann", $0, 1000) }.count == 8)
    }

    // MARK: Time, memory, queue

    @Test func unlockingByHandEndsALockAlsoOfAnEarlierRunAndLeavesPlacesKnown() {
        let here = SignInGate.Key("ann", "address 10.0.0.1")
        let all = SignInGate.Key("ann", "all other addresses")
        var gate = SignInGate(
            records: [here: SignInRecord(count: 9, last: 0, known: 0), all: SignInRecord(count: 24, last: 0)],
            unlocks: ["ann": 1])
        #expect(Self.tryOnce(&gate, "ann", at: 1000, unlocks: 1) != .go)
        #expect(Self.tryOnce(&gate, "ann", at: 1000, from: "10.0.0.2", unlocks: 1) != .go)
        #expect(Self.tryOnce(&gate, "ann", at: 1000, unlocks: 2) == .go)
        #expect(gate.records[here]?.count == 1)
        #expect(gate.records[here]?.known == 0)
        #expect(Self.tryOnce(&gate, "ann", at: 1000, from: "10.0.0.2", unlocks: 2) == .go)
    }

    @Test func aClockThatIsSetBackLocksNobodyForYears() {
        for place in ["address 10.0.0.1", "all other addresses"] {
            var gate = SignInGate(
                records: [.init("ann", place): SignInRecord(count: 24, last: 1_000_000_000_000)])
            guard case .wait(let wait) = Self.tryOnce(&gate, "ann", at: 1000) else {
                Issue.record("not locked")
                return
            }
            #expect(wait <= Self.hour)
        }
    }

    @Test func afterADayNothingIsRemembered() {
        var gate = SignInGate(records: [
            .init("ann", "address 10.0.0.1"): SignInRecord(count: 50, last: 0),
            .init("ann", "all other addresses"): SignInRecord(count: 24, last: 0),
        ])
        #expect(Self.tryOnce(&gate, "ann", at: 24 * Self.hour + 1) == .go)
        #expect(gate.records.values.map(\.count) == [1, 1])
    }

    @Test func aPlaceHasItsShareAndOthersHaveTheirs() {
        var gate = SignInGate()
        for number in 0..<30 {
            #expect(Self.tryOnce(&gate, "b\(number)", at: 0, from: "10.0.0.3", isRight: true) == .go)
        }
        #expect(Self.tryOnce(&gate, "b", at: 0, from: "10.0.0.3") == .wait(milliseconds: 2000))
        #expect(Self.tryOnce(&gate, "b", at: 0, from: "10.0.0.4", isRight: true) == .go)
        // A terminal behind the same router has its own.
        #expect(Self.tryOnce(&gate, "b", at: 0, in: Self.terminal, isRight: true) == .go)
        #expect(Self.tryOnce(&gate, "b", at: 1999, from: "10.0.0.3") == .wait(milliseconds: 1))
        #expect(Self.tryOnce(&gate, "b", at: 2000, from: "10.0.0.3", isRight: true) == .go)
        #expect(Self.tryOnce(&gate, "b", at: 2000, from: "10.0.0.3") == .wait(milliseconds: 2000))
    }

    @Test func onlySoManyWaitForScryptAndStrangersNeverTakeAllPlaces() {
        var gate = SignInGate()
        func admit(_ place: SignInPlace) -> SignInGate.Verdict {
            gate.admit(badge: "b", unlocks: 0, place: place, now: 0, uptime: 0)
        }
        for place in Self.addresses(48) { #expect(admit(place) == .go) }
        #expect(admit(SignInPlace(address: "10.0.0.9")) == .full)
        for _ in 0..<16 { #expect(admit(Self.terminal) == .go) }
        #expect(admit(Self.otherTerminal) == .full)
        gate.done()
        #expect(admit(SignInPlace(address: "10.0.0.9")) == .full)
        #expect(admit(Self.otherTerminal) == .go)
        #expect(gate.waiting == 64)
    }

    @Test func whatIsForgottenIsToBeForgottenWhereItIsKeptToo() {
        var limits = SignInGate.Limits()
        limits.memory = 100
        var gate = SignInGate(limits)
        var kept: Set<SignInGate.Key> = []
        for (number, place) in Self.addresses(500).enumerated() {
            for (key, record) in gate.note(badge: "guess\(number)", place: place, isRight: false, now: 1) {
                if record == nil { kept.remove(key) } else { kept.insert(key) }
            }
        }
        #expect(kept == Set(gate.records.keys))
        #expect(kept.count <= 103)
    }

    @Test func memoryStaysBoundedAndThoseWhoFailedMostStayInIt() {
        var limits = SignInGate.Limits()
        limits.memory = 100
        var gate = SignInGate(limits)
        for _ in 0..<5 { _ = Self.tryOnce(&gate, "ann", at: 0, from: "10.0.0.5") }
        #expect(Self.tryOnce(&gate, "eve", at: 0, from: "10.0.0.6", isRight: true) == .go)
        for (number, place) in Self.addresses(1000).enumerated() {
            _ = Self.tryOnce(&gate, "guess\(number)", at: 1, in: place)
        }
        #expect(gate.records.count <= 103)
        #expect(Self.tryOnce(&gate, "ann", at: 2, from: "10.0.0.5") != .go)
        #expect(gate.isKnown("eve", SignInPlace(address: "10.0.0.6"), 2))
    }
}
