import Basics
import Models
import Screens
import WarehouseModels

extension SupervisorApp {
    mutating func openLine(_ id: String, _ effects: inout [AppEffect<SupervisorJob>]) {
        detail = nil
        open(.variance(id: id))
        ask(.loadLine(id: id), &effects)
    }

    /// 1 accepts the standing count, 2 has it counted by somebody else, 3 leaves it for later, 4 has what is rarer.
    mutating func chooseForLine(_ number: Int, _ effects: inout [AppEffect<SupervisorJob>]) {
        guard let detail, case .variance(let id) = page, detail.verdict.id == id else { return }
        switch number {
        case 1 where detail.isIncomplete: say(words("sup.accept.none"), .notice)
        case 1:
            let reason = entry.isEmpty ? nil : entry
            perform(
                DecisionDraft(
                    kind: .approve, sessionID: floor.session?.id, targets: [(id, detail.verdict.revision)],
                    reason: reason), &effects)
            nextLine(&effects)
        case 2: openAssign(.recount(verdict: id), &effects)
        case 3: nextLine(&effects)
        case 4: open(.act(.line(id)))
        default: break
        }
    }

    private mutating func perform(_ draft: DecisionDraft, _ effects: inout [AppEffect<SupervisorJob>]) {
        guard let person else { return }
        ask(.decide(draft, by: person.id), &effects)
    }

    /// Goes on to the next line that is to be decided, or back to where one came from.
    mutating func nextLine(_ effects: inout [AppEffect<SupervisorJob>]) {
        guard case .variance(let id) = page else { return }
        let index = floor.lines.firstIndex { $0.verdict.id == id }.map { $0 + 1 } ?? 0
        let kept = message
        back()
        if page == .lines, floor.lines.indices.contains(index) {
            show(row: index)
            openLine(floor.lines[index].verdict.id, &effects)
        }
        message = kept
    }

    /// Marks the line in front, or the one under the list's cursor, and goes on to the next.
    mutating func mark() {
        var id: String?
        if case .variance(let line) = page { id = line }
        if page == .lines, let index = frames.last?.selected, floor.lines.indices.contains(index) {
            id = floor.lines[index].verdict.id
            move(by: 1)
        }
        guard let id else { return }
        if marked.remove(id) == nil { marked.insert(id) }
        say(words("sup.marked", ["count": String(marked.count)]), .info)
    }

    mutating func approveMarked(_ effects: inout [AppEffect<SupervisorJob>]) {
        let targets = floor.lines.filter { marked.contains($0.verdict.id) }
            .map { (id: $0.verdict.id, revision: $0.verdict.revision) }
        guard !targets.isEmpty else {
            say(words("sup.noneMarked"), .notice)
            return
        }
        marked = []
        perform(DecisionDraft(kind: .approve, sessionID: floor.session?.id, targets: targets), &effects)
    }

    // MARK: Sending somebody

    mutating func openAssign(_ errand: Errand, _ effects: inout [AppEffect<SupervisorJob>]) {
        guard let session = floor.session, let bin = bin(of: errand) else { return }
        counters = []
        // What was typed as a reason goes along.
        let reason = entry
        open(.assign(errand))
        entry = reason
        ask(.counters(session: session.id, bin: bin), &effects)
    }

    private func task(_ id: String) -> BinTask? {
        (floor.partial + floor.zones.flatMap(\.left)).first { $0.id == id }
    }

    func bin(of errand: Errand) -> String? {
        switch errand {
        case .recount(let id):
            detail?.verdict.id == id
                ? detail?.verdict.binID : (floor.lines + floor.incomplete).first { $0.verdict.id == id }?.verdict.binID
        case .task(let id): task(id)?.binID
        }
    }

    /// What an errand is decided on: the line as shown, or the task.
    private func target(of errand: Errand) -> (id: String, revision: Int)? {
        switch errand {
        case .recount(let id): detail.flatMap { $0.verdict.id == id ? (id, $0.verdict.revision) : nil }
        case .task(let id): (id, 0)
        }
    }

    /// Sends one person; nil is whoever is free. Who was there already only after a question.
    mutating func send(
        _ choice: CounterChoice?, for errand: Errand, _ effects: inout [AppEffect<SupervisorJob>]
    ) {
        guard let target = target(of: errand) else { return }
        if let choice, choice.wasThere { return open(.act(.again(errand, person: choice.person.id))) }
        var kind = DecisionKind.recount
        if case .task(let id) = errand, task(id)?.state == .todo { kind = .assign }
        let reason = entry.isEmpty ? nil : entry
        perform(
            DecisionDraft(
                kind: kind, sessionID: floor.session?.id, targets: [target], toPersonID: choice?.person.id,
                reason: reason), &effects)
        back()
        leaveMatter(&effects)
    }

    /// After an answer: on to the next line, or back from the page of the matter.
    private mutating func leaveMatter(_ effects: inout [AppEffect<SupervisorJob>]) {
        switch page {
        case .variance: nextLine(&effects)
        case .act, .confirm: back()
        default: break
        }
    }

    // MARK: Pages that ask

    /// Answers the page in front.
    mutating func answer(_ number: Int, _ effects: inout [AppEffect<SupervisorJob>]) {
        let index = offset + number - 1
        guard let person, let act, act.choices.indices.contains(index), number <= pageRows else {
            message = ScreenMessage("choice.unknown", ["text": String(number)])
            return
        }
        let choice = act.choices[index]
        answer(choice, by: person, &effects)
    }

    /// Enter after a text: it goes to the answer that was chosen before and waits for it, else to the only one that can
    /// be meant.
    mutating func answerWithText(_ effects: inout [AppEffect<SupervisorJob>]) {
        guard let person, let act, !entry.isEmpty else { return }
        var meant = act.choices.indices.filter { act.choices[$0].needsText }
        if let pendingChoice { meant = [pendingChoice] }
        // A question about the whole count takes a reason with its yes.
        if case .confirm = page { meant = [0] }
        guard meant.count == 1, act.choices.indices.contains(meant[0]) else {
            message = ScreenMessage("choice.which")
            return
        }
        answer(act.choices[meant[0]], by: person, &effects)
    }

    private mutating func answer(
        _ choice: Choice, by person: Person, _ effects: inout [AppEffect<SupervisorJob>]
    ) {
        if choice.needsText, entry.isEmpty {
            pendingChoice = act?.choices.firstIndex { $0.text == choice.text }
            if case .decideWithText = choice.move {
                say(words("sup.number.missing"), .notice)
            } else {
                message = ScreenMessage("reason.missing")
            }
            effects.append(.sound(.attention))
            return
        }
        let text = entry.isEmpty ? nil : entry
        switch choice.move {
        case .back: back()
        case .open(.variance(let id)): openLine(id, &effects)
        case .open(.assign(let errand)): openAssign(errand, &effects)
        case .open(let page): open(page)
        case .write(let to):
            recipient = to
            open(.message)
        case .decide(var draft):
            draft.reason = text
            finish(.decide(draft, by: person.id), &effects)
        case .decideWithText(var draft):
            draft.text = text
            finish(.decide(draft, by: person.id), &effects)
        case .again(let errand, let other):
            guard let session = floor.session, let bin = bin(of: errand), let target = target(of: errand) else {
                return
            }
            let again = SupervisorJob.Again(
                sessionID: session.id, binID: bin, targetID: target.id, revision: target.revision, person: other,
                reason: text ?? "")
            // The page that asked and the list of people are both answered.
            back()
            finish(.sendAgain(again, by: person.id), &effects)
        case .seen(let decision):
            finish(.seeRefusals(through: decision.resultAt ?? decision.at), &effects)
        case .read(let alert): finish(.read(alert: alert.id, by: person.id), &effects)
        }
    }

    private mutating func finish(_ job: SupervisorJob, _ effects: inout [AppEffect<SupervisorJob>]) {
        ask(job, &effects)
        back()
        leaveMatter(&effects)
    }

    /// A question about the count as a whole, with what speaks against it.
    func confirmation(_ kind: DecisionKind) -> Act {
        let (bins, done) = floor.totals
        let name = floor.session?.name ?? ""
        var facts = [
            (words("sup.fact.binsLeft"), String(bins - done)), (words("sup.fact.toDecide"), String(floor.lineCount)),
        ]
        switch kind {
        case .stop, .close, .cancel:
            facts.append((words("sup.fact.here"), String(floor.people.count { $0.device.checkedOutAt == nil })))
        default: break
        }
        switch kind {
        case .export, .close: facts.append((words("sup.fact.erpOpen"), String(floor.heldLines.count + badCount)))
        default: break
        }
        let draft = DecisionDraft(kind: kind, sessionID: floor.session?.id)
        var choices = [
            Choice(text: words("sup.yes.\(kind.rawValue)"), needsText: kind == .cancel, move: .decide(draft)),
            Choice(text: words("sup.no"), move: .back),
        ]
        if kind == .close {
            choices.append(Choice(text: words("sup.choice.cancel"), move: .open(.confirm(.cancel))))
        }
        return Act(
            title: words("sup.title.\(kind.rawValue)"), text: words("sup.ask.\(kind.rawValue)", ["name": name]),
            facts: facts, choices: choices)
    }

    // MARK: A new count, and unknown codes

    /// 1 releases; 2 and 3 change how much counters see and share; 4 takes the next zone alone, or all.
    mutating func chooseForRelease(_ number: Int, _ effects: inout [AppEffect<SupervisorJob>]) {
        switch number {
        case 1:
            let draft = floor.sessions.first { $0.state == .draft }
            let name = entry.isEmpty ? words("sup.count", ["number": String(floor.sessions.count + 1)])[0] : entry
            let text: JSONValue = [
                "name": .string(name), "kind": scope.zones.isEmpty ? "WALL" : "SPOT",
                "visibility": .string(scope.visibility.rawValue), "sharing": .string(scope.sharing.rawValue),
                "zones": .array(scope.zones.map { .string($0) }),
            ]
            perform(
                DecisionDraft(kind: .release, sessionID: draft?.id, text: draft == nil ? text.text : nil), &effects)
            back()
        case 2:
            let all: [Visibility] = scope.zones.isEmpty ? [.BLIND, .SEMI_BLIND] : [.BLIND, .SEMI_BLIND, .GUIDED]
            scope.visibility = all[((all.firstIndex(of: scope.visibility) ?? 0) + 1) % all.count]
        case 3: scope.sharing = scope.sharing == .CREW ? .FLOOR : .CREW
        case 4:
            let codes = floor.allZones
            let now = scope.zones.first.flatMap { codes.firstIndex(of: $0) } ?? -1
            scope.zones = now + 1 < codes.count ? [codes[now + 1]] : []
            if scope.zones.isEmpty, scope.visibility == .GUIDED { scope.visibility = .BLIND }
        default: message = ScreenMessage("choice.unknown", ["text": String(number)])
        }
    }

    /// `ITEM x 12`: the item, and how many of its units the code stands for.
    ///
    /// What was searched for stays typed while a digit chooses among what was found.
    var matchText: (item: String, factor: Decimal3) {
        let words = entry.split(separator: " ").map(String.init)
        guard words.count > 2, ["x", "X", "*"].contains(words[words.count - 2]),
            let factor = Decimal3(words[words.count - 1]), factor > 0
        else { return (entry, 1) }
        return (words.dropLast(2).joined(separator: " "), factor)
    }

    mutating func match(_ code: String, _ item: Item, _ effects: inout [AppEffect<SupervisorJob>]) {
        guard let person, let session = floor.session else { return }
        ask(
            .match(code: code, item: item, factor: matchText.factor, sessionID: session.id, by: person.id), &effects)
        back()
    }
}
