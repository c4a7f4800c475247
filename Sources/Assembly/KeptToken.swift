import System

/// A person's token in a file, with the hub that it is for: whoever reads it shows it to nobody else.
package struct KeptToken: Sendable {
    /// The token.
    package let text: String
    /// The URL of the hub that gave it; nil where the file does not say so.
    package let hub: String?
    /// The file.
    package let file: String

    package init(text: String, hub: String?, file: String) {
        self.text = text
        self.hub = hub
        self.file = file
    }

    /// The file in a data directory.
    package static func path(in directory: String) -> String { directory + "/token" }

    /// The token that is kept in a data directory; nil where there is none.
    package static func read(in directory: String) throws -> KeptToken? {
        let file = path(in: directory)
        guard Files.exists(file) else { return nil }
        let words = try Files.readText(file).split(whereSeparator: \.isWhitespace).map(String.init)
        return words.first.map { KeptToken(text: $0, hub: words.count > 1 ? words[1] : nil, file: file) }
    }

    /// Keeps it for the file's user alone, whole or not at all.
    package func write() throws {
        let lines = [text] + (hub.map { [$0] } ?? [])
        try Files.writeAtomically(lines.map { $0 + "\n" }.joined(), to: file, mode: 0o600)
    }
}
