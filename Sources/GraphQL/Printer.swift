import Basics

extension Document {
    /// The document as text: one canonical form, which parses to the same document.
    public var text: String {
        var printer = Printer()
        for (index, definition) in definitions.enumerated() {
            if index > 0 { printer.line() }
            printer.definition(definition)
        }
        return printer.text
    }
}

extension OperationDefinition {
    /// The operation as text.
    public var text: String { Document(definitions: [.operation(self)]).text }
}

extension ValueNode: CustomStringConvertible {
    /// The value as written in GraphQL.
    public var description: String {
        switch kind {
        case .variable(let name): "$\(name)"
        case .int(let digits), .float(let digits): digits
        case .string(let text): Printer.quoted(text)
        case .boolean(let flag): flag ? "true" : "false"
        case .null: "null"
        case .enumeration(let name): name
        case .list(let elements): "[\(elements.map(\.description).joined(separator: ", "))]"
        case .object(let members):
            members.isEmpty
                ? "{}" : "{ \(members.map { "\($0.name): \($0.value)" }.joined(separator: ", ")) }"
        }
    }
}

extension Directive: CustomStringConvertible {
    /// The directive as written in GraphQL.
    public var description: String { "@\(name)\(Printer.arguments(arguments))" }
}

/// Writes definitions, two spaces a step.
struct Printer {
    private(set) var text = ""
    private var depth = 0

    mutating func line(_ line: String = "") {
        if !line.isEmpty {
            text += String(repeating: "  ", count: depth)
            text += line
        }
        text += "\n"
    }

    mutating func block(_ head: String, _ body: (inout Printer) -> Void) {
        line(head.isEmpty ? "{" : "\(head) {")
        indented(body)
        line("}")
    }

    mutating func indented(_ body: (inout Printer) -> Void) {
        depth += 1
        body(&self)
        depth -= 1
    }

    static func arguments(_ arguments: [Argument]) -> String {
        guard !arguments.isEmpty else { return "" }
        return "(\(arguments.map { "\($0.name): \($0.value)" }.joined(separator: ", ")))"
    }

    static func directives(_ directives: [Directive]) -> String {
        directives.map { " \($0)" }.joined()
    }

    /// A string literal on one line.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.value < 32 || scalar.value == 127 {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    /// A description: a block string where it has several lines and a block keeps them as they are.
    mutating func description(_ text: String?) {
        guard let text else { return }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let isPlain = text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 32 } && !text.contains("\\")
        let isBlank: (Substring) -> Bool = { line in line.allSatisfy { $0 == " " } }
        guard lines.count > 1, isPlain, !isBlank(lines[0]), !isBlank(lines[lines.count - 1]),
            lines.contains(where: { !$0.isEmpty && !$0.hasPrefix(" ") })
        else { return line(Self.quoted(text)) }
        line("\"\"\"")
        for part in lines {
            line(part.replacingAll("\"\"\"", with: "\\\"\"\""))
        }
        line("\"\"\"")
    }

    mutating func definition(_ definition: Definition) {
        switch definition {
        case .operation(let operation): self.operation(operation)
        case .fragment(let fragment):
            let head = "fragment \(fragment.name) on \(fragment.typeCondition)"
            block(head + Self.directives(fragment.directives)) { $0.selections(fragment.selections) }
        case .schema(let schema): self.schema(schema)
        case .type(let type): self.type(type)
        case .directive(let directive): self.directive(directive)
        }
    }

    private mutating func operation(_ operation: OperationDefinition) {
        var head = ""
        if operation.kind != .query || operation.name != nil || !operation.variables.isEmpty
            || !operation.directives.isEmpty
        {
            head = operation.kind.rawValue
        }
        if let name = operation.name { head += " \(name)" }
        if !operation.variables.isEmpty {
            let variables = operation.variables.map { variable in
                "$\(variable.name): \(variable.type)" + (variable.defaultValue.map { " = \($0)" } ?? "")
                    + Self.directives(variable.directives)
            }
            head += (operation.name == nil ? " (" : "(") + variables.joined(separator: ", ") + ")"
        }
        block(head + Self.directives(operation.directives)) { $0.selections(operation.selections) }
    }

    private mutating func selections(_ selections: [Selection]) {
        for selection in selections {
            switch selection {
            case .spread(let spread): line("...\(spread.name)\(Self.directives(spread.directives))")
            case .inline(let fragment):
                let head = "..." + (fragment.typeCondition.map { " on \($0)" } ?? "")
                block(head + Self.directives(fragment.directives)) { $0.selections(fragment.selections) }
            case .field(let field):
                let head =
                    (field.alias.map { "\($0): " } ?? "") + field.name + Self.arguments(field.arguments)
                    + Self.directives(field.directives)
                if field.selections.isEmpty {
                    line(head)
                } else {
                    block(head) { $0.selections(field.selections) }
                }
            }
        }
    }
}
