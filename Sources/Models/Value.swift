import Basics

/// A field's value in its storage form, which is also SQLite's.
///
/// | GraphQL type | storage |
/// |---|---|
/// | ID, String, enums, AWSDate, AWSTime, AWSEmail, AWSURL, AWSPhone, AWSIPAddress | text |
/// | AWSJSON, lists, embedded types | text (canonical JSON) |
/// | Int, AWSTimestamp, Boolean (0 or 1) | integer |
/// | AWSDateTime | integer, milliseconds since 1970 UTC; the hub has the text beside it where that says more |
/// | Float | real; with `@decimal(places:)` integer, in units of the last place |
///
/// Two are equal where they are stored alike: texts are compared byte by byte.
public enum Value: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)

    /// Whether both are the same, texts byte by byte.
    public static func == (a: Value, b: Value) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.integer(let a), .integer(let b)): a == b
        case (.real(let a), .real(let b)): a == b
        case (.text(let a), .text(let b)): a.hasSameBytes(as: b)
        case (.null, _), (.integer, _), (.real, _), (.text, _): false
        }
    }

    /// The integer, nil on anything else.
    public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// The text, nil on anything else.
    public var text: String? { if case .text(let value) = self { value } else { nil } }
    /// Whether it is null.
    public var isNull: Bool { if case .null = self { true } else { false } }
}
