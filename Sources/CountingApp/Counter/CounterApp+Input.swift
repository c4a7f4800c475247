import Counting
import Models
import Screens
import Terminal

extension CounterApp {
    /// Takes a key or a scan now, or keeps it until what it means is known.
    mutating func take(_ input: Input) {
        if input == .key(.control(0x03)) { return interrupted() }
        isLeaving = false
        if isBlocked {
            switch input {
            case .key(.enter), .key(.tab), .key(.control): return
            case .key(let key):
                // Over a question only Esc or F3 goes on: a digit that acknowledges must not answer too.
                if answersAtOnce, key != .escape, key != .function(3) { return effects.append(.sound(.stop)) }
                isBlocked = false
                message = nil
                askedAt = now.uptime
                if key != .escape, !answersAtOnce { queue.append(input) }
            case .scan where answersAtOnce: held.append(input)
            case .scan: queue.append(input)
            }
        } else {
            queue.append(input)
        }
        if case .scan(_, let count) = input, count > 0 { retract() }
    }

    /// Ctrl-C ends the app when it comes twice: some scanners end what they read with the same character.
    private mutating func interrupted() {
        if isLeaving {
            saveDraft()
            return effects.append(.quit)
        }
        isLeaving = true
        if isBlocked { return effects.append(.sound(.attention)) }
        say("leave.again", [:], .attention)
    }

    /// Takes back the first character of a scan that was given out as a key.
    private mutating func retract() {
        guard let last = queue.dropLast().last else {
            if !typed.isEmpty { typed.removeLast() }
            return
        }
        if case .key(.character) = last {
            queue.remove(at: queue.count - 2)
        } else if !typed.isEmpty {
            typed.removeLast()
        }
    }

    /// Carries out what is queued until something must be waited for.
    mutating func drain() {
        while isStarted, waiting == nil, !isBlocked, !queue.isEmpty {
            switch queue.removeFirst() {
            case .key(let key): press(key)
            case .scan(let scan, _): scanned(scan)
            }
        }
    }

    /// Whether the page in front asks by numbers alone: a digit acts at once.
    private var choosesAtOnce: Bool { answersAtOnce || page == .tray || page == .help }

    /// Whether it is a question, so that a digit answers it at once.
    var answersAtOnce: Bool { [.close, .question, .matches, .switchoff].contains(page) }

    // MARK: - Keys

    private mutating func press(_ key: Key) {
        switch key {
        case .character(let character): type(character)
        case .backspace: if !typed.isEmpty { typed.removeLast() }
        case .enter: accept()
        case .escape, .function(3): back(isEscape: key == .escape)
        case .function(1): showHelp()
        case .function(2): changeLanguage()
        case .function(4): page == .close ? undoInstead() : command("U")
        case .function(5): command("E")
        case .function(6): command("K")
        case .function(7): command("P")
        case .function(10): command("N")
        case .tab: nextRecipient()
        case .pageDown, .down: turnPage(forward: true)
        case .pageUp, .up: turnPage(forward: false)
        default: break
        }
    }

    private mutating func type(_ character: Character) {
        guard !character.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }) else {
            return
        }
        if choosesAtOnce {
            message = nil
            if answersAtOnce, character.isNumber, now.uptime - askedAt < answerDelay {
                return say("choice.early", [:], .attention)
            }
            if character == "0" { return turnPage(forward: true) }
            if let digit = character.wholeNumberValue { return choose(digit) }
            if character == "?" { return showHelp() }
            if character == "u" || character == "U" { return page == .close ? undoInstead() : back(isEscape: true) }
            if character != " " { say("choice.unknown", ["text": String(character)], .attention) }
            return
        }
        if confirming != nil {
            confirming = nil
            message = nil
            if character == "u" || character == "U" {
                typed = ""
                return takeHeld()
            }
        }
        if typed.isEmpty {
            message = nil
            if character == "?" { return showHelp() }
            if character == "/", page == .tasks || (page == .bin && line == nil) { return command("/") }
            if character == " " { return }
        }
        if typed.count < 200 { typed.append(character) }
    }

    /// Goes on counting instead of closing, and takes back the last act.
    private mutating func undoInstead() {
        leaveDialog()
        command("U")
    }

    private mutating func accept() {
        let text = typed.trimmed
        switch page {
        case .signin:
            guard !text.isEmpty else { return }
            submit(.signIn(CodeText(typed: text)))
        case .tasks:
            if text.isEmpty {
                if bin != nil { page = .bin }
            } else if text == "0" {
                typed = ""
                turnPage(forward: true)
            } else if let digit = Int(text), text.count == 1, digit > 0 {
                openTask(digit)
            } else if text.count == 1, let letter = text.uppercased().first, letter.isLetter {
                "MHTU".contains(letter) || (letter == "C" && bin != nil) ? command(letter) : unknownCommand(text)
            } else {
                submit(.submit(CodeText(typed: text)))
            }
        case .bin: acceptInBin(text)
        default: acceptInDialog(text)
        }
    }

    private mutating func acceptInBin(_ text: String) {
        guard !text.isEmpty else {
            if let line { say("item.noQuantity", ["item": line.title], .attention) }
            return
        }
        if let line, line.wantsLot { return submit(.tally(text, isConfirmed: false)) }
        if text.count == 1, let letter = text.uppercased().first, letter.isLetter {
            return "UREKPNTHCM".contains(letter) ? command(letter) : unknownCommand(text)
        }
        guard let line else {
            if text == "0" {
                typed = ""
                return turnPage(forward: true)
            }
            return submit(.submit(CodeText(typed: text)))
        }
        let first = text.first ?? " "
        if first.isNumber || "=+-.".contains(first) {
            if line.item?.tracking == .SERIAL, first.isNumber { return submit(.serial(text)) }
            let isConfirmed = confirming == text
            confirming = nil
            ask(.tally(text, isConfirmed: isConfirmed), text: text)
            typed = ""
        } else if line.item?.tracking == .SERIAL {
            submit(.serial(text))
        } else {
            submit(.submit(CodeText(typed: text)))
        }
    }

    private mutating func unknownCommand(_ text: String) {
        typed = ""
        refuse(ScreenMessage("command.unknown", ["text": text]))
    }

    /// Hands over what was typed; a failed store gives it back.
    mutating func submit(_ act: CounterAct) {
        let text = typed
        typed = ""
        message = nil
        ask(act, text: text)
    }

    // MARK: - Commands

    /// Does what a letter or its function key stands for.
    mutating func command(_ letter: Character) {
        guard page == .bin || page == .tasks else { return }
        let isBin = page == .bin
        typed = ""
        message = nil
        switch letter {
        case "U" where isBin && bin?.entryCount ?? 0 > 0: ask(.undo)
        case "U": ask(.reopen)
        case "R" where isBin: ask(.redo)
        case "E" where isBin: askDigits(.emptyDigits, bin?.code ?? "")
        case "K" where isBin: askReason(.skip, "app.title.skip", about: line?.title ?? bin?.code ?? "")
        case "C" where bin != nil: ask(.close(.ask))
        case "P" where isBin && line?.item != nil: showPacks()
        case "N" where isBin:
            let about = line?.title ?? bin?.code ?? ""
            show { Dialog(page: .note, text: $0.words("app.ask.note", ["bin": about]), purpose: .note) }
        case "M":
            show { _ in Dialog(page: .message, purpose: .message) }
            ask(.messages)
        case "T":
            show { Dialog(page: .tray, text: $0.words("app.ask.tray")) }
            ask(.tray)
        case "H":
            show { Dialog(page: .crew, text: $0.words("app.ask.crew"), purpose: .crew) }
            ask(.crew)
        case "/": show { _ in Dialog(page: .find, purpose: .find) }
        default: refuse(ScreenMessage("command.unknown", ["text": String(letter)]))
        }
    }

    private mutating func openTask(_ digit: Int) {
        typed = ""
        guard floor.tasks.indices.contains(digit - 1), digit <= taskCapacity else {
            return refuse(ScreenMessage("choice.unknown", ["text": String(digit)]))
        }
        let task = floor.tasks[digit - 1]
        askDigits(.taskDigits(task.taskID), task.code)
    }

    private mutating func changeLanguage() {
        let all = AppScreens.shipped.languages
        let index = all.firstIndex(of: language) ?? 0
        chosenLanguage = all.isEmpty ? nil : all[(index + 1) % all.count]
        remakeDialog()
        say("language.changed")
    }

    private mutating func back(isEscape: Bool) {
        message = nil
        let wasConfirming = confirming != nil
        confirming = nil
        if isEscape, !typed.isEmpty {
            typed = ""
            if wasConfirming { takeHeld() }
            return
        }
        switch page {
        case .signin:
            guard !isEscape else { return }
            show { app in
                Dialog(
                    page: .switchoff, text: app.words("app.ask.off"),
                    facts: app.pending.map { (text: [$0.name], value: String($0.count)) },
                    rows: [
                        FoundRow(cells: ["text": "app.choice.back"], pick: .answer(.back)),
                        FoundRow(cells: ["text": "app.choice.off"], pick: .answer(.quit)),
                    ])
            }
        case .tasks:
            if isEscape { return }
            // What was left with F3 must not be found again by whoever signs in next under this name.
            saveDraft()
            submit(.signOut)
        case .bin:
            if line != nil {
                line = nil
                typed = ""
                if wasConfirming { takeHeld() }
            } else {
                page = .tasks
            }
        default: leaveDialog()
        }
    }
}
