import Counting
import Models
import Screens
import Terminal

extension CounterApp {
    mutating func show(_ make: @escaping @Sendable (CounterApp) -> Dialog) {
        let origin = self.dialog?.origin ?? (page == .bin ? .bin : .tasks)
        var dialog = make(self)
        (dialog.origin, dialog.make) = (origin, make)
        self.dialog = dialog
        page = dialog.page
        typed = ""
        message = nil
        askedAt = now.uptime
    }

    /// Words the dialog in front, and the one under help, for the language and the size of now.
    mutating func remakeDialog() {
        func again(_ old: Dialog) -> Dialog {
            guard let make = old.make else { return old }
            var new = make(self)
            (new.origin, new.make, new.recipient) = (old.origin, old.make, old.recipient)
            new.first = old.first < new.rows.count ? old.first : 0
            // What was looked up stays.
            if new.rows.isEmpty { (new.rows, new.first) = (old.rows, old.first) }
            return new
        }
        if let under = underHelp { underHelp = (under.dialog.map(again), under.typed) }
        dialog = dialog.map(again)
    }

    /// Goes back to where the dialog came from; scans that waited for it are taken now.
    mutating func leaveDialog() {
        if page == .help, let under = underHelp {
            underHelp = nil
            if let below = under.dialog {
                // What was asked is asked still, and what waits for its answer waits on.
                (dialog, page, typed, askedAt) = (below, below.page, under.typed, now.uptime)
                return
            }
            goBack(typed: under.typed)
            return
        }
        goBack(typed: "")
    }

    private mutating func goBack(typed text: String) {
        if let origin = dialog?.origin { page = origin }
        dialog = nil
        typed = text
        if personID == nil { page = .signin } else if bin == nil { page = .tasks }
        takeHeld()
    }

    mutating func askDigits(_ purpose: Purpose, _ code: String) {
        let isLabel = purpose == .emptyDigits && bin?.pass.binID == nil
        show { app in
            Dialog(
                page: .digits, text: app.words(isLabel ? "app.ask.rescan" : "app.ask.digits", ["bin": code]),
                purpose: purpose)
        }
    }

    mutating func askReason(_ purpose: Purpose, _ title: String, about text: String, request: BinRequest? = nil) {
        let reasons = ["blocked", "high", "unsafe", "moved", "time"]
        show { app in
            Dialog(
                page: .reason, title: app.words(title), text: [text],
                rows: reasons.map { FoundRow(cells: ["text": "app.reason." + $0], pick: .answer(.reason($0))) },
                purpose: purpose, request: request)
        }
    }

    mutating func showPacks() {
        guard let line, let item = line.item else { return }
        let units = [item.baseUnit] + line.packs.map(\.unit).filter { $0 != item.baseUnit }
        let rows = units.map { unit in
            let pack = line.packs.first { $0.unit == unit }
            let size = pack?.baseQuantity.map { " = \($0) \(item.baseUnit)" } ?? ""
            return FoundRow(cells: ["unit": unit, "text": unit + size], pick: .answer(.unit(unit)))
        }
        show { app in
            Dialog(page: .pack, text: app.words("app.ask.pack", ["item": item.sku]), rows: rows, purpose: .pack)
        }
    }

    mutating func askClose(_ request: BinRequest?) {
        guard let bin else { return }
        show { $0.closeQuestion(bin, request) }
        effects.append(.sound(.attention))
    }

    private func closeQuestion(_ bin: BinView, _ request: BinRequest?) -> Dialog {
        let totals = bin.totals
        var facts: [(text: [String], value: String)] = [
            (words("app.fact.lines"), String(totals.lines.count)), (words("app.fact.units"), totals.units.description),
        ]
        // Many of a kind are one row: the picture has room for few, and none may hide another kind.
        func add(_ keys: [LineKey], _ one: String, _ many: String) {
            if keys.count > 3 { return facts.append((words(many), String(keys.count))) }
            for key in keys { facts.append((words(one, ["item": bin.title(of: key)]), "!")) }
        }
        add(totals.openLines, "app.fact.noQuantity", "app.fact.noQuantities")
        if bin.missing > 0 { facts.append((words("app.fact.notHere"), String(bin.missing))) }
        if totals.lines.isEmpty, bin.missing == 0 { facts.append((words("app.fact.nothing"), "!")) }
        if !totals.unknownCodes.isEmpty {
            facts.append((words("app.fact.unknown"), String(totals.unknownCodes.count)))
        }
        let counted = Set(totals.lines.keys.compactMap(\.itemID))
        let missed = bin.expected.map(\.key).filter { !counted.contains($0.itemID ?? "") }
        add(bin.isHelping || bin.missing > 0 ? [] : missed, "app.fact.missed", "app.fact.missedMany")
        return Dialog(
            page: .close, facts: facts,
            rows: [
                choice("app.choice.goOn", .back),
                choice("app.choice.whole", .close(.whole)),
                choice("app.choice.part", .partReason),
            ], request: request)
    }

    /// A bin that somebody counts. What can be done about it hangs on whose count it is, and whether it can be read here:
    /// who goes on from a count names the last of its entries that stands.
    mutating func askJoin(_ request: BinRequest, _ holder: Holder) {
        show { $0.joinQuestion(request, holder) }
        effects.append(.sound(.attention))
    }

    private func joinQuestion(_ request: BinRequest, _ holder: Holder) -> Dialog {
        func row(_ key: String, _ join: BinJoin) -> FoundRow {
            var joining = request
            joining.join = join
            let text = words(key, ["who": holder.who]).joined(separator: "|")
            return FoundRow(cells: ["text": text], pick: .answer(.open(joining)))
        }
        let goOn = holder.isReadable ? BinJoin.goingOnFrom(holder.passID) : nil
        var rows: [FoundRow]
        if holder.isOwn {
            rows = goOn.map { [row("app.choice.goOnOwn", $0)] } ?? []
            rows += [
                row("app.choice.addOwn", .helping(holder.passID)), row("app.choice.anew", .takingOver(holder.passID)),
            ]
        } else {
            rows = [
                row("app.choice.help", .helping(holder.passID)), row("app.choice.second", .alone),
                row("app.choice.takeOver", .takingOver(holder.passID)),
            ]
            rows += goOn.map { [row("app.choice.goOnFrom", $0)] } ?? []
        }
        let key = holder.isOwn ? "heldOwn" : "held"
        return Dialog(
            page: .question, title: words("app.title." + key),
            text: words("app.ask." + key, ["who": holder.who, "bin": holder.code, "device": holder.device]),
            rows: rows + [choice("app.choice.back", .back)], takesBins: true)
    }

    /// A colleague's badge in an open bin: one of the two helps the other, each at a terminal, or both count at this one.
    mutating func askBadge(_ person: String, who: String, isCompanion: Bool) {
        let together: FoundRow.Answer = .companion(isCompanion ? nil : person)
        show { app in
            Dialog(
                page: .question, title: app.words("app.title.badge", ["who": who.uppercased()]),
                text: app.words("app.ask.badge", ["who": who, "bin": app.bin?.code ?? ""]),
                rows: [
                    app.choice("app.choice.helpThem", .help(person: person)),
                    app.choice(isCompanion ? "app.choice.alone" : "app.choice.together", together),
                    app.choice("app.choice.back", .back),
                ])
        }
        effects.append(.sound(.attention))
    }

    /// A label that no bin is known for: misread or mistyped, or a bin that the office has forgotten.
    mutating func askFound(_ request: BinRequest, _ label: String) {
        show { app in
            Dialog(
                page: .question, title: app.words("app.title.found"), text: app.words("app.ask.found", ["bin": label]),
                rows: [app.choice("app.choice.again", .back), app.choice("app.choice.found", .open(request))],
                takesBins: true)
        }
        effects.append(.sound(.stop))
    }

    private func choice(_ text: String, _ answer: FoundRow.Answer) -> FoundRow {
        FoundRow(cells: ["text": text], pick: .answer(answer))
    }

    // MARK: - Answers

    mutating func choose(_ number: Int) {
        guard let dialog, dialog.page != .help, dialog.page != .tray else { return }
        let index = dialog.first + number - 1
        guard number > 0, number <= dialogCapacity, dialog.rows.indices.contains(index) else {
            typed = ""
            return say("choice.unknown", ["text": String(number)], .attention)
        }
        switch dialog.rows[index].pick {
        case .nothing, .news: break
        case .bin(let id):
            leaveDialog()
            ask(.openBin(BinRequest(place: .bin(id), opening: .NONE)))
        case .item(let reading, let code):
            leaveDialog()
            ask(.openItem(reading, code))
        case .help(let passID, let place):
            leaveDialog()
            ask(.openBin(BinRequest(place: place, opening: .NONE, join: .helping(passID))))
        case .answer(let answer): take(answer, dialog)
        }
    }

    private mutating func take(_ answer: FoundRow.Answer, _ dialog: Dialog) {
        switch answer {
        case .back:
            leaveDialog()
            if dialog.page == .close { openLineLeftOpen() }
        case .quit: effects.append(.quit)
        case .open(let request):
            leaveDialog()
            ask(.openBin(request))
        case .close(let closing): close(closing, dialog)
        case .help(let person):
            leaveDialog()
            ask(.helpPerson(person))
        case .companion(let person):
            leaveDialog()
            ask(.companion(person))
        case .partReason:
            askReason(.part, "app.title.part", about: bin?.code ?? "", request: dialog.request)
        case .reason(let reason): give(reason: words("app.reason." + reason).first ?? reason, dialog)
        case .unit(let unit):
            line?.unit = unit
            leaveDialog()
        }
    }

    /// Goes on with the first item that was scanned and has no quantity.
    private mutating func openLineLeftOpen() {
        guard line == nil, let bin, let key = bin.totals.openLines.first,
            let item = key.itemID.flatMap({ bin.items[$0] })
        else { return }
        var reading = ItemReading(item: item)
        (reading.lot, reading.licencePlate) = (key.lot, key.licencePlate)
        ask(.openItem(reading, CodeText(typed: item.sku)))
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
        if text == "0", dialog.rows.count > dialogCapacity {
            typed = ""
            return turnPage(forward: true)
        }
        if let digit = Int(text), text.count == 1, digit > 0, digit <= dialogCapacity,
            dialog.rows.indices.contains(dialog.first + digit - 1), ![.message, .note].contains(dialog.page)
        {
            typed = ""
            return choose(digit)
        }
        // No reason and no name is a single digit.
        if text.count == 1, text.first?.isNumber == true, [.reason, .crew].contains(dialog.page) {
            return choose(text.first?.wholeNumberValue ?? 0)
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
            ask(.say(text, to: dialog.recipient), text: "")
        case .find:
            ask(.find(text), text: text)
        case .crew: submit(.help(CodeText(typed: text)))
        case .pack: choosePack(text)
        case .emptyDigits: submit(.empty(digits: text, scan: nil))
        case .taskDigits(let id): submit(.openTask(id: id, digits: text))
        case .join(let person): submit(.join(CodeText(typed: text), person: person))
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
}
