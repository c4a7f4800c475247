import Basics
import Counting
import DataStore
import Models
import Testing
import WarehouseModels

@testable import InventoryControl

/// Work that arrives with a decision or after it: nothing is decided over it, and nobody's is hidden.
@Suite struct LateWorkTests {
    /// A bin whose difference two confirmed.
    private func confirmed() throws -> (Floor, String, LineVerdict) {
        let floor = try Floor()
        let session = try floor.release()
        for person in ["ann", "bob"] { try floor.count("b1", 90, by: person, session: session) }
        let line = try #require(try floor.verdict("b1"))
        #expect(line.state == .TO_DECIDE)
        return (floor, session, line)
    }

    private func late(_ floor: Floor) throws -> [String] {
        try floor.all(Message.self).filter { $0.kind == .ALERT }.compactMap(\.aboutID)
    }

    @Test(arguments: [false, true])
    func aCountThatArrivesBeforeADecisionIsJudgedBeforeIt(_ isHeard: Bool) throws {
        let (floor, session, line) = try confirmed()
        let pass = try floor.count("b1", 100, by: "cara", session: session, runs: false)
        if isHeard {
            // The site is judged anew, as after a change of its rules, and this bin is the last of it.
            for number in 0..<200 { floor.desk.dirty.insert(Desk.Place(session: session, bin: "a\(number)")) }
            let known = try #require(try floor.all(CountPass.self).first { $0.id == pass })
            floor.desk.index(known, bin: "b1")
        }
        let order = try floor.decide(.approve, session: session, [(line.id, line.revision)])
        #expect(try floor.decision(order).result == .refused)
        #expect(try floor.decision(order).resultText?.contains("changed since") == true)
        #expect(try floor.verdict("b1")?.passIDs.contains(pass) == true)
    }

    @Test func aCountByAFoundLabelIsJudgedBeforeTheDecisionItArrivedBefore() throws {
        let (floor, session, line) = try confirmed()
        let pass = try floor.count("b1", 100, by: "cara", session: session, runs: false, label: "B-1")
        let order = try floor.decide(.approve, session: session, [(line.id, line.revision)])
        #expect(try floor.decision(order).result == .refused)
        #expect(try floor.verdict("b1")?.passIDs.contains(pass) == true)
    }

    @Test func heldLinesGoOutOverNothingThatIsNotJudged() throws {
        var connector = ConnectorOptions.csv(directory: "/nowhere")
        connector.grain = ExportGrain([.site, .item])
        let floor = try Floor(connectors: [connector])
        let session = try floor.release()
        for bin in ["b1", "b2"] { try floor.count(bin, 100, by: "ann", session: session) }
        try floor.decide(.export, session: session)
        #expect(try floor.all(ExportLine.self).map(\.heldFor) == ["B-3"])
        for kind in [EntryKind.TALLY, .CLOSE] {
            floor.sequences["T-bob", default: 0] += 1
            try floor.core.write(as: nil) {
                try $0.save(floor.entry(kind, "T-bob-P0", "T-bob", "bob", session, 90, morning))
            }
        }
        floor.now = floor.now.advanced(by: Desk.holdPause)
        try floor.count("b3", 100, by: "ann", session: session)
        #expect(try floor.all(ExportLine.self).map(\.state) == [.held])
        try floor.core.write(as: nil) {
            try $0.save(
                CountPass(
                    id: "T-bob-P0", ticket: "T-bob-P0", sessionID: session, binID: "b2", counterID: "bob",
                    deviceID: "T-bob", openedAt: morning, openedBy: .BIN_SCAN))
        }
        floor.now = floor.now.advanced(by: Desk.holdPause)
        try floor.run()
        #expect(try floor.verdict("b2")?.state == .TO_DECIDE)
        #expect(try floor.all(ExportLine.self).map(\.heldFor) == ["B-2"])
        #expect(floor.jobs.isEmpty)
    }

    @Test func aDecisionAboutOneLineWaitsForItsOwnBinAlone() throws {
        let (floor, session, line) = try confirmed()
        for number in 0..<200 { floor.desk.dirty.insert(Desk.Place(session: session, bin: "a\(number)")) }
        let (places, code) = (floor.desk.dirty.count, "S1-\(floor.chain.sequence + 1)")
        try floor.write(.approve, session: session, [(line.id, line.revision)])
        _ = try floor.step()
        #expect(try floor.decision(code).result == .done)
        #expect(floor.desk.dirty.count >= places)
    }

    @Test func anExportTakesNothingOverWorkThatIsNotJudged() throws {
        let floor = try Floor(connectors: [.csv(directory: "/nowhere")])
        let session = try floor.release()
        for bin in ["b1", "b2", "b3"] { try floor.count(bin, 100, by: "ann", session: session) }
        try floor.count("b1", 90, by: "bob", session: session, runs: false)
        let order = try floor.decide(.export, session: session)
        #expect(try floor.decision(order).resultText?.hasPrefix("2 lines cut") == true)
        #expect(try floor.verdict("b1")?.state == .TO_DECIDE)
    }

    @Test func aCountIsNotApprovedOverWorkThatIsNotJudged() throws {
        let floor = try Floor()
        let session = try floor.release()
        try floor.count("b1", 100, by: "ann", session: session)
        try floor.decide(.stop, session: session)
        try floor.count("b1", 90, by: "bob", session: session, runs: false)
        let order = try floor.decide(.approve, session: session)
        #expect(try floor.decision(order).resultText == "1 lines are not decided")
    }

    @Test func aDecisionAboutAllWaitsForAPassWhoseEntriesAreHere() throws {
        let floor = try Floor(connectors: [.csv(directory: "/nowhere")])
        let session = try floor.release()
        for bin in ["b1", "b2", "b3"] { try floor.count(bin, 100, by: "ann", session: session) }
        for kind in [EntryKind.TALLY, .CLOSE] {
            floor.sequences["T-bob", default: 0] += 1
            try floor.core.write(as: nil) {
                try $0.save(floor.entry(kind, "T-bob-P0", "T-bob", "bob", session, 90, morning))
            }
        }
        let order = try floor.decide(.export, session: session)
        #expect(try floor.decision(order).result == .waiting)
        #expect(try floor.decision(order).resultText == "waits for 1 counts that are here in part only")
        try floor.core.write(as: nil) {
            try $0.save(
                CountPass(
                    id: "T-bob-P0", ticket: "T-bob-P0", sessionID: session, binID: "b1", counterID: "bob",
                    deviceID: "T-bob", openedAt: morning, openedBy: .BIN_SCAN))
        }
        try floor.run()
        #expect(try floor.decision(order).resultText?.hasPrefix("2 lines cut") == true)
    }

    @Test func aCountOfASignedLineIsToldAsLateAndNotTakenIntoTheOpenCount() throws {
        let (floor, session, line) = try confirmed()
        try floor.decide(.approve, session: session, [(line.id, line.revision)])
        #expect(try late(floor).isEmpty)
        let pass = try floor.count("b1", 100, by: "cara", session: session, at: morning.advanced(by: -60_000))
        #expect(try floor.verdict("b1")?.counted == 90)
        #expect(try late(floor) == [pass])
        let order = try floor.decide(.late_take, session: session, [(pass, 0)])
        #expect(try floor.decision(order).resultText?.contains("opens a correction") == true)
        // A desk that starts again tells nothing twice.
        floor.desk = Desk(code: "DESK", sha256: hex, isAlone: true)
        try floor.run()
        #expect(try late(floor) == [pass])
    }

    @Test func aWaivedLineHidesNoCount() throws {
        let (floor, session, line) = try confirmed()
        try floor.decide(.waive, session: session, [(line.id, line.revision)], reason: "sealed")
        let pass = try floor.count("b1", 90, by: "cara", session: session)
        #expect(try late(floor) == [pass])
    }

    @Test func aRecountOfAnotherLineIsLateOnlyWhereItContradicts() throws {
        for (quantity, isLate) in [(Decimal3(90), false), (95, true)] {
            let floor = try Floor()
            try floor.core.write(as: nil) {
                try $0.save(BookLine(id: "l9", snapshotID: "book", binID: "b1", itemID: "j", quantity: 5))
            }
            let session = try floor.release()
            for person in ["ann", "bob"] { try floor.count("b1", 90, by: person, session: session) }
            let line = try #require(try floor.all(LineVerdict.self).first { $0.itemID == "i" })
            #expect(line.state == .TO_DECIDE)
            try floor.decide(.approve, session: session, [(line.id, line.revision)])
            let pass = try floor.count("b1", quantity, by: "cara", session: session)
            let other = try #require(try floor.all(LineVerdict.self).first { $0.itemID == "j" })
            #expect(other.passIDs.contains(pass))
            #expect(try late(floor) == (isLate ? [pass] : []))
        }
    }
}
