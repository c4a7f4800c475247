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

    /// 1 accept the standing count, 2 have it counted by somebody else, 3 later; with several counts, 4 adds them up.
    mutating func chooseForLine(_ number: Int, _ effects: inout [AppEffect<SupervisorJob>]) {
        guard let detail, case .variance(let id) = page, detail.verdict.id == id else { return }
        switch number {
        case 1: decide(.approve, &effects)
        case 2:
            let who = Set(detail.counts.map(\.passID))
            counters = []
            open(.assign(verdict: id))
            ask(.counters(excluding: who), &effects)
        case 3: nextLine(&effects)
        case 4 where detail.counts.count > 1:
            decide(.add_up, targets: detail.counts.map { ($0.passID, 0) }, &effects)
        default: break
        }
    }

    /// Decides on the line in front, as it was shown.
    mutating func decide(_ kind: DecisionKind, _ effects: inout [AppEffect<SupervisorJob>]) {
        guard let verdict = detail?.verdict else { return }
        decide(kind, targets: [(verdict.id, verdict.revision)], &effects)
    }

    private mutating func decide(
        _ kind: DecisionKind, targets: [(id: String, revision: Int)], toPerson: String? = nil,
        _ effects: inout [AppEffect<SupervisorJob>]
    ) {
        guard let person else { return }
        let reason = entry.isEmpty ? nil : entry
        ask(
            .decide(
                DecisionDraft(
                    kind: kind, sessionID: floor.session?.id, targets: targets, toPersonID: toPerson, reason: reason),
                by: person.id), &effects)
        entry = ""
        if kind == .approve { nextLine(&effects) }
    }

    mutating func recount(_ verdict: String, to person: String?, _ effects: inout [AppEffect<SupervisorJob>]) {
        guard let line = detail?.verdict, line.id == verdict else { return }
        back()
        decide(.recount, targets: [(line.id, line.revision)], toPerson: person, &effects)
        nextLine(&effects)
    }

    /// Goes on to the next line that is to be decided, or back to the list.
    mutating func nextLine(_ effects: inout [AppEffect<SupervisorJob>]) {
        guard case .variance(let id) = page else { return }
        let index = floor.lines.firstIndex { $0.verdict.id == id }.map { $0 + 1 } ?? 0
        pages.removeLast()
        guard floor.lines.indices.contains(index) else { return }
        let kept = message
        openLine(floor.lines[index].verdict.id, &effects)
        message = kept
    }

    mutating func mark() {
        guard case .variance(let id) = page else { return }
        if marked.remove(id) == nil { marked.insert(id) }
        say(["\(marked.count) marked"], .info)
    }

    mutating func approveMarked(_ effects: inout [AppEffect<SupervisorJob>]) {
        let targets = floor.lines.filter { marked.contains($0.verdict.id) }
            .map { (id: $0.verdict.id, revision: $0.verdict.revision) }
        guard !targets.isEmpty else {
            say(["Nothing is marked: Space marks a line"], .notice)
            return
        }
        marked = []
        entry = ""
        decide(.approve, targets: targets, &effects)
    }

    mutating func match(_ code: String, _ item: Item, _ effects: inout [AppEffect<SupervisorJob>]) {
        guard let person, let session = floor.session else { return }
        ask(.match(code: code, item: item, factor: 1, sessionID: session.id, by: person.id), &effects)
        back()
    }

    // MARK: The count as a whole

    /// 1 releases; 2 and 3 change how much counters see and share; 4 takes the next zone alone, or all.
    mutating func chooseForRelease(_ number: Int, _ effects: inout [AppEffect<SupervisorJob>]) {
        guard let person else { return }
        switch number {
        case 1:
            let draft = floor.sessions.first { $0.state == .draft }
            let name = entry.isEmpty ? "Count \(floor.sessions.count + 1)" : entry
            let text: JSONValue = [
                "name": .string(name), "kind": scope.zones.isEmpty ? "WALL" : "SPOT",
                "visibility": .string(scope.visibility.rawValue), "sharing": .string(scope.sharing.rawValue),
                "zones": .array(scope.zones.map { .string($0) }),
            ]
            ask(
                .decide(
                    DecisionDraft(kind: .release, sessionID: draft?.id, text: draft == nil ? text.text : nil),
                    by: person.id), &effects)
            back()
        case 2:
            let all: [Visibility] = scope.zones.isEmpty ? [.BLIND, .SEMI_BLIND] : [.BLIND, .SEMI_BLIND, .GUIDED]
            scope.visibility = all[((all.firstIndex(of: scope.visibility) ?? 0) + 1) % all.count]
        case 3: scope.sharing = scope.sharing == .CREW ? .FLOOR : .CREW
        case 4:
            let codes = floor.zones.map(\.code)
            let now = scope.zones.first.flatMap { codes.firstIndex(of: $0) } ?? -1
            scope.zones = now + 1 < codes.count ? [codes[now + 1]] : []
            if scope.zones.isEmpty, scope.visibility == .GUIDED { scope.visibility = .BLIND }
        default: break
        }
    }

    /// 1 does it, anything else goes back.
    mutating func confirm(_ kind: DecisionKind, _ number: Int, _ effects: inout [AppEffect<SupervisorJob>]) {
        guard number == 1 else {
            back()
            return
        }
        guard floor.session != nil else {
            message = ScreenMessage("session.none")
            return
        }
        back()
        guard let person else { return }
        ask(
            .decide(
                DecisionDraft(kind: kind, sessionID: floor.session?.id, reason: entry.isEmpty ? nil : entry),
                by: person.id), &effects)
    }
}
