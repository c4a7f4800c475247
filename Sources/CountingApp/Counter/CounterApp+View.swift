import Basics
import Counting
import Models
import Screens
import WarehouseModels

extension CounterApp {
    package func view(at moment: Moment) -> AppView {
        var state = ScreenState(message: message.map(worded))
        if isBlocked { state.keys = words(blockedKeys, ["count": String(waitingScans)]) }
        state["sync.badge"] = badge(at: moment)
        state["device.code"] = .text(deviceCode)
        var screen = page.rawValue
        switch page {
        case .signin: showSignIn(&state, moment)
        case .tasks: showTasks(&state, moment)
        case .bin:
            screen = line == nil ? "bin" : "count"
            showBin(&state)
        default: showDialog(&state)
        }
        return AppView(screen: screen, state: state, actsAtOnce: answersAtOnce || isBlocked || confirming != nil)
    }

    /// A message whose arguments may name words of the catalogs.
    private func worded(_ message: ScreenMessage) -> ScreenMessage {
        var message = message
        message.arguments = message.arguments.mapValues { text in
            guard text.includes("app.") else { return text }
            return text.split(separator: " ").map { word in
                word.hasPrefix("app.") ? words(String(word)).first ?? "" : String(word)
            }.joined(separator: " ")
        }
        return message
    }

    /// Scans that came while an error stands.
    private var waitingScans: Int { (queue + held).count { if case .scan = $0 { true } else { false } } }
    private var blockedKeys: String { waitingScans == 0 ? "keys.blocked" : "keys.blockedScans" }

    /// What is typed, and what was typed ahead since.
    var echoed: String {
        var text = waiting == nil ? typed : waiting?.text ?? ""
        if waiting != nil, !queue.isEmpty { text = "" }
        for input in queue {
            switch input {
            case .key(.character(let character)): text.append(character)
            case .key(.backspace): if !text.isEmpty { text.removeLast() }
            case .key(.enter), .scan: text = ""
            default: break
            }
        }
        return text
    }

    /// Unsent mutations and the link in six cells: `12 v9m`.
    private func badge(at moment: Moment) -> Screens.FieldValue {
        let parked = link.parked > 0 ? "!" : ""
        let count = link.unsent == 0 ? "" : link.unsent > 999 ? "\(link.unsent / 1000)k" : String(link.unsent)
        guard link.isSyncing else { return link.unsent == 0 ? .hidden : .text(count + parked) }
        if isReached(at: moment) { return .text([count + parked, "^"].filter { !$0.isEmpty }.joined(separator: " ")) }
        let age = age(at: moment)
        return .text(["\(count)\(parked) v\(age)", "\(count)\(parked)v\(age)", "v\(age)"].map(\.trimmed))
    }

    private func age(at moment: Moment) -> String {
        guard let contact = link.lastContactUptime else { return "" }
        let seconds = max(0, moment.uptime - contact) / 1000
        return seconds < 60
            ? "\(seconds)s"
            : seconds < 6000
                ? "\(seconds / 60)m"
                : seconds < 360_000 ? "\(seconds / 3600)h" : "\(seconds / 86400)d"
    }

    /// Whose work is still here.
    var pending: [(name: String, count: Int)] {
        link.unsentByPerson.filter { !$0.key.isEmpty && $0.value > 0 }
            .map { (floor.names[$0.key] ?? $0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }

    private func showSignIn(_ state: inout ScreenState, _ moment: Moment) {
        state["signin.entry"] = .input(echoed)
        state["signin.pin"] = .hidden
        if !pending.isEmpty {
            state["signin.pending"] = .rows(
                pending.map { row in
                    ListRow([
                        "name": .text(row.name), "count": .number(String(row.count)),
                        "note": .text(words("app.sentAs", ["who": CounterWork.short(row.name)])),
                    ])
                })
        }
        // What keeps this terminal from its hub is said here too: nobody may be able to sign in for it.
        if let reason = link.pausedReason {
            state["signin.progress"] = .text(words("app.paused", ["reason": reason]))
        } else if link.isSyncing, !isReached(at: moment) {
            state["signin.progress"] = .text(
                link.lastContactUptime == nil ? words("app.noLink") : words("app.asOf", ["age": age(at: moment)]))
        }
        guard link.isSyncing, isReached(at: moment), let bins = link.progress["Bin"] else { return }
        let items = link.progress["Item"]?.rows ?? 0
        state["signin.progress"] = .text(words("app.bins", ["bins": String(bins.rows), "items": String(items)]))
    }

    private func showTasks(_ state: inout ScreenState, _ moment: Moment) {
        state["tasks.entry"] = .input(echoed)
        state["tasks.place"] = .text(floor.place)
        state["tasks.done"] = .text(floor.done)
        state["session.name"] = .text(floor.session?.name ?? "")
        state["person.name"] = .text(floor.person?.name ?? "")
        state["tasks.next"] = .rows(
            floor.tasks.map { ListRow(["code": .text($0.code), "note": .text(note(of: $0))]) })
        state["crew.people"] = .rows(
            floor.crew.map { mate in
                let bins = mate.bins.map { words($0 == 1 ? "app.crewBin" : "app.crewBins", ["bins": String($0)]) } ?? []
                return ListRow(["name": .text(mate.name), "bin": .text(mate.bin), "state": .text(bins)])
            })
        let learned = learned.suffix(2).reversed().map { code in
            ListRow([
                "time": .text(code.time),
                "text": .text(words("app.learned", ["code": code.code, "item": code.item, "unit": code.unit])),
            ])
        }
        let news = floor.news.map { news in
            let who = sender(of: news)
            return ListRow(["time": .text(news.time), "text": .text(text(of: news).map { "\(who): \($0)" })])
        }
        state["tasks.news"] = .rows(Array((learned + news).prefix(2)))
        state["tasks.today"] = .text(today)
        state["link.note"] = .text(note(at: moment))
    }

    /// The day's work so far, and what is still to send.
    private var today: [String] {
        let unsent = words("app.today", ["unsent": String(link.unsent)]).first ?? ""
        guard let today = floor.today, today.bins > 0 else { return [unsent] }
        let key = today.hourly > 0 ? "app.todayRate" : today.bins == 1 ? "app.todayBin" : "app.todayBins"
        let bins = words(key, ["bins": String(today.bins), "hourly": String(today.hourly)]).first ?? ""
        return ["\(bins) \(unsent)"]
    }

    /// What stands on the message line of the list while nothing is said: what matters most first.
    private func note(at moment: Moment) -> [String] {
        if let bin { return words("app.stillOpen", ["bin": bin.code]) }
        if let reason = link.pausedReason { return words("app.paused", ["reason": reason]) }
        if link.isSyncing, !isReached(at: moment) { return words("app.asOf", ["age": age(at: moment)]) }
        if let left = link.signInLeft(at: moment) { return words("app.signInEnds", ["left": left]) }
        if floor.session?.state == .stopped { return words("msg.sessionStopped") }
        guard floor.session == nil else { return [] }
        return words(floor.closed == nil ? "msg.sessionNone" : "msg.sessionClosed")
    }

    /// Who is at a bin of the list, or what the desk says of it.
    private func note(of task: TaskRow) -> [String] {
        guard let notice = task.notice else { return [task.who] }
        let texts = DeskWords.texts(notice, language: language)
        let word = texts.last?.split(separator: " ").first.map(String.init) ?? ""
        return (texts + [word]).map { "!" + $0 }
    }

    private func code(of place: BinPlace) -> String {
        switch place {
        case .label(let label): label
        case .bin(let id): floor.tasks.first { $0.binID == id }?.code ?? "-"
        }
    }

    // MARK: - Dialogs

    private func showDialog(_ state: inout ScreenState) {
        guard let dialog else { return }
        if state.message == nil, dialog.rows.count > dialogCapacity {
            // Answers that are out of sight must not look as if there were none.
            let last = min(dialog.rows.count, dialog.first + dialogCapacity)
            let part = ["from": String(dialog.first + 1), "to": String(last), "count": String(dialog.rows.count)]
            state.message = ScreenMessage(text: words("app.rowsPart", part), kind: .info)
        }
        let facts = Screens.FieldValue.rows(
            dialog.facts.map { ListRow(["text": .text($0.text), "value": .text($0.value)]) })
        let rows = Screens.FieldValue.rows(
            ListValue(
                dialog.rows.map { found in
                    if case .news(let news) = found.pick {
                        return ListRow([
                            "time": .text(news.time), "from": .text(sender(of: news)),
                            "text": .text(self.text(of: news)),
                        ])
                    }
                    return ListRow(found.cells.mapValues { .text(forms(of: $0)) })
                }, first: dialog.first))
        let entry = Screens.FieldValue.input(echoed)
        let text = Screens.FieldValue.text(dialog.text)
        switch page {
        case .close:
            state["bin.code"] = .text(bin?.code ?? "")
            state["close.facts"] = facts
            state["close.choices"] = rows
            state["close.next"] = dialog.request.map { .text(code(of: $0.place)) } ?? .hidden
            let open = bin?.totals.openLines.first.map { bin?.title(of: $0) ?? "" }
            state["close.question"] = .text(open.map { words("msg.itemNoQuantity", ["item": $0]) } ?? [])
        case .reason:
            state["reason.title"] = .text(dialog.title)
            state["reason.question"] = text
            state["reason.rows"] = rows
            state["reason.entry"] = entry
        case .find:
            state["find.rows"] = rows
            state["find.entry"] = entry
        case .question, .switchoff:
            state["question.title"] = .text(dialog.title)
            state["question.text"] = text
            state["question.facts"] = facts
            state["question.choices"] = rows
        case .pack:
            state["pack.question"] = text
            state["pack.rows"] = rows
            state["pack.entry"] = entry
        case .tray:
            state["tray.text"] = text
            state["tray.rows"] = rows
        case .message:
            state["message.to"] = .text(recipientText(dialog.recipient))
            state["message.rows"] = rows
            state["message.entry"] = entry
        case .digits:
            state["digits.question"] = text
            state["digits.entry"] = entry
        case .help:
            state["help.text"] = text
            state["help.keys"] = rows
        case .matches:
            state["matches.question"] = text
            state["matches.items"] = rows
        case .note:
            state["note.about"] = text
            state["note.entry"] = entry
            state["note.rows"] = .rows(
                (bin?.notes ?? []).suffix(dialogCapacity).map {
                    ListRow(["time": .text($0.time), "text": .text($0.text)])
                })
        case .crew:
            state["crew.question"] = text
            let isJoin = if case .join = dialog.purpose { true } else { false }
            state["crew.prompt"] = .text(words(isJoin ? "app.crew.bin" : "app.crew.badge"))
            state["crew.rows"] = rows
            state["crew.entry"] = entry
        case .signin, .tasks, .bin: break
        }
    }
}
