/// Text, or text that may be missing: what can be searched for a part.
public protocol TextFieldValue: FieldValue {}
extension String: TextFieldValue {}
extension Optional: TextFieldValue where Wrapped: TextFieldValue {}

/// A list, or one that may be missing: what can be searched for an element.
public protocol ListFieldValue: FieldValue {
    /// The type of its elements.
    associatedtype Member: FieldValue, JSONFieldValue
}

extension Array: ListFieldValue where Element: FieldValue & JSONFieldValue {
    /// The type of its elements.
    public typealias Member = Element
}

extension Optional: ListFieldValue where Wrapped: ListFieldValue {
    /// The type of the list's elements.
    public typealias Member = Wrapped.Member
}
