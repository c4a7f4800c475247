import Counting
import Models
import Screens
import WarehouseModels

extension CounterApp {
    func showBin(_ state: inout ScreenState) {
        guard let bin else { return }
        state["bin.code"] = .text(bin.code)
        state["pass.ticket"] = .text(bin.pass.ticket)
        state["bin.who"] = .text(who(bin))
        let rows = lines(of: bin)
        state["bin.lines"] = .rows(rows)
        let open = bin.totals.openLines.count
        var lineKeys = Set(bin.totals.lines.keys)
        var units = bin.totals.units
        for other in bin.others {
            lineKeys.formUnion(other.quantities.keys)
            for quantity in other.quantities.values { units += quantity }
        }
        let key = (open == 0 ? "app.linesDone" : "app.lines") + (lineKeys.count == 1 ? "1" : "")
        let total = words(
            key, ["lines": String(lineKeys.count), "units": units.description, "open": String(open)])
        state["bin.total"] = .text(bin.missing == 0 ? total : total.flatMap { words("app.partOf", ["total": $0]) })
        state["bin.notice"] = .text(notice(bin))
        let room = lineCapacity
        if room > 0, rows.rows.count > room, state.message == nil, size.height > 8 || notice(bin).isEmpty {
            // More lines than the picture has room for must not look like all of them.
            let last = min(rows.rows.count, rows.first + room)
            let part = ["from": String(rows.first + 1), "to": String(last), "count": String(rows.rows.count)]
            state.message = ScreenMessage(
                text: words(line == nil ? "app.listPart" : "app.listPartOpen", part), kind: .info)
        }
        if line == nil {
            state["bin.entry"] = .input(echoed)
            state.focus = "bin.entry"
        } else {
            showLine(&state, bin)
        }
    }

    private func notice(_ bin: BinView) -> [String] {
        if let who = bin.takenBy { return words("msg.crewTaken", ["who": who, "bin": bin.code]) }
        switch bin.session {
        case .stopped?: return words("msg.sessionStopped")
        case .closed?, .cancelled?: return words("msg.sessionClosed")
        case _ where bin.missing > 0: return words("app.notHere", ["count": String(bin.missing)])
        default: return bin.notice.isEmpty ? [] : DeskWords.texts(bin.notice, language: language)
        }
    }

    /// `Ann & Cara + Bob (adds up)`.
    private func who(_ bin: BinView) -> [String] {
        let me = [ownName, bin.companion].compactMap(\.self).joined(separator: " & ")
        var names: [String] = []
        for name in bin.others.compactMap(\.name) where !names.contains(name) { names.append(name) }
        let isContinued = bin.others.contains { $0.name == nil }
        let all = ([me] + names).joined(separator: " + ")
        if names.isEmpty { return isContinued ? words("app.continued").map { "\(me), \($0)" } + [me] : [me] }
        // That one thing must not be left out: it is no sum yet.
        if bin.awaitsWord { return words("app.addsIfAgreed").map { "\(all) (\($0))" } + ["\(all)?"] }
        let adds = words("app.adds").map { "\(all) (\($0))" }
        return adds + [all, ([me] + names.map { String($0.prefix(3)) }).joined(separator: "+")]
    }

    private var ownName: String { floor.person.map { CounterWork.short($0.name) } ?? "" }

    /// The lines of the open bin in the order in which they were opened, and those in view.
    func lines(of bin: BinView) -> ListValue {
        var rows: [(key: LineKey, quantity: [String], who: String, at: Int64)] = []
        var seen: Set<LineKey> = []
        var newest: (key: LineKey, at: Int64)?
        for (key, line) in bin.totals.lines {
            seen.insert(key)
            var total = line.quantity
            for other in bin.others { if let more = other.quantities[key] { total = (total ?? .zero) + more } }
            let who = bin.others.first { $0.name != nil && $0.quantities[key] != nil }?.name ?? ownName
            let at = line.to?.milliseconds ?? 0
            if at >= newest?.at ?? Int64.min { newest = (key, at) }
            rows.append(
                (
                    key, forms(of: total).map { key.itemID == nil ? "\($0) ?" : $0 }, who, line.from?.milliseconds ?? 0
                ))
        }
        for other in bin.others {
            for (key, quantity) in other.quantities where seen.insert(key).inserted {
                rows.append((key, forms(of: quantity), other.name ?? ownName, 0))
            }
        }
        for line in bin.expected where !seen.contains(where: { $0.itemID == line.key.itemID }) {
            let wanted = line.quantity.map { words("app.expected", ["quantity": $0.description]) } ?? []
            rows.append((line.key, wanted + ["-"], "", Int64.max))
        }
        rows.sort { ($0.at, $0.key) < ($1.at, $1.key) }
        let selected = line.flatMap { open in rows.firstIndex { $0.key == open.key } }
        let followed = selected ?? newest.flatMap { newest in rows.firstIndex { $0.key == newest.key } }
        let cells = rows.map { row in
            ListRow([
                "code": .text(bin.title(of: row.key)),
                "name": .text(row.key.itemID.flatMap { bin.items[$0]?.name } ?? ""), "quantity": .text(row.quantity),
                "who": .text([row.who, String(row.who.prefix(3))]),
            ])
        }
        return ListValue(cells, first: window(of: rows.count, following: followed), selected: selected)
    }

    /// A quantity in full, and rounded where there is no room for its digits: never a part of them.
    private func forms(of quantity: Decimal3?) -> [String] {
        guard let quantity else { return ["-"] }
        let whole = quantity.units / 1000
        switch whole.magnitude {
        case 1_000_000_000...: return [quantity.description, "~\(whole / 1_000_000_000)G"]
        case 1_000_000...: return [quantity.description, "~\(whole / 1_000_000)M"]
        case 10_000...: return [quantity.description, "~\(whole / 1000)k"]
        default: return quantity.units % 1000 == 0 ? [quantity.description] : [quantity.description, "~\(whole)"]
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
        if let lot = line.key.lot { state["item.lot"] = .text(words("app.lot", ["lot": lot])) }
        state["count.unit"] = .text(units.defaultUnit.unit)
        let question =
            line.wantsLot ? "count.whichLot" : line.item?.tracking == .SERIAL ? "count.serial" : "count.howMany"
        state["count.question"] = .text(words(question))
        let text = echoed
        let isSet = text.hasPrefix("=")
        let before = bin.totals.lines[line.key]?.quantity
        let preview =
            line.wantsLot ? nil : QuantityExpression.preview(isSet ? String(text.dropFirst()) : text, in: units)
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
        let before = words("app.before").first ?? ""
        let others = bin.others.compactMap { other in other.quantities[key].map { (other.name ?? before, $0) } }
        guard !others.isEmpty else {
            guard let own else { return [] }
            let soFar = words("app.soFar", ["quantity": own.description])
            return bin.missing == 0 ? soFar : soFar.flatMap { words("app.partOf", ["total": $0]) }
        }
        let sum = others.reduce(own ?? .zero) { $0 + $1.1 }
        let terms = ["\(words("app.you").first ?? "") \(own?.description ?? "-")"] + others.map { "\($0.0) \($0.1)" }
        let spaced = terms.joined(separator: " + ")
        return ["\(spaced) = \(sum)", "\(spaced)=\(sum)", "\(terms.joined(separator: "+"))=\(sum)", "= \(sum)"]
    }
}
