import Basics
import Models
import Screens
import Terminal
import WarehouseModels

/// The supervisor's view as a value: the floor live, and the decisions on it.
package struct SupervisorApp: AppMachine, Sendable {
    package typealias Job = SupervisorJob

    /// Where the supervisor is; the pages behind are kept to go back to.
    enum Page: Hashable, Sendable {
        case signIn
        case floor
        case lines
        case variance(id: String)
        case rows(ExceptionKind)
        case people
        case zones
        case unknown
        case match(code: String)
        case assign(verdict: String)
        case release
        case confirm(DecisionKind)
        case message
        case help(of: String)
    }

    /// What the floor view can raise, in the order of weight.
    enum ExceptionKind: String, Hashable, Sendable, CaseIterable {
        case deskSilent, refused, lines, silent, differ, unknown, parked, partial, asked, held, rejected
    }

    let deviceCode: String
    let login: String?
    /// Minutes that local time is ahead of UTC.
    let utcOffsetMinutes: Int

    var pages: [Page] = [.signIn]
    package internal(set) var person: Person?
    var candidates: [Person] = []
    package internal(set) var floor = FloorSnapshot()
    package internal(set) var detail: LineDetail?
    var items: [Item] = []
    var counters: [Person] = []
    var link = LinkState()
    /// What is typed on the page in front.
    var entry = ""
    /// First row of a long list.
    var offset = 0
    var marked: Set<String> = []
    var message: ScreenMessage?
    var nextJob = 1
    /// What each job under way is for.
    var jobs: [Int: SupervisorJob] = [:]
    /// The floor is being read; another change meanwhile reads it once more.
    var isLoading = false
    var loadAgain = false
    var hasLoaded = false
    /// Decisions of ours that were answered and shown.
    var answered: Set<String> = []
    var lastBeat: Int64?
    var scope = ReleaseScope()
    package var language = "en"

    /// What a new count would be.
    struct ReleaseScope: Hashable, Sendable {
        var visibility = Visibility.BLIND
        var sharing = Sharing.CREW
        var zones: [String] = []
    }

    /// Makes the machine; nothing is read before ``AppEvent/started``.
    package init(deviceCode: String, login: String?, utcOffsetMinutes: Int = 0) {
        self.deviceCode = deviceCode
        self.login = login
        self.utcOffsetMinutes = utcOffsetMinutes
    }

    var page: Page { pages.last ?? .floor }

    /// Whether somebody is signed in.
    package var isSignedIn: Bool { person != nil }
    /// Whether nothing is under way: what is shown is what the store holds.
    package var isSettled: Bool { jobs.isEmpty && !isLoading }
    /// Lines that wait for a decision.
    package var linesToDecide: Int { floor.lineCount }
    /// Whether one line is open with all that belongs to it.
    package var showsLine: Bool {
        guard case .variance(let id) = page else { return false }
        return detail?.verdict.id == id
    }

    package mutating func handle(
        _ event: AppEvent<SupervisorJob.Answer>, at moment: Moment
    ) -> [AppEffect<SupervisorJob>] {
        var effects: [AppEffect<SupervisorJob>] = []
        switch event {
        case .started:
            ask(.findPeople(login: login), &effects)
            load(&effects)
        case .input(.key(let key)): press(key, at: moment, &effects)
        case .input(.scan(let scan, _)): scanned(scan, &effects)
        case .answered(let job, let result): answered(job, result, &effects)
        case .changed(let models):
            if person == nil, models.contains("Person") { ask(.findPeople(login: login), &effects) }
            load(&effects)
            if case .variance(let id) = page, !models.isDisjoint(with: ["LineVerdict", "CountEntry", "StockMovement"]) {
                ask(.loadLine(id: id), &effects)
            }
        case .link(let state): link = state
        case .tick: beat(at: moment, &effects)
        case .resized: break
        }
        return effects
    }

    mutating func ask(_ job: SupervisorJob, _ effects: inout [AppEffect<SupervisorJob>]) {
        jobs[nextJob] = job
        effects.append(.perform(job: nextJob, job))
        nextJob += 1
    }

    mutating func load(_ effects: inout [AppEffect<SupervisorJob>]) {
        guard !isLoading else {
            loadAgain = true
            return
        }
        isLoading = true
        ask(.loadFloor(sessionID: floor.session?.id), &effects)
    }

    mutating func open(_ page: Page) {
        pages.append(page)
        entry = ""
        offset = 0
        message = nil
    }

    mutating func back() {
        if pages.count > 1 { pages.removeLast() }
        entry = ""
        offset = 0
    }

    private mutating func beat(at moment: Moment, _ effects: inout [AppEffect<SupervisorJob>]) {
        if let lastBeat, moment.uptime - lastBeat < 30_000 { return }
        lastBeat = moment.uptime
        ask(
            .beat(person: person?.id, sessionID: floor.session?.id, unsent: link.unsent, parked: link.parked), &effects)
    }

    private mutating func answered(
        _ number: Int, _ result: Result<SupervisorJob.Answer, JobFailure>,
        _ effects: inout [AppEffect<SupervisorJob>]
    ) {
        let job = jobs.removeValue(forKey: number)
        switch result {
        case .failure(let failure):
            if case .loadFloor = job { isLoading = false }
            say([failure.text], .error)
            effects.append(.sound(.stop))
        case .success(let answer):
            switch answer {
            case .people(let people): found(people, &effects)
            case .floor(let snapshot): loaded(snapshot, &effects)
            case .line(let line):
                // Only the line in front counts: the answer for one before it may be late.
                if case .loadLine(let id) = job, page == .variance(id: id) { took(line) }
            case .items(let found): items = found
            case .counters(let people): counters = people
            case .decided(let decisions):
                if let first = decisions.first {
                    message = ScreenMessage("decision.asked", ["what": SupervisorApp.name(of: first.kind)])
                }
                effects.append(.sound(.accepted))
                load(&effects)
            case .matched:
                say(["The code is matched: its counts are complete"], .info)
                load(&effects)
            case .said: message = ScreenMessage("message.sent")
            case .done: break
            }
        }
    }

    private mutating func found(_ people: [Person], _ effects: inout [AppEffect<SupervisorJob>]) {
        guard person == nil else { return }
        candidates = people
        if people.count == 1 {
            signIn(people[0], &effects)
        } else if people.isEmpty, login != nil, hasLoaded {
            say(["No supervisor is called \(login ?? ""): type a name"], .error)
        }
    }

    mutating func signIn(_ person: Person, _ effects: inout [AppEffect<SupervisorJob>]) {
        self.person = person
        language = person.language
        pages = [.floor]
        entry = ""
        message = nil
        effects.append(.personChanged(person.id))
        load(&effects)
    }

    private mutating func loaded(_ snapshot: FloorSnapshot, _ effects: inout [AppEffect<SupervisorJob>]) {
        isLoading = false
        let before = Set(floor.waiting.map(\.id))
        floor = snapshot
        marked.formIntersection(snapshot.lines.map(\.verdict.id))
        if hasLoaded { tellResults(of: before, &effects) }
        hasLoaded = true
        if loadAgain {
            loadAgain = false
            load(&effects)
        }
    }

    /// Says what became of decisions that were waiting when the floor was last read.
    private mutating func tellResults(of waiting: Set<String>, _ effects: inout [AppEffect<SupervisorJob>]) {
        let still = Set(floor.waiting.map(\.id))
        for id in waiting.subtracting(still).subtracting(answered) {
            answered.insert(id)
            if let refused = floor.refused.first(where: { $0.id == id }) {
                message = ScreenMessage("decision.refused", ["reason": refused.resultText ?? ""])
                effects.append(.sound(.attention))
            } else {
                message = ScreenMessage("decision.done", ["what": ""])
                effects.append(.sound(.accepted))
            }
        }
    }

    private mutating func took(_ line: LineDetail?) {
        if let old = detail, let line, old.verdict.id == line.verdict.id, old.verdict.revision != line.verdict.revision
        {
            message = ScreenMessage("line.changed")
        }
        detail = line
    }

    mutating func say(_ text: [String], _ kind: Screens.MessageKind) { message = ScreenMessage(text: text, kind: kind) }

    static func name(of kind: DecisionKind) -> String {
        kind.rawValue.split(separator: "_").joined(separator: " ")
    }
}
