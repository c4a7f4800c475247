import AppSync
import Basics
import GraphQL

/// Answers `__schema` and `__type` from the API's own types; the directives of the model language are not among them.
struct Introspection {
    /// Something that introspection can say; `owner` is the type whose member it is.
    private indirect enum Node {
        case null
        case flag(Bool)
        case text(String)
        case schema
        case type(TypeShape)
        case field(APIField, owner: String)
        case argument(APIArgument)
        case enumValue(String, owner: String)
        case directive(APIDirective)
        case list([Node])
    }

    /// Why an answer is cut off: it has grown too large.
    struct TooLarge: Error {}

    private let schema: HubSchema
    private let variables: Variables
    private let limit: Int

    /// - Parameter limit: bytes that the answer may have.
    init(_ schema: HubSchema, _ variables: Variables, limit: Int) {
        self.schema = schema
        self.variables = variables
        self.limit = limit
    }

    /// Writes the value of `__schema`, or of `__type` for a name.
    ///
    /// - Throws: ``TooLarge``; what was written then must be taken back.
    func write(_ field: SelectedField, typeName: String?, into writer: inout JSONWriter) throws(TooLarge) {
        if let typeName {
            try write(schema.types[typeName] == nil ? .null : .type(.named(typeName)), field.selection, &writer)
        } else {
            try write(.schema, field.selection, &writer)
        }
    }

    private func write(_ node: Node, _ selection: ObjectSelection?, _ writer: inout JSONWriter) throws(TooLarge) {
        guard writer.bytes.count <= limit else { throw TooLarge() }
        switch node {
        case .null: writer.raw("null")
        case .flag(let value): if value { writer.raw("true") } else { writer.raw("false") }
        case .text(let text): writer.string(text)
        case .list(let nodes):
            writer.raw("[")
            for (index, node) in nodes.enumerated() {
                if index > 0 { writer.raw(",") }
                try write(node, selection, &writer)
            }
            writer.raw("]")
        default:
            writer.raw("{")
            for (index, field) in (selection?.fields ?? []).enumerated() {
                if index > 0 { writer.raw(",") }
                writer.bytes.append(contentsOf: field.keyBytes)
                if case .typename = field.definition.source {
                    writer.string(selection?.typeName ?? "")
                } else {
                    try write(value(field, of: node), field.selection, &writer)
                }
            }
            writer.raw("}")
        }
    }

    private func value(_ field: SelectedField, of node: Node) -> Node {
        switch node {
        case .schema: schemaValue(field.definition.name)
        case .type(let type): typeValue(field, type)
        case .field(let described, let owner): fieldValue(field.definition.name, described, owner)
        case .argument(let argument): argumentValue(field.definition.name, argument)
        case .enumValue(let value, let owner):
            field.definition.name == "name" ? .text(value) : memberValue(field.definition.name, "\(owner).\(value)")
        case .directive(let directive): directiveValue(field.definition.name, directive)
        case .null, .flag, .text, .list: .null
        }
    }

    private func schemaValue(_ name: String) -> Node {
        switch name {
        case "types": .list(schema.typeNames.map { .type(.named($0)) })
        case "queryType": .type(.named("Query"))
        case "mutationType": root(schema.mutation)
        case "subscriptionType": root(schema.subscription)
        case "directives": .list(APIDirective.all.map { .directive($0) })
        default: .null
        }
    }

    private func root(_ type: APIObject?) -> Node { type.map { .type(.named($0.name)) } ?? .null }

    private func fieldValue(_ name: String, _ field: APIField, _ owner: String) -> Node {
        switch name {
        case "name": .text(field.name)
        case "args": .list(field.arguments.map { .argument($0) })
        case "type": .type(field.type)
        default: memberValue(name, "\(owner).\(field.name)")
        }
    }

    private func argumentValue(_ name: String, _ argument: APIArgument) -> Node {
        switch name {
        case "name": .text(argument.name)
        case "type": .type(argument.type)
        case "defaultValue": argument.defaultValue.map { .text($0) } ?? .null
        case "isDeprecated": .flag(false)
        default: .null
        }
    }

    private func directiveValue(_ name: String, _ directive: APIDirective) -> Node {
        switch name {
        case "name": .text(directive.name)
        case "description": .text(directive.description)
        case "locations": .list(directive.locations.map { .text($0) })
        case "args": .list(directive.arguments.map { .argument($0) })
        case "isRepeatable": .flag(false)
        default: .null
        }
    }

    /// What a field and an enum value have alike.
    private func memberValue(_ name: String, _ key: String) -> Node {
        switch name {
        case "description": schema.descriptions[key].map { .text($0) } ?? .null
        case "isDeprecated": .flag(deprecation(key) != nil)
        case "deprecationReason": deprecation(key).map { .text($0) } ?? .null
        default: .null
        }
    }

    private func deprecation(_ key: String) -> String? { schema.source.documentation.deprecations[key] }

    /// Whether a member belongs into a list that may leave out what is deprecated.
    private func isListed(_ key: String, in field: SelectedField) -> Bool {
        guard deprecation(key) != nil else { return true }
        guard let argument = field.arguments.first(where: { $0.name == "includeDeprecated" }) else { return false }
        switch argument.value.kind {
        case .boolean(let flag): return flag
        case .variable(let name): return variables.json[name]?.bool ?? false
        default: return false
        }
    }

    private func typeValue(_ field: SelectedField, _ type: TypeShape) -> Node {
        let name = field.definition.name
        switch type {
        case .nonNull(let inner): return name == "kind" ? .text("NON_NULL") : (name == "ofType" ? .type(inner) : .null)
        case .list(let inner): return name == "kind" ? .text("LIST") : (name == "ofType" ? .type(inner) : .null)
        case .named(let typeName):
            if name == "name" { return .text(typeName) }
            if name == "description" { return schema.descriptions[typeName].map { .text($0) } ?? .null }
            guard let definition = schema.types[typeName] else { return .null }
            switch (definition, name) {
            case (.scalar, "kind"): return .text("SCALAR")
            case (.scalar, "specifiedByURL"):
                return typeName.hasPrefix("AWS") ? .text(APIDocumentation.scalars) : .null
            case (.enumeration, "kind"): return .text("ENUM")
            case (.object, "kind"): return .text("OBJECT")
            case (.input, "kind"): return .text("INPUT_OBJECT")
            case (.object(let object), "fields"):
                let fields = object.fields.filter { isListed("\(typeName).\($0.name)", in: field) }
                return .list(fields.map { .field($0, owner: typeName) })
            case (.object, "interfaces"): return .list([])
            case (.enumeration(_, let cases), "enumValues"):
                let values = cases.filter { isListed("\(typeName).\($0)", in: field) }
                return .list(values.map { .enumValue($0, owner: typeName) })
            case (.input(let input), "inputFields"): return .list(input.fields.map { .argument($0) })
            case (.input, "isOneOf"): return .flag(false)
            default: return .null
            }
        }
    }
}
