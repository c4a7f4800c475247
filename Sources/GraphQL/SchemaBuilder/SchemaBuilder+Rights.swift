import Models

extension SchemaBuilder {
    private static let arguments: Set<String> = [
        "allow", "provider", "ownerField", "identityClaim", "groups", "groupsField", "groupClaim", "operations",
    ]
    private static let providers: Set<String> = ["apiKey", "userPools", "iam", "identityPool", "oidc", "function"]

    /// `@auth(rules:)`.
    mutating func resolveRights(_ position: Int) {
        guard let directive = models[position].definition.directive("auth"), let rules = directive["rules"]?.list else {
            return
        }
        if rules.isEmpty { mistake(directive.position, "@auth without rules lets nobody in") }
        for rule in rules {
            guard let members = rule.object else {
                mistake(rule.position, "a rule is an object: { allow: … }")
                continue
            }
            if let result = authRule(members, rule.position, of: position) { models[position].authRules.append(result) }
        }
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
            if let value {
                mistake(value.position, "\(argument) names \(name), which \(model.definition.name) does not have")
            } else if standard == "owner" {
                models[position].fields.append(FieldSchema(standard, .scalar(.string)))
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
