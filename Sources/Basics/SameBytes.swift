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

extension Sequence<String> {
    /// Whether one of these texts has the same UTF-8 bytes; `contains` also finds one that only looks alike.
    public func containsBytes(of text: String) -> Bool { contains { $0.hasSameBytes(as: text) } }
}

/// A text as a key: equal to another only byte by byte, so that none that merely looks alike is found in its place.
public struct ByteText: Sendable, Hashable {
    /// The text.
    public let text: String

    /// Takes a text.
    public init(_ text: String) {
        self.text = text
    }

    /// Whether both have the same bytes.
    public static func == (a: ByteText, b: ByteText) -> Bool { a.text.hasSameBytes(as: b.text) }

    /// Feeds the hash with the bytes, which takes no look at what letters they make.
    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
