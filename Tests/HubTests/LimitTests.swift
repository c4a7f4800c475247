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
