import Models

extension SchemaBuilder {
    private static let arguments: Set<String> = [
        "allow", "provider", "ownerField", "identityClaim", "groups", "groupsField", "groupClaim", "operations",
    ]
    private static let providers: Set<String> = ["apiKey", "userPools", "iam", "identityPool", "oidc", "function"]

    /// The providers that Amplify lets a strategy name.
    private static let fitting: [AuthRule.Strategy: [String]] = [
        .public: ["apiKey", "iam", "identityPool"], .private: ["userPools", "oidc", "iam", "identityPool"],
        .owner: ["userPools", "oidc"], .groups: ["userPools", "oidc"], .custom: ["function"],
    ]

    /// `@auth(rules:)` of a model and of its fields.
    mutating func resolveRights(_ position: Int) {
        if let directive = models[position].definition.directive("auth") {
            models[position].authRules = authRules(directive, of: position)
        } else {
            openByGlobalRule(position)
        }
        for field in models[position].definition.fields {
            guard let directive = field.directive("auth") else { continue }
            resolveRights(of: field, directive, in: position)
        }
    }

    /// A field's own rules take the place of the model's for it, in writing and in reading. Whoever may not read it sees
    /// null, and so a field that cannot be null must be read by all who read the model.
    private mutating func resolveRights(of field: FieldDefinition, _ directive: Directive, in position: Int) {
        if let relation = models[position].relations.first(where: { $0.name == field.name }) {
            return refuseRights(of: relation, directive)
        }
        guard let index = models[position].fields.firstIndex(where: { $0.name == field.name }),
            !models[position].primaryKey.contains(field.name)
        else {
            mistake(directive.position, "@auth belongs on a stored field that is no key, and \(field.name) is none")
            return
        }
        let rules = authRules(directive, of: position)
        for rule in models[position].authRules where models[position].fields[index].isRequired {
            let reading = rule.operations.intersection(AuthRule.Operation.read)
            guard !rules.contains(where: { $0.covers(rule, reading) }), !reading.isEmpty else { continue }
            mistake(
                directive.position,
                "\(field.name) is required, so that its @auth must let those read it who read "
                    + "\(models[position].definition.name); make it optional, or put it into a model of its own")
            break
        }
        models[position].fields[index] = models[position].fields[index].guarded(by: rules)
    }

    /// A relation has no rights of its own: what it shows has them, and whoever may read that finds it by a query just as
    /// well. So the rules belong where they hold for every way to it.
    private mutating func refuseRights(of relation: RelationSchema, _ directive: Directive) {
        let place =
            relation.isKeyInTarget
            ? "put the rules on \(relation.target), or on its \(relation.fields.joined(separator: ", "))"
            : "put the rules on its key \(relation.fields.joined(separator: ", ")), or on \(relation.target)"
        mistake(
            directive.position,
            "\(relation.name) is a relation, which shows what its records' own rights let through; \(place)")
    }

    private mutating func authRules(_ directive: Directive, of position: Int) -> [AuthRule] {
        guard let rules = directive["rules"]?.list else { return [] }
        if rules.isEmpty { mistake(directive.position, "@auth without rules lets nobody in") }
        var result: [AuthRule] = []
        for rule in rules {
            guard let members = rule.object else {
                mistake(rule.position, "a rule is an object: { allow: … }")
                continue
            }
            if let rule = authRule(members, rule.position, of: position) { result.append(rule) }
        }
        return result
    }

    private mutating func authRule(_ members: [Argument], _ place: SourcePosition, of position: Int) -> AuthRule? {
        var values: [String: ValueNode] = [:]
        for member in members {
            if !Self.arguments.contains(member.name) {
                mistake(member.position, "a rule has no \(member.name)")
            } else if values.updateValue(member.value, forKey: member.name) != nil {
                mistake(member.position, "\(member.name) is given twice")
            }
        }
        guard let allow = values["allow"] else {
            mistake(place, "a rule needs allow")
            return nil
        }
        guard let strategy = allow.enumeration.flatMap(AuthRule.Strategy.init(rawValue:)) else {
            mistake(allow.position, "allow is one of owner, groups, private, public, custom")
            return nil
        }
        let provider = values["provider"]?.enumeration
        if let value = values["provider"], !Self.providers.contains(provider ?? "") {
            mistake(value.position, "provider is one of \(Self.providers.sorted().joined(separator: ", "))")
        }
        if let value = values["provider"], let provider, let fitting = Self.fitting[strategy],
            Self.providers.contains(provider), !fitting.contains(provider)
        {
            mistake(value.position, "allow: \(strategy.rawValue) goes with \(fitting.joined(separator: ", "))")
        }
        let groups = values["groups"]?.strings ?? []
        if let value = values["groups"], groups.isEmpty { mistake(value.position, "groups is a list of names") }
        for (name, wanted) in [
            ("ownerField", AuthRule.Strategy.owner), ("identityClaim", .owner), ("groups", .groups),
            ("groupsField", .groups), ("groupClaim", .groups),
        ] {
            guard let value = values[name], strategy != wanted else { continue }
            mistake(value.position, "\(name) belongs to allow: \(wanted.rawValue)")
        }
        if values["groups"] != nil, let value = values["groupsField"] {
            mistake(value.position, "a rule has groups or groupsField, not both")
        }
        var ownerField: String?
        var groupsField: String?
        if strategy == .owner { ownerField = readerField(values["ownerField"], "ownerField", "owner", place, position) }
        if strategy == .groups, values["groups"] == nil {
            groupsField = readerField(values["groupsField"], "groupsField", "groups", place, position)
        }
        return AuthRule(
            allow: strategy, groups: groups, ownerField: ownerField, groupsField: groupsField,
            identityClaim: text(values["identityClaim"], "identityClaim"), provider: provider,
            operations: operations(values["operations"]), groupClaim: text(values["groupClaim"], "groupClaim"))
    }

    private mutating func text(_ value: ValueNode?, _ name: String) -> String? {
        guard let value else { return nil }
        if value.string == nil { mistake(value.position, "\(name) is a string") }
        return value.string
    }

    /// The field that says who may: the named one, or Amplify's default, added where nothing declares it.
    private mutating func readerField(
        _ value: ValueNode?, _ argument: String, _ standard: String, _ place: SourcePosition, _ position: Int
    ) -> String? {
        let model = models[position]
        let name = text(value, argument) ?? standard
        guard let field = model.field(name) else {
            if standard == "owner" {
                addOwner(name, value?.position ?? place, isNamed: value != nil, to: position)
            } else if let value {
                mistake(value.position, "\(argument) names \(name), which \(model.definition.name) does not have")
            } else {
                mistake(place, "a groups rule needs groups or groupsField")
            }
            return name
        }
        if field.type != .scalar(.id), field.type != .scalar(.string) {
            mistake(value?.position ?? place, "\(argument): \(name) must be ID or String, or a list of them")
        }
        return name
    }

    /// Adds the field of an owner that the model does not declare, as Amplify does; one that is named may be a slip.
    private mutating func addOwner(_ name: String, _ place: SourcePosition, isNamed: Bool, to position: Int) {
        let model = models[position]
        let own = model.definition
        if own.fields.contains(where: { $0.name == name }) {
            // A relation; or a field with a mistake of its own, which was told already.
            if model.relations.contains(where: { $0.name == name }) {
                mistake(place, "ownerField: \(name) is a relation; name the field that holds the owner")
            }
            return
        }
        guard name.isGraphQLName, !name.hasPrefix("_"), !name.hasPrefix("AWS") else {
            return mistake(place, "ownerField: \"\(name)\" cannot be a field's name")
        }
        if let other = (model.fields + model.readOnly).first(where: { $0.name.lowercased() == name.lowercased() }) {
            return mistake(place, "ownerField: \(name) differs from \(other.name) only in upper and lower case")
        }
        models[position].fields.append(FieldSchema(name, .scalar(.string)))
        if isNamed { remark(place, "\(own.name) has no field \(name), so \(name): String is added for the owner") }
    }

    private mutating func operations(_ value: ValueNode?) -> Set<AuthRule.Operation> {
        guard let value else { return Set(AuthRule.Operation.allCases) }
        guard let list = value.list, !list.isEmpty else {
            mistake(value.position, "operations is a list such as [create, read]")
            return []
        }
        var result: Set<AuthRule.Operation> = []
        for element in list {
            if element.enumeration == "read" {
                result.formUnion(AuthRule.Operation.read)
            } else if let operation = element.enumeration.flatMap(AuthRule.Operation.init(rawValue:)) {
                result.insert(operation)
            } else {
                mistake(
                    element.position,
                    "an operation is one of create, update, delete, read, get, list, sync, listen, search")
            }
        }
        return result
    }
}

extension AuthRule {
    /// Whether it gives whom `other` names at least these operations.
    fileprivate func covers(_ other: AuthRule, _ operations: Set<Operation>) -> Bool {
        allow == other.allow && ownerField == other.ownerField && groupsField == other.groupsField
            && identityClaim == other.identityClaim && groupClaim == other.groupClaim && provider == other.provider
            && Set(groups).isSuperset(of: other.groups) && self.operations.isSuperset(of: operations)
    }
}
