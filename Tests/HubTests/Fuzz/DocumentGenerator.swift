import Basics
import GraphQL
import Models

@testable import Hub

/// Makes documents that are valid against an API, at random: every kind of root, argument, value, fragment and directive.
struct DocumentGenerator {
    let schema: HubSchema
    var random: SplitMix64
    private var variables: [(name: String, type: TypeShape, value: JSONValue)] = []
    private var fragments: [String] = []
    private var aliases = 0

    init(_ schema: HubSchema, seed: UInt64) {
        self.schema = schema
        random = SplitMix64(seed: seed)
    }

    mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func pick<T>(_ list: [T]) -> T { list[below(list.count)] }

    /// A document with values for its variables.
    mutating func document(_ kind: String) -> (text: String, variables: JSONObject) {
        variables = []
        fragments = []
        aliases = 0
        let fields = OperationKind(rawValue: kind).flatMap { schema.root($0) }?.fields ?? []
        var keys: Set<String> = []
        let count = kind == "subscription" ? 1 : 1 + below(3)
        var selections: [String] = []
        for _ in 0..<count {
            let field = pick(fields)
            selections.append(self.field(field, depth: 0, &keys, plain: kind == "subscription"))
        }
        let list = variables.map { "$\($0.name): \($0.type)" }.joined(separator: " ")
        let head = "\(kind) Q\(below(9))\(list.isEmpty ? "" : "(\(list))") { \(selections.joined(separator: " ")) }"
        let text =
            chance(50) ? ([head] + fragments).joined(separator: "\n") : (fragments + [head]).joined(separator: " ")
        return (text, JSONObject(variables.map { (key: $0.name, value: $0.value) }))
    }

    private mutating func selectionSet(of type: APIObject, depth: Int) -> String {
        var keys: Set<String> = []
        var parts: [String] = []
        for _ in 0...below(4) {
            let field = pick(type.fields)
            let isLeaf = schema.object(field.type.name) == nil
            guard isLeaf || depth < 4 else { continue }
            parts.append(wrapped(self.field(field, depth: depth, &keys), type))
        }
        if parts.isEmpty || chance(20) { parts.append("t\(aliases): __typename"); aliases += 1 }
        return "{ \(parts.joined(separator: " ")) }"
    }

    /// A selection as it is, or in a fragment.
    private mutating func wrapped(_ selection: String, _ type: APIObject) -> String {
        switch below(10) {
        case 0: return "... { \(selection) }"
        case 1: return "... on \(type.name)\(directives()) { \(selection) }"
        case 2:
            let name = "F\(fragments.count)"
            fragments.append("fragment \(name) on \(type.name) { \(selection) }")
            return "...\(name)\(directives())"
        default: return selection
        }
    }

    private mutating func directives() -> String {
        switch below(8) {
        case 0: return " @include(if: \(chance(70)))"
        case 1: return " @skip(if: \(variable(.nonNull(.named("Boolean")), .bool(chance(30)))))"
        default: return ""
        }
    }

    private mutating func field(_ field: APIField, depth: Int, _ keys: inout Set<String>, plain: Bool = false) -> String
    {
        var text = field.name
        if !keys.insert(field.name).inserted || (chance(20) && !plain) {
            text = "a\(aliases): \(field.name)"
            aliases += 1
        }
        var arguments: [String] = []
        for argument in field.arguments where argument.type.isNonNull || chance(30) {
            let json = value(argument.type, depth: 0)
            // Null stands where anything may be missing.
            if json.isNull, argument.type.isNonNull { continue }
            let written = chance(50) ? variable(argument.type, json) : literal(json, argument.type)
            arguments.append("\(argument.name): \(written)")
        }
        if !arguments.isEmpty { text += "(\(arguments.joined(separator: chance(50) ? ", " : " ")))" }
        if !plain { text += directives() }
        if let object = schema.object(field.type.name) { text += " " + selectionSet(of: object, depth: depth + 1) }
        return text
    }

    private mutating func variable(_ type: TypeShape, _ value: JSONValue) -> String {
        let name = "v\(variables.count)"
        variables.append((name, type, value))
        return "$\(name)"
    }

    // MARK: Values

    private mutating func value(_ type: TypeShape, depth: Int) -> JSONValue {
        switch type {
        case .nonNull(let inner):
            while true {
                let json = value(inner, depth: depth)
                if !json.isNull { return json }
            }
        case .list(let element): return .array((0..<below(3)).map { _ in value(element, depth: depth + 1) })
        case .named(let name):
            if chance(5) { return .null }
            switch schema.types[name] {
            case .enumeration(_, let cases)?: return .string(pick(cases))
            case .input(let input)?:
                var members: [(key: String, value: JSONValue)] = []
                for field in input.fields where field.type.isNonNull || (depth < 3 && chance(25)) {
                    members.append((field.name, value(field.type, depth: depth + 1)))
                }
                return .object(JSONObject(members))
            default: return scalar(name)
            }
        }
    }

    private mutating func scalar(_ name: String) -> JSONValue {
        switch name {
        case "Int": return .integer(Int64(below(7)) - 1)
        case "AWSTimestamp": return .integer(Int64(below(5)) * 1_000_000_000)
        case "Float": return pick([.integer(2), .number("1.5"), .number("-0.125")])
        case "Boolean": return .bool(chance(50))
        case "AWSDate": return pick(["2026-11-21", "2024-02-29Z"])
        case "AWSTime": return pick(["09:41:00", "23:59:59.999Z"])
        case "AWSDateTime": return pick(["2026-11-21T09:41:00.000Z", "2026-11-21T09:41:00+02:00"])
        case "AWSEmail": return "a@b.example"
        case "AWSJSON": return pick(["{}", "[1,null]", "\"x\""])
        case "AWSPhone": return "+442079460958"
        case "AWSURL": return "https://a.example/b"
        case "AWSIPAddress": return pick(["::1", "10.0.0.1/8"])
        default: return pick(["a", "b", "", "\"quoted\"\n", "é😀", "id-1"])
        }
    }

    /// A value as GraphQL writes it where `type` belongs.
    private mutating func literal(_ json: JSONValue, _ type: TypeShape) -> String {
        switch json {
        case .array(let elements):
            guard case .list(let element) = type.nullable else { return "[]" }
            return "[" + elements.map { literal($0, element) }.joined(separator: " ") + "]"
        case .object(let object):
            guard let input = schema.input(type.nullable.name) else { return "{}" }
            let members = object.members.map { member -> String in
                let type = input.field(member.key)?.type ?? .named("String")
                let isPlain = !member.value.isNull && chance(10)
                return "\(member.key): \(isPlain ? variable(type, member.value) : literal(member.value, type))"
            }
            return "{" + members.joined(separator: ", ") + "}"
        case .string(let text):
            if case .enumeration? = schema.types[type.name] { return text }
            return JSONValue.string(text).text
        default: return json.text
        }
    }
}
