import AppSync
import Basics
import GraphQL
import Models
import Testing

@testable import Hub

/// Every two rules together on one model, each with operations of its own, and on a field of it a third one: what one
/// gives the other does not take away, and together they give no more than each by itself. What must come out is said by
/// ``RuleOracle``, one rule at a time.
@Suite struct RightsPairTests {
    private struct Rule {
        let oracle: RuleOracle
        let operations: Set<String>

        func gives(_ operation: String, _ who: Identity, _ row: MatrixRow) -> Bool {
            operations.contains(operation) && oracle.allows(who, row, isCreate: operation == "create")
        }
    }

    private struct Case {
        let model: String
        let rules: [Rule]
        let field: Rule

        var text: String { (rules.map(\.oracle.text) + ["field", field.oracle.text]).joined(separator: " ") }

        /// Whether the model's rules give a row, and so all of it but the field.
        func row(_ operation: String, _ who: Identity, _ row: MatrixRow) -> Bool {
            rules.contains { $0.gives(operation, who, row) }
        }

        var sdl: String {
            """
            type \(model) @model @auth(rules: [\(rules.map(\.oracle.text).joined(separator: " "))]) {
              id: ID! owner: String editors: [String] team: String teams: [String] value: Int
              secret: Int @auth(rules: [\(field.oracle.text)])
            }
            """
        }
    }

    private static let reading = ["get", "list", "sync", "listen"]
    private static let everything = ["create", "update", "delete"] + reading
    /// Operations of the first rule and of the second; an empty list stands for all, unwritten.
    private static let operations: [([String], [String])] = [
        ([], []), (["read"], ["create", "update", "delete"]), (["create", "read"], ["update"]),
        (["get", "sync", "update"], ["list", "listen", "delete"]), (["delete"], ["read", "create"]),
    ]
    private static let fieldOperations: [[String]] = [
        [], ["read"], ["update", "list"], ["create", "read"], ["delete", "get", "listen"], [],
    ]

    private static func rule(_ text: String, _ operations: [String], _ namesOIDC: Bool) -> Rule {
        let list = operations.isEmpty ? "" : ", operations: [\(operations.joined(separator: ", "))]"
        let given = operations.isEmpty ? everything : operations.flatMap { $0 == "read" ? reading : [$0] }
        return Rule(
            oracle: RuleOracle(text: text.replacing(" OPS", with: list), schemaNamesOIDC: namesOIDC),
            operations: Set(given))
    }

    /// All pairs; where the schema names OIDC, those that have something to do with it.
    private static func cases(_ namesOIDC: Bool) -> [Case] {
        let texts = RuleOracle.rules + (namesOIDC ? RuleOracle.rulesOfOIDC : [])
        var cases: [Case] = []
        for second in texts.indices {
            if namesOIDC, second < RuleOracle.rules.count { continue }
            for first in 0..<second {
                let number = cases.count
                let (one, other) = operations[number % operations.count]
                cases.append(
                    Case(
                        model: "Thing\(number)X",
                        rules: [rule(texts[first], one, namesOIDC), rule(texts[second], other, namesOIDC)],
                        field: rule(
                            texts[(number * 7 + 3) % texts.count], fieldOperations[number % fieldOperations.count],
                            namesOIDC)))
            }
        }
        return cases
    }

    /// One of those whom the rules see most differently, and one more in turn.
    private static func people(_ item: Case, _ number: Int) -> [Identity] {
        func difference(_ who: Identity) -> Int {
            MatrixRow.all.reduce(0) { sum, row in
                let told = (item.rules + [item.field]).map { $0.oracle.allows(who, row) }
                return sum + (told.contains(true) && told.contains(false) ? 1 : 0)
            }
        }
        let all = Identity.all
        let turned = all.indices.map { all[($0 + number) % all.count] }
        let telling = turned.map { (who: $0, difference: difference($0)) }.sorted { $0.difference > $1.difference }
        let first = telling[0].who
        return [first] + turned.filter { $0.name != first.name }.prefix(1)
    }

    @Test(arguments: [false, true])
    func twoRulesOfAModelAndOneOfItsFieldGiveWhatEachGivesAndNothingElse(_ namesOIDC: Bool) async throws {
        let cases = Self.cases(namesOIDC)
        let hub = try TokenFixture(
            try Schema(sdl: cases.map(\.sdl).joined(separator: "\n")), level: .error)
        for who in Identity.all { hub.admit(who) }
        var count = 0
        var seen: Set<String> = []
        for (number, item) in cases.enumerated() {
            // Tests with sockets run beside this one, on as few threads as there are cores.
            await Task.yield()
            let info = try #require(hub.core.engine.schema.model(item.model))
            for (place, row) in MatrixRow.all.enumerated() {
                try hub.plant(item.model, row.numbered(place, id: row.name))
            }
            let people = Self.people(item, number)
            seen.formUnion(people.map(\.name))
            func check(_ found: Bool, _ expected: Bool, _ what: String, _ row: MatrixRow?, _ who: Identity) {
                count += 1
                #expect(found == expected, "\(item.text): \(what) of row \(row?.name ?? "s") by \(who)")
            }
            for who in people {
                read(hub, item, info, who) { check($0, $1, $2, $3, who) }
                listen(hub, item, info, who) { check($0, $1, $2, $3, who) }
            }
            for (turn, who) in people.enumerated() {
                try write(hub, item, info, who, turn) { check($0, $1, $2, $3, who) }
            }
        }
        print("rights: \(count) decisions of \(cases.count) pairs")
        #expect(count > 10_000 && seen.count == Identity.all.count)
    }

    private typealias Check = (_ found: Bool, _ expected: Bool, _ what: String, _ row: MatrixRow?) -> Void

    private func read(_ hub: TokenFixture, _ item: Case, _ info: ModelInfo, _ who: Identity, _ check: Check) {
        let (get, list, sync) = (
            info.schema.operationName(.get), info.schema.operationName(.list), info.schema.operationName(.sync)
        )
        let roots = MatrixRow.all.map { "\($0.name): \(get)(id: \"\($0.name)\") { value secret } " }.joined()
        let answer = hub.send(
            who.token,
            "{ \(roots) list: \(list) { items { value secret } } sync: \(sync) { items { value secret } } }")
        for (place, row) in MatrixRow.all.enumerated() {
            let got = answer["data"]?[row.name]
            let (value, secret) = (item.row("get", who, row), item.field.gives("get", who, row))
            check(got?["value"] == .integer(MatrixRow.value(place)), value, "get", row)
            check(got?["secret"] == .integer(MatrixRow.secret(place)), secret, "get of the field", row)
            check(got?.object != nil, value || secret, "get of anything", row)
        }
        for operation in ["list", "sync"] {
            let items = answer["data"]?[operation]?["items"]?.array ?? []
            checkItems(items, operation, item, who, check)
        }
    }

    private func listen(_ hub: TokenFixture, _ item: Case, _ info: ModelInfo, _ who: Identity, _ check: Check) {
        hub.listen(1, who.token, info, "value secret")
        let rows = MatrixRow.all.enumerated().map { place, row in row.numbered(place, id: row.name) }
        hub.perform(hub.registry.publish(info.changes(rows)))
        let told = hub.told(1)
        hub.registry.closed(1)
        for root in info.subscriptions {
            checkItems(told[root.name] ?? [], "listen", item, who) { check($0, $1, "\($2) to \(root.name)", $3) }
        }
    }

    private func checkItems(
        _ items: [JSONValue], _ operation: String, _ item: Case, _ who: Identity, _ check: Check
    ) {
        var visible = 0
        for (place, row) in MatrixRow.all.enumerated() {
            let (value, secret) = (item.row(operation, who, row), item.field.gives(operation, who, row))
            check(items.contains { $0["value"] == .integer(MatrixRow.value(place)) }, value, operation, row)
            check(
                items.contains { $0["secret"] == .integer(MatrixRow.secret(place)) }, secret,
                "\(operation) of the field",
                row)
            if value || secret { visible += 1 }
        }
        check(items.count == visible, true, "\(operation) of \(items.count) rows instead of \(visible)", nil)
    }

    private func write(
        _ hub: TokenFixture, _ item: Case, _ info: ModelInfo, _ who: Identity, _ turn: Int, _ check: Check
    ) throws {
        let (create, update, delete) = (
            info.schema.operationName(.create), info.schema.operationName(.update), info.schema.operationName(.delete)
        )
        var text = "mutation { "
        for (place, row) in MatrixRow.all.enumerated() {
            for kind in ["u", "w", "x", "d"] {
                try hub.plant(item.model, row.numbered(place, id: "\(kind)\(row.name)\(turn)"))
            }
            func input(_ kind: String, _ rest: String) -> String {
                "\(kind)\(row.name): \(kind == "c" || kind == "s" ? create : kind == "d" ? delete : update)"
                    + "(input: {id: \"\(kind)\(row.name)\(turn)\"\(rest)}) { id } "
            }
            text += input("c", row.input) + input("u", ", value: 5, _version: 1")
            text += input("w", ", secret: 5, _version: 1") + input("x", ", value: 5, secret: 5, _version: 1")
            text += input("d", ", _version: 1")
            // Who would be filled in is another question than who may write the field.
            if row.owner != nil { text += input("s", row.input + ", secret: 5") }
        }
        let written = hub.send(who.token, text + "}")
        for row in MatrixRow.all {
            func isDone(_ kind: String) -> Bool { written["data"]?[kind + row.name]?.isNull == false }
            let (model, field) = (
                { item.row($0, who, row) } as (String) -> Bool, { item.field.gives($0, who, row) } as (String) -> Bool
            )
            check(isDone("c"), model("create"), "create", row)
            check(isDone("u"), model("update"), "update", row)
            check(isDone("w"), field("update"), "update of the field", row)
            check(isDone("x"), model("update") && field("update"), "update of both", row)
            check(isDone("d"), model("delete") && field("delete"), "delete", row)
            if row.owner != nil { check(isDone("s"), model("create") && field("create"), "create with the field", row) }
        }
        let kinds = (written["errors"]?.array ?? []).compactMap { $0["errorType"]?.string }
        #expect(kinds.allSatisfy { $0 == ErrorType.unauthorized }, "\(item.text) \(who)")
    }
}

extension MatrixRow {
    /// What tells the rows apart where only one of their fields is asked for.
    fileprivate static func value(_ place: Int) -> Int64 { Int64(100 + place) }
    fileprivate static func secret(_ place: Int) -> Int64 { Int64(4711 + place) }

    fileprivate func numbered(_ place: Int, id: String) -> [String: Value] {
        var stored = stored(id: id, secret: Self.secret(place))
        stored["value"] = .integer(Self.value(place))
        return stored
    }
}
