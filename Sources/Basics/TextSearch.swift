/// Searches for texts in texts, byte for byte.
///
/// The standard library's own (`firstRange(of:)`, `contains` and `replacing` with a text) bring its regular-expression
/// engine into the program, which is more than a megabyte.
extension StringProtocol {
    /// Where a text stands first; the beginning for the empty text.
    public func range(of part: some StringProtocol) -> Range<Index>? {
        let wanted = part.utf8
        guard let first = wanted.first else { return startIndex..<startIndex }
        var rest = utf8[...]
        while let start = rest.firstIndex(of: first) {
            rest = rest[start...]
            if rest.starts(with: wanted) { return start..<rest.index(start, offsetBy: wanted.count) }
            rest = rest.dropFirst()
        }
        return nil
    }

    /// Whether a text stands in it.
    public func includes(_ part: some StringProtocol) -> Bool { range(of: part) != nil }

    /// The text with `other` wherever `part` stood; `part` must not be empty.
    public func replacingAll(_ part: some StringProtocol, with other: some StringProtocol) -> String {
        precondition(!part.isEmpty, "nothing cannot be replaced")
        var result = ""
        var rest = self[startIndex...]
        while let range = rest.range(of: part) {
            result.append(contentsOf: rest[..<range.lowerBound])
            result.append(contentsOf: other)
            rest = rest[range.upperBound...]
        }
        result.append(contentsOf: rest)
        return result
    }
}
