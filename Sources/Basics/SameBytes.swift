import Glibc

extension String {
    /// Whether both have the same UTF-8 bytes, as SQLite and every backend compare texts.
    ///
    /// `==` compares by canonical equivalence instead: to it a composed and a decomposed letter are the same, and a change
    /// from one to the other would be none.
    public func hasSameBytes(as other: String) -> Bool {
        var (a, b) = (self, other)
        return a.withUTF8 { a in
            b.withUTF8 { b in
                guard a.count == b.count, let first = a.baseAddress, let second = b.baseAddress else {
                    return a.count == b.count
                }
                return first == second || memcmp(first, second, a.count) == 0
            }
        }
    }
}
