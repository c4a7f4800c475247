import Models
import WarehouseModels

extension SupervisorApp {
    /// Where the supervisor is.
    enum Page: Hashable, Sendable {
        case signIn
        case floor
        case lines
        case variance(id: String)
        case rows(ExceptionKind)
        case people
        case zones
        case zone(code: String)
        case unknown
        case match(code: String)
        case assign(Errand)
        case release
        case confirm(DecisionKind)
        case act(Subject)
        case message
        case help(of: String)
    }

    /// A page with the place in its list; the pages behind are kept to go back to.
    struct Frame: Hashable, Sendable {
        var page: Page
        /// First row of a long list.
        var offset = 0
        /// The row that the cursor is on, where a page has one.
        var selected = 0
        /// First of the facts in view, where a page has more than its picture has room for.
        var fact = 0
    }

    /// What the floor view can raise, in the order of weight.
    enum ExceptionKind: String, Hashable, Sendable, CaseIterable {
        case deskSilent, refusedHere, refused, lines, silent, handover, late, incomplete, differ, alerts, rejected,
            unknown
        case unplaced, parked, partial, asked, held
    }

    /// What somebody is sent for.
    enum Errand: Hashable, Sendable {
        case recount(verdict: String)
        case task(String)
    }

    /// One matter that is acted on on a page of its own.
    enum Subject: Hashable, Sendable {
        case decision(String)
        case device(String)
        case task(String)
        case late(pass: String)
        case unplaced(pass: String)
        case handover(pass: String)
        case alert(String)
        case document(String)
        case exportLine(String)
        /// What else may be done with a line.
        case line(String)
        /// Sending somebody who was there already.
        case again(Errand, person: String)
    }

    /// A page that asks: what about, what is known, and the answers.
    struct Act: Sendable {
        var title: [String]
        var text: [String]
        var facts: [(text: [String], value: String)] = []
        var choices: [Choice] = []
    }

    /// One answer.
    struct Choice: Sendable {
        var text: [String]
        /// What is typed is needed: a reason, or the ERP's reference.
        var needsText = false
        var move: Move
    }

    /// What an answer does.
    enum Move: Sendable {
        case back
        case open(Page)
        case decide(DecisionDraft)
        /// The same, what is typed being its text rather than its reason.
        case decideWithText(DecisionDraft)
        case again(Errand, person: String)
        case seen(Decision)
        case read(Message)
        case write(to: String)
    }
}
