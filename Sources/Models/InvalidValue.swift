import Basics

/// A value that its field does not take, named for a person: model, field, value and what was expected.
public struct InvalidValue: Error, Sendable, Hashable, CustomStringConvertible {
    /// The model.
    public let model: String
    /// The field; inside an embedded type or a list its path, such as `home.mail` or `phones[2]`.
    public let field: String
    /// The value as text, cut where it is long; empty where a value is missing.
    public let value: String
    /// What is wrong with it.
    public let reason: String
    /// Whether a required value is missing.
    public let isMissing: Bool

    /// Names a wrong value.
    public init(model: String, field: String, value: String, reason: String, isMissing: Bool = false) {
        self.model = model
        self.field = field
        self.value = value
        self.reason = reason
        self.isMissing = isMissing
    }

    /// `Person.mail: "ann@" is not a valid AWSEmail`.
    public var description: String { "\(model).\(field): \(reason)" }
}

extension Model {
    /// The same record, after every value was checked against its field's type.
    ///
    /// Swift's own types leave only this to check: the text of e-mail addresses, URLs, phone numbers, IP addresses, dates
    /// and times, instants outside of the years 0000 to 9999, integers of more than 32 bits, numbers that are none or too
    /// long, and a composite key's `#`. A model
    /// with such text is checked by its initializer, which throws; of the others, whose initializer does not, this asks
    /// for the same. A store checks all of it again at each save.
    /// - Parameter schema: the generated `modelSchema`; without it embedded values are not looked into.
    /// - Throws: ``InvalidValue`` with the first wrong field.
    public func validated(in schema: Schema? = nil) throws(InvalidValue) -> Self {
        try record.check(in: schema)
        return self
    }
}

extension Record {
    /// Checks every value against its field's type.
    ///
    /// - Throws: ``InvalidValue`` with the first wrong field.
    public func check(in whole: Schema? = nil) throws(InvalidValue) {
        if let problem = schema.problem(values, in: whole) { throw problem }
    }
}

extension ModelSchema {
    /// Checks one field's value: what a generated initializer does where Swift's type takes more than the schema's.
    ///
    /// - Throws: ``InvalidValue`` naming the model, the field and the value.
    public func check(_ value: some FieldValue, of name: String, in schema: Schema) throws(InvalidValue) {
        let value = value.storageValue
        guard !value.isNull, let field = field(name) else { return }
        if let problem = problem(value, of: field, in: schema, isRemote: false) { throw problem }
        if primaryKey.count > 1, primaryKey.dropLast().contains(name), let problem = keyProblem(value, of: name) {
            throw problem
        }
    }

    /// The first value that does not fit its field; nil where all do.
    ///
    /// - Parameter isRemote: the backend fills read-only fields, so they must be there.
    public func problem(_ values: [Value], in schema: Schema? = nil, isRemote: Bool = false) -> InvalidValue? {
        for (field, value) in zip(fields, values) {
            if value.isNull {
                guard field.isRequired, !field.isReadOnly || isRemote else { continue }
                return InvalidValue(
                    model: name, field: field.name, value: "", reason: "null is not allowed", isMissing: true)
            }
            if let problem = problem(value, of: field, in: schema, isRemote: isRemote) { return problem }
        }
        return keyProblem(values)
    }

    private func problem(
        _ value: Value, of field: FieldSchema, in schema: Schema?, isRemote: Bool
    ) -> InvalidValue? {
        guard let reason = field.problem(value, in: schema, isRemote: isRemote) else { return nil }
        return InvalidValue(model: name, field: field.name + reason.path, value: reason.value, reason: reason.text)
    }

    /// The parts of a composite key are joined with `#`, so only the last may hold one: else two records could share a key.
    func keyProblem(_ values: [Value]) -> InvalidValue? {
        guard primaryKey.count > 1 else { return nil }
        for part in primaryKey.dropLast() {
            guard let position = position(of: part) else { continue }
            if let problem = keyProblem(values[position], of: part) { return problem }
        }
        return nil
    }

    private func keyProblem(_ value: Value, of part: String) -> InvalidValue? {
        guard case .text(let text) = value, text.utf8.contains(UInt8(ascii: "#")) else { return nil }
        return InvalidValue(
            model: name, field: part, value: shortened(text),
            reason: "\(shortened(text)) holds #, which separates the parts of the key")
    }
}

/// Why one value does not fit, and where inside the field.
struct ValueProblem {
    var path = ""
    let value: String
    let text: String

    init(_ value: String, _ text: String) {
        self.value = value
        self.text = text
    }

    func inside(_ part: String) -> ValueProblem {
        var result = self
        result.path = part + path
        return result
    }
}

extension FieldSchema {
    /// What keeps a non-null storage value out of the field; nil where nothing does.
    func problem(_ value: Value, in schema: Schema?, isRemote: Bool) -> ValueProblem? {
        if isStoredAsJSON, !isPlainJSON {
            guard case .text(let text) = value, let json = try? JSONValue(parsing: text) else { return mismatch(value) }
            return jsonProblem(json, in: schema, isRemote)
        }
        switch (type, value) {
        case (.enumeration(let name), .text(let text)):
            guard let schema, schema.enums[name]?.containsBytes(of: text) != true else { return nil }
            return ValueProblem(shortened(text), "\(name) has no case \(shortened(text))")
        case (.scalar(let scalar), _): return scalar.problem(value, isRemote: isRemote)
        default: return mismatch(value)
        }
    }

    private var isPlainJSON: Bool { !isList && type == .scalar(.awsJSON) }

    private func mismatch(_ value: Value) -> ValueProblem {
        ValueProblem(shortened(keyText(value)), "\(value) is of another type")
    }

    private func jsonProblem(_ json: JSONValue, in schema: Schema?, _ isRemote: Bool) -> ValueProblem? {
        guard isList else { return elementProblem(json, in: schema, isRemote) }
        guard let elements = json.array else { return ValueProblem(shortened(json.text), "it is no list") }
        for (index, element) in elements.enumerated() {
            if element.isNull {
                guard isElementRequired else { continue }
                return ValueProblem("", "a null element is not allowed").inside("[\(index)]")
            }
            if let problem = elementProblem(element, in: schema, isRemote) { return problem.inside("[\(index)]") }
        }
        return nil
    }

    private func elementProblem(_ json: JSONValue, in schema: Schema?, _ isRemote: Bool) -> ValueProblem? {
        switch type {
        case .enumeration(let name):
            guard let schema, json.string.map({ schema.enums[name]?.containsBytes(of: $0) ?? false }) != true else {
                return nil
            }
            return ValueProblem(shortened(json.text), "\(name) has no case \(shortened(json.text))")
        case .scalar(let scalar):
            if let value = scalar.storageValue(of: json) { return scalar.problem(value, isRemote: isRemote) }
            return ValueProblem(shortened(json.text), "\(shortened(json.text)) is not a valid \(scalar.graphQLName)")
        case .embedded(let name):
            guard let fields = schema?.embedded[name] else { return nil }
            guard let object = json.object else {
                return ValueProblem(shortened(json.text), "\(shortened(json.text)) is no \(name)")
            }
            for field in fields {
                let value = object[field.name] ?? .null
                if value.isNull {
                    guard field.isRequired else { continue }
                    return ValueProblem("", "null is not allowed").inside("." + field.name)
                }
                if let problem = field.jsonProblem(value, in: schema, isRemote) {
                    return problem.inside("." + field.name)
                }
            }
            return nil
        }
    }
}

extension ScalarType {
    /// What keeps a storage value from being one of this type.
    ///
    /// - Parameter isRemote: Decimals that are too long, which a backend keeps nevertheless, are shown as they are.
    func problem(_ value: Value, isRemote: Bool) -> ValueProblem? {
        switch (self, value) {
        case (.decimal(let places), .integer(let units)):
            guard !isRemote, units.magnitude >= Self.decimalLimit(places: places) else { return nil }
            let text = decimalText(units, places: places)
            return ValueProblem(text, "\(text) has more than twelve digits before its point")
        case (.awsDateTime, .integer(let number)):
            if DateTime.writable.contains(number) { return nil }
            return ValueProblem(
                "\(number)", "\(number) ms since 1970 lie outside of the years 0000 to 9999, which an AWSDateTime has")
        case (.int, .integer(let number)):
            guard Int32(exactly: number) == nil else { return nil }
            return ValueProblem("\(number)", "\(number) has more than 32 bits, as an Int may have")
        case (.awsTimestamp, .integer), (.boolean, .integer): return nil
        case (.float, .real(let number)):
            return number.isFinite ? nil : ValueProblem("\(number)", "\(number) is no number")
        case (.id, .text), (.string, .text), (.awsJSON, .text): return nil
        case (.awsDate, .text(let text)), (.awsTime, .text(let text)), (.awsEmail, .text(let text)),
            (.awsPhone, .text(let text)), (.awsURL, .text(let text)), (.awsIPAddress, .text(let text)):
            if isValid(text) { return nil }
            return ValueProblem(shortened(text), "\(shortened(text)) is not a valid \(graphQLName)")
        default: return ValueProblem(shortened(keyText(value)), "\(value) is of another type")
        }
    }
}

extension ScalarType {
    /// The units from which a decimal has more than twelve digits before its point.
    package static func decimalLimit(places: Int) -> UInt64 { UInt64(powerOfTen(12 + places)) }
}

/// A value as an error shows it: printable, and not longer than a line has room for.
func shortened(_ text: String) -> String {
    text.utf8.count <= 80 ? printable(text) : printable(String(text.prefix(80))) + "…"
}
