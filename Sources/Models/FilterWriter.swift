import Basics

/// A condition that the API cannot be asked: what of it, for a person.
public struct UnaskableCondition: Error, Sendable, Hashable, CustomStringConvertible {
    /// What cannot be asked.
    public let description: String

    /// Makes the error.
    public init(_ description: String) {
        self.description = description
    }
}

extension PredicateNode {
    /// The condition in the API's words.
    ///
    /// - Throws: ``UnaskableCondition`` where the place has no such field or operator, or an operand is none there.
    public func wireInput(for model: ModelSchema, in place: FilterPlace) throws(UnaskableCondition) -> JSONValue {
        try FilterWriter(model: model, place: place).node(self)
    }
}

/// Writes conditions as the operators of ``ModelSchema/filterOperators(of:in:)`` have them.
private struct FilterWriter {
    let model: ModelSchema
    let place: FilterPlace

    func node(_ node: PredicateNode) throws(UnaskableCondition) -> JSONValue {
        switch node {
        case .all: return .object(JSONObject())
        case .field(let name, let comparison):
            guard let field = model.field(name) else {
                throw UnaskableCondition("\(model.name) has no filter on \(name)")
            }
            return try self.comparison(comparison, field)
        case .and(let nodes): return ["and": .array(try list(nodes))]
        case .or(let nodes): return ["or": .array(try list(nodes))]
        case .not(let inner):
            guard place != .subscription else { throw UnaskableCondition("subscriptions have no 'not'") }
            return ["not": try self.node(inner)]
        case .related(let name, _):
            throw UnaskableCondition("the service cannot filter \(model.name) by its relation \(name)")
        }
    }

    private func list(_ nodes: [PredicateNode]) throws(UnaskableCondition) -> [JSONValue] {
        var result: [JSONValue] = []
        for node in nodes { result.append(try self.node(node)) }
        return result
    }

    private func comparison(_ comparison: Comparison, _ field: FieldSchema) throws(UnaskableCondition) -> JSONValue {
        switch comparison {
        case .equal(.null): return try presence(false, field)
        case .notEqual(.null): return try presence(true, field)
        case .exists(let flag): return try presence(flag, field)
        case .equal(let value): return try test(.eq, value, field)
        case .notEqual(let value): return try test(.ne, value, field)
        case .less(let value): return try test(.lt, value, field)
        case .lessOrEqual(let value): return try test(.le, value, field)
        case .greater(let value): return try test(.gt, value, field)
        case .greaterOrEqual(let value): return try test(.ge, value, field)
        case .between(let low, let high): return try test(.between, of: [low, high], field)
        case .contains(let value): return try test(.contains, value, field)
        case .notContains(let value): return try test(.notContains, value, field)
        case .beginsWith(let prefix): return try test(.beginsWith, .text(prefix), field)
        case .isIn(let values):
            if place == .subscription { return try test(.isIn, of: values, field) }
            guard !values.isEmpty else { throw UnaskableCondition("an empty list of values matches nothing") }
            return ["or": .array(try list(values.map { .field(field.name, .equal($0)) }))]
        case .notIn(let values):
            if place == .subscription { return try test(.notIn, of: values, field) }
            return ["and": .array(try list(values.map { .field(field.name, .notEqual($0)) }))]
        case .containsIgnoringCase, .equalsIgnoringCase, .beginsWithIgnoringCase:
            throw UnaskableCondition("the service cannot ignore case, as \(name(of: field)) is asked")
        }
    }

    /// Whether there is a value: of an enum, which has no operator for it, by comparing with null.
    private func presence(_ flag: Bool, _ field: FieldSchema) throws(UnaskableCondition) -> JSONValue {
        let operators = model.filterOperators(of: field, in: place)
        if operators.contains(.attributeExists) { return written(.attributeExists, .bool(flag), field) }
        if case .enumeration = field.type, place != .subscription, operators.contains(.eq) {
            return written(flag ? .ne : .eq, .null, field)
        }
        throw missing(.attributeExists, field)
    }

    private func test(
        _ name: FilterOperator, _ value: Value, _ field: FieldSchema
    ) throws(UnaskableCondition) -> JSONValue {
        guard model.filterOperators(of: field, in: place).contains(name) else { throw missing(name, field) }
        let isElement = name == .contains || name == .notContains
        return written(name, try operand(value, field, isWhole: field.isList && !isElement), field)
    }

    private func test(
        _ name: FilterOperator, of values: [Value], _ field: FieldSchema
    ) throws(UnaskableCondition) -> JSONValue {
        guard model.filterOperators(of: field, in: place).contains(name) else { throw missing(name, field) }
        var operands: [JSONValue] = []
        for value in values { operands.append(try operand(value, field, isWhole: false)) }
        return written(name, .array(operands), field)
    }

    private func written(_ name: FilterOperator, _ operand: JSONValue, _ field: FieldSchema) -> JSONValue {
        [field.name: [name.rawValue: operand]]
    }

    /// A value as the operators' input has it.
    ///
    /// - Parameter isWhole: It is a whole list, and not an element of one.
    private func operand(
        _ value: Value, _ field: FieldSchema, isWhole: Bool
    ) throws(UnaskableCondition) -> JSONValue {
        if isWhole {
            if let json = value.text.flatMap({ try? JSONValue(parsing: $0) }), json.array != nil { return json }
            throw refused(value, field)
        }
        guard case .scalar(let scalar) = field.type else {
            guard let text = value.text else { throw refused(value, field) }
            return .string(text)
        }
        switch (scalar, value) {
        case (.int, .integer(let number)), (.awsTimestamp, .integer(let number)):
            // The operators of both take an Int.
            guard Int32(exactly: number) != nil else {
                throw UnaskableCondition(
                    "\(name(of: field)) cannot be compared with \(number): the service compares 32 bits")
            }
        case (.awsDateTime, .integer(let number)) where !DateTime.writable.contains(number): throw refused(value, field)
        case (.float, .real(let number)) where !number.isFinite: throw refused(value, field)
        case (.float, .real), (.float, .integer), (.decimal, .integer), (.boolean, .integer), (.awsDateTime, .integer):
            break
        case (.int, _), (.awsTimestamp, _), (.float, _), (.decimal, _), (.boolean, _), (.awsDateTime, _), (_, .null),
            (_, .integer), (_, .real):
            throw refused(value, field)
        case (_, .text): break
        }
        return scalar.wireValue(of: value)
    }

    private func name(of field: FieldSchema) -> String { "\(model.name).\(field.name)" }

    private func refused(_ value: Value, _ field: FieldSchema) -> UnaskableCondition {
        let operand = value.isNull ? "nothing" : shortened(keyText(value))
        return UnaskableCondition("the service cannot compare \(name(of: field)) with \(operand)")
    }

    private func missing(_ name: FilterOperator, _ field: FieldSchema) -> UnaskableCondition {
        switch (field.type, place) {
        case (.embedded, _):
            return UnaskableCondition("the service has no filter on \(self.name(of: field)), an embedded value")
        case (_, .condition) where model.primaryKey.contains(field.name):
            return UnaskableCondition("a change's condition cannot name \(self.name(of: field)), a part of the key")
        default:
            let place = place == .subscription ? "subscriptions have" : "the service has"
            let type = field.isList ? "a list of \(field.type.typeName)" : field.type.typeName
            return UnaskableCondition("\(place) no '\(name.rawValue)' for \(self.name(of: field)), which is \(type)")
        }
    }
}

extension FieldType {
    /// The type's name in the schema.
    fileprivate var typeName: String {
        switch self {
        case .scalar(let scalar): scalar.graphQLName
        case .enumeration(let name), .embedded(let name): name
        }
    }
}
