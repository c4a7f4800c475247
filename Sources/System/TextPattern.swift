import Glibc
import Synchronization

/// A POSIX extended regular expression that a whole text must match: the system's own engine, since Swift's, which weighs
/// more than a megabyte, is not linked.
package final class TextPattern: Sendable {
    /// Why a text is no pattern, in the system's words.
    package struct Malformed: Error, CustomStringConvertible {
        package let description: String
    }

    /// The pattern as it was written.
    package let text: String
    private let compiled: Mutex<regex_t>

    /// Reads a pattern.
    package init(_ text: String) throws(Malformed) {
        if Self.refersBack(text) { throw Malformed(description: "it refers back to a part of itself") }
        // By itself first: `a)|(b` is none, whatever stands around it.
        var alone = try Self.compile(text)
        regfree(&alone)
        self.text = text
        compiled = Mutex(try Self.compile("^(" + text + ")$"))
    }

    /// Extended expressions have no back-references; the system knows them all the same, by numbers that are others here.
    private static func refersBack(_ text: String) -> Bool {
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped, (49...57).contains(byte) { return true }
            isEscaped = byte == 92 && !isEscaped
        }
        return false
    }

    deinit { compiled.withLock { regfree(&$0) } }

    /// Whether all of a text matches.
    package func matches(_ text: String) -> Bool {
        // The system would read no further, and another might.
        guard !text.utf8.contains(0) else { return false }
        return compiled.withLock { pattern in text.withCString { regexec(&pattern, $0, 0, nil, 0) == 0 } }
    }

    private static func compile(_ text: String) throws(Malformed) -> regex_t {
        guard !text.utf8.contains(0) else { throw Malformed(description: "it holds a zero") }
        var pattern = regex_t()
        let code = regcomp(&pattern, text, REG_EXTENDED | REG_NOSUB)
        guard code != 0 else { return pattern }
        var words = [CChar](repeating: 0, count: 256)
        regerror(code, &pattern, &words, words.count)
        throw Malformed(description: String(decoding: words.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self))
    }
}

extension TextPattern: Hashable {
    /// Equal where they were written alike.
    package static func == (a: TextPattern, b: TextPattern) -> Bool { a.text == b.text }

    /// Hashes the pattern as it was written.
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
