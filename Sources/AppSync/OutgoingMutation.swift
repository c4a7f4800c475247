import Basics
import Models

/// One mutation as it goes to the service: what the outbox holds, in the wire's terms.
public struct OutgoingMutation: Sendable, Hashable {
    /// The model.
    public let model: ModelSchema
    /// Create, update or delete.
    public let operation: ModelOperation
    /// The record's key; the parts of a key of several fields are joined with `#`.
    public let id: String
    /// The text of a JSON object in wire form: a create's values with the key, an update's changed fields; a delete
    /// needs none.
    public let fieldsJSON: String
    /// The version that the change was made on; nil for a create, or where the server has not answered yet.
    public let version: Int64?
    /// Names the mutation for the service, the same at every retry.
    public let mutationID: String
    /// The service carries the mutation out only if its record meets this.
    public let condition: PredicateNode?
    /// What is to be done to fields whatever they hold: operations by field, in the wire's form.
    public let operations: JSONObject?
    /// Mutations of one request with the same unit are carried out all or not at all.
    public let unit: Int64?
    /// The places in the request of what must be carried out before it, or it is not either: the creates of records that
    /// it names as parents.
    public var needs: [Int] = []
    /// What its fields were before the change, by field: what is still so takes the change on whatever version it was made,
    /// and of embedded values the service leaves alone what the client has not changed.
    public var bases: JSONObject?

    /// Describes a mutation.
    public init(
        _ operation: ModelOperation, _ model: ModelSchema, id: String, fieldsJSON: String, version: Int64? = nil,
        mutationID: String, condition: PredicateNode? = nil, operations: JSONObject? = nil, unit: Int64? = nil
    ) {
        self.operation = operation
        self.model = model
        self.id = id
        self.fieldsJSON = fieldsJSON
        self.version = version
        self.mutationID = mutationID
        self.condition = condition
        self.operations = operations
        self.unit = unit
    }

    /// Appends the `input` object: a create's fields; an update's key, fields and version; a delete's key and version.
    public func writeInput(into writer: inout JSONWriter) {
        if operation == .create {
            writer.raw(fieldsJSON)
            return
        }
        writer.raw("{")
        model.writeKey(id, into: &writer)
        if operation == .update {
            let members = fieldsJSON.utf8.dropFirst().dropLast()
            if !members.isEmpty {
                writer.raw(",")
                writer.bytes.append(contentsOf: members)
            }
        }
        if let version {
            writer.raw(",\"_version\":")
            writer.integer(version)
        }
        writer.raw("}")
    }
}

extension ModelSchema {
    /// Appends the key's fields as members, as they travel: `"id":"…"`.
    func writeKey(_ id: String, into writer: inout JSONWriter) {
        for (index, (name, value)) in zip(primaryKey, keyValues(of: id)).enumerated() {
            if index > 0 { writer.raw(",") }
            writer.string(name)
            writer.raw(":")
            writer.value(field(name)?.wireValue(of: value) ?? .null)
        }
    }
}
