import AppSync
import Basics
import GraphQL

/// Checks a document against the API before anything of it runs; messages are graphql-java's, as AppSync sends them.
struct Validator {
    /// Fields that a document may select with its fragments spread out.
    static let fieldLimit = 20_000
    /// How deep fields may nest.
    static let depthLimit = 20

    let schema: HubSchema
    let fragments: [String: FragmentDefinition]
    private(set) var errors: [ResponseError] = []
    /// Whether a field or fragment depends on `@skip` or `@include`.
    private(set) var usesConditions = false

    private var operation: OperationDefinition?
    private var usedVariables: Set<String> = []
    private var usedFragments: Set<String> = []
    private var fieldCount = 0

    init(_ document: Document, _ schema: HubSchema) {
        self.schema = schema
        fragments = Dictionary(document.fragments.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Prepares a document, or says everything that is wrong with it.
    static func prepare(_ document: Document, _ schema: HubSchema) -> Result<PreparedDocument, ValidationFailure> {
        var validator = Validator(document, schema)
        validator.check(document)
        guard validator.errors.isEmpty else { return .failure(ValidationFailure(errors: validator.errors)) }
        let operations = document.operations.map {
            PreparedOperation($0, validator.fragments, schema, usesConditions: validator.usesConditions)
        }
        return .success(PreparedDocument(operations))
    }

    private mutating func check(_ document: Document) {
        let operations = document.operations
        if Set(operations.map { $0.name ?? "" }).count != operations.count {
            report("DuplicateOperationName: There can be only one operation of a name", .none, [])
        }
        if operations.count > 1, let anonymous = operations.first(where: { $0.name == nil }) {
            report("LoneAnonymousOperationViolation: An anonymous operation must be alone", anonymous.position, [])
        }
        for fragment in document.fragments {
            if schema.object(fragment.typeCondition) == nil {
                report("UnknownType: Unknown type \(fragment.typeCondition)", fragment.position, [fragment.name])
            }
        }
        for definition in document.operations { check(definition) }
        guard errors.isEmpty else { return }
        for fragment in document.fragments where !usedFragments.contains(fragment.name) {
            report("UnusedFragment: Unused fragment \(fragment.name)", fragment.position, [fragment.name])
        }
    }

    private mutating func check(_ definition: OperationDefinition) {
        operation = definition
        usedVariables = []
        checkVariables(definition)
        checkDirectives(definition.directives, [])
        let root = schema.root(definition.kind)
        walk(definition.selections, root, [], [])
        if definition.kind == .subscription, errors.isEmpty {
            let compiler = SelectionCompiler(schema: schema, fragments: fragments, variables: [:])
            if compiler.compile(definition.selections, on: root).fields.count > 1 {
                report(
                    "SubscriptionMultipleRootFields: Subscription operation must have exactly one root field",
                    definition.position, [])
            }
        }
        if errors.isEmpty { checkMerging(definition.selections, root) }
        for variable in definition.variables where !usedVariables.contains(variable.name) {
            report("UnusedVariable: Unused variable \(variable.name)", variable.position, [])
        }
    }

    private mutating func checkVariables(_ definition: OperationDefinition) {
        var names: Set<String> = []
        for variable in definition.variables {
            if !names.insert(variable.name).inserted {
                report(
                    "DuplicateVariableName: There can be only one variable named '\(variable.name)'", variable.position,
                    [])
            }
            guard let type = schema.types[variable.type.name] else {
                report("UnknownType: Unknown type \(variable.type.name)", variable.position, [])
                continue
            }
            if !type.isInput {
                report(
                    "NonInputTypeOnVariable: Input variable \(variable.name) type \(variable.type.name) is not an input type",
                    variable.position, [])
            }
            if let value = variable.defaultValue {
                let shape = TypeShape(variable.type)
                do throws(InputError) {
                    let json = try Literal(schema: schema).value(value, shape)
                    _ = try Coercion(schema: schema, name: variable.name).value(json, shape)
                } catch {
                    report("BadValueForDefaultArg: Bad default value for type \(shape)", variable.position, [])
                }
            }
        }
    }

    private mutating func walk(_ selections: [Selection], _ type: APIObject, _ path: [String], _ open: Set<String>) {
        guard path.count <= Self.depthLimit else {
            report("QueryDepthLimitReached: The document nests fields too deep", selections[0].position, path)
            return
        }
        for selection in selections {
            guard fieldCount <= Self.fieldLimit else { return }
            switch selection {
            case .field(let field): check(field, type, path)
            case .spread(let spread):
                checkDirectives(spread.directives, path)
                usedFragments.insert(spread.name)
                guard let fragment = fragments[spread.name] else {
                    report("UndefinedFragment: Undefined fragment \(spread.name)", spread.position, path)
                    continue
                }
                guard !open.contains(spread.name) else {
                    report("FragmentCycle: Fragment cycles not allowed", spread.position, path)
                    continue
                }
                guard schema.object(fragment.typeCondition) != nil else { continue }
                guard fragment.typeCondition == type.name else {
                    report(
                        "InvalidFragmentType: Fragment \(spread.name) cannot be spread here as objects of type "
                            + "\(type.name) can never be of type \(fragment.typeCondition)", spread.position, path)
                    continue
                }
                checkDirectives(fragment.directives, path)
                walk(fragment.selections, type, path, open.union([spread.name]))
            case .inline(let fragment):
                checkDirectives(fragment.directives, path)
                if let condition = fragment.typeCondition, condition != type.name {
                    report(
                        "InvalidFragmentType: objects of type \(type.name) are never \(condition)", fragment.position,
                        path)
                    continue
                }
                walk(fragment.selections, type, path, open)
            }
        }
    }

    private mutating func check(_ field: FieldSelection, _ type: APIObject, _ path: [String]) {
        fieldCount += 1
        let here = path + [field.name]
        if fieldCount == Self.fieldLimit {
            report("QueryTooLarge: The document selects more than \(Self.fieldLimit) fields", field.position, here)
            return
        }
        checkDirectives(field.directives, here)
        guard let definition = schema.definition(of: field.name, on: type) else {
            report(
                "FieldUndefined: Field '\(field.name)' in type '\(type.name)' is undefined", field.position, here)
            return
        }
        checkArguments(field, definition, here)
        if let object = schema.object(definition.type.name) {
            guard !field.selections.isEmpty else {
                report(
                    "SubSelectionRequired: Sub selection required for type \(object.name) of field \(field.name)",
                    field.position, here)
                return
            }
            walk(field.selections, object, here, [])
        } else if !field.selections.isEmpty {
            report(
                "SubSelectionNotAllowed: Sub selection not allowed on leaf type \(definition.type) of field \(field.name)",
                field.position, here)
        }
    }

    private mutating func checkArguments(_ field: FieldSelection, _ definition: APIField, _ path: [String]) {
        var names: Set<String> = []
        for argument in field.arguments {
            guard let expected = definition.argument(argument.name) else {
                report("UnknownArgument: Unknown field argument \(argument.name)", argument.position, path)
                continue
            }
            if !names.insert(argument.name).inserted {
                report(
                    "DuplicateArgumentNames: There can be only one argument named '\(argument.name)'",
                    argument.position, path)
            }
            check(argument, expected.type, path)
        }
        for expected in definition.arguments where expected.type.isNonNull && !names.contains(expected.name) {
            report("MissingFieldArgument: Missing field argument \(expected.name)", field.position, path)
        }
    }

    private mutating func check(_ argument: Argument, _ type: TypeShape, _ path: [String]) {
        let variables = argument.value.variableNames
        for (name, position) in variables { noteVariable(name, position, path) }
        if case .variable(let name) = argument.value.kind {
            guard let variable = operation?.variables.first(where: { $0.name == name }) else { return }
            let given = TypeShape(variable.type)
            if !Self.fits(given, type, hasDefault: variable.defaultValue != nil) {
                report(
                    "VariableTypeMismatch: Variable type '\(given)' does not match expected type '\(type)'",
                    argument.position, path)
            }
            return
        }
        guard variables.isEmpty else { return }
        do throws(InputError) {
            let json = try Literal(schema: schema).value(argument.value, type)
            _ = try Coercion(schema: schema, name: argument.name).value(json, type)
        } catch {
            report(
                "WrongType: argument '\(argument.name)' with value '\(argument.value.brief)' is not a valid '\(type)'"
                    + " - \(error.message)", argument.position, path)
        }
    }

    private mutating func noteVariable(_ name: String, _ position: SourcePosition, _ path: [String]) {
        usedVariables.insert(name)
        if operation?.variables.contains(where: { $0.name == name }) != true {
            report("UndefinedVariable: Undefined variable \(name)", position, path)
        }
    }

    private mutating func checkDirectives(_ directives: [Directive], _ path: [String]) {
        for directive in directives {
            guard directive.name == "skip" || directive.name == "include" else {
                report("UnknownDirective: Unknown directive \(directive.name)", directive.position, path)
                continue
            }
            usesConditions = true
            guard let condition = directive["if"] else {
                report("MissingDirectiveArgument: Missing directive argument if", directive.position, path)
                continue
            }
            for (name, position) in condition.variableNames { noteVariable(name, position, path) }
            switch condition.kind {
            case .variable(let name):
                guard let variable = operation?.variables.first(where: { $0.name == name }) else { continue }
                let given = TypeShape(variable.type)
                guard !Self.fits(given, .nonNull(.named("Boolean")), hasDefault: variable.defaultValue != nil) else {
                    continue
                }
                report(
                    "VariableTypeMismatch: Variable type '\(given)' does not match expected type 'Boolean!'",
                    directive.position, path)
            case .boolean: continue
            default:
                report("WrongType: argument 'if' is not a valid 'Boolean!'", directive.position, path)
            }
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

    mutating func report(_ text: String, _ position: SourcePosition, _ path: [String]) {
        guard errors.count < 50 else { return }
        let place = path.isEmpty ? "" : " @ '\(path.joined(separator: "/"))'"
        let locations = position.line > 0 ? [ResponseError.Location(position)] : []
        errors.append(ResponseError("Validation error of type \(text)\(place)", locations: locations))
    }
}

/// Everything that is wrong with a document.
struct ValidationFailure: Error {
    let errors: [ResponseError]
}

extension ValueNode {
    /// A short notation for messages.
    fileprivate var brief: String {
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
