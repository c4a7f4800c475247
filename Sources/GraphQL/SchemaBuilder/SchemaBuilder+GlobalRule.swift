import Models

extension SchemaBuilder {
    /// Amplify's `input AMPLIFY`, which is no type of the API.
    static let amplifyInput = "AMPLIFY"

    /// Reads `input AMPLIFY { globalAuthRule: AuthRule = { allow: public } }`, with which Amplify's projects begin: every
    /// API key may do everything with each model that has no `@auth`.
    ///
    /// As at Amplify there is no other such rule: whatever gives less belongs on the models.
    mutating func readAmplifyInput(_ type: TypeDefinition, _ fields: [InputValueDefinition]) {
        for directive in type.directives { mistake(directive.position, "input AMPLIFY takes no directive") }
        for field in fields {
            guard ["globalAuthRule", "global_auth_rule"].contains(field.name) else {
                mistake(field.position, "input AMPLIFY has globalAuthRule only, and no \(field.name)")
                continue
            }
            guard globalRule == nil else {
                mistake(field.position, "globalAuthRule is there twice")
                continue
            }
            globalRule = (AuthRule(allow: .public, operations: Set(AuthRule.Operation.allCases)), field.position)
            let members = field.defaultValue?.object ?? []
            let isRule = if case .named("AuthRule", _) = field.type { true } else { false }
            let isPublic =
                members.contains { $0.name == "allow" }
                && members.allSatisfy {
                    ($0.name == "allow" && $0.value.enumeration == "public")
                        || ($0.name == "provider" && $0.value.enumeration == "apiKey")
                }
            if !isRule || !isPublic {
                mistake(
                    field.position,
                    "globalAuthRule is AuthRule = { allow: public } and nothing else, as at Amplify; rules that give less "
                        + "belong on the models")
            }
        }
    }

    /// The rights of a model without `@auth`: none, or those of the global rule.
    mutating func openByGlobalRule(_ position: Int) {
        guard let globalRule else { return }
        models[position].authRules = [globalRule.rule]
        openModels.append(models[position].definition.name)
    }

    mutating func remarkOnOpenModels() {
        guard let globalRule, !openModels.isEmpty else { return }
        remark(
            globalRule.position,
            "globalAuthRule lets every API key read, change and delete all of \(openModels.joined(separator: ", ")); it is "
                + "for trying things out: give these models their own @auth and take it away")
    }
}
