import Basics
import Screens
import WarehouseModels

/// Something to be shown in the language of whoever reads it.
package enum Phrase: Sendable, Hashable {
    /// A text of the catalogs with its names filled in.
    case words(String, [String: String])
    /// What the control desk wrote into a record, in English.
    case desk(String)

    /// Its forms in a language, the longest first.
    func texts(_ language: String) -> [String] {
        switch self {
        case .words(let key, let arguments): AppScreens.shipped.text(key, arguments, language: language)
        case .desk(let text): DeskWords.texts(text, language: language)
        }
    }
}

/// What the control desk writes into records, as the catalogs word it: the `desk.` texts, found again by their English.
///
/// A text that is not among them, such as a reason that somebody typed, is shown as it is.
enum DeskWords {
    /// The forms of a text in a language, the longest first.
    static func texts(_ text: String, language: String) -> [String] {
        if let found = whole(text, language) { return found }
        let parts = text.parts(between: "; ")
        guard parts.count > 1 else { return [text] }
        let worded = parts.map { whole($0, language) ?? [$0] }
        let shortest = worded.map { $0.last ?? "" }
        return [worded.map { $0[0] }.joined(separator: "; "), shortest.joined(separator: "; ")]
    }

    private static func whole(_ text: String, _ language: String) -> [String]? {
        if let found = known(text, language) { return found }
        // `B-01-01 4711-AX: a reason is needed`: one of several, with what it is about.
        guard let mark = text.range(of: ": "), !text[..<mark.lowerBound].includes("; "),
            let rest = known(String(text[mark.upperBound...]), language)
        else {
            return nil
        }
        return rest.map { text[..<mark.upperBound] + $0 }
    }

    private static func known(_ text: String, _ language: String) -> [String]? {
        guard let (key, arguments) = origin(of: text),
            arguments.allSatisfy({ isFree.contains($0.key) || !($0.value.includes(": ") || $0.value.includes("; ")) })
        else { return nil }
        var worded = arguments
        if let state = arguments["state"] { worded["state"] = self.state(state, language) }
        return AppScreens.shipped.text(key, worded, language: language)
    }

    private static let templates = AppScreens.shipped.templates(under: "desk.")

    /// The text that it was made from, and what its names stand for; of several the one that says most by itself.
    private static func origin(of text: String) -> (key: String, arguments: [String: String])? {
        var best: (key: String, arguments: [String: String], weight: Int)?
        for template in templates {
            guard let found = template.match(text) else { continue }
            let weight = text.utf8.count - found.values.reduce(0) { $0 + $1.utf8.count }
            if best.map({ $0.weight < weight }) ?? true { best = (template.key, found, weight) }
        }
        return best.map { ($0.key, $0.arguments) }
    }

    /// Names that stand for any text.
    private static let isFree: Set<String> = ["reason", "places", "name", "count"]

    private static func state(_ name: String, _ language: String) -> String {
        let word = name.filter { $0 != "_" }
        for key in ["sup.state.\(word)", "desk.state.\(word)"] {
            let texts = AppScreens.shipped.text(key, language: language)
            if texts != [key] { return texts[0] }
        }
        return name
    }
}

extension String {
    fileprivate func parts(between mark: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let place = rest.range(of: mark) {
            parts.append(String(rest[..<place.lowerBound]))
            rest = rest[place.upperBound...]
        }
        return parts + [String(rest)]
    }
}
