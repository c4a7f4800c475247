import Basics
import Counting
import Models
import Screens
import Testing
import WarehouseModels

@testable import CountingApp
@testable import DataStore

/// What a counter is told without having asked: messages, codes that became known, serial numbers seen elsewhere, a
/// session that was closed.
struct CounterNewsTests {
    let time = ManualTimeSource(DateTime(milliseconds: 1_800_000_000_000), bootID: "boot")

    func signedIn(_ login: String = "ann", visibility: Visibility = .BLIND) throws -> CounterHarness {
        try .signedIn(login, visibility: visibility, time: time)
    }

    private func match(_ code: String, _ item: String, in harness: CounterHarness) throws {
        let now = time.now()
        try harness.core.write(as: nil) {
            try $0.save(
                CodeMatch(
                    id: "match-\(code)", sessionID: "S1", value: code, itemID: item, unit: "EA", factor: 12,
                    byID: "sue",
                    at: now))
        }
        harness.release()
    }

    @Test("A message to one person is for that person and the supervisors, and not for the next at the terminal")
    func toOne() throws {
        let harness = try signedIn()
        harness.type("M Enter b o Tab")
        harness.type("hello Enter")
        let message = try #require(harness.all(Message.self).first)
        #expect(message.toIDs == ["bob"] && message.audience.isEmpty && message.fromID == "ann")
        harness.type("F3 zoe Enter M Enter")
        #expect(!harness.picture.joined().contains("hello"))
        harness.type("F3 F3 bob Enter M Enter")
        #expect(harness.picture.joined().contains("hello"))
    }

    @Test("Tab walks through all there are, and every message keeps whom it is for")
    func recipients() throws {
        let harness = try signedIn()
        harness.type("M Enter Tab x Enter M Enter Tab Tab Tab Tab y Enter")
        let sent = harness.all(Message.self).sorted { $0.id < $1.id }
        #expect(sent.map(\.audience) == [["supervisors"], ["supervisors", "counters"]])
        #expect(sent.allSatisfy { $0.toIDs.isEmpty })
    }

    @Test("A code that this person counted and that became known is said, once, and others' are not")
    func matched() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("7777777")
        harness.type("2 Enter")
        try match("8888888", "valve", in: harness)
        #expect(harness.app.message?.id != "code.matched")
        try match("7777777", "filter", in: harness)
        #expect(harness.app.message == ScreenMessage("code.matched", ["code": "7777777", "item": "4711-AX"]))
        #expect(harness.sounds.last == .attention)
        // Two of a code that stands for twelve.
        #expect(harness.picture.contains("4711-AX           24"))
        harness.type("N Enter x Enter")
        harness.send(.changed(models: ["CodeMatch"]))
        #expect(harness.app.message?.id == "note.stored")
        harness.restart()
        #expect(harness.app.message == nil)
    }

    @Test("A serial number counted in another bin too is counted and said; one taken back is not")
    func serialElsewhere() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.type("SER-1 Enter")
        harness.scan("SN000001")
        harness.scan("SN000002")
        harness.type("U Enter C Enter")
        harness.scan("B-01-02")
        harness.type("SER-1 Enter")
        harness.scan("SN000002")
        #expect(harness.app.message?.id == "item.again")
        harness.scan("SN000001")
        let wanted = ["serial": "SN000001", "bin": "B-01-01", "who": "Ann"]
        #expect(harness.app.message == ScreenMessage("serial.elsewhere", wanted))
        #expect(harness.sounds.last == .attention && !harness.app.isBlocked)
        #expect(harness.app.bin?.totals.units == 2)
    }

    @Test("A session that is closed while the list is being read is said as soon as that is done")
    func closedMeanwhile() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.holdsAnswers = true
        harness.send(.changed(models: ["BinTask"]))
        harness.send(.tick)
        try harness.core.write(as: nil) { tx in
            let session = try #require(try tx.get(CountSession.self, id: "S1"))
            try tx.save(session.updating { $0.state = .closed })
        }
        harness.send(.changed(models: harness.takeChanged()))
        harness.holdsAnswers = false
        harness.release()
        #expect(harness.app.message?.id == "session.closed")
    }

    @Test("A session that is closed meanwhile is said in the bin and in the list, and what is counted is still kept")
    func closed() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        try harness.core.write(as: nil) { tx in
            let session = try #require(try tx.get(CountSession.self, id: "S1"))
            try tx.save(session.updating { $0.state = .closed })
        }
        harness.release()
        #expect(harness.app.message?.id == "session.closed")
        harness.type("5 Enter")
        #expect(harness.picture.contains("Session is closed   ") && harness.entries.last?.baseQuantity == 5)
        harness.type("C Enter Esc")
        #expect(harness.picture.contains("Session is closed   "))
        harness.scan("B-01-02")
        #expect(harness.app.message?.id == "session.closed" && harness.app.isBlocked)
        harness.type("Esc U Enter")
        #expect(harness.app.message?.id == "session.closed" && harness.passes.count == 1)
    }

    @Test("A link that cannot sync says why in the list")
    func paused() throws {
        let harness = try signedIn()
        var state = LinkState()
        state.isSyncing = true
        state.pausedReason = "the hub does not know this key"
        harness.send(.link(state))
        harness.size = GridSize(80, 24)
        #expect(harness.picture.contains { $0.contains("NOT SYNCING: the hub does not know this key") })
    }

    @Test(
        "A sign-in that the hub renews no more is said before it ends, and how long it holds",
        arguments: [
            ("en", "Sign-in ends in 2h: bincount login"), ("de", "Anmeldung endet in 2h: bincount login"),
        ])
    func endingSignIn(_ language: String, _ says: String) throws {
        let harness = try signedIn()
        var picture: [String] {
            var app = harness.app
            app.chosenLanguage = language
            let view = app.view(at: Moment(time))
            return AppScreens.shipped.render(view.screen, size: GridSize(80, 24), state: view.state, language: language)
                .rows
        }
        harness.size = GridSize(80, 24)
        var state = LinkState()
        (state.isSyncing, state.isOnline, state.lastContactUptime) = (true, true, time.uptime())
        harness.send(.link(state))
        #expect(!picture.contains { $0.contains(says) })
        state.signInEnds = time.now().advanced(by: 2 * 3_600_000)
        harness.send(.link(state))
        #expect(picture.contains { $0.contains(says) }, "\(picture)")
        // What has ended is what the hub says of it.
        state.pausedReason = "Token has expired."
        harness.send(.link(state))
        #expect(picture.contains { $0.contains("Token has expired.") && !$0.contains(says) })
    }

    @Test("A hub that is asked and says nothing is out of reach, whatever its socket says")
    func frozenHub() throws {
        let harness = try signedIn()
        var state = LinkState()
        (state.isSyncing, state.isOnline, state.lastContactUptime) = (true, true, time.uptime())
        harness.send(.link(state))
        (state.unsent, state.isAsking) = (2, true)
        harness.send(.link(state))
        #expect(harness.picture[0].hasSuffix("2 ^"))
        time.advance(milliseconds: 12_000)
        harness.send(.tick)
        #expect(harness.picture[0].hasSuffix("2 v12s"))
        time.advance(milliseconds: 3_000)
        harness.send(.tick)
        #expect(harness.app.message?.id == "link.down")
        // Each answer is a sign of life, however much waits.
        state.isAsking = false
        harness.send(.link(state))
        #expect(harness.picture[0].hasSuffix("2 v15s"), "a request that is given up is no word of the hub")
        state.lastContactUptime = time.uptime()
        harness.send(.link(state))
        #expect(harness.picture[0].hasSuffix("2 ^") && harness.app.message?.id == "link.back")
        // What is refused or waits for somebody's token is not asked for, and says nothing of the link.
        time.advance(milliseconds: 60_000)
        harness.send(.tick)
        #expect(harness.picture[0].hasSuffix("2 ^"))
    }

    @Test("A message that nothing is to be counted goes when there is something")
    func sessionComes() throws {
        let core = try CounterFloor.store(state: .draft, time: time)
        let harness = CounterHarness(core: core, time: time)
        harness.type("ann Enter")
        #expect(harness.app.message?.id == "session.none")
        try core.write(as: nil) { tx in
            let session = try #require(try tx.get(CountSession.self, id: "S1"))
            try tx.save(session.updating { $0.state = .released })
        }
        harness.release()
        #expect(harness.app.message == nil && harness.picture.contains { $0.contains("B-01-01") })
    }

    @Test("Help over a question, or over what is typed, goes back to it")
    func helpGoesBack() throws {
        let harness = try signedIn()
        harness.scan("B-01-01")
        harness.scan("4006381333931")
        harness.type("1 2 F1")
        #expect(harness.app.page == .help)
        harness.type("F3")
        #expect(harness.app.page == .bin && harness.app.typed == "12")
        harness.type("Backspace Backspace")
        harness.scan("B-01-02")
        harness.type("? Enter")
        #expect(harness.app.page == .close && harness.picture.contains { $0.contains("then: B-01-02") })
        harness.type("2")
        #expect(harness.app.openBinID == "bin2")
    }
}
