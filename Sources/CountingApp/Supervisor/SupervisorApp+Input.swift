import Basics
import Models
import Screens
import WarehouseModels

extension SupervisorApp {
    /// Takes a key: a letter of a field's text where one is being typed, else what the page's file binds it to.
    mutating func press(_ key: Key, at moment: Moment, _ effects: inout [AppEffect<SupervisorJob>]) {
        if isTyping {
            switch key {
            case .character(let character):
                // A choice is a digit in an empty field; everything else is text.
                let isChoice = entry.isEmpty && character.isNumber && choosesByDigit
                if !isChoice, entry.count < 200 {
                    entry.append(character)
                    return
                }
            case .backspace:
                if !entry.isEmpty { entry.removeLast() }
                return
            default: break
            }
        }
        let screen = AppScreens.shipped.screens[screenName]
        var found = screen?.action(for: key)
        // Letters mean the same in either case; a page with a field of its own has taken them already.
        if found == nil, case .character(let character) = key { found = screen?.action(command: String(character)) }
        guard let action = found else { return }
        if person == nil, !["app.accept", "app.choose", "app.back", "app.signOut"].contains(action) { return }
        var number = 0
        if case .character(let character) = key { number = character.wholeNumberValue ?? 0 }
        run(action, number, at: moment, &effects)
    }

    /// Whether letters go into a field on this page.
    private var isTyping: Bool {
        switch page {
        case .signIn, .match, .message: true
        case .release, .confirm: true
        case .variance: !entry.isEmpty
        default: false
        }
    }

    private var choosesByDigit: Bool {
        switch page {
        case .message: false
        default: true
        }
    }

    private mutating func run(
        _ action: String, _ number: Int, at moment: Moment, _ effects: inout [AppEffect<SupervisorJob>]
    ) {
        switch action {
        case "app.choose": choose(number, &effects)
        case "app.accept": accept(&effects)
        case "app.back": pages.count > 1 ? back() : ()
        case "app.more", "app.pageDown": offset += 9
        case "app.pageUp": offset = max(0, offset - 9)
        case "app.down": offset += 1
        case "app.up": offset = max(0, offset - 1)
        case "app.help": open(.help(of: screenName))
        case "app.language": language = language == "en" ? "de" : "en"
        case "app.signOut", "app.off": effects.append(.quit)
        case "floor.decide": open(.lines)
        case "floor.people": open(.people)
        case "floor.zones": open(.zones)
        case "floor.export": open(.confirm(.export))
        case "floor.message": open(.message)
        case "floor.release": open(.release)
        case "floor.stop": open(.confirm(.stop))
        case "floor.close": open(.confirm(.close))
        case "floor.session": nextSession(&effects)
        case "variance.mark": mark()
        case "variance.approveMarked": approveMarked(&effects)
        case "variance.next": nextLine(&effects)
        default: break
        }
    }

    private mutating func choose(_ number: Int, _ effects: inout [AppEffect<SupervisorJob>]) {
        let index = offset + number - 1
        guard number > 0 else { return }
        switch page {
        case .signIn: if candidates.indices.contains(index) { signIn(candidates[index], &effects) }
        case .floor:
            let rows = exceptions(at: nil)
            if rows.indices.contains(number - 1) { open(rows[number - 1].kind, &effects) }
        case .lines: if floor.lines.indices.contains(index) { openLine(floor.lines[index].verdict.id, &effects) }
        case .rows(let kind): openRow(kind, index, &effects)
        case .variance: chooseForLine(number, &effects)
        case .unknown:
            if floor.unknownCodes.indices.contains(index) {
                items = []
                open(.match(code: floor.unknownCodes[index].code))
            }
        case .match(let code): if items.indices.contains(number - 1) { match(code, items[number - 1], &effects) }
        case .assign(let verdict):
            if counters.indices.contains(index) { recount(verdict, to: counters[index].id, &effects) }
        case .release: chooseForRelease(number, &effects)
        case .confirm(let kind): confirm(kind, number, &effects)
        case .zones: open(.lines)
        case .people, .message, .help: break
        }
    }

    private mutating func accept(_ effects: inout [AppEffect<SupervisorJob>]) {
        switch page {
        case .signIn:
            let typed = entry.lowercased()
            let found = candidates.filter {
                $0.login.lowercased() == typed || $0.name.lowercased().hasPrefix(typed)
            }
            if let only = found.first, found.count == 1 || only.login.lowercased() == typed {
                signIn(only, &effects)
            } else {
                message = ScreenMessage("person.unknown")
                entry = ""
                ask(.findPeople(login: nil), &effects)
                effects.append(.sound(.attention))
            }
        case .match: ask(.findItems(text: entry), &effects)
        case .message:
            guard !entry.isEmpty, let person else { return }
            ask(.say(text: entry, from: person.id), &effects)
            entry = ""
        case .variance: if !entry.isEmpty { decide(.approve, &effects) }
        case .release: chooseForRelease(1, &effects)
        default: break
        }
    }

    mutating func scanned(_ scan: Scan, _ effects: inout [AppEffect<SupervisorJob>]) {
        if case .match = page { ask(.findItems(text: scan.text), &effects) }
    }

    private mutating func open(_ kind: ExceptionKind, _ effects: inout [AppEffect<SupervisorJob>]) {
        switch kind {
        case .lines, .differ: open(.lines)
        case .unknown: open(.unknown)
        case .silent, .parked: open(.people)
        default: open(.rows(kind))
        }
    }

    private mutating func openRow(_ kind: ExceptionKind, _ index: Int, _ effects: inout [AppEffect<SupervisorJob>]) {
        switch kind {
        case .rejected:
            let documents = floor.documents.filter { $0.state == .rejected || $0.state == .unknown }
            guard documents.indices.contains(index), let person else { return }
            ask(
                .decide(
                    DecisionDraft(
                        kind: .resend, sessionID: floor.session?.id,
                        targets: [(documents[index].id, documents[index].attempts)]),
                    by: person.id), &effects)
        case .partial:
            guard floor.partial.indices.contains(index), let person else { return }
            ask(
                .decide(
                    DecisionDraft(
                        kind: .waive, sessionID: floor.session?.id, targets: [(floor.partial[index].id, 0)],
                        reason: "waived from the floor view"), by: person.id), &effects)
        default: break
        }
    }

    private mutating func nextSession(_ effects: inout [AppEffect<SupervisorJob>]) {
        guard floor.sessions.count > 1, let now = floor.sessions.firstIndex(where: { $0.id == floor.session?.id })
        else {
            return
        }
        floor.session = floor.sessions[(now + 1) % floor.sessions.count]
        load(&effects)
    }
}
