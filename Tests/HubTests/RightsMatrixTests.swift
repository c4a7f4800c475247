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
            try checkEvents(hub, info, names, people(item)) { check($0, "listen", item, $1, $2) }
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

    /// Publishes each row as a new one and says who was told of it.
    private func checkEvents(
        _ hub: TokenFixture, _ info: ModelInfo, _ names: Names, _ people: [Identity],
        _ check: (Bool, Identity, MatrixRow) -> Void
    ) throws {
        for (number, who) in people.enumerated() {
            hub.connect(UInt64(number), who.token)
            hub.start(UInt64(number), "s", who.token, names.subscribing)
            _ = hub.take(UInt64(number))
        }
        let changes = MatrixRow.all.map { row in
            let stored = row.stored(id: row.name)
            let values = info.schema.fields.map { stored[$0.name] ?? .null }
            return CommittedChange(
                kind: .create, model: info.index,
                row: HubRow(rowID: 1, values: values, version: 1, deleted: false, lastChangedAt: 1),
                modelName: info.schema.name)
        }
        hub.perform(hub.registry.publish(changes))
        for (number, who) in people.enumerated() {
            let told = hub.take(UInt64(number)).compactMap {
                $0["payload"]?["data"]?.object?.members.first?.value["id"]?.string
            }
            for row in MatrixRow.all { check(told.contains(row.name), who, row) }
            hub.registry.closed(UInt64(number))
        }
    }

    /// The requests of one model, the same for everybody.
    private struct Names {
        let info: ModelInfo
        let reading: String
        let subscribing: String

        init(_ info: ModelInfo) {
            self.info = info
            let schema = info.schema
            let get = schema.operationName(.get)
            reading =
                "{ " + MatrixRow.all.map { "\($0.name): \(get)(id: \"\($0.name)\") { id } " }.joined()
                + "list: \(schema.operationName(.list)) { items { id } } "
                + "sync: \(schema.operationName(.sync)) { items { id } } }"
            subscribing = "subscription { \(info.subscriptions[0].name) { id } }"
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
                try checkFieldEvents(hub, info, who, check)
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
    ) throws {
        let name = info.subscriptions[0].name
        hub.connect(1, who.token)
        hub.start(1, "all", who.token, "subscription { \(name) { id secret } }")
        hub.start(1, "some", who.token, "subscription { \(name)(filter: {secret: {eq: 4711}}) { id } }")
        _ = hub.take(1)
        let changes = MatrixRow.all.map { row in
            let stored = row.stored(id: row.name, secret: 4711)
            return CommittedChange(
                kind: .create, model: info.index,
                row: HubRow(
                    rowID: 1, values: info.schema.fields.map { stored[$0.name] ?? .null }, version: 1, deleted: false,
                    lastChangedAt: 1), modelName: info.schema.name)
        }
        hub.perform(hub.registry.publish(changes))
        let frames = hub.take(1)
        hub.registry.closed(1)
        func told(_ id: String, _ row: MatrixRow) -> JSONValue? {
            frames.first { frame in
                frame["id"]?.string == id && frame["payload"]?["data"]?[name]?["id"]?.string == row.name
            }?["payload"]?["data"]?[name]
        }
        for row in MatrixRow.all {
            #expect(told("all", row) != nil, "the row itself is for everybody")
            check(told("all", row)?["secret"] == 4711, "listen", "an event", row)
            check(told("some", row) != nil, "listen", "an event's filter", row)
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
            text += "u\(row.name): \(update)(input: {id: \"u\(name)\", secret: 5, _version: 1}) { id } "
            text +=
                "k\(row.name): \(update)(input: {id: \"k\(name)\", value: 5, _version: 1}, "
                + "condition: {secret: {eq: 4711}}) { id } "
        }
        let written = hub.send(who.token, text + "}")
        for row in MatrixRow.all {
            check(written["data"]?["u" + row.name]?.isNull == false, "update", "an update", row)
            check(written["data"]?["k" + row.name]?.isNull == false, "get", "a condition", row)
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
