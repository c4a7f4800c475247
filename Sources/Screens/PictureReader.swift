/// Reads one row of a picture: `|…|`, `:`, `:|…|` or `3:|…|`.
struct PictureReader {
    let width: Int
    let line: Int
    private(set) var problems: [String] = []

    init(width: Int, line: Int) {
        self.width = width
        self.line = line
    }

    mutating func read(_ raw: Substring) -> PictureRow? {
        let text = raw.trimmed
        if text.isEmpty { return nil }
        if text == ":" {
            return PictureRow(count: .stretch, labels: [], slots: [], isBlank: true, line: line)
        }
        var body = text
        var count = RowCount.times(1)
        if let bar = text.firstIndex(of: "|"), bar > text.startIndex {
            let head = text[..<bar]
            body = text[bar...]
            guard head.last == ":" else { return refuse("a row begins with '|', ':|' or '3:|', not '\(head)'") }
            let number = head.dropLast()
            if number.isEmpty {
                count = .stretch
            } else {
                guard let times = Int(number), (1...200).contains(times) else {
                    return refuse("a row is repeated 1 to 200 times, not '\(number)'")
                }
                count = .times(times)
            }
        }
        guard body.first == "|", body.last == "|", body.utf8.count >= 2 else {
            return refuse("a picture row stands between bars: '\(text)'")
        }
        let inner = body.dropFirst().dropLast()
        let columns = CharacterWidth.of(inner)
        guard columns == width else { return refuse("row is \(columns) columns, layout is \(width)") }
        return pieces(of: inner, count: count)
    }

    private mutating func refuse(_ problem: String) -> PictureRow? {
        problems.append(problem)
        return nil
    }

    private mutating func pieces(of text: Substring, count: RowCount) -> PictureRow {
        var row = PictureRow(count: count, labels: [], slots: [], isBlank: false, line: line)
        let scalars = Array(text.unicodeScalars)
        var column = 0
        var index = 0
        while index < scalars.count {
            switch scalars[index] {
            case "[":
                guard let end = scalars[index...].firstIndex(of: "]") else {
                    problems.append("'[' without ']' in column \(column + 1)")
                    return row
                }
                let slotWidth = end - index + 1
                var tag = scalars[(index + 1)..<end]
                while tag.last == "_" { tag.removeLast() }
                let name = String(String.UnicodeScalarView(tag))
                if name.isEmpty || !name.utf8.allSatisfy(PictureReader.isTag) {
                    problems.append("'\(name)' is no tag: small letters and digits, then '_'")
                } else {
                    row.slots.append(Slot(tag: name, column: column, width: slotWidth))
                }
                column += slotWidth
                index = end + 1
            case "]":
                problems.append("']' without '[' in column \(column + 1)")
                return row
            case " ", "~":
                column += 1
                index += 1
            case "|":
                // A divider, never a part of the words beside it.
                row.labels.append(Label(text: "|", column: column, room: 1))
                column += 1
                index += 1
            default:
                let (label, next) = label(scalars, from: index, column: column)
                row.labels.append(label)
                column += label.room
                index = next
            }
        }
        return row
    }

    /// A label runs to two blanks, a slot or a reserve; the reserve after it is its room.
    private func label(_ scalars: [Unicode.Scalar], from start: Int, column: Int) -> (Label, Int) {
        var index = start
        var end = start
        while index < scalars.count, scalars[index] != "[", scalars[index] != "]", scalars[index] != "~",
            scalars[index] != "|"
        {
            if scalars[index] == " " {
                if index + 1 >= scalars.count || scalars[index + 1] == " " || scalars[index + 1] == "["
                    || scalars[index + 1] == "~"
                {
                    break
                }
            } else {
                end = index + 1
            }
            index += 1
        }
        let text = String(String.UnicodeScalarView(scalars[start..<end]))
        var room = CharacterWidth.of(text)
        var next = end
        while next < scalars.count, scalars[next] == "~" {
            next += 1
            room += 1
        }
        return (Label(text: text, column: column, room: room), next)
    }

    private static func isTag(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
