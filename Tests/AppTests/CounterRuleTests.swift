import Basics
import Counting
import Crypto
import Models
import Screens
import Terminal
import Testing
import WarehouseModels

@testable import CountingApp
@testable import DataStore

struct CounterRuleTests {
    let time = ManualTimeSource(DateTime(milliseconds: 1_800_000_000_000), bootID: "boot")

    func signedIn(
        visibility: Visibility = .BLIND, sharing: Sharing = .FLOOR, state: SessionState = .counting
    ) throws -> CounterHarness {
        try .signedIn(visibility: visibility, sharing: sharing, state: state, time: time)
    }

    @Test("The first bin writes pass, tally and a close that carries the number of entries")
    func firstBin() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("1 2 Enter")
        harness.scan("B-01-02")
        #expect(harness.passes.map(\.ticket) == ["T07-0001", "T07-0002"])
        #expect(harness.passes.map(\.openedBy) == [.BIN_SCAN, .BIN_SCAN])
        #expect(harness.kinds == [.TALLY, .TALLY, .CLOSE])
        #expect(harness.entries.map(\.id) == ["T07-1", "T07-2", "T07-3"])
        #expect(harness.entries.last?.entryCount == 3)
        #expect(harness.entries.last?.reason == nil)
        #expect(harness.entries.allSatisfy { $0.audience == ["counters"] && $0.crewIDs.isEmpty })
        #expect(harness.entries.first?.rawScan == Base64.encode(Array("4006381333931".utf8)))
        let totals = PassFold.totals(of: "T07-0001", entries: harness.entries)
        #expect(totals.isWhole && totals.units == 12)
    }

    @Test("What is typed at the first picture counts once it is known who is signed in")
    func typedAtTheStart() throws {
        let harness = CounterHarness(core: try CounterFloor.store(time: time), time: time)
        harness.restart(typing: "F3")
        #expect(harness.app.page == .switchoff)
        harness.type("Esc ann Enter")
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("5 Enter")
        harness.restart(typing: "C Enter")
        #expect(harness.kinds.last == .CLOSE)
    }

    @Test("The chain of a device holds over people, undos and a restart")
    func chain() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("5 Enter U Enter R Enter")
        harness.restart()
        harness.scan("4006381333931")
        harness.type("7 Enter C Enter F3")
        harness.type("bob Enter")
        harness.scan("B-01-02")
        harness.scan("UNKNOWN-1")
        let report = RecordChain.verify(harness.entries) { SHA256.hexDigest($0) }
        #expect(report.isIntact)
        #expect(harness.entries.map(\.sequence) == Array(1...harness.entries.count))
        #expect(Set(harness.entries.map(\.authorID)) == ["ann", "bob"])
    }

    @Test("A job that fails on a full disk leaves no entry, no gap and what was typed")
    func diskFull() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.failure = "database or disk is full"
        harness.type("1 2 Enter")
        #expect(harness.entries.count == 1)
        #expect(harness.sounds.last == .stop)
        #expect(harness.app.typed == "12")
        harness.failure = nil
        harness.type("Esc")
        harness.type("Enter")
        #expect(harness.entries.map(\.sequence) == [1, 2])
        #expect(harness.entries.last?.baseQuantity == 12)
    }

    @Test("A scanner cannot acknowledge an error, and its scans wait")
    func errorsWait() throws {
        let harness = try signedIn()
        harness.scan("B-01-11")
        #expect(harness.app.message?.id == "bin.notForYou")
        harness.scan("B-01-01")
        harness.send(.input(.key(.enter)))
        #expect(harness.passes.isEmpty)
        harness.type("Esc")
        #expect(harness.passes.count == 1)
    }

    @Test("Who helps adds up, and both see the sum")
    func helping() throws {
        let harness = try signedIn()
        let bob = CounterHarness(core: harness.core, time: time, device: "T12")
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("158 Enter Enter")
        bob.type("F3")
        bob.type("bob Enter")
        bob.scan("B-01-01")
        #expect(bob.picture.contains { $0.contains("IN USE") })
        bob.type("1")
        #expect(bob.passes.last?.helpsPassID == "T07-0001")
        #expect(bob.passes.last?.helpsPersonID == "ann")
        bob.scan("4006381333931")
        bob.type("12")
        #expect(bob.picture.contains { $0.contains("you 12+Ann 158=170") || $0.contains("you 12 + Ann 158") })
    }

    @Test("Counting together with a crew's sight shares the totals so far once")
    func share() throws {
        let harness = try signedIn(sharing: .CREW)
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("158 Enter Enter")
        #expect(harness.entries.allSatisfy { $0.crewIDs == ["ann"] && $0.audience.isEmpty })
        let bob = try person("bob", on: harness.core, device: "T12")
        bob.scan("B-01-01")
        bob.type("1")
        harness.send(.changed(models: ["CountPass"]))
        harness.send(.tick)
        let shares = harness.entries.filter { $0.kind == .SHARE }
        #expect(shares.count == 1)
        #expect(shares.first?.crewIDs == ["ann", "bob"])
        let totals = PassFold.totals(of: "T07-0001", entries: harness.entries.filter { $0.deviceID == "T07" })
        #expect(totals.units == 158)
    }

    private func person(_ login: String, on core: StoreCore, device: String) throws -> CounterHarness {
        // Each terminal has its own signed-in person; here both use one store, so the name is taken over.
        try core.write(as: nil) { try $0.setSetting("person", nil) }
        let harness = CounterHarness(core: core, time: time, device: device)
        harness.type("\(login) Enter")
        return harness
    }

    @Test("A take-over by someone else counts anew")
    func takeOver() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("5 Enter")
        let bob = try person("bob", on: harness.core, device: "T12")
        bob.scan("B-01-01")
        bob.type("3")
        let pass = try #require(bob.passes.last)
        #expect(pass.takesOverPassID == "T07-0001")
        #expect(pass.takesOverThrough == 0)
        #expect(pass.helpsPassID == nil)
    }

    @Test("After STOP no bin can be opened, and the open one can be finished")
    func stopped() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        try harness.core.write(as: nil) { tx in
            let session = try #require(try tx.get(CountSession.self, id: "S1"))
            try tx.save(session.updating { $0.state = .stopped })
        }
        harness.scan("4006381333931")
        harness.type("5 Enter")
        harness.scan("B-01-02")
        #expect(harness.passes.count == 1)
        #expect(harness.sounds.last == .stop)
        harness.type("Esc C Enter")
        #expect(harness.kinds.last == .CLOSE)
        let device = try #require(harness.all(Device.self).first)
        #expect(device.checkedOutAt != nil)
    }

    @Test("The device reports once a minute and when its person or bin changes")
    func heartbeat() throws {
        let harness = try signedIn()
        #expect(harness.all(Device.self).first?.personID == "ann")
        harness.scan("B-01-01")
        #expect(harness.all(Device.self).first?.binID == "bin1")
        let first = harness.all(Device.self).first?.beatAt
        harness.send(.tick)
        #expect(harness.all(Device.self).first?.beatAt == first)
        time.advance(milliseconds: 61_000)
        harness.send(.tick)
        #expect(harness.all(Device.self).first?.beatAt != first)
    }

    @Test("Reopening the bin closed last helps the closed pass and frees the untouched one")
    func reopen() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("5 Enter")
        harness.scan("B-01-02")
        harness.type("U Enter")
        #expect(harness.kinds.last == .VOID)
        #expect(harness.passes.last?.helpsPassID == "T07-0001")
        #expect(harness.passes.last?.binID == "bin1")
    }

    @Test("A blind counter is shown no expected item")
    func blind() throws {
        let harness = try signedIn()
        try harness.core.write(as: nil) {
            try $0.save(
                ExpectedLine(
                    id: "leak", sessionID: "S1", taskID: CounterFloor.task("bin1"), itemID: "filter", quantity: 77))
        }
        harness.size = GridSize(80, 24)
        harness.scan("B-01-01")
        #expect(!harness.picture.joined().contains("4711-AX"))
        #expect(!harness.picture.joined().contains("77"))
    }

    @Test("The app's contract and the shipped screens name the same things")
    func contract() {
        let library = AppScreens.shipped
        #expect(library.check(AppContract.all).map(\.description) == [])
        let known = library.vocabulary
        let contract = CounterApp.contract
        #expect(contract.actions.subtracting(known.actions).isEmpty)
        #expect(contract.messages.subtracting(known.messages).isEmpty)
        #expect(contract.screens.subtracting(known.screens).isEmpty)
        #expect(Set(contract.bindings.keys).subtracting(known.bindings.keys).isEmpty)
    }

    @Test(
        "Every page shows only what the contract names, at every size", arguments: ["20x8", "20x16", "40x8", "80x24"])
    func pages(_ size: String) throws {
        let harness = try signedIn(visibility: .SEMI_BLIND)
        harness.size = try #require(GridSize(size))
        let known = Set(CounterApp.contract.bindings.keys)
        var seen: Set<String> = []
        func look() {
            let view = harness.app.view(at: Moment(time))
            seen.insert(view.screen)
            #expect(Set(view.state.values.keys).subtracting(known).isEmpty, "\(view.screen)")
            #expect(!harness.picture.joined().contains("no screen"))
        }
        look()
        harness.type("F1")
        look()
        harness.type("Esc")
        for step in ["/", "H Enter", "M Enter"] {
            harness.type(step)
            look()
            harness.type("Esc")
        }
        harness.type("1 Enter")
        look()
        harness.scan("B-01-01")
        look()
        for step in ["E Enter", "K Enter", "N Enter", "T Enter", "C Enter", "valve Enter"] {
            harness.type(step)
            look()
            harness.type("Esc")
        }
        harness.scan("4006381333931")
        look()
        harness.type("P Enter")
        look()
        harness.type("Esc")
        harness.type("F3 F3 F3")
        look()
        harness.type("F3")
        look()
        #expect(
            seen == [
                "tasks", "help", "find", "crew", "message", "digits", "bin", "reason", "note", "tray", "close",
                "matches",
                "count", "pack", "signin", "switchoff",
            ])
        harness.type("2")
        #expect(harness.hasQuit)
    }

    @Test("The link's going and coming and a new message are said")
    func link() throws {
        let harness = try signedIn()
        var state = LinkState()
        state.isSyncing = true
        state.isOnline = true
        state.lastContactUptime = 0
        harness.send(.link(state))
        state.isOnline = false
        state.unsent = 12
        harness.send(.link(state))
        state.isOnline = true
        harness.send(.link(state))
        #expect(harness.app.message?.id != "link.back", "a link that blinks is for the badge alone")
        state.isOnline = false
        harness.send(.link(state))
        time.advance(milliseconds: 540_000)
        harness.send(.tick)
        #expect(harness.app.message?.id == "link.down")
        #expect(harness.picture[0].hasSuffix("12 v9m"))
        state.isOnline = true
        harness.send(.link(state))
        #expect(harness.app.message?.id == "link.back")
        try harness.core.write(as: nil) {
            try $0.save(
                Message(
                    id: "m1", kind: .TEXT, fromID: "bob", toIDs: [], audience: ["counters"], text: "leave D04",
                    sentAt: time.now()))
        }
        harness.send(.tick)
        harness.send(.changed(models: ["Message"]))
        harness.send(.tick)
        #expect(harness.app.message?.arguments["text"] == "leave D04")
    }
}
