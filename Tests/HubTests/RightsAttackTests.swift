import AppSync
import Basics
import GraphQL
import Models
import Testing

@testable import Hub

/// Ways round the rights, each closed: by retries, guesses, errors, orders, tokens and relations.
@Suite struct RightsAttackTests {
    /// Whoever writes may not read it, but for the readers.
    private static let schema = try! Schema(
        sdl: """
            type Box @model @auth(rules: [
              { allow: groups, groups: ["readers"] }
              { allow: groups, groups: ["writers"], operations: [create, update, delete] }
              { allow: owner, operations: [read] }
            ]) {
              id: ID!
              owner: String
              label: String
              size: Int
              count: Int @counter
              shelfID: ID @index(name: "boxesByShelf", queryField: "boxesByShelf", sortKeyFields: ["size"])
            }
            type Shelf @model @auth(rules: [{ allow: groups, groups: ["readers", "guests"] }]) {
              id: ID!
              name: String
              cost: Int @auth(rules: [{ allow: groups, groups: ["readers"] }])
              total: Int @counter @auth(rules: [
                { allow: groups, groups: ["readers"] }
                { allow: groups, groups: ["guests"], operations: [update] }
              ])
              rank: Int @index(name: "byRank", queryField: "shelvesByRank", sortKeyFields: ["cost"])
              nextID: ID @auth(rules: [{ allow: groups, groups: ["readers"] }])
              next: Shelf @belongsTo(fields: ["nextID"])
              slots: [Slot] @hasMany(indexName: "slotsByShelf", fields: ["id"])
            }
            type Slot @model @auth(rules: [{ allow: groups, groups: ["readers", "guests"] }]) {
              id: ID!
              name: String
              shelfID: ID @index(name: "slotsByShelf", queryField: "slotsByShelf") @auth(rules: [
                { allow: groups, groups: ["readers"] }
              ])
            }
            """)

    private func fixture() throws -> TokenFixture {
        let hub = try TokenFixture(Self.schema)
        hub.admit("reader", groups: ["readers"])
        hub.admit("writer", groups: ["writers"])
        hub.admit("guest", groups: ["guests"])
        hub.admit("ann", person: "ann")
        try hub.plant(
            "Box",
            [
                "id": .text("b"), "label": .text("hidden"), "size": .integer(4711), "count": .integer(4711),
                "shelfID": .text("s"),
                "owner": .text("zoe"),
            ])
        try hub.plant(
            "Shelf",
            [
                "id": .text("s"), "name": .text("open"), "cost": .integer(4711), "total": .integer(4711),
                "rank": .integer(1),
                "nextID": .text("t"),
            ])
        try hub.plant("Shelf", ["id": .text("t"), "name": .text("next"), "cost": .integer(4712), "rank": .integer(1)])
        for id in ["x", "y"] { try hub.plant("Slot", ["id": .text(id), "name": .text("slot"), "shelfID": .text("s")]) }
        return hub
    }

    private let update = "mutation M($i: UpdateBoxInput!) { m: updateBox(input: $i) { id FIELDS _version } }"

    @Test func aRetryUnderAnotherNameShowsNothing() throws {
        let hub = try fixture()
        let ids: JSONValue = ["mutationIds": ["m": "u"]]
        let input: JSONValue = ["i": ["id": "b", "label": "mine", "_version": 1]]
        let first = hub.send("writer", update.replacing("FIELDS", with: "label"), input, bincount: ids)
        #expect(first.result?["label"] == "mine")
        // Whoever makes a record sees it: under the id of his update, a create would show what others wrote.
        for text in [
            "mutation { m: createBox(input: {id: \"b\"}) { id label size count owner } }",
            "mutation { m: createBox(input: {id: \"other\"}) { id label size count owner } }",
            "mutation { m: deleteBox(input: {id: \"b\", _version: 2}) { id size } }",
            "mutation { m: updateBox(input: {id: \"c\", size: 1, _version: 2}) { id size } }",
        ] {
            let answer = hub.send("writer", text, bincount: ids)
            #expect(answer.result == .null, "\(text)")
            #expect(!answer.text.contains("4711") && !answer.text.contains("zoe"))
        }
    }

    @Test func aRetryThatNamesOtherValuesIsToldThoseAndNotWhatIsStored() throws {
        let hub = try fixture()
        let ids: JSONValue = ["mutationIds": ["m": "u"]]
        let first: JSONValue = ["i": ["id": "b", "label": "mine", "_version": 1]]
        _ = hub.send("writer", update.replacing("FIELDS", with: "label"), first, bincount: ids)
        for guess in [4711, 12] {
            let again: JSONValue = ["i": ["id": "b", "size": .integer(Int64(guess)), "_version": 1]]
            let answer = hub.send("writer", update.replacing("FIELDS", with: "size"), again, bincount: ids)
            #expect(answer.result?["size"]?.integer == Int64(guess), "a right guess and a wrong one answer alike")
        }
    }

    @Test func theRetryOfACreateShowsNothingThatOthersMadeOfIt() throws {
        let hub = try fixture()
        let text = "mutation { m: createBox(input: {id: \"new\", label: \"l\"}) { id label size } }"
        let ids: JSONValue = ["mutationIds": ["m": "c"]]
        #expect(hub.send("writer", text, bincount: ids).result?["size"] == .null)
        _ = hub.send("reader", "mutation { updateBox(input: {id: \"new\", size: 4711, _version: 1}) { id } }")
        #expect(hub.send("writer", text, bincount: ids).result == ["id": "new", "label": "l", "size": .null])
        // The row as he made it is forgotten after a while; what others made of it is not his instead.
        try hub.core.connection.run("DELETE FROM _images")
        #expect(!hub.send("writer", text, bincount: ids).text.contains("4711"))
    }

    @Test func aRepeatedCreateDoesNotSayWhetherAGuessIsRight() throws {
        let hub = try fixture()
        let answers = ["hidden", "wrong"].map { label in
            hub.send(
                "writer",
                """
                mutation { createBox(input: {id: "b", label: "\(label)", size: 4711, count: 4711, shelfID: "s", \
                owner: "zoe"}) { id } }
                """)
        }
        #expect(answers[0].errorType == ErrorType.conditionalCheckFailed)
        #expect(answers[0] == answers[1])
    }

    @Test func anOperationOnWhatMayNotBeReadIsRefusedBeforeItCanOverflow() throws {
        let hub = try fixture()
        func increment(_ token: String, _ model: String, _ id: String, _ field: String, _ by: Int64) -> JSONValue {
            hub.send(
                token, "mutation { m: update\(model)(input: {id: \"\(id)\", _version: 1}) { id } }",
                bincount: ["operations": ["m": .object([field: ["increment": .integer(by)]])]])
        }
        let edge = Int64(Int32.max) - 4711
        for by in [edge, edge + 1, 1] {
            #expect(increment("writer", "Box", "b", "count", by).errorType == ErrorType.unauthorized)
            let field = increment("guest", "Shelf", "s", "total", by)
            #expect(field.errorMessage == "Not Authorized to access total on type Shelf")
        }
        #expect(increment("reader", "Shelf", "s", "total", 1).errorType == nil)
    }

    @Test func aHiddenFieldCannotBeSearchedSortedOrFollowed() throws {
        let hub = try fixture()
        let denied = "Not Authorized to access cost on type Shelf"
        for text in [
            "{ listShelves(filter: {cost: {gt: 1}}) { items { id } } }",
            "{ syncShelves(filter: {or: [{name: {eq: \"open\"}}, {not: {cost: {eq: 1}}}]}) { items { id } } }",
            "{ shelvesByRank(rank: 1) { items { id } } }",
            "{ shelvesByRank(rank: 1, cost: {gt: 4000}) { items { id } } }",
            "mutation { updateShelf(input: {id: \"s\", name: \"n\", _version: 1}, condition: {cost: {eq: 4711}}) { id } }",
            "mutation { updateShelf(input: {id: \"s\", name: \"n\", _version: 1}, condition: {cost: {ne: 4711}}) { id } }",
        ] {
            let answer = hub.send("guest", text)
            #expect(answer.result == .null, "\(text)")
            #expect(answer.errorMessage == denied, "\(text)")
        }
        hub.connect(1, "guest")
        hub.start(1, "s", "guest", "subscription { onUpdateShelf(filter: {cost: {gt: 1}}) { id } }")
        #expect(hub.take(1).last?["payload"]?["errors"]?[0]?["message"]?.string == denied)
        let relations = hub.send(
            "guest", "{ getShelf(id: \"s\") { name cost next { id name } slots { items { id shelfID } } } }")
        #expect(relations.result == ["name": "open", "cost": nil, "next": nil, "slots": nil])
        let paths = (relations["errors"]?.array ?? []).compactMap { $0["path"]?[1]?.string }
        #expect(paths == ["cost", "next", "slots"])
        #expect(hub.send("guest", "{ slotsByShelf(shelfID: \"s\") { items { id } } }").result == .null)
        let all = hub.send("reader", "{ getShelf(id: \"s\") { cost next { name } slots { items { shelfID } } } }")
        #expect(all.result?["slots"]?["items"]?.array?.count == 2)
        #expect(all["errors"] == nil)
    }

    @Test func aHiddenFieldIsNullWithAnErrorOfAppSyncs() throws {
        let hub = try fixture()
        let answer = hub.send("guest", "{ listShelves { items { id c: cost name } } }")
        #expect(
            answer.result?["items"] == [["id": "s", "c": nil, "name": "open"], ["id": "t", "c": nil, "name": "next"]])
        let error = answer["errors"]?[0]
        #expect(error?["path"] == ["listShelves", "items", 0, "c"])
        #expect(error?["errorType"]?.string == ErrorType.unauthorized)
        #expect(error?["message"]?.string == "Not Authorized to access cost on type Shelf")
        let changed = hub.send(
            "guest", "mutation { updateShelf(input: {id: \"s\", name: \"n\", _version: 1}) { name cost } }")
        #expect(changed.result == ["name": "n", "cost": nil])
        let stale = hub.send(
            "guest", "mutation { deleteShelf(input: {id: \"s\", _version: 1}) { name cost } }")
        #expect(stale.errorType == ErrorType.unauthorized, "a delete takes the hidden fields along")
        #expect(!answer.text.contains("471") && !changed.text.contains("471") && !stale.text.contains("471"))
    }

    @Test("Hidden rows change neither a page's end, nor its token, nor how many there are", arguments: [0, 1, 40])
    func pages(_ hidden: Int) throws {
        let hub = try TokenFixture(Self.schema)
        hub.admit("ann", person: "ann")
        func hide(_ name: String) throws {
            for number in 0..<hidden { try hub.plant("Box", ["id": .text("\(name)\(number)"), "owner": .text("zoe")]) }
        }
        try hide("first")
        for number in 0..<3 {
            try hub.plant("Box", ["id": .text("\(number)"), "owner": .text("ann"), "shelfID": .text("s")])
            try hide("after\(number)-")
        }
        for text in [
            "listBoxes(limit: 1 TOKEN)", "syncBoxes(limit: 1 TOKEN)", "boxesByShelf(shelfID: \"s\", limit: 1 TOKEN)",
        ] {
            var token: String?
            var ids: [String] = []
            var lengths: Set<Int> = []
            var requests = 0
            repeat {
                let more = token.map { ", nextToken: \"\($0)\"" } ?? ""
                let page = hub.send(
                    "ann", "{ \(text.replacing(" TOKEN", with: more)) { items { id } nextToken } }"
                ).result
                ids += (page?["items"]?.array ?? []).compactMap { $0["id"]?.string }
                token = page?["nextToken"]?.string
                if let token { lengths.insert(token.utf8.count) }
                requests += 1
            } while token != nil && requests < 10
            #expect(ids == ["0", "1", "2"], "\(text)")
            #expect(requests == 3, "no page more for what he may not see")
            #expect(lengths == [text.hasPrefix("boxesBy") ? 363 : 214], "a token's length tells nothing")
        }
        let first = hub.send("ann", "{ listBoxes(limit: 1) { nextToken } }")
        #expect(first != hub.send("ann", "{ listBoxes(limit: 1) { nextToken } }"), "nor that nothing has changed")
        let rows = hub.send("ann", "{ syncBoxes { startedAt } }")["extensions"]?["bincount"]?["rows"]
        #expect(rows == nil)
    }

    @Test(
        "Nor does a row whose place tells what it hides: by a hidden part of an index, or a hidden key",
        arguments: [100, 900])
    func places(_ pay: Int64) throws {
        let hub = try TokenFixture(
            try Schema(
                sdl: """
                    type Box @model @auth(rules: [{ allow: private }]) {
                      id: ID! cards: [Card] @hasMany(references: ["boxID"])
                    }
                    type Card @model @auth(rules: [{ allow: private }]) {
                      id: ID!
                      owner: String
                      room: String @index(name: "byRoom", sortKeyFields: ["pay"], queryField: "cardsByRoom")
                      pay: Int @auth(rules: [{ allow: owner }])
                      boxID: ID @auth(rules: [{ allow: owner }])
                      box: Box @belongsTo(references: ["boxID"])
                    }
                    """))
        hub.admit("ann", person: "ann")
        try hub.plant("Box", ["id": .text("p")])
        for (id, owner, pay) in [("a", "ann", Int64(500)), ("b", "bob", pay)] {
            try hub.plant(
                "Card",
                [
                    "id": .text(id), "owner": .text(owner), "room": .text("r"), "pay": .integer(pay),
                    "boxID": .text(pay == 100 ? "q" : "p"),
                ])
        }
        let byPay = hub.send("ann", "{ cardsByRoom(room: \"r\", pay: {ge: 500}, limit: 1) { items { id } nextToken } }")
        #expect(byPay.result == ["items": [["id": "a"]], "nextToken": nil])
        let byBox = hub.send("ann", "{ getBox(id: \"p\") { cards(limit: 1) { items { id } nextToken } } }")
        #expect(byBox.result?["cards"] == ["items": [["id": "a"]], "nextToken": nil])
    }

    @Test func anUnknownPersonAndAnUnknownRowAreAnsweredAlike() throws {
        let hub = try fixture()
        for pattern in [
            "{ getBox(id: \"ID\") { id } }",
            "mutation { updateBox(input: {id: \"ID\", label: \"x\", _version: 1}) { id } }",
            "mutation { deleteBox(input: {id: \"ID\", _version: 1}) { id } }",
        ] {
            let answers = ["b", "nothing"].map { hub.send("ann", pattern.replacing("ID", with: $0)) }
            #expect(answers[0] == answers[1], "\(pattern)")
        }
    }
}
