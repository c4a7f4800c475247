import Models

extension SchemaBuilder {
    /// `@model(queries:, mutations:, subscriptions:)`: a name renames an operation, null removes it.
    mutating func operationNames(_ type: TypeDefinition) -> OperationNames {
        var result = OperationNames.standard
        guard let directive = type.directive("model") else { return result }
        for (argument, known) in [
            ("queries", ["get", "list"]), ("mutations", ["create", "update", "delete"]),
            ("subscriptions", ["onCreate", "onUpdate", "onDelete"]),
        ] {
            guard let value = directive[argument] else { continue }
            if value.kind == .null { result.removed.formUnion(known) }
            for member in value.object ?? [] {
                if argument == "subscriptions", member.name == "level" {
                    if member.value.enumeration == "off" { result.removed.formUnion(known) }
                    if !["off", "public", "on"].contains(member.value.enumeration) {
                        mistake(member.value.position, "level is one of off, public, on")
                    }
                    continue
                }
                guard known.contains(member.name) else {
                    mistake(member.position, "\(argument) has \(known.joined(separator: ", ")) only")
                    continue
                }
                if member.value.kind == .null {
                    result.removed.insert(member.name)
                } else if let name = operationName(member.value) {
                    result.names[member.name] = name
                } else {
                    mistake(member.value.position, "\(member.name) is one name, or null")
                }
            }
        }
        // What is listed is synchronised too, under its own name.
        if result.removed.contains("list") { result.removed.insert("sync") }
        return result
    }

    /// A text, or the only one of a list, as subscriptions have it.
    private func operationName(_ value: ValueNode) -> String? {
        guard let name = value.string ?? (value.list?.count == 1 ? value.list?[0].string : nil), name.isGraphQLName
        else { return nil }
        return name
    }
}

extension String {
    /// Whether it can name something in GraphQL, beginning with a letter.
    var isGraphQLName: Bool {
        guard let first = unicodeScalars.first, first.isASCII, first.properties.isAlphabetic else { return false }
        return unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_")
        }
    }
}
