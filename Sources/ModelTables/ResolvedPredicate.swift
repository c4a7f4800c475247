import Models
import SQLite

/// A predicate's field that the model does not have, or that cannot be filtered or sorted by.
public struct FilterError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The model.
    public let model: String
    /// The field; empty where it is the whole condition.
    public let field: String
    /// What is wrong.
    public let message: String

    /// Names a field and what is wrong with it.
    public init(model: String, field: String, message: String) {
        self.model = model
        self.field = field
        self.message = message
    }

    /// One line for a person.
    public var description: String { field.isEmpty ? "\(model): \(message)" : "\(model).\(field): \(message)" }
}

/// A predicate bound to a model's fields, with every rule of ``Models/Comparison`` already applied.
///
/// Both the SQL and the evaluator are made from it, which is what keeps them alike: a test is false of a missing value
/// and its negation true, and `not` has been pushed down to the tests.
indirect enum ResolvedPredicate: Sendable {
    case constant(Bool)
    case test(Int, FieldTest, negated: Bool)
    case and([ResolvedPredicate])
    case or([ResolvedPredicate])
    /// Whether some record of another model, joined by equal fields, meets a condition.
    case related(ModelSchema, pairs: [(own: String, target: String)], ResolvedPredicate, negated: Bool)
}

/// Finds a model by name, for predicates on related records.
public typealias ModelLookup = @Sendable (String) -> ModelSchema?

/// One question about one field's value. None of the values is null.
enum FieldTest: Sendable {
    case isNull
    case equal(Value)
    case less(Value)
    case lessOrEqual(Value)
    case greater(Value)
    case greaterOrEqual(Value)
    case between(Value, Value)
    case oneOf([Value])
    case hasPrefix(String)
    case hasSubstring(String)
    /// The text is in lower case.
    case hasSubstringIgnoringCase(String)
    /// The text is in lower case.
    case equalIgnoringCase(String)
    /// The text is in lower case.
    case hasPrefixIgnoringCase(String)
    /// The value is in the form that a JSON element has.
    case hasElement(Value)
    case hasElementWithSubstringIgnoringCase(String)
}

extension ResolvedPredicate {
    /// Binds a predicate to a model.
    init(
        _ node: PredicateNode, _ schema: ModelSchema, negated: Bool = false, models: ModelLookup? = nil
    ) throws(FilterError) {
        switch node {
        case .all: self = .constant(!negated)
        case .not(let inner): self = try ResolvedPredicate(inner, schema, negated: !negated, models: models)
        case .and(let nodes), .or(let nodes):
            var parts: [ResolvedPredicate] = []
            parts.reserveCapacity(nodes.count)
            var isConjunction = negated
            if case .and = node { isConjunction = !negated }
            for inner in nodes {
                // `a || b || c` is one list, however it was put together.
                switch (try ResolvedPredicate(inner, schema, negated: negated, models: models), isConjunction) {
                case (.and(let inner), true), (.or(let inner), false):
                    if parts.isEmpty { parts = inner } else { parts += inner }
                case (let part, _): parts.append(part)
                }
            }
            self = isConjunction ? .and(parts) : .or(parts)
        case .field(let name, let comparison):
            guard let position = schema.position(of: name) else {
                throw FilterError(model: schema.name, field: name, message: "there is no such field")
            }
            let field = schema.fields[position]
            guard field.isFilterable || comparison.isNullTest else {
                throw FilterError(
                    model: schema.name, field: name,
                    message:
                        "an embedded value can only be asked whether it is there; keep what you ask for in a field "
                        + "of the model")
            }
            self = ResolvedPredicate(position, field, comparison, negated)
        case .related(let name, let inner):
            guard let relation = schema.relation(name) else {
                throw FilterError(model: schema.name, field: name, message: "there is no such relation")
            }
            guard let models else {
                throw FilterError(model: schema.name, field: name, message: "a record alone has no related records")
            }
            guard let target = models(relation.target) else {
                throw FilterError(
                    model: schema.name, field: name, message: "its model \(relation.target) is not kept here")
            }
            self = .related(
                target, pairs: relation.pairs(from: schema, to: target),
                try ResolvedPredicate(inner, target, models: models), negated: negated)
        }
    }

    private init(_ position: Int, _ field: FieldSchema, _ comparison: Comparison, _ negated: Bool) {
        /// A value of another storage class than the field's equals nothing and is in order with nothing.
        func test(_ value: Value, negated flip: Bool = false, _ make: (Value) -> FieldTest) -> ResolvedPredicate {
            guard let value = field.comparable(value) else { return .constant(negated != flip) }
            return .test(position, make(value), negated: negated != flip)
        }
        func equality(_ value: Value, flip: Bool) -> ResolvedPredicate {
            value.isNull
                ? .test(position, .isNull, negated: negated != flip) : test(value, negated: flip) { .equal($0) }
        }
        func inclusion(_ values: [Value], flip: Bool) -> ResolvedPredicate {
            let comparable = values.compactMap { field.comparable($0) }
            var parts: [ResolvedPredicate] = []
            if values.contains(.null) { parts.append(.test(position, .isNull, negated: negated != flip)) }
            if !comparable.isEmpty { parts.append(.test(position, .oneOf(comparable), negated: negated != flip)) }
            return negated != flip ? .and(parts) : .or(parts)
        }
        func containment(_ value: Value, flip: Bool) -> ResolvedPredicate {
            let found: FieldTest? =
                if field.isList {
                    field.element(value).map { .hasElement($0) }
                } else if field.columnType == .text {
                    value.text.map { .hasSubstring($0) }
                } else {
                    nil
                }
            guard let found else { return .constant(negated != flip) }
            return .test(position, found, negated: negated != flip)
        }
        switch comparison {
        case .equal(let value): self = equality(value, flip: false)
        case .notEqual(let value): self = equality(value, flip: true)
        case .less(let value): self = test(value) { .less($0) }
        case .lessOrEqual(let value): self = test(value) { .lessOrEqual($0) }
        case .greater(let value): self = test(value) { .greater($0) }
        case .greaterOrEqual(let value): self = test(value) { .greaterOrEqual($0) }
        case .between(let low, let high):
            if let high = field.comparable(high) {
                self = test(low) { .between($0, high) }
            } else {
                self = .constant(negated)
            }
        case .isIn(let values): self = inclusion(values, flip: false)
        case .notIn(let values): self = inclusion(values, flip: true)
        case .contains(let value): self = containment(value, flip: false)
        case .notContains(let value): self = containment(value, flip: true)
        case .exists(let flag): self = .test(position, .isNull, negated: negated != flag)
        case .beginsWith(let prefix):
            self =
                field.columnType == .text ? .test(position, .hasPrefix(prefix), negated: negated) : .constant(negated)
        case .equalsIgnoringCase(let text):
            self =
                field.columnType == .text
                ? .test(position, .equalIgnoringCase(CaseFolding.folded(text)), negated: negated) : .constant(negated)
        case .beginsWithIgnoringCase(let prefix):
            self =
                field.columnType == .text
                ? .test(position, .hasPrefixIgnoringCase(CaseFolding.folded(prefix)), negated: negated)
                : .constant(negated)
        case .containsIgnoringCase(let text):
            let folded = CaseFolding.folded(text)
            if field.isList {
                self = .test(position, .hasElementWithSubstringIgnoringCase(folded), negated: negated)
            } else if field.columnType == .text {
                self = .test(position, .hasSubstringIgnoringCase(folded), negated: negated)
            } else {
                self = .constant(negated)
            }
        }
    }
}

extension FieldSchema {
    /// A value as the field's column compares it; nil where it is null, no number, or of another storage class.
    func comparable(_ value: Value) -> Value? {
        switch (columnType, value) {
        case (.text, .text), (.integer, .integer): return value
        case (.real, .integer(let value)): return .real(Double(value))
        case (.real, .real(let value)): return value.isNaN ? nil : .real(value)
        case (.integer, .real(let value)):
            if let whole = Int64(exactly: value) { return .integer(whole) }
            return value.isNaN ? nil : .real(value)
        default: return nil
        }
    }

    /// A value as an element of the field's JSON list has it.
    func element(_ value: Value) -> Value? {
        guard !value.isNull else { return nil }
        guard case .scalar(let scalar) = type else { return value.text.map { .text($0) } }
        switch scalar.wireValue(of: value) {
        case .string(let text): return .text(text)
        case .integer(let value): return .integer(value)
        case .bool(let flag): return .integer(flag ? 1 : 0)
        case .number(let text): return Double(text).map { .real($0) }
        default: return nil
        }
    }
}
