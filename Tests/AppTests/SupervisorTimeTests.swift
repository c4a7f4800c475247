import Basics
import Models
import Testing
import WarehouseModels

@testable import CountingApp
@testable import DataStore

/// What a supervisor sees of work that came late and of terminals, whatever the clocks on the floor say.
struct SupervisorTimeTests {
    private static let year: Int64 = 365 * 86_400_000

    private func released() throws -> SupervisorHarness {
        let harness = try SupervisorHarness()
        harness.type("R 1")
        return harness
    }

    /// Ann's terminal reports itself; its clock is ahead by so much, which it knows.
    private func beat(_ harness: SupervisorHarness, ahead: Int64) throws {
        let now = harness.time.now()
        try harness.core.write(as: nil) { tx in
            try tx.save(
                Device(
                    id: "T-ann", code: "T-ann", kind: .terminal, personID: "ann", lastSequence: 2, unsent: 0, parked: 0,
                    beatAt: now.advanced(by: ahead), clockOffsetMs: Int(-ahead), version: "1"))
        }
        harness.settle()
    }

    /// A line that was accepted at 90, and a count of 100 that Cara sent after it.
    private func signed() throws -> (SupervisorHarness, pass: String) {
        let harness = try released()
        try harness.count("A-01", 90, by: "ann")
        try harness.count("A-01", 90, by: "bob")
        harness.type("D 1 1")
        let verdict = try #require(harness.all(LineVerdict.self).first { $0.binID == "A-01" })
        #expect(verdict.state == .ACCEPTED)
        return (harness, try harness.count("A-01", 100, by: "cara"))
    }

    @Test func `what comes after its line was accepted stands under late, long before anything is exported`() throws {
        let (harness, pass) = try signed()
        #expect(harness.app.floor.late.map(\.passID) == [pass])
        #expect(harness.app.floor.late.map(\.entries) == [2])
        #expect(harness.app.floor.alerts.isEmpty && harness.all(ExportDocument.self).isEmpty)
    }

    @Test func `what was left with a reason is only what had come by then`() throws {
        let (harness, pass) = try signed()
        var record = Decision(
            id: "S9-1", kind: .late_leave, sessionID: harness.app.floor.session?.id, targetIDs: [pass],
            seenRevisions: [0], reason: "recounted", byID: "sam", deviceID: "S9", sequence: 1,
            at: harness.time.now().advanced(by: SupervisorTimeTests.year), previousHash: "", hash: "", result: .done
        ).record
        record["createdAt"] = .integer(harness.time.now().milliseconds)
        let decision = RemoteRecord(record: record, version: 1, lastChangedAt: 1)
        _ = try harness.core.applyRemote([decision])
        harness.settle()
        #expect(harness.app.floor.late.isEmpty)
        try harness.enter(pass, 1, by: "cara")
        #expect(harness.app.floor.late.map(\.entries) == [2])
    }

    @Test(arguments: [20 * 86_400_000, -20 * 86_400_000] as [Int64])
    func `a terminal is silent when it is not heard of, however wrong its clock`(_ ahead: Int64) throws {
        let harness = try released()
        try beat(harness, ahead: ahead)
        func isSilent() throws -> Bool {
            harness.app.isSilent(try #require(harness.app.floor.people.first), at: Moment(harness.time))
        }
        #expect(try !isSilent())
        harness.pass(seconds: 240)
        #expect(try isSilent())
    }

    @Test func `a lost terminal that reports again is there again, however far behind its clock`() throws {
        let harness = try released()
        try beat(harness, ahead: -20 * 86_400_000)
        harness.pass(seconds: 240)
        harness.type("1 1 2")
        harness.write("stolen")
        harness.type("Enter")
        #expect(harness.decisions.last?.kind == .device_lost && harness.app.floor.people.isEmpty)
        harness.pass(seconds: 60)
        try beat(harness, ahead: -20 * 86_400_000)
        #expect(harness.app.floor.people.map(\.device.code) == ["T-ann"])
    }
}
