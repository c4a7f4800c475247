import Models

extension Schema {
    /// Reads a model schema from GraphQL's schema language with Amplify's directives and ours.
    ///
    /// - Throws: ``SchemaMistakes`` with every mistake found.
    public init(sdl text: String) throws(SchemaMistakes) {
        let document: Document
        do {
            document = try Document(parsing: text)
        } catch {
            throw SchemaMistakes([SchemaMistake(line: error.line, column: error.column, message: error.message)])
        }
        try self.init(document)
    }

    /// Reads a model schema from a parsed document.
    ///
    /// - Throws: ``SchemaMistakes`` with every mistake found.
    public init(_ document: Document) throws(SchemaMistakes) {
        self = try SchemaBuilder.read(document).schema
    }

    /// What is valid in a model schema's text and easily not what its author means, in the order of the text; nothing of
    /// a text that has mistakes.
    public static func remarks(sdl text: String) -> [SchemaRemark] {
        guard let document = try? Document(parsing: text), let read = try? SchemaBuilder.read(document) else {
            return []
        }
        return read.remarks.sorted { ($0.line, $0.column, $0.message) < ($1.line, $1.column, $1.message) }
    }
}

/// Turns a parsed schema document into model schemas, collecting mistakes on the way.
///
/// Passes: names, fields, keys, relations (which may add keys), indexes, rights.
struct SchemaBuilder {
    /// A model while it is put together.
    struct ModelDraft {
        let definition: TypeDefinition
        var fields: [FieldSchema] = []
        var readOnly: [FieldSchema] = []
        var primaryKey: [String] = []
        var indexes: [IndexSchema] = []
        var relations: [RelationSchema] = []
        var authRules: [AuthRule] = []
        var timestamps = TimestampNames.standard
        var operations = OperationNames.standard

        func field(_ name: String) -> FieldSchema? { (fields + readOnly).first { $0.name == name } }
    }

    private(set) var mistakes: [SchemaMistake] = []
    private var remarks: [SchemaRemark] = []
    /// The rule of `input AMPLIFY`, where it stands, and the models that have no other.
    var globalRule: (rule: AuthRule, position: SourcePosition)?
    var openModels: [String] = []
    /// Every type of the document by name.
    var types: [String: TypeDefinition] = [:]
    var models: [ModelDraft] = []
    var modelPositions: [String: Int] = [:]
    var queryFields: Set<String> = []

    mutating func mistake(_ position: SourcePosition, _ message: String) {
        mistakes.append(SchemaMistake(line: position.line, column: position.column, message: message))
    }

    mutating func remark(_ position: SourcePosition, _ message: String) {
        remarks.append(SchemaRemark(line: position.line, column: position.column, message: message))
    }

    /// Reads a document with its join models spelled out.
    static func read(_ document: Document) throws(SchemaMistakes) -> (schema: Schema, remarks: [SchemaRemark]) {
        var builder = SchemaBuilder()
        let (expanded, mistakes) = document.withJoinModels()
        let schema = builder.schema(expanded)
        let all = mistakes + builder.mistakes
        guard all.isEmpty else { throw SchemaMistakes(all) }
        return (schema, builder.remarks)
    }

    mutating func schema(_ document: Document) -> Schema {
        let definitions = collectTypes(document)
        var enums: [String: [String]] = [:]
        var embedded: [String: [FieldSchema]] = [:]
        for type in definitions {
            switch type.kind {
            case .enumeration(let values): enums[type.name] = cases(of: type, values)
            case .object where isModel(type):
                modelPositions[type.name] = models.count
                models.append(modelDraft(type))
            case .object: embedded[type.name] = embeddedFields(of: type)
            default: break
            }
        }
        refuseRecursion(definitions, embedded)
        for position in models.indices { resolveKeys(position) }
        for position in models.indices { resolveRelations(position) }
        for position in models.indices { resolveIndexes(position) }
        for position in models.indices { resolveRights(position) }
        for position in models.indices { checkFinishedNames(position) }
        remarkOnOpenModels()
        if models.isEmpty { mistake(SourcePosition(line: 1, column: 1), "the schema has no type with @model") }
        return Schema(
            models: models.map(finished), enums: enums, embedded: embedded,
            documentation: SchemaDocumentation(definitions))
    }

    func isModel(_ type: TypeDefinition) -> Bool {
        guard case .object = type.kind else { return false }
        return type.directive("model") != nil
    }

    private func finished(_ draft: ModelDraft) -> ModelSchema {
        let definition = draft.definition
        let policy = definition.directive("sync")?["policy"]?.enumeration.flatMap(SyncPolicy.init(rawValue:))
        let strategy =
            definition.directive("conflict")?["strategy"]?.enumeration.flatMap(ConflictStrategy.init(rawValue:))
        return ModelSchema(
            definition.name, pluralName: Pluralizer.plural(definition.name), fields: draft.fields + draft.readOnly,
            primaryKey: draft.primaryKey, indexes: draft.indexes, relations: draft.relations,
            authRules: draft.authRules, syncPolicy: policy ?? .both, conflictStrategy: strategy,
            timestamps: draft.timestamps, operations: draft.operations)
    }
}
