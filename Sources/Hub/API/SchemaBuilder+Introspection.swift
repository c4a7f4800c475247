extension SchemaBuilder {
    /// The types of introspection itself.
    mutating func addIntrospectionTypes() {
        let text: TypeShape = .nonNull(.named("String"))
        let optional: TypeShape = .named("String")
        func many(_ name: String) -> TypeShape { .list(.nonNull(.named(name))) }
        func field(_ name: String, _ type: TypeShape, _ arguments: [APIArgument] = []) -> APIField {
            APIField(name, type, arguments, source: .introspection)
        }
        let deprecated = [APIArgument("includeDeprecated", .named("Boolean"), defaultValue: "false")]
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
