import Basics
import GraphQL
import Models
import Testing

@testable import Hub

@Suite("What one request may cost")
struct LimitTests {
    private func hub(_ change: (inout HubLimits) -> Void) throws -> HubFixture {
        var limits = HubLimits()
        change(&limits)
        let hub = try HubFixture(ConformanceSchema.schema, limits: limits)
        hub.send("mutation { createBox(input: {id: \"b\"}) { id } }")
        for number in 0..<20 {
            hub.send(
                "mutation { createItem(input: {id: \"\(number)\", weight: \(number), boxID: \"b\"}) { id } }")
        }
        return hub
    }

    @Test func aDocumentOfTooManyTokensIsRefused() throws {
        let hub = try hub { $0.documentTokens = 12 }
        #expect(hub.send("{ listItems { items { id } } }")["errors"] == nil)
        let json = hub.send("{ listItems(limit: 1) { items { id } nextToken } }")
        #expect(json["data"] == .null)
        #expect(json.errorType == "QueryTooLarge")
        #expect(json.errorMessage == "QueryTooLarge: the document has more than 12 tokens")
        #expect(json["errors"]?[0]?["locations"]?[0]?["column"]?.integer ?? 0 > 1)
    }

    @Test func fieldsAndDepthAreCountedWithFragmentsSpreadOut() throws {
        let hub = try hub {
            $0.fields = 7
            $0.depth = 5
        }
        #expect(hub.send("{ listItems { items { id weight } nextToken } }")["errors"] == nil)
        let wide = "{ a: listItems { ...F } b: listItems { ...F } } fragment F on ModelItemConnection { items { id } }"
        #expect(hub.send(wide).errorType == "QueryTooLarge")
        let deep = "{ getBox(id: \"b\") { items { items { box { items { nextToken } } } } } }"
        #expect(hub.send(deep).errorType == "QueryDepthLimitReached")
    }

    @Test func relationsAreCountedAsTheyAreResolved() throws {
        let hub = try hub { $0.resolvers = 11 }
        let json = hub.send("{ listItems { items { id box { id } } } }")
        let items = json.result?["items"]?.array ?? []
        #expect(items.count == 20)
        #expect(items.filter { $0["box"] == ["id": "b"] }.count == 10)
        #expect(json.errorType == "ResolverExecutionLimitReached")
        #expect(json["errors"]?[0]?["path"] == ["listItems", "items", 10, "box"])
        // The next request begins anew.
        #expect(hub.send("{ listItems(limit: 5) { items { box { id } } } }")["errors"] == nil)
        let many = "{ \((0..<12).map { "a\($0): getBox(id: \"b\") { id }" }.joined(separator: " ")) }"
        let roots = hub.send(many)
        #expect(roots["data"]?["a10"] == ["id": "b"])
        #expect(roots["data"]?["a11"] == .null)
    }

    @Test func aPageThatIsTooLargeEndsEarlyAndGoesOn() throws {
        let hub = try hub { $0.answerBytes = 200 }
        var found: [String] = []
        var token = JSONValue.null
        var pages = 0
        repeat {
            let page = hub.send(
                "query L($t: String) { listItems(nextToken: $t) { items { id weight boxID } nextToken } }",
                ["t": token]
            ).result
            found += (page?["items"]?.array ?? []).compactMap { $0["id"]?.string }
            token = page?["nextToken"] ?? .null
            pages += 1
        } while !token.isNull && pages < 100
        #expect(found == (0..<20).map { "\($0)" })
        #expect(pages > 3)
        let two = hub.send("{ a: listItems { items { id weight boxID } } b: getBox(id: \"b\") { id } }")
        #expect(two["data"]?["b"] == .null)
        #expect(two.errorType == "LimitExceededError")
        let schema = hub.send("{ __schema { types { name } } }")
        #expect(schema["data"]?["__schema"] == .null)
        #expect(schema.errorType == "LimitExceededError")
    }

    /// A hub with a record of 40 kB, where answers may have 20 kB and one record more.
    private func hubOfALargeRecord() throws -> HubFixture {
        var limits = HubLimits()
        (limits.answerBytes, limits.itemBytes) = (20_000, 50_000)
        let hub = try HubFixture(limits: limits)
        for id in ["1", "2"] { hub.create(["id": .string(id), "title": "t", "body": Self.body]) }
        return hub
    }

    private static let body = JSONValue.string(String(repeating: "b", count: 40_000))
    private static func aliases(_ count: Int) -> String {
        (0..<count).map { "a\($0): body" }.joined(separator: " ")
    }

    @Test func oneRecordUnderManyNamesIsNoMoreThanAnAnswerMayHave() throws {
        let hub = try hubOfALargeRecord()
        #expect(hub.send("{ getNote(id: \"1\") { \(Self.aliases(10)) } }")["errors"] == nil)
        let one = hub.raw(
            JSONValue.object(["query": .string("{ getNote(id: \"1\") { \(Self.aliases(1000)) } }")]).bytes)
        #expect(one.body.count < 2_000)
        let json = try JSONValue(parsing: one.body)
        #expect(json["data"] == ["getNote": .null])
        #expect(json.errorType == "LimitExceededError")
        #expect(json["errors"]?[0]?["path"] == ["getNote"])
        // A page goes on behind such a record.
        let list = "query L($t: String) { listNotes(nextToken: $t) { items { \(Self.aliases(1000)) } nextToken } }"
        let page = hub.send(list)
        #expect(page.result?["items"] == [.null])
        let next = hub.send(list, ["t": page.result?["nextToken"] ?? .null])
        #expect(next.result == ["items": [.null], "nextToken": .null])
    }

    @Test func whatAnEmbeddedValueIsReadFromCountsToo() throws {
        let hub = try HubFixture(
            try Schema(
                sdl: """
                    type Spot { row: Int name: String }
                    type Rack @model @auth(rules: [{ allow: groups, groups: ["everyone"] }]) { id: ID! spots: [Spot] }
                    """),
            limits: {
                var limits = HubLimits()
                (limits.answerBytes, limits.itemBytes) = (20_000, 50_000)
                return limits
            }())
        let spots = JSONValue.array(Array(repeating: [:], count: 10_000))
        hub.send(
            "mutation M($i: CreateRackInput!) { createRack(input: $i) { id } }", ["i": ["id": "1", "spots": spots]])
        func fields(_ name: String, _ count: Int) -> String {
            (0..<count).map { "a\($0): \(name)" }.joined(separator: " ")
        }
        #expect(hub.send("{ getRack(id: \"1\") { spots { row } } }").result?["spots"]?.array?.count == 10_000)
        for selection in ["spots { \(fields("row", 4000)) }", fields("spots { __typename }", 1000)] {
            let json = hub.send("{ getRack(id: \"1\") { \(selection) } }")
            #expect(json["data"] == ["getRack": .null])
            #expect(json.errorType == "LimitExceededError")
        }
    }

    @Test func mutationsAreCarriedOutWhoseAnswersAreTooLarge() throws {
        let hub = try hubOfALargeRecord()
        func update(_ alias: String, _ selection: String) -> String {
            "\(alias): updateNote(input: {id: \"1\", size: 4, _version: 0}) { _version \(selection) }"
        }
        let alone = hub.send("mutation { \(update("a", Self.aliases(1000))) }")
        #expect(alone["data"] == ["a": .null])
        #expect(alone.errorType == "LimitExceededError")
        #expect(alone.errorMessage?.hasPrefix("The mutation was carried out. ") == true)
        #expect(hub.send("{ getNote(id: \"1\") { _version } }").result == ["_version": 2])
        // All of a request share what an answer may have; one of them always has its answer.
        let many = hub.send("mutation { \((0..<20).map { update("m\($0)", "body") }.joined(separator: " ")) }")
        #expect(many["data"]?["m0"]?["body"] == Self.body)
        #expect(many["data"]?["m19"] == .null)
        let answered = (0..<20).filter { many["data"]?["m\($0)"]?.isNull == false }.count
        #expect((8...11).contains(answered), "\(answered)")
        #expect(many["errors"]?.array?.count == 20 - answered)
        #expect(hub.send("{ getNote(id: \"1\") { _version } }").result == ["_version": 22])
    }

    @Test func recordsOfConflictsShareWhatAnAnswerMayHave() throws {
        var limits = HubLimits()
        limits.answerBytes = 500
        let hub = try HubFixture(limits: limits)
        let title = JSONValue.string(String(repeating: "s", count: 300))
        hub.send("mutation M($t: String!) { createStrict(input: {id: \"1\", title: $t}) { id } }", ["t": title])
        hub.send("mutation { updateStrict(input: {id: \"1\", _version: 1}) { id } }")
        let stale = (0..<4).map { "m\($0): updateStrict(input: {id: \"1\", title: \"x\", _version: 1}) { id title }" }
        let json = hub.send("mutation { \(stale.joined(separator: " ")) }")
        let types = json["errors"]?.array?.compactMap { $0["errorType"]?.string }
        #expect(types == ["ConflictUnhandled", "ConflictUnhandled", "LimitExceededError", "LimitExceededError"])
        #expect(json["errors"]?[1]?["data"]?["title"] == title)
    }

    @Test func anEventIsNoLargerThanAnAnswer() throws {
        var floor = RealtimeFixture(try hubOfALargeRecord())
        floor.connect(1)
        floor.start(1, "many", "subscription { onUpdateNote { \(Self.aliases(1000)) } }")
        floor.mutate("mutation { updateNote(input: {id: \"1\", size: 4, _version: 1}) { id body } }")
        #expect(floor.data(1) == [.null])
        #expect(floor.lastError(1)?["errorType"] == "LimitExceededError")
    }

    @Test func rowsAndTimeEndAPageAndThenTheRequest() throws {
        let hub = try hub { $0.rows = 8 }
        let json = hub.send(
            "{ a: listItems(filter: {weight: {gt: 100}}) { items { id } nextToken } b: listItems { items { id } } }")
        #expect(json["data"]?["a"]?["items"] == [])
        #expect(json["data"]?["a"]?["nextToken"]?.string != nil)
        #expect(json["data"]?["b"] == .null)
        #expect(json.errorType == "ResolverExecutionLimitReached")
        let late = try self.hub { $0.milliseconds = -1 }
        let timed = late.send("{ getBox(id: \"b\") { id } }")
        #expect(timed.errorType == "ExecutionTimeout")
        #expect(timed.errorMessage == "Execution timed out.")
    }

    @Test func aFilterHasALength() throws {
        let hub = try hub { $0.filterParts = 10 }
        let query = "query L($f: ModelItemFilterInput) { listItems(filter: $f) { items { id } } }"
        func filter(_ count: Int) -> JSONValue {
            ["f": ["or": .array((0..<count).map { ["weight": ["eq": .integer(Int64($0))]] })]]
        }
        #expect(hub.send(query, filter(9)).result?["items"]?.array?.count == 9)
        #expect(hub.send(query, filter(10)).errorMessage == "The filter has more than 10 comparisons")
    }

    @Test func aConditionMayHoldAsMuchAsDynamoDBTakesAndNoMore() throws {
        let hub = try hub { _ in }
        hub.send("mutation { createItem(input: {id: \"c\", weight: 1}) { id } }")
        func update(_ count: Int) -> JSONValue {
            hub.send(
                """
                mutation M($c: ModelItemConditionInput) {
                  updateItem(input: {id: "c", weight: 2, _version: 1}, condition: $c) { id }
                }
                """, ["c": ["or": .array((0..<count).map { ["weight": ["eq": .integer(Int64($0))]] })]])
        }
        #expect(update(300).errorMessage == "The condition has more than 300 comparisons")
        #expect(update(299)["errors"] == nil)
        let list = "query L($f: ModelItemFilterInput) { listItems(filter: $f) { items { id } } }"
        let filter: JSONValue = ["or": .array((0..<300).map { ["weight": ["eq": .integer(Int64($0))]] })]
        #expect(hub.send(list, ["f": filter])["errors"] == nil, "a filter is looked at beside the commits")
    }

    @Test func manyVariablesAreFoundByTheirNames() throws {
        let hub = try hub { $0.documentTokens = 100_000 }
        let names = (0..<2000).map { "v\($0)" }
        let declared = names.map { "$\($0): Int" }.joined(separator: " ")
        let used = names.map { "{weight: {eq: $\($0)}}" }.joined(separator: " ")
        let given = JSONValue.object(JSONObject(names.reversed().map { ($0, .integer(1)) }))
        let answer = hub.send("query Q(\(declared)) { listItems(filter: {or: [\(used)]}) { items { id } } }", given)
        #expect(answer["errors"] == nil)
        let missing = hub.send(
            "query Q(\(declared)) { listItems(filter: {or: [\(used) {weight: {eq: $w}}]}) { items { id } } }", given)
        #expect(missing.errorMessage?.contains("UndefinedVariable: Undefined variable w") == true)
    }

    @Test(arguments: [
        "enum ModelSortDirection { UP } type A @model { id: ID! b: ModelSortDirection }",
        "type Place { x: Int } type PlaceInput { y: Int } type A @model { id: ID! p: Place q: PlaceInput }",
        "type A @model { id: ID! b: String @index(queryField: \"listAS\") } type AS @model { id: ID! c: String @index(queryField: \"getA\") }",
    ])
    func aNameThatTheAPINeedsIsRefusedAtStart(_ sdl: String) throws {
        let schema = try Schema(sdl: sdl)
        let error = #expect(throws: HubError.self) { try HubFixture(schema) }
        #expect(error?.message.hasPrefix("the API needs the ") == true)
    }

    @Test func introspectionCanBeSwitchedOff() throws {
        let hub = try hub { $0.allowsIntrospection = false }
        #expect(hub.send("{ __schema { types { name } } }").errorMessage?.contains("FieldUndefined") == true)
        #expect(hub.send("{ __type(name: \"Box\") { name } }").errorMessage?.contains("FieldUndefined") == true)
        #expect(hub.send("{ __typename }").result == "Query")
    }

    @Test func whatComesByGETChangesNothing() throws {
        let hub = try hub { _ in }
        let credentials = Credentials(apiKey: "all")
        func answer(_ query: String) -> HubAnswer {
            let body: JSONValue = ["query": .string(query)]
            return hub.core.execute([HubRequest(credentials, body: body.bytes, isReadOnly: true)]).answers[0]
        }
        #expect(answer("{ getBox(id: \"b\") { id } }").status == 200)
        #expect(answer("mutation { createBox(input: {id: \"c\"}) { id } }").status == 405)
        #expect(hub.send("{ getBox(id: \"c\") { id } }").result == .null)
    }
}
