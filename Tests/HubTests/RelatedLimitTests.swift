import Basics
import Models
import Testing

@testable import Hub

/// What relations in the answers of mutations and in events may cost: the budget of queries, with limits of its own, since
/// commits wait meanwhile.
@Suite struct RelatedLimitTests {
    private static let selection = "id box { items { items { id } nextToken } }"

    private func hub(_ change: (inout HubLimits) -> Void) throws -> HubFixture {
        var limits = HubLimits()
        change(&limits)
        let hub = try HubFixture(ConformanceSchema.schema, limits: limits)
        hub.send("mutation { createBox(input: {id: \"b\"}) { id } }")
        for number in 0..<20 { hub.send(create("\(number)", "id")) }
        return hub
    }

    private func create(_ id: String, _ selection: String) -> String {
        "mutation { createItem(input: {id: \"\(id)\", weight: 1, boxID: \"b\"}) { \(selection) } }"
    }

    // MARK: Mutations

    @Test func aMutationsAnswerLooksAtSoManyRowsAndIsCarriedOutAllTheSame() throws {
        let hub = try hub { $0.relatedRows = 8 }
        let first = hub.send(create("x", Self.selection))
        #expect(first["errors"] == nil)
        #expect(first.result?["box"]?["items"]?["items"]?.array?.count == 8)
        #expect(first.result?["box"]?["items"]?["nextToken"]?.string != nil)
        // All of a request's mutations share it.
        let two = hub.send(
            """
            mutation {
              a: createItem(input: {id: "y", weight: 1, boxID: "b"}) { \(Self.selection) }
              b: createItem(input: {id: "z", weight: 1, boxID: "b"}) { \(Self.selection) }
            }
            """)
        #expect(two["data"]?["a"]?["box"]?["items"]?["items"]?.array?.count == 8)
        #expect(two["data"]?["b"] == ["id": "z", "box": .null])
        #expect(two.errorType == "ResolverExecutionLimitReached")
        #expect(two["errors"]?[0]?["path"] == ["b", "box"])
        #expect(two["errors"]?[0]?["locations"]?[0]?["line"]?.integer == 3)
        // Queries have their own.
        #expect(hub.send("{ listItems { items { id } } }").result?["items"]?.array?.count == 23)
    }

    @Test func itHasATimeAndABoundOfResolversAndBytes() throws {
        let late = try hub { $0.relatedMilliseconds = -1 }
        let timed = late.send(create("x", Self.selection))
        #expect(timed.result == ["id": "x", "box": .null])
        #expect(timed.errorType == "ExecutionTimeout")
        #expect(late.send("{ getItem(id: \"x\") { id box { id } } }")["errors"] == nil)

        let few = try hub { $0.resolvers = 1 }
        let answer = few.send(create("x", Self.selection))
        #expect(answer.result == ["id": "x", "box": ["items": .null]])
        #expect(answer.errorType == "ResolverExecutionLimitReached")

        let short = try hub { $0.answerBytes = 10 }
        let cut = short.send(
            """
            mutation {
              a: createItem(input: {id: "y", weight: 1, boxID: "b"}) { id }
              b: createItem(input: {id: "z", weight: 1, boxID: "b"}) { id box { id } }
            }
            """)
        #expect(cut["data"] == ["a": ["id": "y"], "b": ["id": "z", "box": .null]])
        #expect(cut.errorType == "LimitExceededError")
    }

    @Test func howDeepTheyNestIsLimitedAsInQueries() throws {
        let hub = try hub { $0.depth = 4 }
        #expect(hub.send(create("x", "id box { items { nextToken } }"))["errors"] == nil)
        #expect(hub.send(create("y", Self.selection)).errorType == "QueryDepthLimitReached")
        #expect(hub.send("{ getItem(id: \"y\") { id } }").result == .null)
        var floor = RealtimeFixture(hub)
        floor.connect(1)
        floor.start(1, "s", "subscription { onCreateItem { \(Self.selection) } }")
        #expect(floor.lastError(1)?["errorType"] == "QueryDepthLimitReached")
    }

    // MARK: Events

    @Test func theEventsOfAConnectionShareOneBudgetAndOthersHaveTheirs() throws {
        var floor = RealtimeFixture(try hub { $0.relatedRows = 8 })
        for connection in [1, 2] as [UInt64] {
            floor.connect(connection)
            floor.start(connection, "s", "subscription { onCreateItem { \(Self.selection) } }")
        }
        floor.start(1, "t", "subscription { onCreateItem { \(Self.selection) } }")
        floor.mutate(create("x", "id"))
        let first = floor.data(1)
        #expect(first.count == 2)
        #expect(first[0]["box"]?["items"]?["items"]?.array?.count == 8)
        #expect(first[1] == ["id": "x", "box": .null])
        let refused = floor.inbox[1]?.last?["payload"]?["errors"]?[0]
        #expect(refused?["errorType"] == "ResolverExecutionLimitReached")
        #expect(refused?["path"] == ["onCreateItem", "box"])
        #expect(floor.data(2)[0]["box"]?["items"]?["items"]?.array?.count == 8)
        // The next changes begin anew.
        floor.mutate(create("y", "id"))
        #expect(floor.data(1)[2]["box"]?["items"]?["items"]?.array?.count == 8)
    }

    @Test func anEventWhoseRelationsTakeTooLongComesWithoutThem() throws {
        var floor = RealtimeFixture(try hub { $0.relatedMilliseconds = -1 })
        floor.connect(1)
        floor.start(1, "s", "subscription { onCreateItem { \(Self.selection) } }")
        floor.start(1, "plain", "subscription { onCreateItem { id weight } }")
        floor.mutate(create("x", "id"))
        #expect(Set(floor.data(1)) == [["id": "x", "box": .null], ["id": "x", "weight": 1]])
        let errors = (floor.inbox[1] ?? []).compactMap { $0["payload"]?["errors"]?[0]?["errorType"]?.string }
        #expect(errors == ["ExecutionTimeout"])
    }

    @Test func timeThatOthersTakeDoesNotCount() throws {
        let time = ManualTimeSource()
        var limits = HubLimits()
        limits.relatedMilliseconds = 10
        var budget = RequestBudget(limits.besideCommits, time)
        try budget.resolve()
        let pause = budget.pause()
        time.advance(milliseconds: 1_000)
        budget.resume(after: pause)
        try budget.resolve()
        time.advance(milliseconds: 11)
        #expect(throws: (any Error).self) { try budget.resolve() }
    }

    // MARK: In all

    @Test func aCallerHasABurstAndATenthOfTheTime() {
        var allowance = CommitTimeAllowance(capacity: 1000)
        #expect(allowance.milliseconds(of: "ann", now: 0) == 1000)
        allowance.spend(700, by: "ann", now: 1000)
        allowance.spend(0, by: "bob", now: 1000)
        #expect(allowance.milliseconds(of: "ann", now: 1000) == 300)
        #expect(allowance.milliseconds(of: "bob", now: 1000) == 1000)
        #expect(allowance.milliseconds(of: "ann", now: 2000) == 400)
        allowance.spend(600, by: "ann", now: 2000)
        #expect(allowance.milliseconds(of: "ann", now: 2000) == -200)
        #expect(allowance.milliseconds(of: "ann", now: 4000) == 0)
        #expect(allowance.milliseconds(of: "ann", now: 60_000) == 1000)
        // Without end, whatever is asked: a tenth.
        var (now, spent) = (100_000, 0) as (Int64, Int64)
        while now < 1_100_000 {
            let take = min(50, allowance.milliseconds(of: "ann", now: now))
            allowance.spend(take, by: "ann", now: now + max(take, 0))
            spent += max(take, 0)
            now += max(take, 1)
        }
        #expect(spent > 90_000 && spent < 105_000, "\(spent)")
        // Many come and go.
        for number in 0..<3000 { allowance.spend(1, by: "\(number)", now: 2_000_000 + Int64(number)) }
        #expect(allowance.milliseconds(of: "2999", now: 2_003_000) == 999)
    }

    @Test func whoHasSpentHisTimeIsAnsweredWithoutRelationsUntilItIsBack() throws {
        let hub = try hub { $0.relatedMilliseconds = 100 }
        let caller = try hub.core.engine.authenticator.caller(Credentials(apiKey: "all"), now: 0).get()
        hub.core.reader.besideCommits(for: caller) { hub.time.advance(milliseconds: 150) }
        let spent = hub.send(create("x", Self.selection))
        #expect(spent.result == ["id": "x", "box": .null])
        #expect(spent.errorType == "ExecutionTimeout")
        #expect(hub.send(create("y", "id"))["errors"] == nil)
        #expect(hub.send("{ getItem(id: \"x\") { box { id } } }")["errors"] == nil, "queries make no commit wait")
        hub.time.advance(milliseconds: 600)
        #expect(hub.send(create("z", Self.selection))["errors"] == nil)
    }

    @Test func allTokensOfAPersonAreOneCallerAndKeysAreTheirOwn() {
        func caller(_ source: Caller.Source, _ person: String?, _ fingerprint: String) -> String {
            Caller(groups: [], person: person, source: source, fingerprint: fingerprint).payer
        }
        #expect(caller(.person(generation: 1), "ann", "a") == caller(.issuer("i", key: nil), "ann", "b"))
        #expect(caller(.person(generation: 1), "ann", "a") != caller(.person(generation: 1), "bob", "a"))
        #expect(caller(.storedKey("1"), "ann", "a") != caller(.storedKey("2"), "ann", "b"))
        #expect(caller(.issuer("i", key: nil), nil, "b") == "b")
    }
}
