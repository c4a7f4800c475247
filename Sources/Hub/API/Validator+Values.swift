import AppSync
import Basics
import GraphQL

extension Validator {
    /// The variables of an operation: their types, their defaults, each name once.
    mutating func checkVariables(_ definition: OperationDefinition) {
        var names: Set<String> = []
        for variable in definition.variables {
            if !names.insert(variable.name).inserted {
                report(
                    "DuplicateVariableName: There can be only one variable named '\(variable.name)'", variable.position,
                    [])
            }
            checkDirectives(variable.directives, on: "VARIABLE_DEFINITION", [])
            guard let type = schema.types[variable.type.name] else {
                report("UnknownType: Unknown type \(variable.type.name)", variable.position, [])
                continue
            }
            guard type.isInput else {
                report(
                    "NonInputTypeOnVariable: Input variable \(variable.name) type \(variable.type.name) is not an input type",
                    variable.position, [])
                continue
            }
            if let value = variable.defaultValue {
                let shape = TypeShape(variable.type)
                do throws(InputError) {
                    let json = try Literal(schema: schema).value(value, shape)
                    _ = try Coercion(schema: schema, name: variable.name, isLiteral: true).value(json, shape)
                } catch {
                    report(
                        "BadValueForDefaultArg: Bad default value \(value.brief) for type \(shape)", variable.position,
                        [])
                }
            }
        }
    }

    /// The arguments of a field: known, each once, none missing, each of its type.
    mutating func checkArguments(_ field: FieldSelection, _ definition: APIField, _ path: [String]) {
        var names: Set<String> = []
        for argument in field.arguments {
            guard admits(argument.value) else { return }
            guard let expected = definition.argument(argument.name) else {
                for (name, position) in argument.value.variableNames { noteVariable(name, position, path) }
                report("UnknownArgument: Unknown field argument \(argument.name)", argument.position, path)
                continue
            }
            if !names.insert(argument.name).inserted {
                report(
                    "DuplicateArgumentNames: There can be only one argument named '\(argument.name)'",
                    argument.position, path)
            }
            for (name, position) in argument.value.variableNames { noteVariable(name, position, path) }
            if let wrong = mismatch(
                argument.value, expected.type, argument.name, isRequired: expected.defaultValue == nil)
            {
                report(wrong, argument.position, path)
            }
        }
        for expected in definition.arguments
        where expected.type.isNonNull && expected.defaultValue == nil && !names.contains(expected.name) {
            report("MissingFieldArgument: Missing field argument \(expected.name)", field.position, path)
        }
    }

    /// What is wrong with a value that stands where `type` belongs: constants as a whole, variables by their types.
    private func mismatch(_ value: ValueNode, _ type: TypeShape, _ argument: String, isRequired: Bool) -> String? {
        if case .variable(let name) = value.kind {
            guard let variable = variables[name] else { return nil }
            let given = TypeShape(variable.type)
            if Self.fits(given, type, hasDefault: variable.defaultValue != nil || !isRequired) { return nil }
            return "VariableTypeMismatch: Variable type '\(given)' does not match expected type '\(type)'"
        }
        if value.variableNames.isEmpty {
            do throws(InputError) {
                let json = try Literal(schema: schema).value(value, type)
                _ = try Coercion(schema: schema, name: argument, isLiteral: true).value(json, type)
                return nil
            } catch {
                return wrong(value, type, argument) + " - \(error.message)"
            }
        }
        switch (value.kind, type.nullable) {
        case (.list(let elements), .list(let element)):
            for item in elements {
                if let text = mismatch(item, element, argument, isRequired: true) { return text }
            }
            return nil
        case (.object, .list(let element)): return mismatch(value, element, argument, isRequired: true)
        case (.object(let members), .named(let name)):
            guard let input = schema.input(name) else { break }
            return mismatch(members, input, argument, value)
        default: break
        }
        return wrong(value, type, argument)
    }

    /// The members of an input object of which some are variables.
    private func mismatch(
        _ members: [Argument], _ input: APIInputObject, _ argument: String, _ whole: ValueNode
    ) -> String? {
        var names: Set<String> = []
        for member in members {
            guard let field = input.field(member.name) else {
                return wrong(whole, .named(input.name), argument)
                    + " - \(Coercion.unknownField(member.name, input.name).message)"
            }
            guard names.insert(member.name).inserted else {
                return "UniqueObjectFieldName: There can be only one field named '\(member.name)'"
            }
            if let text = mismatch(member.value, field.type, argument, isRequired: true) { return text }
        }
        let missing = input.fields.filter { $0.type.isNonNull && !names.contains($0.name) }.map(\.name)
        guard missing.isEmpty else {
            return "WrongType: argument '\(argument)' with value '\(whole.brief)' is missing required fields "
                + "'[\(missing.joined(separator: ", "))]'"
        }
        return nil
    }

    private func wrong(_ value: ValueNode, _ type: TypeShape, _ argument: String) -> String {
        "WrongType: argument '\(argument)' with value '\(value.brief)' is not a valid '\(type)'"
    }

    mutating func noteVariable(_ name: String, _ position: SourcePosition, _ path: [String]) {
        usedVariables.insert(name)
        if variables[name] == nil {
            report("UndefinedVariable: Undefined variable \(name)", position, path)
        }
    }

    /// `@skip` and `@include`: where they may stand, once each, with their condition.
    mutating func checkDirectives(_ directives: [Directive], on place: String, _ path: [String]) {
        var names: Set<String> = []
        for directive in directives {
            guard directive.name == "skip" || directive.name == "include" else {
                let isKnown = APIDirective.all.contains { $0.name == directive.name }
                report(
                    (isKnown
                        ? "MisplacedDirective: Directive \(directive.name) not allowed here"
                        : "UnknownDirective: Unknown directive \(directive.name)"), directive.position, path)
                continue
            }
            guard ["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"].contains(place) else {
                report("MisplacedDirective: Directive \(directive.name) not allowed here", directive.position, path)
                continue
            }
            if !names.insert(directive.name).inserted {
                report(
                    "DuplicateDirectiveName: Non repeatable directives must be uniquely named within a location. The "
                        + "directive '\(directive.name)' used on '\(place)' is not unique", directive.position, path)
            }
            usesConditions = true
            checkCondition(directive, path)
        }
    }

    private mutating func checkCondition(_ directive: Directive, _ path: [String]) {
        for argument in directive.arguments where argument.name != "if" {
            report(
                "UnknownDirectiveArgument: Unknown directive argument \(argument.name)", argument.position, path)
        }
        guard let condition = directive["if"] else {
            report("MissingDirectiveArgument: Missing directive argument if", directive.position, path)
            return
        }
        guard admits(condition) else { return }
        for (name, position) in condition.variableNames {
            noteVariable(name, position, path)
            usedConditions.insert(name)
        }
        if let wrong = mismatch(condition, .nonNull(.named("Boolean")), "if", isRequired: true) {
            report(wrong, directive.position, path)
        }
    }

    /// Whether a variable of one type may stand where another is expected.
    private static func fits(_ given: TypeShape, _ expected: TypeShape, hasDefault: Bool = false) -> Bool {
        switch (given, expected) {
        case (.nonNull(let given), .nonNull(let expected)): fits(given, expected)
        case (_, .nonNull(let expected)): hasDefault && fits(given, expected)
        case (.nonNull(let given), _): fits(given, expected)
        case (.list(let given), .list(let expected)): fits(given, expected)
        case (.named(let given), .named(let expected)): given == expected
        // One value for a list of one: AppSync's own documents do it.
        case (.named, .list(let expected)): fits(given, expected)
        case (.list, .named): false
        }
    }
}

extension ValueNode {
    /// A short notation for messages.
    var brief: String {
        switch kind {
        case .variable(let name): "$\(name)"
        case .int(let text), .float(let text), .enumeration(let text): String(text.prefix(60))
        case .string(let text): "\"\(text.prefix(60))\""
        case .boolean(let flag): "\(flag)"
        case .null: "null"
        case .list: "[…]"
        case .object: "{…}"
        }
    }
}
