/// Wrong usage of a command: the program prints ``description`` and exits with 2.
public struct UsageError: Error, Sendable, CustomStringConvertible {
    /// One line that says what to do.
    public let description: String

    /// Makes the error from its one line.
    public init(_ description: String) {
        self.description = description
    }
}

/// The words of a command line, taken apart by what the command declares.
///
///     var arguments = CommandLineArguments(words)
///     let data = try arguments.required("--data", "DIR")
///     let keys = try arguments.values("--api-key", "KEY")
///     let files = try arguments.rest()
public struct CommandLineArguments: Sendable {
    private var words: [String]

    /// Takes the words after the command's name.
    public init(_ words: [String]) {
        self.words = words
    }

    /// Whether a flag without value is there; it is taken.
    public mutating func flag(_ names: String...) -> Bool {
        var found = false
        words = options { word in
            guard names.contains(word) else { return true }
            found = true
            return false
        }
        return found
    }

    /// The value of `--name VALUE` or `--name=VALUE`; the last one where it is given twice.
    ///
    /// - Throws: ``UsageError`` where the value is missing.
    public mutating func value(_ name: String, _ placeholder: String) throws(UsageError) -> String? {
        try values(name, placeholder).last
    }

    /// The values of a repeatable option.
    ///
    /// - Throws: ``UsageError`` where a value is missing.
    public mutating func values(_ name: String, _ placeholder: String) throws(UsageError) -> [String] {
        var found: [String] = []
        var kept: [String] = []
        var index = 0
        while index < words.count {
            let word = words[index]
            if word == "--" {
                kept += words[index...]
                break
            }
            if word == name {
                guard index + 1 < words.count, !words[index + 1].hasPrefix("--") else {
                    throw UsageError("\(name) needs a value: \(name) \(placeholder)")
                }
                found.append(words[index + 1])
                index += 2
            } else if word.hasPrefix(name + "=") {
                found.append(String(word.dropFirst(name.count + 1)))
                index += 1
            } else {
                kept.append(word)
                index += 1
            }
        }
        words = kept
        return found
    }

    /// The value of an option that must be given.
    ///
    /// - Throws: ``UsageError`` where it is missing.
    public mutating func required(_ name: String, _ placeholder: String) throws(UsageError) -> String {
        guard let value = try value(name, placeholder) else {
            throw UsageError("\(name) \(placeholder) is missing")
        }
        return value
    }

    /// The words that are left, which must be no options; call it last. A number below zero is none.
    ///
    /// - Throws: ``UsageError`` naming the first unknown option.
    public func rest() throws(UsageError) -> [String] {
        var result: [String] = []
        var literal = false
        for word in words {
            if !literal, word == "--" {
                literal = true
            } else if !literal, word.hasPrefix("-"), word != "-", Int64(word) == nil {
                throw UsageError("unknown option \(word)")
            } else {
                result.append(word)
            }
        }
        return result
    }

    private func options(_ keep: (String) -> Bool) -> [String] {
        var result: [String] = []
        var literal = false
        for word in words {
            if word == "--" { literal = true }
            if literal || keep(word) { result.append(word) }
        }
        return result
    }
}
