import Basics

extension Template {
    /// What each name stands for where `text` is the template filled in; nil where it is not.
    ///
    /// A name takes as little as what follows it in the template allows, and never nothing.
    static func match(_ template: String, _ text: String) -> [String: String]? {
        var values: [String: String] = [:]
        var open: String?
        var rest = text[...]
        var isMatch = true
        func take(_ literal: Substring, isLast: Bool) {
            guard isMatch else { return }
            guard let name = open else {
                isMatch = rest.hasPrefix(literal)
                rest = rest.dropFirst(isMatch ? literal.count : 0)
                return
            }
            let place = isLast ? rest.place(ofLast: literal) : rest.range(of: literal)
            guard let place, place.lowerBound > rest.startIndex else { return isMatch = false }
            values[name] = String(rest[..<place.lowerBound])
            rest = rest[place.upperBound...]
            open = nil
        }
        let parts = parts(of: template)
        for (index, part) in parts.enumerated() {
            switch part {
            case .text(let literal): take(literal, isLast: index == parts.count - 1)
            case .name(let name):
                // Two names side by side leave open where one ends.
                if open != nil { isMatch = false }
                open = String(name)
            }
        }
        if open != nil { take("", isLast: true) }
        return isMatch && rest.isEmpty ? values : nil
    }
}

extension Substring {
    fileprivate func place(ofLast literal: Substring) -> Range<Index>? {
        hasSuffix(literal) ? index(endIndex, offsetBy: -literal.count)..<endIndex : nil
    }
}
