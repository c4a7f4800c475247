import Basics
import DataStore
import Models
import Testing
import WarehouseModels

@testable import InventoryControl

@Suite struct LeaseTests {
    @Test(arguments: ["A", "B"])
    func ofTwoDesksThatStartWithinOneRoundTripOneWorks(_ first: String) throws {
        let two = try TwoDesks("A", "B")
        let second = first == "A" ? "B" : "A"
        // Neither knows of the other, and neither works before the server's word.
        #expect(try two.working() == [])
        try two.send(first)
        try two.send(second)
        #expect(try two.working() == [])
        try two.answer()
        #expect(try two.working() == [first])
        try two.exchange()
        #expect(try two.working() == [first])
        #expect(two.lease?.holder == first)
        #expect(try two.members.values.allSatisfy { try $0.core.read { try $0.outbox(state: .parked) }.isEmpty })
    }

    @Test func aHolderThatRenewsStaysAndTheOtherStandsBy() throws {
        let two = try TwoDesks("A", "B")
        _ = try two.step("A")
        try two.exchange()
        for _ in 0..<20 {
            #expect(try two.working() == ["A"])
            try two.exchange()
            two.now = two.now.advanced(by: 10_000)
        }
        #expect((two.lease?.beat ?? 0) > 5)
    }

    @Test func aDeadDesksLeaseIsTakenOverOnceByOneOfTwo() throws {
        let two = try TwoDesks("A", "B", "C")
        _ = try two.step("A")
        try two.exchange()
        _ = try two.working()
        try two.exchange()
        // A dies. The others watch its lease by their own clocks, for the whole time.
        two.members["A"] = nil
        two.now = two.now.advanced(by: Desk.leaseTime - 1)
        #expect(try two.working() == [])
        two.now = two.now.advanced(by: 1)
        #expect(try two.working() == [])
        try two.send("C")
        try two.send("B")
        try two.answer()
        #expect(try two.working() == ["C"])
        #expect(two.lease?.holder == "C")
    }

    @Test func aDeskThatHearsNothingStopsBeforeItIsTakenOver() throws {
        let two = try TwoDesks("A", "B")
        _ = try two.step("A")
        try two.exchange()
        #expect(try two.working() == ["A"])
        // A's link is cut: its renewals never arrive.
        for _ in 0..<12 {
            two.now = two.now.advanced(by: 5000)
            let working = try two.working()
            #expect(working.count <= 1)
            try two.send("B")
            try two.answer()
        }
        #expect(try two.working() == ["B"])
        // Its late renewal is refused, and it stands by.
        try two.exchange()
        #expect(try two.working() == ["B"])
        #expect(try two.step("A") == "B")
    }

    @Test func aClockThatIsWrongTakesNothingOver() throws {
        let two = try TwoDesks("A", "B")
        _ = try two.step("A")
        try two.exchange()
        two.now = morning.advanced(by: 3_600_000)
        #expect(try two.step("B") == "A")
    }

    @Test func aDeskThatStartsAgainWorksOnWithItsOwnLease() throws {
        let two = try TwoDesks("A", "B")
        _ = try two.step("A")
        try two.exchange()
        #expect(try two.working() == ["A"])
        two.crash("A")
        // What is left of its earlier life is only as good as its renewal.
        #expect(try two.working() == [])
        try two.exchange()
        #expect(try two.working() == ["A"])
    }

    @Test func whatTwoDesksMakeOfTheSameWorkIsTheSame() throws {
        let floors = try ["DESK", "OTHER"].map { code in
            let floor = try Floor(connectors: [.csv(directory: "/nowhere")])
            floor.desk = Desk(code: code, connectors: floor.connectors, sha256: hex, isAlone: true)
            let session = try floor.release()
            try floor.count("b1", 90, by: "ann", session: session)
            for bin in ["b2", "b3"] { try floor.count(bin, 100, by: "ann", session: session) }
            try floor.decide(.export, session: session)
            return floor
        }
        #expect(try floors[0].all(BinTask.self).map(\.record) == floors[1].all(BinTask.self).map(\.record))
        #expect(try floors[0].all(LineVerdict.self).map(\.record) == floors[1].all(LineVerdict.self).map(\.record))
        #expect(try floors[0].all(ExportLine.self).map(\.id) == floors[1].all(ExportLine.self).map(\.id))
        let documents = try floors.map { try $0.all(ExportDocument.self).map(\.id) }
        #expect(documents[0].count == 1 && documents[0] == documents[1])
    }

    private func document(_ id: String, _ state: ExportState = .ready) -> Record {
        ExportDocument(
            id: id, sessionID: "s", connector: "csv", semantics: .DELTA, grain: "bin", state: state, attempts: 0
        ).record
    }

    /// Two desks, of which A works, and a document that is to be sent.
    private func withDocument(_ state: ExportState) throws -> TwoDesks {
        let two = try TwoDesks("A", "B")
        try two.put(document("doc", state))
        _ = try two.step("A")
        try two.exchange()
        return two
    }

    @Test(arguments: [ExportState.ready, .retry])
    func aDocumentIsGivenOutByNoDeskWhoseMarkTheServerLacks(_ state: ExportState) throws {
        let two = try withDocument(state)
        // A marks it, and its link is cut: whatever it does until its lease ends, it sends nothing.
        for _ in 0..<14 {
            _ = try two.working()
            try two.send("B")
            try two.answer()
            two.now = two.now.advanced(by: 5000)
        }
        #expect(try two.working() == ["B"])
        try two.send("B")
        try two.answer()
        _ = try two.working()
        #expect(two.jobs["A", default: []].isEmpty)
        #expect(two.jobs["B", default: []].map(\.act) == [.send])
        // Its link is back: it has no right to the mark any more.
        try two.exchange()
        _ = try two.working()
        #expect(two.jobs["A", default: []].isEmpty)
    }

    @Test func aDocumentThatADeadDeskMayHaveSentIsLookedUp() throws {
        let two = try withDocument(.ready)
        _ = try two.working()
        #expect(two.jobs["A", default: []].isEmpty)
        try two.exchange()
        _ = try two.working()
        #expect(two.jobs["A", default: []].map(\.act) == [.send])
        _ = try two.working()
        #expect(two.jobs["A", default: []].count == 1)
        two.members["A"] = nil
        two.now = two.now.advanced(by: Desk.leaseTime)
        _ = try two.working()
        try two.exchange()
        #expect(try two.working() == ["B"])
        #expect(two.jobs["B", default: []].map(\.act) == [.find])
    }

    @Test func aMarkThatTheServerRefusesIsShownAndHoldsUpNoOtherDocument() throws {
        let two = try withDocument(.ready)
        for number in 1..<Desk.documentsPerStep { try two.put(document("e\(number)")) }
        two.refused = ["ExportDocument"]
        _ = try two.step("A")
        try two.exchange()
        _ = try two.step("A")
        let core = try #require(two.members["A"]).core
        let shown = try core.read { try $0.query(ExportDocument.self) }
        #expect(shown.map(\.state) == Array(repeating: .unknown, count: Desk.documentsPerStep))
        #expect(shown.allSatisfy { $0.error == "it was not sent: the server refused that (Unauthorized: no)" })
        two.refused = []
        try two.put(document("next"))
        _ = try two.step("A")
        try two.exchange()
        _ = try two.step("A")
        #expect(two.jobs["A", default: []].map(\.payload.id) == ["next"])
    }

    @Test func aLeaseThatLapsesLosesWhatWasGatheredOnlyWhereAnotherDeskHadIt() throws {
        let two = try TwoDesks("A")
        _ = try two.step("A")
        try two.exchange()
        #expect(try two.step("A") == nil)
        let place = Desk.Place(session: "s", bin: "b")
        two.members["A"]?.desk.places["p"] = place
        two.now = two.now.advanced(by: Desk.leaseTime)
        #expect(try two.step("A") == "A")
        try two.exchange()
        #expect(try two.step("A") == nil)
        #expect(two.members["A"]?.desk.places == ["p": place])
        // Another takes over, works and gives it back.
        try two.start("B")
        try two.exchange()
        _ = try two.step("B")
        two.now = two.now.advanced(by: Desk.leaseTime)
        _ = try two.step("B")
        try two.exchange()
        #expect(try two.step("B") == nil)
        let other = try #require(two.members["B"])
        try other.core.write(as: nil) { try other.desk.leave(in: $0, now: two.now) }
        try two.exchange()
        #expect(try two.step("A") == "A")
        try two.exchange()
        #expect(try two.step("A") == nil)
        #expect(two.members["A"]?.desk.places == [:])
    }

    @Test func aDeskWithoutAllThatTheServerHasDoesNotSeemToBeAtWork() throws {
        let floor = try Floor()
        let order = try floor.write(.release, text: "{}")
        var desk = floor.desk
        let idle = try floor.core.write(as: nil) { try desk.step(in: $0, now: floor.now, isFetched: false) }
        #expect(idle.leader == "DESK" && idle.waitsForFetch && idle.wakeAt != nil)
        #expect(try floor.all(DeskLease.self).isEmpty && floor.all(Device.self).isEmpty)
        #expect(try floor.decision(order).result == nil)
        floor.desk = desk
        try floor.run()
        #expect(try floor.decision(order).result == .done)
    }

    @Test func aLeaseThatIsGivenBackIsTakenAtOnce() throws {
        let two = try TwoDesks("A", "B")
        _ = try two.step("A")
        try two.exchange()
        #expect(try two.working() == ["A"])
        let core = try #require(two.members["A"]).core
        let desk = try #require(two.members["A"]).desk
        try core.write(as: nil) { try desk.leave(in: $0, now: two.now) }
        try two.send("A")
        try two.answer()
        two.members["A"] = nil
        _ = try two.working()
        try two.exchange()
        #expect(try two.working() == ["B"])
    }
}
