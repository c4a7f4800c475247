import Basics
import Counting
import Models
import Screens
import Testing
import WarehouseModels

@testable import CountingApp
@testable import DataStore

/// The supervisor's view follows what happens, whatever is being read or shown at that moment.
struct LostRefreshTests {
    private func released(login: String? = "sue") throws -> SupervisorHarness {
        let harness = try SupervisorHarness(login: login)
        harness.type("R 1")
        return harness
    }

    @Test("Another count that is chosen while the floor is being read is the one that is shown")
    func otherCount() throws {
        let harness = try released()
        try harness.core.write(as: nil) { tx in
            try tx.save(
                CountSession(
                    id: "other", name: "Other", kind: .SPOT, visibility: .SEMI_BLIND, sharing: .FLOOR, state: .draft))
        }
        harness.settle()
        #expect(harness.app.floor.sessions.count == 2)
        let first = try #require(harness.app.floor.session?.id)
        harness.holdsJobs = true
        harness.send(.changed(models: ["BinTask"]))
        harness.send(.input(.key(.character("B"))))
        harness.release()
        #expect(harness.app.floor.session?.id != first)
    }

    @Test("A line that changes under the page that acts on it is signed as it is, and that it changed is said")
    func lineUnderneath() throws {
        let harness = try released()
        for person in ["ann", "bob"] { try harness.count("A-01", 90, by: person) }
        harness.type("D 1 4")
        let before = try #require(harness.app.detail?.verdict.revision)
        try harness.count("A-01", 70, by: "cara")
        #expect(harness.app.message?.id == "line.changed")
        harness.type("Esc")
        let now = try #require(harness.all(LineVerdict.self).first { $0.binID == "A-01" }?.revision)
        #expect(now > before && harness.app.detail?.verdict.revision == now)
    }

    @Test("A floor that could not be read is read again at the next tick, and rings once")
    func failedReading() throws {
        let harness = try released()
        harness.readingFailure = "disk I/O error"
        try harness.beat("ann")
        harness.pass(seconds: 1)
        harness.pass(seconds: 1)
        #expect(harness.sounds.count { $0 == .stop } == 1 && harness.app.floor.people.isEmpty)
        harness.readingFailure = nil
        harness.pass(seconds: 1)
        #expect(harness.app.floor.people.count == 1)
    }

    @Test("What was found for an earlier word is never chosen from, nor shown once its page was left")
    func lateSearch() throws {
        let harness = try released()
        try harness.count("A-01", 3, by: "ann", code: "7777777")
        harness.type("1 1")
        guard case .match = harness.app.page else { return #expect(harness.app.page == .signIn) }
        harness.write("filter")
        harness.holdsJobs = true
        harness.send(.input(.key(.enter)))
        harness.send(.input(.key(.character("x"))))
        harness.send(.input(.key(.enter)))
        harness.send(.input(.key(.escape)))
        harness.release()
        #expect(harness.app.items.isEmpty && harness.app.message == nil)
    }

    @Test("A name that nobody has is said, and who there is can be typed instead")
    func unknownLogin() throws {
        let harness = try SupervisorHarness(login: "nobody")
        #expect(harness.app.message == ScreenMessage("person.unknown", ["text": "nobody"]))
        harness.type("s a m Enter")
        #expect(harness.app.person == nil)
        harness.type("s a m Enter")
        #expect(harness.app.person?.id == "sam")
    }

    @Test("A decision that is carried out before the floor is read again is told as done all the same")
    func quickDesk() throws {
        let harness = try released()
        try harness.count("A-01", 90, by: "ann")
        try harness.count("A-01", 90, by: "bob")
        harness.type("D 1")
        harness.holdsJobs = true
        // The floor is being read already, before the decision is made.
        harness.send(.changed(models: ["BinTask"]))
        harness.send(.input(.key(.character("1"))))
        harness.release()
        #expect(harness.app.message?.id == "decision.done")
    }

    @Test("A message and the result of a decision that come together are both told")
    func together() throws {
        let harness = try released()
        try harness.count("A-01", 90, by: "ann")
        try harness.count("A-01", 90, by: "bob")
        harness.hasDesk = false
        harness.type("D 1 1")
        harness.hasDesk = true
        harness.holdsJobs = true
        try harness.say("dock 4 is full", from: "ann")
        harness.release()
        #expect(harness.app.message?.id == "message.new")
        harness.pass(seconds: 4)
        #expect(harness.app.message?.id == "decision.done")
    }
}
