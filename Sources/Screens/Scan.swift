/// What a barcode scanner sent, as one thing.
public struct Scan: Hashable, Sendable {
    /// The bytes as they came, without the scanner's own prefix and suffix; kept for the record.
    public let raw: [UInt8]
    /// The code: without symbology identifier, substitutes of the group separator turned into U+001D.
    public let text: String
    /// The AIM symbology identifier, such as `]C1`, where the scanner sends it.
    public let symbology: String?

    /// Makes a scan of the text a scanner sent.
    ///
    /// - Parameters:
    ///   - text: what arrived between prefix and suffix
    ///   - separators: what this site's scanners send in place of the group separator
    public init(_ text: String, separators: [String] = ScannerSettings.standard.separators) {
        raw = Array(text.utf8)
        var rest = Substring(text)
        var symbology: String?
        let head = rest.prefix(3)
        if head.count == 3, rest.count > 3, head.first == "]",
            head.dropFirst().allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) }),
            head.dropFirst().first?.isLetter == true
        {
            symbology = String(head)
            rest = rest.dropFirst(3)
        }
        self.symbology = symbology
        self.text = separators.reduce(String(rest)) { Scan.replace($1, in: $0) }
    }

    private static func replace(_ mark: String, in text: String) -> String {
        guard !mark.isEmpty, text.utf8.count >= mark.utf8.count else { return text }
        let mark = Array(mark.utf8)
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == mark[0], bytes[index...].starts(with: mark) {
                result.append(0x1D)
                index += mark.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// How this site's scanners send a code through the keyboard.
public struct ScannerSettings: Hashable, Sendable {
    /// The longest pause between two characters of one scan.
    public var gapMilliseconds: Int64
    /// The fewest characters that count as a scan where no prefix marks it.
    public var minimumLength: Int
    /// What the scanner sends before each code; empty when nothing.
    public var prefix: String
    /// Whether only input with the prefix is a scan. Without effect while the prefix is empty.
    public var requiresPrefix: Bool
    /// What the scanner sends after each code besides Enter, line feed or Tab; empty when nothing.
    public var suffix: String
    /// Whether a pause alone ends a scan, for scanners that send no suffix.
    public var endsByPause: Bool
    /// What stands for the group separator: `{GS}`, and at some sites `~` or `|`.
    public var separators: [String]

    /// Makes settings; the defaults suit a scanner that sends Enter after each code.
    public init(
        gapMilliseconds: Int64 = 30, minimumLength: Int = 6, prefix: String = "", requiresPrefix: Bool = true,
        suffix: String = "", endsByPause: Bool = false, separators: [String] = ["{GS}", "<GS>", "\u{241D}"]
    ) {
        self.gapMilliseconds = gapMilliseconds
        self.minimumLength = minimumLength
        self.prefix = prefix
        self.requiresPrefix = requiresPrefix
        self.suffix = suffix
        self.endsByPause = endsByPause
        self.separators = separators
    }

    /// A scanner as it comes from its box: Enter after each code, no prefix.
    public static let standard = ScannerSettings()
}
