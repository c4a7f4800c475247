import Basics
import Models
import Screens
import WarehouseModels

/// One line to decide: who counted what, against the book of that minute, and what lies around it.
extension SupervisorApp {
    func fillVariance(_ state: inout ScreenState) {
        guard case .variance(let id) = page else { return }
        let place = floor.lines.firstIndex { $0.verdict.id == id }.map { $0 + 1 }
        state["variance.place"] = .text(
            place.map { words("sup.line.place", ["row": String($0), "count": String(floor.lineCount)]) }
                ?? words("sup.line.gone"))
        guard let detail else {
            state["variance.story"] = .text(words("sup.line.reading"))
            return
        }
        let verdict = detail.verdict
        state["variance.bin"] = .text((marked.contains(id) ? "*" : "") + (detail.bin?.code ?? verdict.binID))
        state["variance.item"] = .text(detail.item?.sku ?? verdict.itemID)
        let name = detail.item.map { item in
            [item.name, item.abcClass.map { words("sup.line.class", ["class": $0])[0] }, item.baseUnit]
                .compactMap(\.self).joined(separator: ", ")
        }
        state["variance.about"] = .text(name ?? "")
        state["variance.value"] = .text(
            verdict.varianceValue.map { ["\(signed(verdict.variance)) = \($0)", signed(verdict.variance)] }
                ?? [verdict.variance.map { signed($0) } ?? ""])
        state["variance.counts"] = .rows(detail.counts.map(countRow))
        state["variance.story"] = .text(story(verdict))
        state["variance.around"] = .rows(
            detail.around.map { row in
                let at = row.at.map { time($0) + "  " } ?? ""
                return ListRow(["text": .text(worded(row.text).map { at + $0 })])
            })
        let standing = detail.counts.first { $0.passID == verdict.standingPassID }?.name
        var choices = [
            detail.isIncomplete
                ? words("sup.accept.none")
                : words(
                    standing == nil ? "sup.accept" : "sup.accept.of",
                    ["who": standing ?? "", "count": verdict.counted?.description ?? "-"]),
            words(
                detail.counts.isEmpty ? "sup.recount.any" : "sup.recount",
                ["who": detail.counts.map { first($0.name) }.joined(separator: ", ")]),
            words("sup.later"),
        ]
        choices.append(words("sup.other"))
        state["variance.choices"] = .rows(
            choices.enumerated().map { ListRow(["number": .text(String($0 + 1)), "text": .text($1)]) })
        state["variance.reason"] = .input(entry)
        if isWritingReason { state.focus = "variance.reason" }
        let waits = floor.waiting.contains { $0.decision.targetIDs.contains(id) }
        state["variance.note"] = .text(
            isWritingReason
                ? words("sup.line.writing", ["text": entry])
                : words(waits ? "sup.line.waits" : "sup.line.signs", ["revision": String(verdict.revision)]))
        if let message, message.id.isEmpty { state["variance.note"] = .text(message.text) }
    }

    private func countRow(_ count: LineDetail.Count) -> ListRow {
        let helps = count.helps ? " " + words("sup.helps")[0] : ""
        return ListRow([
            "who": .text(["\(count.name)\(helps), \(count.ticket)", "\(count.name)\(helps)", count.name]),
            "brief": .text("\(first(count.name)) \(time(count.at).filter { $0 != ":" })"),
            "time": .text(time(count.at)), "counted": .number(count.counted.description),
            "book": .number(count.book?.description ?? "?"),
            "difference": .number(count.book.map { signed(count.counted - $0) } ?? "?"),
        ])
    }

    /// The first name, and a plus where somebody stood beside.
    private func first(_ name: String) -> String {
        let first = name.split(separator: " ").first.map(String.init) ?? name
        return name.includes(" + ") ? first + "+" : first
    }

    private func story(_ verdict: LineVerdict) -> [String] {
        switch verdict.finding {
        case .AMBIGUOUS: words("sup.story.ambiguous")
        case .INCOMPLETE: words("sup.story.incomplete")
        case .OUT:
            words(
                verdict.standingPassID == nil ? "sup.story.differ" : "sup.story.out",
                [
                    "counted": verdict.counted?.description ?? "-", "book": verdict.bookAtCount?.description ?? "-",
                ])
        case .CLEAN, .WITHIN: words(verdict.passIDs.count > 1 ? "sup.story.overturns" : "sup.story.within")
        }
    }
}
