import Basics

// Written once for all models instead of synthesised for each: a large schema compiles faster and is smaller.

extension Model {
    /// Encodes an object in the wire form: what the protocol sends for a record. Missing values are left out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: JSONKey.self)
        for (field, value) in zip(Self.schema.fields, record.values) where !value.isNull {
            try container.encode(field.wireValue(of: value), forKey: JSONKey(stringValue: field.name))
        }
    }

    /// Decodes the wire form.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: JSONKey.self)
        var values: [Value] = []
        values.reserveCapacity(Self.schema.fields.count)
        for field in Self.schema.fields {
            let key = JSONKey(stringValue: field.name)
            guard let json = try container.decodeIfPresent(JSONValue.self, forKey: key), !json.isNull else {
                values.append(.null)
                continue
            }
            guard let value = field.decodedValue(of: json) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: container, debugDescription: "\(json.text.prefix(80)) is not valid here")
            }
            values.append(value)
        }
        do {
            try self.init(Record(schema: Self.schema, values: values))
        } catch {
            let field = Self.schema.fields[error.position]
            throw DecodingError.dataCorruptedError(
                forKey: JSONKey(stringValue: field.name), in: container,
                debugDescription: "\(error.value) is no \(error.expected)")
        }
    }
}

extension EmbeddedFieldValue {
    /// Encodes the wire form.
    public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }

    /// Decodes the wire form.
    public init(from decoder: any Decoder) throws {
        let json = try JSONValue(from: decoder)
        guard let value = Self(json: json) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath, debugDescription: "\(json.text.prefix(80)) is no \(Self.self)"))
        }
        self = value
    }
}

extension FieldSchema {
    /// Turns the field's storage form into its wire value.
    ///
    /// A stored text that is no JSON where JSON belongs becomes null; the store never writes such text.
    public func wireValue(of value: Value) -> JSONValue {
        if value.isNull { return .null }
        if isStoredAsJSON {
            guard case .text(let text) = value else { return .null }
            if !isList, case .scalar(.awsJSON) = type { return .string(text) }
            return (try? JSONValue(parsing: text)) ?? .null
        }
        guard case .scalar(let scalar) = type else { return value.text.map { .string($0) } ?? .null }
        return scalar.wireValue(of: value)
    }

    /// The storage form without the schema's enums and embedded types at hand: those the Swift type checks.
    fileprivate func decodedValue(of json: JSONValue) -> Value? {
        if isList { return json.array.map { _ in .text(json.canonical.text) } }
        switch type {
        case .embedded: return .text(json.canonical.text)
        case .enumeration: return json.string.map { .text($0) }
        case .scalar(.decimal(let places)):
            if let text = json.string { return decimalUnits(text, places: places).map { .integer($0) } }
            return ScalarType.decimal(places: places).storageValue(of: json)
        case .scalar(let scalar): return scalar.storageValue(of: json)
        }
    }
}
