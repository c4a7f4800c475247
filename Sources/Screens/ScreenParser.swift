/// Reads one screen file; whatever it holds, the answer is what could be read and a list of what is wrong.
struct ScreenParser {
    let file: String
    private(set) var diagnostics: [ScreenDiagnostic] = []
    private(set) var name = ""
    private(set) var nameLine = 0
    private(set) var isCommon = false
    private(set) var layouts: [Layout] = []
    private(set) var fields: [Field] = []
    private(set) var keys: [KeyBinding] = []
    private(set) var scans: [String: ScanRule] = [:]
    private(set) var messages: [String: MessageDeclaration] = [:]
    private var section = Section.none
    private var line = 0

    private enum Section {
        case none, layout, shared, fields, keys, scans, messages, unknown
    }

    init(file: String, text: String) {
        self.file = file
        for raw in text.lines {
            line += 1
            read(raw)
        }
        if name.isEmpty && !isCommon { report("no @screen line: the first section names the screen", at: 1) }
        for index in layouts.indices { layouts[index].fields = fields }
    }

    mutating func report(_ text: String, at line: Int? = nil) {
        diagnostics.append(ScreenDiagnostic(file: file, line: line ?? self.line, text: text))
    }

    private mutating func read(_ raw: Substring) {
        if section == .layout, let first = raw.utf8.first, first != UInt8(ascii: "@"), first != UInt8(ascii: "#") {
            readPicture(raw)
            return
        }
        let text = raw.trimmed
        if text.isEmpty || text.utf8.first == UInt8(ascii: "#") { return }
        if text.utf8.first == UInt8(ascii: "@") {
            open(text)
            return
        }
        switch section {
        case .none: report("'\(text)' stands before the first section")
        case .unknown: break
        case .layout: break
        case .shared: report("a layout that is drawn 'as' another has no rows")
        case .fields: readField(text)
        case .keys: readKey(text)
        case .scans: readScan(text)
        case .messages: readMessage(text)
        }
    }

    private mutating func open(_ text: Substring) {
        let words = text.split(separator: " ")
        switch words[0] {
        case "@screen":
            section = .none
            guard words.count >= 2, ScreenParser.isPath(words[1]) else {
                return report("@screen wants a name: @screen count 1")
            }
            if !name.isEmpty { return report("a second @screen in one file: '\(words[1])'") }
            name = String(words[1])
            nameLine = line
        case "@common":
            section = .none
            isCommon = true
        case "@layout": openLayout(words)
        case "@fields": section = .fields
        case "@keys": section = .keys
        case "@scans": section = .scans
        case "@messages": section = .messages
        default:
            section = .unknown
            report("unknown section '\(words[0])'")
        }
    }

    private mutating func openLayout(_ words: [Substring]) {
        section = .layout
        guard words.count >= 2, let size = GridSize(words[1]) else {
            section = .unknown
            return report("@layout wants a size: @layout 20x16, not '\(words.dropFirst().joined(separator: " "))'")
        }
        if layouts.contains(where: { $0.size == size }) {
            section = .unknown
            return report("layout \(size) is drawn twice")
        }
        var shared = ""
        if words.count > 2 {
            guard words.count == 4, words[2] == "as", ScreenParser.isPath(words[3]) else {
                section = .unknown
                return report(
                    "after the size comes nothing or 'as SCREEN', not '\(words[2...].joined(separator: " "))'")
            }
            shared = String(words[3])
            section = .shared
        }
        layouts.append(Layout(size: size, rows: [], shared: shared, line: line, file: file, fields: []))
    }

    private mutating func readPicture(_ raw: Substring) {
        guard let layout = layouts.last else { return }
        var reader = PictureReader(width: layout.size.width, line: line)
        if let row = reader.read(raw) { layouts[layouts.count - 1].rows.append(row) }
        for problem in reader.problems { report(problem) }
    }

    private mutating func readKey(_ text: Substring) {
        guard let (name, rest) = ScreenParser.assignment(text) else {
            return report("a key is written 'F3 = action {label}', not '\(text)'")
        }
        let (words, key) = ScreenParser.wordsAndKey(rest)
        guard words.count == 1, ScreenParser.isPath(words[0]) else {
            return report("key \(name) wants one action: '\(rest)'")
        }
        guard let meant = ScreenParser.keys(named: name) else { return report("'\(name)' is no key") }
        if let twice = keys.first(where: { !Set($0.keys).isDisjoint(with: meant) }) {
            return report("key \(name) is bound twice, first on line \(twice.line)")
        }
        keys.append(
            KeyBinding(name: String(name), keys: meant, action: String(words[0]), label: key ?? "", line: line))
    }

    /// `1-9` means nine keys, a letter only itself.
    static func keys(named name: Substring) -> [Key]? {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        if parts.count == 2, let from = Int(parts[0]), let to = Int(parts[1]), (0...9).contains(from), from < to,
            to <= 9
        {
            return (from...to).map { .character(Character(String($0))) }
        }
        return Key(name: name).map { [$0] }
    }

    private mutating func readScan(_ text: Substring) {
        guard let (kind, rest) = ScreenParser.assignment(text), ScreenParser.isPath(kind) else {
            return report("a scan is written 'item = take', not '\(text)'")
        }
        guard let rule = ScanRule(rawValue: String(rest)) else {
            return report("a scan is take, hold or refuse, not '\(rest)'")
        }
        if scans.updateValue(rule, forKey: String(kind)) != nil { report("scan \(kind) is named twice") }
    }

    private mutating func readMessage(_ text: Substring) {
        guard let (id, rest) = ScreenParser.assignment(text), ScreenParser.isPath(id) else {
            return report("a message is written 'id = error {key}', not '\(text)'")
        }
        let (words, key) = ScreenParser.wordsAndKey(rest)
        guard words.count == 1, let kind = MessageKind(rawValue: String(words[0])) else {
            return report("message \(id) is info, notice, error or confirm, not '\(words.joined(separator: " "))'")
        }
        guard let key else { return report("message \(id) has no {key}") }
        if messages[String(id)] != nil { return report("message \(id) is declared twice") }
        messages[String(id)] = MessageDeclaration(kind: kind, textKey: key, line: line)
    }

    private mutating func readField(_ text: Substring) {
        var reader = FieldReader(line: line)
        if let field = reader.read(text) {
            if let first = fields.first(where: { $0.tag == field.tag }) {
                report("field '\(field.tag)' is declared twice, first on line \(first.line)")
            } else {
                fields.append(field)
            }
        }
        for problem in reader.problems { report(problem) }
    }
}

extension ScreenParser {
    /// Splits `name = rest` at the first ` = `.
    static func assignment(_ text: Substring) -> (Substring, Substring)? {
        let bytes = text.utf8
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == UInt8(ascii: "=") {
                // A key may itself be '=': look for one with something before it.
                let name = text[..<index].trimmed
                let rest = text[bytes.index(after: index)...].trimmed
                if !name.isEmpty { return rest.isEmpty ? nil : (name, rest) }
            }
            index = bytes.index(after: index)
        }
        return nil
    }

    /// The words before `{key}`, and the key.
    static func wordsAndKey(_ text: Substring) -> ([Substring], String?) {
        var words: [Substring] = []
        var key: String?
        for word in text.split(separator: " ") {
            if word.utf8.first == UInt8(ascii: "{"), word.utf8.last == UInt8(ascii: "}"), word.utf8.count > 2 {
                key = String(word.dropFirst().dropLast())
            } else {
                words.append(word)
            }
        }
        return (words, key)
    }

    /// Whether a text is letters and digits in parts joined by dots or hyphens.
    static func isPath(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, isLetter(first) else { return false }
        var last: UInt8 = 0
        for byte in text.utf8 {
            let isJoint = byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            guard isLetter(byte) || (0x30...0x39).contains(byte) || isJoint else { return false }
            if isJoint && (last == UInt8(ascii: ".") || last == UInt8(ascii: "-")) { return false }
            last = byte
        }
        return last != UInt8(ascii: ".") && last != UInt8(ascii: "-")
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}

extension String {
    /// The lines, ended by LF or CR LF; split as bytes, since Swift takes CR LF for one character.
    var lines: [Substring] {
        utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map {
            Substring($0.last == 0x0D ? $0.dropLast() : $0)
        }
    }
}

extension StringProtocol {
    /// Without blanks and tabs at both ends.
    var trimmed: SubSequence {
        let bytes = utf8
        var start = bytes.startIndex
        while start < bytes.endIndex, bytes[start] == 0x20 || bytes[start] == 0x09 {
            start = bytes.index(after: start)
        }
        var end = start
        var index = start
        while index < bytes.endIndex {
            let byte = bytes[index]
            index = bytes.index(after: index)
            if byte != 0x20 && byte != 0x09 { end = index }
        }
        return self[start..<end]
    }
}
