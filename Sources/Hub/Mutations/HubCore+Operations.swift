import Basics
import Models

/// An operation on one field of an update.
struct FieldChange {
    let position: Int
    let operation: FieldOperation
}

extension HubCore {
    /// Reads the operations of a mutation: on fields that an update may name, each declared for it.
    func fieldChanges(_ object: JSONObject, _ mutation: Mutation) throws(InputError) -> [FieldChange] {
        let model = mutation.model
        guard mutation.root.kind == .update else {
            throw InputError("operations belong to an update, not to \(mutation.root.name)")
        }
        var result: [FieldChange] = []
        for (name, json) in object.members {
            guard let position = model.schema.position(of: name), model.isInput[position],
                !model.keyPositions.contains(position), mutation.input.values[position] == nil
            else { throw InputError("\(model.schema.name) has no field \(printable(name)) for an operation") }
            guard let operation = FieldOperation(wire: json), operation.merge == model.schema.fields[position].merge
            else {
                throw InputError("\(model.schema.name).\(name) takes no \(printable(String(json.text.prefix(80))))")
            }
            guard json.text.utf8.count <= engine.limits.itemBytes else {
                throw InputError(
                    "the operation on \(model.schema.name).\(name) is larger than a record may be: "
                        + "\(engine.limits.itemBytes) bytes")
            }
            result.append(FieldChange(position: position, operation: operation))
        }
        return result
    }

    /// Puts operations on the stored values.
    func apply(_ changes: [FieldChange], to values: inout [Value], _ model: ModelInfo) throws(InputError) {
        for change in changes {
            let field = model.schema.fields[change.position]
            do throws(WireError) {
                values[change.position] = try engine.schema.source.value(
                    of: values[change.position], after: change.operation, for: field, in: model.schema.name)
            } catch {
                throw InputError(error.description)
            }
        }
    }

    /// Whether an update also sets fields, which a stale version makes a conflict.
    func setsFields(_ mutation: Mutation) -> Bool {
        mutation.input.values.indices.contains { position in
            mutation.input.values[position] != nil && !mutation.model.keyPositions.contains(position)
        }
    }

    /// Notes the time of a change, where the caller did not.
    func touch(_ values: inout [Value], _ mutation: Mutation) {
        if let position = mutation.model.updatedAt, mutation.input.values[position] == nil {
            values[position] = .integer(time.now().milliseconds)
        }
    }
}
