/// Swift source while it is written, with its indentation.
struct SourceText {
    private(set) var text = ""
    private var depth = 0

    mutating func line(_ line: String = "") {
        if !line.isEmpty {
            text += String(repeating: "    ", count: depth)
            text += line
        }
        text += "\n"
    }

    /// The lines of `body`, one step further in.
    mutating func indented(_ body: (inout SourceText) -> Void) {
        depth += 1
        body(&self)
        depth -= 1
    }

    /// A documentation comment.
    mutating func documentation(_ text: String) {
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            self.line(line.isEmpty ? "///" : "/// \(line)")
        }
    }

    mutating func block(_ open: String, close: String, _ body: (inout SourceText) -> Void) {
        line(open)
        indented(body)
        line(close)
    }

    /// `label: ["name": value, …]`, one member per line.
    mutating func dictionary(_ label: String, _ names: [String], close: String, _ value: (String) -> String) {
        guard !names.isEmpty else { return line("\(label): [:]\(close)") }
        block("\(label): [", close: "]\(close)") { output in
            for name in names { output.line("\(SwiftNames.quoted(name)): \(value(name)),") }
        }
    }
}
