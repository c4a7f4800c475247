import Counting
import Models
import Screens
import WarehouseModels

extension CounterApp {
    package func view(at moment: Moment) -> AppView {
        var state = ScreenState(message: message)
        state["sync.badge"] = badge(at: moment)
        state["device.code"] = .text(deviceCode)
        var screen = page.rawValue
        switch page {
        case .signin: showSignIn(&state)
        case .tasks: showTasks(&state, moment)
        case .bin:
            screen = line == nil ? "bin" : "count"
            showBin(&state)
        default: showDialog(&state)
        }
        return AppView(screen: screen, state: state)
    }

    /// What is typed, and what was typed ahead since.
    private var echoed: String {
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
        if link.isOnline { return .text([count + parked, "^"].filter { !$0.isEmpty }.joined(separator: " ")) }
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

    private func showSignIn(_ state: inout ScreenState) {
        state["signin.entry"] = .input(echoed)
        state["signin.pin"] = .hidden
        if !pending.isEmpty {
            state["signin.pending"] = .rows(
                pending.map { row in
                    ListRow(["name": .text(row.name), "count": .number(String(row.count)), "note": .text("")])
                })
        }
        guard link.isSyncing, let bins = link.progress["Bin"] else { return }
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
            floor.tasks.map {
                ListRow(["code": .text($0.code), "note": .text($0.note.split(separator: "|").map(String.init))])
            })
        state["crew.people"] = .rows(floor.crew.map(row))
        state["tasks.news"] = .rows(floor.news.map(row))
        state["tasks.today"] = .text(words("app.today", ["unsent": String(link.unsent)]))
        if floor.session == nil { state["link.note"] = .text(words("msg.sessionNone")) }
        if floor.session?.state == .stopped { state["link.note"] = .text(words("msg.sessionStopped")) }
        if link.isSyncing, !link.isOnline {
            state["link.note"] = .text(words("app.asOf", ["age": age(at: moment)]))
        }
    }

    private func row(_ cells: [String: String]) -> ListRow {
        ListRow(
            cells.mapValues { text in
                .text(text.split(separator: "|", omittingEmptySubsequences: false).map(String.init))
            })
    }

    // MARK: - The bin

    private func showBin(_ state: inout ScreenState) {
        guard let bin else { return }
        state["bin.code"] = .text(bin.code)
        state["pass.ticket"] = .text(bin.pass.ticket)
        let me = floor.person.map { CounterWork.short($0.name) } ?? ""
        let helpers = bin.others.map(\.name)
        state["bin.who"] = .text(
            helpers.isEmpty ? me : "\(me) + \(helpers.joined(separator: " + ")) (\(words("app.adds").first ?? ""))")
        state["bin.lines"] = .rows(lines(of: bin))
        let open = bin.totals.openLines.count
        var lineKeys = Set(bin.totals.lines.keys)
        var units = bin.totals.units
        for other in bin.others {
            lineKeys.formUnion(other.quantities.keys)
            for quantity in other.quantities.values { units += quantity }
        }
        state["bin.total"] = .text(
            words(
                open == 0 ? "app.linesDone" : "app.lines",
                ["lines": String(lineKeys.count), "units": units.description, "open": String(open)]))
        var notice = bin.notice.isEmpty ? [] : [bin.notice]
        if floor.session?.state == .stopped { notice = words("msg.sessionStopped") }
        state["bin.notice"] = .text(notice)
        if line == nil {
            state["bin.entry"] = .input(echoed)
            state.focus = "bin.entry"
        } else {
            showLine(&state, bin)
        }
    }

    private func lines(of bin: BinView) -> [ListRow] {
        var rows: [(key: LineKey, quantity: String, who: String, at: Int64)] = []
        var seen: Set<LineKey> = []
        let me = floor.person.map { CounterWork.short($0.name) } ?? ""
        for (key, line) in bin.totals.lines {
            seen.insert(key)
            var total = line.quantity
            for other in bin.others { if let more = other.quantities[key] { total = (total ?? .zero) + more } }
            let who = bin.others.first { $0.quantities[key] != nil }?.name ?? me
            rows.append(
                (key, (total?.description ?? "-") + (key.itemID == nil ? " ?" : ""), who, line.from?.milliseconds ?? 0))
        }
        for other in bin.others {
            for (key, quantity) in other.quantities where seen.insert(key).inserted {
                rows.append((key, quantity.description, other.name, 0))
            }
        }
        for line in bin.expected where !seen.contains(where: { $0.itemID == line.key.itemID }) {
            let wanted = line.quantity.map { words("app.expected", ["quantity": $0.description]).first ?? "" } ?? ""
            rows.append((line.key, "-", wanted, Int64.max))
        }
        rows.sort { ($0.at, $0.key) < ($1.at, $1.key) }
        return rows.map { row in
            ListRow([
                "code": .text(bin.title(of: row.key)),
                "name": .text(row.key.itemID.flatMap { bin.items[$0]?.name } ?? ""), "quantity": .text(row.quantity),
                "who": .text(row.who),
            ])
        }
    }

    private func showLine(_ state: inout ScreenState, _ bin: BinView) {
        guard let line else { return }
        let units = line.units
        state["item.code"] = .text(line.title)
        state["item.name"] = .text(line.item?.name ?? "")
        if let pack = line.packs.first(where: { $0.unit == line.unit }) ?? line.packs.first,
            let size = pack.baseQuantity
        {
            state["item.pack"] = .text("\(pack.unit) = \(size) \(units.baseUnit)")
        }
        if let lot = line.key.lot { state["item.lot"] = .text("lot \(lot)") }
        state["count.unit"] = .text(units.defaultUnit.unit)
        let text = echoed
        let isSet = text.hasPrefix("=")
        let before = bin.totals.lines[line.key]?.quantity
        let preview = QuantityExpression.preview(isSet ? String(text.dropFirst()) : text, in: units)
        var input = InputValue(text)
        if let preview, !preview.isPlain || preview.base != preview.quantity { input.trailing = " = \(preview.base)" }
        state["count.expression"] = .input(input)
        state.focus = "count.expression"
        let typedAmount = preview?.base
        if let shown = typedAmount ?? before { state["count.quantity"] = .big(shown.description) }
        var own = before
        if let typedAmount { own = isSet ? typedAmount : (before ?? .zero) + typedAmount }
        state["count.total"] = .text(total(own, bin, line.key))
    }

    /// `you 158 + Bob 12 = 170`.
    private func total(_ own: Decimal3?, _ bin: BinView, _ key: LineKey) -> [String] {
        let others = bin.others.compactMap { other in other.quantities[key].map { (other.name, $0) } }
        guard !others.isEmpty else {
            guard let own else { return [] }
            return words("app.soFar", ["quantity": own.description])
        }
        let sum = others.reduce(own ?? .zero) { $0 + $1.1 }
        let terms = ["\(words("app.you").first ?? "") \(own?.description ?? "-")"] + others.map { "\($0.0) \($0.1)" }
        return ["\(terms.joined(separator: " + ")) = \(sum)", "\(terms.joined(separator: "+"))=\(sum)", "= \(sum)"]
    }

    // MARK: - Dialogs

    private func showDialog(_ state: inout ScreenState) {
        guard let dialog else { return }
        let facts = Screens.FieldValue.rows(
            dialog.facts.map { ListRow(["text": .text($0.text), "value": .text($0.value)]) })
        let rows = Screens.FieldValue.rows(
            ListValue(
                dialog.rows.map { found in
                    ListRow(
                        found.cells.mapValues { text in
                            text.hasPrefix("app.")
                                ? .text(words(text))
                                : .text(
                                    text.split(separator: "|", omittingEmptySubsequences: false).map(String.init))
                        })
                }, first: dialog.first))
        let entry = Screens.FieldValue.input(echoed)
        let text = Screens.FieldValue.text(dialog.text)
        switch page {
        case .close:
            state["bin.code"] = .text(bin?.code ?? "")
            state["close.facts"] = facts
            state["close.choices"] = rows
            let next = dialog.request.flatMap { request in floor.tasks.first { $0.binID == request.binID }?.code }
            state["close.next"] = .text(next ?? "-")
            state["close.question"] = .text("")
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
            state["message.to"] = text
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
        case .crew:
            state["crew.question"] = text
            state["crew.rows"] = rows
            state["crew.entry"] = entry
        case .signin, .tasks, .bin: break
        }
    }
}
