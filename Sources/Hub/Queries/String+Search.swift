extension String {
    /// Whether the bytes of a text occur in it; bytes are compared, so that no normalisation makes unequal texts alike.
    ///
    /// The search of Knuth, Morris and Pratt looks at each byte twice at most, however text and part repeat themselves:
    /// whoever writes both cannot make it slow.
    func containsBytes(of part: String) -> Bool {
        var (text, part) = (self, part)
        return text.withUTF8 { text in part.withUTF8 { Self.contains(text, $0) } }
    }

    private static func contains(_ text: UnsafeBufferPointer<UInt8>, _ part: UnsafeBufferPointer<UInt8>) -> Bool {
        guard part.count <= text.count else { return false }
        guard part.count > 1 else { return part.first.map { text.contains($0) } ?? true }
        // How much of the part's beginning ends at each of its bytes: where to go on after a byte that differs.
        var borders = [Int](repeating: 0, count: part.count)
        var matched = 0
        for index in 1..<part.count {
            while matched > 0, part[index] != part[matched] { matched = borders[matched - 1] }
            if part[index] == part[matched] { matched += 1 }
            borders[index] = matched
        }
        matched = 0
        for byte in text {
            while matched > 0, byte != part[matched] { matched = borders[matched - 1] }
            if byte == part[matched] { matched += 1 }
            if matched == part.count { return true }
        }
        return false
    }
}
