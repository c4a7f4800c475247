extension Printer {
    mutating func schema(_ schema: SchemaDefinition) {
        description(schema.description)
        let head = (schema.isExtension ? "extend schema" : "schema") + Self.directives(schema.directives)
        guard !schema.roots.isEmpty else { return line(head) }
        block(head) { printer in
            for root in schema.roots { printer.line("\(root.kind.rawValue): \(root.type)") }
        }
    }

    mutating func type(_ type: TypeDefinition) {
        description(type.description)
        var head = (type.isExtension ? "extend " : "") + "\(type.keyword) \(type.name)"
        switch type.kind {
        case .scalar: line(head + Self.directives(type.directives))
        case .object(let interfaces, let fields), .interface(let interfaces, let fields):
            if !interfaces.isEmpty { head += " implements " + interfaces.map(\.name).joined(separator: " & ") }
            members(head, type, fields.isEmpty) { printer in
                for field in fields { printer.field(field) }
            }
        case .union(let types):
            let list = types.isEmpty ? "" : " = " + types.map(\.name).joined(separator: " | ")
            line(head + Self.directives(type.directives) + list)
        case .enumeration(let values):
            members(head, type, values.isEmpty) { printer in
                for value in values {
                    printer.description(value.description)
                    printer.line(value.name + Self.directives(value.directives))
                }
            }
        case .input(let values):
            members(head, type, values.isEmpty) { printer in
                for value in values {
                    printer.description(value.description)
                    printer.line(Self.inputValue(value))
                }
            }
        }
    }

    private mutating func members(
        _ head: String, _ type: TypeDefinition, _ isEmpty: Bool, _ body: (inout Printer) -> Void
    ) {
        let head = head + Self.directives(type.directives)
        if isEmpty { line(head) } else { block(head, body) }
    }

    private mutating func field(_ field: FieldDefinition) {
        description(field.description)
        let end = ": \(field.type)" + Self.directives(field.directives)
        guard field.arguments.contains(where: { $0.description != nil }) else {
            let arguments = field.arguments.map(Self.inputValue).joined(separator: ", ")
            return line(field.name + (arguments.isEmpty ? "" : "(\(arguments))") + end)
        }
        line("\(field.name)(")
        described(field.arguments)
        line(")\(end)")
    }

    private mutating func described(_ arguments: [InputValueDefinition]) {
        indented { printer in
            for argument in arguments {
                printer.description(argument.description)
                printer.line(Self.inputValue(argument))
            }
        }
    }

    private static func inputValue(_ value: InputValueDefinition) -> String {
        "\(value.name): \(value.type)" + (value.defaultValue.map { " = \($0)" } ?? "") + directives(value.directives)
    }

    mutating func directive(_ directive: DirectiveDefinition) {
        description(directive.description)
        let end = (directive.isRepeatable ? " repeatable" : "") + " on " + directive.locations.joined(separator: " | ")
        guard directive.arguments.contains(where: { $0.description != nil }) else {
            let arguments = directive.arguments.map(Self.inputValue).joined(separator: ", ")
            return line("directive @\(directive.name)" + (arguments.isEmpty ? "" : "(\(arguments))") + end)
        }
        line("directive @\(directive.name)(")
        described(directive.arguments)
        line(")\(end)")
    }
}
