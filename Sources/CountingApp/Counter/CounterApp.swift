import Basics
import Counting
import DataStore
import Models
import Screens
import Terminal
import WarehouseModels

/// The counter's app: signing in, the list of bins, counting and closing a bin.
///
/// What it shows of counts is always what the store holds; only what is being typed is its own.
package struct CounterApp: AppMachine, Sendable {
    package typealias Job = CounterJob

    /// The screen in front.
    package enum Page: String, Sendable {
        case signin, tasks, bin, close, reason, find, question, pack, tray, message, digits, help, matches, note, crew
        case switchoff
    }

    /// A page that asks for something and then goes back to where it came from.
    struct Dialog: Sendable {
        var page: Page
        var title: [String] = []
        var text: [String] = []
        var facts: [(text: [String], value: String)] = []
        var rows: [FoundRow] = []
        var first = 0
        var purpose = Purpose.none
        /// The bin that waits while it is asked how to close the open one.
        var request: BinRequest?
    }

    /// What the text typed into a dialog is.
    enum Purpose: Sendable, Hashable {
        case none, skip, part, note, find, crew, pack, message, emptyDigits
        case taskDigits(String)
    }

    let deviceCode: String
    package internal(set) var page = Page.signin
    var floor = Floor()
    var bin: BinView?
    var line: OpenLine?
    var typed = ""
    package internal(set) var message: ScreenMessage?
    /// An error that waits for a key that no scanner sends.
    package internal(set) var isBlocked = false
    /// A quantity that Enter stores when it comes again.
    var confirming: String?
    var dialog: Dialog?
    var link = LinkState()
    var size = GridSize(20, 16)
    var chosenLanguage: String?

    /// Input that came while a job decides what the next one means, or while an error stands.
    var queue: [Input] = []
    /// Scans that wait until a question is answered.
    var held: [Input] = []
    var waiting: (job: Int, act: CounterAct, text: String)?
    private var background: [Int: CounterAct] = [:]
    private var nextJob = 1
    var effects: [AppEffect<CounterJob>] = []

    /// The walk position that the list of bins starts after; nil for the person's own place.
    var after: Int?
    var earlier: [Int?] = []
    private var isStale = false
    private var isBinStale = false
    private var announced: String?
    /// The uptime since which the link is down, and whether that was said.
    private var offlineSince: Int64?
    private var hasSaidDown = false
    private var savedDraft = ""
    private var lastBeat: (beat: Beat, uptime: Int64)?

    package init(deviceCode: String) { self.deviceCode = deviceCode }

    package var language: String { chosenLanguage ?? floor.person?.language ?? "en" }
    /// Whether nothing is under way: no job, no queued input.
    package var isIdle: Bool { waiting == nil && background.isEmpty && (queue.isEmpty || isBlocked) }
    /// Whether every key and scan so far was carried out, or waits for a person to acknowledge an error.
    package var hasSettled: Bool { waiting == nil && (queue.isEmpty || isBlocked) }
    /// The bin that is open.
    package var openBinID: String? { bin?.pass.binID }
    /// The person signed in.
    package var personID: String? { floor.person?.id }

    package mutating func handle(_ event: AppEvent<CounterAnswer>, at moment: Moment) -> [AppEffect<CounterJob>] {
        effects = []
        switch event {
        case .started: ask(.start)
        case .input(let input): take(input)
        case .answered(let job, let result): answered(job, result)
        case .changed(let models): changed(models)
        case .link(let state): linkChanged(state, at: moment)
        case .tick: tick(at: moment)
        case .resized(let size): self.size = size
        }
        drain()
        if !floor.isWhole { refreshIfStale() }
        refreshBinIfStale()
        beat(moment)
        return effects
    }

    // MARK: - Jobs

    /// Asks the store for something that the next input depends on.
    mutating func ask(_ act: CounterAct, text: String = "") {
        waiting = (perform(act), act, text)
    }

    /// Has something done that no input waits for.
    private mutating func askAside(_ act: CounterAct) {
        let number = perform(act)
        background[number] = act
    }

    private mutating func perform(_ act: CounterAct) -> Int {
        var job = CounterJob(act)
        job.personID = personID
        job.line = line
        job.after = after
        job.isSyncing = link.isSyncing
        defer { nextJob += 1 }
        effects.append(.perform(job: nextJob, job))
        return nextJob
    }

    private mutating func answered(_ job: Int, _ result: Result<CounterAnswer, JobFailure>) {
        if background.removeValue(forKey: job) != nil {
            // What was done aside failed silently only here: the link's own state shows a full disk at the next act.
            if case .success(let answer) = result { show(answer) }
            return
        }
        guard let asked = waiting, asked.job == job else { return }
        waiting = nil
        switch result {
        case .success(let answer):
            show(answer)
            take(answer.outcome, asked.text)
        case .failure(let failure):
            typed = asked.text
            let isFull = failure.text.lowercased().contains("full")
            refuse(isFull ? ScreenMessage("storage.full") : ScreenMessage("storage.failed", ["reason": failure.text]))
        }
    }

    private mutating func show(_ answer: CounterAnswer) {
        if let floor = answer.floor { around(floor) }
        guard answer.knowsBin else { return }
        let known = Set(bin?.others.map(\.passID) ?? [])
        let isSame = bin?.pass.id == answer.bin?.pass.id
        bin = answer.bin
        if isSame, let joined = bin?.others.last(where: { !known.contains($0.passID) }) {
            message = ScreenMessage("crew.joined", ["who": joined.name])
            effects.append(.sound(.attention))
            if answer.bin != nil { askAside(.share) }
        }
    }

    private mutating func around(_ new: Floor) {
        let old = floor
        floor = new
        if !new.isWhole, new.person != nil {
            // What a writing job left out is looked up beside it.
            if old.session?.id == new.session?.id { (floor.place, floor.done) = (old.place, old.done) }
            isStale = true
        }
        guard let newest = new.newest else { return }
        defer { announced = newest.id }
        guard old.person?.id == new.person?.id, announced != newest.id, !isBlocked, confirming == nil else { return }
        say("message.new", ["who": newest.who, "text": newest.text], .attention)
    }

    /// Notes when the link goes and comes, and says what the hub refused; nothing that is asked is written over.
    private mutating func linkChanged(_ state: LinkState, at moment: Moment) {
        let old = link
        link = state
        if !state.isOnline {
            if old.isOnline { offlineSince = moment.uptime }
        } else {
            offlineSince = nil
        }
        guard personID != nil, !isBlocked, confirming == nil else { return }
        if state.parked > old.parked { say("link.refused", ["count": String(state.parked)], .attention) }
        sayLink(at: moment)
    }

    /// Says once that the link is down, and that it is back only to somebody who was told so: one that blinks, as it
    /// does when somebody signs in, is for the badge alone.
    private mutating func sayLink(at moment: Moment) {
        guard personID != nil, !isBlocked, confirming == nil else { return }
        if let offlineSince {
            guard !hasSaidDown, moment.uptime - offlineSince >= 2_000 else { return }
            hasSaidDown = true
            say("link.down", [:], .attention)
        } else if hasSaidDown {
            hasSaidDown = false
            say("link.back", ["count": String(link.unsent)])
        }
    }

    /// Models whose changes are rare and matter at once.
    private static let shownAtOnce: Set<String> = ["CountSession", "Person"]
    /// Models that come in streams: what is around is looked at again at the next tick, the open bin at once.
    private static let shown: Set<String> = ["BinTask", "CountPass", "CountEntry", "ExpectedLine", "Message", "Bin"]
    private static let inBin: Set<String> = ["CountPass", "CountEntry", "CodeMatch", "ExpectedLine", "BinTask"]

    private mutating func changed(_ models: Set<String>) {
        if !models.isDisjoint(with: CounterApp.shown) { isStale = true }
        if !models.isDisjoint(with: CounterApp.inBin), bin != nil { isBinStale = true }
        if !models.isDisjoint(with: CounterApp.shownAtOnce) || (isStale && page == .tasks && floor.tasks.isEmpty) {
            isStale = true
            refreshIfStale()
        }
        refreshBinIfStale()
    }

    private mutating func refreshIfStale() {
        guard isStale, waiting == nil, background.isEmpty else { return }
        (isStale, isBinStale) = (false, false)
        askAside(.refresh)
    }

    private mutating func refreshBinIfStale() {
        guard isBinStale, waiting == nil, background.isEmpty else { return }
        isBinStale = false
        if bin != nil { askAside(.refreshBin) }
    }

    private mutating func tick(at moment: Moment) {
        sayLink(at: moment)
        refreshIfStale()
        let draft = draftText
        if personID != nil, draft != savedDraft, waiting == nil {
            savedDraft = draft
            askAside(.saveDraft(draft))
        }
    }

    /// What is typed into the open line, to be found again after a restart.
    var draftText: String {
        guard bin != nil, let line else { return "" }
        return SavedLine(line, typed: page == .bin ? typed : "").text
    }

    private mutating func beat(_ moment: Moment) {
        let own = link.unsentByPerson.filter { !$0.key.isEmpty }.values.reduce(0, +)
        let isStopped = floor.session?.state == .stopped && bin == nil
        let beat = Beat(
            personID: personID, sessionID: floor.session?.id, binID: bin?.pass.binID, unsent: own, parked: link.parked,
            isCheckedOut: own == 0 && bin == nil && (personID == nil || isStopped))
        if let last = lastBeat {
            let isNews =
                last.beat.personID != beat.personID || last.beat.binID != beat.binID
                || last.beat.sessionID != beat.sessionID || last.beat.isCheckedOut != beat.isCheckedOut
                || last.beat.parked != beat.parked || (last.beat.unsent > 0 && beat.unsent == 0)
            guard isNews || moment.uptime - last.uptime >= 60_000 else { return }
        }
        guard waiting == nil else { return }
        lastBeat = (beat, moment.uptime)
        askAside(.beat(beat))
    }

    // MARK: - Messages

    /// Says that something was refused; stays until a person acknowledges it.
    mutating func refuse(_ message: ScreenMessage) {
        self.message = message
        isBlocked = true
        // What was typed ahead stays in sight; that it be carried out is for the person to say again.
        queue.removeAll { $0 == .key(.enter) }
        effects.append(.sound(.stop))
    }

    mutating func say(_ id: String, _ arguments: [String: String] = [:], _ sound: Sound? = nil) {
        message = ScreenMessage(id, arguments)
        if let sound { effects.append(.sound(sound)) }
    }

    /// A text of the shipped catalogs.
    func words(_ key: String, _ arguments: [String: String] = [:]) -> [String] {
        AppScreens.shipped.text(key, arguments, language: language)
    }

    /// Remembers that the draft of a restored line is the one in the store.
    mutating func restored() { savedDraft = draftText }
}
