import Basics
import Counting
import CountingApp
import DataStore
import Demo
import Glibc
import InventoryControl
import Models
import Screens
import System
import Testing
import WarehouseModels

/// The walks through the floor: the real apps, a real hub and its desk. Only states are waited for.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct WalkTests {
    @Test func `walk 1: two triggers and three keys count a bin, each stored before it is said`() async throws {
        let floor = try await Floor()
        let session = try await floor.sue.release(semiBlind: false, floor: true)
        let ann = try await floor.counter("ann", code: "T01", session: session)
        let (bin, item, label, _) = try floor.place()
        let next = try #require(floor.sample.bins.first { $0.id != bin.id })
        await ann.scan(bin.code)
        await ann.scan(label)
        await ann.press(.character("1"))
        await ann.press(.character("2"))
        await ann.press(.enter)
        #expect(await ann.message() == "stored")
        let stored = try await ann.ownEntries()
        #expect(stored.last?.kind == .TALLY && stored.last?.baseQuantity == 12 && stored.last?.itemID == item.id)
        #expect(try await ann.device.store.count(CountPass.self, where: CountPass.binID == bin.id) == 1)
        await ann.scan(next.code)
        #expect(await ann.message() == "bin.closed")
        #expect(try await ann.ownEntries().last?.kind == .CLOSE)
        #expect(await ann.picture().contains(next.code))
        let verdict = try await floor.verdict(bin, item) { $0.counted == 12 }
        #expect(verdict.basis == .COUNTED)
        await floor.close(ann)
    }

    @Test func `walk 2: two who help each other see one sum, and both must close`() async throws {
        let floor = try await Floor()
        let session = try await floor.sue.release(semiBlind: false, floor: true)
        let ann = try await floor.counter("ann", code: "T01", session: session)
        let bob = try await floor.counter("bob", code: "T02", session: session)
        let (bin, item, label, _) = try floor.place()
        await ann.scan(bin.code)
        try await ann.count(label, "13*12+2")
        try await bob.wait { try $0.exists(CountEntry.self, where: CountEntry.deviceID == "T01") }
        await bob.scan(bin.code)
        #expect(await bob.page() == .question)
        await bob.press(.character("1"))
        #expect(await bob.page() == .bin)
        try await bob.count(label, "12")
        try await ann.wait { tx in
            try tx.exists(CountEntry.self, where: CountEntry.deviceID == "T02" && CountEntry.baseQuantity == 12)
        }
        await ann.shell.wait { app in
            guard case .text(let texts) = app.view(at: Moment(SystemTimeSource())).state["bin.total"] else {
                return false
            }
            return texts.contains { $0.contains("170") }
        }
        try await ann.closeBin()
        try await bob.device.waitUntilSent()
        let passes = try await floor.sue.device.store.query(CountPass.self, where: CountPass.binID == bin.id)
        #expect(passes.count == 2 && passes.contains { $0.helpsPassID != nil })
        #expect(try await floor.sue.device.store.count(LineVerdict.self, where: LineVerdict.counted == 170) == 0)
        try await bob.closeBin()
        let verdict = try await floor.verdict(bin, item) { $0.counted != nil && $0.state != .OPEN }
        #expect(verdict.counted == 170)
        await floor.close(ann, bob)
    }

    @Test func `walk 2: in a bin of 151 items one joins offline by a badge, and the two are one opinion`() async throws
    {
        let floor = try await Floor(bins: 1)
        let (bin, items) = try await floor.importBin("7|N/A|0", lines: 151)
        let session = try await floor.sue.release(semiBlind: true, floor: true)
        let ann = try await floor.counter("ann", code: "T01", session: session)
        let bob = try await floor.counter("bob", code: "T02", session: session)
        for terminal in [ann, bob] {
            try await terminal.wait {
                try $0.count(ExpectedLine.self) >= 151 && $0.exists(Bin.self, where: Bin.id == bin.id)
            }
        }
        await bob.goOffline()
        try await ann.open(bin)
        await ann.press(.pageDown)
        await ann.waitForPicture("5-8 of 151, 0 more")
        try await ann.count(items[150].sku, "13*12+2")
        for item in items[0..<4] { try await ann.count(item.sku, "7") }
        // Bob knows nothing of Ann's pass: he has begun already when he sees her, and scans her badge.
        try await bob.open(bin)
        try await bob.count(items[5].sku, "3")
        await bob.enter("H")
        await bob.scan("ann")
        #expect(await bob.page() == .bin)
        #expect(await bob.message() == "crew.joined")
        try await bob.count(items[150].sku, "12")
        try await bob.goOnline()
        for (terminal, own) in [(ann, "you 158 + Bob 12=170"), (bob, "you 12 + Ann 158=170")] {
            await terminal.scan(items[150].sku)
            await terminal.waitForPicture(own)
            #expect(await terminal.picture(GridSize(80, 24)).contains(own.replacing("=", with: " = ")))
            await terminal.press(.escape)
        }
        // The list is turned through page by page, at either size.
        for (size, pages) in [(GridSize(20, 16), 38), (GridSize(80, 24), 14)] {
            await ann.shell.send(.resized(size))
            var seen: Set<String> = []
            for _ in 0..<pages {
                await ann.enter("0")
                let picture = await ann.picture(size)
                for item in items where picture.contains(item.sku) { seen.insert(item.sku) }
            }
            #expect(seen.count == 151, "\(size)")
        }
        try await ann.closeBin()
        try await ann.device.waitUntilSent()
        try await bob.device.waitUntilSent()
        try await floor.sue.wait { try $0.exists(CountEntry.self, where: CountEntry.kind == EntryKind.CLOSE) }
        #expect(try await floor.sue.device.store.count(LineVerdict.self, where: LineVerdict.counted == 170) == 0)
        try await bob.closeBin()
        let verdict = try await floor.verdict(bin, items[150]) { $0.counted == 170 }
        #expect(verdict.passIDs.count == 3 && verdict.basis == .COUNTED)
        let begun = try await floor.verdict(bin, items[5]) { $0.counted == 3 }
        #expect(begun.passIDs == verdict.passIDs && begun.basis == .COUNTED)
        try await floor.sue.wait { try $0.count(LineVerdict.self, where: LineVerdict.binID == bin.id) == 151 }
        await floor.close(ann, bob)
    }

    @Test func `walk 3: two offline counts of one bin are two opinions that agree, never a sum`() async throws {
        let floor = try await Floor()
        let session = try await floor.sue.release(semiBlind: false, floor: true)
        let ann = try await floor.counter("ann", code: "T01", session: session)
        let bob = try await floor.counter("bob", code: "T02", session: session)
        let (bin, item, label, _) = try floor.place()
        for terminal in [ann, bob] {
            await terminal.goOffline()
            try await terminal.open(bin)
            try await terminal.count(label, "23")
            try await terminal.closeBin()
        }
        for terminal in [ann, bob] { try await terminal.goOnline() }
        let verdict = try await floor.verdict(bin, item) { $0.passIDs.count == 2 }
        #expect(verdict.counted == 23 && verdict.standingPassID != nil)
        for terminal in [ann, bob] { try await terminal.device.waitUntilSent() }
        await floor.close(ann, bob)
    }

    @Test func `walk 4: an error is overturned by the book of its minute, and a blind counter sees nothing`()
        async throws
    {
        let floor = try await Floor()
        let (bin, item, label, book) = try floor.place()
        try await movements(on: floor, bin, item, quantity: -10, inMinutes: 30)
        let session = try await floor.sue.release(semiBlind: false, floor: false)
        let ann = try await floor.counter("ann", code: "T01", session: session)
        let bob = try await floor.counter("bob", code: "T02", session: session)
        try await ann.open(bin)
        try await ann.count(label, String(book - 10))
        try await ann.closeBin()
        let first = try await floor.verdict(bin, item) { $0.state == .RECOUNT }
        floor.clock.pass(minutes: 60)
        try await bob.open(bin)
        try await bob.count(label, String(book - 10))
        try await bob.closeBin()
        let verdict = try await floor.verdict(bin, item) { $0.passIDs.count == 2 && $0.standingPassID != nil }
        #expect(first.variance == -10 && verdict.variance == 0 && verdict.standingPassID?.hasPrefix("T02") == true)
        for (terminal, other) in [(ann, "T02"), (bob, "T01")] {
            let store = terminal.device.store
            #expect(try await store.count(BookLine.self) == 0)
            #expect(try await store.count(StockMovement.self) == 0)
            #expect(try await store.count(LineVerdict.self) == 0)
            #expect(try await store.count(ExpectedLine.self) == 0)
            #expect(try await store.count(CountEntry.self, where: CountEntry.deviceID == other) == 0)
        }
        await floor.close(ann, bob)
    }

    @Test func `walk 5: what comes after the close is kept and changes no signed line`() async throws {
        let floor = try await Floor(bins: 2)
        let session = try await floor.sue.release(semiBlind: false, floor: true)
        let ann = try await floor.counter("ann", code: "T01", session: session)
        let cara = try await floor.counter("cara", code: "T03", session: session)
        await cara.goOffline()
        let (bin, item, label, _) = try floor.place()
        try await cara.open(bin)
        try await cara.count(label, "1")
        try await cara.closeBin()
        let counter = ComputedCounter(login: "ann", terminal: ann, sample: floor.sample, slips: [], team: [])
        try await counter.walk(floor.sample.bins, offline: nil)
        let id = session.id
        try await floor.sue.wait { try !$0.exists(BinTask.self, where: BinTask.state != .counted) }
        let before = try await floor.verdict(bin, item) { $0.state == .ACCEPTED }
        try await floor.sue.decide(.stop, [.character("S"), .character("1")])
        try await ann.signOut()
        try await floor.sue.wait { try $0.get(Device.self, id: "T01")?.checkedOutAt != nil }
        await floor.sue.home()
        try await floor.sue.decide(.close, [.character("C"), .character("1")])
        try await floor.sue.wait { try $0.get(CountSession.self, id: id)?.state == .closed }
        let own = try await cara.ownEntries().count
        try await cara.goOnline()
        try await floor.waitForEntries(of: "T03", atLeast: own)
        try await cara.device.waitUntilSent()
        await cara.waitForPicture("Session is closed")
        let after = try #require(try await floor.sue.device.store.get(LineVerdict.self, id: before.id))
        #expect(after.revision == before.revision && after.counted == before.counted && after.state == .ACCEPTED)
        await floor.close(ann, cara)
    }

    @Test func `walk 6: who takes a dead terminal's bin over counts alone, and what comes late stays out`() async throws
    {
        let floor = try await Floor()
        let session = try await floor.sue.release(semiBlind: false, floor: true)
        let ann = try await floor.counter("ann", code: "T07", session: session)
        let bob = try await floor.counter("bob", code: "T02", session: session)
        let (bin, item, label, _) = try floor.place()
        try await ann.open(bin)
        for _ in 0..<5 { try await ann.count(label, "10") }
        try await ann.device.waitUntilSent()
        try await bob.wait { try $0.exists(CountPass.self, where: CountPass.deviceID == "T07") }
        await ann.goOffline()
        for _ in 0..<4 { try await ann.count(label, "10") }
        let all = try await ann.ownEntries().count
        await ann.close()
        await bob.scan(bin.code)
        #expect(await bob.page() == .question)
        await bob.press(.character("3"))
        try await bob.count(label, "90")
        try await bob.closeBin()
        _ = try await floor.verdict(bin, item) { $0.counted == 90 }
        let revived = try await FloorTerminal.counter(
            directory: floor.directory.file("T07"), hub: floor.site.link(), code: "T07")
        try await floor.waitForEntries(of: "T07", atLeast: all)
        try await revived.device.waitUntilSent()
        let after = try await floor.verdict(bin, item) { $0.counted != nil }
        #expect(after.counted == 90)
        await floor.close(revived, bob)
    }

    @Test func `walk 7: each ERP gets the number that is right for it after a movement since`() async throws {
        let floor = try await Floor { path in
            [
                ConnectorOptions(name: "book", channel: .csv(directory: path + "/book")),
                ConnectorOptions(name: "now", channel: .csv(directory: path + "/now"), semantics: .ABSOLUTE_NOW),
                ConnectorOptions(name: "delta", channel: .csv(directory: path + "/delta"), semantics: .DELTA),
            ]
        }
        let (bin, item, label, book) = try floor.place()
        try await movements(on: floor, bin, item, quantity: -10, inMinutes: 30)
        let session = try await floor.sue.release(semiBlind: false, floor: true)
        let ann = try await floor.counter("ann", code: "T01", session: session)
        try await ann.open(bin)
        try await ann.count(label, String(book))
        try await ann.closeBin()
        _ = try await floor.verdict(bin, item) { $0.state == .ACCEPTED }
        floor.clock.pass(minutes: 60)
        try await floor.sue.decide(.stop, [.character("S"), .character("1")])
        await floor.sue.home()
        try await floor.sue.decide(.export, [.character("X"), .character("1")])
        try await floor.sue.wait { tx in
            let documents = try tx.query(ExportDocument.self)
            return documents.count == 3 && documents.allSatisfy { $0.state == .confirmed }
        }
        let lines = try await floor.sue.device.store.query(ExportLine.self)
        let sent = Dictionary(lines.map { ($0.connector, $0.quantity) }, uniquingKeysWith: { first, _ in first })
        #expect(sent["book"] == Decimal3(book - 10) && sent["now"] == Decimal3(book - 10) && sent["delta"] == .some(0))
        await floor.close(ann)
    }

    @Test func `walk 8: unsent work goes as its author's whoever is signed in, who sees only how much it is`()
        async throws
    {
        let floor = try await Floor()
        let session = try await floor.sue.release(semiBlind: false, floor: false)
        let ann = try await floor.counter("ann", code: "T01", session: session)
        let (bin, _, label, _) = try floor.place()
        let other = try #require(floor.sample.bins.first { $0.id != bin.id })
        await ann.goOffline()
        try await ann.open(bin)
        try await ann.count(label, "70777")
        try await ann.closeBin()
        try await ann.signOut()
        await ann.shell.wait { app in
            let view = app.view(at: Moment(SystemTimeSource()))
            guard case .rows(let rows) = view.state["signin.pending"] else { return false }
            return !rows.rows.isEmpty
        }
        let picture = await ann.picture()
        #expect(picture.contains("Ann Lee") && !picture.contains("70777"))
        try await ann.signIn("bob")
        try await ann.open(other)
        #expect(await !ann.picture(GridSize(80, 24)).contains("70777"))
        let own = try await ann.device.store.unsentCounts()
        #expect(own.contains { $0.identity == SampleWarehouse.id("Person", ["ann"]) })
        try await ann.goOnline()
        try await ann.device.waitUntilSent()
        try await floor.sue.wait { try $0.exists(CountEntry.self, where: CountEntry.baseQuantity == 70777) }
        let entry = try #require(
            try await floor.sue.device.store.query(CountEntry.self, where: CountEntry.baseQuantity == 70777).first)
        #expect(entry.authorID == SampleWarehouse.id("Person", ["ann"]))
        await floor.close(ann)
    }

    @Test func `a scripted shift over fewer bins adds up`() async throws {
        let directory = try TempDirectory("shift-test")
        let sample = try SampleWarehouse(asOf: SystemTimeSource().now()).limited(toBins: 45)
        let report = try await Shift(directory: directory.path, sample: sample).play()
        #expect(report.faults == [])
        #expect(sample.planted.count >= 2)
    }

    /// A book that goes on while it is counted: the feed is complete, and one pick was booked.
    private func movements(
        on floor: Floor, _ bin: Bin, _ item: Item, quantity: Int, inMinutes: Int64
    ) async throws {
        let now = floor.clock.now()
        let snapshot = floor.sample.snapshot
        let at = now.advanced(by: inMinutes * 60_000)
        try await floor.office { tx in
            try tx.save(
                snapshot.updating {
                    $0.bookFrozen = false
                    $0.movementsThrough = now.advanced(by: 5 * 3_600_000)
                })
            try tx.save(
                StockMovement(
                    id: "pick-1", binID: bin.id, itemID: item.id, quantity: Decimal3(quantity), state: .BOOKED,
                    openedAt: at, bookedAt: at, document: "8000417", source: "erp"))
        }
        try await floor.sue.wait { try $0.exists(StockMovement.self) }
    }
}
