import Basics
import GraphQL

/// Resolves selection sets of a *valid* document: fragments spread out, equal keys merged, conditions applied.
struct SelectionCompiler {
    let schema: HubSchema
    let fragments: [String: FragmentDefinition]
    let variables: [String: JSONValue]

    /// The fields of a selection set on an object type.
    func compile(_ selections: [Selection], on type: APIObject) -> ObjectSelection {
        var collected: [(field: FieldSelection, nested: [Selection])] = []
        var seen = Seen()
        collect(selections, on: type, into: &collected, &seen)
        var fields: [SelectedField] = []
        fields.reserveCapacity(collected.count)
        for (field, nested) in collected {
            guard let definition = schema.definition(of: field.name, on: type) else { continue }
            let inner = schema.object(definition.type.name).map { compile(nested, on: $0) }
            fields.append(SelectedField(field, definition, inner))
        }
        return ObjectSelection(type.name, fields)
    }

    /// What one selection set has so far: keys by position, and the fragments already spread in it.
    private struct Seen {
        var positions: [String: Int] = [:]
        var fragments: Set<String> = []
    }

    private func collect(
        _ selections: [Selection], on type: APIObject,
        into collected: inout [(field: FieldSelection, nested: [Selection])], _ seen: inout Seen
    ) {
        for selection in selections {
            switch selection {
            case .field(let field):
                guard isIncluded(field.directives) else { continue }
                if let position = seen.positions[field.responseKey] {
                    collected[position].nested += field.selections
                } else {
                    seen.positions[field.responseKey] = collected.count
                    collected.append((field, field.selections))
                }
            case .spread(let spread):
                guard isIncluded(spread.directives), let fragment = fragments[spread.name],
                    fragment.typeCondition == type.name, seen.fragments.insert(spread.name).inserted
                else { continue }
                collect(fragment.selections, on: type, into: &collected, &seen)
            case .inline(let fragment):
                guard isIncluded(fragment.directives), fragment.typeCondition ?? type.name == type.name else {
                    continue
                }
                collect(fragment.selections, on: type, into: &collected, &seen)
            }
        }
    }

    private func isIncluded(_ directives: [Directive]) -> Bool {
        for directive in directives {
            guard let condition = directive["if"], directive.name == "skip" || directive.name == "include" else {
                continue
            }
            let flag: Bool
            switch condition.kind {
            case .boolean(let value): flag = value
            case .variable(let name): flag = variables[name]?.bool ?? false
            default: flag = false
            }
            if flag == (directive.name == "skip") { return false }
        }
        return true
    }
}

extension HubSchema {
    /// A field by name, `__typename` and the introspection roots included.
    func definition(of name: String, on type: APIObject) -> APIField? {
        if let field = type.field(name) { return field }
        switch name {
        case "__typename": return Self.typename
        case "__schema" where type.name == "Query": return Self.schemaField
        case "__type" where type.name == "Query": return Self.typeField
        default: return nil
        }
    }

    private static let typename = APIField("__typename", .nonNull(.named("String")), source: .typename)
    private static let schemaField = APIField("__schema", .nonNull(.named("__Schema")), source: .introspection)
    private static let typeField = APIField(
        "__type", .named("__Type"), [APIArgument("name", .nonNull(.named("String")))], source: .introspection)
}
