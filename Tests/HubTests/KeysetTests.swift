import Basics
import ModelTables
import Models
import SQLite
import Testing

@testable import Hub

@Suite("Pages along an index")
struct KeysetTests {
    // Guard of try!: a constant text, which every test here reads first.
    private static let schema = try! Schema(
        sdl: """
            type Bin @model @auth(rules: [{ allow: groups, groups: ["everyone"] }]) {
              id: ID!
              zone: ID @index(name: "shelvedByZone", queryField: "binsByZone", sortKeyFields: ["shelf", "place"])
              shelf: String
              place: Int
              label: String
            }
            type Zone @model @auth(rules: [{ allow: groups, groups: ["everyone"] }]) {
              id: ID!
              bins: [Bin] @hasMany(indexName: "shelvedByZone", fields: ["id"])
            }
            """)

    @Test("finds what begins with a text that holds a null")
    func nullInPrefix() throws {
        let hub = try HubFixture(Self.schema)
        let make = "mutation M($i: CreateBinInput!) { createBin(input: $i) { id } }"
        for (id, shelf) in [("1", "p\u{0}q"), ("2", "p\u{0}"), ("3", "pq")] {
            hub.send(make, ["i": ["id": .string(id), "zone": "z", "shelf": .string(shelf)]])
        }
        let find = """
            query F($p: String) {
              binsByZone(zone: "z", shelfPlace: {beginsWith: {shelf: $p}}) { items { id } }
            }
            """
        func found(_ prefix: String) -> [String]? {
            hub.send(find, ["p": .string(prefix)]).result?["items"]?.array?.compactMap { $0["id"]?.string }.sorted()
        }
        #expect(found("p\u{0}") == ["1", "2"] && found("p") == ["1", "2", "3"] && found("p\u{0}r") == [])
    }

    private func fixture(_ count: Int) throws -> HubFixture {
        let hub = try HubFixture(Self.schema)
        for number in 0..<count { try add(hub, number) }
        return hub
    }

    /// Shelves and places repeat, and some have none.
    private func add(_ hub: HubFixture, _ number: Int) throws {
        let shelf = number % 5 == 0 ? "null" : "\"s\(number % 3)\""
        let place = number % 4 == 0 ? "null" : "\(number % 7)"
        let made = hub.send(
            "mutation { createBin(input: {id: \"b\(number)\", zone: \"z\", shelf: \(shelf), place: \(place)}) { id } }")
        #expect(made["errors"] == nil)
    }

    /// All ids, page by page.
    private func walk(
        _ hub: HubFixture, _ arguments: String, limit: Int, between: (Int) throws -> Void = { _ in }
    ) throws -> [String] {
        var ids: [String] = []
        var token = ""
        for page in 0..<1000 {
            let answer = hub.send(
                "{ p: binsByZone(zone: \"z\"\(arguments), limit: \(limit)\(token)) { items { id } nextToken } }")
            let result = try #require(answer["data"]?["p"], "\(answer)")
            ids += (result["items"]?.array ?? []).compactMap { $0["id"]?.string }
            guard let next = result["nextToken"]?.string else { return ids }
            token = ", nextToken: \"\(next)\""
            try between(page)
        }
        return ids
    }

    @Test(
        "hold together what one page would hold, whatever is null or equal, in either direction and between bounds",
        arguments: [
            "", ", sortDirection: DESC", ", shelfPlace: {beginsWith: {shelf: \"s1\"}}",
            ", shelfPlace: {ge: {shelf: \"s1\", place: 2}}, sortDirection: DESC",
            ", shelfPlace: {between: [{shelf: \"s0\", place: 3}, {shelf: \"s1\", place: 4}]}",
            ", shelfPlace: {le: {shelf: \"s1\"}}", ", shelfPlace: {gt: {shelf: \"s0\", place: 1}}",
            ", shelfPlace: {lt: {shelf: \"s2\", place: 1}}, sortDirection: DESC",
        ])
    func whole(_ arguments: String) throws {
        let hub = try fixture(80)
        let all = try walk(hub, arguments, limit: 1000)
        #expect(all.count > 5)
        #expect(Set(all).count == all.count)
        for limit in [1, 3, 7] { #expect(try walk(hub, arguments, limit: limit) == all) }
    }

    @Test("neither repeat nor skip a record when others come before their end or go")
    func changing() throws {
        let hub = try fixture(40)
        let all = try walk(hub, "", limit: 1000)
        var number = 40
        let ids = try walk(hub, "", limit: 4) { page in
            // Five is without a shelf, and comes first of all.
            try add(hub, number)
            number += 5
            hub.connection.deleteRow(all[page * 4])
        }
        #expect(ids == all)
    }

    @Test("of a relation go on by its records' numbers")
    func relation() throws {
        let hub = try fixture(23)
        _ = hub.send("mutation { createZone(input: {id: \"z\"}) { id } }")
        var ids: [String] = []
        var token = ""
        repeat {
            let zone = hub.send("{ getZone(id: \"z\") { bins(limit: 5\(token)) { items { id } nextToken } } }")
            let bins = try #require(zone["data"]?["getZone"]?["bins"])
            ids += (bins["items"]?.array ?? []).compactMap { $0["id"]?.string }
            token = bins["nextToken"]?.string.map { ", nextToken: \"\($0)\"" } ?? ""
        } while !token.isEmpty
        #expect(ids == (try walk(hub, "", limit: 1000)))
    }

    @Test(
        "of a date sort key take a part of a date as the filter on the same field does",
        arguments: [
            "beginsWith: '2026-07'", "beginsWith: '2026'", "beginsWith: ''", "beginsWith: '2026-07-01T0'",
            "beginsWith: '2026-07-02T00:00:00.000Z'", "beginsWith: '2026-07-02T00:00:00Z'", "beginsWith: '7'",
            "ge: '2026-07'", "gt: '2026-07-01'", "lt: '2026-07-02'", "le: '2026-08'", "eq: '2026-07'",
            "eq: '2026-07-02T02:00:00+02:00'", "between: ['2026-06', '2026-07-02']", "le: ''", "lt: 'z'",
            "between: ['2026-07-01', '2026-07-02T00:00:00Z']",
        ])
    func dates(_ text: String) throws {
        let condition = "{\(text.replacing("'", with: "\""))}"
        let schema = try Schema(
            sdl: """
                type Job @model @auth(rules: [{ allow: groups, groups: ["everyone"] }]) {
                  id: ID!
                  zone: ID @index(name: "byZone", queryField: "jobsByZone", sortKeyFields: ["due"])
                  due: AWSDateTime
                }
                """)
        let hub = try HubFixture(schema)
        let dates = [
            "2025-12-31T23:59:59.999Z", "2026-06-30T23:59:59.999Z", "2026-07-01T00:00:00Z", "2026-07-01T09:30:00Z",
            "2026-07-01T10:00:00Z", "2026-07-02T00:00:00Z", "2026-07-31T23:59:59.999Z", "2026-08-01T00:00:00Z",
        ]
        for (number, date) in dates.enumerated() {
            hub.send(
                "mutation { createJob(input: {id: \"\(number)\", zone: \"z\", due: \"\(date)\"}) { id } }")
        }
        hub.send("mutation { createJob(input: {id: \"none\", zone: \"z\"}) { id } }")
        func ids(_ arguments: String) throws -> [String] {
            let answer = hub.send("{ p: jobsByZone(zone: \"z\", \(arguments)) { items { id } nextToken } }")
            return try #require(answer["data"]?["p"]?["items"]?.array, "\(answer)").compactMap { $0["id"]?.string }
        }
        let wanted = try ids("filter: {due: \(condition)}")
        #expect(try ids("due: \(condition)") == wanted)
        #expect(try ids("due: \(condition), sortDirection: DESC") == wanted.reversed())
        if text == "beginsWith: '2026-07'" { #expect(wanted == ["2", "3", "4", "5", "6"]) }
    }

    @Test(
        "of a sort key that is stored as text take any text",
        arguments: [
            ("AWSDate", "2026-06-30", "2026-07-01", "beginsWith: '2026-07'"),
            ("AWSDate", "2026-06-30", "2026-07-01", "ge: '2026-07'"),
            ("AWSTime", "09:59:00", "10:00:00", "between: ['10', '11']"),
            ("AWSPhone", "+12025550101", "+49305550101", "gt: '+4'"),
            ("AWSEmail", "ann@a.example", "bob@b.example", "ge: 'b'"),
            ("AWSURL", "http://a.example/", "https://b.example/", "ge: 'https:'"),
            ("AWSIPAddress", "10.0.0.1", "192.168.0.1", "ge: '192.'"), ("Level", "high", "low", "gt: 'i'"),
        ])
    func partsOfTexts(_ type: String, _ first: String, _ second: String, _ text: String) throws {
        let condition = "{\(text.replacing("'", with: "\""))}"
        let schema = try Schema(
            sdl: """
                enum Level { low high }
                type Job @model @auth(rules: [{ allow: groups, groups: ["everyone"] }]) {
                  id: ID!
                  zone: ID @index(name: "byZone", queryField: "jobsByZone", sortKeyFields: ["due"])
                  due: \(type)
                }
                """)
        let hub = try HubFixture(schema)
        for (id, due) in [("1", first), ("2", second)] {
            let answer = hub.send(
                "mutation M($i: CreateJobInput!) { createJob(input: $i) { id } }",
                ["i": ["id": .string(id), "zone": "z", "due": .string(due)]])
            #expect(answer["errors"] == nil)
        }
        let found = hub.send("{ jobsByZone(zone: \"z\", due: \(condition)) { items { id } } }")
        #expect(found.result == ["items": [["id": "2"]]])
    }

    private func cost(_ part: SQLCondition, _ hub: HubFixture, rows: Int) throws -> Int {
        try hub.connection.withStatement(part.sql) { statement in
            statement.bind(part.bindings)
            _ = statement.takeSteps()
            var left = rows
            while left > 0, try statement.step() { left -= 1 }
            return statement.takeSteps()
        }
    }

    @Test("cost the same however deep they are", arguments: [false, true])
    func deep(_ isDescending: Bool) throws {
        let hub = try HubFixture(Self.schema)
        let model = try #require(hub.core.engine.schema.model("Bin"))
        try hub.connection.transaction(.immediate) {
            for number in 0..<3000 {
                try hub.connection.run(
                    "INSERT INTO \"Bin\"(\"id\",\"zone\",\"shelf\",\"place\",\"_version\",\"_deleted\",\"_lastChangedAt\") "
                        + "VALUES(?,'z',?,?,1,0,1)",
                    [
                        .text("b\(number)"), number % 50 == 0 ? .null : .text("s\(number % 6)"),
                        number % 9 == 0 ? .null : .integer(Int64(number % 40)),
                    ])
            }
        }
        let table = hub.core.tables[model.index]
        var plan = KeyPlan(model: model, sort: ["shelf", "place"], equal: ["zone"], values: [.text("z")])
        plan.isDescending = isDescending
        plan.add(isDescending ? "<=" : ">=", [.text(isDescending ? "s9" : "")])
        let first = try cost(plan.parts(table, after: nil)[0], hub, rows: 100)
        let direction = isDescending ? "DESC" : "ASC"
        let rows = try hub.connection.rows(
            "SELECT \"shelf\",\"place\",\"_row\" FROM \"Bin\" ORDER BY 1 \(direction),2 \(direction),3 \(direction)")
        for depth in [150, 1000, 2000, 2700] {
            let row = rows[depth]
            let place = KeyPlan.Place(sortKey: [row[0], row[1]], row: try #require(row[2].integer))
            var left = 100
            var steps = 0
            for part in plan.parts(table, after: place) where left > 0 {
                steps += try cost(part, hub, rows: left)
                left -= min(
                    left,
                    try hub.connection.withStatement(part.sql) { statement in
                        statement.bind(part.bindings)
                        var count = 0
                        while count < left, try statement.step() { count += 1 }
                        return count
                    })
                let details = try hub.connection.rows("EXPLAIN QUERY PLAN " + part.sql, part.bindings)
                    .compactMap { $0.last?.text }
                #expect(details.allSatisfy { $0.hasPrefix("SEARCH") }, "\(details) of \(part.sql)")
            }
            #expect(steps < first * 3 / 2, "\(steps) steps at \(depth), \(first) at the beginning")
        }
    }

    @Test("go on by the row's number where the key is not in the token, and say it where that row is gone")
    func byRow() throws {
        let hub = try HubFixture(Self.schema)
        let long = String(repeating: "x", count: 2000)
        for number in 0..<6 {
            _ = hub.send(
                "mutation { createBin(input: {id: \"b\(number)\", zone: \"z\", shelf: \"\(long)\(number)\"}) { id } }")
        }
        #expect(try walk(hub, "", limit: 2) == (0..<6).map { "b\($0)" })
        let first = hub.send("{ p: binsByZone(zone: \"z\", limit: 2) { nextToken } }")
        let token = try #require(first["data"]?["p"]?["nextToken"]?.string)
        try hub.connection.run("DELETE FROM \"Bin\" WHERE \"id\"='b1'")
        let answer = hub.send("{ p: binsByZone(zone: \"z\", limit: 2, nextToken: \"\(token)\") { items { id } } }")
        #expect(answer["errors"]?[0]?["errorType"] == "BadRequest")
        #expect(answer["errors"]?[0]?["message"]?.string?.contains("begin at the first page") == true)
    }

    @Test("go on from a token that was made before keys were carried")
    func older() throws {
        let key = Array("key".utf8)
        let token = PageToken(walk: .index, startedAt: 0, position: 7, row: 9, lastRow: .max)
        let opened = try #require(PageToken(token.sealed("b", key: key, unique: "u"), "b", key: key))
        #expect(opened.sortKey == nil && opened.row == 9)
        let keyed = PageToken(
            walk: .index, startedAt: 0, position: 0, row: 9, lastRow: .max,
            sortKey: [.text("a:b \""), .null, .integer(-3), .real(2)])
        let sealed = keyed.sealed("b", key: key, unique: "u")
        #expect(PageToken(sealed, "b", key: key) == keyed)
        #expect(PageToken(sealed, "other", key: key) == nil)
        #expect(sealed.utf8.count == token.sealed("b", key: key, unique: "u").utf8.count, "a length tells nothing")
    }
}

extension Connection {
    /// What a deletion leaves of a record: the row, marked.
    fileprivate func deleteRow(_ id: String) {
        _ = try? run("UPDATE \"Bin\" SET \"_deleted\"=1 WHERE \"id\"=?", [.text(id)])
    }
}
