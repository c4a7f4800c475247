/// What was configured: each setting's value from the command line, else from the environment, else from a file.
///
/// The file has a line `name = value` for each, blank lines, and lines that begin with `#`. A name that nobody knows and a
/// value that does not fit are refused, with the file, the line, and the value where it is no secret.
public struct Settings: Sendable {
    /// Where a value came from.
    public enum Origin: Sendable, Hashable {
        case commandLine
        case environment(String)
        case file(String, line: Int)
        case standard
    }

    private var values: [String: [String]] = [:]
    private var origins: [String: Origin] = [:]

    /// Reads settings.
    ///
    /// - Parameters:
    ///   - accepted: what may be given here; what the command line has of it is taken off `arguments`.
    ///   - known: what the file may hold besides, for other commands.
    ///   - file: the file to read, where `--config` and `BINCOUNT_CONFIG` name none.
    ///   - environment: looks a variable up.
    ///   - contents: reads a file.
    /// - Throws: ``UsageError`` naming the flag, the variable, or the file and line.
    public init(
        _ accepted: [SettingDefinition], known: [SettingDefinition] = [], arguments: inout CommandLineArguments,
        environment: (String) -> String?, contents: (String) throws -> String
    ) throws {
        for setting in accepted {
            guard let text = environment(setting.environmentName) else { continue }
            let given = setting.isRepeatable ? text.split(separator: " ").map(String.init) : [text]
            try take(given, setting, .environment(setting.environmentName), "\(setting.environmentName)")
        }
        for setting in accepted {
            var given: [String] = []
            if setting.placeholder == nil {
                if arguments.flag(setting.flag) { given = ["yes"] }
                given += try arguments.values(setting.flag, "yes|no")
            } else {
                given = try arguments.values(setting.flag, setting.placeholder ?? "")
            }
            if !given.isEmpty { try take(given, setting, .commandLine, setting.flag) }
        }
        if let path = try arguments.value("--config", "FILE") ?? environment("BINCOUNT_CONFIG") {
            let text: String
            do { text = try contents(path) } catch { throw UsageError("--config \(path): \(error)") }
            try read(text, path, accepted, known)
        }
    }

    private mutating func read(
        _ text: String, _ path: String, _ accepted: [SettingDefinition], _ known: [SettingDefinition]
    ) throws(UsageError) {
        let byName = Dictionary((accepted + known).map { ($0.name, $0) }) { first, _ in first }
        let isAccepted = Set(accepted.map(\.name))
        var fromFile: [String: (values: [String], line: Int)] = [:]
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let place = "\(path):\(index + 1)"
            let line = line.trimmed
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let equals = line.firstIndex(of: "=") else {
                throw UsageError("\(place): a line is `name = value`")
            }
            let name = String(line[..<equals].trimmed)
            var value = line[line.index(after: equals)...].trimmed
            if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = value.dropFirst().dropLast() }
            guard let setting = byName[name] else {
                throw UsageError("\(place): there is no setting \(printable(name))")
            }
            if let earlier = fromFile[name], !setting.isRepeatable {
                throw UsageError("\(place): \(name) stands there twice, first in line \(earlier.line)")
            }
            try check(String(value), setting, "\(place): \(name)")
            fromFile[name, default: ([], index + 1)].values.append(String(value))
        }
        for (name, given) in fromFile where isAccepted.contains(name) && values[name] == nil {
            values[name] = given.values
            origins[name] = .file(path, line: given.line)
        }
    }

    private mutating func take(
        _ given: [String], _ setting: SettingDefinition, _ origin: Origin, _ place: String
    ) throws(UsageError) {
        for value in given { try check(value, setting, place) }
        values[setting.name] = given
        origins[setting.name] = origin
    }

    private func check(_ value: String, _ setting: SettingDefinition, _ place: String) throws(UsageError) {
        guard let problem = setting.problem(value) else { return }
        throw UsageError(setting.isSecret ? "\(place): \(problem)" : "\(place) \(printable(value)): \(problem)")
    }

    /// The value of a setting.
    public subscript<Value>(_ setting: Setting<Value>) -> Value { setting.read(values[setting.definition.name] ?? []) }

    /// The value of a setting that must be given.
    ///
    /// - Throws: ``UsageError`` where it is not.
    public func required(_ setting: Setting<String?>) throws(UsageError) -> String {
        guard let value = self[setting] else {
            let definition = setting.definition
            throw UsageError("\(definition.flag) \(definition.placeholder ?? "") is missing")
        }
        return value
    }

    /// Where the value of a setting came from.
    public func origin<Value>(of setting: Setting<Value>) -> Origin {
        origins[setting.definition.name] ?? .standard
    }

    /// A line for each setting: the value that holds, and where it came from. What is secret is not shown.
    public func lines(_ settings: [SettingDefinition]) -> [String] {
        settings.map { setting in
            let value = values[setting.name].map { $0.joined(separator: " ") } ?? setting.defaultText ?? ""
            let place =
                switch origins[setting.name] ?? .standard {
                case .commandLine: setting.flag
                case .environment(let name): name
                case .file(let path, let line): "\(path):\(line)"
                case .standard: "standard"
                }
            return "\(setting.name) = \(setting.isSecret ? "…" : printable(value)) (\(place))"
        }
    }

    /// The part of a help text that lists settings, each with its flag, what it is, and what holds without it.
    public static func help(_ settings: [SettingDefinition], width: Int = 80) -> String {
        settings.map { setting in
            var title = "  " + setting.flag
            if let placeholder = setting.placeholder { title += " " + placeholder }
            if setting.isRepeatable { title += " …" }
            let standard = setting.defaultText.map { " (\($0))" } ?? ""
            return title + "\n" + wrapped(setting.help + standard, indent: 6, width: width)
        }.joined(separator: "\n")
    }

    private static func wrapped(_ text: String, indent: Int, width: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = margin
        for word in text.split(separator: " ") {
            if line.count > indent, line.count + 1 + word.count > width {
                lines.append(line)
                line = margin
            }
            line += (line.count > indent ? " " : "") + word
        }
        return (lines + [line]).joined(separator: "\n")
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
