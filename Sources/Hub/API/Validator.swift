import AppSync
import Basics
import GraphQL

/// Checks a document against the API before anything of it runs; messages are graphql-java's, as AppSync sends them.
///
/// Its work is bounded: every selection that is looked at counts, spreads and empty detours among them, and nothing is
/// looked at any more once there are errors enough.
struct Validator {
    /// Errors that one answer tells at most.
    static let errorLimit = 50
    /// How deep selections may nest, fragments in fragments included: what the stack must hold.
    static let nestingLimit = 200

    let schema: HubSchema
    let limits: HubLimits
    let fragments: [String: FragmentDefinition]
    private(set) var errors: [ResponseError] = []
    /// Whether a limit was passed, which is told alone.
    private var isRefused = false
    /// Whether a field or fragment depends on `@skip` or `@include`.
    var usesConditions = false
    /// The variables that these name, by the operation's name.
    private var conditions: [String?: Set<String>] = [:]

    /// The variables of the operation, by name.
    private(set) var variables: [String: VariableDefinition] = [:]
    var usedVariables: Set<String> = []
    /// Those of them that conditions name.
    var usedConditions: Set<String> = []
    private var usedFragments: Set<String> = []
    /// Selections that were looked at.
    private(set) var work = 0
    /// Values of arguments that were looked at, each as often as its field is spread, and their texts.
    private(set) var valueWork = 0
    /// What ``valueWork`` may come to: a document that spreads nothing twice never has more.
    private let valueLimit: Int
    private var nesting = 0
    /// Lists of `__Type` on the way to the current field, each of which may be there once.
    private var openTypeLists: Set<String> = []

    init(_ document: Document, _ schema: HubSchema, _ limits: HubLimits, text: String) {
        self.schema = schema
        self.limits = limits
        valueLimit = limits.documentTokens + text.utf8.count / Self.textShare
        fragments = Dictionary(document.fragments.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Prepares a document, or says everything that is wrong with it.
    static func prepare(
        _ document: Document, _ schema: HubSchema, _ limits: HubLimits = HubLimits(), text: String = ""
    ) -> Result<PreparedDocument, ValidationFailure> {
        var validator = Validator(document, schema, limits, text: text)
        validator.check(document)
        guard validator.errors.isEmpty else { return .failure(ValidationFailure(errors: validator.errors)) }
        let operations = document.operations.map {
            PreparedOperation(
                $0, validator.fragments, schema, usesConditions: validator.usesConditions,
                conditions: validator.conditions[$0.name] ?? [])
        }
        return .success(PreparedDocument(operations, text: text))
    }

    /// Whether nothing more need be looked at.
    private var isFull: Bool { isRefused || errors.count >= Self.errorLimit }

    mutating func check(_ document: Document) {
        let operations = document.operations
        var names: Set<String> = []
        for operation in operations {
            guard let name = operation.name, !names.insert(name).inserted else { continue }
            report("DuplicateOperationName: There can be only one operation named '\(name)'", operation.position, [])
        }
        if operations.count > 1, let anonymous = operations.first(where: { $0.name == nil }) {
            report("LoneAnonymousOperationViolation: Anonymous operation with other operations", anonymous.position, [])
        }
        var fragmentNames: Set<String> = []
        for fragment in document.fragments {
            if !fragmentNames.insert(fragment.name).inserted {
                report(
                    "DuplicateFragmentName: There can be only one fragment named '\(fragment.name)'", fragment.position,
                    [fragment.name])
            }
            switch schema.types[fragment.typeCondition] {
            case nil: report("UnknownType: Unknown type \(fragment.typeCondition)", fragment.position, [fragment.name])
            case .object?: break
            default:
                report(
                    "FragmentTypeConditionInvalid: Fragment type condition is invalid, must be on Object/Interface/Union",
                    fragment.position, [fragment.name])
            }
        }
        for definition in document.operations {
            guard !isFull else { return }
            check(definition)
        }
        guard errors.isEmpty else { return }
        for fragment in document.fragments where !usedFragments.contains(fragment.name) {
            report("UnusedFragment: Unused fragment \(fragment.name)", fragment.position, [fragment.name])
        }
    }

    /// Of a subscription; with conditions on variables it shows only when it starts.
    static let severalRoots = "SubscriptionMultipleRootFields: Subscription operation must have exactly one root field"

    private mutating func check(_ definition: OperationDefinition) {
        guard let root = schema.root(definition.kind) else {
            guard !isFull else { return }
            errors.append(
                ResponseError(
                    "Schema is not configured for \(definition.kind.rawValue)s.",
                    locations: Self.places(definition.position)))
            return
        }
        variables = Dictionary(definition.variables.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        usedVariables = []
        usedConditions = []
        defer { conditions[definition.name] = usedConditions }
        checkVariables(definition)
        checkDirectives(definition.directives, on: definition.kind.rawValue.uppercased(), [])
        walk(definition.selections, root, [], [])
        if definition.kind == .subscription, errors.isEmpty {
            let compiler = SelectionCompiler(schema: schema, fragments: fragments, variables: [:])
            let fields = compiler.compile(definition.selections, on: root).fields
            if fields.count > 1 {
                report(Self.severalRoots, definition.position, [])
            } else if let field = fields.first, case .typename = field.definition.source {
                report(
                    "SubscriptionIntrospectionRootField: Subscription operation root field '__typename' cannot be an "
                        + "introspection field", definition.position, [])
            }
        }
        if errors.isEmpty { checkMerging(definition.selections, root) }
        for variable in definition.variables where !usedVariables.contains(variable.name) {
            report("UnusedVariable: Unused variable \(variable.name)", variable.position, [])
        }
    }

    // MARK: Selections

    private mutating func walk(_ selections: [Selection], _ type: APIObject, _ path: [String], _ open: Set<String>) {
        guard let first = selections.first, !isFull else { return }
        guard path.count < limits.depth, nesting < Self.nestingLimit else {
            return refuse(
                "QueryDepthLimitReached", "The document nests fields deeper than \(limits.depth)", first.position)
        }
        nesting += 1
        defer { nesting -= 1 }
        var spread: Set<String> = []
        for selection in selections {
            work += 1
            guard work <= limits.fields else {
                return refuse(
                    "QueryTooLarge", "The document selects more than \(limits.fields) fields", selection.position)
            }
            guard !isFull else { return }
            switch selection {
            case .field(let field): check(field, type, path)
            case .spread(let fragment):
                checkDirectives(fragment.directives, on: "FRAGMENT_SPREAD", path)
                // What was looked at in this very place says the same again.
                if spread.insert(fragment.name).inserted { check(fragment, type, path, open) }
            case .inline(let fragment):
                checkDirectives(fragment.directives, on: "INLINE_FRAGMENT", path)
                if let condition = fragment.typeCondition, condition != type.name {
                    if schema.types[condition] == nil {
                        report("UnknownType: Unknown type \(condition)", fragment.position, path)
                    } else {
                        report(
                            "InvalidFragmentType: Fragment cannot be spread here as objects of type \(type.name) can "
                                + "never be of type \(condition)", fragment.position, path)
                    }
                    continue
                }
                walk(fragment.selections, type, path, open)
            }
        }
    }

    private mutating func check(_ spread: FragmentSpread, _ type: APIObject, _ path: [String], _ open: Set<String>) {
        usedFragments.insert(spread.name)
        guard let fragment = fragments[spread.name] else {
            report("UndefinedFragment: Undefined fragment \(spread.name)", spread.position, path)
            return
        }
        guard !open.contains(spread.name) else {
            report("FragmentCycle: Fragment cycles not allowed", spread.position, path)
            return
        }
        guard schema.object(fragment.typeCondition) != nil else { return }
        guard fragment.typeCondition == type.name else {
            report(
                "InvalidFragmentType: Fragment \(spread.name) cannot be spread here as objects of type "
                    + "\(type.name) can never be of type \(fragment.typeCondition)", spread.position, path)
            return
        }
        checkDirectives(fragment.directives, on: "FRAGMENT_DEFINITION", path)
        walk(fragment.selections, type, path, open.union([spread.name]))
    }

    private mutating func check(_ field: FieldSelection, _ type: APIObject, _ path: [String]) {
        let here = path + [field.name]
        checkDirectives(field.directives, on: "FIELD", here)
        guard let definition = schema.definition(of: field.name, on: type),
            limits.allowsIntrospection || !isIntrospection(field, type)
        else {
            report(
                "FieldUndefined: Field '\(field.name)' in type '\(type.name)' is undefined", field.position, here)
            return
        }
        checkArguments(field, definition, here)
        guard let object = schema.object(definition.type.name) else {
            if !field.selections.isEmpty {
                report(
                    "SubSelectionNotAllowed: Sub selection not allowed on leaf type \(definition.type) of field "
                        + field.name, field.position, here)
            }
            return
        }
        guard !field.selections.isEmpty else {
            report(
                "SubSelectionRequired: Sub selection required for type \(object.name) of field \(field.name)",
                field.position, here)
            return
        }
        // A list of types within itself multiplies with every level; honest clients ask for each once.
        guard type.name == "__Type", Self.typeLists.contains(field.name) else {
            return walk(field.selections, object, here, [])
        }
        guard openTypeLists.insert(field.name).inserted else {
            return refuse(
                "BadFaithIntrospection",
                "This request is not asking for introspection in good faith - __Type.\(field.name) is present too often!",
                field.position)
        }
        walk(field.selections, object, here, [])
        openTypeLists.remove(field.name)
    }

    private static let typeLists: Set<String> = ["fields", "inputFields", "interfaces", "possibleTypes"]

    private func isIntrospection(_ field: FieldSelection, _ type: APIObject) -> Bool {
        type.name == "Query" && (field.name == "__schema" || field.name == "__type")
    }

    // MARK: Errors

    mutating func report(_ text: String, _ position: SourcePosition, _ path: [String]) {
        guard !isFull else { return }
        let place = path.isEmpty ? "" : " @ '\(path.joined(separator: "/"))'"
        errors.append(ResponseError("Validation error of type \(text)\(place)", locations: Self.places(position)))
    }

    /// Counts a value that is about to be looked at; false where the document has had its share.
    mutating func admits(_ value: ValueNode) -> Bool {
        valueWork += value.weight
        if valueWork > valueLimit {
            refuse(
                "QueryTooLarge", "The document gives more than \(valueLimit) values with its fragments spread out",
                value.position)
        }
        return !isRefused
    }

    /// So many bytes of a text count as one value more.
    static let textShare = 256

    /// A limit was passed: one error for all, and nothing more is looked at.
    private mutating func refuse(_ type: String, _ text: String, _ position: SourcePosition) {
        guard !isFull else { return }
        let error = ResponseError("\(type): \(text)", errorType: type, locations: Self.places(position))
        errors = [error]
        isRefused = true
    }

    private static func places(_ position: SourcePosition) -> [ResponseError.Location] {
        position.line > 0 ? [ResponseError.Location(position)] : []
    }
}

/// Everything that is wrong with a document.
struct ValidationFailure: Error {
    let errors: [ResponseError]
}
