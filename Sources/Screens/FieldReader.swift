/// Reads one line of `@fields`: `tag = kind binding {key} | flags`.
struct FieldReader {
    let line: Int
    private(set) var problems: [String] = []

    /// The flags and whether each wants a value.
    static let flagNames: [String: FlagValue] = [
        "right": .none, "center": .none, "left": .none, "wrap": .none, "live": .none, "required": .none,
        "scroll": .none, "secret": .none, "signed": .none, "number": .none,
        "bold": .none, "reverse": .none, "underline": .none, "dim": .none, "blink": .none,
        "max": .count, "digits": .count, "room": .count, "order": .count, "min": .count,
        "hide": .sizes, "show": .path, "hint": .path, "scan": .paths, "cut": .cut, "worst": .any,
    ]

    enum FlagValue {
        case none, count, sizes, path, paths, cut, any
    }

    init(line: Int) { self.line = line }

    mutating func read(_ text: Substring) -> Field? {
        guard let (tag, rest) = ScreenParser.assignment(text),
            tag.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) })
        else {
            problems.append("a field is written 'tag = kind binding | flags', not '\(text)'")
            return nil
        }
        let parts = rest.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
        let (words, key) = ScreenParser.wordsAndKey(parts.first ?? "")
        guard let word = words.first, let kind = FieldKind(rawValue: String(word)) else {
            problems.append("field '\(tag)' is of unknown kind '\(words.first ?? "")'")
            return nil
        }
        guard words.count <= 2 else {
            problems.append("field '\(tag)' has one binding, not '\(words[1...].joined(separator: " "))'")
            return nil
        }
        let binding = words.count == 2 ? String(words[1]) : ""
        if !binding.isEmpty && !ScreenParser.isPath(binding) {
            problems.append("field '\(tag)': '\(binding)' is no binding path")
        }
        check(tag, kind, binding: binding, key: key)
        let flags = parts.count > 1 ? readFlags(parts[1], of: tag) : []
        return Field(
            tag: String(tag), kind: kind, binding: binding, textKey: key ?? "", flags: flags, line: line)
    }

    private mutating func check(_ tag: Substring, _ kind: FieldKind, binding: String, key: String?) {
        switch kind {
        case .text, .keybar:
            if key == nil { problems.append("field '\(tag)' has no {key}") }
            if !binding.isEmpty { problems.append("field '\(tag)' is a \(kind.rawValue) and has no binding") }
        case .value, .input, .big, .strip:
            if binding.isEmpty { problems.append("field '\(tag)' has no binding") }
        case .list, .choice:
            if !binding.contains(".") { problems.append("field '\(tag)' wants LIST.COLUMN, not '\(binding)'") }
        case .hint, .message: break
        }
    }

    private mutating func readFlags(_ text: Substring, of tag: Substring) -> [FieldFlag] {
        var flags: [FieldFlag] = []
        for word in text.split(separator: " ") {
            let sides = word.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
            var size: GridSize?
            if sides.count == 2 {
                size = GridSize(sides[1])
                if size == nil {
                    problems.append("field '\(tag)': '\(word)' names no layout after '@'")
                    continue
                }
            }
            let pair = sides[0].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(pair[0])
            let value = pair.count == 2 ? String(pair[1]) : ""
            guard let wanted = FieldReader.flagNames[name] else {
                problems.append("field '\(tag)' has the unknown flag '\(word)'")
                continue
            }
            guard FieldReader.isValid(value, for: wanted) else {
                problems.append("field '\(tag)': flag '\(word)' has a wrong value")
                continue
            }
            flags.append(FieldFlag(name: name, value: value, size: size))
        }
        return flags
    }

    private static func isValid(_ value: String, for wanted: FlagValue) -> Bool {
        switch wanted {
        case .none: value.isEmpty
        case .count: Int(value).map { (0...999).contains($0) } ?? false
        case .sizes:
            !value.isEmpty
                && value.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { GridSize($0) != nil }
        case .path: ScreenParser.isPath(value)
        case .paths:
            !value.isEmpty
                && value.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { ScreenParser.isPath($0) }
        case .cut: value == "middle" || value == "end" || value == "start"
        case .any: !value.isEmpty
        }
    }
}
