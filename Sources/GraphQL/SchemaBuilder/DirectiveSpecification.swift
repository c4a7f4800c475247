import Models

/// What a directive of the model language takes and where it may stand.
struct DirectiveSpecification {
    enum Place {
        case model, field, modelOrField
    }

    enum ArgumentKind {
        case string, int, strings, object, rules, projection
        case oneOf([String])
    }

    let place: Place
    var isRepeatable = false
    let arguments: [String: ArgumentKind]
    var required: [String] = []
    /// What it comes to, of one that means nothing here.
    var remark: String?

    static let all = meant.merging(ignored) { meant, _ in meant }

    private static let meant: [String: DirectiveSpecification] = [
        "model": .init(
            place: .model,
            arguments: ["timestamps": .object, "queries": .object, "mutations": .object, "subscriptions": .object]),
        "auth": .init(place: .modelOrField, arguments: ["rules": .rules], required: ["rules"]),
        "sync": .init(
            place: .model, arguments: ["policy": .oneOf(SyncPolicy.allCases.map(\.rawValue))], required: ["policy"]),
        "conflict": .init(
            place: .model, arguments: ["strategy": .oneOf(ConflictStrategy.allCases.map(\.rawValue))],
            required: ["strategy"]),
        "primaryKey": .init(place: .field, arguments: ["sortKeyFields": .strings]),
        "index": .init(
            place: .field, isRepeatable: true,
            arguments: [
                "name": .string, "sortKeyFields": .strings, "queryField": .string, "projection": .projection,
            ]),
        "hasMany": .init(
            place: .field,
            arguments: ["indexName": .string, "fields": .strings, "references": .strings, "limit": .int]),
        "hasOne": .init(place: .field, arguments: ["fields": .strings, "references": .strings]),
        // `overrideIndexName` names the index in DynamoDB, which is nowhere seen in the API.
        "belongsTo": .init(
            place: .field, arguments: ["fields": .strings, "references": .strings, "overrideIndexName": .string]),
        "default": .init(place: .field, arguments: ["value": .string], required: ["value"]),
        "decimal": .init(place: .field, arguments: ["places": .int], required: ["places"]),
        "counter": .init(place: .field, arguments: [:]),
        "set": .init(place: .field, arguments: [:]),
        "deprecated": .init(place: .field, arguments: ["reason": .string]),
    ]

    static let relations = ["hasMany", "hasOne", "belongsTo"]
}

extension SchemaBuilder {
    /// Checks names, places, repetition and arguments of directives.
    mutating func check(_ directives: [Directive], at place: DirectiveSpecification.Place) {
        var seen: Set<String> = []
        for directive in directives {
            guard let specification = DirectiveSpecification.all[directive.name] else {
                let reason = DirectiveSpecification.refused[directive.name]
                mistake(
                    directive.position,
                    reason.map { "@\(directive.name) is not possible: \($0)" } ?? "unknown directive @\(directive.name)"
                )
                continue
            }
            guard specification.place == place || specification.place == .modelOrField else {
                mistake(
                    directive.position,
                    "@\(directive.name) belongs on a \(specification.place == .model ? "@model type" : "model's field")"
                )
                continue
            }
            if !seen.insert(directive.name).inserted, !specification.isRepeatable {
                mistake(directive.position, "@\(directive.name) stands here twice")
            }
            checkArguments(of: directive, specification)
            if let text = specification.remark { remark(directive.position, "@\(directive.name) \(text)") }
        }
    }

    private mutating func checkArguments(of directive: Directive, _ specification: DirectiveSpecification) {
        var seen: Set<String> = []
        for argument in directive.arguments {
            guard let kind = specification.arguments[argument.name] else {
                mistake(argument.position, "@\(directive.name) has no argument \(argument.name)")
                continue
            }
            if !seen.insert(argument.name).inserted {
                mistake(argument.position, "argument \(argument.name) is given twice")
            }
            // An explicit null is the same as nothing, where nothing is possible.
            if argument.value.kind == .null, !specification.required.contains(argument.name) { continue }
            check(argument, of: directive, kind)
        }
        for name in specification.required where !seen.contains(name) {
            mistake(directive.position, "@\(directive.name) needs the argument \(name)")
        }
    }

    private mutating func check(
        _ argument: Argument, of directive: Directive, _ kind: DirectiveSpecification.ArgumentKind
    ) {
        let value = argument.value
        let wanted: String
        switch (kind, value.kind) {
        case (.string, .string), (.int, .int), (.rules, .list), (.object, .object), (.strings, .string): return
        case (.projection, .object): return checkProjection(value)
        case (.strings, .list) where value.strings != nil: return
        case (.oneOf(let names), .enumeration(let name)):
            if names.contains(name) { return }
            wanted = "one of \(names.joined(separator: ", "))"
        case (.oneOf(let names), _): wanted = "one of \(names.joined(separator: ", "))"
        case (.string, _): wanted = "a string"
        case (.int, _): wanted = "an integer"
        case (.strings, _): wanted = "a list of strings"
        case (.object, _): wanted = "an object"
        case (.rules, _): wanted = "a list of rules"
        case (.projection, _): wanted = "an object: { type: ALL }"
        }
        mistake(value.position, "@\(directive.name)(\(argument.name):) takes \(wanted)")
    }

    /// DynamoDB copies what an index projects; here an index leads to the record, so that it always has everything.
    private mutating func checkProjection(_ value: ValueNode) {
        var type = "ALL"
        for member in value.object ?? [] {
            switch (member.name, member.value.kind) {
            case ("type", .enumeration(let name)) where ["ALL", "KEYS_ONLY", "INCLUDE"].contains(name): type = name
            case ("type", _): mistake(member.value.position, "a projection's type is one of ALL, KEYS_ONLY, INCLUDE")
            case ("nonKeyAttributes", _):
                if member.value.strings == nil {
                    mistake(member.value.position, "nonKeyAttributes is a list of fields' names")
                }
            default: mistake(member.position, "a projection has type and nonKeyAttributes only")
            }
        }
        guard type != "ALL" else { return }
        remark(value.position, "@index(projection:) leaves nothing out here: what its query finds is the whole record")
    }
}

extension Directive {
    /// Where it may stand; nil for one that is not known.
    var place: DirectiveSpecification.Place? { DirectiveSpecification.all[name]?.place }

    /// Whether it is known and means something.
    var isMeant: Bool { DirectiveSpecification.all[name].map { $0.remark == nil } ?? false }
}

extension ValueNode {
    /// The texts of a list of strings, or of one string.
    var strings: [String]? {
        if let string { return [string] }
        guard let list else { return nil }
        let texts = list.compactMap(\.string)
        return texts.count == list.count ? texts : nil
    }

    /// The value of an integer.
    var int: Int? { if case .int(let digits) = kind { Int(digits) } else { nil } }
}
