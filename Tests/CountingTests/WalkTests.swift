import Basics
import Models
import Testing

@testable import Counting
@testable import WarehouseModels

/// The walks of the floor at the level of the rules.
@Suite struct WalkTests {
    let item = LineKey(itemID: "i")

    @Test func `walk 2: two people on one bin add up, and it is complete only when both have closed`() {
        var ann = Terminal("T7", "ann")
        var bob = Terminal("T12", "bob")
        let first = ann.pass()
        let second = bob.pass(helpsPerson: "ann", at: clock(9, 5))
        let annEntries = ann.count(first, [("i", 144), ("i", 14)])
        let bobEntries = bob.count(second, [("i", 12)])
        let open = OpinionBuilder(passes: [second, first], entries: annEntries + bobEntries.dropLast()).opinions()
        #expect(open.count == 1 && open[0].state == .open)
        #expect(open[0].lines[item]?.quantity == 170)
        let both = OpinionBuilder(passes: [first, second], entries: bobEntries + annEntries).opinions()
        #expect(both.count == 1 && both[0].state == .whole)
        #expect(both[0].lines[item]?.quantity == 170 && both[0].people == ["ann", "bob"])
    }

    @Test("Who had begun a count of his own and then joined somebody is one opinion with both")
    func joinsAfterABeginning() {
        var (ann, bob) = (Terminal("T1", "ann"), Terminal("T2", "bob"))
        let first = ann.pass()
        let begun = bob.pass(at: clock(9, 1))
        let joined = bob.pass(helpsPass: begun.id, helpsPerson: "ann", at: clock(9, 5))
        let entries = [
            ann.entry(.TALLY, first, item: "i", quantity: 10), bob.entry(.TALLY, begun, item: "i", quantity: 5),
            bob.entry(.TALLY, joined, item: "i", quantity: 3),
        ]
        #expect(joined.helped(among: [first, begun, joined]) == [begun.id, first.id])
        let found = OpinionBuilder(passes: [first, begun, joined], entries: entries).opinions()
        #expect(found.count == 1 && found.first?.lines.values.first?.quantity == 18)
        // Whose pass has not arrived is not looked for among others of that person.
        let early = bob.pass(helpsPass: "T1-0009", helpsPerson: "ann", at: clock(9, 6))
        #expect(early.helped(among: [first, early]) == ["T1-0009"])
    }

    @Test func `walk 3: both offline and unaware are two opinions of 23 that agree, never 46`() {
        var ann = Terminal("T7", "ann")
        var bob = Terminal("T12", "bob")
        let first = ann.pass()
        let second = bob.pass(at: clock(9, 10))
        let entries = ann.count(first, [("i", 23)]) + bob.count(second, [("i", 23)], at: clock(9, 10))
        let opinions = OpinionBuilder(passes: [first, second], entries: entries).opinions()
        #expect(opinions.map(\.lines[item]?.quantity) == [23, 23])
        let clean = LineJudge.judge(item, opinions: opinions, book: book([bookLine("i", 23)]), policy: exactly)
        #expect(clean?.state == .ACCEPTED && clean?.finding == .CLEAN && clean?.reading?.counted == 23)
        let agreed = LineJudge.judge(item, opinions: opinions, book: book([bookLine("i", 25)]), policy: exactly)
        #expect(agreed?.state == .TO_DECIDE && agreed?.finding == .OUT && agreed?.stands == true)
        #expect(agreed?.reading?.counted == 23 && agreed?.reading?.variance == -2 && agreed?.overturned == [])
    }

    @Test func `walk 4: equal numbers with a pick between them are compared by variance`() {
        var ann = Terminal("T7", "ann")
        var bob = Terminal("T12", "bob")
        let first = ann.pass()
        let second = bob.pass(at: clock(10))
        let early = ann.count(first, [("i", 90)], at: clock(9))
        let facts = book([bookLine("i", 100)], [movement("i", -10, booked: clock(9, 30))])
        let alone = OpinionBuilder(passes: [first], entries: early).opinions()
        let before = LineJudge.judge(item, opinions: alone, book: facts, policy: exactly)
        #expect(before?.state == .RECOUNT && before?.finding == .OUT && before?.reading?.variance == -10)
        #expect(before?.stands == false && alone.excludedPeople == ["ann"])
        let entries = early + bob.count(second, [("i", 90)], at: clock(10))
        let opinions = OpinionBuilder(passes: [first, second], entries: entries).opinions()
        let after = LineJudge.judge(item, opinions: opinions, book: facts, policy: exactly)
        #expect(after?.readings.map(\.variance) == [-10, 0])
        #expect(after?.reading?.opinionID == second.id && after?.stands == true && after?.overturned == [first.id])
        #expect(after?.finding == .CLEAN && after?.state == .TO_DECIDE)
        #expect(after?.reading?.bookQuantity == 90)
        var trusting = exactly
        trusting.acceptsOverturned = true
        let settled = LineJudge.judge(item, opinions: opinions, book: facts, policy: trusting)
        #expect(settled?.state == .ACCEPTED)
    }

    @Test func `walk 6: who takes over anew counts alone, and the old terminal's entries are late`() {
        var seven = Terminal("T7", "ann")
        var bob = Terminal("T12", "bob")
        let old = seven.pass()
        let nine = (0..<9).map { _ in seven.entry(.TALLY, old, item: "i", quantity: 10) }
        let new = bob.pass(takesOver: old.id, through: 0, at: clock(10))
        let counted = bob.count(new, [("i", 90)], at: clock(10))
        let sent = OpinionBuilder(passes: [old, new], entries: nine.prefix(5) + counted).opinions()
        #expect(sent.count == 1 && sent[0].state == .whole && sent[0].lines[item]?.quantity == 90)
        let revived = OpinionBuilder(passes: [old, new], entries: nine + counted).opinions()
        #expect(revived[0].lines[item]?.quantity == 90 && revived[0].state == .whole)
        #expect(revived[0].late == nine.map(\.id).sorted())
        var taken = OpinionBuilder(passes: [old, new], entries: nine + counted)
        taken.decisions = [decision(.late_take, [nine[8].id])]
        #expect(taken.opinions()[0].lines[item]?.quantity == 100)
    }

    @Test func `walk 6: more than nothing is taken over by the same person or by hand-over only`() {
        var seven = Terminal("T7", "ann")
        let old = seven.pass(task: "task")
        let nine = (0..<9).map { _ in seven.entry(.TALLY, old, item: "i", quantity: 10) }
        var again = Terminal("T8", "ann")
        let own = again.pass(takesOver: old.id, through: 5, at: clock(10))
        let rest = again.count(own, [("i", 40)], at: clock(10))
        let same = OpinionBuilder(passes: [old, own], entries: nine + rest).opinions()
        #expect(same[0].lines[item]?.quantity == 90 && same[0].late.count == 4)
        let short = OpinionBuilder(passes: [old, own], entries: [nine[0], nine[1], nine[4]] + rest).opinions()
        #expect(short[0].state == .incomplete && short[0].missing.map(\.candidates) == [[3, 4]])
        var bob = Terminal("T12", "bob")
        let foreign = bob.pass(takesOver: old.id, through: 5, at: clock(10))
        let bobs = bob.count(foreign, [("i", 40)], at: clock(10))
        var builder = OpinionBuilder(passes: [old, foreign], entries: nine + bobs)
        #expect(builder.opinions()[0].lines[item]?.quantity == 40)
        builder.decisions = [decision(.hand_over, ["task"], to: "bob")]
        #expect(builder.opinions()[0].lines[item]?.quantity == 90)
    }

    @Test func `walk 9: a CLOSE that overtakes an entry gives no verdict on half a pass`() {
        var ann = Terminal("T7", "ann")
        let pass = ann.pass()
        let entries = ann.count(pass, [("i", 5), ("i", 6), ("i", 7)])
        let without = entries.filter { $0.sequence != 2 }
        let opinions = OpinionBuilder(passes: [pass], entries: without).opinions()
        #expect(opinions[0].state == .incomplete && !opinions[0].isJudgeable)
        #expect(opinions[0].missing == [MissingEntries(passID: pass.id, deviceID: "T7", count: 1, candidates: [2])])
        let judged = LineJudge.judge(item, opinions: opinions, book: book([bookLine("i", 12)]), policy: exactly)
        #expect(judged?.state == .OPEN && judged?.finding == .INCOMPLETE && judged?.reading == nil)
        let all = OpinionBuilder(passes: [pass], entries: entries).opinions()
        #expect(all[0].state == .whole && all[0].lines[item]?.quantity == 18)
        let lost = OpinionBuilder(passes: [pass], entries: Array(entries.dropFirst(2))).opinions()
        #expect(lost[0].missing.map(\.candidates) == [[1, 2]])
    }
}

@Suite struct OpinionTests {
    let item = LineKey(itemID: "i")

    @Test func `a supervisor's later word joins passes and parts them`() {
        var ann = Terminal("T7", "ann")
        var bob = Terminal("T12", "bob")
        let first = ann.pass()
        let second = bob.pass(helpsPass: first.id, at: clock(9, 5))
        let entries = ann.count(first, [("i", 10)]) + bob.count(second, [("i", 13)])
        var builder = OpinionBuilder(passes: [first, second], entries: entries)
        #expect(builder.opinions().count == 1)
        builder.decisions = [decision(.compare, [first.id, second.id], at: clock(11))]
        #expect(builder.opinions().map(\.lines[item]?.quantity) == [10, 13])
        builder.decisions.append(decision(.add_up, [second.id, first.id], sequence: 2, at: clock(12)))
        #expect(builder.opinions().map(\.lines[item]?.quantity) == [23])
    }

    @Test func `of two words the one that reached the hub last holds, whatever the clock of a screen says`() throws {
        var (ann, bob) = (Terminal("T1", "ann"), Terminal("T2", "bob"))
        let passes = [ann.pass(), bob.pass()]
        let entries = ann.count(passes[0], [("i", 12)]) + bob.count(passes[1], [("i", 11)])
        func word(_ kind: DecisionKind, _ sequence: Int, at time: DateTime, arrived: DateTime) throws -> Decision {
            var record = decision(kind, passes.map(\.id), sequence: sequence, at: time).record
            record["createdAt"] = .integer(arrived.milliseconds)
            return try Decision(record)
        }
        var builder = OpinionBuilder(passes: passes, entries: entries)
        // The first was made on a screen whose clock is a year ahead.
        builder.decisions = [
            try word(.add_up, 1, at: clock(24 * 365), arrived: clock(10)),
            try word(.compare, 2, at: clock(11), arrived: clock(11)),
        ]
        #expect(builder.opinions().count == 2)
    }

    @Test func `who was sent again by OVERRIDE counts as another`() {
        var ann = Terminal("T1", "ann")
        let passes = [ann.pass(), ann.pass(task: "t2", at: clock(10))]
        let entries = ann.count(passes[0], [("i", 90)]) + ann.count(passes[1], [("i", 90)], at: clock(10))
        var builder = OpinionBuilder(passes: passes, entries: entries)
        func state() -> VerdictState? {
            LineJudge.judge(
                LineKey(itemID: "i"), opinions: builder.opinions(), book: book([bookLine("i", 100)]), policy: exactly
            )?.state
        }
        #expect(state() == .RECOUNT)
        builder.decisions = [decision(.override, ["t2"], to: "ann")]
        #expect(state() == .TO_DECIDE)
    }

    @Test func `one OVERRIDE is one more word, however often its task is counted`() {
        var ann = Terminal("T1", "ann")
        let passes = [ann.pass(), ann.pass(task: "t2", at: clock(10)), ann.pass(task: "t2", at: clock(11))]
        let entries = zip(passes, [(9, 90), (10, 85), (11, 85)] as [(Int, Decimal3)]).flatMap { pass, count in
            ann.count(pass, [("i", count.1)], at: clock(count.0))
        }
        var builder = OpinionBuilder(passes: passes, entries: entries)
        builder.decisions = [decision(.override, ["t2"], to: "ann")]
        let judged = LineJudge.judge(
            LineKey(itemID: "i"), opinions: builder.opinions(), book: book([bookLine("i", 100)]), policy: exactly)
        #expect(judged?.state == .RECOUNT && judged?.stands == false)
    }

    @Test func `an author takes back in a reopened pass what he wrote in the closed one`() {
        var ann = Terminal("T7", "ann")
        let first = ann.pass()
        let closed = ann.count(first, [("i", 10), ("j", 4)])
        let reopened = ann.pass(helpsPass: first.id, at: clock(9, 20))
        let undo = ann.entry(.UNDO, reopened, reverses: closed[0])
        let close = ann.entry(.CLOSE, reopened, count: 2)
        let opinions = OpinionBuilder(passes: [first, reopened], entries: closed + [undo, close]).opinions()
        #expect(opinions.count == 1 && opinions[0].state == .whole)
        #expect(opinions[0].lines[item] == nil && opinions[0].lines[LineKey(itemID: "j")]?.quantity == 4)
    }

    @Test func `everyone who counted, helped or stood beside is kept from the recount`() {
        var ann = Terminal("T7", "ann")
        var bob = Terminal("T12", "bob")
        let first = ann.pass(companion: "cara")
        let second = bob.pass(at: clock(9, 5))
        let opinions = OpinionBuilder(passes: [first, second], entries: []).opinions()
        #expect(opinions.excludedPeople == ["ann", "bob", "cara"])
    }

    @Test func `a part is a part and a void pass counts nothing`() {
        var ann = Terminal("T7", "ann")
        let pass = ann.pass()
        let part = [
            ann.entry(.TALLY, pass, item: "i", quantity: 5), ann.entry(.CLOSE, pass, reason: "too high", count: 2),
        ]
        let opinion = OpinionBuilder(passes: [pass], entries: part).opinions()[0]
        #expect(opinion.state == .partial(reason: "too high"))
        let void = ann.pass(at: clock(10))
        let entries = [ann.entry(.TALLY, void, item: "i", quantity: 50), ann.entry(.VOID, void)]
        #expect(OpinionBuilder(passes: [void], entries: entries).opinions()[0].state == .void)
    }

    @Test func `order of passes and entries changes nothing, and rings of help end`() {
        var ann = Terminal("T7", "ann")
        var bob = Terminal("T12", "bob")
        let first = ann.pass(helpsPerson: "bob")
        let second = bob.pass(helpsPerson: "ann", takesOver: first.id, through: 1, at: clock(9, 5))
        let third = ann.pass(takesOver: second.id, at: clock(9, 10))
        let loop = third.updating { $0.takesOverPassID = third.id }
        let entries = ann.count(first, [("i", 1)]) + bob.count(second, [("i", 2)]) + ann.count(third, [("i", 4)])
        let expected = OpinionBuilder(passes: [first, second, third], entries: entries).opinions()
        for seed in 0..<20 {
            var random = SplitMix64(seed: UInt64(seed))
            let mixed = OpinionBuilder(
                passes: [first, second, third].shuffled(using: &random), entries: entries.shuffled(using: &random))
            #expect(mixed.opinions() == expected)
        }
        #expect(OpinionBuilder(passes: [first, second, loop], entries: entries).opinions().count == 2)
    }
}
