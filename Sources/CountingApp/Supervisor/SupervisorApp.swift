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
    /// What ``items`` were found for, and the job that finds them.
    var searched: String?
    var search: Int?
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
        didSet { (messageSince, isNews) = (now.uptime, false) }
    }
    var messageSince: Int64 = 0
    /// Whether what stands there is news, and what waits until that was read.
    var isNews = false
    var untold: [ScreenMessage] = []
    var nextJob = 1
    /// What each job under way is for.
    var jobs: [Int: SupervisorJob] = [:]
    /// The floor is being read; another change meanwhile reads it once more.
    var isLoading = false
    var loadAgain = false
    /// The line that is open changed while it was read, or could not be read.
    var lineAgain = false
    var hasLoaded = false
    /// The count that was chosen; nil is the first of all.
    var sessionID: String?
    /// The messages that this person was told of, or that were there before.
    var toldMessages: Set<String> = []
    /// This terminal's decisions whose results were not told yet.
    var undecided: Set<String> = []
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
            // A line is kept up to date under what lies over it, too.
            if !models.isDisjoint(with: SupervisorApp.inLine) { loadLine(&effects) }
        case .link(let state): link = state
        case .tick:
            beat(at: moment, &effects)
            readAgain(&effects)
            // What was done is news for a while; what was refused or is asked stands until a key.
            if let message, moment.uptime - messageSince > 8000, SupervisorApp.passing.contains(message.id) {
                self.message = nil
            }
            tellNext()
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
            switch job {
            case .loadFloor: (isLoading, loadAgain) = (false, true)
            case .loadLine: lineAgain = true
            case .beat: lastBeat = nil
            default: break
            }
            // What is tried again each second must not ring each second.
            guard message != ScreenMessage(text: [failure.text], kind: .error) else { return }
            say([failure.text], .error)
            effects.append(.sound(.stop))
        case .success(let answer):
            switch answer {
            case .people(let people): found(people, &effects)
            case .floor(let snapshot):
                guard case .loadFloor(let asked) = job else { return }
                loaded(snapshot, asked: asked, &effects)
            case .line(let line):
                // Only the line that is open counts: the answer for one before it may be late.
                if case .loadLine(let id) = job, id == lineID { took(line) }
                if lineAgain { loadLine(&effects) }
            case .items(let found):
                guard case .findItems(let text) = job, number == search, case .match = page else { return }
                items = found
                if found.isEmpty { message = ScreenMessage("item.noMatch", ["text": text]) }
            case .counters(let people):
                guard case .counters(_, let bin) = job, case .assign(let errand) = page, self.bin(of: errand) == bin
                else { return }
                counters = people
            case .decided(let decisions):
                undecided.formUnion(decisions.map(\.id))
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
        } else if people.isEmpty {
            tellUnknown(&effects)
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

    mutating func say(_ text: [String], _ kind: Screens.MessageKind) { message = ScreenMessage(text: text, kind: kind) }
}
