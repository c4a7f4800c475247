import AppSync
import Models

extension SchemaBuilder {
    /// The inputs of create, update and delete.
    mutating func addInputs(_ model: ModelInfo) {
        let schema = model.schema
        let keys = Set(schema.primaryKey)
        let version = APIArgument("_version", .named("Int"))
        let inputs = schema.fields.filter { !$0.isReadOnly }
        let create = inputs.map { field in
            let optional =
                field.defaultValue != nil || (field.name == "id" && keys == ["id"])
                || field.name == schema.timestamps.createdAt || field.name == schema.timestamps.updatedAt
            return APIArgument(field.name, Self.reference(field, input: true, nullable: optional))
        }
        let update = inputs.map { field in
            let type = Self.reference(field, input: true, nullable: true)
            return APIArgument(field.name, keys.contains(field.name) ? .nonNull(type) : type)
        }
        let delete = inputs.filter { keys.contains($0.name) }.map {
            APIArgument($0.name, .nonNull(Self.reference($0, input: true, nullable: true)))
        }
        add(
            .input(
                APIInputObject(
                    "Create\(schema.capitalizedName)Input", create + [version], role: .create(model: model.index))))
        add(
            .input(
                APIInputObject(
                    "Update\(schema.capitalizedName)Input", update + [version], role: .update(model: model.index))))
        add(
            .input(
                APIInputObject(
                    "Delete\(schema.capitalizedName)Input", delete + [version], role: .delete(model: model.index))))
    }

    /// The filter, condition and subscription filter of a model, and the operator inputs of its enums.
    mutating func addFilters(_ model: ModelInfo) {
        let schema = model.schema
        let fields = schema.fields.filter(\.isFilterable)
        let deleted = APIArgument("_deleted", .named("ModelBooleanInput"))
        func logic(_ name: String, not: Bool = true) -> [APIArgument] {
            let many: TypeShape = .list(.named(name))
            let both = [APIArgument("and", many), APIArgument("or", many)]
            return not ? both + [APIArgument("not", .named(name))] : both
        }
        for field in fields { addEnumInputs(field) }
        let role = APIInputObject.Role.filter(model: model.index)

        let filter = schema.filterTypeName
        let entries = fields.map { APIArgument($0.name, .named(Self.operatorInput($0))) }
        add(.input(APIInputObject(filter, entries + logic(filter) + [deleted], role: role)))

        let condition = schema.conditionTypeName
        let keys = Set(schema.primaryKey)
        let conditions = zip(fields, entries).filter { !keys.contains($0.0.name) }.map(\.1)
        add(.input(APIInputObject(condition, conditions + logic(condition) + [deleted], role: role)))

        let live = schema.subscriptionFilterTypeName
        let liveEntries = fields.map { APIArgument($0.name, .named(Self.subscriptionInput($0))) }
        add(.input(APIInputObject(live, liveEntries + logic(live, not: false) + [deleted], role: role)))
    }

    /// The operators that a list or a condition has for a field.
    static func operatorInput(_ field: FieldSchema) -> String {
        switch field.type {
        case .enumeration(let name): return field.isList ? "Model\(name)ListInput" : "Model\(name)Input"
        case .embedded: return "ModelStringInput"
        case .scalar(let scalar): return "Model\(Self.family(scalar))Input"
        }
    }

    /// The operators that a subscription has for a field.
    static func subscriptionInput(_ field: FieldSchema) -> String {
        guard case .scalar(let scalar) = field.type else { return "ModelSubscriptionStringInput" }
        return "ModelSubscription\(Self.family(scalar))Input"
    }

    private static func family(_ scalar: ScalarType) -> String {
        switch scalar {
        case .id: "ID"
        case .int, .awsTimestamp: "Int"
        case .float, .decimal: "Float"
        case .boolean: "Boolean"
        default: "String"
        }
    }

    private mutating func addEnumInputs(_ field: FieldSchema) {
        guard case .enumeration(let name) = field.type else { return }
        let type: TypeShape = .named(name)
        if field.isList {
            add(
                .input(
                    APIInputObject(
                        "Model\(name)ListInput",
                        [
                            APIArgument("eq", .list(type)), APIArgument("ne", .list(type)),
                            APIArgument("contains", type), APIArgument("notContains", type),
                        ])))
        } else {
            add(
                .input(
                    APIInputObject(
                        "Model\(name)Input", [APIArgument("eq", type), APIArgument("ne", type)])))
        }
    }

    /// `ModelStringInput` and its family.
    mutating func addOperatorInputs() {
        add(.enumeration("ModelSortDirection", ["ASC", "DESC"]))
        add(
            .enumeration(
                "ModelAttributeTypes",
                ["binary", "binarySet", "bool", "list", "map", "number", "numberSet", "string", "stringSet", "_null"]))
        let ordered = ["ne", "eq", "le", "lt", "ge", "gt"]
        func fields(_ names: [String], _ type: String) -> [APIArgument] {
            names.map { APIArgument($0, .named(type)) }
        }
        func list(_ names: [String], _ type: String) -> [APIArgument] {
            names.map { APIArgument($0, .list(.named(type))) }
        }
        let attribute = [
            APIArgument("attributeExists", .named("Boolean")),
            APIArgument("attributeType", .named("ModelAttributeTypes")),
        ]
        let text = ["contains", "notContains"]
        add(.input(APIInputObject("ModelSizeInput", fields(ordered, "Int") + list(["between"], "Int"))))
        for type in ["String", "ID"] {
            add(
                .input(
                    APIInputObject(
                        "Model\(type)Input",
                        fields(ordered + text, type) + list(["between"], type) + fields(["beginsWith"], type)
                            + attribute
                            + [APIArgument("size", .named("ModelSizeInput"))])))
            add(
                .input(
                    APIInputObject(
                        "ModelSubscription\(type)Input",
                        fields(ordered + text, type) + list(["between"], type) + fields(["beginsWith"], type)
                            + list(["in", "notIn"], type))))
            add(
                .input(
                    APIInputObject(
                        "Model\(type)KeyConditionInput",
                        fields(["eq", "le", "lt", "ge", "gt"], type) + list(["between"], type)
                            + fields(["beginsWith"], type))))
        }
        for type in ["Int", "Float"] {
            // `contains` is for lists of numbers; AppSync has it only for lists of text.
            add(
                .input(
                    APIInputObject(
                        "Model\(type)Input", fields(ordered, type) + list(["between"], type) + attribute)))
            add(
                .input(
                    APIInputObject(
                        "ModelSubscription\(type)Input", fields(ordered, type) + list(["between", "in", "notIn"], type))
                ))
            add(
                .input(
                    APIInputObject(
                        "Model\(type)KeyConditionInput",
                        fields(["eq", "le", "lt", "ge", "gt"], type) + list(["between"], type))))
        }
        add(.input(APIInputObject("ModelBooleanInput", fields(["ne", "eq"], "Boolean") + attribute)))
        add(.input(APIInputObject("ModelSubscriptionBooleanInput", fields(["ne", "eq"], "Boolean"))))
    }
}
