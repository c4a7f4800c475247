import AppSync
import Crypto
import Models

extension SchemaBuilder {
    mutating func addQueries(_ model: ModelInfo) {
        let schema = model.schema
        let connection: TypeShape = .named(schema.connectionTypeName)
        let filter = APIArgument("filter", .named(schema.filterTypeName))
        let page = [APIArgument("limit", .named("Int")), APIArgument("nextToken", .named("String"))]
        let keys = model.keyPositions.map { position in
            let field = schema.fields[position]
            return APIArgument(field.name, .nonNull(Self.reference(field, input: true, nullable: true)))
        }
        let get = RootField(kind: .get, model: model.index, name: schema.operationName(.get))
        queries.append(APIField(get.name, .named(schema.name), keys, source: .root(get)))

        let list = RootField(kind: .list, model: model.index, name: schema.operationName(.list))
        var listArguments: [APIArgument] = []
        if schema.primaryKey != ["id"] {
            // A custom key can be listed along: its hash field, a condition on its one sort field, a direction.
            listArguments += model.keyPositions.prefix(1).map {
                APIArgument(schema.fields[$0].name, Self.reference(schema.fields[$0], input: true, nullable: true))
            }
            listArguments += Self.sortCondition(model, Array(schema.primaryKey.dropFirst()))
            listArguments.append(APIArgument("sortDirection", .named("ModelSortDirection")))
        }
        queries.append(APIField(list.name, connection, listArguments + [filter] + page, source: .root(list)))

        let sync = RootField(kind: .sync, model: model.index, name: schema.operationName(.sync))
        let lastSync = APIArgument("lastSync", .named("AWSTimestamp"))
        queries.append(APIField(sync.name, connection, [filter] + page + [lastSync], source: .root(sync)))

        for (position, index) in schema.indexes.enumerated() {
            guard let name = index.queryField, let hash = index.fields.first.flatMap({ schema.field($0) }) else {
                continue
            }
            let root = RootField(kind: .index(position), model: model.index, name: name)
            let arguments =
                [APIArgument(hash.name, .nonNull(Self.reference(hash, input: true, nullable: true)))]
                + Self.sortCondition(model, Array(index.fields.dropFirst())) + Self.pageArguments(model)
            queries.append(APIField(name, connection, arguments, source: .root(root)))
        }
    }

    /// The condition on the sort field of a key, where it has exactly one; several are filtered with `filter`.
    private static func sortCondition(_ model: ModelInfo, _ names: [String]) -> [APIArgument] {
        guard names.count == 1, let field = model.schema.field(names[0]), case .scalar(let scalar) = field.type else {
            return []
        }
        let family: String
        switch scalar {
        case .id: family = "ID"
        case .int, .awsTimestamp: family = "Int"
        case .float, .decimal: family = "Float"
        default: family = "String"
        }
        return [APIArgument(field.name, .named("Model\(family)KeyConditionInput"))]
    }

    mutating func addMutations(_ model: ModelInfo) {
        let schema = model.schema
        for (operation, kind) in [
            (ModelOperation.create, RootField.Kind.create), (.update, .update), (.delete, .delete),
        ] {
            let root = RootField(kind: kind, model: model.index, name: schema.operationName(operation))
            let arguments = [
                APIArgument("input", .nonNull(.named(schema.inputTypeName(operation) ?? ""))),
                APIArgument("condition", .named(schema.conditionTypeName)),
            ]
            mutations.append(APIField(root.name, .named(schema.name), arguments, source: .root(root)))
        }
    }

    mutating func addSubscriptions(_ model: ModelInfo) {
        let schema = model.schema
        var arguments = [APIArgument("filter", .named(schema.subscriptionFilterTypeName))]
        for name in model.ownerArguments { arguments.append(APIArgument(name, .named("String"))) }
        for root in model.subscriptions {
            subscriptions.append(APIField(root.name, .named(schema.name), arguments, source: .root(root)))
        }
    }

    /// The types of introspection itself.
    mutating func addIntrospectionTypes() {
        let text: TypeShape = .nonNull(.named("String"))
        let optional: TypeShape = .named("String")
        func many(_ name: String) -> TypeShape { .list(.nonNull(.named(name))) }
        func field(_ name: String, _ type: TypeShape, _ arguments: [APIArgument] = []) -> APIField {
            APIField(name, type, arguments, source: .introspection)
        }
        let deprecated = [APIArgument("includeDeprecated", .named("Boolean"))]
        let deprecation = [field("isDeprecated", .nonNull(.named("Boolean"))), field("deprecationReason", optional)]
        let objects: [(String, [APIField])] = [
            (
                "__Schema",
                [
                    field("description", optional), field("types", .nonNull(many("__Type"))),
                    field("queryType", .nonNull(.named("__Type"))), field("mutationType", .named("__Type")),
                    field("subscriptionType", .named("__Type")),
                    field("directives", .nonNull(many("__Directive"))),
                ]
            ),
            (
                "__Type",
                [
                    field("kind", .nonNull(.named("__TypeKind"))), field("name", optional),
                    field("description", optional), field("specifiedByURL", optional),
                    field("fields", many("__Field"), deprecated), field("interfaces", many("__Type")),
                    field("possibleTypes", many("__Type")), field("enumValues", many("__EnumValue"), deprecated),
                    field("inputFields", many("__InputValue"), deprecated), field("ofType", .named("__Type")),
                    field("isOneOf", .named("Boolean")),
                ]
            ),
            (
                "__Field",
                [
                    field("name", text), field("description", optional),
                    field("args", .nonNull(many("__InputValue")), deprecated),
                    field("type", .nonNull(.named("__Type"))),
                ] + deprecation
            ),
            (
                "__InputValue",
                [
                    field("name", text), field("description", optional), field("type", .nonNull(.named("__Type"))),
                    field("defaultValue", optional),
                ] + deprecation
            ),
            ("__EnumValue", [field("name", text), field("description", optional)] + deprecation),
            (
                "__Directive",
                [
                    field("name", text), field("description", optional),
                    field("locations", .nonNull(many("__DirectiveLocation"))),
                    field("args", .nonNull(many("__InputValue")), deprecated),
                    field("isRepeatable", .nonNull(.named("Boolean"))),
                ]
            ),
        ]
        for (name, fields) in objects { add(.object(APIObject(name, fields))) }
        add(
            .enumeration(
                "__TypeKind",
                ["SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM", "INPUT_OBJECT", "LIST", "NON_NULL"]))
        add(
            .enumeration(
                "__DirectiveLocation",
                [
                    "QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD",
                    "INLINE_FRAGMENT", "VARIABLE_DEFINITION", "SCHEMA", "SCALAR", "OBJECT", "FIELD_DEFINITION",
                    "ARGUMENT_DEFINITION", "INTERFACE", "UNION", "ENUM", "ENUM_VALUE", "INPUT_OBJECT",
                    "INPUT_FIELD_DEFINITION",
                ]))
    }
}
