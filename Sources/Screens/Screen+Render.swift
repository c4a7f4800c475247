extension Screen {
    /// Draws the screen.
    ///
    /// The largest declared layout that fits is used, at the left top, its stretch row filling the height. Below the
    /// smallest layout a page says which size is wanted. The same arguments always give the same grid.
    ///
    /// - Parameters:
    ///   - size: the terminal's size, or the part of it that is used
    ///   - state: values, focus and message
    ///   - language: a language with a catalog; others are shown in English
    public func render(size: GridSize, state: ScreenState, language: String) -> CellGrid {
        guard let drawing = drawing(for: size, language: language) else { return tooSmall(size) }
        var painter = Painter(drawing: drawing, size: size, state: state)
        painter.paint()
        return painter.grid
    }

    /// The bindings of the inputs drawn at a size, in the order that Enter walks through them.
    public func inputs(size: GridSize) -> [String] {
        drawing(for: size, language: ScreenLibrary.baseLanguage)?.inputs ?? []
    }

    /// How many rows of a list can be seen at a size.
    public func capacity(of list: String, size: GridSize) -> Int {
        drawing(for: size, language: ScreenLibrary.baseLanguage)?.capacity(of: list, height: size.height) ?? 0
    }

    /// The rows that a text takes in a column of a list at a size: the first form that is one row, else the first of all
    /// on as many as it needs.
    public func lines(of texts: [String], in column: String, size: GridSize) -> [String] {
        guard let layout = layouts.first(where: { $0.size.fits(in: size) }),
            let tag = layout.fields.first(where: { $0.binding == column })?.tag,
            let width = layout.rows.flatMap(\.slots).first(where: { $0.tag == tag })?.width, let first = texts.first
        else { return [texts.first ?? ""] }
        if let fitting = texts.first(where: { CharacterWidth.of($0) <= width }) { return [fitting] }
        return TextFitting.wrap(first, width: width, height: first.count)
    }

    private func drawing(for size: GridSize, language: String) -> Drawing? {
        guard let layout = layouts.first(where: { $0.size.fits(in: size) }) else { return nil }
        let language = catalogs[language] == nil ? ScreenLibrary.baseLanguage : language
        return drawings.drawing(DrawingKey(language: language, size: layout.size)) {
            let catalog = catalogs[language]
            let base = catalogs[ScreenLibrary.baseLanguage]
            let messages = self.messages.mapValues { message in
                Drawing.MessageText(
                    kind: message.kind,
                    variants: catalog?.texts[message.textKey] ?? base?.texts[message.textKey] ?? [message.textKey])
            }
            return Drawing(layout, catalog: catalog, base: base, messages: messages)
        }
    }

    private func tooSmall(_ size: GridSize) -> CellGrid {
        var grid = CellGrid(size: size)
        let wanted = sizes.last.map { "need \($0)" } ?? "no picture"
        grid.put("too small", column: 0, row: 0, style: .reverse)
        grid.put("have \(size)", column: 0, row: 1)
        grid.put(wanted, column: 0, row: 2)
        return grid
    }
}
