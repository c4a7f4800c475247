import Basics
import Screens

/// What a site may set of its terminals, once: flags, environment, file and help are made of it.
public enum TerminalSettings {
    static let gap = Setting<Int64>.duration(
        "scanner-gap", atLeast: "1ms", default: "30ms",
        help: "the longest pause between two characters of one scan; some radio scanners need 60ms")
    static let length = Setting<Int>.integer(
        "scanner-length", 2...50, default: ScannerSettings.standard.minimumLength,
        help: """
            the fewest characters that are a scan whatever else they look like; what is shorter is one where it comes \
            faster than fingers type, or ends in CR LF, LF or Tab
            """)
    static let prefix = Setting<String?>.text(
        "scanner-prefix", "TEXT",
        help: """
            what the scanners send before each code; then nothing else is a scan. Control characters are written \\x02, \
            \\t and so on
            """)
    static let isPrefixOptional = Setting<Bool>.flag(
        "scanner-prefix-optional", help: "not all scanners here send the prefix")
    static let suffix = Setting<String?>.text(
        "scanner-suffix", "TEXT", help: "what the scanners send after each code besides Enter, line feed or Tab")
    static let endsByPause = Setting<Bool>.flag(
        "scanner-pause", help: "the scanners send nothing after a code: a pause ends it")
    static let separator = Setting<[String]>.texts(
        "scanner-separator", "TEXT",
        help: "what the scanners send in place of the group separator, besides {GS} and <GS>, such as ~")
    static let escape = Setting<Int64>.duration(
        "escape-delay", atLeast: "1ms", default: "50ms",
        help: "how long Esc waits for the rest of a key's sequence; 100ms to 200ms over radio")

    /// All of them.
    public static let all: [SettingDefinition] = [
        gap.definition, length.definition, prefix.definition, isPrefixOptional.definition, suffix.definition,
        endsByPause.definition, separator.definition, escape.definition,
    ]

    /// The scanners as they are set.
    ///
    /// - Throws: `UsageError` for a control character that is written wrong.
    public static func scanner(_ settings: Settings) throws(UsageError) -> ScannerSettings {
        var scanner = ScannerSettings.standard
        scanner.gapMilliseconds = settings[gap]
        scanner.minimumLength = settings[length]
        scanner.prefix = try text(settings[prefix] ?? "", of: prefix.definition)
        scanner.requiresPrefix = !settings[isPrefixOptional]
        scanner.suffix = try text(settings[suffix] ?? "", of: suffix.definition)
        scanner.endsByPause = settings[endsByPause]
        for mark in settings[separator] { scanner.separators.append(try text(mark, of: separator.definition)) }
        return scanner
    }

    /// A terminal as it is set.
    ///
    /// - Throws: `UsageError` for a control character that is written wrong.
    public static func options(_ settings: Settings) throws(UsageError) -> TerminalOptions {
        TerminalOptions(escapeMilliseconds: Int32(clamping: settings[escape]), scanner: try scanner(settings))
    }

    /// Takes `\x02`, `\t`, `\r`, `\n` and `\\` for the characters they stand for.
    private static func text(_ written: String, of setting: SettingDefinition) throws(UsageError) -> String {
        var result = String.UnicodeScalarView()
        var rest = written.unicodeScalars[...]
        while let next = rest.popFirst() {
            guard next == "\\" else {
                result.append(next)
                continue
            }
            switch rest.popFirst() {
            case "\\": result.append("\\")
            case "t": result.append("\t")
            case "r": result.append("\r")
            case "n": result.append("\n")
            case "x":
                guard let byte = UInt8(String(rest.prefix(2)), radix: 16), rest.prefix(2).count == 2, byte < 0x80 else {
                    fallthrough
                }
                result.append(Unicode.Scalar(byte))
                rest = rest.dropFirst(2)
            default:
                throw UsageError(
                    "\(setting.flag) \(printable(written)): after \\ comes x and two digits, t, r, n or \\")
            }
        }
        return String(result)
    }
}
