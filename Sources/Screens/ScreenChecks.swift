/// The checks of one screen that need no app: pictures, fields, keys, texts and translations.
struct ScreenChecks {
    let screen: Screen
    let catalogs: [String: Catalog]
    private(set) var found: [ScreenDiagnostic] = []

    init(_ screen: Screen, catalogs: [String: Catalog]) {
        self.screen = screen
        self.catalogs = catalogs
    }

    mutating func run() {
        if screen.layouts.isEmpty { report("screen '\(screen.name)' has no @layout", at: screen.line) }
        checkKeys()
        var fields: [Field] = []
        for layout in screen.layouts {
            if layout.shared.isEmpty {
                checkRows(layout)
                checkTags(layout)
                fields = layout.fields
                for row in layout.rows { checkLabels(row, layout) }
            }
            checkSlots(layout)
        }
        checkTexts(fields)
    }

    mutating func report(_ text: String, at line: Int) {
        let diagnostic = ScreenDiagnostic(file: screen.file, line: line, text: text)
        if !found.contains(diagnostic) { found.append(diagnostic) }
    }

    private mutating func checkKeys() {
        let exits: [Key] = [.function(3), .escape]
        if !screen.keys.contains(where: { !Set($0.keys).isDisjoint(with: exits) }) {
            report("screen '\(screen.name)' binds neither F3 nor Esc: nobody could leave it", at: screen.line)
        }
    }

    private mutating func checkRows(_ layout: Layout) {
        var height = 0
        var stretch: PictureRow?
        for row in layout.rows {
            switch row.count {
            case .times(let times): height += times
            case .stretch:
                if let stretch {
                    report(
                        "layout \(layout.size) has a second stretch row, the first is line \(stretch.line)",
                        at: row.line)
                } else {
                    stretch = row
                    if !row.isBlank { height += 1 }
                }
            }
        }
        if stretch == nil && height != layout.size.height {
            report("layout \(layout.size) has \(height) rows and no ':' row", at: layout.line)
        } else if height > layout.size.height {
            report("layout \(layout.size) has \(height) rows", at: layout.line)
        }
    }

    private mutating func checkTags(_ layout: Layout) {
        let drawn = Set(layout.rows.flatMap { $0.slots.map(\.tag) })
        let known = Set(layout.fields.map(\.tag))
        for row in layout.rows {
            for slot in row.slots where !known.contains(slot.tag) {
                report("[\(slot.tag)] has no field entry", at: row.line)
            }
        }
        for field in layout.fields {
            let isHidden = field.hidden.contains(layout.size)
            if !drawn.contains(field.tag) && !isHidden {
                report("field '\(field.tag)' is not in \(layout.size) and not declared hidden", at: field.line)
            } else if drawn.contains(field.tag) && isHidden {
                report("field '\(field.tag)' is in \(layout.size) and declared hidden there", at: field.line)
            }
            for flag in field.flags {
                let sizes = flag.size.map { [$0] } ?? (flag.name == "hide" ? field.hidden : [])
                for size in sizes where !screen.sizes.contains(size) {
                    report("field '\(field.tag)' names the layout \(size), which is not drawn", at: field.line)
                }
            }
        }
        for kind in [FieldKind.message, .keybar]
        where !layout.fields.contains(where: { $0.kind == kind && drawn.contains($0.tag) }) {
            report("layout \(layout.size) has no \(kind.rawValue)", at: layout.line)
        }
    }

    private mutating func checkLabels(_ row: PictureRow, _ layout: Layout) {
        for label in row.labels where label.isTranslated {
            for (language, catalog) in catalogs.sorted(by: { $0.key < $1.key }) {
                guard language != ScreenLibrary.baseLanguage || catalog.labels[label.text] != nil else { continue }
                guard let variants = catalog.labels[label.text] else {
                    report("\(language): '\(label.text)' is not translated", at: row.line)
                    continue
                }
                if !variants.contains(where: { CharacterWidth.of($0) <= label.room }) {
                    report(
                        "\(language): '\(label.text)' → none of \(variants.joined(separator: ", ")) fits"
                            + " \(label.room) columns of \(layout.size)", at: row.line)
                }
            }
        }
    }

    private mutating func checkSlots(_ layout: Layout) {
        let fields = Dictionary(layout.fields.map { ($0.tag, $0) }, uniquingKeysWith: { first, _ in first })
        for (index, row) in layout.rows.enumerated() {
            for slot in row.slots {
                guard let field = fields[slot.tag] else { continue }
                if layout.shared.isEmpty { checkRoom(slot, field, layout, rowIndex: index) }
                if field.kind == .keybar { checkKeyBar(field, slot, layout) }
                if field.kind == .text { checkText(field, slot, layout, rowIndex: index) }
            }
        }
    }

    private mutating func checkRoom(_ slot: Slot, _ field: Field, _ layout: Layout, rowIndex: Int) {
        func count(_ name: String) -> Int? { field.flag(name, at: layout.size).flatMap { Int($0) } }
        let line = layout.rows[rowIndex].line
        if let room = count("room"), slot.width < room {
            report("[\(slot.tag)] has \(slot.width) cells, the field wants \(room)", at: line)
        }
        if field.kind == .input, field.flag("scroll", at: layout.size) == nil,
            let longest = count("max") ?? count("digits"), slot.width < longest
        {
            report("[\(slot.tag)] has \(slot.width) cells for \(longest) characters and does not scroll", at: line)
        }
        if field.kind == .big {
            let isFirst = rowIndex == 0 || !layout.rows[rowIndex - 1].slots.contains { $0.tag == slot.tag }
            guard isFirst else { return }
            let height = height(of: slot, from: rowIndex, in: layout)
            if height != BigDigits.height { report("[\(slot.tag)] is \(height) rows high, big digits are 5", at: line) }
            let digits = count("digits") ?? 1
            if slot.width < 4 * digits - 1 {
                report("[\(slot.tag)] has \(slot.width) cells, \(digits) big digits take \(4 * digits - 1)", at: line)
            }
        }
    }

    private func height(of slot: Slot, from index: Int, in layout: Layout) -> Int {
        var height = 0
        for row in layout.rows[index...] {
            guard row.slots.contains(where: { $0.tag == slot.tag && $0.column == slot.column }) else { break }
            if case .times(let times) = row.count { height += times } else { height += 1 }
        }
        return height
    }

    /// Every key that the bar names is bound, and the bar fits in each language.
    private mutating func checkKeyBar(_ field: Field, _ slot: Slot, _ layout: Layout) {
        for (language, catalog) in catalogs.sorted(by: { $0.key < $1.key }) {
            guard let variants = catalog.texts[field.textKey] else { continue }
            guard let bar = variants.first(where: { CharacterWidth.of($0) <= slot.width }) else {
                report("\(language): no form of the key bar {\(field.textKey)} fits \(layout.size)", at: layout.line)
                continue
            }
            for word in bar.split(separator: " ") where ScreenChecks.namesKey(word) {
                guard let keys = ScreenParser.keys(named: word) else { continue }
                if !screen.keys.contains(where: { !Set($0.keys).isDisjoint(with: keys) }) {
                    report("\(language): the key bar names \(word), which is not bound", at: layout.line)
                }
            }
        }
    }

    /// Whether a word of a key bar is a key: a capital, `?`, `/`, `F3`, `1-9` or the name of a key.
    private static func namesKey(_ word: Substring) -> Bool {
        guard let first = word.utf8.first else { return false }
        if word.utf8.count == 1 { return (0x41...0x5A).contains(first) || first == 0x3F || first == 0x2F }
        if first == UInt8(ascii: "F"), Int(word.dropFirst()) != nil { return true }
        return ["Enter", "Space", "Tab", "Esc", "PgUp", "PgDn", "1-9"].contains(word)
    }

    private mutating func checkText(_ field: Field, _ slot: Slot, _ layout: Layout, rowIndex: Int) {
        let isBlock = height(of: slot, from: rowIndex, in: layout) > 1
        guard layout.shared.isEmpty, !isBlock,
            rowIndex == 0 || !layout.rows[rowIndex - 1].slots.contains(where: { $0.tag == slot.tag })
        else { return }
        for (language, catalog) in catalogs.sorted(by: { $0.key < $1.key }) {
            guard let variants = catalog.texts[field.textKey] else { continue }
            let bare = variants.map { Template.fill($0) { _ in nil } }
            if !bare.contains(where: { CharacterWidth.of($0) <= slot.width }) {
                report(
                    "\(language): no form of {\(field.textKey)} fits the \(slot.width) cells of [\(slot.tag)]"
                        + " in \(layout.size)", at: layout.rows[rowIndex].line)
            }
        }
    }

    /// Every catalog key that the file names is in every catalog.
    private mutating func checkTexts(_ fields: [Field]) {
        var wanted: [(key: String, line: Int)] = fields.filter { !$0.textKey.isEmpty }.map { ($0.textKey, $0.line) }
        for field in fields {
            for flag in field.flags where flag.name == "hint" { wanted.append((flag.value, field.line)) }
        }
        wanted += screen.keys.filter { !$0.label.isEmpty }.map { ($0.label, $0.line) }
        wanted += screen.messages.values.map { ($0.textKey, $0.line) }
        for (key, line) in wanted.sorted(by: { ($0.line, $0.key) < ($1.line, $1.key) }) {
            for (language, catalog) in catalogs.sorted(by: { $0.key < $1.key }) where catalog.texts[key] == nil {
                report("{\(key)} is not in \(language).catalog", at: line)
            }
        }
    }
}
