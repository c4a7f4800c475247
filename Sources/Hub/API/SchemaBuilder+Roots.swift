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
        if schema.has(.get) { queries.append(APIField(get.name, .named(schema.name), keys, source: .root(get))) }

        let list = RootField(kind: .list, model: model.index, name: schema.operationName(.list))
        var listArguments: [APIArgument] = []
        if schema.primaryKey != ["id"] {
            // A custom key can be listed along: its hash field, a condition on its one sort field, a direction.
            listArguments += model.keyPositions.prefix(1).map {
                APIArgument(schema.fields[$0].name, Self.reference(schema.fields[$0], input: true, nullable: true))
            }
            listArguments += sortCondition(model, Array(schema.primaryKey.dropFirst()), key: "Primary")
            listArguments.append(APIArgument("sortDirection", .named("ModelSortDirection")))
        }
        if schema.has(.list) {
            queries.append(APIField(list.name, connection, listArguments + [filter] + page, source: .root(list)))
        }

        let sync = RootField(kind: .sync, model: model.index, name: schema.operationName(.sync))
        let lastSync = APIArgument("lastSync", .named("AWSTimestamp"))
        if schema.has(.sync) {
            queries.append(APIField(sync.name, connection, [filter] + page + [lastSync], source: .root(sync)))
        }

        for (position, index) in schema.indexes.enumerated() {
            guard let name = index.queryField, let hash = index.fields.first.flatMap({ schema.field($0) }) else {
                continue
            }
            let root = RootField(kind: .index(position), model: model.index, name: name)
            let arguments =
                [APIArgument(hash.name, .nonNull(Self.reference(hash, input: true, nullable: true)))]
                + sortCondition(model, Array(index.fields.dropFirst()), key: index.name) + Self.pageArguments(model)
            queries.append(APIField(name, connection, arguments, source: .root(root)))
        }
    }

    mutating func addMutations(_ model: ModelInfo) {
        let schema = model.schema
        for (operation, kind) in [
            (ModelOperation.create, RootField.Kind.create), (.update, .update), (.delete, .delete),
        ] where schema.has(operation) {
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
        for (root, operation) in zip(model.subscriptions, ModelOperation.subscriptions) where schema.has(operation) {
            subscriptions.append(APIField(root.name, .named(schema.name), arguments, source: .root(root)))
        }
    }
}
