import Testing

@testable import Hub

@Suite struct SignInGateTests {
    private static let hour: Int64 = 3_600_000

    private static func tryOnce(
        _ gate: inout SignInGate, _ badge: String, at now: Int64, from address: String = "a", unlocks: Int64 = 0,
        isRight: Bool = false
    ) -> SignInGate.Verdict {
        let verdict = gate.admit(badge: badge, unlocks: unlocks, address: address, now: now, uptime: now)
        if verdict == .go {
            _ = gate.note(badge: badge, isRight: isRight, now: now)
            gate.done()
        }
        return verdict
    }

    @Test func fourMayBeWrongAndThenTheWaitGrowsToAnHour() {
        var gate = SignInGate()
        var now: Int64 = 1_000_000
        for _ in 0..<4 { #expect(Self.tryOnce(&gate, "ann", at: now) == .go) }
        var waits: [Int64] = []
        for _ in 0..<10 {
            #expect(Self.tryOnce(&gate, "ann", at: now) == .go)
            guard case .wait(let wait) = gate.admit(badge: "ann", unlocks: 0, address: "a", now: now, uptime: now)
            else {
                Issue.record("not locked")
                return
            }
            waits.append(wait)
            #expect(Self.tryOnce(&gate, "ann", at: now + wait - 1) == .wait(milliseconds: 1))
            now += wait
        }
        #expect(waits.map { $0 / 1000 } == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
    }

    @Test func aRightPINEndsTheCount() {
        var gate = SignInGate()
        for _ in 0..<4 { _ = Self.tryOnce(&gate, "ann", at: 0) }
        #expect(Self.tryOnce(&gate, "ann", at: 0, isRight: true) == .go)
        #expect(gate.failures["ann"] == nil)
        for _ in 0..<4 { #expect(Self.tryOnce(&gate, "ann", at: 0) == .go) }
    }

    @Test func aLockIsOneBadgesOnly() {
        var gate = SignInGate()
        for _ in 0..<5 { _ = Self.tryOnce(&gate, "ann", at: 0) }
        #expect(Self.tryOnce(&gate, "ann", at: 0) == .wait(milliseconds: 30_000))
        #expect(Self.tryOnce(&gate, "bob", at: 0) == .go)
    }

    @Test func unlockingByHandEndsALockAlsoOfAnEarlierRun() {
        let failures = ["ann": SignInFailures(count: 9, last: 0)]
        var gate = SignInGate(failures: failures, unlocks: ["ann": 1])
        #expect(Self.tryOnce(&gate, "ann", at: 1000, unlocks: 1) != .go)
        #expect(Self.tryOnce(&gate, "ann", at: 1000, unlocks: 2) == .go)
        #expect(gate.failures["ann"]?.count == 1)
    }

    @Test func aClockThatIsSetBackLocksNobodyForYears() {
        var gate = SignInGate(failures: ["ann": SignInFailures(count: 5, last: 1_000_000_000_000)])
        guard case .wait(let wait) = Self.tryOnce(&gate, "ann", at: 1000) else {
            Issue.record("not locked")
            return
        }
        #expect(wait <= Self.hour)
    }

    @Test func afterADayNothingIsRemembered() {
        var gate = SignInGate(failures: ["ann": SignInFailures(count: 50, last: 0)])
        #expect(Self.tryOnce(&gate, "ann", at: 24 * Self.hour + 1) == .go)
        #expect(gate.failures["ann"]?.count == 1)
    }

    @Test func anAddressHasItsShareAndOthersHaveTheirs() {
        var gate = SignInGate()
        for number in 0..<30 { #expect(Self.tryOnce(&gate, "b\(number)", at: 0, from: "x", isRight: true) == .go) }
        #expect(Self.tryOnce(&gate, "b", at: 0, from: "x") == .wait(milliseconds: 2000))
        #expect(Self.tryOnce(&gate, "b", at: 0, from: "y", isRight: true) == .go)
        #expect(Self.tryOnce(&gate, "b", at: 1999, from: "x") == .wait(milliseconds: 1))
        #expect(Self.tryOnce(&gate, "b", at: 2000, from: "x", isRight: true) == .go)
        #expect(Self.tryOnce(&gate, "b", at: 2000, from: "x") == .wait(milliseconds: 2000))
    }

    @Test func onlySoManyWaitForScrypt() {
        var gate = SignInGate()
        for number in 0..<64 {
            #expect(gate.admit(badge: "b", unlocks: 0, address: "\(number)", now: 0, uptime: 0) == .go)
        }
        #expect(gate.admit(badge: "b", unlocks: 0, address: "z", now: 0, uptime: 0) == .full)
        gate.done()
        #expect(gate.admit(badge: "b", unlocks: 0, address: "z", now: 0, uptime: 0) == .go)
        #expect(gate.waiting == 64)
    }

    @Test func memoryStaysBoundedAndThoseWhoFailedMostStayInIt() {
        var limits = SignInGate.Limits()
        limits.memory = 100
        var gate = SignInGate(limits)
        for _ in 0..<5 { _ = Self.tryOnce(&gate, "ann", at: 0, from: "home") }
        for number in 0..<1000 { _ = Self.tryOnce(&gate, "guess\(number)", at: 1, from: "from\(number)") }
        #expect(gate.failures.count <= 100)
        #expect(Self.tryOnce(&gate, "ann", at: 2, from: "other") != .go)
    }
}
