import AppSync
import Basics
import GraphQL
import Models
import Testing

@testable import Hub

/// Every rule, for every operation, with every kind of caller and row, on all four paths: query, mutation, sync and
/// delivered event. What must come out is said by ``RuleOracle``.
@Suite struct RightsMatrixTests {
    private struct Case {
        let model: String
        let oracle: RuleOracle
        let operations: Set<String>
        /// Rarer operations are asked by fewer callers.
        let isBrief: Bool
    }

    private static let operations: [[String]] = [
        ["create", "update", "delete", "get", "list", "sync", "listen"], ["read"], ["create"], ["update"], ["delete"],
        ["get"], ["list"], ["sync"], ["listen"],
    ]

    private static func cases(_ namesOIDC: Bool) -> [Case] {
        var cases: [Case] = []
        for rule in RuleOracle.rules + (namesOIDC ? RuleOracle.rulesOfOIDC : []) {
            for (number, operations) in Self.operations.enumerated() {
                let list = number == 0 ? "" : ", operations: [\(operations.joined(separator: ", "))]"
                let text = rule.replacing(" OPS", with: list)
                let given = operations == ["read"] ? ["get", "list", "sync", "listen"] : operations
                cases.append(
                    Case(
                        model: "Thing\(cases.count)X", oracle: RuleOracle(text: text, schemaNamesOIDC: namesOIDC),
                        operations: Set(given), isBrief: number > 1))
            }
        }
        return cases
    }

    private func people(_ item: Case) -> [Identity] {
        item.isBrief ? [Identity.all[2], Identity.all[6]] : Identity.all
    }

    private func fixture(_ sdl: String) throws -> TokenFixture {
        let fixture = try TokenFixture(try Schema(sdl: sdl), level: .error)
        for who in Identity.all { fixture.admit(who) }
        return fixture
    }

    @Test(arguments: [false, true])
    func everyRuleAllowsWhatItSaysAndNothingElse(_ namesOIDC: Bool) async throws {
        let cases = Self.cases(namesOIDC)
        let hub = try fixture(
            cases.map { item in
                """
                type \(item.model) @model @auth(rules: [\(item.oracle.text)]) {
                  id: ID! owner: String editors: [String] team: String teams: [String] value: Int
                }
                """
            }.joined(separator: "\n"))
        var count = 0
        func check(_ allowed: Bool, _ operation: String, _ item: Case, _ who: Identity, _ row: MatrixRow) {
            count += 1
            let expected =
                item.operations.contains(operation)
                && item.oracle.allows(who, row, isCreate: operation == "create")
            #expect(allowed == expected, "\(item.oracle.text): \(operation) of row \(row.name) by \(who)")
        }
        for item in cases {
            // Tests with sockets run beside this one, on as few threads as there are cores.
            await Task.yield()
            let info = try #require(hub.core.engine.schema.model(item.model))
            let names = Names(info)
            for row in MatrixRow.all { try hub.plant(item.model, row.stored(id: row.name)) }
            for who in people(item) {
                let read = hub.send(who.token, names.reading)
                for row in MatrixRow.all {
                    check(read["data"]?[row.name]?.isNull == false, "get", item, who, row)
                    for operation in ["list", "sync"] {
                        let items = read["data"]?[operation]?["items"]?.array ?? []
                        check(items.contains(["id": .string(row.name)]), operation, item, who, row)
                    }
                }
            }
            checkEvents(hub, info, item, people(item)) { found, expected, what, who, row in
                count += 1
                #expect(found == expected, "\(item.oracle.text): \(what), row \(row.name), by \(who)")
            }
            for (number, who) in people(item).enumerated() {
                for row in MatrixRow.all {
                    for kind in ["u", "d"] { try hub.plant(item.model, row.stored(id: "\(kind)\(row.name)\(number)")) }
                }
                let written = hub.send(who.token, names.writing(number))
                for row in MatrixRow.all {
                    for (alias, operation) in [("c", "create"), ("u", "update"), ("d", "delete")] {
                        let isDone = written["data"]?[alias + row.name]?.isNull == false
                        check(isDone, operation, item, who, row)
                    }
                }
                let kinds = (written["errors"]?.array ?? []).compactMap { $0["errorType"]?.string }
                #expect(kinds.allSatisfy { $0 == ErrorType.unauthorized }, "\(item.oracle.text) \(who)")
            }
        }
        print("rights: \(count) decisions of \(cases.count) rules")
        #expect(count > 10_000)
    }

    /// Publishes each row as one that is made, changed and deleted, and says who was told of it. Then each is handed to
    /// nobody: whoever saw it and does not see it now is told that it is gone.
    private func checkEvents(
        _ hub: TokenFixture, _ info: ModelInfo, _ item: Case, _ people: [Identity],
        _ check: (Bool, Bool, String, Identity, MatrixRow) -> Void
    ) {
        func hears(_ who: Identity, _ row: MatrixRow) -> Bool {
            item.operations.contains("listen") && item.oracle.allows(who, row)
        }
        for (number, who) in people.enumerated() { hub.listen(UInt64(number), who.token, info, "id _deleted") }
        hub.perform(hub.registry.publish(info.changes(MatrixRow.all.map { $0.stored(id: $0.name) })))
        let update = info.subscriptions[CommittedChange.Kind.update.position].name
        for (number, who) in people.enumerated() {
            let told = hub.told(UInt64(number))
            for kind in CommittedChange.Kind.all {
                let rows = told[info.subscriptions[kind.position].name] ?? []
                for row in MatrixRow.all {
                    let found = rows.first { $0["id"]?.string == row.name }
                    check(found != nil, hears(who, row), "event of \(kind)", who, row)
                    if let found { #expect((found["_deleted"] == true) == (kind == .delete)) }
                }
            }
        }
        let nobody = MatrixRow(name: "nobody")
        let handed = MatrixRow.all.map { row in
            info.change(.update, nobody.stored(id: row.name), before: row.stored(id: row.name))
        }
        hub.perform(hub.registry.publish(handed))
        for (number, who) in people.enumerated() {
            let told = hub.told(UInt64(number))[update] ?? []
            for row in MatrixRow.all {
                let found = told.first { $0["id"]?.string == row.name }
                check(found != nil, hears(who, row) || hears(who, nobody), "event of a departure", who, row)
                if let found { #expect((found["_deleted"] == true) == !hears(who, nobody)) }
            }
            hub.registry.closed(UInt64(number))
        }
    }

    /// The requests of one model, the same for everybody.
    private struct Names {
        let info: ModelInfo
        let reading: String

        init(_ info: ModelInfo) {
            self.info = info
            let schema = info.schema
            let get = schema.operationName(.get)
            reading =
                "{ " + MatrixRow.all.map { "\($0.name): \(get)(id: \"\($0.name)\") { id } " }.joined()
                + "list: \(schema.operationName(.list)) { items { id } } "
                + "sync: \(schema.operationName(.sync)) { items { id } } }"
        }

        func writing(_ number: Int) -> String {
            let schema = info.schema
            var text = "mutation { "
            for row in MatrixRow.all {
                let (create, update, delete) = (
                    schema.operationName(.create), schema.operationName(.update), schema.operationName(.delete)
                )
                let name = "\(row.name)\(number)"
                text += "c\(row.name): \(create)(input: {id: \"c\(name)\"\(row.input)}) { id } "
                text += "u\(row.name): \(update)(input: {id: \"u\(name)\", value: 2, _version: 1}) { id } "
                text += "d\(row.name): \(delete)(input: {id: \"d\(name)\", _version: 1}) { id } "
            }
            return text + "}"
        }
    }

    // MARK: Fields

    @Test(arguments: [false, true])
    func everyRuleOfAFieldHidesItFromAllOthers(_ namesOIDC: Bool) async throws {
        let everybody =
            "{ allow: public } { allow: private } { allow: custom }"
            + (namesOIDC ? " { allow: private, provider: oidc }" : "")
        var cases: [Case] = []
        for rule in RuleOracle.rules + (namesOIDC ? RuleOracle.rulesOfOIDC : []) {
            for (list, operations) in [
                ("", ["create", "update", "get", "list", "sync", "listen"]),
                (", operations: [read]", ["get", "list", "sync", "listen"]), (", operations: [update]", ["update"]),
            ] {
                let text = rule.replacing(" OPS", with: list)
                cases.append(
                    Case(
                        model: "Thing\(cases.count)X", oracle: RuleOracle(text: text, schemaNamesOIDC: namesOIDC),
                        operations: Set(operations), isBrief: list != ""))
            }
        }
        let hub = try fixture(
            cases.map { item in
                """
                type \(item.model) @model @auth(rules: [\(everybody)]) {
                  id: ID! owner: String editors: [String] team: String teams: [String] value: Int
                  secret: Int @auth(rules: [\(item.oracle.text)])
                }
                """
            }.joined(separator: "\n"))
        var count = 0
        for item in cases {
            // Tests with sockets run beside this one, on as few threads as there are cores.
            await Task.yield()
            let info = try #require(hub.core.engine.schema.model(item.model))
            for row in MatrixRow.all { try hub.plant(item.model, row.stored(id: row.name, secret: 4711)) }
            for (number, who) in people(item).enumerated() {
                func check(_ seen: Bool, _ operation: String, _ what: String, _ row: MatrixRow) {
                    count += 1
                    let expected = item.operations.contains(operation) && item.oracle.allows(who, row)
                    #expect(seen == expected, "\(item.oracle.text): \(what) of row \(row.name) by \(who)")
                }
                try checkFieldReading(hub, info, who, check)
                checkFieldEvents(hub, info, who, check)
                try checkFieldWriting(hub, info, who, number, check)
            }
        }
        print("rights: \(count) decisions of \(cases.count) rules of fields")
        #expect(count > 5_000)
    }

    private func checkFieldReading(
        _ hub: TokenFixture, _ info: ModelInfo, _ who: Identity, _ check: (Bool, String, String, MatrixRow) -> Void
    ) throws {
        let names = Names(info)
        let all = hub.send(who.token, names.reading.replacing("{ id }", with: "{ id secret }"))
        let list = info.schema.operationName(.list)
        let sync = info.schema.operationName(.sync)
        let found = hub.send(
            who.token,
            """
            { list: \(list)(filter: {secret: {eq: 4711}}) { items { id } } not: \(list)(filter: {secret: {ne: 4711}}) { items { id } }
            sync: \(sync)(filter: {or: [{value: {eq: 99}}, {not: {secret: {attributeExists: false}}}]}) { items { id } } }
            """)
        for row in MatrixRow.all {
            let got = all["data"]?[row.name]
            check(got?["secret"] == 4711, "get", "get", row)
            let denied = (all["errors"]?.array ?? []).contains {
                $0["path"] == [.string(row.name), "secret"] && $0["errorType"]?.string == ErrorType.unauthorized
            }
            check(got?["secret"] == .null ? !denied : true, "get", "the error of get", row)
            for operation in ["list", "sync"] {
                let item = all["data"]?[operation]?["items"]?.array?.first { $0["id"]?.string == row.name }
                check(item?["secret"] == 4711, operation, operation, row)
                let matches = found["data"]?[operation]?["items"]?.array ?? []
                check(matches.contains { $0["id"]?.string == row.name }, operation, "a filter of \(operation)", row)
            }
            // Whoever cannot read it finds it missing, whatever it holds: the filter tells no more than that.
            let others = found["data"]?["not"]?["items"]?.array ?? []
            if !others.isEmpty {
                check(!others.contains { $0["id"]?.string == row.name }, "list", "a filter's reverse", row)
            }
        }
    }

    private func checkFieldEvents(
        _ hub: TokenFixture, _ info: ModelInfo, _ who: Identity, _ check: (Bool, String, String, MatrixRow) -> Void
    ) {
        hub.listen(1, who.token, info, "id secret")
        hub.listen(1, who.token, info, "id", suffix: "?", arguments: "(filter: {secret: {eq: 4711}})")
        hub.perform(hub.registry.publish(info.changes(MatrixRow.all.map { $0.stored(id: $0.name, secret: 4711) })))
        let told = hub.told(1)
        hub.registry.closed(1)
        for kind in CommittedChange.Kind.all {
            let name = info.subscriptions[kind.position].name
            for row in MatrixRow.all {
                let found = told[name]?.first { $0["id"]?.string == row.name }
                #expect(found != nil, "the row itself is for everybody")
                check(found?["secret"] == 4711, "listen", "an event of \(kind)", row)
                let matching = told[name + "?"] ?? []
                check(matching.contains { $0["id"]?.string == row.name }, "listen", "a filter of \(kind)", row)
            }
        }
    }

    private func checkFieldWriting(
        _ hub: TokenFixture, _ info: ModelInfo, _ who: Identity, _ number: Int,
        _ check: (Bool, String, String, MatrixRow) -> Void
    ) throws {
        let update = info.schema.operationName(.update)
        var text = "mutation { "
        for row in MatrixRow.all {
            for kind in ["u", "k"] {
                try hub.plant(info.schema.name, row.stored(id: "\(kind)\(row.name)\(number)", secret: 4711))
            }
            let name = "\(row.name)\(number)"
            text += "u\(row.name): \(update)(input: {id: \"u\(name)\", secret: 5, _version: 1}) { id secret } "
            text +=
                "k\(row.name): \(update)(input: {id: \"k\(name)\", value: 5, _version: 1}, "
                + "condition: {secret: {eq: 4711}}) { id secret } "
        }
        let written = hub.send(who.token, text + "}")
        for row in MatrixRow.all {
            check(written["data"]?["u" + row.name]?.isNull == false, "update", "an update", row)
            check(written["data"]?["k" + row.name]?.isNull == false, "get", "a condition", row)
            for (kind, value) in [("u", 5), ("k", 4711)] as [(String, JSONValue)] {
                guard let told = written["data"]?[kind + row.name], !told.isNull else { continue }
                check(told["secret"] == value, "get", "the answer of an update", row)
            }
        }
    }
}

extension MatrixRow {
    /// The row as the hub stores it.
    func stored(id: String, secret: Int64? = nil) -> [String: Value] {
        func list(_ names: [String]?) -> Value {
            names.map { .text(JSONValue.array($0.map { .string($0) }).text) } ?? .null
        }
        return [
            "id": .text(id), "owner": owner.map { .text($0) } ?? .null, "editors": list(editors),
            "team": team.map { .text($0) } ?? .null, "teams": list(teams), "value": .integer(1),
            "secret": secret.map { .integer($0) } ?? .null,
        ]
    }

    /// The rest of a create's input, as written in a document.
    var input: String {
        func list(_ names: [String]) -> String { "[\(names.map { "\"\($0)\"" }.joined(separator: ", "))]" }
        var text = ""
        if let owner { text += ", owner: \"\(owner)\"" }
        if let editors { text += ", editors: \(list(editors))" }
        if let team { text += ", team: \"\(team)\"" }
        if let teams { text += ", teams: \(list(teams))" }
        return text
    }
}

extension TokenFixture {
    /// Lets somebody of the matrix in, under his name.
    func admit(_ who: Identity) {
        var claims = who.claims.mapValues { JSONValue.string($0) }
        for (name, list) in who.lists { claims[name] = .array(list.map { .string($0) }) }
        admit(
            who.token, who.provider, person: who.person, device: who.device, groups: who.groups, claims: claims)
    }
}
