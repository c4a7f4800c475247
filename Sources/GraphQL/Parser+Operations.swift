extension Parser {
    mutating func document() throws(GraphQLSyntaxError) -> Document {
        var definitions: [Definition] = []
        repeat { definitions.append(try definition()) } while token.kind != .end
        return Document(definitions: definitions)
    }

    private mutating func definition() throws(GraphQLSyntaxError) -> Definition {
        if at("{") {
            let position = token.position
            return .operation(OperationDefinition(kind: .query, selections: try selections(), position: position))
        }
        if token.kind == .name {
            if at(keyword: "query") || at(keyword: "mutation") || at(keyword: "subscription") {
                return .operation(try operation())
            }
            if at(keyword: "fragment") { return .fragment(try fragment()) }
        }
        return try typeSystemDefinition()
    }

    private mutating func operation() throws(GraphQLSyntaxError) -> OperationDefinition {
        let position = token.position
        let kind: OperationKind = at(keyword: "query") ? .query : at(keyword: "mutation") ? .mutation : .subscription
        try advance()
        let name: String? = token.kind == .name ? try name() : nil
        let variables = try optionalMany("(", ")") { parser throws(GraphQLSyntaxError) in try parser.variable() }
        let directives = try directives(constant: false)
        return OperationDefinition(
            kind: kind, name: name, variables: variables, directives: directives, selections: try selections(),
            position: position)
    }

    private mutating func variable() throws(GraphQLSyntaxError) -> VariableDefinition {
        let position = token.position
        try expect("$")
        let name = try name()
        try expect(":")
        let type = try typeReference()
        let defaultValue: ValueNode? = try take("=") ? try value(constant: true) : nil
        return VariableDefinition(
            name: name, type: type, defaultValue: defaultValue, directives: try directives(constant: true),
            position: position)
    }

    private mutating func fragment() throws(GraphQLSyntaxError) -> FragmentDefinition {
        let position = token.position
        try advance()
        guard !at(keyword: "on") else { throw unexpected("a fragment's name") }
        let name = try name()
        guard try take(keyword: "on") else { throw unexpected("'on'") }
        let type = try self.name("a type")
        let directives = try directives(constant: false)
        return FragmentDefinition(
            name: name, typeCondition: type, directives: directives, selections: try selections(), position: position)
    }

    private mutating func selections() throws(GraphQLSyntaxError) -> [Selection] {
        try nested { parser throws(GraphQLSyntaxError) in
            try parser.many("{", "}") { parser throws(GraphQLSyntaxError) in try parser.selection() }
        }
    }

    private mutating func selection() throws(GraphQLSyntaxError) -> Selection {
        let position = token.position
        guard token.kind == .spread else { return .field(try field(position)) }
        try advance()
        if token.kind == .name, !at(keyword: "on") {
            let name = try name()
            return .spread(FragmentSpread(name: name, directives: try directives(constant: false), position: position))
        }
        let type: String? = try take(keyword: "on") ? try name("a type") : nil
        let directives = try directives(constant: false)
        return .inline(
            InlineFragment(
                typeCondition: type, directives: directives, selections: try selections(), position: position))
    }

    private mutating func field(_ position: SourcePosition) throws(GraphQLSyntaxError) -> FieldSelection {
        var name = try name("a field")
        var alias: String?
        if try take(":") {
            alias = name
            name = try self.name("a field")
        }
        let arguments = try arguments(constant: false)
        let directives = try directives(constant: false)
        return FieldSelection(
            alias: alias, name: name, arguments: arguments, directives: directives,
            selections: at("{") ? try selections() : [], position: position)
    }
}
