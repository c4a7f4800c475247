import Models

/// A program in the hub's process that is a client of it, made for a schema of its own: the control desk.
///
/// It is not updated with a push, so that what a push took away from it would end its work until the hub is another.
public struct SchemaResident: Sendable {
    /// What a person calls it, such as `the control desk`.
    public let name: String
    /// The models it works with, as it knows them.
    public let schema: Schema
    /// What its key may act as; what it may do under its own schema by that, it needs. None where nothing is asked of it.
    public let groups: Set<String>
    /// How a hub is started without it.
    public let remedy: String

    /// Describes a resident.
    public init(name: String, schema: Schema, groups: Set<String> = [], remedy: String) {
        self.name = name
        self.schema = schema
        self.groups = groups
        self.remedy = remedy
    }

    /// What it could not work with any more under another schema.
    func losses(under other: Schema) -> [SchemaDifference.Change] {
        SchemaDifference(from: schema, to: other).destructive
    }

    /// Why nothing is done, in one line.
    func refusal(_ losses: [SchemaDifference.Change]) -> String {
        let more = losses.count > 1 ? " and \(losses.count - 1) more" : ""
        return "\(name) runs in the hub and works with what would change (\(losses.first?.text ?? "")\(more)), so "
            + "nothing was changed; \(remedy)"
    }

    /// Refuses a schema that it could not work with, when a hub starts.
    func check(_ served: Schema) throws(HubError) {
        guard let obstacle = obstacle(under: served) else { return }
        throw HubError("\(name) cannot work with the schema that was pushed (\(obstacle)); \(remedy)")
    }

    /// What of a schema it could not work with, in words for a person; nil where it could.
    public func obstacle(under served: Schema) -> String? {
        let losses = losses(under: served)
        guard let first = losses.first else { return nil }
        return first.text + (losses.count > 1 ? " and \(losses.count - 1) more" : "")
    }
}
