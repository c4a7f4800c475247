import Basics

/// A catalog text as a pattern: finds out what its names stand for in a text that was made by filling it in.
public struct TextTemplate: Sendable {
    /// The text's key.
    public let key: String
    private let parts: [Template.Part]

    init(key: String, template: String) {
        self.key = key
        parts = Template.parts(of: template)
    }

    /// What each name stands for where `text` is the template filled in; nil where it is not.
    ///
    /// A name takes as little as what follows it in the template allows, and never nothing.
    public func match(_ text: String) -> [String: String]? {
        var values: [String: String] = [:]
        var open: Substring?
        var rest = text[...]
        for (index, part) in parts.enumerated() {
            switch part {
            case .name(let name):
                // Two names side by side leave open where one ends.
                if open != nil { return nil }
                open = name
            case .text(let literal):
                guard let name = open else {
                    guard rest.hasPrefix(literal) else { return nil }
                    rest = rest.dropFirst(literal.count)
                    continue
                }
                let place = index == parts.count - 1 ? rest.place(ofLast: literal) : rest.range(of: literal)
                guard let place, place.lowerBound > rest.startIndex else { return nil }
                values[String(name)] = String(rest[..<place.lowerBound])
                rest = rest[place.upperBound...]
                open = nil
            }
        }
        guard let open else { return rest.isEmpty ? values : nil }
        if rest.isEmpty { return nil }
        values[String(open)] = String(rest)
        return values
    }
}

extension ScreenLibrary {
    /// The texts of the base language whose keys begin with `prefix`, each by its first form.
    public func templates(under prefix: String) -> [TextTemplate] {
        (catalogs[ScreenLibrary.baseLanguage]?.texts ?? [:]).filter { $0.key.hasPrefix(prefix) }
            .sorted { $0.key < $1.key }
            .compactMap { key, forms in forms.first.map { TextTemplate(key: key, template: $0) } }
    }
}

extension Substring {
    fileprivate func place(ofLast literal: Substring) -> Range<Index>? {
        hasSuffix(literal) ? index(endIndex, offsetBy: -literal.count)..<endIndex : nil
    }
}
