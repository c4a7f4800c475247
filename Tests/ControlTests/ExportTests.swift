import Basics
import Counting
import DataStore
import Models
import System
import Testing
import WarehouseModels

@testable import InventoryControl

@Suite struct ExportTests {
    private func counted(_ connector: ConnectorOptions, frozen: Bool = true) throws -> (Floor, String) {
        let floor = try Floor(connectors: [connector], frozen: frozen)
        let session = try floor.release()
        for bin in ["b1", "b2", "b3"] { try floor.count(bin, 100, by: "ann", session: session) }
        return (floor, session)
    }

    @Test func aDropIsOneFileHoweverOftenTheDeskDies() async throws {
        let directory = try TempDirectory("desk-csv")
        let (floor, session) = try counted(.csv(directory: directory.path))
        try floor.decide(.export, session: session)
        let job = try #require(floor.jobs.first)
        _ = await ConnectorPort().perform(job)
        // The process dies before it could write the result down.
        floor.desk = Desk(code: "DESK", connectors: floor.connectors, sha256: hex, isAlone: true)
        floor.jobs = []
        try floor.run()
        let again = try #require(floor.jobs.first)
        #expect(again.act == .find)
        try floor.run([await ConnectorPort().perform(again)])
        #expect(try floor.all(ExportDocument.self).map(\.state) == [.confirmed])
        #expect(try floor.all(ExportLine.self).allSatisfy { $0.state == .confirmed && $0.quantity == 100 })
        #expect(try Files.list(directory.path).count == 2)
        let text = try Files.readText(directory.path + "/" + job.payload.id + ".csv")
        #expect(text.contains("'=4711"))
        #expect(try floor.verdict("b1")?.state == .EXPORTED)
    }

    @Test func whatWasNotSentIsSentAfterTheLookUp() async throws {
        let directory = try TempDirectory("desk-csv")
        let (floor, session) = try counted(.csv(directory: directory.path))
        try floor.decide(.export, session: session)
        floor.desk = Desk(code: "DESK", connectors: floor.connectors, sha256: hex, isAlone: true)
        floor.jobs = []
        try floor.run()
        let find = try #require(floor.jobs.first)
        floor.jobs = []
        try floor.run([await ConnectorPort().perform(find)])
        let send = try #require(floor.jobs.first)
        #expect(send.act == .send)
        try floor.run([await ConnectorPort().perform(send)])
        #expect(try floor.all(ExportDocument.self).map(\.state) == [.confirmed])
    }

    @Test func aSecondExportSendsNothingTwice() throws {
        let (floor, session) = try counted(.csv(directory: "/nowhere"))
        try floor.decide(.export, session: session)
        let again = try floor.decide(.export, session: session)
        #expect(try floor.decision(again).resultText == "0 lines cut, 0 held")
        #expect(try floor.all(ExportDocument.self).count == 1)
    }

    @Test func aSumOverBinsIsHeldAndNamesTheOpenBins() throws {
        var connector = ConnectorOptions.csv(directory: "/nowhere")
        connector.grain = ExportGrain([.site, .item])
        let floor = try Floor(connectors: [connector])
        let session = try floor.release()
        try floor.count("b1", 100, by: "ann", session: session)
        try floor.decide(.export, session: session)
        #expect(try floor.all(ExportLine.self).map(\.heldFor) == ["B-2, B-3"])
        floor.now = floor.now.advanced(by: Desk.holdPause)
        try floor.count("b2", 100, by: "ann", session: session)
        #expect(try floor.all(ExportLine.self).map(\.heldFor) == ["B-3"])
        #expect(try floor.all(ExportDocument.self).isEmpty)
        floor.now = floor.now.advanced(by: Desk.holdPause)
        try floor.count("b3", 100, by: "ann", session: session)
        // The hold is over: what EXPORT asked for goes out, and nobody asks again.
        #expect(try floor.all(ExportLine.self).map(\.quantity) == [300])
        #expect(try floor.all(ExportLine.self).map(\.heldFor) == [nil])
        #expect(try floor.all(ExportDocument.self).count == 1)
        #expect(floor.jobs.map(\.payload.lines.count) == [1])
        #expect(try floor.verdict("b1")?.state == .EXPORTED)
        let again = try floor.decide(.export, session: session)
        #expect(try floor.decision(again).resultText == "0 lines cut, 0 held")
    }

    @Test func aHoldIsReleasedOnceThoughTheDeskDiesAtEveryStep() throws {
        var connector = ConnectorOptions.csv(directory: "/nowhere")
        connector.grain = ExportGrain([.site, .item])
        let floor = try Floor(connectors: [connector])
        let session = try floor.release()
        try floor.count("b1", 100, by: "ann", session: session)
        try floor.decide(.export, session: session)
        floor.desk = Desk(code: "DESK", connectors: floor.connectors, sha256: hex, isAlone: true)
        floor.now = floor.now.advanced(by: Desk.holdPause)
        try floor.count("b2", 100, by: "ann", session: session)
        floor.desk = Desk(code: "DESK", connectors: floor.connectors, sha256: hex, isAlone: true)
        floor.now = floor.now.advanced(by: Desk.holdPause)
        try floor.count("b3", 100, by: "ann", session: session)
        let document = try #require(try floor.all(ExportDocument.self).first)
        floor.desk = Desk(code: "DESK", connectors: floor.connectors, sha256: hex, isAlone: true)
        try floor.run()
        #expect(try floor.all(ExportDocument.self).map(\.id) == [document.id])
        #expect(try floor.all(ExportLine.self).map(\.documentID) == [document.id])
    }

    @Test func aBinThatIsWaivedReleasesWhatWaitedForIt() throws {
        var connector = ConnectorOptions.csv(directory: "/nowhere")
        connector.grain = ExportGrain([.site, .item])
        let floor = try Floor(connectors: [connector], bins: 2)
        let session = try floor.release()
        try floor.count("b1", 100, by: "ann", session: session)
        try floor.decide(.export, session: session)
        let task = try #require(try floor.all(BinTask.self).first { $0.binID == "b2" })
        floor.now = floor.now.advanced(by: Desk.holdPause)
        try floor.decide(.waive, session: session, [(task.id, 0)], reason: "under water")
        #expect(try floor.all(ExportLine.self).map(\.quantity) == [100])
        #expect(try floor.all(ExportDocument.self).count == 1)
    }

    @Test func aPassOverALabelThatNoBinHasIsPlacedOnceABinHasIt() throws {
        let floor = try Floor()
        let session = try floor.release()
        try floor.core.write(as: nil) { tx in
            try tx.save(
                CountPass(
                    id: "T-ann-P9", ticket: "T-ann-P9", sessionID: session, foundLabel: "X-77", counterID: "ann",
                    deviceID: "T-ann", openedAt: morning, openedBy: .BIN_SCAN))
            for kind in [EntryKind.TALLY, .CLOSE] {
                floor.sequences["T-ann", default: 0] += 1
                try tx.save(floor.entry(kind, "T-ann-P9", "T-ann", "ann", session, 5, morning))
            }
        }
        try floor.run()
        #expect(try floor.all(LineVerdict.self).isEmpty)
        try floor.core.write(as: nil) { tx in
            try tx.save(
                Bin(
                    id: "b9", code: "B-9", zoneID: "z", walkSequence: 9, kind: .shelf, barcode: "X-77",
                    checkDigits: "12", active: true))
        }
        try floor.run()
        #expect(try floor.verdict("b9")?.counted == 5)
    }

    @Test func aMovementSinceTheCountIsAddedForAnUnfrozenERP() throws {
        let (floor, session) = try counted(.csv(directory: "/nowhere"), frozen: false)
        try floor.core.write(as: nil) {
            try $0.save(
                StockMovement(
                    id: "m", binID: "b1", itemID: "i", quantity: -10, state: .BOOKED,
                    openedAt: morning.advanced(by: 3_600_000), bookedAt: morning.advanced(by: 3_600_000),
                    document: "8", source: "test"))
        }
        floor.now = morning.advanced(by: 7_200_000)
        try floor.decide(.export, session: session)
        #expect(try floor.all(ExportLine.self).map { $0.quantity ?? 0 }.sorted() == [90, 100, 100])
    }

    @Test func aHookThatIsCutOffIsLookedUp() async throws {
        let directory = try TempDirectory("desk-hook")
        let hook = directory.path + "/hook"
        try Files.writeAtomically(
            """
            #!/bin/sh
            if [ "$1" = find ]; then
              if [ -f "\(directory.path)/$2" ]; then echo '{"status":"ok","ref":"ERP-1"}'; else echo '{"status":"missing"}'; fi
              exit 0
            fi
            cat > "\(directory.path)/$BINCOUNT_DOCUMENT"
            kill -9 $$
            """, to: hook, mode: 0o755)
        let (floor, session) = try counted(.executable(program: hook))
        try floor.decide(.export, session: session)
        let send = try #require(floor.jobs.first)
        floor.jobs = []
        try floor.run([await ConnectorPort().perform(send)])
        #expect(try floor.all(ExportDocument.self).map(\.state) == [.unknown])
        #expect(floor.jobs.isEmpty)
        floor.now = floor.now.advanced(by: 10_000)
        try floor.run()
        let find = try #require(floor.jobs.first)
        #expect(find.act == .find)
        try floor.run([await ConnectorPort().perform(find)])
        #expect(try floor.all(ExportDocument.self).map(\.erpReference) == ["ERP-1"])
    }

    /// It would post the document while that is looked up, found missing and sent again.
    @Test(.timeLimit(.minutes(5))) func whatAHookStartedIsCutOffWithIt() async throws {
        let directory = try TempDirectory("desk-hook")
        let (hook, process) = (directory.file("hook"), directory.file("process"))
        try Files.writeAtomically(
            """
            #!/bin/sh
            sh -c 'echo $$ > "\(process).part"; mv "\(process).part" "\(process)"; exec sleep 600'
            exit 0
            """, to: hook, mode: 0o755)
        let (floor, session) = try counted(.executable(program: hook))
        try floor.decide(.export, session: session)
        let job = try #require(floor.jobs.first)
        let sending = Task { await ConnectorPort().perform(job) }
        while !Files.exists(process) { await Task.yield() }
        sending.cancel()
        guard case .unknown = await sending.value.answer else {
            Issue.record("it may have been sent")
            return
        }
        let started = try Files.readText(process).filter { $0 != "\n" }
        while let state = try? Files.readText("/proc/\(started)/stat"), !state.contains(") Z ") { await Task.yield() }
    }

    @Test func aRejectedLineIsSentAgainAloneAndTheOthersStand() throws {
        let (floor, session) = try counted(.csv(directory: "/nowhere"))
        try floor.decide(.export, session: session)
        let job = try #require(floor.jobs.first)
        floor.jobs = []
        let bad = job.payload.lines[0].id
        try floor.run([
            ExportResult(
                document: job.payload.id, answer: .confirmed(reference: "E1"),
                lines: [.init(id: bad, isAccepted: false, error: "period closed")])
        ])
        try floor.decide(.resend, session: session, [(bad, 0)])
        let again = try #require(floor.jobs.first)
        #expect(again.payload.lines.count == 1)
        try floor.run([ExportResult(document: again.payload.id, answer: .confirmed(reference: "E2"))])
        let lines = try floor.all(ExportLine.self)
        #expect(lines.count { $0.state == .confirmed } == 3)
        #expect(lines.first { $0.replacesID == bad }?.erpReference == "E2")
    }
}
