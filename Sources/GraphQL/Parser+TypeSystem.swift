extension Parser {
    mutating func typeSystemDefinition() throws(GraphQLSyntaxError) -> Definition {
        let description = try optionalDescription()
        let position = token.position
        let isExtension = description == nil ? try take(keyword: "extend") : false
        if try take(keyword: "schema") {
            let directives = try directives(constant: true)
            let roots: [SchemaDefinition.Root] =
                isExtension && !at("{")
                ? [] : try many("{", "}") { parser throws(GraphQLSyntaxError) in try parser.root() }
            return .schema(
                SchemaDefinition(
                    description: description, directives: directives, roots: roots, isExtension: isExtension,
                    position: position))
        }
        if !isExtension, at(keyword: "directive") {
            return .directive(try directiveDefinition(description))
        }
        let keyword = token
        guard keyword.kind == .name, ["scalar", "type", "interface", "union", "enum", "input"].contains(text(keyword))
        else { throw unexpected("a definition") }
        try advance()
        let namePosition = token.position
        let name = try name("the name of a \(text(keyword))")
        let interfaces: [NamedReference] =
            text(keyword) == "type" || text(keyword) == "interface" ? try implemented() : []
        let directives = try directives(constant: true)
        let kind: TypeDefinition.Kind
        switch text(keyword) {
        case "scalar": kind = .scalar
        case "type": kind = .object(interfaces: interfaces, fields: try fieldDefinitions())
        case "interface": kind = .interface(interfaces: interfaces, fields: try fieldDefinitions())
        case "union": kind = .union(try unionMembers())
        case "enum":
            kind = .enumeration(
                try optionalMany("{", "}") { parser throws(GraphQLSyntaxError) in try parser.enumValue() })
        default: kind = .input(try inputValues("{", "}"))
        }
        return .type(
            TypeDefinition(
                description: description, name: name, kind: kind, directives: directives, isExtension: isExtension,
                position: position, namePosition: namePosition))
    }

    private mutating func optionalDescription() throws(GraphQLSyntaxError) -> String? {
        token.kind == .string || token.kind == .blockString ? try string() : nil
    }

    private mutating func root() throws(GraphQLSyntaxError) -> SchemaDefinition.Root {
        let position = token.position
        guard token.kind == .name, let kind = OperationKind(rawValue: text(token)) else {
            throw unexpected("query, mutation or subscription")
        }
        try advance()
        try expect(":")
        return SchemaDefinition.Root(kind: kind, type: try name("a type"), position: position)
    }

    private mutating func reference() throws(GraphQLSyntaxError) -> NamedReference {
        let position = token.position
        return NamedReference(name: try name("a type"), position: position)
    }

    private mutating func implemented() throws(GraphQLSyntaxError) -> [NamedReference] {
        guard try take(keyword: "implements") else { return [] }
        _ = try take("&")
        var result = [try reference()]
        while try take("&") { result.append(try reference()) }
        return result
    }

    private mutating func unionMembers() throws(GraphQLSyntaxError) -> [NamedReference] {
        guard try take("=") else { return [] }
        _ = try take("|")
        var result = [try reference()]
        while try take("|") { result.append(try reference()) }
        return result
    }

    private mutating func fieldDefinitions() throws(GraphQLSyntaxError) -> [FieldDefinition] {
        try optionalMany("{", "}") { parser throws(GraphQLSyntaxError) in
            let description = try parser.optionalDescription()
            let position = parser.token.position
            let name = try parser.name("a field")
            let arguments = try parser.inputValues("(", ")")
            try parser.expect(":")
            let type = try parser.typeReference()
            return FieldDefinition(
                description: description, name: name, arguments: arguments, type: type,
                directives: try parser.directives(constant: true), position: position)
        }
    }

    private mutating func inputValues(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar
    ) throws(GraphQLSyntaxError) -> [InputValueDefinition] {
        try optionalMany(open, close) { parser throws(GraphQLSyntaxError) in
            let description = try parser.optionalDescription()
            let position = parser.token.position
            let name = try parser.name("an input value")
            try parser.expect(":")
            let type = try parser.typeReference()
            let defaultValue: ValueNode? = try parser.take("=") ? try parser.value(constant: true) : nil
            return InputValueDefinition(
                description: description, name: name, type: type, defaultValue: defaultValue,
                directives: try parser.directives(constant: true), position: position)
        }
    }

    private mutating func enumValue() throws(GraphQLSyntaxError) -> EnumValueDefinition {
        let description = try optionalDescription()
        let position = token.position
        guard !at(keyword: "true"), !at(keyword: "false"), !at(keyword: "null") else {
            throw failure("true, false and null are no enum values")
        }
        let name = try name("an enum value")
        return EnumValueDefinition(
            description: description, name: name, directives: try directives(constant: true), position: position)
    }

    private mutating func directiveDefinition(_ description: String?) throws(GraphQLSyntaxError) -> DirectiveDefinition
    {
        let position = token.position
        try advance()
        try expect("@")
        let name = try name("a directive's name")
        let arguments = try inputValues("(", ")")
        let isRepeatable = try take(keyword: "repeatable")
        guard try take(keyword: "on") else { throw unexpected("'on'") }
        _ = try take("|")
        var locations = [try self.name("a directive location")]
        while try take("|") { locations.append(try self.name("a directive location")) }
        return DirectiveDefinition(
            description: description, name: name, arguments: arguments, isRepeatable: isRepeatable,
            locations: locations, position: position)
    }
}
