/// One thing that can be configured: by the flag `--name`, by the environment as `BINCOUNT_NAME`, or by a line
/// `name = value` of a file; the flag is asked first, the file last.
///
///     static let listen = Setting.text("listen", "HOST:PORT", default: "127.0.0.1:8420", help: "where it listens")
///     let address = settings[listen]
public struct Setting<Value: Sendable>: Sendable {
    /// What is known of it without its type: for help, and for checking what is given.
    public let definition: SettingDefinition
    let read: @Sendable ([String]) -> Value

    init(_ definition: SettingDefinition, read: @escaping @Sendable ([String]) -> Value) {
        self.definition = definition
        self.read = read
    }
}

/// What is known of a setting without its type.
public struct SettingDefinition: Sendable {
    /// The name as in the file: small letters and hyphens.
    public let name: String
    /// What stands for its value in help; nil for a flag.
    public let placeholder: String?
    /// What holds where nothing is given, as text; nil where nothing does.
    public let defaultText: String?
    /// A sentence for help.
    public let help: String
    /// Whether it may be given several times: flags and lines repeat it, the environment has values apart by blanks.
    public let isRepeatable: Bool
    /// Whether its value must never be shown.
    public let isSecret: Bool
    /// What is wrong with a value; nil where nothing is.
    let problem: @Sendable (String) -> String?

    /// `--name`.
    public var flag: String { "--" + name }
    /// `BINCOUNT_NAME`.
    public var environmentName: String {
        "BINCOUNT_" + String(name.map { $0 == "-" ? "_" : $0 }).uppercased()
    }
}

extension Setting where Value == String {
    /// A text with a default.
    public static func text(
        _ name: String, _ placeholder: String, default value: String, help: String
    ) -> Setting {
        let definition = SettingDefinition(
            name: name, placeholder: placeholder, defaultText: value, help: help, isRepeatable: false, isSecret: false
        ) { $0.isEmpty ? "it is empty" : nil }
        return Setting(definition) { $0.last ?? value }
    }

    /// One of several words.
    public static func choice(_ name: String, _ words: [String], default value: String, help: String) -> Setting {
        let list = words.joined(separator: "|")
        let definition = SettingDefinition(
            name: name, placeholder: list, defaultText: value, help: help, isRepeatable: false, isSecret: false
        ) { words.contains($0) ? nil : "it is one of \(list)" }
        return Setting(definition) { $0.last ?? value }
    }
}

extension Setting where Value == String? {
    /// A text that may be missing.
    public static func text(_ name: String, _ placeholder: String, isSecret: Bool = false, help: String) -> Setting {
        let definition = SettingDefinition(
            name: name, placeholder: placeholder, defaultText: nil, help: help, isRepeatable: false, isSecret: isSecret
        ) { $0.isEmpty ? "it is empty" : nil }
        return Setting(definition) { $0.last }
    }
}

extension Setting where Value == [String] {
    /// Texts, of which there may be any number.
    public static func texts(_ name: String, _ placeholder: String, isSecret: Bool = false, help: String) -> Setting {
        let definition = SettingDefinition(
            name: name, placeholder: placeholder, defaultText: nil, help: help, isRepeatable: true, isSecret: isSecret
        ) { $0.isEmpty ? "it is empty" : nil }
        return Setting(definition) { $0 }
    }
}

extension Setting where Value == Bool {
    /// On or off; the flag alone is on, elsewhere it is `yes` or `no`.
    public static func flag(_ name: String, help: String) -> Setting {
        let definition = SettingDefinition(
            name: name, placeholder: nil, defaultText: nil, help: help, isRepeatable: false, isSecret: false
        ) { truth($0) == nil ? "it is yes or no" : nil }
        return Setting(definition) { $0.last.flatMap(truth) ?? false }
    }

    private static func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "yes", "true", "on", "1": true
        case "no", "false", "off", "0": false
        default: nil
        }
    }
}

extension Setting where Value == Int {
    /// A whole number in bounds.
    public static func integer(
        _ name: String, _ bounds: ClosedRange<Int>, default value: Int, help: String
    ) -> Setting {
        let definition = SettingDefinition(
            name: name, placeholder: "N", defaultText: String(value), help: help, isRepeatable: false, isSecret: false
        ) { text in
            guard let number = Int(text), bounds.contains(number) else {
                return "it is a whole number from \(bounds.lowerBound) to \(bounds.upperBound)"
            }
            return nil
        }
        return Setting(definition) { $0.last.flatMap { Int($0) } ?? value }
    }
}

extension Setting where Value == Int {
    /// A number of bytes, written `4096`, `240K` or `5M`.
    public static func size(
        _ name: String, _ bounds: ClosedRange<Int>, default value: Int, help: String
    ) -> Setting {
        let definition = SettingDefinition(
            name: name, placeholder: "BYTES", defaultText: text(ofSize: value), help: help, isRepeatable: false,
            isSecret: false
        ) { text in
            guard let size = bytes(text) else { return "it is a number of bytes such as 4096, 240K or 5M" }
            guard bounds.contains(size) else {
                return "it is from \(Self.text(ofSize: bounds.lowerBound)) to \(Self.text(ofSize: bounds.upperBound))"
            }
            return nil
        }
        return Setting(definition) { $0.last.flatMap(bytes) ?? value }
    }

    private static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), number <= 1 << 40 else { return nil }
        switch text.dropFirst(digits.count) {
        case "": return number
        case "K": return number << 10
        case "M": return number << 20
        default: return nil
        }
    }

    private static func text(ofSize size: Int) -> String {
        if size > 0, size % (1 << 20) == 0 { return "\(size >> 20)M" }
        return size > 0 && size % 1024 == 0 ? "\(size >> 10)K" : "\(size)"
    }
}

extension Setting where Value == Int64 {
    /// A span of time in milliseconds, written `500ms`, `90s`, `15m`, `12h` or `30d`.
    public static func duration(
        _ name: String, atLeast least: String = "0s", default value: String, help: String
    ) -> Setting {
        let lowest = milliseconds(least) ?? 0
        let definition = SettingDefinition(
            name: name, placeholder: "TIME", defaultText: value, help: help, isRepeatable: false, isSecret: false
        ) { text in
            guard let span = milliseconds(text) else { return "it is a time such as 90s, 15m, 12h or 30d" }
            return span < lowest ? "it is at least \(least)" : nil
        }
        return Setting(definition) { $0.last.flatMap(milliseconds) ?? milliseconds(value) ?? 0 }
    }

    private static func milliseconds(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), number <= 1_000_000_000 else { return nil }
        switch text.dropFirst(digits.count) {
        case "ms": return number
        case "s": return number * 1000
        case "m": return number * 60_000
        case "h": return number * 3_600_000
        case "d": return number * 86_400_000
        default: return nil
        }
    }
}
