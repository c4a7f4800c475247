import Models

extension SchemaDocumentation {
    /// The reason that `@deprecated` has where none is given, as the specification says.
    package static let standardReason = "No longer supported"

    /// Collects the descriptions and deprecations of type definitions.
    init(_ definitions: [TypeDefinition]) {
        self.init()
        for type in definitions {
            note(type.name, type.description, nil)
            for field in type.fields {
                note("\(type.name).\(field.name)", field.description, field.directive("deprecated"))
            }
            if case .enumeration(let values) = type.kind {
                for value in values {
                    let deprecated = value.directives.first { $0.name == "deprecated" }
                    note("\(type.name).\(value.name)", value.description, deprecated)
                }
            }
        }
    }

    private mutating func note(_ name: String, _ description: String?, _ deprecated: Directive?) {
        if let description { descriptions[name] = description }
        if let deprecated { deprecations[name] = deprecated["reason"]?.string ?? Self.standardReason }
    }
}
