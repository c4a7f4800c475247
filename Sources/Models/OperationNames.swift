/// What `@model(queries:, mutations:, subscriptions:)` says of the root fields of a model: other names than the generated
/// ones, and operations that it does not have.
///
/// Operations are `get list sync create update delete onCreate onUpdate onDelete`; `sync` goes with `list`.
public struct OperationNames: Sendable, Hashable {
    /// Names by operation, where they are not the generated ones.
    public var names: [String: String]
    /// Operations that the model does not have.
    public var removed: Set<String>

    /// Changes some names, and removes some operations.
    public init(names: [String: String] = [:], removed: Set<String> = []) {
        self.names = names
        self.removed = removed
    }

    /// Every operation under its generated name.
    public static let standard = OperationNames()
}
