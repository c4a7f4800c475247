import Basics
import Models

/// One mutation as it goes to the service: what the outbox holds, in the wire's terms.
public struct OutgoingMutation: Sendable, Hashable {
    /// The record; of an update or delete only the key and the named fields are read.
    public let record: Record
    /// Create, update or delete.
    public let operation: ModelOperation
    /// An update's changed fields, as positions in the schema.
    public let changedFields: [Int]
    /// The version that the change was made on; nil for a create, or where the server has not answered yet.
    public let version: Int64?
    /// Names the mutation for the service, the same at every retry.
    public let mutationID: String
    /// The service carries the mutation out only if its record meets this.
    public let condition: PredicateNode?

    /// Describes a mutation.
    public init(
        _ operation: ModelOperation, _ record: Record, changedFields: [Int] = [], version: Int64? = nil,
        mutationID: String, condition: PredicateNode? = nil
    ) {
        self.operation = operation
        self.record = record
        self.changedFields = changedFields
        self.version = version
        self.mutationID = mutationID
        self.condition = condition
    }

    /// The model.
    public var model: ModelSchema { record.schema }

    /// Appends the `input` object.
    ///
    /// A create carries what has a value (and an explicit null where the service would put a default), an update the key
    /// and the changed fields, a delete the key. Read-only fields never travel.
    public func writeInput(into writer: inout JSONWriter) {
        writer.raw("{")
        var first = true
        func member(_ position: Int, _ writer: inout JSONWriter) {
            let field = model.fields[position]
            if first { first = false } else { writer.raw(",") }
            writer.string(field.name)
            writer.raw(":")
            writer.wire(record.values[position], of: field)
        }
        if operation == .create {
            for (position, field) in model.fields.enumerated() where !field.isReadOnly {
                if !record.values[position].isNull || field.defaultValue != nil { member(position, &writer) }
            }
        } else {
            for key in model.primaryKey {
                if let position = model.position(of: key) { member(position, &writer) }
            }
            if operation == .update {
                for position in changedFields
                where !model.fields[position].isReadOnly && !model.primaryKey.contains(model.fields[position].name) {
                    member(position, &writer)
                }
            }
            if let version {
                writer.raw(",\"_version\":")
                writer.integer(version)
            }
        }
        writer.raw("}")
    }
}
