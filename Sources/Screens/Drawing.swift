import Synchronization

/// The compiled pictures of one screen, shared by its copies.
final class DrawingCache: Sendable {
    private let drawings = Mutex<[DrawingKey: Drawing]>([:])

    /// The picture of a key, made by `make` the first time.
    func drawing(_ key: DrawingKey, make: () -> Drawing) -> Drawing {
        if let known = drawings.withLock({ $0[key] }) { return known }
        let made = make()
        drawings.withLock { $0[key] = made }
        return made
    }
}

/// Names one compiled picture.
struct DrawingKey: Hashable, Sendable {
    var language: String
    var size: GridSize
}

/// A layout made ready for one language: labels already drawn, flags resolved.
struct Drawing: Sendable {
    struct Row: Sendable {
        var count: RowCount
        var isBlank: Bool
        var cells: [Cell]
        var slots: [DrawnSlot]
        /// The lists that have a column in this row.
        var lists: [String]
    }

    struct DrawnSlot: Sendable {
        var field: Int
        var column: Int
        var width: Int
    }

    struct DrawnField: Sendable {
        var kind: FieldKind
        var binding: String
        var list: String
        var column: String
        var text: [String]
        var hint: [String]
        var style: Style
        var cut: TextFitting.Cut
        var isRight: Bool
        var isLeft: Bool
        var isCentered: Bool
        var isWrapped: Bool
        var isSecret: Bool
        var show: String
        var worst: [Character]
    }

    var size: GridSize
    var rows: [Row]
    var fields: [DrawnField]
    /// The bindings of the inputs in the order that Enter walks through them.
    var inputs: [String]
    var messages: [String: MessageText]

    struct MessageText: Sendable {
        var kind: MessageKind
        var variants: [String]
    }

    init(_ layout: Layout, catalog: Catalog?, base: Catalog?, messages: [String: MessageText]) {
        size = layout.size
        self.messages = messages
        var indexes: [String: Int] = [:]
        var drawn: [DrawnField] = []
        for field in layout.fields where indexes[field.tag] == nil {
            indexes[field.tag] = drawn.count
            drawn.append(DrawnField(field, at: layout.size) { catalog?.texts[$0] ?? base?.texts[$0] ?? [$0] })
        }
        fields = drawn
        rows = layout.rows.map { Row($0, width: layout.size.width, indexes: indexes, fields: drawn, catalog: catalog) }
        inputs = Drawing.inputs(of: layout)
    }

    private static func inputs(of layout: Layout) -> [String] {
        var found: [(order: Int, binding: String)] = []
        let byTag = Dictionary(layout.fields.map { ($0.tag, $0) }, uniquingKeysWith: { first, _ in first })
        for row in layout.rows {
            for slot in row.slots {
                guard let field = byTag[slot.tag], field.kind == .input,
                    !found.contains(where: { $0.binding == field.binding })
                else { continue }
                let order = field.flag("order", at: layout.size).flatMap { Int($0) }
                found.append((order ?? 1_000 + found.count, field.binding))
            }
        }
        return found.sorted { $0.order < $1.order }.map(\.binding)
    }
}

extension Drawing.DrawnField {
    init(_ field: Field, at size: GridSize, text: (String) -> [String]) {
        kind = field.kind
        binding = field.binding
        list = field.isColumn ? field.listBinding : ""
        column = field.isColumn ? field.column : ""
        self.text = field.textKey.isEmpty ? [] : text(field.textKey)
        hint = field.flag("hint", at: size).map(text) ?? []
        style = []
        for flag in field.flags where flag.size == nil || flag.size == size {
            if let one = Style(word: flag.name) { style.insert(one) }
        }
        cut = field.flag("cut", at: size).flatMap { TextFitting.Cut(rawValue: $0) } ?? .middle
        isRight = field.flag("right", at: size) != nil || field.flag("number", at: size) != nil
        isLeft = field.flag("left", at: size) != nil
        isCentered = field.flag("center", at: size) != nil
        isWrapped = field.flag("wrap", at: size) != nil
        isSecret = field.flag("secret", at: size) != nil
        show = field.flag("show", at: size) ?? ""
        worst = Array(field.flag("worst", at: size) ?? "!.:#")
    }
}

extension Drawing.Row {
    init(
        _ row: PictureRow, width: Int, indexes: [String: Int], fields: [Drawing.DrawnField], catalog: Catalog?
    ) {
        count = row.count
        isBlank = row.isBlank
        var grid = CellGrid(size: GridSize(width, 1))
        for label in row.labels {
            let variants = catalog?.labels[label.text] ?? [label.text]
            let text = TextFitting.fit(variants, width: label.room, cut: .end)
            grid.put(text, column: label.column, row: 0, limit: label.room)
            grid.paint(.bold, column: label.column, row: 0, width: Label.boldWidth(of: text))
        }
        cells = grid.cells
        slots = row.slots.compactMap { slot in
            indexes[slot.tag].map { Drawing.DrawnSlot(field: $0, column: slot.column, width: slot.width) }
        }
        var lists: [String] = []
        for slot in slots where !fields[slot.field].list.isEmpty && !lists.contains(fields[slot.field].list) {
            lists.append(fields[slot.field].list)
        }
        self.lists = lists
    }
}

extension Label {
    /// What is asked for and what heads a part is written in capitals and drawn bold: the columns of the words in
    /// capitals that a text begins with.
    static func boldWidth(of text: String) -> Int {
        var width = 0
        var capitals = 0
        for word in text.split(separator: " ") {
            if word.unicodeScalars.contains(where: { $0.properties.isLowercase }) { break }
            capitals += word.unicodeScalars.reduce(0) { $0 + ($1.properties.isUppercase ? 1 : 0) }
            width += CharacterWidth.of(word) + (width > 0 ? 1 : 0)
        }
        return capitals >= 3 ? width : 0
    }

    /// Whether there is something to translate: two letters side by side.
    var isTranslated: Bool {
        var last = false
        for scalar in text.unicodeScalars {
            let isLetter = scalar.properties.isAlphabetic
            if isLetter && last { return true }
            last = isLetter
        }
        return false
    }
}

extension Drawing {
    /// The picture rows for a height, each with its template's index.
    func expanded(height: Int) -> [Int] {
        var fixed = 0
        for row in rows {
            if case .times(let times) = row.count { fixed += times }
        }
        var indexes: [Int] = []
        indexes.reserveCapacity(height)
        for (index, row) in rows.enumerated() {
            let times =
                switch row.count {
                case .times(let times): times
                case .stretch: max(0, height - fixed)
                }
            for _ in 0..<times where indexes.count < height { indexes.append(index) }
        }
        return indexes
    }

    /// How many rows of a list are in view at a height.
    func capacity(of list: String, height: Int) -> Int {
        expanded(height: height).reduce(0) { $0 + (rows[$1].lists.contains(list) ? 1 : 0) }
    }
}
