import Basics

/// Answers `__schema` and `__type` from the API's own types; our directives are not among them.
struct Introspection {
    /// Something that introspection can say.
    private indirect enum Node {
        case null
        case flag(Bool)
        case text(String)
        case schema
        case type(TypeShape)
        case field(APIField)
        case argument(APIArgument)
        case enumValue(String)
        case directive(String)
        case list([Node])
    }

    private let schema: HubSchema

    init(_ schema: HubSchema) {
        self.schema = schema
    }

    /// Writes the value of `__schema`, or of `__type` for a name.
    func write(_ field: SelectedField, typeName: String?, into writer: inout JSONWriter) {
        if let typeName {
            write(schema.types[typeName] == nil ? .null : .type(.named(typeName)), field.selection, &writer)
        } else {
            write(.schema, field.selection, &writer)
        }
    }

    private func write(_ node: Node, _ selection: ObjectSelection?, _ writer: inout JSONWriter) {
        switch node {
        case .null: writer.raw("null")
        case .flag(let value): if value { writer.raw("true") } else { writer.raw("false") }
        case .text(let text): writer.string(text)
        case .list(let nodes):
            writer.raw("[")
            for (index, node) in nodes.enumerated() {
                if index > 0 { writer.raw(",") }
                write(node, selection, &writer)
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
                    write(value(field.definition.name, of: node), field.selection, &writer)
                }
            }
            writer.raw("}")
        }
    }

    private func value(_ name: String, of node: Node) -> Node {
        switch (node, name) {
        case (.schema, "types"): .list(schema.typeNames.map { .type(.named($0)) })
        case (.schema, "queryType"): .type(.named("Query"))
        case (.schema, "mutationType"): .type(.named("Mutation"))
        case (.schema, "subscriptionType"): .type(.named("Subscription"))
        case (.schema, "directives"): .list([.directive("include"), .directive("skip")])
        case (.type(let type), _): value(name, ofType: type)
        case (.field(let field), "name"): .text(field.name)
        case (.field(let field), "args"): .list(field.arguments.map { .argument($0) })
        case (.field(let field), "type"): .type(field.type)
        case (.argument(let argument), "name"): .text(argument.name)
        case (.argument(let argument), "type"): .type(argument.type)
        case (.enumValue(let value), "name"): .text(value)
        case (.directive(let directive), "name"): .text(directive)
        case (.directive, "locations"): .list(["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"].map { .text($0) })
        case (.directive, "args"): .list([.argument(APIArgument("if", .nonNull(.named("Boolean"))))])
        case (_, "isDeprecated"), (_, "isRepeatable"): .flag(false)
        default: .null
        }
    }

    private func value(_ name: String, ofType type: TypeShape) -> Node {
        switch type {
        case .nonNull(let inner): return name == "kind" ? .text("NON_NULL") : (name == "ofType" ? .type(inner) : .null)
        case .list(let inner): return name == "kind" ? .text("LIST") : (name == "ofType" ? .type(inner) : .null)
        case .named(let typeName):
            if name == "name" { return .text(typeName) }
            guard let definition = schema.types[typeName] else { return .null }
            switch (definition, name) {
            case (.scalar, "kind"): return .text("SCALAR")
            case (.enumeration, "kind"): return .text("ENUM")
            case (.object, "kind"): return .text("OBJECT")
            case (.input, "kind"): return .text("INPUT_OBJECT")
            case (.object(let object), "fields"): return .list(object.fields.map { .field($0) })
            case (.object, "interfaces"): return .list([])
            case (.enumeration(_, let cases), "enumValues"): return .list(cases.map { .enumValue($0) })
            case (.input(let input), "inputFields"): return .list(input.fields.map { .argument($0) })
            case (.input, "isOneOf"): return .flag(false)
            default: return .null
            }
        }
    }
}
