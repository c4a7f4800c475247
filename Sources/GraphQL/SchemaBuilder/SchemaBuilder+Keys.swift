import Models

extension SchemaBuilder {
    /// `@primaryKey`, else `id`, which is added where it is missing.
    mutating func resolveKeys(_ position: Int) {
        let definition = models[position].definition
        let marked = definition.fields.filter { $0.directive("primaryKey") != nil }
        if marked.count > 1, let directive = marked[1].directive("primaryKey") {
            mistake(directive.position, "model \(definition.name) has @primaryKey twice")
        }
        guard let field = marked.first, let directive = field.directive("primaryKey") else {
            models[position].primaryKey = ["id"]
            if let id = models[position].field("id") {
                let isText = id.type == .scalar(.id) || id.type == .scalar(.string)
                if !isText || id.isList || !id.isRequired {
                    mistake(fieldPosition("id", in: definition), "the key id must be ID!")
                }
            } else if definition.fields.contains(where: { $0.name == "id" }) {
                // A field `id` with a mistake of its own was reported already.
            } else {
                models[position].fields.insert(FieldSchema("id", .scalar(.id), isRequired: true), at: 0)
            }
            return
        }
        let names = [field.name] + (directive["sortKeyFields"]?.strings ?? [])
        models[position].primaryKey = names
        check(keyFields: names, of: position, directive, mustBeRequired: true)
    }

    /// `@index`, and one for each relation that none serves.
    ///
    /// What is not named is called as Amplify's transformer calls it (`generateKeyAndQueryNameForConfig`), the query too:
    /// only `queryField: null` makes none.
    mutating func resolveIndexes(_ position: Int) {
        let definition = models[position].definition
        var names = Set(models[position].indexes.map(\.name))
        var declared: [IndexSchema] = []
        for field in definition.fields {
            for directive in field.directives where directive.name == "index" {
                let fields = [field.name] + (directive["sortKeyFields"]?.strings ?? [])
                let standard =
                    lowercasedFirst(Pluralizer.plural(definition.name)) + "By"
                    + fields.map(capitalized).joined(separator: "And")
                let name = directive["name"]?.string ?? standard
                guard check(keyFields: fields, of: position, directive, mustBeRequired: false) else { continue }
                if !names.insert(name).inserted {
                    mistake(directive.position, "model \(definition.name) has the index \(name) twice")
                }
                var queryField = directive["queryField"].map(\.string) ?? standard
                if let name = queryField, !name.isGraphQLName {
                    mistake(directive.position, "queryField is a name, or null")
                }
                if let name = queryField, !queryFields.insert(name).inserted {
                    if directive["queryField"] == nil {
                        remark(
                            directive.position,
                            "this index has no query, for there is a \(name) already; queryField: names one")
                        queryField = nil
                    } else {
                        mistake(directive.position, "the query field \(name) is there twice")
                    }
                }
                declared.append(IndexSchema(name, fields: fields, queryField: queryField))
            }
        }
        var result = declared
        for wanted in models[position].indexes
        where !starts(models[position].primaryKey, with: wanted.fields)
            && !result.contains(where: { starts($0.fields, with: wanted.fields) })
        {
            result.append(wanted)
        }
        models[position].indexes = result
    }

    func starts(_ fields: [String], with prefix: [String]) -> Bool { fields.starts(with: prefix) }

    func capitalized(_ name: String) -> String { name.prefix(1).uppercased() + name.dropFirst() }

    func lowercasedFirst(_ name: String) -> String { name.prefix(1).lowercased() + name.dropFirst() }

    /// An index that a relation needs.
    func relationIndex(_ fields: [String]) -> IndexSchema {
        IndexSchema("by\(fields.map(capitalized).joined())", fields: fields)
    }

    func fieldPosition(_ name: String, in definition: TypeDefinition) -> SourcePosition {
        definition.fields.first { $0.name == name }?.position ?? definition.namePosition
    }

    @discardableResult
    private mutating func check(
        keyFields names: [String], of position: Int, _ directive: Directive, mustBeRequired: Bool
    ) -> Bool {
        var isGood = true
        let model = models[position]
        for (index, name) in names.enumerated() {
            guard let field = model.field(name) else {
                // The directive's own field is missing here only after a mistake that was reported.
                if index > 0 || model.definition.fields.allSatisfy({ $0.name != name }) {
                    mistake(
                        directive.position,
                        "@\(directive.name) names \(name), which \(model.definition.name) does not have")
                } else if let other = types[model.definition.fields.first(where: { $0.name == name })?.type.name ?? ""],
                    isModel(other)
                {
                    mistake(directive.position, "@\(directive.name) cannot stand on a relation")
                }
                isGood = false
                continue
            }
            if names[..<index].contains(name) {
                mistake(directive.position, "@\(directive.name) names \(name) twice")
                isGood = false
            }
            if field.isStoredAsJSON {
                mistake(directive.position, "@\(directive.name): \(name) is no single value")
                isGood = false
            } else if mustBeRequired, !field.isRequired {
                mistake(directive.position, "@\(directive.name): \(name) must be required (!)")
                isGood = false
            }
        }
        return isGood
    }
}
