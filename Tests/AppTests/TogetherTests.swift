import Basics
import Counting
import Models
import Screens
import Testing
import WarehouseModels

@testable import CountingApp
@testable import DataStore

/// Several people in one bin: at terminals that know nothing of each other, at one terminal, and under found labels.
struct TogetherTests {
    let time = ManualTimeSource(DateTime(milliseconds: 1_800_000_000_000), bootID: "boot")

    /// A terminal with a store of its own.
    func terminal(
        _ device: String, _ login: String, visibility: Visibility = .BLIND, sharing: Sharing = .FLOOR
    ) throws -> CounterHarness {
        try .signedIn(login, at: device, visibility: visibility, sharing: sharing, time: time)
    }

    private func opinions(_ harnesses: CounterHarness...) -> [Opinion] {
        var passes: [String: CountPass] = [:]
        var entries: [String: CountEntry] = [:]
        for harness in harnesses {
            for pass in harness.passes { passes[pass.id] = pass }
            for entry in harness.entries { entries[entry.id] = entry }
        }
        return OpinionBuilder(passes: Array(passes.values), entries: Array(entries.values)).opinions()
            .filter { !$0.lines.isEmpty }
    }

    @Test(
        "Who joins offline by a badge names the person, and the two are one opinion", arguments: [Sharing.CREW, .FLOOR])
    func offlineJoin(_ sharing: Sharing) throws {
        let ann = try terminal("T07", "ann", sharing: sharing)
        let bob = try terminal("T12", "bob", sharing: sharing)
        ann.scan("B-01-01")
        ann.scan("4006381333931")
        ann.type("158 Enter Enter")
        bob.scan("B-01-01")
        bob.type("H Enter")
        bob.scan("ann")
        bob.scan("4006381333931")
        bob.type("12 Enter")
        let joined = try #require(bob.passes.last)
        #expect(bob.kinds.first == .VOID && joined.helpsPersonID == "ann" && joined.helpsPassID == nil)
        try ann.exchange(with: bob)
        for (harness, own) in [(ann, "you 158 + Bob 12=170"), (bob, "you 12 + Ann 158=170")] {
            harness.scan("4006381333931")
            #expect(harness.picture.contains(own), "\(harness.picture)")
            #expect(harness.app.bin.map { bin in bin.others.count } == 1)
            harness.type("Esc C Enter")
        }
        try ann.exchange(with: bob)
        let found = opinions(ann, bob)
        #expect(found.count == 1)
        #expect(found.first?.lines.values.first?.quantity == 170)
    }

    @Test("What was counted before joining adds up with the rest, and is not asked for again")
    func joinWithCounts() throws {
        let ann = try terminal("T07", "ann")
        let bob = try terminal("T12", "bob")
        ann.scan("B-01-01")
        ann.scan("4006381333931")
        ann.type("10 Enter")
        bob.scan("B-01-01")
        bob.scan("4006381333931")
        bob.type("5 Enter H Enter")
        bob.scan("ann")
        #expect(bob.passes.count == 2)
        #expect(bob.passes.last?.helpsPassID == "T12-0001" && bob.passes.last?.helpsPersonID == "ann")
        #expect(bob.picture.contains("4711-AX            5"))
        bob.scan("4006381333931")
        bob.type("3 Enter C Enter")
        #expect(bob.app.page == .tasks)
        try ann.exchange(with: bob)
        #expect(ann.app.bin?.others.count == 2)
        let found = opinions(ann, bob)
        #expect(found.count == 1 && found.first?.lines.values.first?.quantity == 18)
    }

    @Test(
        "Known to count in the same bin, the pass itself is helped; known elsewhere, the person beside me is believed")
    func joinKnown() throws {
        let ann = try terminal("T07", "ann")
        let bob = try terminal("T12", "bob")
        ann.scan("B-01-01")
        try ann.exchange(with: bob)
        bob.scan("B-01-02")
        bob.type("H Enter")
        bob.scan("ann")
        #expect(bob.passes.last?.binID == "bin2")
        #expect(bob.passes.last?.helpsPersonID == "ann" && bob.passes.last?.helpsPassID == nil)
        bob.type("H Enter 1 Enter")
        #expect(bob.app.page == .bin && bob.app.openBinID == "bin1")
        #expect(bob.passes.last?.helpsPassID == "T07-0001")
    }

    @Test("Who is nowhere known to count is asked for by the bin's label, typed or scanned")
    func joinFromList() throws {
        let bob = try terminal("T12", "bob")
        bob.type("H Enter")
        bob.type("Ann Enter")
        #expect(bob.app.page == .crew)
        bob.scan("4006381333931")
        #expect(bob.app.isBlocked && bob.passes.isEmpty)
        bob.type("Esc")
        bob.type("B-01-03 Enter")
        #expect(bob.passes.last?.helpsPersonID == "ann" && bob.passes.last?.binID == "bin3")
    }

    @Test("Two at one terminal stand in every pass until they part, and neither counts what is not for him")
    func companion() throws {
        let bob = try terminal("T12", "bob")
        bob.scan("B-01-01")
        bob.scan("zoe")
        #expect(bob.app.page == .question)
        bob.type("2")
        #expect(bob.kinds == [.VOID])
        #expect(bob.passes.map(\.companionID) == [nil, "zoe"])
        bob.scan("4006381333931")
        bob.type("5 Enter")
        bob.scan("ann")
        bob.type("2")
        // Ann takes Zoë's place: what the two had counted stays, and the bin goes on.
        #expect(bob.passes.last?.companionID == "ann" && bob.passes.last?.helpsPassID == "T12-0002")
        bob.scan("B-01-11")
        #expect(bob.app.message?.id == "bin.notForThem")
        bob.type("Esc")
        bob.scan("B-01-02")
        #expect(bob.passes.last?.companionID == "ann")
        bob.scan("ann")
        bob.type("2")
        #expect(bob.passes.last?.companionID == nil)
        let found = opinions(bob).first
        #expect(found?.people == ["bob", "zoe", "ann"] && found?.lines.values.first?.quantity == 5)
    }

    @Test("A companion is gone with the sign-out")
    func companionSignsOut() throws {
        let bob = try terminal("T12", "bob")
        bob.scan("B-01-01")
        bob.scan("zoe")
        bob.type("2 F3 F3 bob Enter")
        bob.scan("B-01-02")
        bob.type("2")
        #expect(bob.passes.last?.binID == "bin2" && bob.passes.last?.companionID == nil)
    }

    @Test("In a crew's sight a companion and who is helped by name may read the entries")
    func readers() throws {
        let bob = try terminal("T12", "bob", sharing: .CREW)
        bob.scan("B-01-01")
        bob.scan("zoe")
        bob.type("2")
        bob.type("H Enter")
        bob.scan("ann")
        bob.scan("4006381333931")
        #expect(bob.entries.last?.crewIDs == ["bob", "zoe", "ann"])
    }

    @Test("A label that no master has opens a pass without bin and task, which two can share")
    func foundLabel() throws {
        let ann = try terminal("T07", "ann")
        let bob = try terminal("T12", "bob")
        ann.scan("Z-99-01")
        #expect(ann.app.page == .question && ann.passes.isEmpty)
        ann.type("2")
        let pass = try #require(ann.passes.first)
        #expect(pass.foundLabel == "Z-99-01" && pass.binID == nil && pass.taskID == nil && pass.openedBy == .BIN_SCAN)
        ann.scan("4006381333931")
        ann.type("4 Enter")
        try ann.exchange(with: bob)
        bob.scan("Z-99-01")
        bob.type("2")
        #expect(bob.app.page == .question)
        bob.type("1")
        bob.scan("4006381333931")
        bob.type("3")
        #expect(bob.picture.contains("you 3 + Ann 4 = 7   "))
        bob.type("Enter C Enter")
        #expect(bob.entries.last { $0.deviceID == "T12" }?.kind == .CLOSE)
        #expect(bob.passes.last?.helpsPassID == pass.id && bob.passes.last?.foundLabel == "Z-99-01")
    }

    @Test("A found label can be stated empty by scanning it again, and by no digits")
    func foundLabelEmpty() throws {
        let ann = try terminal("T07", "ann")
        ann.type("Z-99-01 Enter 2")
        #expect(ann.passes.first?.openedBy == PassOpening.NONE)
        ann.type("E Enter 12 Enter")
        #expect(ann.app.message?.id == "bin.digitsWrong" && ann.entries.isEmpty)
        ann.type("Esc")
        ann.scan("Z-99-01")
        #expect(ann.kinds == [.EMPTY] && ann.entries.last?.proof == .BIN_RESCAN)
    }

    @Test("A bin that holds counted pieces is not stated empty")
    func notEmpty() throws {
        let ann = try terminal("T07", "ann")
        ann.scan("B-01-01")
        ann.scan("4006381333931")
        ann.type("5 Enter E Enter 21 Enter")
        #expect(ann.app.message?.id == "bin.hasCounts" && !ann.kinds.contains(.EMPTY))
        ann.type("Esc Esc U Enter E Enter 21 Enter")
        #expect(ann.kinds.last == .EMPTY)
    }

    @Test("Who takes a bin over is told to the one who was counting there, once and in the bin")
    func takenOver() throws {
        let ann = try terminal("T07", "ann")
        let bob = try terminal("T12", "bob")
        ann.scan("B-01-01")
        ann.scan("4006381333931")
        ann.type("5 Enter")
        try ann.exchange(with: bob)
        bob.scan("B-01-01")
        bob.type("3")
        try ann.exchange(with: bob)
        #expect(ann.app.message?.id == "crew.taken" && ann.sounds.last == .attention)
        ann.type("N Enter x Enter")
        #expect(ann.app.message?.id == "note.stored")
        #expect(ann.picture.contains("Bob took it over    ") || ann.picture.contains("Bob has taken       "))
        #expect(bob.app.bin?.takenBy == nil)
        // What was taken over is nobody's any more: Bob is not asked about Ann again.
        bob.scan("4006381333931")
        bob.type("7 Enter C Enter")
        bob.scan("B-01-01")
        #expect(bob.app.page == .bin && bob.passes.last?.takesOverPassID == nil)
    }
}
