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
        /// The page to go back to.
        var origin = Page.tasks
        /// Whom a message is for.
        var recipient = Recipient.floor
        /// The bin that waits while it is asked how to close the open one.
        var request: BinRequest?
        /// Whether a bin's label, scanned now, is taken in the place of what is asked about.
        var takesBins = false
        /// Makes it again, in another language or for another size.
        var make: (@Sendable (CounterApp) -> Dialog)?
    }

    /// What the text typed into a dialog is.
    enum Purpose: Sendable, Hashable {
        case none, skip, part, note, find, crew, pack, message, emptyDigits
        case taskDigits(String)
        /// The bin of the person who is to be helped.
        case join(String)
    }

    let deviceCode: String
    package internal(set) var page = Page.signin
    var floor = Floor()
    var bin: BinView?
    var line: OpenLine?
    var typed = ""
    package internal(set) var message: ScreenMessage? { didSet { replaced(oldValue) } }
    /// When what stands on the message line was said, and whether nobody had asked for it.
    var said: (at: Int64, isNews: Bool) = (0, false)
    /// News that waits until it can be read.
    var untold: [ScreenMessage] = []
    /// The messages that this person was told of, or that were there before.
    private var toldMessages: Set<String> = []
    /// An error that waits for a key that no scanner sends.
    package internal(set) var isBlocked = false
    /// When the last event came.
    var now = Moment(wall: DateTime(milliseconds: 0), uptime: 0)
    /// The uptime at which the question in front appeared: a digit that comes with it was meant for something else.
    var askedAt: Int64 = 0
    /// Ctrl-C was pressed: once more ends the app.
    var isLeaving = false
    /// A quantity that Enter stores when it comes again.
    var confirming: String?
    var dialog: Dialog?
    /// What help was asked for over: its dialog and what was typed there.
    var underHelp: (dialog: Dialog?, typed: String)?
    var link = LinkState()
    var size = GridSize(20, 16)
    var chosenLanguage: String?

    /// What is typed at the first picture, before the store was asked who is signed in, waits for the answer.
    var isStarted = false
    /// Input that came while a job decides what the next one means, or while an error stands.
    var queue: [Input] = []
    /// Scans that wait until a question is answered.
    var held: [Input] = []
    /// The scan that is being looked up while it is asked how to close the bin.
    var lookedUp: Input?
    var waiting: (job: Int, act: CounterAct, text: String)?
    var background: [Int: CounterAct] = [:]
    private var nextJob = 1
    var effects: [AppEffect<CounterJob>] = []

    /// The walk position that the list of bins starts after; nil for the person's own place.
    var after: Int?
    var earlier: [Int?] = []
    /// The row of the open bin that its list starts with; nil follows what was counted last.
    var firstLine: Int?
    /// What unknown codes turned out to be while this person was signed in, the newest last.
    var learned: [LearnedCode] = []
    var knownMatches: Set<String>?
    var isMatchStale = false
    /// What is around changed since it was read; it is read again at the next tick.
    var isStale = false
    /// It is read again as soon as nothing else is asked for.
    var isUrgent = false
    var isBinStale = false
    var isListStale = false
    /// What was asked for aside and failed, to be asked for again at the next tick.
    var failedAside: [CounterAct] = []
    /// The uptime since which the link is down, and whether that was said.
    var offlineSince: Int64?
    var hasSaidDown = false
    var wasReached = false
    /// The uptime since which something unsent waits for the hub's word.
    var askedSince: Int64?
    var savedDraft = ""
    var lastBeat: (beat: Beat, uptime: Int64)?

    /// How long a question must be in sight before a digit answers it: what comes sooner was typed for something else,
    /// or typed ahead while the store worked.
    let answerDelay: Int64

    /// Makes the machine; nothing is read before ``AppEvent/started``.
    ///
    /// - Parameter answerDelay: milliseconds that a question is in sight before it can be answered; 0 for computed people
    package init(deviceCode: String, answerDelay: Int64 = 400) {
        self.deviceCode = deviceCode
        self.answerDelay = answerDelay
    }

    package var language: String { chosenLanguage ?? floor.person?.language ?? "en" }
    /// Whether every key and scan so far was carried out, or waits for a person to acknowledge an error.
    package var hasSettled: Bool { waiting == nil && (queue.isEmpty || isBlocked) }
    /// The bin that is open.
    package var openBinID: String? { bin?.pass.binID }
    /// The person signed in.
    package var personID: String? { floor.person?.id }
    /// Whether the list of bins is in front, or a dialog that was opened from there.
    var isAtList: Bool { (dialog?.origin ?? page) == .tasks }

    package mutating func handle(_ event: AppEvent<CounterAnswer>, at moment: Moment) -> [AppEffect<CounterJob>] {
        effects = []
        now = moment
        switch event {
        case .started:
            isStarted = true
            ask(.start)
        case .input(let input): take(input)
        case .answered(let job, let result): answered(job, result)
        case .changed(let models): changed(models)
        case .link(let state): linkChanged(state, at: moment)
        case .tick: tick(at: moment)
        case .resized(let size):
            (self.size, firstLine) = (size, nil)
            remakeDialog()
        case .ending: saveDraft()
        }
        drain()
        if isUrgent || !floor.isWhole { refreshIfStale() }
        refreshBinIfStale()
        refreshMatchesIfStale()
        refreshListIfStale()
        tellNext()
        beat(moment)
        return effects
    }

    // MARK: - Jobs

    /// Asks the store for something that the next input depends on.
    mutating func ask(_ act: CounterAct, text: String = "") {
        waiting = (perform(act), act, text)
    }

    /// Has something done that no input waits for.
    mutating func askAside(_ act: CounterAct) {
        let number = perform(act)
        background[number] = act
    }

    private mutating func perform(_ act: CounterAct) -> Int {
        var job = CounterJob(act)
        job.personID = personID
        job.line = line
        job.after = after
        job.isAtList = isAtList
        defer { nextJob += 1 }
        effects.append(.perform(job: nextJob, job))
        return nextJob
    }

    private mutating func answered(_ job: Int, _ result: Result<CounterAnswer, JobFailure>) {
        if let act = background.removeValue(forKey: job) {
            // What was done aside fails silently only here: the link's own state shows a full disk at the next act.
            guard case .success(let answer) = result else { return failedAside.append(act) }
            show(answer)
            return takeAside(answer.outcome, of: act)
        }
        guard let asked = waiting, asked.job == job else { return }
        switch result {
        case .success(let answer):
            // News that comes with an answer waits behind what the act itself came to.
            show(answer)
            waiting = nil
            take(answer.outcome, asked.text)
        case .failure(let failure):
            waiting = nil
            typed = asked.text
            let isFull = failure.text.lowercased().includes("full")
            refuse(isFull ? ScreenMessage("storage.full") : ScreenMessage("storage.failed", ["reason": failure.text]))
        }
    }

    private mutating func show(_ answer: CounterAnswer) {
        if let floor = answer.floor { around(floor) }
        guard answer.knowsBin else { return }
        let known = Set(bin?.others.map(\.passID) ?? [])
        let isSame = bin?.pass.id == answer.bin?.pass.id
        let wasTaken = bin?.takenBy != nil
        let wasPartly = bin.map { $0.missing > 0 } ?? false
        bin = answer.bin
        if !isSame { firstLine = nil }
        if isSame, !wasTaken, let who = bin?.takenBy { tell("crew.taken", ["who": who, "bin": bin?.code ?? ""]) }
        if isSame, let joined = bin?.others.last(where: { $0.name != nil && !known.contains($0.passID) }) {
            tell("crew.joined", ["who": joined.name ?? ""])
            if answer.bin != nil { askAside(.share) }
        } else if isSame, wasPartly, bin?.missing == 0 {
            // Whoever joined meanwhile could be told no totals yet.
            askAside(.share)
        }
    }

    private mutating func around(_ new: Floor) {
        let old = floor
        floor = new
        if old.session == nil, new.session != nil, message?.id == "session.none" { message = nil }
        if !new.isWhole, new.person != nil {
            // What a writing job left out is looked up beside it.
            if old.session?.id == new.session?.id {
                (floor.place, floor.done, floor.today) = (old.place, old.done, old.today)
                for index in floor.crew.indices {
                    let person = floor.crew[index].personID
                    floor.crew[index].bins = old.crew.first { $0.personID == person }?.bins
                }
            }
            isStale = true
        }
        let isSame = old.person?.id == new.person?.id
        if let closed = new.closed, old.closed?.id != closed.id, isSame { tell("session.closed") }
        // One that was written without a link comes late, and is news all the same.
        let fresh = new.incoming.filter { toldMessages.insert($0.id).inserted }
        guard isSame else { return }
        for news in fresh.prefix(2).reversed() {
            // Where there is no room for the whole text, its short form says more than its beginning.
            let who = sender(of: news)
            tell("message.new", ["who": who, "text": fitting(text(of: news), besides: who.count + 2)])
        }
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

    /// Who wrote a message.
    func sender(of news: News) -> String { news.who ?? words("app.word.desk").first ?? "" }

    /// What a message says, the desk's in this person's language.
    func text(of news: News) -> [String] {
        if let to = news.to { return ["\(to): \(news.text)"] }
        return news.who == nil ? DeskWords.texts(news.text, language: language) : [news.text]
    }

    /// The longest form that has room on the message line beside what else stands there.
    private func fitting(_ texts: [String], besides used: Int) -> String {
        texts.first { $0.count + used <= size.width } ?? texts.last ?? ""
    }

    /// Remembers that the draft of a restored line is the one in the store.
    mutating func restored() { savedDraft = draftText }
}
