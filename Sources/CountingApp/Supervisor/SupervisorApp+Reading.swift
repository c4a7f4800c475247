import Models
import Screens
import Terminal
import WarehouseModels

/// Reading the floor and the line that is open, and telling what is new in them.
extension SupervisorApp {
    mutating func load(_ effects: inout [AppEffect<SupervisorJob>]) {
        guard !isLoading else {
            loadAgain = true
            return
        }
        isLoading = true
        ask(.loadFloor(sessionID: sessionID), &effects)
    }

    /// Models that one line is made of.
    static let inLine: Set<String> = [
        "LineVerdict", "CountEntry", "CountPass", "CodeMatch", "StockMovement", "BookLine", "Item", "Bin", "Person",
    ]

    /// The line that is open, in front or under another page.
    var lineID: String? {
        for frame in frames.reversed() { if case .variance(let id) = frame.page { return id } }
        return nil
    }

    /// What could not be read is read again.
    mutating func readAgain(_ effects: inout [AppEffect<SupervisorJob>]) {
        if loadAgain, !isLoading {
            loadAgain = false
            load(&effects)
        }
        if lineAgain { loadLine(&effects) }
    }

    /// Reads the line that is open; what changes while it is read is read once more.
    mutating func loadLine(_ effects: inout [AppEffect<SupervisorJob>]) {
        guard let lineID else { return lineAgain = false }
        lineAgain = jobs.values.contains { if case .loadLine(let id) = $0 { id == lineID } else { false } }
        if !lineAgain { ask(.loadLine(id: lineID), &effects) }
    }

    mutating func loaded(
        _ snapshot: FloorSnapshot, asked: String?, _ effects: inout [AppEffect<SupervisorJob>]
    ) {
        isLoading = false
        // Another count was chosen while this one was being read.
        if asked == sessionID {
            floor = snapshot
            sessionID = snapshot.session?.id
            marked.formIntersection(snapshot.lines.map(\.verdict.id))
            tellTalk(&effects)
            tellNew(&effects)
            tellResults(&effects)
            hasLoaded = true
            tellUnknown(&effects)
            clampList()
        }
        if loadAgain {
            loadAgain = false
            load(&effects)
        }
    }

    /// Says what became of this terminal's decisions; a refusal last, so that it stands.
    private mutating func tellResults(_ effects: inout [AppEffect<SupervisorJob>]) {
        let told = floor.recent.reversed()
            .filter { undecided.contains($0.id) && [.done, .refused].contains($0.decision.result) }
        undecided.subtract(told.map(\.id))
        // Those that were asked before this view was opened.
        undecided.formUnion(floor.waiting.filter { $0.decision.deviceID == deviceCode }.map(\.id))
        for result in told.filter({ $0.decision.result == .done }) {
            let said = desk(result.resultText)[0]
            let what = said.isEmpty ? what(result) : "\(what(result)): \(said)"
            tell("decision.done", ["what": what], .accepted, &effects)
        }
        for result in told.filter({ $0.decision.result == .refused }) {
            // Where there is no room for the whole reason, its short form says more than its beginning.
            let reason = desk(result.resultText)
            let short = reason.first { $0.count + 10 <= size.width } ?? reason.last ?? ""
            tell("decision.refused", ["reason": short, "what": what(result)], .attention, &effects)
        }
    }

    /// How long news stands before the next takes its place (milliseconds).
    private static let readingTime: Int64 = 3_000

    /// Tells news; one does not take the place of another that was hardly in sight.
    private mutating func tell(
        _ id: String, _ arguments: [String: String], _ sound: Sound, _ effects: inout [AppEffect<SupervisorJob>]
    ) {
        untold.append(ScreenMessage(id, arguments))
        effects.append(.sound(sound))
        if !isNews || message == nil { show(untold.removeFirst()) } else { tellNext() }
    }

    mutating func tellNext() {
        guard !untold.isEmpty, message == nil || now.uptime - messageSince >= SupervisorApp.readingTime else { return }
        show(untold.removeFirst())
    }

    private mutating func show(_ news: ScreenMessage) {
        message = news
        isNews = true
    }

    private mutating func tellTalk(_ effects: inout [AppEffect<SupervisorJob>]) {
        // One that was written without a link comes late, and is news all the same.
        let fresh = floor.talk.filter { toldMessages.insert($0.id).inserted }
        guard hasLoaded, let person, let newest = fresh.first(where: { $0.fromID != person.id }) else { return }
        let who = floor.names[newest.fromID] ?? newest.fromID
        tell("message.new", ["who": who, "text": newest.text ?? ""], .attention, &effects)
    }

    mutating func took(_ line: LineDetail?) {
        if let old = detail, let line, old.verdict.id == line.verdict.id, old.verdict.revision != line.verdict.revision
        {
            message = ScreenMessage("line.changed")
        }
        if detail?.verdict != line?.verdict { askedAt = now.uptime }
        detail = line
    }

    /// Says that nobody has the name this view was started with, once it is known who there is, and asks for another.
    mutating func tellUnknown(_ effects: inout [AppEffect<SupervisorJob>]) {
        guard person == nil, let login, hasLoaded, candidates.isEmpty, !floor.names.isEmpty, message == nil else {
            return
        }
        message = ScreenMessage("person.unknown", ["text": login])
        effects.append(.sound(.attention))
    }
}
