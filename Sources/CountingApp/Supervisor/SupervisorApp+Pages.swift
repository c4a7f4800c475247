import Basics
import Models
import Screens
import WarehouseModels

extension SupervisorApp {
    func fillLines(_ state: inout ScreenState) {
        state["lines.text"] = .text(["\(floor.lineCount) lines, \(floor.grossValue) gross, the dearest first"])
        state["lines.rows"] = .rows(numbered(floor.lines.map(lineCells)))
    }

    private func lineCells(_ line: FloorSnapshot.LineToDecide) -> [String: Screens.FieldValue] {
        let mark = marked.contains(line.verdict.id) ? "*" : ""
        return [
            "bin": .text(mark + line.binCode), "item": .text(line.sku), "name": .text(line.name),
            "difference": .number(signed(line.verdict.variance)),
            "value": .number(line.verdict.varianceValue?.description ?? ""),
        ]
    }

    func fillVariance(_ state: inout ScreenState) {
        guard case .variance(let id) = page else { return }
        let place = floor.lines.firstIndex { $0.verdict.id == id }.map { $0 + 1 }
        state["variance.place"] = .text(
            place.map { ["Line \($0) of \(floor.lineCount), by value", "\($0) of \(floor.lineCount)"] } ?? ["A line"])
        guard let detail else { return }
        let verdict = detail.verdict
        state["variance.bin"] = .text(detail.bin?.code ?? verdict.binID)
        state["variance.item"] = .text(detail.item?.sku ?? verdict.itemID)
        let unit = detail.item.map { "class \($0.abcClass ?? "-"), \($0.baseUnit)" } ?? ""
        state["variance.about"] = .text("\(detail.item?.name ?? ""), \(unit)")
        state["variance.value"] = .text(
            verdict.varianceValue.map { "\(signed(verdict.variance)) = \($0)" } ?? signed(verdict.variance))
        state["variance.counts"] = .rows(
            detail.counts.map { count in
                let first = count.name.split(separator: " ").first.map(String.init) ?? count.name
                return ListRow([
                    "who": .text(count.name), "brief": .text("\(first) \(time(count.at))"),
                    "time": .text(time(count.at)),
                    "counted": .number(count.counted.description), "book": .number(count.book?.description ?? "?"),
                    "difference": .number(count.book.map { signed(count.counted - $0) } ?? "?"),
                ])
            })
        state["variance.story"] = .text(story(verdict))
        state["variance.around"] = .rows(detail.around.map { ListRow(["text": .text($0)]) })
        var choices = [
            "accept \(verdict.counted?.description ?? "it as it stands")", "send someone else to count it again",
            "later: keep it open",
        ]
        if detail.counts.count > 1 { choices.append("these counts add up") }
        state["variance.choices"] = .rows(
            choices.enumerated().map { ListRow(["number": .text(String($0 + 1)), "text": .text($1)]) })
        state["variance.reason"] = .input(entry)
        state["variance.note"] = .text([
            "You sign revision \(verdict.revision); if the line changes first, you are asked again.",
            "Signs revision \(verdict.revision)",
        ])
        if let message, message.id.isEmpty { state["variance.note"] = .text(message.text) }
    }

    private func story(_ verdict: LineVerdict) -> [String] {
        switch verdict.finding {
        case .AMBIGUOUS: ["A movement lies too close to the count: the numbers cannot be compared."]
        case .INCOMPLETE: ["Part of the count has not arrived yet."]
        case .OUT:
            [
                "Counted \(verdict.counted?.description ?? "-"), the book of that minute says \(verdict.bookAtCount?.description ?? "-")."
            ]
        case .CLEAN, .WITHIN: ["Within tolerance."]
        }
    }

    func fillRows(_ kind: ExceptionKind, _ state: inout ScreenState, _ moment: Moment) {
        var rows: [(String, String)] = []
        switch kind {
        case .deskSilent:
            state["exceptions.title"] = "The desk"
            rows = floor.desks.map { ("Desk \($0.code), last heard \(time($0.beatAt))", "") }
            if rows.isEmpty { rows = [("No desk was ever heard: start the hub, or `bincount desk`", "")] }
        case .refused:
            state["exceptions.title"] = "Refused decisions"
            rows = floor.refused.map { (SupervisorApp.name(of: $0.kind) + ": " + ($0.resultText ?? ""), time($0.at)) }
        case .asked:
            state["exceptions.title"] = "Decisions asked, not yet answered"
            rows = floor.waiting.map { (SupervisorApp.name(of: $0.kind), time($0.at)) }
        case .partial:
            state["exceptions.title"] = "Skipped or in part: a digit waives the bin"
            rows = floor.partial.map { ($0.binCode + ($0.notice.map { ": \($0)" } ?? ""), $0.state.rawValue) }
        case .held:
            state["exceptions.title"] = "Export lines held"
            rows = [("\(floor.heldLines) lines wait until every bin of theirs is accepted", "")]
        case .rejected:
            state["exceptions.title"] = "ERP documents: a digit sends one again"
            rows = floor.documents.filter { $0.state == .rejected || $0.state == .unknown }
                .map { ("\($0.connector) \($0.id): \($0.error ?? "")", $0.state.rawValue) }
        case .lines, .silent, .differ, .unknown, .parked: break
        }
        state["exceptions.rows"] = .rows(numbered(rows.map { ["text": .text($0.0), "state": .text($0.1)] }))
    }

    func fillPeople(_ state: inout ScreenState, _ moment: Moment) {
        state["people.rows"] = .rows(numbered(floor.people.map { personRow($0, moment).cells }))
    }

    func fillZones(_ state: inout ScreenState) {
        state["zones.rows"] = .rows(numbered(floor.zones.map { zoneRow($0).cells }))
    }

    func fillUnknown(_ state: inout ScreenState) {
        state["unknown.rows"] = .rows(
            numbered(
                floor.unknownCodes.map {
                    [
                        "code": .text($0.code), "quantity": .number($0.quantity.description),
                        "text": .text("in \($0.bins) bins"),
                    ]
                }))
    }

    func fillMatch(_ code: String, _ state: inout ScreenState) {
        state["match.code"] = .text("\(code): which item is it? Scan or type it")
        if let row = floor.unknownCodes.first(where: { $0.code == code }) {
            state["match.facts"] = .rows([
                ListRow(["text": "Counted so far", "value": .number(row.quantity.description)]),
                ListRow(["text": "In bins", "value": .number(String(row.bins))]),
            ])
        }
        state["match.items"] = .rows(
            items.prefix(9).enumerated().map {
                ListRow(["number": .text(String($0 + 1)), "code": .text($1.sku), "name": .text($1.name)])
            })
        state["match.entry"] = .input(entry)
    }

    func fillAssign(_ state: inout ScreenState) {
        state["assign.text"] = "Who shall count it again? The desk takes nobody who counted or helped there."
        state["assign.rows"] = .rows(numbered(counters.map { ["name": .text($0.name), "note": .text("")] }))
    }

    func fillRelease(_ state: inout ScreenState) {
        let draft = floor.sessions.first { $0.state == .draft }
        state["question.text"] = .text(
            draft.map { "Release \($0.name)?" } ?? "Release a new count? Its name may be typed first.")
        let zones = scope.zones.isEmpty ? "all" : scope.zones.joined(separator: " ")
        state["question.facts"] = .rows([
            ListRow(["text": "Zones", "value": .text(zones)]),
            ListRow(["text": "Counters see", "value": .text(scope.visibility.rawValue.lowercased())]),
            ListRow(["text": "Shared with", "value": .text(scope.sharing.rawValue.lowercased())]),
        ])
        fillChoices(
            ["release it", "what counters see", "who sees whose counts", "which zones"], &state)
        state["question.entry"] = .input(entry)
    }

    func fillConfirm(_ kind: DecisionKind, _ state: inout ScreenState) {
        let (bins, done) = floor.totals
        var facts = [("Bins not done", String(bins - done)), ("Lines to decide", String(floor.lineCount))]
        switch kind {
        case .stop:
            state["question.text"] = "Stop the count? No new bin is opened; who is in one finishes it."
            facts.append(("People here", String(floor.people.count { $0.device.checkedOutAt == nil })))
        case .export:
            state["question.text"] = "Export what is accepted? Lines of open bins are held."
            facts.append(("Documents so far", String(floor.documents.count)))
        default:
            state["question.text"] = "Close the count for good? It is refused while anything is open."
            facts.append(("Entries owed", String(floor.people.reduce(0) { $0 + $1.device.unsent })))
        }
        state["question.facts"] = .rows(facts.map { ListRow(["text": .text($0), "value": .number($1)]) })
        fillChoices(["yes", "no"], &state)
        state["question.entry"] = .input(entry)
    }

    private func fillChoices(_ texts: [String], _ state: inout ScreenState) {
        state["question.choices"] = .rows(
            texts.enumerated().map { ListRow(["number": .text(String($0 + 1)), "text": .text($1)]) })
    }

    func signed(_ value: Decimal3?) -> String {
        guard let value else { return "?" }
        return value > 0 ? "+\(value)" : value.description
    }
}
