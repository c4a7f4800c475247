import Basics
import Models

/// A rule that looks at the row: an owner's or a group's name in one of its fields.
struct RowRule: Sendable, Hashable {
    let position: Int
    let isList: Bool
    /// The names that match: the caller's claim in each form that an owner field may hold, or his groups. The first is
    /// what a create fills in.
    let accepted: [String]
    let isOwner: Bool

    /// Whether the row's field names the caller.
    func matches(_ values: [Value]) -> Bool {
        let value = values[position]
        guard isList else {
            switch value {
            case .text(let text): return names(text)
            case .integer(let number): return names(String(number))
            default: return false
            }
        }
        guard case .text(let text) = value, text != "[]" else { return false }
        if let isNamed = text.listNames(accepted) { return isNamed }
        guard case .array(let elements)? = try? JSONValue(parsing: text) else { return false }
        return elements.contains { element in element.string.map(names) ?? false }
    }

    /// As the database compares: by bytes.
    private func names(_ text: String) -> Bool { accepted.containsBytes(of: text) }
}

extension String {
    /// Whether one of some names stands in this JSON list of texts; nil where its bytes do not say it plainly, and it
    /// must be parsed.
    ///
    /// Every subscriber's rights are asked for every change, so that a list is looked at far more often than written.
    fileprivate func listNames(_ names: [String]) -> Bool? {
        var text = self
        return text.withUTF8 { bytes -> Bool? in
            // Escapes and other alphabets have several forms; anything nested is no name.
            let isPlain = bytes.dropFirst().allSatisfy { $0 < 128 && $0 != 92 && $0 != 91 && $0 != 123 }
            guard isPlain, bytes.first == 91, bytes.last == 93 else { return nil }
            var index = 1
            while index < bytes.count {
                guard bytes[index] == 34 else {
                    index += 1
                    continue
                }
                let start = index + 1
                guard let end = bytes[start...].firstIndex(of: 34) else { return nil }
                let item = UnsafeBufferPointer(rebasing: bytes[start..<end])
                if names.contains(where: { $0.utf8.count == item.count && $0.utf8.elementsEqual(item) }) { return true }
                index = end + 1
            }
            return false
        }
    }
}
