import Basics
import Models

/// Brings objects of an earlier schema into today's form, step by step: rows, and whatever else their owner keeps.
public struct SchemaRewriter: Sendable {
    private let versions: [SchemaVersion]
    let layout: StoredLayout

    init(_ versions: [SchemaVersion], from layout: StoredLayout) {
        self.versions = versions
        self.layout = layout
    }

    /// The models as they were called before.
    public var oldModels: [String] { layout.models.map(\.name) }

    var steps: [SchemaStep] { versions.flatMap(\.steps) }

    /// What a model of the old schema is called now; nil where it was removed.
    public func model(_ old: String) -> String? {
        var name = old
        for step in steps {
            switch step {
            case .renameModel(let from, let to) where from == name: name = to
            case .removeModel(let model) where model == name: return nil
            default: break
            }
        }
        return name
    }

    /// A field as it was in the old schema.
    func field(_ old: String, _ name: String) -> FieldSchema? { layout.model(old)?.field(name)?.schema }

    /// What a field of an old model is called now; nil where it was removed.
    public func name(of field: String, in old: String) -> String? {
        var (model, name) = (old, field)
        for step in steps {
            switch step {
            case .renameModel(let from, let to): if from == model { model = to }
            case .renameField(let at, let from, let to): if at == model, from == name { name = to }
            case .removeField(let at, let gone): if at == model, gone == name { return nil }
            case .removeModel, .renameCase, .convert, .rewrite: break
            }
        }
        return name
    }

    /// Whether an object of an old model comes out another.
    public func changes(_ old: String) -> Bool {
        var name = old
        for step in steps {
            switch step {
            case .renameModel(let from, let to): if from == name { name = to }
            case .removeModel: break
            case .renameField(let model, _, _), .removeField(let model, _), .convert(let model, _, _),
                .rewrite(let model, _):
                if model == name { return true }
            case .renameCase(let enumeration, _, _): if holds(enumeration, old) { return true }
            }
        }
        return false
    }

    /// Whether a model's rows need more than their columns renamed and dropped.
    func changesValues(_ old: String) -> Bool {
        var name = old
        for step in steps {
            switch step {
            case .renameModel(let from, let to): if from == name { name = to }
            case .convert(let model, _, _), .rewrite(let model, _): if model == name { return true }
            case .renameCase(let enumeration, _, _):
                guard let fields = layout.model(old)?.fields else { continue }
                // A plain column is renamed by one statement; lists and embedded values are not.
                if fields.contains(where: { $0.type != "enum " + enumeration && holds(enumeration, $0, []) }) {
                    return true
                }
            case .renameField, .removeField, .removeModel: break
            }
        }
        return false
    }

    /// An object of an old model in today's form; members that the steps do not name stay as they are.
    public func rewrite(_ old: String, _ object: JSONObject) throws -> JSONObject {
        try rewrite(old, object) { try $0() }
    }

    /// An object that may fit no schema, as far as the steps can bring it into today's form: a body that fails on it is
    /// left out, all other steps hold.
    public func rewriteLeniently(_ old: String, _ object: JSONObject) -> JSONObject {
        rewrite(old, object) { try? $0() }
    }

    /// - Parameter attempt: runs what calls a body; where that throws, it has changed nothing.
    private func rewrite(
        _ old: String, _ object: JSONObject, _ attempt: (() throws -> Void) throws -> Void
    ) rethrows -> JSONObject {
        var result = object
        var name = old
        /// The old model's fields as they are called now.
        var fields = layout.model(old)?.fields ?? []
        for version in versions {
            // Their values stay until the version's end, for the bodies of rewrites, unless another takes the name.
            var removed: [String] = []
            for step in version.steps {
                switch step {
                case .renameModel(let from, let to): if from == name { name = to }
                case .removeModel: break
                case .renameField(let model, let field, let to) where model == name:
                    let value = result[field]
                    result[field] = nil
                    result[to] = value
                    removed.removeAll { $0 == to }
                    fields.removeAll { $0.name == to }
                    if let index = fields.firstIndex(where: { $0.name == field }) { fields[index].name = to }
                case .removeField(let model, let field) where model == name: removed.append(field)
                case .convert(let model, let field, let body) where model == name:
                    if let value = result[field], !value.isNull { try attempt { result[field] = try body(value) } }
                case .rewrite(let model, let body) where model == name:
                    try attempt {
                        let before = result
                        var after = result
                        try body(&after)
                        result = after
                        // What the body puts in a removed field's place is a new one's value.
                        let filled = removed.filter { fills($0, before, after, body) }
                        removed.removeAll { filled.contains($0) }
                        fields.removeAll { filled.contains($0.name) }
                    }
                case .renameCase(let enumeration, let from, let to):
                    for field in fields where holds(enumeration, field, []) {
                        guard let value = result[field.name] else { continue }
                        result[field.name] = renamed(value, field, enumeration, from, to)
                    }
                default: break
                }
            }
            for field in removed { result[field] = nil }
            fields.removeAll { removed.contains($0.name) }
        }
        return result
    }

    /// Whether a body puts a value under a removed field's name. It may be the same as before: then the body tells by what
    /// it does where there was none.
    private func fills(
        _ name: String, _ before: JSONObject, _ after: JSONObject, _ body: (inout JSONObject) throws -> Void
    ) -> Bool {
        guard let value = after[name], value == before[name] else { return after[name] != before[name] }
        var without = before
        without[name] = nil
        return (try? body(&without)) != nil && !(without[name] ?? .null).isNull
    }

    private func holds(_ enumeration: String, _ old: String) -> Bool {
        layout.model(old)?.fields.contains { holds(enumeration, $0, []) } ?? false
    }

    func holds(_ enumeration: String, _ field: StoredLayout.Field, _ path: Set<String>) -> Bool {
        let element = field.elementType
        if element == "enum " + enumeration { return true }
        guard let name = field.embeddedName, !path.contains(name) else { return false }
        return layout.embedded[name]?.contains { holds(enumeration, $0, path.union([name])) } ?? false
    }

    func renamed(
        _ value: JSONValue, _ field: StoredLayout.Field, _ enumeration: String, _ from: String, _ to: String
    ) -> JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map { renamed($0, field, enumeration, from, to) })
        case .string(let text): return text == from && field.embeddedName == nil ? .string(to) : value
        case .object(var object):
            for inner in field.embeddedName.flatMap({ layout.embedded[$0] }) ?? [] where holds(enumeration, inner, []) {
                if let value = object[inner.name] {
                    object[inner.name] = renamed(value, inner, enumeration, from, to)
                }
            }
            return .object(object)
        default: return value
        }
    }
}

extension StoredLayout.Field {
    /// The type without list and marks.
    var elementType: String {
        var text = type
        if text.hasPrefix("[") { text = String(text.dropFirst().dropLast()) }
        if text.hasSuffix("!") { text.removeLast() }
        return text
    }

    /// The embedded type's name, nil where it is none.
    var embeddedName: String? { elementType.hasPrefix("type ") ? String(elementType.dropFirst(5)) : nil }

    /// The field's schema, as far as the storage form needs it.
    var schema: FieldSchema? {
        let element = elementType
        let fieldType: FieldType
        if element.hasPrefix("enum ") {
            fieldType = .enumeration(String(element.dropFirst(5)))
        } else if let embeddedName {
            fieldType = .embedded(embeddedName)
        } else if element.hasPrefix("Float("), let places = Int(element.dropFirst(6).dropLast()) {
            fieldType = .scalar(.decimal(places: places))
        } else if let scalar = StoredLayout.Field.scalars.first(where: { $0.graphQLName == element }) {
            fieldType = .scalar(scalar)
        } else {
            return nil
        }
        return FieldSchema(name, fieldType, isRequired: isRequired, isList: type.hasPrefix("["))
    }

    private static let scalars: [ScalarType] = [
        .id, .string, .int, .float, .boolean, .awsDate, .awsTime, .awsDateTime, .awsTimestamp, .awsEmail, .awsJSON,
        .awsPhone, .awsURL, .awsIPAddress,
    ]
}
