import Basics
import Models
import Screens
import Terminal
import WarehouseModels

/// The supervisor's view as a value: the floor live, and the decisions on it.
package struct SupervisorApp: AppMachine, Sendable {
    package typealias Job = SupervisorJob

    let deviceCode: String
    let login: String?
    /// Minutes that local time is ahead of UTC.
    let utcOffsetMinutes: Int
    /// How long a page that decides must be in sight before a digit decides: a digit pressed twice is one answer.
    let answerDelay: Int64

    var frames: [Frame] = [Frame(page: .signIn)]
    package internal(set) var person: Person?
    var candidates: [Person] = []
    package internal(set) var floor = FloorSnapshot()
    package internal(set) var detail: LineDetail?
    var items: [Item] = []
    /// What ``items`` were found for.
    var searched: String?
    var counters: [CounterChoice] = []
    var link = LinkState()
    var size = GridSize(80, 24)
    /// What is typed on the page in front.
    var entry = ""
    /// Whether letters go into the reason of the line in front.
    var isWritingReason = false
    /// The exceptions that stood when they were last looked at.
    var standing: Set<ExceptionKind> = []
    /// F3 was pressed on the floor: once more leaves.
    var isLeaving = false
    /// The uptime at which the page in front, or the line on it, appeared.
    var askedAt: Int64 = 0
    /// The answer that was chosen and waits for a text.
    var pendingChoice: Int?
    var marked: Set<String> = []
    /// Whom a message goes to; nil is everyone.
    var recipient: String?
    package internal(set) var message: ScreenMessage? {
        didSet { messageSince = now.uptime }
    }
    private var messageSince: Int64 = 0
    var nextJob = 1
    /// What each job under way is for.
    var jobs: [Int: SupervisorJob] = [:]
    /// The floor is being read; another change meanwhile reads it once more.
    var isLoading = false
    var loadAgain = false
    var hasLoaded = false
    /// The newest message that was there when the floor was last read.
    var lastTalk: String?
    var lastBeat: Int64?
    /// When the last event came.
    var now = Moment(wall: DateTime(milliseconds: 0), uptime: 0)
    var scope = ReleaseScope()
    package var language = "en"

    /// What a new count would be.
    struct ReleaseScope: Hashable, Sendable {
        var visibility = Visibility.BLIND
        var sharing = Sharing.CREW
        var zones: [String] = []
    }

    /// Makes the machine; nothing is read before ``AppEvent/started``.
    ///
    /// - Parameters:
    ///   - deviceCode: the terminal's code
    ///   - login: who supervises; nil asks
    ///   - utcOffsetMinutes: minutes that local time is ahead of UTC
    ///   - answerDelay: milliseconds that a question is in sight before it can be answered; 0 for computed people
    package init(deviceCode: String, login: String?, utcOffsetMinutes: Int = 0, answerDelay: Int64 = 400) {
        self.deviceCode = deviceCode
        self.login = login
        self.answerDelay = answerDelay
        self.utcOffsetMinutes = utcOffsetMinutes
    }

    var page: Page { frames.last?.page ?? .floor }
    var offset: Int { frames.last?.offset ?? 0 }

    /// Whether one line is open with all that belongs to it.
    package var showsLine: Bool {
        guard case .variance(let id) = page else { return false }
        return detail?.verdict.id == id
    }

    package mutating func handle(
        _ event: AppEvent<SupervisorJob.Answer>, at moment: Moment
    ) -> [AppEffect<SupervisorJob>] {
        var effects: [AppEffect<SupervisorJob>] = []
        now = moment
        switch event {
        case .started:
            ask(.findPeople(login: login), &effects)
            load(&effects)
        case .input(.key(let key)): press(key, &effects)
        case .input(.scan(let scan, _)): scanned(scan, &effects)
        case .answered(let job, let result): answered(job, result, &effects)
        case .changed(let models):
            if person == nil, models.contains("Person") { ask(.findPeople(login: login), &effects) }
            load(&effects)
            if case .variance(let id) = page, !models.isDisjoint(with: ["LineVerdict", "CountEntry", "StockMovement"]) {
                ask(.loadLine(id: id), &effects)
            }
        case .link(let state): link = state
        case .tick:
            beat(at: moment, &effects)
            // What was done is news for a while; what was refused or is asked stands until a key.
            if let message, moment.uptime - messageSince > 8000, SupervisorApp.passing.contains(message.id) {
                self.message = nil
            }
            if hasLoaded { tellNew(&effects) }
        case .resized(let size): self.size = size
        case .ending: break
        }
        return effects
    }

    private static let passing: Set<String> = ["decision.asked", "decision.done", "message.sent", "code.matched"]

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
        frames.append(Frame(page: page))
        askedAt = now.uptime
        forgetTyped()
        message = nil
    }

    mutating func back() {
        let left = frames.count > 1 ? frames.removeLast().page : page
        askedAt = now.uptime
        // The list's cursor stands on the line that was looked at last.
        if page == .lines, case .variance(let id) = left,
            let row = floor.lines.firstIndex(where: { $0.verdict.id == id })
        {
            show(row: row)
        }
        forgetTyped()
        clampList()
    }

    private mutating func forgetTyped() {
        entry = ""
        isWritingReason = false
        pendingChoice = nil
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
            case .items(let found):
                items = found
                if found.isEmpty { message = ScreenMessage("item.noMatch", ["text": entry]) }
            case .counters(let people): counters = people
            case .decided(let decisions):
                if let first = decisions.first {
                    message = ScreenMessage("decision.asked", ["what": name(of: first.kind)])
                }
                effects.append(.sound(.accepted))
                load(&effects)
            case .matched(let code, let item):
                message = ScreenMessage("code.matched", ["code": code, "item": item])
                load(&effects)
            case .said: message = ScreenMessage("message.sent")
            case .noted: load(&effects)
            case .done: break
            }
        }
    }

    private mutating func found(_ people: [Person], _ effects: inout [AppEffect<SupervisorJob>]) {
        guard person == nil else { return }
        candidates = people
        if people.count == 1 {
            signIn(people[0], &effects)
        } else if people.isEmpty, let login, hasLoaded {
            message = ScreenMessage("person.unknown", ["text": login])
        }
    }

    mutating func signIn(_ person: Person, _ effects: inout [AppEffect<SupervisorJob>]) {
        self.person = person
        language = person.language
        frames = [Frame(page: .floor)]
        entry = ""
        message = nil
        effects.append(.personChanged(person.id))
        load(&effects)
    }

    private mutating func loaded(_ snapshot: FloorSnapshot, _ effects: inout [AppEffect<SupervisorJob>]) {
        isLoading = false
        let before = floor.waiting.filter { $0.decision.deviceID == deviceCode }.map(\.id)
        floor = snapshot
        marked.formIntersection(snapshot.lines.map(\.verdict.id))
        tellTalk(&effects)
        tellNew(&effects)
        tellResults(of: before, &effects)
        hasLoaded = true
        clampList()
        if loadAgain {
            loadAgain = false
            load(&effects)
        }
    }

    /// Says what became of this terminal's decisions that were waiting when the floor was last read; a refusal last, so
    /// that it stands.
    private mutating func tellResults(of waiting: [String], _ effects: inout [AppEffect<SupervisorJob>]) {
        let told = floor.recent.reversed()
            .filter { waiting.contains($0.id) && [.done, .refused].contains($0.decision.result) }
        for result in told.filter({ $0.decision.result == .done }) {
            let said = desk(result.resultText)[0]
            let what = said.isEmpty ? what(result) : "\(what(result)): \(said)"
            message = ScreenMessage("decision.done", ["what": what])
            effects.append(.sound(.accepted))
        }
        for result in told.filter({ $0.decision.result == .refused }) {
            // Where there is no room for the whole reason, its short form says more than its beginning.
            let reason = desk(result.resultText)
            message = ScreenMessage(
                "decision.refused",
                [
                    "reason": reason.first { $0.count + 10 <= size.width } ?? reason.last ?? "", "what": what(result),
                ])
            effects.append(.sound(.attention))
        }
    }

    private mutating func tellTalk(_ effects: inout [AppEffect<SupervisorJob>]) {
        defer { lastTalk = floor.talk.first?.id ?? lastTalk }
        guard hasLoaded, let person, let newest = floor.talk.first, newest.id != lastTalk, newest.fromID != person.id
        else { return }
        let who = floor.names[newest.fromID] ?? newest.fromID
        message = ScreenMessage("message.new", ["who": who, "text": newest.text ?? ""])
        effects.append(.sound(.attention))
    }

    private mutating func took(_ line: LineDetail?) {
        if let old = detail, let line, old.verdict.id == line.verdict.id, old.verdict.revision != line.verdict.revision
        {
            message = ScreenMessage("line.changed")
        }
        if detail?.verdict != line?.verdict { askedAt = now.uptime }
        detail = line
    }

    mutating func say(_ text: [String], _ kind: Screens.MessageKind) { message = ScreenMessage(text: text, kind: kind) }
}
