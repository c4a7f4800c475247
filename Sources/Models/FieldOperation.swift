import Basics

/// How changes of one field that were made apart are merged, where the schema says so.
public enum FieldMerge: String, Sendable, Hashable, CaseIterable {
    /// `@counter`: a number that is added to, so that two who count add up.
    case counter
    /// `@set`: a list whose elements are put in and taken out one by one.
    case set
}

/// A change that says what happens to a field instead of what it becomes, so that changes made apart commute.
///
/// Among a change's fields it stands as an object whose keys begin with `$`, which no GraphQL name does.
public enum FieldOperation: Sendable, Hashable {
    /// Adds a number, which may be negative.
    case increment(JSONValue)
    /// Takes elements out, then puts elements in that are not there.
    case edit(adding: [JSONValue], removing: [JSONValue])

    /// Reads what ``json`` wrote; nil where it is a plain value.
    public init?(_ json: JSONValue) {
        guard case .object(let object) = json, object.members.first?.key.utf8.first == UInt8(ascii: "$") else {
            return nil
        }
        self.init(object, prefix: "$")
    }

    /// Reads the form of `extensions.bincount.operations`.
    public init?(wire json: JSONValue) {
        guard case .object(let object) = json else { return nil }
        self.init(object, prefix: "")
    }

    private init?(_ object: JSONObject, prefix: String) {
        if let amount = object[prefix + "increment"] {
            guard object.count == 1, JSONValue.sum(amount, 0) != nil else { return nil }
            self = .increment(amount)
            return
        }
        let (adding, removing) = (object[prefix + "add"], object[prefix + "remove"])
        let known = (adding == nil ? 0 : 1) + (removing == nil ? 0 : 1)
        guard known > 0, object.count == known else { return nil }
        guard let added = (adding ?? .array([])).array, let removed = (removing ?? .array([])).array else { return nil }
        self = .edit(adding: added, removing: removed)
    }

    /// The form among a change's fields.
    public var json: JSONValue { object("$") }
    /// The form on the wire.
    public var wire: JSONValue { object("") }

    private func object(_ prefix: String) -> JSONValue {
        switch self {
        case .increment(let amount): return .object(JSONObject([(key: prefix + "increment", value: amount)]))
        case .edit(let adding, let removing):
            var object = JSONObject()
            if !adding.isEmpty || removing.isEmpty { object[prefix + "add"] = .array(adding) }
            if !removing.isEmpty { object[prefix + "remove"] = .array(removing) }
            return .object(object)
        }
    }

    /// How the field must be declared.
    public var merge: FieldMerge { if case .increment = self { .counter } else { .set } }

    /// Whether it changes nothing.
    public var isNothing: Bool {
        switch self {
        case .increment(let amount): JSONValue.sum(amount, 0) == .integer(0)
        case .edit(let adding, let removing): adding.isEmpty && removing.isEmpty
        }
    }

    /// The value after it; nothing there counts as 0 and as an empty list. Nil where a value of another kind is there, or
    /// the sum has too many digits.
    public func applied(to value: JSONValue) -> JSONValue? {
        switch self {
        case .increment(let amount): return JSONValue.sum(value.isNull ? 0 : value, amount)
        case .edit(let adding, let removing):
            guard let elements = value.isNull ? [] : value.array else { return nil }
            return .array(elements.without(removing).with(adding))
        }
    }

    /// The one operation that does what this does and `next` after it; nil where they are of different kinds.
    public func followed(by next: FieldOperation) -> FieldOperation? {
        switch (self, next) {
        case (.increment(let a), .increment(let b)): return JSONValue.sum(a, b).map { .increment($0) }
        case (.edit(let added, let removed), .edit(let adding, let removing)):
            return .edit(
                adding: added.without(removing).with(adding),
                removing: removed.without(adding).with(removing.without(adding)))
        case (.increment, .edit), (.edit, .increment): return nil
        }
    }
}

extension [JSONValue] {
    /// The elements that are none of those.
    fileprivate func without(_ others: [JSONValue]) -> [JSONValue] {
        guard !others.isEmpty else { return self }
        let gone = Set(others)
        return filter { !gone.contains($0) }
    }

    /// With those at the end that are not there, each once.
    fileprivate func with(_ others: [JSONValue]) -> [JSONValue] {
        guard !others.isEmpty else { return self }
        var known = Set(self)
        return self + others.filter { known.insert($0).inserted }
    }
}

extension JSONValue {
    /// What a member of a change's fields makes of an earlier one: itself where it is a value, else what its operation
    /// makes of a value, or both operations as one.
    public func over(_ earlier: JSONValue) -> JSONValue {
        guard let operation = FieldOperation(self) else { return self }
        if let first = FieldOperation(earlier) { return (first.followed(by: operation) ?? operation).json }
        return operation.applied(to: earlier) ?? earlier
    }

    /// The exact sum of two numbers of at most nine places; nil where one is no such number or the sum is too great.
    static func sum(_ a: JSONValue, _ b: JSONValue) -> JSONValue? {
        if case .integer(let first) = a, case .integer(let second) = b {
            let (sum, overflow) = first.addingReportingOverflow(second)
            return overflow ? nil : .integer(sum)
        }
        guard let first = a.decimalDigits, let second = b.decimalDigits else { return nil }
        let places = max(first.places, second.places)
        guard places <= 9, let left = decimalUnits(first.text, places: places),
            let right = decimalUnits(second.text, places: places)
        else { return nil }
        let (sum, overflow) = left.addingReportingOverflow(right)
        if overflow { return nil }
        let scale = powerOfTen(places)
        return sum % scale == 0 ? .integer(sum / scale) : .number(decimalText(sum, places: places))
    }

    private var decimalDigits: (text: String, places: Int)? {
        switch self {
        case .integer(let value): return (String(value), 0)
        case .number(let text):
            guard text.utf8.allSatisfy({ $0 == 0x2D || $0 == 0x2E || (0x30...0x39).contains($0) }) else { return nil }
            guard let point = text.firstIndex(of: ".") else { return (text, 0) }
            return (text, text.utf8.distance(from: point, to: text.endIndex) - 1)
        default: return nil
        }
    }
}

extension Schema {
    /// The value of a field after an operation, checked as every value is.
    ///
    /// - Throws: ``WireError`` where the field is not declared for it, an element is not of its type, or the result is out
    ///   of its range.
    public func value(
        of value: Value, after operation: FieldOperation, for field: FieldSchema, in type: String
    ) throws(WireError) -> Value {
        guard field.merge == operation.merge else {
            throw WireError(
                type: type, field: field.name,
                message: "only a field declared @\(operation.merge.rawValue) takes this; set its value instead")
        }
        guard let result = operation.normalized(self, field, type)?.applied(to: wireValue(of: value, for: field)) else {
            throw WireError(type: type, field: field.name, message: "\(operation.wire.text.prefix(80)) does not fit")
        }
        return try storageValue(of: result, for: field, in: type)
    }
}

extension FieldOperation {
    /// With its elements written as the store writes them, so that equal ones are found.
    func normalized(_ schema: Schema, _ field: FieldSchema, _ type: String) -> FieldOperation? {
        guard case .edit(let adding, let removing) = self else { return self }
        func list(_ elements: [JSONValue]) -> [JSONValue]? {
            guard let value = try? schema.storageValue(of: .array(elements), for: field, in: type) else { return nil }
            return schema.wireValue(of: value, for: field).array
        }
        guard let added = list(adding), let removed = list(removing) else { return nil }
        return .edit(adding: added, removing: removed)
    }
}
