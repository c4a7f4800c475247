import Models

extension SchemaBuilder {
    private static let builtIn: Set<String> = ["ID", "String", "Int", "Float", "Boolean"]
    private static let roots: Set<String> = ["Query", "Mutation", "Subscription"]

    /// The types in order, each name once; everything else is a mistake.
    mutating func collectTypes(_ document: Document) -> [TypeDefinition] {
        var result: [TypeDefinition] = []
        var lowered: [String: String] = [:]
        for definition in document.definitions {
            guard case .type(let type) = definition else {
                mistake(definition.position, "a model schema holds types and enums only")
                continue
            }
            if type.isExtension {
                mistake(type.position, "extensions are not used in a model schema: write the field into \(type.name)")
                continue
            }
            switch type.kind {
            case .object(let interfaces, _):
                if let first = interfaces.first {
                    mistake(first.position, "a model schema has no interfaces")
                }
            case .enumeration: break
            case .input(let fields) where type.name == Self.amplifyInput:
                readAmplifyInput(type, fields)
                continue
            default:
                mistake(type.position, "a model schema has no \(type.keyword) types, only types and enums")
                continue
            }
            checkName(type.name, type.namePosition, "type")
            if Self.roots.contains(type.name) {
                mistake(
                    type.namePosition,
                    "a model schema has no type \(type.name): the models make it, and nothing would answer what is added"
                )
                continue
            }
            if Self.builtIn.contains(type.name) {
                mistake(type.namePosition, "\(type.name) is a name of GraphQL")
                continue
            }
            if types[type.name] != nil {
                mistake(type.namePosition, "type \(type.name) is there twice")
                continue
            }
            if let other = lowered.updateValue(type.name, forKey: type.name.lowercased()) {
                mistake(type.namePosition, "type \(type.name) differs from \(other) only in upper and lower case")
            }
            types[type.name] = type
            result.append(type)
        }
        return result
    }

    mutating func checkName(_ name: String, _ position: SourcePosition, _ what: String) {
        if name.hasPrefix("_") {
            mistake(position, "\(what) \(name): names beginning with _ are reserved")
        } else if name.hasPrefix("AWS") {
            mistake(position, "\(what) \(name): names beginning with AWS are reserved")
        } else if what == "type", name.lowercased().hasPrefix("sqlite_") {
            mistake(position, "type \(name): names beginning with sqlite_ are reserved")
        }
    }

    mutating func cases(of type: TypeDefinition, _ values: [EnumValueDefinition]) -> [String] {
        check(type.directives, at: .model)
        for directive in type.directives where DirectiveSpecification.all[directive.name] != nil {
            mistake(directive.position, "an enum takes no directive")
        }
        if values.isEmpty { mistake(type.namePosition, "enum \(type.name) has no values") }
        var result: [String] = []
        for value in values {
            checkName(value.name, value.position, "enum value")
            if let directive = value.directives.first(where: { $0.name != "deprecated" }) {
                mistake(directive.position, "an enum value takes no directive but @deprecated")
            }
            check(value.directives.filter { $0.name == "deprecated" }, at: .field)
            if result.contains(value.name) {
                mistake(value.position, "enum \(type.name) has \(value.name) twice")
            } else {
                result.append(value.name)
            }
        }
        return result
    }

    mutating func embeddedFields(of type: TypeDefinition) -> [FieldSchema] {
        check(type.directives, at: .model)
        for directive in type.directives where directive.isMeant {
            mistake(directive.position, "@\(directive.name) needs @model beside it: \(type.name) is an embedded type")
        }
        if type.fields.isEmpty { mistake(type.namePosition, "type \(type.name) has no fields") }
        var names = FieldNames()
        var result: [FieldSchema] = []
        for field in type.fields {
            checkFieldName(field, &names, of: type)
            check(field.directives, at: .field)
            for directive in field.directives
            where directive.isMeant && !["decimal", "deprecated"].contains(directive.name)
                && [.field, .modelOrField].contains(directive.place)
            {
                mistake(directive.position, "@\(directive.name) belongs on a field of a @model type")
            }
            if let other = types[field.type.name], isModel(other) {
                mistake(field.type.position, "an embedded type cannot hold the model \(other.name)")
                continue
            }
            if let schema = storedField(field) { result.append(schema) }
        }
        return result
    }

    /// An embedded type that holds itself, other than in a list, has no size.
    mutating func refuseRecursion(_ definitions: [TypeDefinition], _ embedded: [String: [FieldSchema]]) {
        func reaches(_ name: String, _ goal: String, _ path: Set<String>) -> Bool {
            for field in embedded[name] ?? [] where !field.isList {
                guard case .embedded(let inner) = field.type else { continue }
                if inner == goal { return true }
                if !path.contains(inner), reaches(inner, goal, path.union([inner])) { return true }
            }
            return false
        }
        for type in definitions where embedded[type.name] != nil && reaches(type.name, type.name, [type.name]) {
            mistake(type.namePosition, "type \(type.name) contains itself; only a list may")
        }
    }
}

/// The field names of one type, to find doubles.
struct FieldNames {
    var exact: Set<String> = []
    var lowered: [String: String] = [:]
}
