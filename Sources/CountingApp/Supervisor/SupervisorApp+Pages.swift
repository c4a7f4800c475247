import Basics
import Models
import Screens
import WarehouseModels

extension SupervisorApp {
    func fillLines(_ state: inout ScreenState) {
        let shown = floor.lines.count
        var text = words(
            floor.lineCount == 0 ? "sup.lines.none" : "sup.lines",
            ["count": String(floor.lineCount), "value": "\(floor.grossValue)", "marked": String(marked.count)])
        if shown < floor.lineCount { text = text.map { $0 + words("sup.lines.first", ["count": String(shown)])[0] } }
        state["lines.text"] = .text(text)
        let cursor = (frames.last?.selected ?? 0) - offset
        state["lines.rows"] = .rows(
            ListValue(numbered(floor.lines.map(lineCells)), selected: floor.lines.isEmpty ? nil : cursor))
    }

    private func lineCells(_ line: FloorSnapshot.LineToDecide) -> [String: Screens.FieldValue] {
        let mark = marked.contains(line.verdict.id) ? "*" : ""
        return [
            "bin": .text(mark + line.binCode), "item": .text(line.sku), "name": .text(line.name),
            "difference": .number(signed(line.verdict.variance)),
            "value": .number(line.verdict.varianceValue?.description ?? ""),
        ]
    }

    func fillRows(_ kind: ExceptionKind, _ state: inout ScreenState, _ moment: Moment) {
        state["exceptions.title"] = .text(words("sup.rows.\(kind.rawValue)"))
        var rows = matters(kind, at: moment).map { matter -> [String: Screens.FieldValue] in
            ["text": .text(matter.text), "state": .text(matter.state)]
        }
        // What no answer mends says what to do instead.
        switch kind {
        case .deskSilent:
            rows = floor.desks.flatMap { desk in
                let key = desk.checkedOutAt == nil ? "sup.desk.heard" : "sup.desk.left"
                return plain(words(key, ["code": desk.code, "time": time(desk.heardAt)]))
            }
            rows += plain(words("sup.desk.idle")) + plain(words("sup.desk.start"))
        case .refusedHere:
            rows = floor.refusedHere.flatMap { plain([$0]) } + plain(words("sup.refusedHere.help"))
        default: break
        }
        if rows.isEmpty { rows = plain(words("sup.settled")) }
        let isChosen = kind != .deskSilent && kind != .refusedHere && !matters(kind, at: moment).isEmpty
        state["exceptions.rows"] = .rows(isChosen ? numbered(rows) : rows.map { ListRow($0) })
    }

    /// A row that no digit opens.
    private func plain(_ text: [String]) -> [[String: Screens.FieldValue]] {
        [["number": "", "text": .text(text), "state": ""]]
    }

    func fillZone(_ code: String, _ state: inout ScreenState) {
        guard let zone = floor.zones.first(where: { $0.code == code }) else { return }
        state["exceptions.title"] = .text(
            words(
                "sup.zone",
                ["code": code, "name": zone.name, "left": String(zone.bins - zone.done), "bins": String(zone.bins)]))
        let here = Dictionary(
            floor.people.compactMap { person in person.device.binID.map { ($0, person.name) } },
            uniquingKeysWith: { $0 + ", " + $1 })
        let rows = zone.left.map { task -> [String: Screens.FieldValue] in
            let who = here[task.binID] ?? task.assigneeID.map { floor.names[$0] ?? $0 } ?? ""
            let notice = task.notice.map { "   \(desk($0)[0])" } ?? ""
            return [
                "text": .text(["\(task.binCode)   \(who)\(notice)", "\(task.binCode) \(who)"]),
                "state": .text(words("sup.task.\(task.state.rawValue)")),
            ]
        }
        state["exceptions.rows"] = .rows(
            rows.isEmpty ? plain(words("sup.zone.done")).map { ListRow($0) } : numbered(rows))
    }

    func fillPeople(_ state: inout ScreenState, _ moment: Moment) {
        state["people.rows"] = .rows(numbered(floor.people.map { personRow($0, moment).cells }))
    }

    func fillZones(_ state: inout ScreenState) {
        state["zones.rows"] = .rows(numbered(floor.zones.map { zoneRow($0).cells }))
    }

    func fillUnknown(_ state: inout ScreenState) {
        let rows = floor.unknownCodes.map { code -> [String: Screens.FieldValue] in
            [
                "code": .text(code.code), "quantity": .number(code.quantity.description),
                "text": .text(code.places.joined(separator: " ")),
            ]
        }
        state["unknown.rows"] = .rows(
            rows.isEmpty ? [ListRow(["number": "", "code": .text(words("sup.settled"))])] : numbered(rows))
    }

    func fillMatch(_ code: String, _ state: inout ScreenState) {
        state["match.code"] = .text(words("sup.match", ["code": code]))
        if let row = floor.unknownCodes.first(where: { $0.code == code }) {
            state["match.facts"] = facts([
                (words("sup.fact.counted"), row.quantity.description),
                (words("sup.fact.places"), row.places.joined(separator: " ")),
            ])
        }
        state["match.items"] = .rows(
            items.prefix(9).enumerated().map {
                ListRow(["number": .text(String($0 + 1)), "code": .text($1.sku), "name": .text($1.name)])
            })
        state["match.entry"] = .input(entry)
    }

    func fillAssign(_ state: inout ScreenState) {
        state["assign.text"] = .text(words("sup.assign"))
        let free: [String: Screens.FieldValue] = ["name": .text(words("sup.assign.free")), "note": ""]
        let rows = counters.map { choice -> [String: Screens.FieldValue] in
            let note = choice.wasThere ? words("sup.assign.there") : [choice.place ?? ""]
            return ["name": .text(choice.person.name), "note": .text(note)]
        }
        state["assign.rows"] = .rows(numbered([free] + rows))
    }

    func fillRelease(_ state: inout ScreenState) {
        let draft = floor.sessions.first { $0.state == .draft }
        state["question.text"] = .text(
            draft.map { words("sup.release.draft", ["name": $0.name]) } ?? words("sup.release"))
        let zones = scope.zones.isEmpty ? words("sup.release.all")[0] : scope.zones.joined(separator: " ")
        state["question.facts"] = facts([
            (words("sup.fact.zones"), zones),
            (words("sup.fact.sight"), words("sup.sight.\(scope.visibility.word)")[0]),
            (words("sup.fact.sharing"), words("sup.sharing.\(scope.sharing.rawValue)")[0]),
        ])
        fillChoices(
            ["sup.release.yes", "sup.release.sight", "sup.release.share", "sup.release.zones"].map { words($0) },
            &state)
        state["question.entry"] = .input(entry)
    }

    /// A page that asks: a question about the whole count, or one matter.
    func fillAct(_ state: inout ScreenState) {
        let act = act ?? Act(title: words("sup.settled.title"), text: words("sup.settled"))
        state["act.title"] = .text(act.title)
        state["question.text"] = .text(act.text)
        state["question.facts"] = facts(factsInView.map(divided))
        fillChoices(act.choices.map(\.text), &state, from: offset)
        state["question.entry"] = .input(entry)
    }

    func fillMessages(_ state: inout ScreenState) {
        state["message.entry"] = .input(entry)
        state["message.to"] = .text(
            recipient.map { words("sup.say.one", ["who": floor.names[$0] ?? $0]) } ?? words("sup.say.all"))
        let rows = floor.talk.map { message in
            let to = message.toIDs.map { floor.names[$0] ?? $0 }.joined(separator: ", ")
            let text = (to.isEmpty ? "" : "(\(to)) ") + (message.text ?? "")
            return ListRow([
                "time": .text(time(message.sentAt)),
                "from": .text(shortened(floor.names[message.fromID] ?? message.fromID)), "text": .text(text),
            ])
        }
        state["message.rows"] = .rows(rows)
    }

    /// A fact that is one text has the value's cells too where it needs them: `4711-AX  +5`.
    private func divided(_ fact: (text: [String], value: String)) -> (text: [String], value: String) {
        guard fact.value.isEmpty, let whole = fact.text.first, let mark = whole.range(of: "  "),
            let screen = AppScreens.shipped.screens[screenName],
            screen.lines(of: [whole], in: "question.facts.text", size: size) != [whole]
        else { return fact }
        return ([String(whole[..<mark.lowerBound])], String(whole[mark.upperBound...]))
    }

    private func facts(_ all: [(text: [String], value: String)]) -> Screens.FieldValue {
        .rows(all.map { ListRow(["text": .text($0.text), "value": .number($0.value)]) })
    }

    private func fillChoices(_ texts: [[String]], _ state: inout ScreenState, from first: Int = 0) {
        state["question.choices"] = .rows(
            texts.dropFirst(first).enumerated().map {
                ListRow(["number": .text(String($0 + 1)), "text": .text($1)])
            })
    }
}
