import Basics
import Models

/// A number that a `@counter` field holds.
public protocol CounterValue: FieldValue {}
extension Int: CounterValue {}
extension Decimal3: CounterValue {}
extension Decimal4: CounterValue {}
extension Optional: CounterValue where Wrapped: CounterValue {}

extension StoreTransaction {
    /// Adds to a `@counter` field of a record that is here; a negative amount takes away.
    ///
    /// Amounts that several devices add without knowing of each other add up, where saving the sum would lose one. Sent
    /// only to a backend that takes operations; any other has the change parked with that reason.
    /// - Throws: ``StoreError/missingRecord(model:id:)``, or ``StoreError/invalidField(model:id:field:reason:)`` where the
    ///   schema does not declare the field so or the sum is out of its range.
    public func increment<M: Model, V: CounterValue>(_ field: Field<M, V>, of id: String, by amount: V) throws {
        let schema = try fieldSchema(M.schema, id, field.name)
        let number = self.schema.wireValue(of: amount.storageValue, for: schema)
        try operate(model: M.schema.name, id: id, [field.name: .increment(number.isNull ? 0 : number)])
    }

    /// Puts an element into a `@set` field of a record that is here, unless it is in it.
    public func insert<M: Model, V: ListFieldValue>(
        _ element: V.Member, into field: Field<M, V>, of id: String
    ) throws {
        try edit(field.name, of: M.schema, id, adding: [element].storageValue)
    }

    /// Takes an element out of a `@set` field of a record that is here.
    public func remove<M: Model, V: ListFieldValue>(
        _ element: V.Member, from field: Field<M, V>, of id: String
    ) throws {
        try edit(field.name, of: M.schema, id, removing: [element].storageValue)
    }

    private func edit(
        _ field: String, of model: ModelSchema, _ id: String, adding: Value = .null, removing: Value = .null
    ) throws {
        let schema = try fieldSchema(model, id, field)
        func elements(_ value: Value) -> [JSONValue] { self.schema.wireValue(of: value, for: schema).array ?? [] }
        try operate(model: model.name, id: id, [field: .edit(adding: elements(adding), removing: elements(removing))])
    }

    private func fieldSchema(_ model: ModelSchema, _ id: String, _ name: String) throws -> FieldSchema {
        guard let field = model.field(name) else {
            throw StoreError.invalidField(model: model.name, id: id, field: name, reason: "there is no such field")
        }
        return field
    }

    /// Applies operations to fields of an untyped record that is here.
    public func operate(model: String, id: String, _ operations: [String: FieldOperation]) throws {
        let core = try writer()
        try whole { try core.operate(id, try context.table(model), operations, identity) }
    }
}

extension StoreCore {
    /// Applies operations to a row and queues them as an update of operations.
    func operate(
        _ id: String, _ table: StoreTable, _ operations: [String: FieldOperation], _ identity: String?
    ) throws {
        let model = table.model.name
        try checkWritable(table)
        if table.isCreateOnly { throw StoreError.createOnly(model: model, id: id) }
        guard let old = try table.fetch(id, on: connection) else {
            throw StoreError.missingRecord(model: model, id: id)
        }
        var values = old.values
        var fields = JSONObject()
        var base = JSONObject()
        for (name, operation) in operations.sorted(by: { $0.key < $1.key }) where !operation.isNothing {
            guard let position = table.model.position(of: name), table.wire.writable.contains(position) else {
                throw StoreError.invalidField(model: model, id: id, field: name, reason: "there is no such field")
            }
            do {
                values[position] = try schema.value(
                    of: old.values[position], after: operation, for: table.model.fields[position], in: model)
            } catch {
                throw StoreError.invalidField(model: model, id: id, field: name, reason: error.message)
            }
            fields[name] = operation.json
            base[name] = table.wire.wire(old.values[position], position)
        }
        guard !fields.isEmpty else { return }
        try table.update(id, values, table.wire.differences(old.values, values), on: connection)
        // Told first: what the outbox makes of it may show the backend's record instead, or none.
        note(.updated, table, id, values, isLocal: true)
        if try isSent(table, id, old.version) {
            try enqueue(
                .update, table, id, fields: JSONValue.object(fields).bytes, base: JSONValue.object(base).bytes,
                version: old.version, identity)
        }
    }
}

extension OutboxEntry {
    /// Whether some of the fields are operations. Looked for in the text, since most entries have none.
    public var hasOperations: Bool {
        guard kind == .update else { return false }
        var matched = 0
        let mark: [UInt8] = [UInt8(ascii: "{"), UInt8(ascii: "\""), UInt8(ascii: "$")]
        for byte in fieldsJSON.utf8 {
            matched = byte == mark[matched] ? matched + 1 : byte == mark[0] ? 1 : 0
            if matched == mark.count { return true }
        }
        return false
    }

    /// What a member of the fields shows over the backend's record.
    ///
    /// A change that was sent may be in that record already, when its subscription event comes before its answer: it is
    /// taken to be where the value is what it makes of its base.
    func shown(_ member: (key: String, value: JSONValue), over image: JSONObject?) -> JSONValue {
        guard let operation = FieldOperation(member.value) else { return member.value }
        let theirs = image?[member.key] ?? .null
        if attempts > 0, theirs == operation.applied(to: base[member.key] ?? .null) { return theirs }
        return operation.applied(to: theirs) ?? theirs
    }
}
