import Basics
import Models

/// Conditions that wait with a change follow the schema like the change itself.
extension SchemaRewriter {
    /// A condition on a record of an old model, as it is said of today's; nil where it cannot be: a field that it names is
    /// gone, or has values of another form that compare differently.
    public func rewrite(_ old: String, _ condition: PredicateNode, for schema: Schema) -> PredicateNode? {
        guard let model = model(old).flatMap({ schema.model($0) }) else { return nil }
        return rewrite(old, condition, model, schema)
    }

    private func rewrite(
        _ old: String, _ node: PredicateNode, _ model: ModelSchema, _ schema: Schema
    ) -> PredicateNode? {
        switch node {
        case .all: return .all
        case .and(let nodes): return all(old, nodes, model, schema).map { .and($0) }
        case .or(let nodes): return all(old, nodes, model, schema).map { .or($0) }
        case .not(let inner): return rewrite(old, inner, model, schema).map { .not($0) }
        // Conditions of relations never travel.
        case .related: return nil
        case .field(let name, let comparison):
            guard let before = field(old, name), let today = self.name(of: name, in: old),
                let after = model.field(today)
            else { return nil }
            let move = OperandMove(
                schema: schema, model: model.name, before: before.element, after: after.element,
                rewritten: { try? rewrite(old, [name: $0])[today] })
            return move.comparison(comparison).map { .field(today, $0) }
        }
    }

    private func all(
        _ old: String, _ nodes: [PredicateNode], _ model: ModelSchema, _ schema: Schema
    ) -> [PredicateNode]? {
        let result = nodes.compactMap { rewrite(old, $0, model, schema) }
        return result.count == nodes.count ? result : nil
    }
}

/// Brings the values that a condition compares with into today's form.
private struct OperandMove {
    let schema: Schema
    let model: String
    let before: FieldSchema
    let after: FieldSchema
    let rewritten: (JSONValue) -> JSONValue?

    func comparison(_ comparison: Comparison) -> Comparison? {
        switch comparison {
        case .equal(let value): return moved(value).map { .equal($0) }
        case .notEqual(let value): return moved(value).map { .notEqual($0) }
        case .contains(let value): return element(value).map { .contains($0) }
        case .notContains(let value): return element(value).map { .notContains($0) }
        case .isIn(let values): return moved(values).map { .isIn($0) }
        case .notIn(let values): return moved(values).map { .notIn($0) }
        case .exists: return comparison
        case .less(let value): return same(value).map { .less($0) }
        case .lessOrEqual(let value): return same(value).map { .lessOrEqual($0) }
        case .greater(let value): return same(value).map { .greater($0) }
        case .greaterOrEqual(let value): return same(value).map { .greaterOrEqual($0) }
        case .between(let low, let high):
            guard let low = same(low), let high = same(high) else { return nil }
            return .between(low, high)
        case .beginsWith(let text), .containsIgnoringCase(let text), .equalsIgnoringCase(let text),
            .beginsWithIgnoringCase(let text):
            return isUnchanged(.string(text)) ? comparison : nil
        }
    }

    private func moved(_ values: [Value]) -> [Value]? {
        let result = values.compactMap { moved($0) }
        return result.count == values.count ? result : nil
    }

    private func moved(_ value: Value) -> Value? {
        if value.isNull { return value }
        guard let wire = rewritten(before.wireValue(of: value)) else { return nil }
        return try? schema.storageValue(of: wire, for: after, in: model)
    }

    /// A part of a text is no value of the field: it must not have changed. An element of a list is one.
    private func element(_ value: Value) -> Value? {
        if case .text(let text) = value, case .scalar = before.type, !isUnchanged(.string(text)) { return nil }
        return moved(value)
    }

    /// What is compared by order must be what it was: another form may have another order.
    private func same(_ value: Value) -> Value? {
        let wire = before.wireValue(of: value)
        return isUnchanged(wire) ? try? schema.storageValue(of: wire, for: after, in: model) : nil
    }

    private func isUnchanged(_ wire: JSONValue) -> Bool { rewritten(wire) == wire }
}

extension FieldSchema {
    /// The field as if it held one element.
    fileprivate var element: FieldSchema { FieldSchema(name, type, isRequired: isRequired) }
}
