import Counting
import Models
import Screens
import Terminal

extension CounterApp {
    // MARK: - Outcomes

    /// Shows what an act came to.
    mutating func take(_ outcome: Outcome, _ text: String) {
        switch outcome {
        case .none: break
        case .said(let said, let sound):
            if sound == .stop { return refuse(said) }
            message = said
            if let sound { effects.append(.sound(sound)) }
        case .signedIn(let line, let typed): signedIn(line, typed)
        case .signedOut:
            page = .signin
            (line, typed, dialog, after, earlier, untold) = (nil, "", nil, nil, [], [])
            forgetMatches()
            effects.append(.personChanged(nil))
        case .opened(let said):
            leaveDialog()
            (line, page, after, earlier, firstLine) = (nil, .bin, nil, [], nil)
            done(said, .accepted)
        case .returned(let said):
            leaveDialog()
            page = .bin
            done(said, .accepted)
        case .left(let said):
            leaveDialog()
            (line, page) = (nil, .tasks)
            done(said, .accepted)
        case .line(let line, let said):
            leaveDialog()
            (self.line, firstLine) = (line, nil)
            page = .bin
            message = said
            effects.append(.sound(said == nil ? .accepted : .attention))
        case .stored(let said):
            leaveDialog()
            (line, firstLine) = (nil, nil)
            done(said, .accepted)
        case .counted(let said, let line, let serial):
            (self.line, firstLine) = (line, nil)
            done(said, .added)
            if let serial, let pass = bin?.pass.id {
                askAside(.serialCheck(serial: serial, itemID: line.key.itemID, passID: pass))
            }
        case .confirm(let said):
            typed = text
            confirming = text
            message = said
            effects.append(.sound(.attention))
        case .matches(let rows):
            guard !rows.isEmpty else { return refuse(ScreenMessage("item.noMatch", ["text": text])) }
            show { Dialog(page: .matches, text: $0.words("app.ask.matches", ["text": text]), rows: rows) }
        case .askClose(let request): askClose(request)
        case .askJoin(let request, let holder): askJoin(request, holder)
        case .askBadge(let person, let who, let isCompanion): askBadge(person, who: who, isCompanion: isCompanion)
        case .askPlace(let person, let who):
            show { Dialog(page: .crew, text: $0.words("app.ask.place", ["who": who]), purpose: .join(person)) }
            effects.append(.sound(.attention))
        case .askFound(let request, let label): askFound(request, label)
        case .held:
            if case .scan(let scan, _)? = lookedUp { hold(.scan(scan, retracting: 0), scan.text) }
        case .aside, .matched: break
        case .rows(let rows):
            dialog?.rows = rows
            dialog?.first = 0
            if dialog?.page == .find, rows.isEmpty { say("item.noMatch", ["text": text], .attention) }
            typed = ""
        }
    }

    private mutating func done(_ said: ScreenMessage, _ sound: Sound) {
        message = said
        effects.append(.sound(sound))
    }

    private mutating func signedIn(_ line: OpenLine?, _ typed: String) {
        effects.append(.personChanged(personID))
        (dialog, after, earlier) = (nil, nil, [])
        forgetMatches()
        page = bin == nil ? .tasks : .bin
        self.line = line
        self.typed = typed
        restored()
        if floor.session == nil { say("session.none") }
    }
}
