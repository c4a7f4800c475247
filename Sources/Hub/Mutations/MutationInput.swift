import Basics
import Models

/// The input of a create, update or delete in storage form.
struct MutationInput: Sendable {
    /// A value for each field of the model; nil where the input leaves the field out.
    var values: [Value?]
    /// `_version`, nil where it is left out.
    var version: Int64?
}

extension Coercion {
    /// Reads a mutation's input straight into storage form.
    func mutationInput(_ json: JSONValue, _ role: APIInputObject.Role, _ typeName: String) throws(InputError)
        -> MutationInput
    {
        guard case .object(let object) = json else { throw invalid(json, typeName) }
        let model: ModelInfo
        let isCreate: Bool
        let keysOnly: Bool
        switch role {
        case .create(let index): (model, isCreate, keysOnly) = (schema.models[index], true, false)
        case .update(let index): (model, isCreate, keysOnly) = (schema.models[index], false, false)
        case .delete(let index): (model, isCreate, keysOnly) = (schema.models[index], false, true)
        case .plain, .filter: throw invalid(json, typeName)
        }
        var input = MutationInput(values: Array(repeating: nil, count: model.schema.fields.count), version: nil)
        for (key, value) in object.members {
            if let position = model.schema.position(of: key), model.isInput[position],
                !keysOnly || model.keyPositions.contains(position)
            {
                input.values[position] = try storage(value, position, model, isCreate: isCreate)
                if isCreate, model.keyPositions.contains(position) { try checkPrecision(value, position, model) }
            } else if key == "_version" {
                guard !value.isNull else { continue }
                guard let number = value.integer, Int64(Int32.min)...Int64(Int32.max) ~= number else {
                    throw invalid(value, "Int")
                }
                input.version = number
            } else {
                throw Self.unknownField(key, typeName)
            }
        }
        try checkPresence(&input, model, isCreate: isCreate)
        return input
    }

    private func storage(
        _ json: JSONValue, _ position: Int, _ model: ModelInfo, isCreate: Bool
    ) throws(InputError) -> Value? {
        let field = model.schema.fields[position]
        if json.isNull {
            // A null for a field that create fills in by itself counts as left out.
            let isFilled =
                model.defaults[position] != nil || position == model.createdAt || position == model.updatedAt
                || model.keyPositions == [position]
            if isCreate, isFilled { return nil }
            guard !field.isRequired else {
                throw nullError(.nonNull(SchemaBuilder.reference(field, input: true).nullable))
            }
            return .null
        }
        do {
            return try schema.source.storageValue(
                of: json, for: field, in: model.schema.name, keepsDateTimes: model.keepsDateTimes[position])
        } catch {
            // A single value stands for a list of it (GraphQL, October 2021, §3.11). Hardly anybody writes so: only what
            // was refused is looked at again.
            if let listed = try? value(json, SchemaBuilder.reference(field, input: true)), listed != json {
                return try storage(listed, position, model, isCreate: isCreate)
            }
            if error.message == "there is no such field" { throw Self.unknownField(error.field, error.type + "Input") }
            throw invalid(json, SchemaBuilder.reference(field, input: true).nullable.description)
        }
    }

    /// The parts of a composite key are joined with `#`, so only the last may hold one: else two records could share a key,
    /// or one be changed under another's name. Our clients refuse the same, in the same words.
    private func checkKey(_ input: MutationInput, _ model: ModelInfo) throws(InputError) {
        let parts = model.keyPositions.map { input.values[$0] ?? .null }
        guard let index = ModelInfo.firstSplit(parts) else { return }
        let field = model.schema.fields[model.keyPositions[index]].name
        throw InputError(
            "\(model.schema.name).\(field): \(printable(String(keyText(parts[index]).prefix(80)))) holds "
                + "#, which separates the parts of the key")
    }

    /// Keys are instants in milliseconds: two that differ behind these would be one record.
    private func checkPrecision(_ json: JSONValue, _ position: Int, _ model: ModelInfo) throws(InputError) {
        let field = model.schema.fields[position]
        guard case .scalar(.awsDateTime) = field.type, let text = json.string, DateTime.isFinerThanMilliseconds(text)
        else { return }
        throw InputError(
            "\(model.schema.name).\(field.name): \(printable(String(text.prefix(80)))) names a part of a millisecond, which no "
                + "key keeps")
    }

    private func checkPresence(_ input: inout MutationInput, _ model: ModelInfo, isCreate: Bool) throws(InputError) {
        if isCreate {
            for (position, field) in model.schema.fields.enumerated() where input.values[position] == nil {
                if let value = model.defaults[position] {
                    input.values[position] = value
                } else if field.isRequired, model.isInput[position], position != model.createdAt,
                    position != model.updatedAt, !(field.name == "id" && model.keyPositions == [position])
                {
                    throw nullError(SchemaBuilder.reference(field, input: true))
                }
            }
        } else {
            for position in model.keyPositions where (input.values[position] ?? .null).isNull {
                throw nullError(.nonNull(SchemaBuilder.reference(model.schema.fields[position], input: true).nullable))
            }
        }
        try checkKey(input, model)
    }
}
