import Models

extension Document {
    /// The document with each `@manyToMany` spelled out as Amplify does: a join model named by the relation, which belongs
    /// to both sides, and a `@hasMany` of it on each.
    ///
    /// The join model has the rights of both sides; deleting either side deletes its join records first.
    public func withJoinModels() -> (document: Document, mistakes: [SchemaMistake]) {
        var expansion = JoinModels()
        return (expansion.expand(self), expansion.mistakes)
    }
}

private struct JoinModels {
    private struct Side {
        let type: TypeDefinition
        let field: FieldDefinition
        let directive: Directive
        let relation: String
    }

    var mistakes: [SchemaMistake] = []

    private mutating func mistake(_ position: SourcePosition, _ message: String) {
        mistakes.append(SchemaMistake(line: position.line, column: position.column, message: message))
    }

    mutating func expand(_ document: Document) -> Document {
        var sides: [String: [Side]] = [:]
        var order: [String] = []
        for type in document.types {
            for field in type.fields {
                guard let directive = field.directive("manyToMany") else { continue }
                guard let side = side(type, field, directive) else { continue }
                if sides[side.relation] == nil { order.append(side.relation) }
                sides[side.relation, default: []].append(side)
            }
        }
        guard !order.isEmpty else { return document.withoutManyToMany(joined: [:]) }
        let names = Set(document.types.map(\.name))
        var joined: [String: String] = [:]
        var models: [Definition] = []
        for relation in order {
            let both = sides[relation] ?? []
            guard let model = joinModel(relation, both, names) else { continue }
            for side in both { joined[side.type.name + "." + side.field.name] = model.name }
            models.append(.type(model))
        }
        var result = document.withoutManyToMany(joined: joined)
        result.definitions += models
        return result
    }

    private mutating func side(_ type: TypeDefinition, _ field: FieldDefinition, _ directive: Directive) -> Side? {
        for argument in directive.arguments where argument.name != "relationName" && argument.name != "limit" {
            mistake(argument.position, "@manyToMany has no argument \(argument.name)")
        }
        guard let name = directive["relationName"]?.string, name.isGraphQLName, let first = name.first, first != "_"
        else {
            mistake(
                directive["relationName"]?.position ?? directive.position,
                "@manyToMany needs the argument relationName, which names its join model")
            return nil
        }
        guard type.directive("model") != nil else {
            mistake(directive.position, "@manyToMany belongs on a model's field")
            return nil
        }
        var reference = field.type
        if case .nonNull(let inner) = reference { reference = inner }
        guard case .list = reference else {
            mistake(field.type.position, "@manyToMany needs a list: [\(field.type.name)]")
            return nil
        }
        return Side(
            type: type, field: field, directive: directive, relation: first.uppercased() + String(name.dropFirst()))
    }

    private mutating func joinModel(_ name: String, _ sides: [Side], _ names: Set<String>) -> TypeDefinition? {
        guard sides.count == 2, sides[0].type.name != sides[1].type.name,
            sides[0].field.type.name == sides[1].type.name, sides[1].field.type.name == sides[0].type.name
        else {
            mistake(
                sides[0].directive.position,
                "@manyToMany(relationName: \"\(name)\") must stand on one field of each of two models that name each other"
            )
            return nil
        }
        guard !names.contains(name) else {
            mistake(sides[0].directive.position, "@manyToMany: there is a type \(name) already")
            return nil
        }
        let policies = sides.map { $0.type.directive("sync")?["policy"]?.enumeration }
        guard policies[0] == policies[1] else {
            mistake(sides[1].directive.position, "@manyToMany: \(name) needs both models to have the same @sync policy")
            return nil
        }
        var fields: [FieldDefinition] = []
        for side in sides { fields += keys(of: side.type) }
        for side in sides { fields.append(parent(side.type)) }
        let position = sides[0].directive.position
        return TypeDefinition(
            description: "Joins `\(sides[0].type.name)` and `\(sides[1].type.name)`.", name: name,
            kind: .object(interfaces: [], fields: fields), directives: directives(sides), isExtension: false,
            position: position, namePosition: position)
    }

    /// The fields that hold one side's key: `postId`, and so on for each field of a composite key.
    private func keys(of type: TypeDefinition) -> [FieldDefinition] {
        let named = type.primaryKeyFields
        return zip(named, type.joinKeyNames).enumerated().map { index, names in
            let position = type.namePosition
            let field = type.fields.first { $0.name == names.0 }
            let keyType = field?.type ?? .nonNull(.named("ID", position: position))
            var directives: [Directive] = []
            if index == 0 {
                var arguments = [Argument("name", ValueNode(.string("by\(type.name)")))]
                let rest = type.joinKeyNames.dropFirst()
                if !rest.isEmpty {
                    arguments.append(
                        Argument("sortKeyFields", ValueNode(.list(rest.map { ValueNode(.string($0)) }))))
                }
                directives.append(Directive("index", arguments: arguments))
            }
            return FieldDefinition(
                description: nil, name: names.1, arguments: [], type: keyType, directives: directives,
                position: position)
        }
    }

    private func parent(_ type: TypeDefinition) -> FieldDefinition {
        let list = ValueNode(.list(type.joinKeyNames.map { ValueNode(.string($0)) }))
        return FieldDefinition(
            description: nil, name: type.name.prefix(1).lowercased() + type.name.dropFirst(), arguments: [],
            type: .nonNull(.named(type.name, position: type.namePosition)),
            directives: [Directive("belongsTo", arguments: [Argument("fields", list)])], position: type.namePosition)
    }

    private func directives(_ sides: [Side]) -> [Directive] {
        var result = [Directive("model")]
        if let sync = sides[0].type.directive("sync") { result.append(sync) }
        var rules: [ValueNode] = []
        for side in sides {
            for rule in side.type.directive("auth")?["rules"]?.list ?? [] {
                if !rules.contains(where: { $0.isSame(as: rule) }) { rules.append(rule) }
            }
        }
        if !rules.isEmpty {
            result.append(Directive("auth", arguments: [Argument("rules", ValueNode(.list(rules)))]))
        }
        return result
    }
}

extension TypeDefinition {
    /// The names of the key's fields, as `@primaryKey` says.
    fileprivate var primaryKeyFields: [String] {
        guard let field = fields.first(where: { $0.directive("primaryKey") != nil }) else { return ["id"] }
        return [field.name] + (field.directive("primaryKey")?["sortKeyFields"]?.strings ?? [])
    }

    /// How a join model names them.
    fileprivate var joinKeyNames: [String] {
        let stem = name.prefix(1).lowercased() + name.dropFirst()
        return primaryKeyFields.map { stem + $0.prefix(1).uppercased() + $0.dropFirst() }
    }
}

extension Document {
    /// Replaces `@manyToMany` by a `@hasMany` of the join model, by `Type.field`.
    fileprivate func withoutManyToMany(joined: [String: String]) -> Document {
        var result = self
        for (index, definition) in definitions.enumerated() {
            guard case .type(var type) = definition, case .object(let interfaces, var fields) = type.kind,
                fields.contains(where: { $0.directive("manyToMany") != nil })
            else { continue }
            for (number, field) in fields.enumerated() where field.directive("manyToMany") != nil {
                guard let model = joined[type.name + "." + field.name] else {
                    // A mistake that was told already; a plain field in its place makes no other.
                    fields[number].directives = []
                    fields[number].type = .named("String", position: field.type.position)
                    continue
                }
                fields[number].type = .list(
                    .named(model, position: field.type.position), position: field.type.position)
                let list = ValueNode(.list(type.joinKeyNames.map { ValueNode(.string($0)) }))
                let limit = field.directive("manyToMany")?.arguments.filter { $0.name == "limit" } ?? []
                fields[number].directives.removeAll { $0.name == "manyToMany" }
                fields[number].directives.append(
                    Directive("hasMany", arguments: [Argument("references", list)] + limit, position: field.position))
            }
            type.kind = .object(interfaces: interfaces, fields: fields)
            result.definitions[index] = .type(type)
        }
        return result
    }
}

extension ValueNode {
    /// Whether two values say the same, wherever they stand.
    fileprivate func isSame(as other: ValueNode) -> Bool {
        switch (kind, other.kind) {
        case (.list(let a), .list(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.isSame(as: $1) }
        case (.object(let a), .object(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.name == $1.name && $0.value.isSame(as: $1.value) }
        default: kind == other.kind
        }
    }
}
