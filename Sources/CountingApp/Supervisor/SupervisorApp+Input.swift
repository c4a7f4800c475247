import Basics
import Models
import Screens
import WarehouseModels

extension SupervisorApp {
    /// Takes a key: a letter of a field's text where one is being typed, else what the page's file binds it to.
    mutating func press(_ key: Key, _ effects: inout [AppEffect<SupervisorJob>]) {
        message = nil
        let isLeaving = isLeaving
        self.isLeaving = false
        if key == .control(0x03) {
            if isLeaving { return effects.append(.quit) }
            self.isLeaving = true
            message = ScreenMessage("leave.again")
            return
        }
        if isTyping {
            switch key {
            case .character(let character):
                // In an empty field a digit is a choice and ? asks for help; everything else is text.
                let isKey = character.isNumber ? choosesByDigit : entry.isEmpty && character == "?"
                if !isKey, entry.count < 200 {
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
        if person == nil, !SupervisorApp.signedOut.contains(action) { return }
        var number = 0
        if case .character(let character) = key { number = character.wholeNumberValue ?? 0 }
        // F3 goes back everywhere else: one too many must not end the view.
        if action == "app.signOut", !isLeaving {
            self.isLeaving = true
            return say(words("sup.leave"), .notice)
        }
        if isTooEarly(action) {
            message = ScreenMessage("choice.early")
            return effects.append(.sound(.attention))
        }
        run(action, number, &effects)
    }

    /// Whether a key would decide something that was not in sight yet when it was pressed.
    private func isTooEarly(_ action: String) -> Bool {
        guard action == "app.choose" || action == "app.accept", now.uptime - askedAt < answerDelay else { return false }
        switch page {
        case .variance, .confirm, .act, .assign, .release: return entry.isEmpty || action == "app.choose"
        default: return false
        }
    }

    private static let signedOut: Set<String> = [
        "app.accept", "app.choose", "app.back", "app.signOut", "app.off", "app.help", "app.language", "app.more",
    ]

    /// Whether letters go into a field on this page.
    var isTyping: Bool {
        switch page {
        case .signIn, .match, .message, .release, .confirm, .act: true
        case .variance: isWritingReason
        default: false
        }
    }

    var choosesByDigit: Bool {
        switch page {
        case .message: false
        case .variance: !isWritingReason
        // Item numbers begin with digits: they choose only among what was just found.
        case .match: !items.isEmpty && searched == entry
        case .confirm, .act: entry.isEmpty && pendingChoice == nil
        default: entry.isEmpty
        }
    }

    private mutating func run(
        _ action: String, _ number: Int, _ effects: inout [AppEffect<SupervisorJob>]
    ) {
        switch action {
        case "app.choose": choose(number, &effects)
        case "app.accept": accept(&effects)
        case "app.back": if isWritingReason { isWritingReason = false } else { back() }
        case "app.more": more()
        case "app.pageDown": scroll(by: pageRows)
        case "app.pageUp": scroll(by: -pageRows)
        case "app.down": move(by: 1)
        case "app.up": move(by: -1)
        case "app.nextField": nextField()
        case "app.help": if case .help = page { back() } else { open(.help(of: screenName)) }
        case "app.language": language = language == "en" ? "de" : "en"
        case "app.signOut", "app.off": effects.append(.quit)
        case "floor.decide": open(.lines)
        case "floor.people": open(.people)
        case "floor.zones": open(.zones)
        case "floor.export": openDecision(.export)
        case "floor.message":
            recipient = nil
            open(.message)
        case "floor.release": open(.release)
        case "floor.stop": openDecision(.stop)
        case "floor.approve": openDecision(.approve)
        case "floor.close": openDecision(.close)
        case "floor.session": nextSession(&effects)
        case "variance.mark": mark()
        case "variance.approveMarked": approveMarked(&effects)
        case "variance.next": nextLine(&effects)
        default: break
        }
    }

    /// A decision on the count as a whole is asked for on a page of its own; there must be a count.
    private mutating func openDecision(_ kind: DecisionKind) {
        if floor.session == nil { message = ScreenMessage("session.none") } else { open(.confirm(kind)) }
    }

    private mutating func choose(
        _ number: Int, _ effects: inout [AppEffect<SupervisorJob>]
    ) {
        let index = offset + number - 1
        guard number > 0 else { return }
        switch page {
        case .signIn: if candidates.indices.contains(index) { signIn(candidates[index], &effects) }
        case .floor:
            let rows = exceptions(at: now)
            if rows.indices.contains(index) { openException(rows[index].kind) }
        case .lines: if floor.lines.indices.contains(index) { openLine(floor.lines[index].verdict.id, &effects) }
        case .rows(let kind):
            let rows = matters(kind, at: now)
            if rows.indices.contains(index) { open(rows[index], &effects) }
        case .variance: chooseForLine(number, &effects)
        case .people: if floor.people.indices.contains(index) { open(.act(.device(floor.people[index].device.id))) }
        case .zones: if floor.zones.indices.contains(index) { open(.zone(code: floor.zones[index].code)) }
        case .zone(let code):
            let left = floor.zones.first { $0.code == code }?.left ?? []
            if left.indices.contains(index) { open(.act(.task(left[index].id))) }
        case .unknown:
            if floor.unknownCodes.indices.contains(index) {
                (items, searched) = ([], nil)
                open(.match(code: floor.unknownCodes[index].code))
            }
        case .match(let code): if items.indices.contains(number - 1) { match(code, items[number - 1], &effects) }
        case .assign(let errand):
            // The first row is whoever is free.
            if index == 0 { send(nil, for: errand, &effects) }
            if counters.indices.contains(index - 1) { send(counters[index - 1], for: errand, &effects) }
        case .release: chooseForRelease(number, &effects)
        case .confirm, .act: answer(number, &effects)
        case .message, .help: break
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
                message = ScreenMessage("person.unknown", ["text": entry])
                entry = ""
                ask(.findPeople(login: nil), &effects)
                effects.append(.sound(.attention))
            }
        case .match:
            guard !entry.isEmpty else { return }
            find(matchText.item, &effects)
        case .message:
            guard !entry.isEmpty, let person else { return }
            ask(.say(text: entry, to: recipient, from: person.id), &effects)
            entry = ""
        case .lines:
            let index = frames.last?.selected ?? 0
            if floor.lines.indices.contains(index) { openLine(floor.lines[index].verdict.id, &effects) }
        case .variance: isWritingReason = false
        case .release: chooseForRelease(1, &effects)
        case .confirm, .act: answerWithText(&effects)
        case .help: back()
        default: break
        }
    }

    mutating func scanned(_ scan: Scan, _ effects: inout [AppEffect<SupervisorJob>]) {
        guard case .match = page else {
            message = ScreenMessage("scan.refused", ["code": scan.text])
            effects.append(.sound(.attention))
            return
        }
        find(scan.text, &effects)
    }

    private mutating func find(_ text: String, _ effects: inout [AppEffect<SupervisorJob>]) {
        (searched, search) = (entry, nextJob)
        // What was found before must not be chosen from while it is looked for.
        items = []
        ask(.findItems(text: text), &effects)
    }

    /// Tab: to the reason and back, or to the next one a message may go to.
    private mutating func nextField() {
        switch page {
        case .variance: isWritingReason.toggle()
        case .message where !entry.isEmpty:
            // A name typed before Tab is whom it goes to.
            let typed = entry.lowercased()
            let found = floor.names.filter { $0.value.lowercased().hasPrefix(typed) || $0.key.lowercased() == typed }
            if found.count == 1 {
                (recipient, entry) = (found.first?.key, "")
            } else {
                message = ScreenMessage("person.unknown", ["text": entry])
            }
        case .message:
            let people = floor.people.compactMap(\.device.personID)
            let all = people.enumerated().filter { !people[..<$0.offset].contains($0.element) }.map(\.element)
            let index = recipient.flatMap { all.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
            recipient = all.indices.contains(index) ? all[index] : nil
        default: break
        }
    }

    private mutating func nextSession(_ effects: inout [AppEffect<SupervisorJob>]) {
        guard floor.sessions.count > 1, let now = floor.sessions.firstIndex(where: { $0.id == sessionID })
        else {
            message = ScreenMessage("session.only")
            return
        }
        let next = floor.sessions[(now + 1) % floor.sessions.count]
        (sessionID, floor.session) = (next.id, next)
        load(&effects)
    }
}
