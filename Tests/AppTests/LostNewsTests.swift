import Basics
import Counting
import Models
import Screens
import Testing
import WarehouseModels

@testable import CountingApp
@testable import DataStore

/// Nothing that happens elsewhere is shown late or never because something else happened at the same time.
struct LostNewsTests {
    let time = ManualTimeSource(DateTime(milliseconds: 1_800_000_000_000), bootID: "boot")

    private func signedIn(sharing: Sharing = .FLOOR, visibility: Visibility = .BLIND) throws -> CounterHarness {
        try .signedIn(visibility: visibility, sharing: sharing, time: time)
    }

    /// A message reaches the store; the machine hears of it with the next word from there.
    private func deliver(
        _ text: String, to harness: CounterHarness, secondsAgo: Int64 = 0
    ) throws {
        let at = time.now().advanced(by: -secondsAgo * 1000)
        try harness.core.write(as: nil) { tx in
            try tx.save(
                Message(
                    id: "m-" + text, kind: .TEXT, fromID: "bob", toIDs: [], audience: ["counters"], text: text,
                    sentAt: at))
        }
    }

    private func wait(_ seconds: Int64, _ harness: CounterHarness) {
        time.advance(milliseconds: seconds * 1000)
        harness.send(.tick)
    }

    private func news(_ text: String) -> ScreenMessage { ScreenMessage("message.new", ["who": "Bob", "text": text]) }

    @Test("A message that comes with the answer to an act is told after it")
    func withAnAnswer() throws {
        let harness = try signedIn()
        try deliver("dock 4", to: harness)
        harness.scan("B-01-01")
        #expect(harness.app.message?.id == "bin.opened", "what the act came to is read first")
        wait(1, harness)
        #expect(harness.app.message?.id == "bin.opened")
        wait(3, harness)
        #expect(harness.app.message == news("dock 4") && harness.sounds.last == .attention)
    }

    @Test("A message that comes while an error stands, or a quantity is to be confirmed, is told when that is over")
    func behindAnError() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.type("Q Enter")
        #expect(harness.app.isBlocked)
        try deliver("dock 4", to: harness)
        harness.release()
        wait(9, harness)
        #expect(harness.app.message?.id == "command.unknown")
        harness.type("Esc")
        #expect(harness.app.message == news("dock 4"))

        wait(2, harness)
        harness.scan("4006381333931")
        harness.type("9 9 9 9 9 9 Enter")
        #expect(harness.app.message?.id == "quantity.large")
        try deliver("dock 5", to: harness)
        harness.release()
        wait(9, harness)
        #expect(harness.app.message?.id == "quantity.large")
        harness.type("u")
        #expect(harness.app.message == news("dock 5"))
    }

    @Test("Somebody who joins does not hide an error that waits for a key, nor is he passed over")
    func joinedBehindAnError() throws {
        let ann = try signedIn()
        ann.scan("B-01-01")
        let bob = try CounterHarness.signedIn("bob", at: "T12", time: time)
        try ann.exchange(with: bob)
        bob.scan("B-01-01")
        bob.type("1")
        ann.type("Q Enter")
        try ann.exchange(with: bob)
        #expect(ann.app.isBlocked && ann.app.message?.id == "command.unknown")
        ann.type("Esc")
        #expect(ann.app.message == ScreenMessage("crew.joined", ["who": "Bob"]))
    }

    @Test("Of messages that come together each is told, and one that was written without a link comes late and is told")
    func severalMessages() throws {
        let harness = try signedIn()
        try deliver("second", to: harness)
        try deliver("first", to: harness, secondsAgo: 60)
        harness.release()
        wait(1, harness)
        #expect(harness.app.message == news("first"))
        wait(2, harness)
        #expect(harness.app.message == news("first"))
        wait(1, harness)
        #expect(harness.app.message == news("second"))
        try deliver("from the cold store", to: harness, secondsAgo: 600)
        harness.release()
        wait(4, harness)
        #expect(harness.app.message == news("from the cold store"))
    }

    @Test("Who types on is told too: news stands for a second whatever is typed, then goes with a key")
    func typedOver() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        try deliver("dock 4", to: harness)
        harness.release()
        wait(1, harness)
        harness.type("1 2")
        #expect(harness.app.message == news("dock 4") && harness.app.typed == "12")
        harness.type("Enter")
        #expect(harness.app.message?.id == "stored")
        wait(4, harness)
        #expect(harness.app.message == news("dock 4"))
        wait(2, harness)
        harness.type("4")
        #expect(harness.app.message == nil)
    }

    @Test("What changes while an act is under way is looked at as soon as that is over, though a tick fell in between")
    func tickWhileWaiting() throws {
        let harness = try signedIn()
        harness.holdsAnswers = true
        harness.type("0 Enter")
        try harness.core.write(as: nil) { tx in
            let task = try #require(try tx.get(BinTask.self, id: CounterFloor.task("bin1")))
            try tx.save(task.updating { $0.state = .counted })
        }
        harness.send(.changed(models: harness.takeChanged()))
        harness.send(.tick)
        harness.type("PgUp")
        harness.holdsAnswers = false
        harness.release()
        #expect(!harness.picture.contains { $0.contains("B-01-01") })
    }

    @Test("What could not be read is read again at the next tick")
    func failedReading() throws {
        let harness = try signedIn()
        harness.readingFailure = "disk I/O error"
        try deliver("dock 4", to: harness)
        harness.release()
        harness.send(.tick)
        #expect(harness.app.message == nil)
        harness.readingFailure = nil
        harness.send(.tick)
        #expect(harness.app.message == news("dock 4"))
    }

    @Test("A message that comes while the messages are read is among them")
    func openList() throws {
        let harness = try signedIn()
        harness.type("M Enter h i")
        try deliver("dock 4", to: harness)
        harness.release()
        #expect(harness.picture.joined().contains("dock 4") && harness.app.typed == "hi")
    }

    @Test("An item that comes after the line that wants it gives the line its name")
    func lateItem() throws {
        let harness = try signedIn(visibility: .SEMI_BLIND)
        try harness.core.write(as: nil) { try $0.delete(Item.self, id: "filter") }
        harness.scan("B-01-01")
        #expect(harness.picture.contains { $0.hasPrefix("filter ") })
        try harness.core.write(as: nil) { tx in
            try tx.save(
                Item(
                    id: "filter", sku: "4711-AX", name: "Filter", baseUnit: "EA", decimals: 0, tracking: .NONE,
                    hasExpiry: false, active: true))
        }
        harness.release()
        #expect(harness.picture.contains { $0.hasPrefix("4711-AX ") })
    }

    @Test("A line that was left with F3 is not found open again at the next signing in")
    func leftLine() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("1 2")
        harness.send(.tick)
        harness.type("F3 F3 F3 ann Enter")
        #expect(harness.app.page == .bin && harness.app.line == nil)
    }
}
