import Basics
import GraphQL

extension Validator {
    /// Fields of one answer key must be the same field with the same arguments, all the way down.
    mutating func checkMerging(_ selections: [Selection], _ type: APIObject) {
        var byKey: [String: FieldSelection] = [:]
        var nested: [(key: String, selections: [Selection])] = []
        var positions: [String: Int] = [:]
        var seen: Set<String> = []
        gather(selections, type, &seen) { field, validator in
            if let first = byKey[field.responseKey] {
                if first.name != field.name || first.unplacedArguments != field.unplacedArguments {
                    validator.report(
                        "FieldsConflict: \(field.responseKey): fields have different names or arguments",
                        field.position, [field.responseKey])
                }
            } else {
                byKey[field.responseKey] = field
            }
            guard !field.selections.isEmpty else { return }
            if let position = positions[field.responseKey] {
                nested[position].selections += field.selections
            } else {
                positions[field.responseKey] = nested.count
                nested.append((field.responseKey, field.selections))
            }
        }
        guard errors.isEmpty else { return }
        for (key, selections) in nested {
            guard let name = byKey[key]?.name, let definition = schema.definition(of: name, on: type),
                let object = schema.object(definition.type.name)
            else { continue }
            checkMerging(selections, object)
        }
    }

    private mutating func gather(
        _ selections: [Selection], _ type: APIObject, _ seen: inout Set<String>,
        _ body: (FieldSelection, inout Validator) -> Void
    ) {
        for selection in selections {
            switch selection {
            case .field(let field): body(field, &self)
            case .spread(let spread):
                guard let fragment = fragments[spread.name], seen.insert(spread.name).inserted else { continue }
                gather(fragment.selections, type, &seen, body)
            case .inline(let fragment): gather(fragment.selections, type, &seen, body)
            }
        }
    }
}

extension FieldSelection {
    /// The arguments without their places, for comparison.
    fileprivate var unplacedArguments: [String: String] {
        Dictionary(arguments.map { ($0.name, $0.value.notation) }, uniquingKeysWith: { first, _ in first })
    }
}

extension ValueNode {
    /// A text that is equal for equal values.
    fileprivate var notation: String {
        switch kind {
        case .variable(let name): "$" + name
        case .int(let text), .float(let text), .enumeration(let text): text
        case .string(let text): JSONValue.string(text).text
        case .boolean(let flag): "\(flag)"
        case .null: "null"
        case .list(let elements): "[" + elements.map(\.notation).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { $0.name + ":" + $0.value.notation }.sorted().joined(separator: ",") + "}"
        }
    }
}
