import AppSync
import Basics
import Testing

@testable import Hub

/// Every question that a counter can ask of a hub, made from what it tells him by introspection.
struct CounterAPI {
    struct Question {
        let text: String
        var bincount: JSONValue?
    }

    private(set) var queries: [Question] = []
    private(set) var digests: [Question] = []
    private(set) var mutations: [Question] = []
    private(set) var subscriptions: [String] = []
    /// How many questions there are in the requests.
    private(set) var probes = 0

    private var types: [String: JSONValue] = [:]

    private static let introspection = """
        { __schema { types { name kind enumValues { name }
          fields { name args { name type { ...T } } type { ...T } } inputFields { name type { ...T } } } } }
        fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
        """

    init(_ hub: TokenFixture) throws {
        let answer = hub.send("counter", Self.introspection)
        for type in try #require(answer.result?["types"]?.array) { types[type["name"]?.string ?? ""] = type }
        for field in fields("Query") { addQuery(field) }
        for field in fields("Mutation") { addMutation(field) }
        for field in fields("Subscription") { addSubscriptions(field) }
    }

    // MARK: Types

    private func fields(_ type: String) -> [JSONValue] { types[type]?["fields"]?.array ?? [] }
    private func inputs(_ type: String) -> [JSONValue] { types[type]?["inputFields"]?.array ?? [] }
    private func name(_ json: JSONValue) -> String { json["name"]?.string ?? "" }

    private func typeName(_ json: JSONValue) -> String {
        var type = json["type"] ?? .null
        while let inner = type["ofType"], !inner.isNull { type = inner }
        return type["name"]?.string ?? ""
    }

    private func isRequired(_ json: JSONValue) -> Bool { json["type"]?["kind"]?.string == "NON_NULL" }

    private func isList(_ json: JSONValue) -> Bool {
        let type = json["type"]
        return type?["kind"]?.string == "LIST" || type?["ofType"]?["kind"]?.string == "LIST"
    }

    /// Everything of a type, its relations to a depth.
    private func selection(_ type: String, _ depth: Int = 2) -> String {
        var parts: [String] = []
        for field in fields(type) {
            let inner = typeName(field)
            if types[inner]?["kind"]?.string != "OBJECT" {
                parts.append(name(field))
            } else if name(field) == "items" {
                parts.append("items \(selection(inner, depth))")
            } else if depth > 0 {
                parts.append("\(name(field)) \(selection(inner, depth - 1))")
            }
        }
        return "{ \(parts.joined(separator: " ")) }"
    }

    /// Some values of a type as written in a document.
    private func literals(_ type: String) -> [String] {
        switch type {
        // Between what one warehouse hides and what the other does.
        case "Int": ["74250000"]
        case "Float": ["74250.0", "7425.0"]
        case "Boolean": ["true"]
        case "ID": ["\"h1\"", "\"v1\""]
        case "AWSDateTime": ["\"1993-07-12T00:00:00.000Z\""]
        case "AWSTimestamp": ["0"]
        case "AWSDate": ["\"2026-06-01\""]
        case "AWSJSON": ["\"{}\""]
        // Some text of the first, or some time between the two.
        case "String": ["\"zq1-lot\"", "\"1993-07-12T00:00:00.000Z\""]
        default:
            if let cases = types[type]?["enumValues"]?.array, let first = cases.first, let last = cases.last {
                [name(first), name(last)]
            } else {
                ["\"x\""]
            }
        }
    }

    /// Every condition on every field of a filter's type.
    private func conditions(_ filter: String) -> [String] {
        var result: [String] = []
        for field in inputs(filter) where !["and", "or", "not"].contains(name(field)) {
            for test in inputs(typeName(field)) {
                let isTime = typeName(field) == "ModelStringInput" && name(field).hasSuffix("At")
                var values = literals(typeName(test))
                if typeName(test) == "String" { values = [values[isTime ? 1 : 0]] }
                if typeName(test) == "ID" || typeName(test) == "ModelAttributeTypes" { values = [values[0]] }
                if typeName(test) == "ModelSizeInput" { values = ["{gt: 2}"] }
                if isList(test) { values = ["[\(values[0]), \(values[values.count - 1])]"] }
                result += values.map { "{\(name(field)): {\(name(test)): \($0)}}" }
            }
        }
        return result
    }

    // MARK: Questions

    private mutating func add(_ list: WritableKeyPath<CounterAPI, [Question]>, _ keyword: String, _ parts: [String]) {
        probes += parts.count
        for start in stride(from: 0, to: parts.count, by: 40) {
            let some = parts[start..<min(start + 40, parts.count)]
            let text = some.enumerated().map { "q\($0): \($1)" }.joined(separator: " ")
            self[keyPath: list].append(Question(text: "\(keyword) { \(text) }"))
        }
    }

    private mutating func addQuery(_ field: JSONValue) {
        let (query, type) = (name(field), typeName(field))
        let arguments = field["args"]?.array ?? []
        let required = arguments.filter { isRequired($0) }
        let given = required.map { "\(name($0)): \(literals(typeName($0))[0])" }
        func call(_ more: [String], _ selected: String) -> String {
            let all = given + more
            return "\(query)\(all.isEmpty ? "" : "(\(all.joined(separator: ", ")))") \(selected)"
        }
        let whole = selection(type)
        guard arguments.contains(where: { name($0) == "filter" }) else {
            let ids = ["h1", "v1", "far5", "nothing"].map { "\(query)(id: \"\($0)\") \(whole)" }
            return add(\.queries, "query", required.count == 1 ? ids : [call([], whole)])
        }
        var parts = [call([], whole), call(["limit: 1"], whole)]
        for argument in arguments {
            switch name(argument) {
            case "sortDirection": parts += ["ASC", "DESC"].map { call(["sortDirection: \($0)"], whole) }
            case "lastSync": parts += ["0", "1"].map { call(["lastSync: \($0)"], whole) }
            case "filter":
                let brief = "{ items { __typename } nextToken }"
                let all = conditions(typeName(argument))
                parts += all.map { call(["filter: \($0)"], brief) }
                parts += stride(from: 0, to: all.count, by: 8).map { call(["filter: {not: \(all[$0])}"], brief) }
                parts += stride(from: 0, to: all.count, by: 7).map {
                    call(["limit: 1", "filter: {or: [\(all[$0]), {and: [\(all[0]), {_deleted: {ne: true}}]}]}"], brief)
                }
            default:
                let tests = inputs(typeName(argument))
                // A condition on a key is refused with its own text where that is no time.
                let isTime = name(argument) == "at" || name(argument).hasSuffix("At")
                parts += tests.compactMap { test in
                    let values = literals(typeName(test))
                    guard !isList(test), let value = isTime ? values.last : values.first else { return nil }
                    return call(["\(name(argument)): {\(name(test)): \(value)}"], whole)
                }
            }
        }
        add(\.queries, "query", parts)
        guard arguments.contains(where: { name($0) == "lastSync" }) else { return }
        for digest: DigestRequest in [.compare(RecordDigest(bits: 2)), .fetch(bits: 1, buckets: [0, 1])] {
            probes += 1
            digests.append(
                Question(
                    text: "{ \(query) { items { id } nextToken startedAt } }",
                    bincount: ["digest": .object([query: digest.json])]))
        }
    }

    private mutating func addMutation(_ field: JSONValue) {
        let (mutation, type) = (name(field), typeName(field))
        let arguments = field["args"]?.array ?? []
        guard let input = arguments.first(where: { name($0) == "input" }) else { return }
        let isCreate = mutation.hasPrefix("create")
        func object(_ id: String, _ extra: String = "") -> String {
            var members = ["id: \"\(id)\""]
            for member in inputs(typeName(input)) where isRequired(member) && name(member) != "id" {
                members.append("\(name(member)): \(value(member))")
            }
            if !isCreate { members.append("_version: 1") }
            if !extra.isEmpty { members.append(extra) }
            return "{\(members.joined(separator: ", "))}"
        }
        let brief = "{ id _version }"
        var parts = [
            "\(mutation)(input: \(object("h1"))) \(selection(type, 1))", "\(mutation)(input: \(object("h1"))) \(brief)",
        ]
        // What he may make himself is there or not; of the rest, not even that shows.
        if !isCreate { parts.append("\(mutation)(input: \(object("far5"))) \(brief)") }
        if let condition = arguments.first(where: { name($0) == "condition" }) {
            let all = conditions(typeName(condition))
            parts += stride(from: 0, to: all.count, by: 2).map {
                "\(mutation)(input: \(object("h1")), condition: \(all[$0])) \(brief)"
            }
        }
        if mutation.hasPrefix("update") {
            parts += inputs(typeName(input)).filter { !["id", "_version"].contains(name($0)) }.map {
                "\(mutation)(input: \(object("h1", "\(name($0)): \(value($0))"))) \(brief)"
            }
        }
        add(\.mutations, "mutation", parts)
        for _ in 0..<2 {
            mutations.append(
                Question(
                    text: "mutation { m: \(mutation)(input: \(object("h1"))) \(brief) }",
                    bincount: ["mutationIds": ["m": .string("u" + mutation)], "atomic": [["m"]]]))
        }
    }

    /// What he puts into a record of his own.
    private func value(_ member: JSONValue) -> String {
        switch name(member) {
        case "authorID", "counterID", "fromID": return "\"ann\""
        case "code": return "\"T1\""
        default: break
        }
        if isList(member) { return "[]" }
        switch typeName(member) {
        case "Int", "Float": return "7"
        case "String": return "\"word\""
        case "AWSDateTime": return "\"2026-11-21T09:41:00.000Z\""
        case let type: return literals(type)[0]
        }
    }

    private mutating func addSubscriptions(_ field: JSONValue) {
        let (root, type) = (name(field), typeName(field))
        subscriptions.append("subscription { \(root) \(selection(type, 1)) }")
        for argument in field["args"]?.array ?? [] {
            if name(argument) == "filter" {
                let all = conditions(typeName(argument))
                subscriptions += stride(from: 0, to: all.count, by: 15).map {
                    "subscription { \(root)(filter: \(all[$0])) { id } }"
                }
            } else {
                subscriptions += ["ann", "bob"].map { "subscription { \(root)(\(name(argument)): \"\($0)\") { id } }" }
            }
        }
    }
}
