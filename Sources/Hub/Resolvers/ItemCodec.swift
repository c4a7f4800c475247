import Basics
import Models

/// Records as functions and merges see them: what AppSync would have stored, where `AWSJSON` is the value that it holds
/// and not a text, and what is null is not there.
struct ItemCodec: Sendable {
    let schema: Schema

    /// A whole record with what the service knows of it.
    func item(_ row: HubRow, _ model: ModelInfo) -> JSONValue {
        item(row.values, model, version: row.version, deleted: row.deleted, lastChangedAt: row.lastChangedAt)
    }

    /// A record with the metadata given.
    func item(
        _ values: [Value], _ model: ModelInfo, version: Int64?, deleted: Bool? = nil, lastChangedAt: Int64? = nil
    ) -> JSONValue {
        var object: JSONObject = ["__typename": .string(model.schema.name)]
        for (field, value) in zip(model.schema.fields, values) where !value.isNull {
            object.members.append((field.name, json(value, field)))
        }
        if let version { object.members.append(("_version", .integer(version))) }
        if let deleted { object.members.append(("_deleted", .bool(deleted))) }
        if let lastChangedAt { object.members.append(("_lastChangedAt", .integer(lastChangedAt))) }
        return .object(object)
    }

    /// A field's value.
    func json(_ value: Value, _ field: FieldSchema) -> JSONValue {
        opened(schema.wireValue(of: value, for: field), field)
    }

    /// A field's value from its wire form.
    func opened(_ wire: JSONValue, _ field: FieldSchema) -> JSONValue {
        field.isStoredAsJSON ? converted(wire, field, opens: true) : wire
    }

    /// The value of the field at a position with its dates as the service writes them, for comparisons.
    func plain(_ value: Value, _ position: Int, of model: ModelInfo) -> JSONValue {
        plain(schema.wireValue(of: value, for: model.schema.fields[position]), position, of: model)
    }

    /// The same of a wire value; one that does not fit the field stays as it is.
    func plain(_ wire: JSONValue, _ position: Int, of model: ModelInfo) -> JSONValue {
        let field = model.schema.fields[position]
        let value = try? schema.storageValue(of: wire, for: field, in: model.schema.name)
        return value.map { json($0, field) } ?? opened(wire, field)
    }

    /// The storage form of the value of the field at a position; the other way round of ``json(_:_:)``.
    func value(_ json: JSONValue, _ position: Int, of model: ModelInfo) throws(WireError) -> Value {
        let field = model.schema.fields[position]
        return try schema.storageValue(
            of: field.isStoredAsJSON ? converted(json, field, opens: false) : json, for: field, in: model.schema.name,
            keepsDateTimes: model.keepsDateTimes[position])
    }

    /// Opens the texts of `AWSJSON` wherever they stand, or closes them again.
    private func converted(_ json: JSONValue, _ field: FieldSchema, opens: Bool) -> JSONValue {
        if json.isNull { return json }
        if field.isList, case .array(let elements) = json {
            return .array(elements.map { element($0, field, opens: opens) })
        }
        return element(json, field, opens: opens)
    }

    private func element(_ json: JSONValue, _ field: FieldSchema, opens: Bool) -> JSONValue {
        if json.isNull, field.isList || opens { return json }
        switch field.type {
        case .scalar(.awsJSON):
            guard opens else { return .string(json.text) }
            return json.string.flatMap { try? JSONValue(parsing: $0) } ?? json
        case .embedded(let name):
            guard case .object(var object) = json, let fields = schema.embedded[name] else { return json }
            for inner in fields {
                guard let value = object[inner.name] else { continue }
                object[inner.name] = converted(value, inner, opens: opens)
            }
            return .object(object)
        default: return json
        }
    }
}
