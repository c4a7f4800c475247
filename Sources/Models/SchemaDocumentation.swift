/// What a schema's text says of its types, fields and enum values for people; introspection tells it, nothing else
/// depends on it.
///
/// Names are `Type`, `Type.field` and `Enum.value`.
public struct SchemaDocumentation: Sendable, Hashable {
    /// Descriptions by name.
    public var descriptions: [String: String]
    /// The reasons of `@deprecated` by name.
    public var deprecations: [String: String]

    /// Collects what is said.
    public init(descriptions: [String: String] = [:], deprecations: [String: String] = [:]) {
        self.descriptions = descriptions
        self.deprecations = deprecations
    }

    /// Whether nothing is said.
    public var isEmpty: Bool { descriptions.isEmpty && deprecations.isEmpty }
}
