import Basics
import Counting
import DataStore
import Models
import System
import Testing
import WarehouseModels

@testable import InventoryControl

@Suite struct DeskTests {
    @Test func aBlindReleaseMakesTasksAndShowsNothingInAdvance() throws {
        let floor = try Floor()
        let session = try floor.release()
        #expect(try floor.session(session)?.state == .released)
        #expect(try floor.all(BinTask.self).map(\.binCode).sorted() == ["B-1", "B-2", "B-3"])
        #expect(try floor.all(ExpectedLine.self).isEmpty)
    }

    @Test func semiBlindShowsItemsAndGuidedAlsoQuantities() throws {
        let semi = try Floor()
        _ = try semi.release("SEMI_BLIND")
        #expect(try semi.all(ExpectedLine.self).map(\.quantity) == [nil, nil, nil])
        let guided = try Floor()
        _ = try guided.release("GUIDED")
        #expect(try guided.all(ExpectedLine.self).map(\.quantity) == [100, 100, 100])
    }

    @Test func aGuidedWallToWallAndABinInASecondBlindCountAreRefused() throws {
        let floor = try Floor()
        _ = try floor.release("GUIDED", kind: "WALL")
        #expect(try floor.decision("S1-1").result == .refused)
        _ = try floor.release()
        _ = try floor.release()
        #expect(try floor.decision("S1-3").resultText?.contains("B-1") == true)
    }

    @Test func aLargeReleaseIsResumedAfterACrashAtEveryStep() throws {
        let whole = try Floor(bins: 1203)
        _ = try whole.release("SEMI_BLIND")
        let broken = try Floor(bins: 1203)
        broken.crashes = true
        _ = try broken.release("SEMI_BLIND")
        #expect(try whole.all(BinTask.self).count == 1203)
        #expect(try whole.all(BinTask.self).map(\.record) == broken.all(BinTask.self).map(\.record))
        #expect(try whole.all(TaskPlan.self).count == broken.all(TaskPlan.self).count)
        #expect(try broken.all(CountSession.self).map(\.state) == [.released])
    }

    @Test func aCleanCountIsAcceptedAndTheTaskIsCounted() throws {
        let floor = try Floor()
        let session = try floor.release()
        try floor.count("b1", 100, by: "ann", session: session)
        let verdict = try #require(try floor.verdict("b1"))
        #expect(verdict.state == .ACCEPTED && verdict.finding == .CLEAN && verdict.revision == 1)
        #expect(try floor.session(session)?.state == .counting)
        #expect(try floor.all(BinTask.self).first { $0.binID == "b1" }?.state == .counted)
    }

    @Test func twoCountsOfTheSameBinAreComparedAndNeverAdded() throws {
        let floor = try Floor()
        let session = try floor.release()
        try floor.count("b1", 23, by: "ann", session: session)
        try floor.count("b1", 23, by: "bob", session: session)
        let verdict = try #require(try floor.verdict("b1"))
        #expect(verdict.counted == 23)
        #expect(verdict.state == .TO_DECIDE)
    }

    @Test func aHelperAddsUp() throws {
        let floor = try Floor()
        let session = try floor.release()
        let ann = try floor.count("b1", 60, by: "ann", session: session)
        try floor.count("b1", 40, by: "bob", session: session, helps: ann)
        #expect(try floor.verdict("b1")?.counted == 100)
        #expect(try floor.verdict("b1")?.state == .ACCEPTED)
    }

    @Test func anErrorIsOverturnedThoughAPickLiesBetween() throws {
        let floor = try Floor(frozen: false)
        let session = try floor.release()
        try floor.core.write(as: nil) {
            try $0.save(
                StockMovement(
                    id: "m", binID: "b1", itemID: "i", quantity: -10, state: .BOOKED,
                    openedAt: morning.advanced(by: 1_800_000), bookedAt: morning.advanced(by: 1_800_000),
                    document: "8000417", source: "test"))
        }
        try floor.count("b1", 90, by: "ann", session: session, at: morning)
        #expect(try floor.verdict("b1")?.state == .RECOUNT)
        let recount = try #require(try floor.all(BinTask.self).first { $0.binID == "b1" && $0.state == .todo })
        #expect(recount.notForIDs == ["ann"])
        try floor.count("b1", 90, by: "bob", session: session, at: morning.advanced(by: 3_600_000))
        let verdict = try #require(try floor.verdict("b1"))
        #expect(verdict.variance == 0 && verdict.counted == 90 && verdict.bookAtCount == 90)
        #expect(verdict.standingPassID?.contains("bob") == true)
    }

    @Test func aBookLineThatComesAfterTheCountIsJudgedAgainst() throws {
        let floor = try Floor()
        let session = try floor.release()
        try floor.core.write(as: nil) { try $0.delete(BookLine.self, id: "l1") }
        try floor.count("b1", 100, by: "ann", session: session)
        #expect(try floor.verdict("b1")?.variance != 0)
        try floor.core.write(as: nil) {
            try $0.save(BookLine(id: "l1", snapshotID: "book", binID: "b1", itemID: "i", quantity: 100))
        }
        try floor.run()
        #expect(try floor.verdict("b1")?.variance == 0)
    }

    @Test func halfAPassGivesNoVerdict() throws {
        let floor = try Floor()
        let session = try floor.release()
        try floor.count("b1", 100, by: "ann", session: session, withoutFirst: true)
        #expect(try floor.verdict("b1")?.finding == .INCOMPLETE)
        #expect(try floor.verdict("b1")?.guess?.contains("T-ann") == true)
        try floor.core.write(as: nil) { tx in
            floor.sequences["T-ann"] = 1
            try tx.save(floor.entry(.TALLY, "T-ann-P0", "T-ann", "ann", session, 100, morning))
        }
        try floor.run()
        #expect(try floor.verdict("b1")?.state == .ACCEPTED)
    }

    @Test func approvalIsRefusedForAChangedLineAndForWhoCounted() throws {
        let floor = try Floor()
        let session = try floor.release()
        try floor.count("b1", 90, by: "ann", session: session)
        let line = try #require(try floor.verdict("b1"))
        let old = try floor.decide(.approve, session: session, [(line.id, line.revision + 5)])
        #expect(try floor.decision(old).result == .refused)
        let own = try floor.decide(.approve, session: session, [(line.id, line.revision)], by: "ann")
        #expect(try floor.decision(own).resultText?.contains("cannot approve") == true)
        let good = try floor.decide(.approve, session: session, [(line.id, line.revision)])
        #expect(try floor.decision(good).result == .done)
        #expect(try floor.verdict("b1")?.decisionID == good)
    }

    @Test func aRecountToWhoWasThereIsRefusedAndAnOverrideIsNot() throws {
        let floor = try Floor()
        let session = try floor.release()
        for (person, count) in [("ann", 90), ("bob", 80), ("cara", 70)] {
            try floor.count("b1", Decimal3(count), by: person, session: session)
        }
        let line = try #require(try floor.verdict("b1"))
        #expect(line.state == .TO_DECIDE)
        let same = try floor.decide(.recount, session: session, [(line.id, line.revision)], to: "bob")
        #expect(try floor.decision(same).result == .refused)
        #expect(try floor.decision(same).resultText == "bob counted, helped or stood beside there")
        #expect(try floor.verdict("b1") == line)
        let other = try floor.decide(.recount, session: session, [(line.id, line.revision)], to: "dan")
        #expect(try floor.decision(other).result == .done)
        let task = try #require(try floor.all(BinTask.self).first { $0.binID == "b1" && $0.state == .todo })
        #expect(task.assigneeID == "dan" && task.notForIDs.sorted() == ["ann", "bob", "cara"])
        let bare = try floor.decide(.override, session: session, [(task.id, 0)], to: "bob")
        #expect(try floor.decision(bare).result == .refused)
        let again = try floor.decide(.override, session: session, [(task.id, 0)], to: "bob", reason: "alone tonight")
        #expect(try floor.decision(again).result == .done)
        let freed = try #require(try floor.all(BinTask.self).first { $0.id == task.id })
        #expect(freed.assigneeID == "bob" && freed.notForIDs.sorted() == ["ann", "cara"])
    }

    @Test func ofSeveralLinesTheRefusedOnesAreNamedByBinAndItem() throws {
        let floor = try Floor()
        let session = try floor.release()
        for bin in ["b1", "b2"] {
            for person in ["ann", "bob"] { try floor.count(bin, 90, by: person, session: session) }
        }
        let lines = try floor.all(LineVerdict.self).filter { $0.state == .TO_DECIDE }
        let both = try floor.decide(.approve, session: session, [(lines[0].id, lines[0].revision), (lines[1].id, 9)])
        let answer = try floor.decision(both)
        let bin = try #require(try floor.all(Bin.self).first { $0.id == lines[1].binID })
        #expect(answer.result == .done)
        #expect(answer.resultText?.hasPrefix("1 of 2; \(bin.code) =4711: the line changed") == true)
    }

    @Test func aForgedDecisionIsRefusedAndShown() throws {
        let floor = try Floor()
        let forged = try floor.decide(.release, text: "{}", forged: true)
        #expect(try floor.decision(forged).result == .refused)
        #expect(try floor.all(Message.self).contains { $0.kind == .ALERT && $0.aboutID == forged })
    }

    @Test func closingNamesAllThatStandsAgainstIt() throws {
        let floor = try Floor()
        let session = try floor.release()
        try floor.count("b1", 100, by: "ann", session: session)
        try floor.decide(.stop, session: session)
        let early = try floor.decide(.close, session: session)
        #expect(try floor.decision(early).resultText == "terminal T-ann never reported; 2 bins are not accounted for")
        try floor.count("b2", 100, by: "ann", session: session)
        try floor.count("b3", 100, by: "ann", session: session)
        try floor.core.write(as: nil) {
            try $0.save(
                Device(
                    id: "T-ann", code: "T-ann", kind: .terminal, lastSequence: 6, unsent: 0, parked: 0, beatAt: morning,
                    version: "1", checkedOutAt: morning))
        }
        let late = try floor.decide(.close, session: session)
        #expect(try floor.decision(late).result == .done)
        #expect(try floor.session(session)?.state == .closed)
        try floor.count("b1", 7, by: "bob", session: session)
        #expect(try floor.verdict("b1")?.counted == 100)
    }

    @Test(arguments: ["another", nil])
    func aTerminalThatIsThereAgainIsWaitedForAgainWhicheverCountItWasLostUnder(_ another: String?) throws {
        let floor = try Floor(bins: 1)
        let session = try floor.release()
        try floor.count("b1", 100, by: "ann", session: session)
        try floor.decide(.stop, session: session)
        func beat(_ moment: DateTime, offset: Int? = nil) throws {
            try floor.core.write(as: nil) {
                try $0.save(
                    Device(
                        id: "T-ann", code: "T-ann", kind: .terminal, lastSequence: 9, unsent: 3, parked: 0,
                        beatAt: moment, clockOffsetMs: offset, version: "1"))
            }
        }
        // Its clock is weeks ahead, which it knows.
        let ahead: Int64 = 20 * 86_400_000
        try beat(floor.now.advanced(by: ahead), offset: Int(-ahead))
        floor.now = morning.advanced(by: 60_000)
        try floor.decide(.device_lost, session: session, [("T-ann", 0)])
        floor.now = morning.advanced(by: 120_000)
        try beat(floor.now.advanced(by: ahead), offset: Int(-ahead))
        let back = try floor.decide(.close, session: session)
        #expect(try floor.decision(back).resultText == "terminal T-ann has not checked out")
        floor.now = morning.advanced(by: 180_000)
        // No list shows it again, so that this holds for every count.
        try floor.decide(.device_lost, session: another, [("T-ann", 0)])
        let gone = try floor.decide(.close, session: session)
        #expect(try floor.decision(gone).result == .done)
    }

    @Test func aRecountByTheSamePersonIsNoneUnlessASupervisorSentHim() throws {
        let floor = try Floor()
        let session = try floor.release()
        for _ in 0..<2 { try floor.count("b1", 90, by: "ann", session: session) }
        #expect(try floor.verdict("b1")?.state == .RECOUNT)
        let task = try #require(try floor.all(BinTask.self).first { $0.binID == "b1" && $0.state == .todo })
        #expect(task.notForIDs == ["ann"])
        try floor.decide(.override, session: session, [(task.id, 0)], to: "ann", reason: "alone tonight")
        try floor.count("b1", 90, by: "ann", session: session, task: task.id)
        #expect(try floor.verdict("b1")?.state == .TO_DECIDE)
    }

    @Test func whatAGuidedCountShowedOfTheBookEndsWithIt() throws {
        let floor = try Floor(bins: 450)
        let session = try floor.release("GUIDED")
        #expect(try floor.all(ExpectedLine.self).count { $0.quantity == 100 } == 450)
        try floor.decide(.cancel, session: session)
        #expect(try floor.all(ExpectedLine.self).allSatisfy { $0.quantity == nil })
    }

    @Test func aBlindCountBeginsOnceNoTerminalShowsTheBook() throws {
        let floor = try Floor(bins: 450)
        let session = try floor.release("GUIDED")
        try floor.write(.cancel, session: session)
        // The desk ends between the act and what follows of it.
        _ = try floor.step()
        floor.desk = Desk(code: "DESK", sha256: hex, isAlone: true)
        let text: JSONValue = ["name": "Count", "kind": "AUDIT", "visibility": "BLIND", "zones": []]
        try floor.write(.release, text: text.text)
        for _ in 0..<100 where try floor.all(SessionPlan.self).count == 1 { _ = try floor.step() }
        #expect(try floor.all(SessionPlan.self).count == 2)
        #expect(try floor.all(ExpectedLine.self).allSatisfy { $0.quantity == nil })
        try floor.run()
        #expect(try floor.all(CountSession.self).contains { $0.visibility == .BLIND && $0.state == .released })
    }

    @Test func aSecondDeskStandsByUntilTheFirstIsSilent() throws {
        let floor = try Floor()
        try floor.run()
        var other = Desk(code: "AAA", sha256: hex, isAlone: true)
        floor.now = morning.advanced(by: 10_000)
        let first = try floor.core.write(as: nil) { try other.step(in: $0, now: floor.now) }
        #expect(first.leader == "DESK")
        floor.now = morning.advanced(by: 100_000)
        let second = try floor.core.write(as: nil) { try other.step(in: $0, now: floor.now) }
        #expect(second.leader == nil)
    }
}
