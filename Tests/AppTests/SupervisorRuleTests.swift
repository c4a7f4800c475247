import Basics
import Counting
import Models
import Screens
import Testing
import WarehouseModels

@testable import CountingApp
@testable import DataStore

/// What the supervisor's view must do, told by keys and by what the store then holds.
struct SupervisorRuleTests {
    private func released() throws -> SupervisorHarness {
        let harness = try SupervisorHarness()
        harness.type("R 1")
        return harness
    }

    private func shows(_ harness: SupervisorHarness, _ text: String) -> Bool {
        harness.picture.contains { $0.contains(text) }
    }

    @Test func `a reason goes with every decision that takes one`() throws {
        let harness = try released()
        try harness.count("A-01", 90, by: "ann")
        try harness.count("A-01", 90, by: "bob")
        try harness.count("A-02", 90, by: "ann")
        try harness.count("A-02", 90, by: "bob")
        harness.type("D 1 Tab")
        harness.write("pallet fell")
        harness.type("Enter 1")
        harness.type("Tab")
        harness.write("count it twice")
        harness.type("Enter 2 2 Esc Esc S")
        harness.write("end of shift")
        harness.type("Enter")
        let made = harness.decisions.dropFirst().map { "\($0.kind.rawValue): \($0.reason ?? "-")" }
        #expect(made == ["approve: pallet fell", "recount: count it twice", "stop: end of shift"])
        #expect(harness.decisions.allSatisfy { $0.result == .done })
        // The first free person is the second row: the first is whoever is free.
        #expect(harness.decisions[2].toPersonID == "cara")
    }

    @Test func `a pace tells from the time that was counted, and nothing before there is any`() throws {
        let harness = try released()
        harness.pass(seconds: 3600)
        try harness.count("A-01", 100, by: "ann")
        func row(of name: String) -> String { harness.picture.first { $0.contains("| \(name) ") } ?? "" }
        #expect(!harness.picture[0].contains("done "))
        #expect(row(of: "Ann").contains(" -  "))
        harness.pass(seconds: 600)
        try harness.count("A-02", 100, by: "ann")
        try harness.beat("bob")
        // Two bins in ten minutes and some seconds: eleven an hour, and four more in two dozen minutes.
        #expect(row(of: "Ann").contains(" 11  "))
        #expect(row(of: "Bob").contains(" -  "))
        #expect(harness.picture[0].contains("done ") && !harness.picture[0].contains("done in"))
        #expect(harness.app.floor.pace.perHour(at: harness.time.now()) == 11)
        // An hour later nobody counts.
        harness.pass(seconds: 3700)
        try harness.beat("bob")
        #expect(row(of: "Ann").contains(" -  "))
    }

    @Test(arguments: [
        ("en", "Your sign-in ends in 15m; decisions wait here then. Sign in: bincount login", "Sign in: 15m"),
        ("de", "Anmeldung endet in 15m; Entscheidungen warten dann hier: bincount login", "Anmelden: 15m"),
    ])
    func `a sign-in that the hub renews no more is said before it ends`(
        _ language: String, _ wide: String, _ narrow: String
    ) throws {
        let harness = try SupervisorHarness()
        func shows(_ text: String) -> Bool {
            var app = harness.app
            app.language = language
            let view = app.view(at: Moment(harness.time))
            return AppScreens.shipped.render(view.screen, size: harness.size, state: view.state, language: language)
                .rows
                .contains { $0.contains(text) }
        }
        var link = LinkState()
        (link.isSyncing, link.isOnline, link.lastContactUptime) = (true, true, 0)
        harness.send(.link(link))
        #expect(!shows("bincount login"))
        link.signInEnds = harness.time.now().advanced(by: 15 * 60_000)
        harness.send(.link(link))
        harness.size = GridSize(80, 24)
        #expect(shows(wide))
        harness.size = GridSize(20, 16)
        #expect(shows(narrow))
        // When it has ended the hub's refusal stands there.
        harness.pass(seconds: 901)
        #expect(!shows(narrow))
    }

    @Test func `a recount is never offered to who was there without a question, nor done by the desk`() throws {
        let harness = try released()
        for (person, count) in [("ann", 90), ("bob", 80), ("cara", 70)] {
            try harness.count("A-01", Decimal3(count), by: person, companion: person == "cara" ? "dan" : nil)
        }
        harness.type("D 1 2")
        #expect(harness.app.counters.count == 4 && harness.app.counters.allSatisfy(\.wasThere))
        harness.type("2 1")
        #expect(harness.app.message?.id == "reason.missing")
        #expect(harness.decisions.count == 1)
        harness.write("nobody else")
        harness.type("Enter")
        #expect(harness.decisions.map(\.kind) == [.release, .recount, .override])
        #expect(harness.decisions.allSatisfy { $0.result == .done })
        let task = try #require(harness.all(BinTask.self).first { $0.binID == "A-01" && $0.state == .todo })
        #expect(task.assigneeID == "ann" && !task.notForIDs.contains("ann") && task.notForIDs.contains("dan"))
    }

    @Test func `another count may stand instead of the proposed one`() throws {
        let harness = try released()
        for (person, count) in [("ann", 90), ("bob", 80), ("cara", 70)] {
            try harness.count("A-01", Decimal3(count), by: person)
        }
        harness.type("D 1 4 3")
        #expect(harness.decisions.last?.result == .done)
        let verdict = try #require(harness.all(LineVerdict.self).first { $0.binID == "A-01" })
        #expect(verdict.counted == 80 && verdict.state == .ACCEPTED)
    }

    @Test func `a message to one person reaches nobody else's terminal`() throws {
        let harness = try released()
        try harness.beat("ann")
        try harness.beat("bob")
        harness.type("M")
        harness.write("all hands")
        harness.type("Enter Tab Tab")
        harness.write("only bob")
        harness.type("Enter")
        let messages = harness.all(Message.self).sorted { $0.id < $1.id }
        #expect(messages.map(\.toIDs) == [[], ["bob"]])
        #expect(messages.map(\.audience) == [["counters", "supervisors"], []])
    }

    @Test func `an alert of the desk stands until a supervisor has seen it`() throws {
        let harness = try released()
        try harness.core.write(as: nil) { tx in
            try tx.save(
                Message(
                    id: "alert", kind: .ALERT, fromID: "D1", toIDs: [], audience: ["supervisors"],
                    text: "serial 7 was seen in A-01 and B-01", sentAt: harness.time.now()))
        }
        harness.settle()
        #expect(shows(harness, "Alert: serial 7"))
        harness.type("1 1 1")
        #expect(harness.all(Message.self).contains { $0.kind == .READ && $0.answersID == "alert" })
        harness.type("Esc")
        #expect(!shows(harness, "serial 7"))
    }

    @Test func `what the hub refuses of this terminal's own is an exception with the hub's words`() throws {
        let harness = try released()
        while let batch = try harness.core.nextMutations(limit: 100), !batch.entries.isEmpty {
            let results = batch.entries.map {
                MutationResult(
                    order: $0.order,
                    outcome: $0.model == "Decision" && $0.kind == .create
                        ? .refused(code: "Unauthorized", message: "not a supervisor")
                        : .transient(reason: "later", delay: 60_000))
            }
            try harness.core.settle(results)
        }
        harness.send(.changed(models: ["Decision"]))
        #expect(shows(harness, "The hub refused a change of this terminal"))
        harness.type("1")
        #expect(shows(harness, "Decision S01-1: Unauthorized: not a supervisor"))
    }

    @Test func `an unknown code is matched with a factor by an item number that begins with a digit`() throws {
        let harness = try released()
        try harness.count("A-01", 3, by: "ann", code: "4006381333931")
        harness.type("1 1")
        harness.write("4711 x 12")
        harness.type("Enter 1")
        let match = try #require(harness.all(CodeMatch.self).first)
        #expect(match.itemID == "filter" && match.factor == 12 && match.byID == "sue")
        #expect(harness.app.message?.id == "code.matched")
    }

    @Test func `a terminal declared lost is gone, and there again when it reports`() throws {
        let harness = try released()
        try harness.beat("ann")
        harness.pass(seconds: 240)
        harness.type("1 1 2")
        harness.write("stolen")
        harness.type("Enter")
        #expect(harness.decisions.last?.kind == .device_lost && harness.decisions.last?.result == .done)
        #expect(harness.app.floor.people.isEmpty)
        harness.pass(seconds: 60)
        try harness.beat("ann")
        #expect(harness.app.floor.people.map(\.device.code) == ["T-ann"])
    }

    @Test func `thousands of lines are counted, the dearest kept, and paged by digits`() throws {
        let harness = try released()
        let session = try #require(harness.all(CountSession.self).first).id
        try harness.core.write(as: nil) { tx in
            for number in 0..<3000 {
                try tx.save(
                    LineVerdict(
                        id: "v\(number)", sessionID: session, binID: "A-01", itemID: "filter", lot: "L\(number)",
                        revision: 1, state: .TO_DECIDE, finding: .OUT, basis: .COUNTED, passIDs: ["p"], counted: 1,
                        variance: Decimal3(-number), varianceValue: Decimal4(-2 * number)))
            }
        }
        harness.send(.changed(models: ["LineVerdict"]))
        #expect(shows(harness, "3000 lines to decide"))
        harness.type("D")
        #expect(harness.app.floor.lines.count == FloorSnapshot.lineLimit)
        #expect(shows(harness, "The first 200:") && shows(harness, "-2999"))
        harness.size = GridSize(20, 16)
        harness.type("0")
        #expect(harness.app.offset == 9)
        harness.type("1")
        #expect(harness.app.showsLine && harness.app.detail?.verdict.id == "v2990")
        harness.type("Esc")
        #expect(harness.app.offset == 9)
        for _ in 0..<30 { harness.type("PgDn") }
        #expect(harness.app.offset < 200 && harness.picture.contains { $0.hasPrefix("1") })
    }

    @Test func `what was done is news for a while, what was refused stands`() throws {
        let harness = try released()
        #expect(harness.app.message?.id == "decision.done")
        harness.pass(seconds: 9)
        #expect(harness.app.message == nil)
        harness.type("A 1")
        #expect(harness.app.message?.id == "decision.refused")
        harness.pass(seconds: 60)
        #expect(harness.app.message?.id == "decision.refused")
        #expect(shows(harness, "stop the count first"))
    }

    @Test func `decisions of others are not told as one's own`() throws {
        let harness = try released()
        harness.pass(seconds: 9)
        let session = harness.all(CountSession.self).first?.id
        harness.hasDesk = false
        try harness.core.write(as: "sam") { tx in
            var decision = Decision(
                id: "S02-1", kind: .stop, sessionID: session, targetIDs: [], seenRevisions: [], byID: "sam",
                deviceID: "S02", sequence: 1, at: harness.time.now(), previousHash: "", hash: "")
            let hash = RecordChain.hash(of: decision) { SupervisorHarness.digest($0) }
            decision = decision.updating { $0.hash = hash }
            try tx.save(decision)
        }
        harness.settle()
        #expect(shows(harness, "Asked: stop Count 1"))
        harness.hasDesk = true
        harness.settle()
        #expect(harness.all(CountSession.self).first?.state == .stopped)
        #expect(harness.app.message == nil)
    }

    @Test func `a new exception rings once, and is named where the floor is not in front`() throws {
        let harness = try released()
        try harness.beat("ann")
        harness.pass(seconds: 9)
        let rung = harness.sounds.count { $0 == .attention }
        harness.type("Z")
        try harness.count("A-01", 90, by: "ann", label: "Q-99")
        #expect(harness.sounds.count { $0 == .attention } == rung + 1)
        #expect(shows(harness, "New: Label Q-99 is no known bin"))
        harness.type("Esc")
        try harness.count("A-02", 90, by: "bob", label: "Q-98")
        #expect(harness.sounds.count { $0 == .attention } == rung + 1)
        // Silence comes without any change, with the clock alone.
        harness.pass(seconds: 240)
        #expect(harness.sounds.count { $0 == .attention } == rung + 2)
        harness.pass(seconds: 10)
        #expect(harness.sounds.count { $0 == .attention } == rung + 2)
    }

    @Test func `F3 leaves only when it is pressed twice`() throws {
        let harness = try released()
        harness.type("P F3 F3")
        #expect(!harness.hasQuit && shows(harness, "F3 again leaves"))
        harness.type("Z Esc F3")
        #expect(!harness.hasQuit)
        harness.type("F3")
        #expect(harness.hasQuit)
    }

    @Test func `a message goes to whom a typed name says`() throws {
        let harness = try released()
        harness.type("M")
        harness.write("car")
        harness.type("Tab")
        harness.write("come to dock 4")
        harness.type("Enter")
        #expect(harness.all(Message.self).map(\.toIDs) == [["cara"]])
    }

    @Test func `nothing is decided before somebody has signed in`() throws {
        let harness = try SupervisorHarness(login: nil)
        harness.write("R1S1")
        harness.type("Enter")
        #expect(harness.decisions.isEmpty && harness.app.person == nil)
        #expect(harness.app.message?.id == "person.unknown")
    }

    @Test(arguments: ["20x16", "80x24"])
    func `every page shows only what the contract names`(_ size: String) throws {
        let harness = try released()
        harness.size = try #require(GridSize(size))
        let known = Set(AppContract.all.bindings.keys)
        var seen: Set<String> = []
        func look() {
            let view = harness.app.view(at: Moment(harness.time))
            seen.insert(view.screen)
            #expect(Set(view.state.values.keys).subtracting(known).isEmpty, "\(view.screen)")
            #expect(!harness.picture.joined().contains("sup."), "\(view.screen)")
            for language in ["en", "de"] {
                let grid = AppScreens.shipped.render(
                    view.screen, size: harness.size, state: view.state, language: language)
                #expect(grid.rows.count == harness.size.height)
            }
        }
        try harness.count("A-01", 90, by: "ann")
        try harness.count("A-01", 90, by: "bob")
        try harness.count("A-02", 3, by: "ann", code: "4006381333931")
        for page in [
            "D", "D 1", "D 1 2", "D 1 4", "P", "P 1", "Z", "Z 1", "Z 1 1", "X", "M", "R", "S", "A", "C", "C 3",
        ] {
            harness.type(page)
            look()
            harness.type("?")
            look()
            for _ in 0..<6 { harness.type("Esc") }
        }
        harness.type("2")
        look()
        harness.type("1")
        look()
        #expect(
            seen == [
                "lines", "variance", "assign", "act", "people", "zones", "exceptions", "export", "message", "release",
                "stop", "closing", "help", "unknown", "match",
            ])
        #expect(SupervisorApp.contract.screens.subtracting(AppScreens.shipped.vocabulary.screens).isEmpty)
        #expect(SupervisorApp.contract.actions.subtracting(AppScreens.shipped.vocabulary.actions).isEmpty)
        #expect(
            Set(SupervisorApp.contract.bindings.keys).subtracting(AppScreens.shipped.vocabulary.bindings.keys).isEmpty)
    }

    @Test(arguments: ["en", "de"])
    func `every text of the view is in the catalog`(_ language: String) {
        var keys: [String] = []
        for kind in SupervisorApp.ExceptionKind.allCases {
            keys.append("sup.rows.\(kind.rawValue)")
            if kind != .deskSilent { keys += ["sup.ex.\(kind.rawValue)", "sup.ex.\(kind.rawValue).one"] }
        }
        for kind in SessionKind.allCases { keys.append("sup.kind.\(kind.rawValue)") }
        for sight in Visibility.allCases { keys.append("sup.sight.\(sight.word)") }
        for state in SessionState.allCases { keys.append("sup.state.\(state.rawValue)") }
        for state in TaskState.allCases { keys.append("sup.task.\(state.rawValue)") }
        for kind in ["stop", "approve", "export", "close", "cancel"] {
            keys += ["sup.title.\(kind)", "sup.ask.\(kind)", "sup.yes.\(kind)"]
        }
        for screen in SupervisorApp.contract.screens { keys.append("sup.help.\(screen)") }
        for key in keys {
            #expect(AppScreens.shipped.catalogs[language]?.texts[key] != nil, "\(key)")
        }
    }
}
