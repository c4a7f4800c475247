/// What a binding shows.
public enum FieldValue: Hashable, Sendable {
    /// Nothing at all.
    case hidden
    /// Text in variants, longest first; the first that fits its slot is shown, else the last is shortened.
    case text([String])
    /// A formatted number, put to the right.
    case number(String)
    /// A condition: the field's own text is shown when true.
    case flag(Bool)
    /// What is being typed.
    case input(InputValue)
    /// The rows of a list or of a choice.
    case rows(ListValue)
    /// A number in digits of five rows.
    case big(String)
    /// One character for each place, in order; the renderer lets the worst of each cell's share win.
    case strip(String)

    /// Text without a shorter form.
    public static func text(_ text: String) -> FieldValue { .text([text]) }

    /// Rows shown from the first on.
    public static func rows(_ rows: [ListRow]) -> FieldValue { .rows(ListValue(rows)) }

    /// Text being typed, the cursor after it.
    public static func input(_ text: String) -> FieldValue { .input(InputValue(text)) }
}

extension FieldValue: ExpressibleByStringLiteral {
    /// Text without a shorter form.
    public init(stringLiteral value: String) { self = .text([value]) }
}

/// The content of an input: what was typed, where the cursor is and what follows.
public struct InputValue: Hashable, Sendable {
    /// What was typed.
    public var text: String
    /// Characters before the cursor.
    public var cursor: Int
    /// Shown right after the text where there is room, never edited: ` = 158`.
    public var trailing: String

    /// Makes the content of an input; the cursor stands after the text unless told.
    public init(_ text: String, cursor: Int? = nil, trailing: String = "") {
        self.text = text
        self.cursor = cursor ?? text.count
        self.trailing = trailing
    }
}

/// One row of a list: a value for each column by name.
public struct ListRow: Hashable, Sendable {
    /// The columns' values by name.
    public var cells: [String: FieldValue]
    /// How the whole row is drawn.
    public var style: Style

    /// Makes a row.
    public init(_ cells: [String: FieldValue], style: Style = .plain) {
        self.cells = cells
        self.style = style
    }
}

/// The rows of a list and the part of it that is in view.
public struct ListValue: Hashable, Sendable {
    /// All rows.
    public var rows: [ListRow]
    /// The row shown first.
    public var first: Int
    /// The marked row, drawn in reverse.
    public var selected: Int?

    /// Makes a list.
    public init(_ rows: [ListRow], first: Int = 0, selected: Int? = nil) {
        self.rows = rows
        self.first = first
        self.selected = selected
    }
}

/// How weighty a message is; each looks and sounds different.
public enum MessageKind: String, CaseIterable, Hashable, Sendable {
    /// Something was done.
    case info
    /// Something to know.
    case notice
    /// Something was refused; stays until a key that no scanner sends.
    case error
    /// Something is asked.
    case confirm
}

/// A message to show on the message line: its id and what its placeholders stand for, or plain text.
public struct ScreenMessage: Hashable, Sendable {
    /// The id as declared under `@messages`; empty for plain text.
    public var id: String
    /// What `{name}` in the catalog's text stands for.
    public var arguments: [String: String]
    /// Plain text in variants, longest first, where there is no id.
    public var text: [String]
    /// The kind of plain text; a declared message has its own.
    public var kind: MessageKind

    /// A message declared in the screen's file.
    public init(_ id: String, _ arguments: [String: String] = [:]) {
        self.id = id
        self.arguments = arguments
        text = []
        kind = .info
    }

    /// Plain text, such as what another person wrote.
    public init(text: [String], kind: MessageKind) {
        id = ""
        arguments = [:]
        self.text = text
        self.kind = kind
    }
}

/// Everything a screen needs to be drawn.
public struct ScreenState: Hashable, Sendable {
    /// Values by binding path; a binding that is missing is drawn as hidden.
    public var values: [String: FieldValue]
    /// The binding of the input that has the cursor; nil puts it into the first input.
    public var focus: String?
    /// What stands on the message line.
    public var message: ScreenMessage?
    /// What the key bar shows in place of its own text, in variants; empty keeps it.
    public var keys: [String] = []

    /// Makes a state.
    public init(values: [String: FieldValue] = [:], focus: String? = nil, message: ScreenMessage? = nil) {
        self.values = values
        self.focus = focus
        self.message = message
    }

    /// The value of one binding.
    public subscript(_ binding: String) -> FieldValue {
        get { values[binding] ?? .hidden }
        set { values[binding] = newValue }
    }
}
