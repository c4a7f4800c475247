extension Painter {
    mutating func paintText(
        _ variants: [String], _ field: Drawing.DrawnField, _ slot: Drawing.DrawnSlot, y: Int, height: Int,
        style: Style? = nil, right: Bool = false
    ) {
        guard !variants.isEmpty else { return }
        let style = style ?? field.style
        if height > 1 {
            for (offset, line) in TextFitting.wrap(variants, width: slot.width, height: height).enumerated() {
                write(line, field, slot, y: y + offset, style: style, right: right)
            }
        } else {
            let text = TextFitting.fit(variants, width: slot.width, cut: field.cut)
            write(text, field, slot, y: y, style: style, right: right)
        }
    }

    private mutating func write(
        _ text: String, _ field: Drawing.DrawnField, _ slot: Drawing.DrawnSlot, y: Int, style: Style, right: Bool
    ) {
        let isRight = (field.isRight || right) && !field.isLeft
        var indent = 0
        if isRight || field.isCentered {
            indent = TextFitting.indent(
                CharacterWidth.of(text), in: slot.width, right: isRight, center: field.isCentered)
        }
        grid.put(text, column: slot.column + indent, row: y, limit: slot.width - indent, style: style)
    }

    mutating func paintValue(
        _ value: FieldValue, _ field: Drawing.DrawnField, _ slot: Drawing.DrawnSlot, y: Int, height: Int,
        style: Style? = nil
    ) {
        switch value {
        case .hidden, .flag(false), .rows: break
        case .text(let variants): paintText(variants, field, slot, y: y, height: height, style: style)
        case .number(let text), .big(let text):
            paintText([text], field, slot, y: y, height: 1, style: style, right: true)
        case .flag(true): paintText(filledText(field), field, slot, y: y, height: height, style: style)
        case .input(let input): paintText([input.text], field, slot, y: y, height: height, style: style)
        case .strip: paintStrip(value, field, slot, y: y)
        }
    }

    private func filledText(_ field: Drawing.DrawnField) -> [String] {
        field.text.map { text in Template.fill(text) { Painter.plain(state[$0]) } }
    }

    mutating func paintMessage(_ field: Drawing.DrawnField, _ slot: Drawing.DrawnSlot, y: Int, height: Int) {
        guard let message = state.message else {
            if !field.binding.isEmpty { paintValue(state[field.binding], field, slot, y: y, height: height) }
            return
        }
        var variants = message.text
        var kind = message.kind
        if !message.id.isEmpty {
            let declared = drawing.messages[message.id]
            kind = declared?.kind ?? .error
            variants = (declared?.variants ?? [message.id]).map { text in
                Template.fill(text) { message.arguments[$0] ?? Painter.plain(state[$0]) }
            }
        }
        let style: Style =
            switch kind {
            case .info: .plain
            case .notice: .bold
            case .error: [.bold, .reverse]
            case .confirm: .reverse
            }
        if style.contains(.reverse) {
            for offset in 0..<height { grid.paint(style, column: slot.column, row: y + offset, width: slot.width) }
        }
        paintText(variants, field, slot, y: y, height: height, style: style)
    }

    mutating func paintInput(_ value: FieldValue, _ field: Drawing.DrawnField, _ slot: Drawing.DrawnSlot, y: Int) {
        if case .hidden = value { return }
        let isFocused = field.binding == focus
        let style = field.style.union(isFocused ? .reverse : .underline)
        grid.paint(style, column: slot.column, row: y, width: slot.width)
        guard case .input(let input) = value else {
            paintValue(value, field, slot, y: y, height: 1, style: style)
            return
        }
        let characters = Array(field.isSecret ? String(repeating: "*", count: input.text.count) : input.text)
        let cursor = min(max(0, input.cursor), characters.count)
        var first = 0
        // Keep the cursor, and a cell for it, in view.
        while first < cursor, CharacterWidth.of(String(characters[first..<cursor])) > slot.width - 1 { first += 1 }
        var used = grid.put(
            String(characters[first...]), column: slot.column, row: y, limit: slot.width, style: style)
        if !input.trailing.isEmpty {
            used += grid.put(
                input.trailing, column: slot.column + used, row: y, limit: slot.width - used, style: style)
        }
        if isFocused {
            let before = CharacterWidth.of(String(characters[first..<cursor]))
            grid.cursor = GridPoint(column: slot.column + before, row: y)
        }
    }

    mutating func paintBig(
        _ value: FieldValue, _ field: Drawing.DrawnField, _ slot: Drawing.DrawnSlot, y: Int, height: Int
    ) {
        guard let text = Painter.plain(value) else { return }
        guard height >= BigDigits.height, BigDigits.canDraw(text), BigDigits.width(of: text) <= slot.width else {
            paintText([text], field, slot, y: y + height / 2, height: 1, style: field.style.union(.bold), right: true)
            return
        }
        let indent = field.isLeft ? 0 : slot.width - BigDigits.width(of: text)
        for offset in 0..<BigDigits.height {
            grid.put(
                BigDigits.row(offset, of: text), column: slot.column + indent, row: y + offset,
                limit: slot.width - indent, style: field.style)
        }
    }

    mutating func paintStrip(_ value: FieldValue, _ field: Drawing.DrawnField, _ slot: Drawing.DrawnSlot, y: Int) {
        guard case .strip(let text) = value else { return }
        let places = Array(text)
        guard !places.isEmpty else { return }
        let cells = min(places.count, slot.width)
        var bar = ""
        for cell in 0..<cells {
            let share = places[(cell * places.count / cells)..<((cell + 1) * places.count / cells)]
            bar.append(field.worst.first { share.contains($0) } ?? share.first ?? " ")
        }
        grid.put(bar, column: slot.column, row: y, limit: slot.width, style: field.style)
    }

    func listValue(_ list: String) -> ListValue? {
        guard case .rows(let value) = state[list] else { return nil }
        return value
    }

    mutating func paintColumn(_ field: Drawing.DrawnField, _ slot: Drawing.DrawnSlot, index: Int, y: Int) {
        guard let list = listValue(field.list), list.rows.indices.contains(list.first + index) else { return }
        let row = list.rows[list.first + index]
        var style = field.style.union(row.style)
        if list.selected == list.first + index { style.insert(.reverse) }
        let ordinal: FieldValue = field.column == "number" && index < 9 ? .text([String(index + 1)]) : .hidden
        paintValue(row.cells[field.column] ?? ordinal, field, slot, y: y, height: 1, style: style)
    }

    /// Marks the whole row, the gaps between its columns included.
    mutating func paintSelection(of list: String, row: Drawing.Row, index: Int, y: Int) {
        guard let value = listValue(list), let selected = value.selected, selected == value.first + index,
            value.rows.indices.contains(selected)
        else { return }
        let slots = row.slots.filter { drawing.fields[$0.field].list == list }
        guard let from = slots.map(\.column).min(), let to = slots.map({ $0.column + $0.width }).max() else { return }
        grid.paint(.reverse, column: from, row: y, width: to - from)
    }
}
