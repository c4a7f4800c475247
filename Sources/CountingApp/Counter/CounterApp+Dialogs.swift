import Counting
import Models
import Screens
import Terminal

extension CounterApp {
    mutating func show(_ dialog: Dialog) {
        self.dialog = dialog
        page = dialog.page
        typed = ""
        message = nil
    }

    /// Goes back to where the dialog came from; scans that waited for it are taken now.
    mutating func leaveDialog() {
        dialog = nil
        typed = ""
        page = personID == nil ? .signin : bin != nil ? .bin : .tasks
        queue.insert(contentsOf: held, at: 0)
        held = []
    }

    mutating func askDigits(_ purpose: Purpose, _ code: String) {
        show(Dialog(page: .digits, text: words("app.ask.digits", ["bin": code]), purpose: purpose))
    }

    mutating func askReason(_ purpose: Purpose, _ title: String, about text: String, request: BinRequest? = nil) {
        let reasons = ["blocked", "high", "unsafe", "moved", "time"]
        show(
            Dialog(
                page: .reason, title: words(title), text: [text],
                rows: reasons.map { FoundRow(cells: ["text": "app.reason." + $0], pick: .answer(.reason($0))) },
                purpose: purpose, request: request))
    }

    mutating func showPacks() {
        guard let line, let item = line.item else { return }
        let units = [item.baseUnit] + line.packs.map(\.unit).filter { $0 != item.baseUnit }
        let rows = units.map { unit in
            let pack = line.packs.first { $0.unit == unit }
            let size = pack?.baseQuantity.map { " = \($0) \(item.baseUnit)" } ?? ""
            return FoundRow(cells: ["unit": unit, "text": unit + size], pick: .answer(.unit(unit)))
        }
        show(Dialog(page: .pack, text: words("app.ask.pack", ["item": item.sku]), rows: rows, purpose: .pack))
    }

    mutating func showHelp() {
        guard page != .help else { return }
        let name = page == .bin && line != nil ? "count" : page.rawValue
        let rows = AppScreens.shipped.help(for: name, language: language).map { row in
            var cells: [String: String] = [:]
            for (column, value) in row.cells {
                if case .text(let texts) = value { cells[column] = texts.joined(separator: "|") }
            }
            return FoundRow(cells: cells, pick: .nothing)
        }
        show(Dialog(page: .help, text: [deviceCode + "  " + (floor.session?.name ?? "")], rows: rows))
    }

    mutating func askClose(_ request: BinRequest?) {
        guard let bin else { return }
        let totals = bin.totals
        var facts: [(text: [String], value: String)] = [
            (words("app.fact.lines"), String(totals.lines.count)), (words("app.fact.units"), totals.units.description),
        ]
        for key in totals.openLines { facts.append((words("app.fact.noQuantity", ["item": bin.title(of: key)]), "!")) }
        let counted = Set(totals.lines.keys.compactMap(\.itemID))
        for line in bin.expected where !counted.contains(line.key.itemID ?? "") {
            facts.append((words("app.fact.missed", ["item": bin.title(of: line.key)]), "!"))
        }
        if totals.lines.isEmpty { facts.append((words("app.fact.nothing"), "!")) }
        if !totals.unknownCodes.isEmpty {
            facts.append((words("app.fact.unknown"), String(totals.unknownCodes.count)))
        }
        show(
            Dialog(
                page: .close, facts: facts,
                rows: [
                    FoundRow(cells: ["text": "app.choice.goOn"], pick: .answer(.back)),
                    FoundRow(cells: ["text": "app.choice.whole"], pick: .answer(.close(.whole))),
                    FoundRow(cells: ["text": "app.choice.part"], pick: .answer(.partReason)),
                ], request: request))
        effects.append(.sound(.attention))
    }

    mutating func askJoin(_ request: BinRequest, who: String, code: String, passID: String) {
        var helping = request
        helping.join = .helping(passID)
        var alone = request
        alone.join = .alone
        var taking = request
        taking.join = .takingOver(passID)
        show(
            Dialog(
                page: .question, title: words("app.title.held"),
                text: words("app.ask.held", ["who": who, "bin": code]),
                rows: [
                    FoundRow(cells: ["text": "app.choice.help"], pick: .answer(.open(helping))),
                    FoundRow(cells: ["text": "app.choice.second"], pick: .answer(.open(alone))),
                    FoundRow(cells: ["text": "app.choice.takeOver"], pick: .answer(.open(taking))),
                    FoundRow(cells: ["text": "app.choice.back"], pick: .answer(.back)),
                ]))
        effects.append(.sound(.attention))
    }

    // MARK: - Answers

    mutating func choose(_ number: Int) {
        guard let dialog, dialog.page != .help, dialog.page != .tray else { return }
        let index = dialog.first + number - 1
        guard number > 0, dialog.rows.indices.contains(index) else {
            typed = ""
            return say("choice.unknown", ["text": String(number)], .attention)
        }
        switch dialog.rows[index].pick {
        case .nothing: break
        case .bin(let id):
            leaveDialog()
            ask(.openBin(BinRequest(binID: id, opening: .NONE)))
        case .item(let reading, let code):
            leaveDialog()
            ask(.openItem(reading, code))
        case .help(let passID, let binID):
            leaveDialog()
            ask(.openBin(BinRequest(binID: binID, opening: .NONE, join: .helping(passID))))
        case .answer(let answer): take(answer, dialog)
        }
    }

    private mutating func take(_ answer: FoundRow.Answer, _ dialog: Dialog) {
        switch answer {
        case .back: leaveDialog()
        case .quit: effects.append(.quit)
        case .open(let request):
            leaveDialog()
            ask(.openBin(request))
        case .close(let closing): close(closing, dialog)
        case .partReason:
            askReason(.part, "app.title.part", about: bin?.code ?? "", request: dialog.request)
        case .reason(let reason): give(reason: words("app.reason." + reason).first ?? reason, dialog)
        case .unit(let unit):
            line?.unit = unit
            leaveDialog()
        }
    }

    private mutating func close(_ closing: Closing, _ dialog: Dialog) {
        leaveDialog()
        if var request = dialog.request {
            request.closing = closing
            ask(.openBin(request))
        } else {
            ask(.close(closing))
        }
    }

    private mutating func give(reason: String, _ dialog: Dialog) {
        if dialog.purpose == .part { return close(.part(reason), dialog) }
        leaveDialog()
        ask(.skip(reason: reason))
    }

    mutating func acceptInDialog(_ text: String) {
        guard let dialog else { return }
        if let digit = Int(text), text.count == 1, digit > 0, dialog.rows.indices.contains(dialog.first + digit - 1),
            ![.message, .note].contains(dialog.page)
        {
            typed = ""
            return choose(digit)
        }
        guard !text.isEmpty else {
            if dialog.page == .help || dialog.page == .tray { leaveDialog() }
            if dialog.page == .reason { say("reason.missing", [:], .attention) }
            return
        }
        switch dialog.purpose {
        case .none: typed = ""
        case .skip, .part: give(reason: text, dialog)
        case .note:
            leaveDialog()
            ask(.note(text), text: "")
        case .message:
            leaveDialog()
            ask(.say(text), text: "")
        case .find:
            ask(.find(text), text: text)
        case .crew: submit(.help(CodeText(typed: text)))
        case .pack: choosePack(text)
        case .emptyDigits: submit(.empty(digits: text, scan: nil))
        case .taskDigits(let id): submit(.openTask(id: id, digits: text))
        }
    }

    /// A pack by its name, or one of so many base units that no master knows.
    private mutating func choosePack(_ text: String) {
        guard var line, let item = line.item else { return leaveDialog() }
        if let known = line.packs.first(where: { $0.unit.lowercased() == text.lowercased() }) {
            line.unit = known.unit
        } else if let size = Int64(text), size > 0, let pack = PackUnit("PK", numerator: size) {
            line.packs.removeAll { $0.unit == "PK" }
            line.packs.append(pack)
            line.unit = pack.unit
        } else {
            typed = ""
            return refuse(ScreenMessage("pack.unknown", ["item": item.sku, "unit": text]))
        }
        self.line = line
        leaveDialog()
    }

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
            (line, typed, dialog, after, earlier) = (nil, "", nil, nil, [])
            effects.append(.personChanged(nil))
        case .opened(let said):
            leaveDialog()
            (line, page, after, earlier) = (nil, .bin, nil, [])
            done(said, .accepted)
        case .left(let said):
            leaveDialog()
            (line, page) = (nil, .tasks)
            done(said, .accepted)
        case .line(let line, let said):
            leaveDialog()
            self.line = line
            page = .bin
            message = said
            effects.append(.sound(said == nil ? .accepted : .attention))
        case .stored(let said):
            leaveDialog()
            line = nil
            done(said, .accepted)
        case .counted(let said, let line):
            self.line = line
            done(said, .added)
        case .confirm(let said):
            typed = text
            confirming = text
            message = said
            effects.append(.sound(.attention))
        case .matches(let rows):
            guard !rows.isEmpty else { return refuse(ScreenMessage("item.noMatch", ["text": text])) }
            show(Dialog(page: .matches, text: words("app.ask.matches", ["text": text]), rows: rows))
        case .askClose(let request): askClose(request)
        case .askJoin(let request, let who, let code, let passID):
            askJoin(request, who: who, code: code, passID: passID)
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
        page = bin == nil ? .tasks : .bin
        self.line = line
        self.typed = typed
        restored()
        if floor.session == nil { say("session.none") }
    }
}
