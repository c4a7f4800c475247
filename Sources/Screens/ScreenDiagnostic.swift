/// Something wrong in a screen file or a catalog.
public struct ScreenDiagnostic: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's name.
    public let file: String
    /// The line, from 1; 0 when the file as a whole is meant.
    public let line: Int
    /// What is wrong, naming the value.
    public let text: String

    /// `file:line: what`.
    public var description: String { line > 0 ? "\(file):\(line): \(text)" : "\(file): \(text)" }
}
