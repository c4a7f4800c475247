import Basics
import Testing

@testable import SyncEngine

@Suite("The clock's offset")
struct ClockOffsetTests {
    @Test("is measured against the middle of the round trip")
    func middle() {
        var clock = ClockOffset()
        #expect(clock.milliseconds(uptime: 0, wall: 0) == nil)
        clock.measure(server: 10_050, sentAt: 1_000, uptime: 1_100, wall: 5_100)
        #expect(clock.milliseconds(uptime: 1_100, wall: 5_100) == 5_000)
    }

    @Test("believes the shortest round trip, for ten minutes")
    func shortest() {
        var clock = ClockOffset()
        clock.measure(server: 1_010, sentAt: 0, uptime: 20, wall: 20)
        clock.measure(server: 3_900, sentAt: 1_000, uptime: 2_000, wall: 2_000)
        #expect(clock.milliseconds(uptime: 2_000, wall: 2_000) == 1_000)
        clock.measure(server: 702_900, sentAt: 700_000, uptime: 701_000, wall: 701_000)
        #expect(clock.milliseconds(uptime: 701_000, wall: 701_000) == 2_400)
    }

    @Test("moves against a jump of the wall clock, before and after the next measure")
    func jump() {
        var clock = ClockOffset()
        clock.measure(server: 1_010, sentAt: 0, uptime: 20, wall: 20)
        #expect(clock.milliseconds(uptime: 500, wall: 500 + 3_600_000) == 1_000 - 3_600_000)
        clock.measure(server: 2_000, sentAt: 900, uptime: 1_100, wall: 1_100 + 3_600_000)
        #expect(clock.milliseconds(uptime: 1_100, wall: 1_100 + 3_600_000) == 1_000 - 3_600_000)
    }

    @Test("is kept again only where it says something else, or after a minute")
    func keeping() throws {
        var clock = ClockOffset()
        clock.measure(server: 1_001, sentAt: 0, uptime: 2, wall: 2)
        let kept = clock.takeToKeep(in: "boot")
        let text = try #require(kept)
        var again = try #require(ClockOffset(text, boot: "boot", uptime: 10))
        again.measure(server: 1_013, sentAt: 10, uptime: 12, wall: 12)
        let same = again.takeToKeep(in: "boot")
        #expect(same == nil)
        again.measure(server: 1_101, sentAt: 20, uptime: 22, wall: 22)
        let other = again.takeToKeep(in: "boot")
        #expect(other != nil)
        again.measure(server: 70_081, sentAt: 70_000, uptime: 70_002, wall: 70_002)
        let later = again.takeToKeep(in: "boot")
        #expect(later != nil)
    }
}

@Suite("Deadlines")
struct DeadlinesTests {
    @Test("wake for the earliest and set no timer that is not needed")
    func timer() {
        var deadlines = Deadlines()
        #expect(deadlines.timer(now: 0) == nil)
        deadlines.set(.connection, at: 100)
        #expect(deadlines.timer(now: 0) == 100)
        deadlines.set(.outbox, at: 200)
        #expect(deadlines.timer(now: 0) == nil)
        deadlines.set(.connection, at: 300)
        #expect(deadlines.timer(now: 50) == nil)
        deadlines.set(.pull, at: 60)
        #expect(deadlines.timer(now: 50) == 10)
        #expect(deadlines.takeDue(now: 60) == [.pull])
        #expect(deadlines.takeDue(now: 60) == [])
        #expect(deadlines.timer(now: 60) == 140)
        #expect(deadlines.takeDue(now: 1_000) == [.outbox, .connection])
    }
}
