/// One mistake in a model schema, and where it stands.
public struct SchemaMistake: Error, Sendable, Hashable, CustomStringConvertible {
    /// The line, from 1.
    public let line: Int
    /// The column, from 1.
    public let column: Int
    /// What is wrong.
    public let message: String

    /// Makes the mistake.
    public init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }

    /// `line:column: message`.
    public var description: String { "\(line):\(column): \(message)" }
}

/// Everything that is wrong with a model schema, in the order of the text.
public struct SchemaMistakes: Error, Sendable, Hashable, CustomStringConvertible {
    /// The mistakes, at least one.
    public let mistakes: [SchemaMistake]

    /// Collects mistakes.
    public init(_ mistakes: [SchemaMistake]) {
        self.mistakes = mistakes.sorted { ($0.line, $0.column, $0.message) < ($1.line, $1.column, $1.message) }
    }

    /// One line per mistake.
    public var description: String { mistakes.map(\.description).joined(separator: "\n") }
}

/// Something in a model schema that is valid and easily not what its author means, and where it stands.
public struct SchemaRemark: Sendable, Hashable, CustomStringConvertible {
    /// The line, from 1.
    public let line: Int
    /// The column, from 1.
    public let column: Int
    /// What it comes to.
    public let message: String

    /// `line:column: message`.
    public var description: String { "\(line):\(column): \(message)" }
}
