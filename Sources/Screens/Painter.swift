/// Draws one state; lives for one frame.
struct Painter {
    let drawing: Drawing
    let state: ScreenState
    var grid: CellGrid
    private let rowIndexes: [Int]
    let focus: String?

    init(drawing: Drawing, size: GridSize, state: ScreenState) {
        self.drawing = drawing
        self.state = state
        grid = CellGrid(size: size)
        rowIndexes = drawing.expanded(height: size.height)
        if let wanted = state.focus {
            focus = drawing.inputs.contains(wanted) ? wanted : nil
        } else {
            focus = drawing.inputs.first
        }
    }

    mutating func paint() {
        let width = drawing.size.width
        for (y, index) in rowIndexes.enumerated() where !drawing.rows[index].isBlank {
            let cells = drawing.rows[index].cells
            grid.cells.replaceSubrange(y * grid.size.width..<y * grid.size.width + width, with: cells)
        }
        var listRows: [String: Int] = [:]
        for (y, index) in rowIndexes.enumerated() {
            let row = drawing.rows[index]
            for list in row.lists { paintSelection(of: list, row: row, index: listRows[list] ?? 0, y: y) }
            for slot in row.slots {
                let field = drawing.fields[slot.field]
                if !field.list.isEmpty {
                    paintColumn(field, slot, index: listRows[field.list] ?? 0, y: y)
                } else if !isContinued(slot, above: y) {
                    paint(field, slot, y: y, height: blockHeight(of: slot, from: y))
                }
            }
            for list in row.lists { listRows[list, default: 0] += 1 }
        }
    }

    /// Whether the row above holds the same field in the same columns, so that this slot is part of its block.
    private func isContinued(_ slot: Drawing.DrawnSlot, above y: Int) -> Bool {
        y > 0 && hasSlot(slot, at: y - 1)
    }

    private func hasSlot(_ slot: Drawing.DrawnSlot, at y: Int) -> Bool {
        drawing.rows[rowIndexes[y]].slots.contains { $0.field == slot.field && $0.column == slot.column }
    }

    private func blockHeight(of slot: Drawing.DrawnSlot, from y: Int) -> Int {
        var height = 1
        while y + height < rowIndexes.count, hasSlot(slot, at: y + height) { height += 1 }
        return height
    }

    private mutating func paint(_ field: Drawing.DrawnField, _ slot: Drawing.DrawnSlot, y: Int, height: Int) {
        guard isShown(field) else { return }
        switch field.kind {
        case .text: paintText(filled(field.text), field, slot, y: y, height: height)
        case .keybar: paintText(state.keys.isEmpty ? field.text : state.keys, field, slot, y: y, height: height)
        case .value: paintValue(state[field.binding], field, slot, y: y, height: height)
        case .input: paintInput(state[field.binding], field, slot, y: y)
        case .big: paintBig(state[field.binding], field, slot, y: y, height: height)
        case .strip: paintStrip(state[field.binding], field, slot, y: y)
        case .hint: paintText(hint(field), field, slot, y: y, height: height)
        case .message: paintMessage(field, slot, y: y, height: height)
        case .list, .choice: break
        }
    }

    private func isShown(_ field: Drawing.DrawnField) -> Bool {
        guard !field.show.isEmpty else { return true }
        switch state[field.show] {
        case .hidden, .flag(false), .text([]), .text([""]), .number(""): return false
        default: return true
        }
    }

    private func hint(_ field: Drawing.DrawnField) -> [String] {
        if let focus, let input = drawing.fields.first(where: { $0.binding == focus && $0.kind == .input }),
            !input.hint.isEmpty
        {
            return filled(input.hint)
        }
        return filled(field.text)
    }

    /// A catalog text with its bindings filled in; nothing where one of them has nothing to show.
    private func filled(_ variants: [String]) -> [String] {
        guard variants.contains(where: { $0.utf8.contains(UInt8(ascii: "{")) }) else { return variants }
        return variants.compactMap { variant in
            var isWhole = true
            let text = Template.fill(variant) { name in
                guard let value = Painter.plain(state[name]) else {
                    isWhole = false
                    return nil
                }
                return value
            }
            return isWhole ? text : nil
        }
    }

    /// A value as words in a sentence.
    static func plain(_ value: FieldValue) -> String? {
        switch value {
        case .text(let variants): variants.first.flatMap { $0.isEmpty ? nil : $0 }
        case .number(let text), .big(let text): text.isEmpty ? nil : text
        case .input(let input): input.text.isEmpty ? nil : input.text
        case .hidden, .flag, .rows, .strip: nil
        }
    }
}
