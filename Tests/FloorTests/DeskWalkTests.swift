import Assembly
import Basics
import CountingApp
import DataStore
import Demo
import InventoryControl
import Models
import Screens
import System
import Testing
import WarehouseModels

/// Walks in which the desk and the supervisor have the last word: the real apps, a real hub, real desks.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct DeskWalkTests {
    @Test func `walk 9: a close that overtakes a refused entry gives no verdict on half a pass`() async throws {
        let floor = try await Floor()
        let session = try await floor.sue.release(semiBlind: false, floor: true)
        let ann = try await floor.counter("ann", code: "T01", session: session)
        let (bin, item, label, book) = try floor.place()
        try await ann.open(bin)
        await ann.scan(label)
        try await ann.device.waitUntilSent()
        let sent = try await ann.ownEntries().count
        await ann.goOffline()
        // A restored copy of the terminal has used the next number already: the hub will refuse Ann's.
        try await copy(of: ann, at: floor, session, next: sent + 1)
        await ann.enter(String(book))
        if await ann.message() == "quantity.large" { await ann.press(.enter) }
        try await ann.closeBin()
        try await ann.goOnline()
        try await ann.wait { try $0.outboxStatus().parked == 1 && $0.outboxStatus().unsent == 1 }
        let close = try #require(try await ann.ownEntries().last)
        try await floor.sue.wait { try $0.get(CountEntry.self, id: close.id) != nil }

        let half = try await floor.verdict(bin, item) { $0.finding == .INCOMPLETE && $0.guess != nil }
        #expect(half.state == .OPEN && half.standingPassID == nil)
        #expect(half.guess == "1 entry waits on T01")
        await floor.sue.home()
        try await floor.sue.choose("\(bin.code): a line is incomplete")
        try await floor.sue.choose("\(bin.code) \(item.sku)")
        await floor.sue.shell.wait { $0.showsLine }
        #expect(await floor.sue.picture().contains { $0.contains("Part of the count") })
        // Accepting what is not whole is not even asked of the desk.
        await floor.sue.press(.character("1"))
        #expect(try await floor.sue.device.store.count(Decision.self, where: Decision.kind == .approve) == 0)

        // Someone else counts; only the supervisor's word lets that count stand against what never came.
        let bob = try await floor.counter("bob", code: "T02", session: session)
        try await bob.open(bin)
        try await bob.count(label, String(book))
        try await bob.closeBin()
        let both = try await floor.verdict(bin, item) { $0.counted != nil }
        #expect(both.state == .OPEN && both.passIDs.allSatisfy { $0.hasPrefix("T02") })
        let revision = both.revision
        await floor.sue.shell.wait { $0.showsLine && ($0.detail?.verdict.revision ?? 0) >= revision }
        try await floor.sue.decide(.approve, [.character("1")])
        let accepted = try await floor.verdict(bin, item) { $0.state == .ACCEPTED }
        #expect(accepted.counted == Decimal3(book) && accepted.decisionID != nil)
        await floor.close(ann, bob)
    }

    /// Another device under the same code sends an entry of the author's with the next number.
    private func copy(
        of terminal: FloorTerminal<CounterApp>, at floor: Floor, _ session: CountSession, next: Int
    ) async throws {
        let code = terminal.device.deviceCode
        let person = SampleWarehouse.id("Person", ["ann"])
        let copy = try await DeviceStore.open(
            directory: floor.directory.file("copy"), kind: .terminal, hub: floor.site.link(), code: code,
            person: person, checksParents: false, time: floor.clock)
        copy.store.identity = person
        let now = floor.clock.now()
        let sessionID = session.id
        try await copy.store.transaction { tx in
            try tx.save(
                CountEntry(
                    id: "\(code)-\(next)", sessionID: sessionID, passID: "\(code)-0009", kind: .NOTE,
                    text: "from a copy", authorID: person, deviceID: code, sequence: next, at: now, bootID: "copy",
                    uptimeMs: "1", previousHash: "", hash: "", crewIDs: [], audience: ["counters"]))
        }
        try await copy.waitUntilSent()
        await copy.close()
    }

    @Test func `walk 6 on the screen: what comes after a take-over stands under late until it is left`() async throws {
        let floor = try await Floor()
        let session = try await floor.sue.release(semiBlind: false, floor: true)
        let old = try await floor.counter("ann", code: "T07", session: session)
        let bob = try await floor.counter("bob", code: "T12", session: session)
        let (bin, item, label, _) = try floor.place()
        try await old.open(bin)
        try await old.count(label, "50")
        try await old.device.waitUntilSent()
        try await bob.wait { try $0.exists(CountEntry.self, where: CountEntry.deviceID == "T07") }
        await old.goOffline()
        try await old.count(label, "40")
        try await old.closeBin()
        await bob.scan(bin.code)
        await bob.press(.character("3"))
        try await bob.count(label, "90")
        try await bob.closeBin()
        _ = try await floor.verdict(bin, item) { $0.counted == 90 }
        try await bob.device.waitUntilSent()
        try await old.goOnline()
        try await old.device.waitUntilSent()
        await floor.sue.home()
        try await floor.sue.choose("1 pass came late")
        try await floor.sue.choose("\(bin.code)  Ann Lee")
        await floor.sue.shell.wait { $0.shows("after the pass was taken over") }
        await floor.sue.press(.character("2"))
        for character in "counted twice" { await floor.sue.press(.character(character)) }
        try await floor.sue.decide(.late_leave, [.enter])
        await floor.sue.shell.wait { $0.floor.late.isEmpty }
        let after = try await floor.verdict(bin, item) { $0.counted != nil }
        #expect(after.counted == 90)
        await floor.close(old, bob)
    }

    @Test func `walk 7 on the screen: a line the ERP refuses is sent again alone, and the others stand`() async throws {
        let floor = try await Floor(bins: 8) { path in
            let hook = path + "/hook"
            // Refuses the first line of the first document it is given, and takes everything after.
            let script = """
                #!/bin/sh
                if [ "$1" = find ]; then echo '{"status":"missing"}'; exit 0; fi
                document=$(cat)
                if [ -f "\(path)/taken" ]; then echo '{"status":"ok","ref":"E2"}'; exit 0; fi
                touch "\(path)/taken"
                line=$(printf '%s' "$document" | sed 's/.*"lines":\\[{"id":"\\([^"]*\\)".*/\\1/')
                echo '{"status":"ok","ref":"E1","lines":[{"id":"'"$line"'","status":"reject","error":"period closed"}]}'
                """
            try? Files.writeAtomically(script + "\n", to: hook, mode: 0o755)
            return [ConnectorOptions(name: "erp", channel: .executable(program: hook))]
        }
        let session = try await floor.sue.release(semiBlind: false, floor: true)
        let ann = try await floor.counter("ann", code: "T01", session: session)
        for index in 0..<2 {
            let (bin, item, label, book) = try floor.place(index)
            try await ann.open(bin)
            try await ann.count(label, String(book))
            try await ann.closeBin()
            _ = try await floor.verdict(bin, item) { $0.state == .ACCEPTED }
        }
        await floor.sue.home()
        try await floor.sue.decide(.export, [.character("X"), .character("1")])
        try await floor.sue.choose("The ERP did not take 1 line")
        try await floor.sue.choose("period closed")
        await floor.sue.shell.wait { $0.shows("send again") }
        try await floor.sue.decide(.resend, [.character("1")])
        try await floor.sue.wait { tx in
            let documents = try tx.query(ExportDocument.self)
            return documents.count == 2 && documents.allSatisfy { $0.state == .confirmed }
        }
        let lines = try await floor.sue.device.store.query(ExportLine.self)
        #expect(lines.count { $0.state == .confirmed } == 2 && lines.count { $0.state == .dropped } == 1)
        let again = try #require(lines.first { $0.replacesID != nil })
        #expect(again.erpReference == "E2" && lines.first { $0.id == again.replacesID }?.state == .dropped)
        await floor.sue.shell.wait { $0.floor.badLines.isEmpty }
        await floor.close(ann)
    }

    @Test func `two desks at one hub: one works, and the other takes over without making anything twice`() async throws
    {
        let (directory, drop) = (try TempDirectory("two-desks"), Locked(""))
        let floor = try await Floor { path in
            drop.withLock { $0 = path + "/erp" }
            return [ConnectorOptions(name: "erp", channel: .csv(directory: path + "/erp"))]
        }
        let erp = ConnectorOptions(name: "erp", channel: .csv(directory: drop.current))
        let second = try await DeskProcess.start(
            directory: directory.path, hub: HubLink(url: floor.site.hub.url, key: floor.site.keys.office),
            connectors: [erp], time: floor.clock)
        let first = floor.site.desk.deviceCode
        let other = second.deviceCode
        let session = try await floor.sue.release(semiBlind: false, floor: true)
        try await floor.sue.wait { tx in
            try tx.get(Device.self, id: other) != nil && tx.get(DeskLease.self, id: "desk")?.holder == first
        }
        let ann = try await floor.counter("ann", code: "T01", session: session)
        let (bin, item, label, book) = try floor.place()
        try await ann.open(bin)
        try await ann.count(label, String(book))
        try await ann.closeBin()
        _ = try await floor.verdict(bin, item) { $0.state == .ACCEPTED }
        try await floor.sue.decide(.stop, [.character("S"), .character("1")])

        // The first desk dies; its lease runs out, and the next decision finds the other at work.
        await floor.site.desk.stop()
        floor.clock.pass(minutes: 3)
        await floor.sue.home()
        try await floor.sue.decide(.export, [.character("X"), .character("1")])
        try await floor.sue.wait { tx in
            let documents = try tx.query(ExportDocument.self)
            return documents.count == 1 && documents.allSatisfy { $0.state == .confirmed }
        }
        let lease = try await floor.sue.device.store.get(DeskLease.self, id: "desk")
        #expect(lease?.holder == other)
        #expect(try Files.list(drop.current).filter { $0.hasSuffix(".csv") }.count == 1)
        await second.stop()
        await floor.close(ann)
    }
}
