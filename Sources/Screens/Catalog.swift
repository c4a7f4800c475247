/// The texts of one language: `key = long|short|shorter`, and `"Label" = …` for labels drawn in the pictures.
public struct Catalog: Sendable {
    /// The language, as in the file's name: `en`, `de`.
    public let language: String
    /// Variants by key, longest first.
    public private(set) var texts: [String: [String]] = [:]
    /// Variants of a label by its text in the base language, longest first.
    public private(set) var labels: [String: [String]] = [:]
    private(set) var lines: [String: Int] = [:]
    private(set) var diagnostics: [ScreenDiagnostic] = []
    let file: String

    /// Reads a catalog; lines that say nothing are reported and left out.
    public init(language: String, file: String, text: String) {
        self.language = language
        self.file = file
        var number = 0
        for raw in text.lines {
            number += 1
            let line = raw.trimmed
            if line.isEmpty || line.utf8.first == UInt8(ascii: "#") { continue }
            read(line, at: number)
        }
    }

    private mutating func read(_ line: Substring, at number: Int) {
        let isLabel = line.utf8.first == UInt8(ascii: "\"")
        var key = ""
        var rest: Substring
        if isLabel {
            guard let end = line.range(ofQuoteEqual: ()) else {
                return report("a label is written \"Label\" = text, not '\(line)'", at: number)
            }
            key = String(line[line.index(after: line.startIndex)..<end.lowerBound])
            rest = line[end.upperBound...].trimmed
        } else {
            guard let (name, text) = ScreenParser.assignment(line) else {
                return report("a text is written 'key = long|short', not '\(line)'", at: number)
            }
            guard ScreenParser.isPath(name) else { return report("'\(name)' is no key", at: number) }
            key = String(name)
            rest = text
        }
        let variants = rest.split(separator: "|", omittingEmptySubsequences: false).map { String($0.trimmed) }
        guard variants.contains(where: { !$0.isEmpty }) else { return report("'\(key)' has no text", at: number) }
        if isLabel ? labels[key] != nil : texts[key] != nil { return report("'\(key)' stands twice", at: number) }
        lines[key] = number
        if isLabel { labels[key] = variants } else { texts[key] = variants }
    }

    private mutating func report(_ text: String, at line: Int) {
        diagnostics.append(ScreenDiagnostic(file: file, line: line, text: text))
    }

    /// The line that a key or label stands on, 0 where it is missing.
    func line(of key: String) -> Int { lines[key] ?? 0 }
}

extension Substring {
    /// The closing quote and equals sign of `"Label" = text`.
    fileprivate func range(ofQuoteEqual: Void) -> Range<Index>? {
        var index = self.index(after: startIndex)
        while index < endIndex {
            if self[index] == "\"" {
                let after = self.index(after: index)
                let rest = self[after...].trimmed
                if rest.first == "=" { return index..<rest.index(after: rest.startIndex) }
            }
            index = self.index(after: index)
        }
        return nil
    }
}

/// Texts with `{name}` in them.
enum Template {
    /// The names between braces.
    static func names(in text: String) -> [String] {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return [] }
        var names: [String] = []
        walk(text) { part in
            if case .name(let name) = part { names.append(String(name)) }
        }
        return names
    }

    /// The text with each name replaced; an unknown one is left out.
    static func fill(_ text: String, _ value: (String) -> String?) -> String {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return text }
        var result = ""
        walk(text) { part in
            switch part {
            case .text(let text): result += text
            case .name(let name): result += value(String(name)) ?? ""
            }
        }
        return result
    }

    enum Part: Sendable {
        case text(Substring), name(Substring)
    }

    /// The template's literal texts and names in order, empty texts left out.
    static func parts(of template: String) -> [Part] {
        var parts: [Part] = []
        walk(template) { part in
            if case .text(let text) = part, text.isEmpty { return }
            parts.append(part)
        }
        return parts
    }

    private static func walk(_ text: String, _ visit: (Part) -> Void) {
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let name = rest[rest.index(after: open)..<close]
            if ScreenParser.isPath(name) {
                visit(.text(rest[..<open]))
                visit(.name(name))
            } else {
                visit(.text(rest[...close]))
            }
            rest = rest[rest.index(after: close)...]
        }
        visit(.text(rest))
    }
}
