import Basics
import Models

/// Where a field's text comes from, and what is done to it.
package struct ImportExpression: Sendable {
    /// A source of text.
    indirect enum Source: Sendable {
        case column(Int)
        case namedColumn(String)
        case constant(String)
        case compose([ComposePart])
        case reference(String, Source)
        case order([Int])
        case checkDigits
        case fileHash
        case fileLines
        case newest(Int)
    }

    /// A piece of a composed text.
    enum ComposePart: Sendable {
        case text(String)
        case column(Int, width: Int)
    }

    /// A change of the text.
    enum Transform: Sendable {
        case trim, upper, lower
        case defaultText(String)
        case nullText(String)
        case map([String: String])
        case strip(String)
        case pad(Int)
    }

    let source: Source
    let transforms: [Transform]

    /// Reads `source | transform | …`.
    init(_ text: String, fail: (String) -> ImportError) throws(ImportError) {
        let parts = ImportExpression.split(text)
        source = try ImportExpression.source(parts[0], fail)
        var transforms: [Transform] = []
        for part in parts.dropFirst() { transforms.append(try ImportExpression.transform(part, fail)) }
        self.transforms = transforms
    }

    /// Splits at bars outside quotes.
    private static func split(_ text: String) -> [String] {
        var parts: [String] = [""]
        var quote = false
        for character in text {
            if character == "\"" { quote.toggle() }
            if character == "|", !quote { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        return parts.map(\.trimmed)
    }

    private static func unquoted(_ text: String) -> String {
        text.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"") ? String(text.dropFirst().dropLast()) : text
    }

    private static func source(_ text: String, _ fail: (String) -> ImportError) throws(ImportError) -> Source {
        let word = String(text.prefix { $0 != " " })
        let rest = String(text.dropFirst(word.count)).trimmed
        switch word {
        case "column":
            guard !rest.isEmpty else { throw fail("column needs a number or a name") }
            if let number = Int(rest) {
                guard number >= 1 else { throw fail("columns are numbered from 1, not \(number)") }
                return .column(number)
            }
            return .namedColumn(unquoted(rest))
        case "constant": return .constant(unquoted(rest))
        case "compose": return .compose(try template(unquoted(rest), fail))
        case "reference":
            let model = String(rest.prefix { $0 != " " })
            let inner = String(rest.dropFirst(model.count)).trimmed
            guard !inner.isEmpty else { throw fail("reference needs a model and a source: reference Zone column 2") }
            return .reference(model, try source(inner, fail))
        case "order":
            let columns = rest.split(separator: " ").compactMap { Int($0) }
            guard !columns.isEmpty else { throw fail("order needs column numbers") }
            return .order(columns)
        case "digits": return .checkDigits
        case "fileHash": return .fileHash
        case "fileLines": return .fileLines
        case "newest":
            guard let column = Int(rest), column >= 1 else { throw fail("newest needs a column number") }
            return .newest(column)
        default:
            throw fail(
                "unknown source `\(word)`; there are column, constant, compose, reference, order, digits, fileHash, "
                    + "fileLines, newest")
        }
    }

    private static func template(_ text: String, _ fail: (String) -> ImportError) throws(ImportError) -> [ComposePart] {
        var parts: [ComposePart] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{") {
            if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
            guard let close = rest[open...].firstIndex(of: "}") else { throw fail("a { without } in `\(text)`") }
            let inside = rest[rest.index(after: open)..<close].split(separator: ":", maxSplits: 1)
            guard let first = inside.first, let column = Int(first), column >= 1,
                inside.count == 1 || Int(inside[1]) != nil
            else { throw fail("expected {column} or {column:width} in `\(text)`") }
            parts.append(.column(column, width: inside.count == 2 ? Int(inside[1]) ?? 0 : 0))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        return parts
    }

    private static func transform(_ text: String, _ fail: (String) -> ImportError) throws(ImportError) -> Transform {
        let word = String(text.prefix { $0 != " " })
        let rest = unquoted(String(text.dropFirst(word.count)).trimmed)
        switch word {
        case "trim": return .trim
        case "upper": return .upper
        case "lower": return .lower
        case "default": return .defaultText(rest)
        case "null": return .nullText(rest)
        case "strip": return .strip(rest)
        case "pad":
            guard let width = Int(rest), (1...40).contains(width) else {
                throw fail("pad needs a width, found `\(rest)`")
            }
            return .pad(width)
        case "map":
            var pairs: [String: String] = [:]
            for pair in rest.split(separator: " ") {
                let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard sides.count == 2 else { throw fail("map needs FROM=TO pairs, found `\(pair)`") }
                pairs[String(sides[0])] = String(sides[1])
            }
            return .map(pairs)
        default:
            throw fail(
                "unknown transform `\(word)`; there are trim, upper, lower, default, null, map, strip, pad")
        }
    }

    /// Applies the transforms; nil is a missing value.
    func transformed(_ text: String?) -> String? {
        var value = text
        for transform in transforms {
            switch transform {
            case .trim: value = value?.trimmed
            case .upper: value = value?.uppercased()
            case .lower: value = value?.lowercased()
            case .defaultText(let other): if value == nil || value == "" { value = other }
            case .nullText(let other): if value == other { value = nil }
            case .map(let pairs): if let key = value { value = pairs[key] ?? value }
            case .strip(let prefix):
                if let text = value, text.hasPrefix(prefix) { value = String(text.dropFirst(prefix.count)) }
            case .pad(let width):
                if let text = value, text.count < width {
                    value = String(repeating: "0", count: width - text.count) + text
                }
            }
        }
        return value == "" ? nil : value
    }
}

/// Orders texts as people do: runs of digits by value, the rest by character.
func naturallyPrecedes(_ a: String, _ b: String) -> Bool {
    var left = Substring(a)
    var right = Substring(b)
    while let x = left.first, let y = right.first {
        if x.isNumber, y.isNumber {
            let m = left.prefix { $0.isNumber }
            let n = right.prefix { $0.isNumber }
            let mValue = m.drop { $0 == "0" }
            let nValue = n.drop { $0 == "0" }
            if mValue != nValue { return mValue.count != nValue.count ? mValue.count < nValue.count : mValue < nValue }
            left = left.dropFirst(m.count)
            right = right.dropFirst(n.count)
        } else if x != y {
            return x < y
        } else {
            left.removeFirst()
            right.removeFirst()
        }
    }
    return left.isEmpty && !right.isEmpty
}
