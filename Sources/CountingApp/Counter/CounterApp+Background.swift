import Basics
import Counting
import Models
import Screens
import Terminal

/// What goes on beside the person's own acts: the link, what others write, the draft, the heartbeat.
extension CounterApp {
    /// Notes when the link goes and comes, and says what the hub refused; nothing that is asked is written over.
    mutating func linkChanged(_ state: LinkState, at moment: Moment) {
        let old = link
        link = state
        // Only the hub's word ends the waiting: a request that was given up is none.
        if !state.isOnline || state.lastContactUptime != old.lastContactUptime { askedSince = nil }
        if state.isOnline, state.isAsking, askedSince == nil { askedSince = moment.uptime }
        noteLink(at: moment)
        if personID != nil, state.parked > old.parked { tell("link.refused", ["count": String(state.parked)]) }
        sayLink(at: moment)
    }

    /// A hub that is asked and says nothing for so long is out of reach, whatever the socket says (milliseconds).
    private static let longestWait: Int64 = 10_000

    /// Whether the hub can be reached, as far as this terminal can know.
    func isReached(at moment: Moment) -> Bool {
        link.isOnline && (askedSince.map { moment.uptime - $0 < CounterApp.longestWait } ?? true)
    }

    private mutating func noteLink(at moment: Moment) {
        if isReached(at: moment) {
            (offlineSince, wasReached) = (nil, true)
        } else if wasReached, offlineSince == nil {
            offlineSince = moment.uptime
        }
    }

    /// Says once that the link is down, and that it is back only to somebody who was told so: one that blinks, as it
    /// does when somebody signs in, is for the badge alone.
    private mutating func sayLink(at moment: Moment) {
        guard personID != nil, !isBlocked, confirming == nil, waiting == nil else { return }
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
    private static let shown: Set<String> = [
        "BinTask", "CountPass", "CountEntry", "ExpectedLine", "Message", "Bin", "Zone",
    ]
    private static let inBin: Set<String> = [
        "CountPass", "CountEntry", "CodeMatch", "ExpectedLine", "BinTask", "Bin", "Item",
    ]
    /// What the lists that are only read are made of.
    private static let listed: [Page: (act: CounterAct, models: Set<String>)] = [
        .message: (.messages, ["Message", "Person"]), .tray: (.tray, ["CountEntry", "CodeMatch"]),
    ]

    mutating func changed(_ models: Set<String>) {
        if !models.isDisjoint(with: CounterApp.shown) { isStale = true }
        if !models.isDisjoint(with: CounterApp.inBin), bin != nil { isBinStale = true }
        if models.contains("CodeMatch") { isMatchStale = true }
        if !models.isDisjoint(with: CounterApp.shownAtOnce) || (isStale && page == .tasks && floor.tasks.isEmpty) {
            (isStale, isUrgent) = (true, true)
        }
        // A list that is chosen from keeps its rows under the finger.
        if let list = CounterApp.listed[page], !models.isDisjoint(with: list.models) { isListStale = true }
    }

    mutating func refreshIfStale() {
        guard isStale, waiting == nil, background.isEmpty else { return }
        (isStale, isUrgent, isBinStale) = (false, false, false)
        askAside(.refresh)
    }

    mutating func refreshBinIfStale() {
        guard isBinStale, waiting == nil, background.isEmpty else { return }
        isBinStale = false
        if bin != nil { askAside(.refreshBin) }
    }

    mutating func refreshListIfStale() {
        guard isListStale, waiting == nil, background.isEmpty else { return }
        isListStale = false
        if personID != nil, let list = CounterApp.listed[page] { askAside(list.act) }
    }

    mutating func refreshMatchesIfStale() {
        guard isMatchStale, waiting == nil, background.isEmpty, personID != nil else { return }
        isMatchStale = false
        askAside(.matches(known: knownMatches))
    }

    /// What was looked up beside what the person does.
    mutating func takeAside(_ outcome: Outcome, of act: CounterAct) {
        switch outcome {
        // It is about what the person has in hand.
        case .aside(let news): tell(news, isUrgent: true)
        case .matched(let codes, let known):
            knownMatches = known
            learned += codes
            for code in codes.suffix(3) { tell("code.matched", ["code": code.code, "item": code.item]) }
        case .rows(let rows):
            // The list may have been left meanwhile.
            if let list = CounterApp.listed[page], list.act == act { dialog?.rows = rows }
        default: break
        }
    }

    /// Asks again for what failed aside; what it was about may have changed since.
    private mutating func retryAside() {
        let failed = failedAside
        failedAside = []
        for act in failed {
            switch act {
            case .refresh, .refreshBin: isStale = true
            case .matches: isMatchStale = true
            case .saveDraft: savedDraft = SavedLine.unknown
            case .beat: lastBeat = nil
            default: askAside(act)
            }
        }
    }

    /// What is learned of codes from now on is news.
    mutating func forgetMatches() { (learned, knownMatches, isMatchStale) = ([], nil, true) }

    mutating func tick(at moment: Moment) {
        noteLink(at: moment)
        sayLink(at: moment)
        retryAside()
        // What cannot be read now is read as soon as it can be, not a tick later.
        if isStale { isUrgent = true }
        if waiting == nil { saveDraft() }
    }

    /// Keeps what is typed where it differs from what was kept last.
    mutating func saveDraft() {
        let draft = draftText
        guard personID != nil, draft != savedDraft else { return }
        savedDraft = draft
        askAside(.saveDraft(draft))
    }

    /// What is typed into the open line, to be found again after a restart.
    var draftText: String {
        guard bin != nil, let line else { return "" }
        return SavedLine(line, typed: page == .bin ? typed : "").text
    }

    mutating func beat(_ moment: Moment) {
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
}
