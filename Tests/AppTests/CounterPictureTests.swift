import Basics
import Counting
import Models
import Screens
import Testing
import WarehouseModels

@testable import CountingApp
@testable import DataStore

/// What must hold of every picture, whatever its size.
struct CounterPictureTests {
    let time = ManualTimeSource(DateTime(milliseconds: 1_800_000_000_000), bootID: "boot")
    static let sizes = ["20x8", "20x16", "40x8", "80x24"]

    func signedIn(_ size: String, visibility: Visibility = .BLIND) throws -> CounterHarness {
        let harness = try CounterHarness.signedIn(visibility: visibility, time: time)
        harness.size = try #require(GridSize(size))
        return harness
    }

    @Test("The line's total is in sight while it is counted, also under a message", arguments: sizes)
    func total(_ size: String) throws {
        let harness = try signedIn(size)
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("41 Enter")
        #expect(harness.picture.contains { $0.contains("1 line 41") })
        harness.scan("4006381333931")
        #expect(harness.picture.contains { $0.contains("so far 41") })
        harness.type("1x Enter")
        #expect(harness.app.isBlocked && harness.picture.contains { $0.contains("so far 41") })
    }

    @Test("An error says how it goes on, and how many scans wait", arguments: sizes)
    func blocked(_ size: String) throws {
        let harness = try signedIn(size)
        harness.scan("B-01-12")
        #expect(harness.picture.last?.contains("Esc to go on") == true)
        harness.scan("B-01-01")
        #expect(harness.picture.last?.contains("1") == true && harness.picture.last?.contains("wait") == true)
        harness.send(.input(.key(.enter)))
        #expect(harness.app.isBlocked)
        harness.type("Esc")
        #expect(harness.app.openBinID == "bin1")
    }

    @Test("Only what is in sight can be chosen, and every bin of the list comes into sight", arguments: sizes)
    func list(_ size: String) throws {
        let harness = try signedIn(size)
        let room = harness.app.taskCapacity
        if room < 9 {
            harness.type("9 Enter")
            #expect(harness.app.message?.id == "choice.unknown")
            harness.type("Esc")
        }
        var seen: Set<String> = []
        for _ in 0..<10 {
            let picture = harness.picture.joined(separator: "\n")
            for number in 1...10 where picture.contains("B-01-\(number < 10 ? "0" : "")\(number)") {
                seen.insert(String(number))
            }
            harness.type("0 Enter")
        }
        #expect(seen.count == 10)
    }

    @Test("In a big bin the newest line is in sight, and all can be turned to")
    func bigBin() throws {
        let harness = try signedIn("20x16")
        let count = 60
        try CounterFloor.stock(count, in: harness.core)
        harness.scan("B-01-01")
        for number in 1...count {
            harness.scan("L" + String(1000 + number).dropFirst())
            harness.type("\(number) Enter")
        }
        for size in CounterPictureTests.sizes {
            harness.size = try #require(GridSize(size))
            #expect(harness.picture.contains { $0.contains("PART-060") })
            #expect(harness.picture.contains { $0.contains("60 lines 1830") })
            var seen: Set<Int> = []
            for _ in 0..<40 {
                harness.type("PgDn")
                let picture = harness.picture.joined(separator: "\n")
                for number in 1...count where picture.contains("PART-" + String(1000 + number).dropFirst()) {
                    seen.insert(number)
                }
            }
            #expect(seen.count == count)
            #expect(harness.picture.contains { $0.contains(" of 60") })
        }
    }

    @Test("A blind counter's pictures hold no expected item and no expected quantity", arguments: sizes)
    func blind(_ size: String) throws {
        let harness = try signedIn(size)
        try harness.core.write(as: nil) { tx in
            try tx.save(
                ExpectedLine(
                    id: "leak", sessionID: "S1", taskID: CounterFloor.task("bin1"), itemID: "valve", quantity: 7654))
            try tx.save(
                Message(
                    id: "alert", kind: .ALERT, fromID: "desk", toIDs: [], audience: ["supervisors"],
                    text: "0815-B differs by 7654", sentAt: time.now()))
        }
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("3")
        let steps = [
            "Enter", "?", "Esc", "N Enter", "Esc", "T Enter", "Esc", "H Enter", "Esc", "M Enter", "Esc", "K Enter",
            "Esc",
            "/", "Esc", "C Enter",
        ]
        for step in steps {
            harness.type(step)
            let text = harness.picture.joined()
            #expect(!text.contains("0815") && !text.contains("7654"), "after \(step)")
        }
    }

    @Test("Without a PIN nothing of it is drawn", arguments: sizes)
    func signIn(_ size: String) throws {
        let harness = try signedIn(size)
        harness.type("F3")
        #expect(harness.app.page == .signin && !harness.picture.joined().contains("PIN"))
    }

    @Test("Undo goes back over a restart, act by act, to nothing")
    func undoOverRestart() throws {
        let harness = try signedIn("20x16")
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("5 Enter")
        harness.scan("9999999")
        harness.type("7 Enter")
        harness.restart()
        harness.type("U Enter U Enter")
        #expect(harness.app.bin?.totals.units == 5)
        harness.restart()
        harness.type("U Enter U Enter")
        #expect(harness.app.bin?.totals.lines.isEmpty == true)
        harness.type("U Enter")
        #expect(harness.app.message?.id == "undo.nothing")
    }

    @Test("No size is too small to be drawn", arguments: [(1, 1), (3, 2), (19, 8), (20, 7), (20, 9), (200, 60)])
    func tiny(_ width: Int, _ height: Int) throws {
        let harness = try signedIn("20x16")
        harness.size = GridSize(width, height)
        #expect(harness.picture.count == height)
        harness.scan("B-01-01")
        harness.type("E Enter 21 Enter")
        #expect(harness.kinds == [.EMPTY] && harness.picture.count == height)
    }

    @Test("A question about closing goes on with the line that was left open")
    func goesOn() throws {
        let harness = try signedIn("20x16")
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("Esc")
        harness.type("0815-B Enter 2 Enter C Enter")
        #expect(harness.app.page == .close)
        harness.type("1")
        #expect(harness.app.line?.item?.sku == "4711-AX")
        harness.type("4 Enter C Enter")
        #expect(harness.kinds.last == .CLOSE)
    }
}
