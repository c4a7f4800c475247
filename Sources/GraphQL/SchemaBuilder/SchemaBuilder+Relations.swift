import Models

extension SchemaBuilder {
    /// `@belongsTo`, `@hasOne` and `@hasMany`, with the keys that Amplify adds where none is named.
    mutating func resolveRelations(_ position: Int) {
        for field in models[position].definition.fields {
            let directives = field.directives.filter { DirectiveSpecification.relations.contains($0.name) }
            guard let directive = directives.first, let target = modelPositions[field.type.name] else { continue }
            if directives.count > 1 {
                mistake(directives[1].position, "field \(field.name) has two relations")
                continue
            }
            for other in field.directives where other.name == "default" || other.name == "decimal" {
                mistake(other.position, "@\(other.name) cannot stand on a relation")
            }
            let isList = isList(field.type)
            switch directive.name {
            case "hasMany":
                guard isList else {
                    mistake(field.type.position, "@hasMany needs a list: [\(field.type.name)]")
                    continue
                }
                hasMany(field, directive, from: position, to: target)
            default:
                guard !isList else {
                    mistake(field.type.position, "@\(directive.name) needs a single \(field.type.name), no list")
                    continue
                }
                reference(field, directive, from: position, to: target)
            }
        }
    }

    private func isList(_ type: TypeReference) -> Bool {
        switch type {
        case .list: true
        case .nonNull(let inner): isList(inner)
        case .named: false
        }
    }

    /// Whether a directive names the key at both ends, of which only one can hold it.
    private mutating func namesBothSides(_ directive: Directive) -> Bool {
        guard directive["fields"]?.strings != nil, directive["references"]?.strings != nil else { return false }
        mistake(directive.position, "@\(directive.name) has fields or references, not both")
        return true
    }

    /// `belongsTo` and `hasOne`: the key stands in the declaring model, but for a `hasOne` with `references`, which names
    /// the other model's.
    private mutating func reference(_ field: FieldDefinition, _ directive: Directive, from: Int, to: Int) {
        guard !namesBothSides(directive) else { return }
        let kind: RelationSchema.Kind = directive.name == "hasOne" ? .hasOne : .belongsTo
        if kind == .hasOne, let references = directive["references"]?.strings {
            guard check(references, in: to, against: from, directive) else { return }
            models[from].relations.append(
                RelationSchema(field.name, kind, target: field.type.name, fields: references, isKeyInTarget: true))
            models[to].indexes.append(relationIndex(references))
            return
        }
        let named = directive["fields"]?.strings ?? directive["references"]?.strings
        let keys: [String]
        if let named {
            guard check(named, in: from, against: to, directive) else { return }
            keys = named
        } else {
            keys = implicitKeys(field, kind, from: from, to: to)
            addMissing(keys, to: from, keyOf: to, isRequired: field.type.isNonNull)
            guard check(keys, in: from, against: to, directive) else { return }
        }
        models[from].relations.append(RelationSchema(field.name, kind, target: field.type.name, fields: keys))
        models[from].indexes.append(relationIndex(keys))
    }

    /// `hasMany`: the key stands in the other model.
    private mutating func hasMany(_ field: FieldDefinition, _ directive: Directive, from: Int, to: Int) {
        guard !namesBothSides(directive) else { return }
        if let limit = directive["limit"]?.int, limit < 1 {
            mistake(directive["limit"]?.position ?? directive.position, "@hasMany(limit:) is at least 1")
        }
        let keys: [String]
        if let references = directive["references"]?.strings {
            guard check(references, in: to, against: from, directive) else { return }
            keys = references
        } else if let name = directive["indexName"]?.string {
            guard let fields = indexFields(name, of: models[to].definition) else {
                mistake(directive.position, "\(models[to].definition.name) has no @index(name: \"\(name)\")")
                return
            }
            keys = Array(fields.prefix(models[from].primaryKey.count))
            guard checkOwnKey(directive, from), check(keys, in: to, against: from, directive) else { return }
        } else {
            guard checkOwnKey(directive, from) else { return }
            keys = implicitNames(field, from, keyOf: from)
            let back = models[to].definition.fields.first {
                $0.directive("belongsTo") != nil && $0.type.name == models[from].definition.name
            }
            addMissing(keys, to: to, keyOf: from, isRequired: back?.type.isNonNull ?? false)
            guard check(keys, in: to, against: from, directive) else { return }
        }
        models[from].relations.append(
            RelationSchema(
                field.name, .hasMany, target: field.type.name, fields: keys, limit: directive["limit"]?.int))
        models[to].indexes.append(relationIndex(keys))
    }

    /// `hasMany(fields:)` names the declaring model's own key.
    private mutating func checkOwnKey(_ directive: Directive, _ from: Int) -> Bool {
        guard let fields = directive["fields"]?.strings, fields != models[from].primaryKey else { return true }
        mistake(
            directive.position,
            "@hasMany(fields:) names the key of \(models[from].definition.name), which is "
                + models[from].primaryKey.joined(separator: ", "))
        return false
    }

    private func indexFields(_ name: String, of definition: TypeDefinition) -> [String]? {
        for field in definition.fields {
            for directive in field.directives where directive.name == "index" && directive["name"]?.string == name {
                return [field.name] + (directive["sortKeyFields"]?.strings ?? [])
            }
        }
        return nil
    }

    /// Amplify's names: `postCommentsId` for `Post.comments`.
    private func implicitNames(_ field: FieldDefinition, _ owner: Int, keyOf: Int) -> [String] {
        let name = models[owner].definition.name
        let stem = name.prefix(1).lowercased() + name.dropFirst() + capitalized(field.name)
        return models[keyOf].primaryKey.map { stem + capitalized($0) }
    }

    /// A `belongsTo` without names shares the key that the other side's `hasMany` adds or names, or its `hasOne` names.
    private func implicitKeys(
        _ field: FieldDefinition, _ kind: RelationSchema.Kind, from: Int, to: Int
    ) -> [String] {
        guard kind == .belongsTo else { return implicitNames(field, from, keyOf: to) }
        let own = models[from].definition.name
        for other in models[to].definition.fields where other.type.name == own {
            if let references = other.directive("hasOne")?["references"]?.strings { return references }
            guard let directive = other.directive("hasMany") else { continue }
            if let references = directive["references"]?.strings { return references }
            if let name = directive["indexName"]?.string {
                return indexFields(name, of: models[from].definition)
                    .map { Array($0.prefix(models[to].primaryKey.count)) } ?? implicitNames(other, to, keyOf: to)
            }
            return implicitNames(other, to, keyOf: to)
        }
        return implicitNames(field, from, keyOf: to)
    }

    private mutating func addMissing(_ names: [String], to position: Int, keyOf: Int, isRequired: Bool) {
        for (name, key) in zip(names, models[keyOf].primaryKey) where models[position].field(name) == nil {
            guard let type = models[keyOf].field(key)?.type else { continue }
            models[position].fields.append(FieldSchema(name, type, isRequired: isRequired))
        }
    }

    /// Whether `names` are fields of one model that hold the key of another.
    private mutating func check(_ names: [String], in holder: Int, against target: Int, _ directive: Directive) -> Bool
    {
        let holderName = models[holder].definition.name
        let targetName = models[target].definition.name
        let key = models[target].primaryKey
        guard names.count == key.count else {
            mistake(
                directive.position,
                "@\(directive.name) names \(names.count) field\(names.count == 1 ? "" : "s"), the key of \(targetName) has "
                    + "\(key.count): \(key.joined(separator: ", "))")
            return false
        }
        for (name, keyName) in zip(names, key) {
            guard let field = models[holder].field(name) else {
                mistake(directive.position, "@\(directive.name) names \(name), which \(holderName) does not have")
                return false
            }
            guard let keyField = models[target].field(keyName) else { return false }
            guard !field.isList, isText(field.type) && isText(keyField.type) || field.type == keyField.type else {
                mistake(
                    directive.position,
                    "@\(directive.name): \(holderName).\(name) does not have the type of \(targetName).\(keyName)")
                return false
            }
        }
        return true
    }

    private func isText(_ type: FieldType) -> Bool { type == .scalar(.id) || type == .scalar(.string) }
}
