import AppSync
import Models

/// Makes the named types and root fields of the API.
struct SchemaBuilder {
    let source: Schema
    let models: [ModelInfo]
    private(set) var types: [String: APIType] = [:]
    private(set) var names: [String] = []
    /// The names that the schema itself gives.
    private let ownNames: Set<String>
    private var clash: String?
    var queries: [APIField] = []
    var mutations: [APIField] = []
    var subscriptions: [APIField] = []

    init(source: Schema, models: [ModelInfo]) {
        self.source = source
        self.models = models
        ownNames = Set(source.enums.keys).union(source.embedded.keys).union(models.map(\.schema.name))
    }

    mutating func build() {
        for name in ["ID", "String", "Int", "Float", "Boolean"] { add(.scalar(name)) }
        for type in [
            ScalarType.awsDate, .awsTime, .awsDateTime, .awsTimestamp, .awsEmail, .awsJSON, .awsPhone, .awsURL,
            .awsIPAddress,
        ] {
            add(.scalar(type.graphQLName))
        }
        for name in source.enums.keys.sorted() { add(.enumeration(name, source.enums[name] ?? [])) }
        for name in source.embedded.keys.sorted() { addEmbedded(name, source.embedded[name] ?? []) }
        addOperatorInputs()
        for model in models {
            addOutput(model)
            addInputs(model)
            addFilters(model)
            addQueries(model)
            addMutations(model)
            addSubscriptions(model)
        }
        add(.object(root("Query", queries)))
        for root in [optionalRoot("Mutation", mutations), optionalRoot("Subscription", subscriptions)] {
            if let root { add(.object(root)) }
        }
        addIntrospectionTypes()
    }

    func root(_ name: String, _ fields: [APIField]) -> APIObject { APIObject(name, fields) }

    /// A root that a schema may do without.
    func optionalRoot(_ name: String, _ fields: [APIField]) -> APIObject? {
        fields.isEmpty ? nil : root(name, fields)
    }

    /// Adds a type; the operators of scalars and enums are added by every field that has them.
    mutating func add(_ type: APIType) {
        guard types[type.name] == nil else {
            if ownNames.contains(type.name) { clash = clash ?? "the type \(type.name)" }
            return
        }
        types[type.name] = type
        names.append(type.name)
    }

    /// What the schema declares under a name that the API needs for something else.
    var collision: String? {
        if let clash { return clash }
        for fields in [queries, mutations, subscriptions] {
            var seen: Set<String> = []
            for field in fields where !seen.insert(field.name).inserted { return "the field \(field.name)" }
        }
        return nil
    }

    /// The type of a stored field as output, or as input.
    static func reference(_ field: FieldSchema, input: Bool = false, nullable: Bool = false) -> TypeShape {
        var type: TypeShape =
            switch field.type {
            case .scalar(let scalar): .named(scalar.graphQLName)
            case .enumeration(let name): .named(name)
            case .embedded(let name): .named(input ? name + "Input" : name)
            }
        if field.isList { type = .list(field.isElementRequired ? .nonNull(type) : type) }
        return field.isRequired && !nullable ? .nonNull(type) : type
    }

    private mutating func addEmbedded(_ name: String, _ fields: [FieldSchema]) {
        add(
            .object(
                APIObject(
                    name, fields.map { APIField($0.name, Self.reference($0), source: .property($0)) })))
        add(
            .input(
                APIInputObject(
                    name + "Input", fields.map { APIArgument($0.name, Self.reference($0, input: true)) })))
    }

    private mutating func addOutput(_ model: ModelInfo) {
        let schema = model.schema
        var fields: [APIField] = schema.fields.enumerated().map { position, field in
            // Implicit timestamps are filled by the service on every write, so the API promises them.
            let type = Self.reference(field)
            return APIField(
                field.name, field.isReadOnly ? .nonNull(type.nullable) : type, source: .column(position))
        }
        for relation in schema.relations {
            guard let target = models.first(where: { $0.schema.name == relation.target }) else { continue }
            if relation.kind == .hasMany {
                let sort = target.index(serving: relation)
                let condition = sortCondition(target, sort?.rest ?? [], key: sort?.name ?? "")
                fields.append(
                    APIField(
                        relation.name, .named(target.schema.connectionTypeName),
                        condition + Self.pageArguments(target), source: .relation(relation)))
            } else {
                fields.append(
                    APIField(relation.name, .named(target.schema.name), source: .relation(relation)))
            }
        }
        fields.append(APIField("_version", .nonNull(.named("Int")), source: .version))
        fields.append(APIField("_deleted", .named("Boolean"), source: .deleted))
        fields.append(APIField("_lastChangedAt", .nonNull(.named("AWSTimestamp")), source: .lastChangedAt))
        add(.object(APIObject(schema.name, fields, model: model.index)))
        add(
            .object(
                APIObject(
                    schema.connectionTypeName,
                    [
                        APIField("items", .nonNull(.list(.named(schema.name))), source: .items),
                        APIField("nextToken", .named("String"), source: .nextToken),
                        APIField("startedAt", .named("AWSTimestamp"), source: .startedAt),
                    ], model: model.index)))
    }

    /// `sortDirection, filter, limit, nextToken`: what every list along an index or a relation takes.
    static func pageArguments(_ model: ModelInfo) -> [APIArgument] {
        [
            APIArgument("sortDirection", .named("ModelSortDirection")),
            APIArgument("filter", .named(model.schema.filterTypeName)),
            APIArgument("limit", .named("Int")),
            APIArgument("nextToken", .named("String")),
        ]
    }
}
