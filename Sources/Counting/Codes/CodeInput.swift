import Basics

/// What came in: the bytes of a scan, or a line that was typed.
public struct CodeInput: Sendable, Hashable {
    /// Where it came from.
    public enum Origin: Sendable, Hashable {
        case scan, typed
    }

    /// The bytes as they came; they are kept whatever becomes of the code.
    public let raw: [UInt8]
    /// Where it came from.
    public let origin: Origin
    /// The symbology identifier that the scanner sent, `]C1`.
    public let symbology: String?
    /// The text without symbology identifier, outer blanks and line ends.
    public let text: String

    /// A scan; a symbology identifier may stand in front of the data or be given apart.
    public init(scan raw: [UInt8], symbology: String? = nil) {
        let parts = Symbology.split(raw)
        self.raw = raw
        origin = .scan
        self.symbology = symbology ?? parts.identifier
        text = CodeInput.trimmed(String(decoding: parts.data, as: UTF8.self))
    }

    /// A line that was typed and ended with Enter.
    public init(typed text: String) {
        raw = Array(text.utf8)
        origin = .typed
        symbology = nil
        self.text = CodeInput.trimmed(text)
    }

    private static func trimmed(_ text: String) -> String {
        var slice = Substring(text)
        while let first = slice.first, first.isWhitespace { slice.removeFirst() }
        while let last = slice.last, last.isWhitespace { slice.removeLast() }
        return String(slice)
    }
}

/// How a site's labels are told apart.
public struct CodeConventions: Sendable, Hashable {
    /// Prefixes that say "this is a bin": `LOC-`, `L:`, `%`; the rest is the code. Compared without regard to case.
    public var binPrefixes: [String]
    /// Prefixes that say "this is a person's badge"; the rest is the login.
    public var badgePrefixes: [String]
    /// Prefixes of the site's own licence plates, beside SSCCs.
    public var platePrefixes: [String]
    /// Company-internal GS1 identifiers (90–99) that hold a bin code.
    public var binIdentifiers: Set<String>
    /// The letters that are commands when they are all that was typed.
    public var commands: Set<Character>
    /// Bytes that stand for the GS1 separator, beside GS.
    public var separators: Set<UInt8>

    /// The usual conventions.
    public init(
        binPrefixes: [String] = ["LOC-", "LOC:", "L:", "%"], badgePrefixes: [String] = ["BADGE:", "BADGE-", "ID:"],
        platePrefixes: [String] = ["LP:", "LPN"], binIdentifiers: Set<String> = [], commands: Set<Character> = [],
        separators: Set<UInt8> = Set("~|^".utf8)
    ) {
        self.binPrefixes = binPrefixes
        self.badgePrefixes = badgePrefixes
        self.platePrefixes = platePrefixes
        self.binIdentifiers = binIdentifiers
        self.commands = commands
        self.separators = separators
    }
}
