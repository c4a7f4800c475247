import Basics
import Models
import Screens
import Testing
import WarehouseModels

@testable import CountingApp

/// The supervisor's line in front, told by events alone.
struct SupervisorLineTests {
    private static func verdict(_ id: String, revision: Int = 1) -> LineVerdict {
        LineVerdict(
            id: id, sessionID: "s", binID: "b-" + id, itemID: "i", revision: revision, state: .TO_DECIDE,
            finding: .OUT, basis: .COUNTED, passIDs: ["p"])
    }

    /// A supervisor who is signed in and sees these lines.
    private struct View {
        var app = SupervisorApp(deviceCode: "S01", login: nil, answerDelay: 0)
        var asked: [(job: Int, id: String)] = []
        var decided: [[String]] = []

        init(lines: [String]) {
            var floor = FloorSnapshot()
            floor.lines = lines.map {
                FloorSnapshot.LineToDecide(
                    verdict: verdict($0), binCode: "A-" + $0, sku: "4711", name: "Filter")
            }
            floor.lineCount = lines.count
            app.floor = floor
            var effects: [AppEffect<SupervisorJob>] = []
            app.signIn(
                Person(
                    id: "sue", login: "sue", name: "Sue", roles: [.supervisors], language: "en", active: true),
                &effects)
        }

        mutating func send(_ event: AppEvent<SupervisorJob.Answer>) {
            for case .perform(let number, let job) in app.handle(event, at: Moment(ManualTimeSource())) {
                if case .loadLine(let id) = job { asked.append((number, id)) }
                if case .decide(let draft, _) = job { decided.append(draft.targets.map(\.id)) }
            }
        }

        mutating func press(_ keys: Character...) {
            for key in keys { send(.input(.key(.character(key)))) }
        }

        /// The store answers what was asked for, in this order.
        mutating func answer(_ index: Int) {
            let (number, id) = asked[index]
            send(.answered(job: number, .success(.line(LineDetail(verdict: verdict(id))))))
        }
    }

    @Test func `an answer that is late for a line left behind does not take the place of the line in front`() {
        var view = View(lines: ["1", "2"])
        view.press("D", "1")
        view.send(.input(.key(.escape)))
        view.press("2")
        #expect(view.asked.map(\.id) == ["1", "2"])
        view.answer(1)
        view.answer(0)
        #expect(view.app.detail?.verdict.id == "2")
        view.press("1")
        #expect(view.decided == [["2"]])
    }
}
