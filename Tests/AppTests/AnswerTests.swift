import Basics
import Counting
import Models
import Screens
import Terminal
import Testing
import WarehouseModels

@testable import CountingApp
@testable import DataStore

/// A question is answered only by somebody who has seen it: not by a quantity typed blind, a scan, or a key typed ahead.
struct AnswerTests {
    let time = ManualTimeSource(DateTime(milliseconds: 1_800_000_000_000), bootID: "boot")

    private func signedIn() throws -> CounterHarness { try .signedIn(answerDelay: 400, time: time) }

    /// A bin with an item that has no quantity, and the next bin scanned.
    private func asked() throws -> CounterHarness {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.scan("B-01-02")
        #expect(harness.app.page == .close)
        return harness
    }

    private func look() { time.advance(milliseconds: 500) }

    @Test("A digit that comes with the question answers nothing, and later it does")
    func early() throws {
        let harness = try asked()
        harness.type("2")
        #expect(harness.app.page == .close && harness.app.message?.id == "choice.early")
        #expect(harness.kinds == [.TALLY])
        look()
        harness.type("2")
        #expect(harness.kinds == [.TALLY, .CLOSE] && harness.app.openBinID == "bin2")
    }

    @Test("What was typed ahead while the store worked is no answer")
    func typedAhead() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.holdsAnswers = true
        harness.scan("B-01-02")
        harness.type("2 Enter")
        look()
        harness.holdsAnswers = false
        harness.release()
        #expect(harness.app.page == .close)
        #expect(harness.kinds == [.TALLY])
    }

    @Test("An item scanned past the question waits, and a quantity typed blind answers nothing")
    func blind() throws {
        let harness = try asked()
        look()
        harness.scan("SER-1")
        #expect(harness.app.isBlocked && harness.sounds.last == .stop)
        look()
        harness.type("1 2 Enter")
        look()
        harness.type("2 Enter")
        #expect(harness.app.page == .close && harness.kinds == [.TALLY])
        #expect(harness.picture.contains { $0.contains("Esc: go on, 1 wait") })
        harness.type("Esc")
        harness.type("2")
        #expect(harness.app.page == .close, "the acknowledgement and the answer are two looks")
        look()
        harness.type("2")
        #expect(harness.app.openBinID == "bin2" && harness.app.line?.item?.sku == "SER-1")
    }

    @Test("Several scans past a question need one acknowledgement, and all come back in order")
    func several() throws {
        let harness = try asked()
        look()
        for code in ["0815-B", "4006381333931"] { harness.scan(code) }
        harness.type("Esc")
        #expect(!harness.app.isBlocked)
        look()
        harness.type("2")
        #expect(harness.app.openBinID == "bin2" && harness.app.line?.item?.sku == "4711-AX")
        #expect(harness.entries.suffix(2).map(\.itemID) == ["valve", "filter"])
    }

    @Test("U at the question takes back what was left open, as its row of keys says")
    func undoInstead() throws {
        let harness = try asked()
        harness.type("U")
        #expect(harness.app.page == .bin && harness.kinds == [.TALLY, .UNDO])
        harness.type("valve Enter")
        harness.type("1")
        harness.scan("B-01-02")
        harness.type("F4")
        #expect(harness.app.openBinID == "bin1" && harness.app.page == .bin)
    }

    @Test("Another bin scanned at the question takes the place of the first; the open bin's own label goes on")
    func otherBin() throws {
        let harness = try asked()
        harness.scan("B-01-03")
        #expect(harness.app.page == .close && !harness.app.isBlocked)
        #expect(harness.picture.contains { $0.contains("then: B-01-03") })
        harness.scan("B-01-01")
        #expect(harness.app.page == .bin && harness.app.openBinID == "bin1")
    }

    @Test("Only a person confirms a large quantity: the next scan waits for that")
    func confirming() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("1234567")
        harness.scan("0815-B")
        #expect(harness.kinds == [.TALLY])
        #expect(harness.app.message?.id == "quantity.large")
        harness.scan("0815-B")
        #expect(harness.kinds == [.TALLY] && harness.sounds.last == .stop)
        harness.type("Enter")
        #expect(harness.entries.map(\.baseQuantity) == [nil, 1_234_567, nil, 2])
    }

    @Test("A large quantity that is taken back lets the waiting scan in")
    func unconfirmed() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("1234567 Enter")
        harness.scan("0815-B")
        harness.type("U")
        #expect(harness.app.line?.item?.sku == "0815-B")
        #expect(harness.entries.allSatisfy { $0.baseQuantity == nil })
    }

    @Test("A page that acts at once says so, so that the terminal holds the first character of a scan")
    func holds() throws {
        let harness = try asked()
        #expect(harness.app.view(at: Moment(time)).actsAtOnce)
        look()
        harness.type("1")
        #expect(!harness.app.view(at: Moment(time)).actsAtOnce)
        harness.type("Esc")
        harness.scan("NO-SUCH-ITEM-AT-ALL")
        harness.type("F3")
        harness.type("F3")
        harness.type("nothing Enter")
        #expect(harness.app.isBlocked || harness.app.page == .question)
        #expect(harness.app.view(at: Moment(time)).actsAtOnce)
    }

    @Test("Ctrl-C ends the app when it comes twice, and any other key lets it go on")
    func interrupted() throws {
        let harness = try signedIn()
        harness.send(.input(.key(.control(3))))
        #expect(!harness.hasQuit && harness.app.message?.id == "leave.again")
        harness.type("x")
        harness.send(.input(.key(.control(3))))
        #expect(!harness.hasQuit)
        harness.send(.input(.key(.control(3))))
        #expect(harness.hasQuit)
    }

    @Test("What is only typed when the program is ended is there again afterwards")
    func ending() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("3 4")
        harness.send(.ending)
        harness.restart()
        #expect(harness.app.typed == "34" && harness.app.line?.item?.sku == "4711-AX")
    }

    @Test("A supervisor's digit pressed twice decides one line")
    func twice() throws {
        let harness = try SupervisorHarness(answerDelay: 400)
        func look() { harness.pass(seconds: 1) }
        harness.type("R")
        look()
        harness.type("1")
        for bin in ["A-01", "A-02"] {
            try harness.count(bin, 90, by: "ann")
            try harness.count(bin, 90, by: "bob")
        }
        harness.type("D 1")
        look()
        harness.type("1 1")
        #expect(harness.decisions.count { $0.kind == .approve } == 1)
        #expect(harness.app.message?.id == "choice.early")
        look()
        harness.type("1")
        #expect(harness.decisions.count { $0.kind == .approve } == 2)
    }
}
