import Counting
import Testing
import WarehouseModels

@testable import InventoryControl

/// The time of counts that nobody measured as they were made.
@Suite struct DeskClockTests {
    @Test func aCountAfterARestartIsPlacedByWhatItsTerminalMeasuredInOtherBins() throws {
        let floor = try Floor()
        let session = try floor.release()
        try floor.count("b1", 100, by: "ann", session: session)
        try floor.count("b2", 100, by: "ann", session: session, offset: nil)
        #expect(try floor.verdict("b2")?.state == .ACCEPTED)
        // The next start of the terminal is measured only when its link is back.
        try floor.count("b3", 100, by: "ann", session: session, offset: nil, boot: "next")
        #expect(try floor.verdict("b3")?.finding == .AMBIGUOUS)
        try floor.count("b1", 100, by: "ann", session: session, boot: "next")
        #expect(try floor.verdict("b3")?.state == .ACCEPTED)
    }

    @Test func theNearestMeasurementIsFoundAmongTheTerminalsOwnNumbersAlone() throws {
        let floor = try Floor()
        let session = try floor.release()
        try floor.count("b1", 100, by: "ann", session: session)
        // Others used the terminal, and what they counted is not here yet.
        floor.sequences["T-ann", default: 0] += 300
        try floor.count("b2", 100, by: "ann", session: session, offset: nil)
        #expect(try floor.verdict("b2")?.state == .ACCEPTED)
        floor.sequences["T-ann", default: 0] += 300
        try floor.count("b1", 100, by: "ann", session: session, boot: "next")
        try floor.count("b3", 100, by: "ann", session: session, offset: nil, boot: "last")
        #expect(try floor.verdict("b3")?.finding == .AMBIGUOUS)
    }
}
