import Basics
import Models
import Testing

@testable import Counting
@testable import WarehouseModels

@Suite struct PassFoldTests {
    func total(_ entries: [CountEntry], _ item: String = "i") -> Decimal3? {
        PassFold.totals(of: entries[0].passID, entries: entries).lines[LineKey(itemID: item)]?.quantity
    }

    @Test func `tallies add and SET replaces what came before it`() {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        let entries = [
            ann.entry(.TALLY, pass, item: "i", quantity: 12), ann.entry(.TALLY, pass, item: "i", quantity: 3),
            ann.entry(.SET, pass, item: "i", quantity: 10), ann.entry(.TALLY, pass, item: "i", quantity: 1),
        ]
        #expect(total(entries) == 11)
        #expect(total(entries.reversed()) == 11)
    }

    @Test func `an undone entry is as if never written, and so is an undone undo`() {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        let five = ann.entry(.TALLY, pass, item: "i", quantity: 5)
        let set = ann.entry(.SET, pass, item: "i", quantity: 100)
        let undo = ann.entry(.UNDO, pass, reverses: set)
        let redo = ann.entry(.UNDO, pass, reverses: undo)
        #expect(total([five, set, undo]) == 5)
        #expect(total([five, set, undo, redo]) == 100)
        let again = ann.entry(.UNDO, pass, reverses: redo)
        #expect(total([five, set, undo, redo, again]) == 5)
    }

    @Test func `only the author takes back, and never a CLOSE`() {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        let five = ann.entry(.TALLY, pass, item: "i", quantity: 5)
        let foreign = ann.entry(.UNDO, pass, reverses: five, author: "bob")
        let close = ann.entry(.CLOSE, pass, count: 3)
        var bob = Terminal("T1b", "ann")
        let undoClose = bob.entry(.UNDO, pass, reverses: close)
        let totals = PassFold.totals(of: pass.id, entries: [five, foreign, close, undoClose])
        #expect(totals.lines[LineKey(itemID: "i")]?.quantity == 5)
        #expect(totals.ignored[foreign.id] == .foreignUndo)
        #expect(totals.closing?.isWhole == true && totals.isWhole)
    }

    @Test func `an item that was only scanned has no quantity, and is never one`() {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        let opened = ann.entry(.TALLY, pass, item: "i")
        let totals = PassFold.totals(of: pass.id, entries: [opened])
        #expect(totals.lines[LineKey(itemID: "i")]?.quantity == nil)
        #expect(totals.openLines == [LineKey(itemID: "i")])
        let zero = ann.entry(.SET, pass, item: "i", quantity: 0)
        #expect(total([opened, zero]) == 0)
        #expect(PassFold.totals(of: pass.id, entries: [opened, zero]).openLines.isEmpty)
    }

    @Test func `serial numbers count one each, however often they are scanned`() {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        let entries = ["A", "B", "A"].map { ann.entry(.SERIAL, pass, item: "i", serial: $0) }
        let line = PassFold.totals(of: pass.id, entries: entries).lines[LineKey(itemID: "i")]
        #expect(line?.quantity == 2 && line?.serials == ["A", "B"])
        #expect(line?.flags.contains(.duplicateSerial) == true)
        let undo = ann.entry(.UNDO, pass, reverses: entries[1])
        #expect(total(entries + [undo]) == 1)
    }

    @Test func `empty, skipped, and a zero are different facts`() {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        let empty = ann.entry(.EMPTY, pass, proof: .CHECK_DIGITS)
        #expect(PassFold.totals(of: pass.id, entries: [empty]).empty?.proof == .CHECK_DIGITS)
        let skip = ann.entry(.SKIP, pass, reason: "blocked")
        #expect(PassFold.totals(of: pass.id, entries: [skip]).skip?.reason == "blocked")
        let zero = ann.entry(.EMPTY, pass, item: "i")
        let totals = PassFold.totals(of: pass.id, entries: [zero])
        #expect(totals.empty == nil && totals.lines[LineKey(itemID: "i")]?.quantity == 0)
    }

    @Test func `a SHARE is for the eyes only`() {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        let entries = [
            ann.entry(.TALLY, pass, item: "i", quantity: 5), ann.entry(.SHARE, pass, item: "i", quantity: 5),
        ]
        #expect(total(entries) == 5)
    }

    @Test func `a match turns an unknown code into its item, by its factor`() {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        let entries = [
            ann.entry(.UNKNOWN, pass, quantity: 3, code: "4006381333931"),
            ann.entry(.TALLY, pass, item: "i", quantity: 2),
        ]
        let before = PassFold.totals(of: pass.id, entries: entries)
        #expect(before.unknownCodes == [LineKey(unknownCode: "04006381333931")])
        let match = CodeMatch(
            id: "m", sessionID: "s", value: "4006381333931", itemID: "i", unit: "CS", factor: 12, byID: "sue",
            at: clock(10))
        let after = PassFold.totals(of: pass.id, entries: entries, matches: CodeMatches([match]))
        #expect(after.unknownCodes.isEmpty)
        #expect(after.lines[LineKey(itemID: "i")]?.quantity == 38)
    }

    @Test func `plates are whole until they are opened`() {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        let whole = ann.entry(.PLATE_WHOLE, pass, plate: "P1")
        let opened = ann.entry(.PLATE_OPENED, pass, plate: "P1")
        #expect(PassFold.totals(of: pass.id, entries: [whole]).plates == ["P1": true])
        #expect(PassFold.totals(of: pass.id, entries: [opened, whole]).plates == ["P1": false])
    }

    @Test func `a void pass says so and what comes after CLOSE changes nothing`() {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        let closed = ann.count(pass, [("i", 5)])
        let after = ann.entry(.TALLY, pass, item: "i", quantity: 1)
        let totals = PassFold.totals(of: pass.id, entries: closed + [after])
        #expect(totals.lines[LineKey(itemID: "i")]?.quantity == 5)
        #expect(totals.ignored == [after.id: .afterClose] && totals.isWhole)
        let second = ann.pass()
        let void = ann.entry(.VOID, second)
        #expect(PassFold.totals(of: second.id, entries: [void]).isVoid)
    }

    @Test func `huge foreign quantities are held, not trapped on`() throws {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        let huge = Decimal3(units: .max)
        /// As it comes from elsewhere: nobody here could make it.
        func foreign(_ entry: CountEntry) throws -> CountEntry {
            var record = entry.record
            for field in ["quantity", "baseQuantity"] { record[field] = huge.storageValue }
            return try CountEntry(record)
        }
        let entries = try [
            foreign(ann.entry(.TALLY, pass, item: "i", quantity: 1)),
            foreign(ann.entry(.TALLY, pass, item: "i", quantity: 1)),
            ann.entry(.SERIAL, pass, item: "i", serial: "A"),
        ]
        #expect(total(entries) == huge)
    }

    /// A random pass with everything in it; the second array holds UNDOs that another pass of the author wrote.
    static func randomPass(_ seed: Int) -> (pass: CountPass, entries: [CountEntry], matches: CodeMatches) {
        var random = SplitMix64(seed: UInt64(seed))
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        var other = Terminal("T9", "ann")
        let otherPass = other.pass()
        var entries: [CountEntry] = []
        let kinds: [EntryKind] = [
            .TALLY, .TALLY, .TALLY, .SET, .EMPTY, .SERIAL, .UNKNOWN, .UNDO, .UNDO, .UNDO, .PLATE_WHOLE,
            .PLATE_OPENED, .SKIP, .CONDITION, .NOTE, .SHARE,
        ]
        for _ in 0..<(2 + random.below(40)) {
            let kind = kinds[random.below(kinds.count)]
            let item = random.below(8) == 0 ? nil : "i\(random.below(4))"
            let quantity = random.below(6) == 0 ? nil : Decimal3(random.below(50) - 5)
            let time = clock(9, random.below(50))
            switch kind {
            case .UNDO:
                let target = entries.isEmpty ? nil : entries[random.below(entries.count)]
                let author = random.below(8) == 0 ? "bob" : "ann"
                if random.below(5) == 0 {
                    entries.append(other.entry(.UNDO, otherPass, reverses: target, author: author, at: time))
                } else {
                    entries.append(ann.entry(.UNDO, pass, reverses: target, author: author, at: time))
                }
            case .UNKNOWN:
                let code = "X\(random.below(3))"
                entries.append(ann.entry(.UNKNOWN, pass, quantity: quantity, code: code, at: time))
            case .SERIAL:
                let serial = "S\(random.below(6))"
                entries.append(ann.entry(.SERIAL, pass, item: item, serial: serial, at: time))
            default:
                entries.append(
                    ann.entry(
                        kind, pass, item: item, plate: random.below(3) == 0 ? "P\(random.below(2))" : nil,
                        quantity: quantity, reason: "r",
                        expiry: random.below(4) == 0 ? "2027-01-0\(1 + random.below(3))" : nil,
                        at: time))
            }
        }
        if random.below(2) == 0 { entries.append(ann.entry(.CLOSE, pass, count: entries.count)) }
        if random.below(4) == 0 { entries.append(ann.entry(.TALLY, pass, item: "i0", quantity: 9)) }
        if random.below(8) == 0 { entries.append(ann.entry(.VOID, pass)) }
        let match = CodeMatch(
            id: "m", sessionID: "s", value: "X1", itemID: "i1", unit: "CS", factor: 12, byID: "sue", at: clock(10))
        return (pass, entries, random.below(2) == 0 ? CodeMatches([match]) : CodeMatches())
    }

    @Test func `the order of arrival and doubled entries change nothing`() {
        for seed in 0..<200 {
            let (pass, entries, matches) = PassFoldTests.randomPass(seed)
            let expected = PassFold.totals(of: pass.id, entries: entries, matches: matches)
            var random = SplitMix64(seed: UInt64(seed) + 99)
            for _ in 0..<3 {
                let mixed = (entries + entries.prefix(5)).shuffled(using: &random)
                #expect(PassFold.totals(of: pass.id, entries: mixed, matches: matches) == expected, "seed \(seed)")
            }
        }
    }

    @Test func `undo of everything gives an empty pass, undo of those undos all of it again`() {
        for seed in 0..<50 {
            var random = SplitMix64(seed: UInt64(seed))
            var ann = Terminal("T1", "ann")
            let pass = ann.pass()
            let entries = (0..<20).map { _ in
                ann.entry(
                    random.below(4) == 0 ? .SET : .TALLY, pass, item: "i\(random.below(3))",
                    quantity: Decimal3(random.below(30)))
            }
            let undos = entries.map { ann.entry(.UNDO, pass, reverses: $0) }
            let redos = undos.map { ann.entry(.UNDO, pass, reverses: $0) }
            #expect(PassFold.totals(of: pass.id, entries: entries + undos).lines.isEmpty)
            let all = PassFold.totals(of: pass.id, entries: entries + undos + redos)
            #expect(all.lines == PassFold.totals(of: pass.id, entries: entries).lines)
        }
    }
}

@Suite struct DeviceClockTests {
    @Test func `a wall clock that jumps does not move the count`() throws {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        ann.offset = 60_000
        let first = ann.entry(.TALLY, pass, item: "i", quantity: 1, at: clock(9))
        let second = ann.entry(.TALLY, pass, item: "i", quantity: 1, at: clock(9, 30))
        // The wall clock was set back an hour after the first entry; uptime went on.
        let jumped = try second.updating { $0.at = clock(8, 30) }
        let clocks = DeviceClock([jumped, first])
        #expect(clocks.place(first) == clock(9, 1))
        #expect(clocks.place(jumped) == clock(9, 31))
    }

    @Test func `entries before the first contact are placed by those after it`() {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        ann.offset = nil
        let early = ann.entry(.TALLY, pass, item: "i", quantity: 1, at: clock(9))
        ann.offset = -30_000
        let late = ann.entry(.TALLY, pass, item: "i", quantity: 1, at: clock(9, 10))
        #expect(DeviceClock([early, late]).place(early) == clock(8, 59, 30))
        #expect(DeviceClock([early]).place(early) == nil)
    }

    @Test func `entries of a start that was measured elsewhere are placed by that, and by nothing else`() throws {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        ann.offset = -30_000
        let elsewhere = ann.entry(.TALLY, pass, item: "i", quantity: 1, at: clock(9))
        ann.offset = nil
        let here = ann.entry(.TALLY, pass, item: "i", quantity: 1, at: clock(9, 10))
        ann.boot = "next"
        let after = ann.entry(.TALLY, pass, item: "i", quantity: 1, at: clock(9, 20))
        #expect(DeviceClock([here, after]).unmeasured(among: [here, after]) == [here, after])
        let clocks = DeviceClock([here, after], others: [elsewhere])
        #expect(clocks.place(here) == clock(9, 9, 30) && clocks.place(after) == nil)
        // Its own measurement speaks for a bin, however another one of the start differs from it.
        let own = try here.updating { $0.clockOffsetMs = 60_000 }
        #expect(DeviceClock([own], others: [elsewhere]).place(own) == clock(9, 11))
        #expect(DeviceClock([own]).unmeasured(among: [own]).isEmpty)
    }

    @Test func `measurements that disagree place nothing`() {
        var ann = Terminal("T1", "ann")
        let pass = ann.pass()
        ann.offset = 0
        let first = ann.entry(.TALLY, pass, item: "i", quantity: 1, at: clock(9))
        ann.offset = 600_000
        let second = ann.entry(.TALLY, pass, item: "i", quantity: 1, at: clock(9, 5))
        #expect(DeviceClock([first, second]).place(first) == nil)
    }
}
