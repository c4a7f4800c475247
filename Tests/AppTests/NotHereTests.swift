import Basics
import Counting
import Models
import Testing
import WarehouseModels

@testable import CountingApp

/// Sent entries that come back in parts, after somebody else was signed in.
struct NotHereTests {
    let time = ManualTimeSource(DateTime(milliseconds: 1_800_000_000_000), bootID: "boot")

    private func counting(_ sharing: Sharing = .FLOOR) throws -> CounterHarness {
        let harness = try CounterHarness.signedIn(sharing: sharing, time: time)
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        return harness
    }

    @Test("U takes nothing back while something newer is not here, and then what was last")
    func undo() throws {
        let harness = try counting()
        harness.type("4 6 Enter")
        harness.scan("4006381333931")
        harness.type("3 Enter")
        let sent = try harness.losesSent()
        let last = try #require(sent.last { $0.baseQuantity == 3 })
        try harness.receive(sent.filter { $0.sequence < last.sequence })
        harness.type("U Enter")
        #expect(harness.app.message?.id == "bin.notHere")
        #expect(!harness.kinds.contains(.UNDO))
        harness.type("Esc")
        try harness.receive(sent.filter { $0.sequence >= last.sequence })
        harness.type("U Enter")
        #expect(harness.entries.last?.reversesID == last.id)
    }

    @Test("R takes nothing back while something newer is not here, or what the undo undid", arguments: [true, false])
    func redo(_ isNewerHere: Bool) throws {
        let harness = try counting()
        harness.type("4 6 Enter U Enter R Enter")
        let sent = try harness.losesSent()
        let last = try #require(sent.last { $0.kind == .UNDO })
        try harness.receive(sent.filter { ($0.id == last.id) == isNewerHere })
        harness.type("R Enter")
        #expect(harness.app.message?.id == "bin.notHere")
        harness.type("Esc")
        try harness.receive(sent.filter { ($0.id == last.id) != isNewerHere })
        harness.type("U Enter R Enter")
        #expect(harness.entries.filter { $0.kind == .UNDO }.count == 4)
    }

    @Test("who joined while entries were away hears the totals when they are back")
    func sharing() throws {
        let ann = try counting(.CREW)
        ann.type("4 6 Enter")
        let bob = try CounterHarness.signedIn("bob", at: "T12", sharing: .CREW, time: time)
        bob.scan("B-01-01")
        bob.type("H Enter")
        bob.scan("ann")
        let sent = try ann.losesSent()
        try ann.exchange(with: bob)
        #expect(!ann.kinds.contains(.SHARE))
        try ann.receive(sent)
        #expect(ann.kinds.contains(.SHARE))
    }

    @Test("what was written of a pass is noted in runs", arguments: ["", "2"])
    func runs(_ before: String) {
        var noted = NotedEntries(before)
        for sequence in [4, 5, 6, 9, 12, 13] { noted.add(sequence, count: noted.count + 1) }
        let again = NotedEntries(noted.text)
        #expect(again.text == "\(before == "" ? 6 : 8) 4-6 9-9 12-13")
        #expect([0, 4, 6, 9, 10, 12, 13].map { again.count(after: $0) } == [6, 5, 3, 2, 2, 1, 0])
    }
}
