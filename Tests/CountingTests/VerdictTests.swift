import Basics
import Models
import Testing

@testable import Counting
@testable import WarehouseModels

@Suite struct BookTests {
    let key = LineKey(itemID: "i")

    func quantity(_ facts: BookFacts, _ time: DateTime) -> BookAtCount {
        facts.atCount(key, from: time, to: time, isPlaced: true)
    }

    @Test func `the book at count is the snapshot and what was booked up to then`() {
        let facts = book(
            [bookLine("i", 100)],
            [
                movement("i", -10, booked: clock(8, 30), document: "a"),
                movement("i", -100, booked: clock(10), document: "b"),
                movement("i", 7, booked: clock(7, 30), document: "before the snapshot"),
                movement("j", 5, booked: clock(8, 10), document: "another item"),
            ])
        #expect(quantity(facts, clock(9)) == .known(90, doubts: []))
        #expect(facts.moved(key, after: clock(9), through: clock(11)) == -100)
        #expect(facts.keys == [key, LineKey(itemID: "j")])
    }

    @Test func `a movement near the count or open over it makes it doubtful`() {
        let near = book([bookLine("i", 100)], [movement("i", -10, booked: clock(9, 5))])
        #expect(quantity(near, clock(9)) == .known(100, doubts: [.movementNear(document: "8000417")]))
        #expect(quantity(near, clock(9, 21)) == .known(90, doubts: []))
        let open = book([bookLine("i", 100)], [movement("i", -10, opened: clock(8), booked: nil, state: .OPEN)])
        #expect(quantity(open, clock(12)) == .known(100, doubts: [.openMovement(document: "8000417")]))
        let spanning = book([bookLine("i", 100)], [movement("i", -10, opened: clock(8, 30), booked: clock(10))])
        #expect(quantity(spanning, clock(9)) == .known(100, doubts: [.openMovement(document: "8000417")]))
        let cancelled = book(
            [bookLine("i", 100)], [movement("i", -10, opened: clock(9), booked: nil, state: .CANCELLED)])
        #expect(quantity(cancelled, clock(9)) == .known(100, doubts: []))
    }

    @Test func `a verdict waits until the feed reaches past the window, unless the book is frozen`() {
        let behind = book([bookLine("i", 100)], through: clock(9, 10))
        #expect(quantity(behind, clock(9)) == .waiting(until: clock(9, 15)))
        #expect(quantity(book([bookLine("i", 100)], through: nil), clock(9)) == .waiting(until: clock(9, 15)))
        let frozen = book(
            [bookLine("i", 100)], [movement("i", -10, booked: clock(8, 30))], through: nil, isFrozen: true)
        #expect(quantity(frozen, clock(9)) == .known(100, doubts: []))
    }

    @Test func `a time that cannot be placed is doubtful`() {
        let facts = book([bookLine("i", 100)])
        #expect(
            facts.atCount(key, from: clock(9), to: clock(9), isPlaced: false)
                == .known(100, doubts: [.unplacedTime]))
    }
}

@Suite struct JudgeTests {
    let key = LineKey(itemID: "i")

    /// Opinions of different people or of those named, each counting `i` at its hour.
    func opinions(
        _ counts: [(hour: Int, quantity: Decimal3?)], by people: [String] = [], companion: String? = nil
    ) -> [Opinion] {
        var passes: [CountPass] = []
        var entries: [CountEntry] = []
        for (index, count) in counts.enumerated() {
            var terminal = Terminal("T\(index)", people.isEmpty ? "p\(index)" : people[index])
            let isLast = index == counts.count - 1
            let pass = terminal.pass(companion: isLast ? companion : nil, at: clock(count.hour))
            passes.append(pass)
            let amounts = count.quantity.map { [(item: "i", quantity: $0)] } ?? []
            entries += terminal.count(pass, amounts, at: clock(count.hour))
        }
        return OpinionBuilder(passes: passes, entries: entries).opinions()
    }

    func judge(
        _ counts: [(hour: Int, quantity: Decimal3?)], _ facts: BookFacts, _ policy: JudgePolicy = exactly,
        by people: [String] = [], companion: String? = nil
    ) -> LineJudgement? {
        LineJudge.judge(
            key, opinions: opinions(counts, by: people, companion: companion), book: facts, policy: policy)
    }

    @Test func `one count within tolerance is accepted, one without is counted again`() {
        let loose = JudgePolicy(tolerance: Tolerance(percent: 1))
        #expect(judge([(9, 100)], book([bookLine("i", 100)]))?.finding == .CLEAN)
        let within = judge([(9, 99)], book([bookLine("i", 100)]), loose)
        #expect(within?.state == .ACCEPTED && within?.finding == .WITHIN)
        let out = judge([(9, 98)], book([bookLine("i", 100)]), loose)
        #expect(out?.state == .RECOUNT && out?.finding == .OUT && out?.stands == false)
    }

    @Test func `a doubtful count is never accepted by itself`() {
        let facts = book([bookLine("i", 100)], [movement("i", -10, opened: clock(8, 30), booked: nil, state: .OPEN)])
        let once = judge([(9, 100)], facts)
        #expect(once?.state == .RECOUNT && once?.finding == .AMBIGUOUS)
        let twice = judge([(9, 100), (10, 100)], facts)
        #expect(twice?.state == .RECOUNT && twice?.finding == .AMBIGUOUS)
        let thrice = judge([(9, 100), (10, 100), (11, 100)], facts)
        #expect(thrice?.state == .TO_DECIDE)
    }

    @Test func `a sure count stands over a doubtful one`() {
        let facts = book([bookLine("i", 100)], [movement("i", -10, booked: clock(9, 5))])
        let result = judge([(9, 95), (10, 90)], facts)
        #expect(result?.state == .ACCEPTED && result?.reading?.counted == 90 && result?.finding == .CLEAN)
    }

    @Test func `three that all differ go to a person, two that agree do not need a third`() {
        let facts = book([bookLine("i", 100)])
        #expect(judge([(9, 90), (10, 91)], facts)?.state == .RECOUNT)
        let three = judge([(9, 90), (10, 91), (11, 92)], facts)
        #expect(three?.state == .TO_DECIDE && three?.stands == false)
        let agreed = judge([(9, 90), (10, 91), (11, 90)], facts)
        #expect(agreed?.stands == true && agreed?.reading?.counted == 90 && agreed?.overturned.count == 1)
        var automatic = exactly
        automatic.acceptsConfirmed = true
        #expect(judge([(9, 90), (10, 90)], facts, automatic)?.state == .ACCEPTED)
    }

    @Test func `who counts again alone confirms nothing, and is not three opinions`() {
        let facts = book([bookLine("i", 100)])
        var automatic = exactly
        automatic.acceptsConfirmed = true
        let twice = judge([(9, 90), (10, 90)], facts, automatic, by: ["ann", "ann"])
        #expect(twice?.state == .RECOUNT && twice?.stands == false && twice?.readings.count == 2)
        #expect(judge([(9, 90), (10, 91), (11, 92)], facts, by: ["ann", "ann", "ann"])?.state == .RECOUNT)
        let together = judge([(9, 90), (10, 90)], facts, automatic, by: ["ann", "bob"], companion: "ann")
        #expect(together?.state == .RECOUNT)
        let other = judge([(9, 90), (10, 90), (11, 90)], facts, automatic, by: ["ann", "ann", "bob"])
        #expect(other?.state == .ACCEPTED && other?.stands == true)
        let open = book([bookLine("i", 100)], [movement("i", -10, opened: clock(8), booked: nil, state: .OPEN)])
        let doubtful = judge([(9, 100), (10, 100), (11, 100)], open, by: ["ann", "ann", "ann"])
        #expect(doubtful?.state == .RECOUNT && doubtful?.finding == .AMBIGUOUS)
    }

    @Test func `who corrects himself to the book is shown to a person`() {
        let facts = book([bookLine("i", 100)])
        let alone = judge([(9, 90), (10, 100)], facts, by: ["ann", "ann"])
        #expect(alone?.state == .TO_DECIDE && alone?.finding == .CLEAN && alone?.overturned.count == 1)
        // Two who say the same need nobody else, whatever one of them said before.
        let confirmed = judge([(9, 90), (10, 100), (11, 100)], facts, by: ["ann", "ann", "bob"])
        #expect(confirmed?.state == .ACCEPTED && confirmed?.overturned.count == 1)
    }

    @Test func `what nobody saw is never accepted unseen`() {
        let facts = book([bookLine("i", 100)])
        let once = judge([(9, nil)], facts)
        #expect(once?.state == .RECOUNT && once?.reading?.basis == .ABSENT && once?.reading?.variance == -100)
        #expect(judge([(9, nil), (10, nil)], facts)?.state == .TO_DECIDE)
        var loose = exactly
        loose.tolerance = Tolerance(floor: 1000)
        loose.acceptsConfirmed = true
        #expect(judge([(9, nil)], facts, loose)?.state == .RECOUNT)
        #expect(judge([(9, nil), (10, nil)], facts, loose)?.state == .TO_DECIDE)
    }

    @Test func `zero, empty, absent, skipped and part are told apart`() {
        func basis(_ make: (inout Terminal, CountPass) -> [CountEntry]) -> VerdictBasis? {
            var ann = Terminal("T7", "ann")
            let pass = ann.pass()
            let opinions = OpinionBuilder(passes: [pass], entries: make(&ann, pass)).opinions()
            return LineJudge.judge(key, opinions: opinions, book: book([bookLine("i", 3)]), policy: exactly)?.reading?
                .basis
        }
        #expect(basis { $0.count($1, [("i", 0)]) } == .STATED_ZERO)
        #expect(basis { $0.count($1, [("j", 1)]) } == .ABSENT)
        #expect(basis { [$0.entry(.EMPTY, $1, proof: .BIN_RESCAN), $0.entry(.CLOSE, $1, count: 2)] } == .BIN_EMPTY)
        #expect(basis { [$0.entry(.SKIP, $1, reason: "x"), $0.entry(.CLOSE, $1, count: 2)] } == .NOT_COUNTED)
        #expect(basis { [$0.entry(.CLOSE, $1, reason: "too high", count: 1)] } == .NOT_COUNTED)
        #expect(
            basis {
                [
                    $0.entry(.TALLY, $1, item: "j", quantity: 4), $0.entry(.SKIP, $1, reason: "x"),
                    $0.entry(.CLOSE, $1, count: 3),
                ]
            } == .NOT_COUNTED)
    }

    @Test func `nothing is settled while another opinion is under way`() {
        var bob = Terminal("T9", "bob")
        let running = bob.pass(at: clock(11))
        let open = OpinionBuilder(
            passes: [running], entries: [bob.entry(.TALLY, running, item: "i", quantity: 1, at: clock(11))]
        ).opinions()
        let result = LineJudge.judge(
            key, opinions: opinions([(9, 100)]) + open, book: book([bookLine("i", 100)]), policy: exactly)
        #expect(result?.state == .OPEN && result?.finding == .CLEAN)
    }

    @Test func `the wrong serial numbers are a difference though the number is right`() {
        var ann = Terminal("T7", "ann")
        let pass = ann.pass()
        let entries = ["A", "C"].map { ann.entry(.SERIAL, pass, item: "i", serial: $0) }
        let close = ann.entry(.CLOSE, pass, count: 3)
        let opinions = OpinionBuilder(passes: [pass], entries: entries + [close]).opinions()
        let result = LineJudge.judge(
            key, opinions: opinions, book: book([bookLine("i", 2, serials: ["A", "B"])]), policy: exactly)
        #expect(result?.finding == .OUT && result?.reading?.variance == 0)
        #expect(result?.reading?.missingSerials == ["B"] && result?.reading?.extraSerials == ["C"])
    }

    @Test func `the order of opinions changes nothing`() {
        let facts = book([bookLine("i", 100)], [movement("i", -10, booked: clock(9, 40))])
        for seed in 0..<200 {
            var random = SplitMix64(seed: UInt64(seed))
            let counts = (0...random.below(4)).map {
                (hour: 9 + $0, quantity: Decimal3(88 + random.below(14)) as Decimal3?)
            }
            let all = opinions(counts)
            let expected = LineJudge.judge(key, opinions: all, book: facts, policy: exactly)
            let mixed = LineJudge.judge(key, opinions: all.shuffled(using: &random), book: facts, policy: exactly)
            #expect(mixed == expected)
            let isExact = expected?.reading?.variance == 0
            if expected?.state == .ACCEPTED { #expect(isExact) }
        }
    }
}

@Suite struct RevisionTests {
    let key = LineKey(itemID: "i")

    func verdict(_ counts: [(hour: Int, quantity: Decimal3?)], after previous: LineVerdict? = nil) -> LineVerdict? {
        let opinions = JudgeTests().opinions(counts)
        guard
            let judged = LineJudge.judge(key, opinions: opinions, book: book([bookLine("i", 100)]), policy: exactly)
        else { return nil }
        return VerdictRevision.next(
            after: previous, id: "v", sessionID: "s", binID: "bin", key: key, judgement: judged, unitCost: 12)
    }

    @Test func `a verdict moves on only when something changes`() throws {
        let first = try #require(verdict([(9, 90)]))
        #expect(first.revision == 1 && first.state == .RECOUNT && first.varianceValue == -120)
        #expect(verdict([(9, 90)], after: first) == nil)
        let second = try #require(verdict([(9, 90), (10, 90)], after: first))
        #expect(second.revision == 2 && second.state == .TO_DECIDE && second.standingPassID == "T1-0001")
    }

    @Test func `who counted cannot approve, nor who saw another revision`() throws {
        let line = try #require(verdict([(9, 90), (10, 90)]))
        let byCounter = decision(.approve, ["v"], by: "p1")
        #expect(throws: DecisionRefusal.approverCounted) {
            try VerdictRevision.approved(
                line, by: byCounter, seenRevision: 1, people: ["p0", "p1"], mayApprove: true)
        }
        let bySue = decision(.approve, ["v"])
        #expect(throws: DecisionRefusal.changed(shown: 7, now: 1)) {
            try VerdictRevision.approved(line, by: bySue, seenRevision: 7, people: [], mayApprove: true)
        }
        #expect(throws: DecisionRefusal.aboveBand) {
            try VerdictRevision.approved(line, by: bySue, seenRevision: 1, people: [], mayApprove: false)
        }
        let signed = try VerdictRevision.approved(line, by: bySue, seenRevision: 1, people: ["p0"], mayApprove: true)
        #expect(signed.state == .ACCEPTED && signed.decisionID == "D-1" && signed.revision == 2)
        #expect(verdict([(9, 90), (10, 90), (11, 95)], after: signed) == nil)
        let left = try VerdictRevision.exported(signed)
        #expect(left.state == .EXPORTED && VerdictRevision.isSettled(left))
        #expect(throws: DecisionRefusal.notPossible(.EXPORTED)) {
            try VerdictRevision.recounted(left, by: bySue, seenRevision: 3)
        }
    }

    @Test func `a recount that was asked for stands until somebody counted`() throws {
        let clean = try #require(verdict([(9, 100)]))
        #expect(clean.state == .ACCEPTED)
        let asked = try VerdictRevision.recounted(clean, by: decision(.recount, ["v"]), seenRevision: 1)
        #expect(asked.state == .RECOUNT && verdict([(9, 100)], after: asked) == nil)
        #expect(verdict([(9, 100), (10, 100)], after: asked)?.state == .ACCEPTED)
    }

    @Test func `giving up needs a reason`() throws {
        let line = try #require(verdict([(9, 90)]))
        #expect(throws: DecisionRefusal.reasonMissing) {
            try VerdictRevision.waived(line, by: decision(.waive, ["v"]), seenRevision: 1)
        }
        let given = try VerdictRevision.waived(line, by: decision(.waive, ["v"], reason: "sealed"), seenRevision: 1)
        #expect(given.state == .WAIVED)
    }
}

@Suite struct ToleranceTests {
    @Test func `the usual set is 0.2, 1 and 5 per cent and exact for serial numbers`() {
        func allows(_ abc: String?, _ variance: Decimal3, _ tracking: Tracking = .NONE) -> Bool {
            Tolerance.usual(abcClass: abc, tracking: tracking).allows(variance, book: 1000, unitCost: nil)
        }
        #expect(allows("A", -2) && !allows("A", Decimal3(units: 2001)))
        #expect(allows("b", 10) && !allows("B", 11) && allows(nil, 10))
        #expect(allows("C", -50) && !allows("C", -51))
        #expect(!allows("C", 1, .SERIAL) && allows("C", 0, .SERIAL))
        #expect(!Tolerance.usual(abcClass: "A", tracking: .NONE).allows(1, book: 499, unitCost: nil))
        #expect(!Tolerance.usual(abcClass: "C", tracking: .NONE).allows(1, book: 0, unitCost: nil))
    }

    func rule(
        _ limits: JSONValue, abc: String? = nil, unit: String? = nil, from: Decimal3? = nil, test: String = "any-of"
    ) -> Rule {
        Rule(
            id: "r-\(abc ?? "")-\(unit ?? "")-\(from?.description ?? "")", kind: .tolerance, abcClass: abc, unit: unit,
            valueFrom: from, test: test, limits: JSONText(limits), since: clock(1))
    }

    @Test func `the most specific rule of the site holds`() {
        let table = ToleranceTable(
            [
                rule(["percent": .number("2.5")]), rule(["units": 3], abc: "A"),
                rule(["units": 0], abc: "A", unit: "M"),
                rule(["percent": 1, "value": "50", "floor": 1], abc: "B", from: 1000, test: "all-of"),
            ], at: clock(9))
        func find(_ abc: String?, _ unit: String = "EA", value: Decimal4? = nil) -> Tolerance {
            table.tolerance(abcClass: abc, unit: unit, zoneID: nil, bookValue: value, tracking: .NONE)
        }
        #expect(find("A").units == 3 && find("A", "m").units == 0 && find(nil).percent == Decimal3("2.5"))
        #expect(find("B").percent == Decimal3("2.5"))
        let costly = find("B", value: 2000)
        #expect(costly.needsAll && costly.value == 50 && costly.floor == 1)
        #expect(costly.allows(5, book: 500, unitCost: 10) && !costly.allows(5, book: 500, unitCost: 11))
        #expect(costly.allows(1, book: 0, unitCost: nil) && !costly.allows(2, book: 500, unitCost: nil))
        let early = ToleranceTable([rule(["units": 9])], at: clock(0))
        let usual = early.tolerance(abcClass: "C", unit: "EA", zoneID: nil, bookValue: nil, tracking: .NONE)
        #expect(usual.percent == 5)
    }

    @Test func `bands say who may approve how much`() {
        func band(_ from: Decimal3?, _ to: Decimal3?, _ limits: JSONValue) -> Rule {
            Rule(
                id: "b\(from?.description ?? "")", kind: .approval_band, valueFrom: from, valueTo: to, test: "any-of",
                limits: JSONText(limits), since: clock(1))
        }
        let bands = ApprovalBands(
            [band(nil, 20, ["auto": true]), band(1000, nil, ["roles": ["admins"]])], at: clock(9))
        #expect(
            bands.isAutomatic(-19, abcClass: nil, zoneID: nil) && !bands.isAutomatic(20, abcClass: nil, zoneID: nil))
        #expect(bands.allows(["supervisors"], value: 999, abcClass: nil, zoneID: nil))
        #expect(!bands.allows(["supervisors"], value: -1000, abcClass: nil, zoneID: nil))
        #expect(bands.allows(["admins"], value: -1000, abcClass: nil, zoneID: nil))
    }

    @Test func `money is rounded half away from zero`() {
        #expect(Decimal3(units: 333).valued(at: Decimal3(units: 50)) == Decimal4(units: 167))
        #expect(Decimal3(units: -333).valued(at: Decimal3(units: 50)) == Decimal4(units: -167))
        #expect(Decimal3(-10).valued(at: 12) == -120)
    }
}

@Suite struct GuessTests {
    let key = LineKey(itemID: "i")

    @Test func `names the likely cause`() {
        let pack = PackUnit("CS", numerator: 12)!
        func guess(_ counted: Decimal3, _ book: Decimal3, _ near: [NeighbourLine] = []) -> Guess? {
            Guess.cause(of: key, counted: counted, book: book, packs: [pack], neighbours: near)
        }
        #expect(guess(4, 48) == .packFactor(unit: "CS", factor: 12))
        #expect(guess(48, 4) == .packFactor(unit: "CS", factor: 12))
        #expect(guess(63, 36) == .transposedDigits)
        #expect(guess(102, 12) == .digitCount && guess(12, 122) == .digitCount)
        #expect(guess(36, 36) == nil && guess(50, 61) == nil && guess(0, 12) == nil)
        let swapped = NeighbourLine(bin: "B-2", key: key, counted: 20, book: 55)
        #expect(guess(55, 20, [swapped]) == .swappedBins("B-2"))
        let near = NeighbourLine(bin: "B-3", key: key, counted: 30, book: 20)
        #expect(guess(7, 17, [near]) == .oppositeNearby(bin: "B-3", variance: 10))
        let other = NeighbourLine(bin: "B-3", key: LineKey(itemID: "x"), counted: 30, book: 20)
        #expect(guess(7, 19, [other]) == nil)
    }
}
