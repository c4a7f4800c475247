import AppSync
import Basics
import Testing

@testable import Hub

/// A registry over a hub whose connections speak `graphql-transport-ws`.
private struct TransportFixture {
    var floor: RealtimeFixture

    init(_ hub: HubFixture) {
        floor = RealtimeFixture(hub)
    }

    mutating func open(_ id: UInt64, key: String? = "all", in payload: Bool = true) {
        let fields: JSONObject = key.map { ["x-api-key": .string($0)] } ?? [:]
        floor.registry.opened(id, .object(RealtimeAuthorization(payload ? [:] : fields)), .transport)
        send(id, GraphQLTransportFrame.connectionInit(payload: payload ? fields : [:]))
    }

    mutating func send(_ id: UInt64, _ message: GraphQLTransportFrame) {
        floor.perform(floor.registry.received(id, message.bytes))
        for operation in floor.registry.takeOperations() {
            let outcome = floor.hub.core.execute([operation.request])
            floor.perform(floor.registry.answered(operation.name, outcome.answers[0]))
            floor.perform(floor.registry.publish(outcome.events))
        }
    }

    mutating func subscribe(_ connection: UInt64, _ id: String, _ query: String, _ variables: JSONValue = [:]) {
        let request: JSONValue = ["query": .string(query), "variables": variables]
        send(connection, .subscribe(id: id, request: request.bytes))
    }

    func last(_ id: UInt64) -> JSONValue? { floor.inbox[id]?.last }
}

@Suite struct TransportProtocolTests {
    @Test func theHandshakeIsAcknowledgedAndPingsAreAnswered() throws {
        var floor = TransportFixture(try HubFixture())
        floor.open(1)
        #expect(floor.floor.inbox[1] == [["type": "connection_ack"]])
        floor.send(1, .ping(payload: ["n": 1]))
        #expect(floor.last(1) == ["type": "pong", "payload": ["n": 1]])
        floor.send(1, .pong(payload: nil))
        #expect(floor.floor.inbox[1]?.count == 2)
        floor.floor.perform(floor.floor.registry.keepAlive())
        #expect(floor.last(1) == ["type": "ping"])
        floor.open(2, in: false)
        #expect(floor.last(2) == ["type": "connection_ack"])
    }

    @Test func queriesMutationsAndSubscriptionsAreAnsweredByTheirIds() throws {
        var floor = TransportFixture(try HubFixture())
        floor.open(1)
        floor.subscribe(1, "s", "subscription { onCreateNote { id title } }")
        #expect(floor.floor.inbox[1]?.count == 1)
        floor.subscribe(
            1, "m", "mutation M($i: CreateNoteInput!) { createNote(input: $i) { id } }",
            ["i": ["id": "1", "title": "t"]])
        floor.subscribe(1, "q", "{ getNote(id: \"1\") { title _version } }")
        let messages = (floor.floor.inbox[1] ?? []).dropFirst()
        let types = messages.map { "\($0["type"]?.string ?? "") \($0["id"]?.string ?? "")" }
        #expect(types == ["next m", "complete m", "next s", "next q", "complete q"])
        #expect(
            messages.first { $0["id"] == "s" }?["payload"] == ["data": ["onCreateNote": ["id": "1", "title": "t"]]])
        #expect(messages.first { $0["id"] == "q" }?["payload"]?["data"]?["getNote"]?["title"] == "t")
        floor.send(1, .complete(id: "s"))
        floor.floor.mutate("mutation { createNote(input: {id: \"2\", title: \"t\"}) { id } }")
        #expect(floor.floor.inbox[1]?.count == 6)
        #expect(floor.floor.registry.subscriptionCount == 0)
    }

    @Test func aBadOperationIsAnErrorOfItsIdAndTheConnectionStays() throws {
        var floor = TransportFixture(try HubFixture())
        floor.open(1)
        for query in ["{ nope }", "{", "subscription { onCreateNote { nope } }"] {
            floor.subscribe(1, "e", query)
            #expect(floor.last(1)?["type"] == "error")
            #expect(floor.last(1)?["id"] == "e")
            #expect(floor.last(1)?["payload"]?[0]?["message"]?.string?.isEmpty == false)
        }
        floor.subscribe(1, "f", "mutation { createBox(input: {id: \"1\"}) { id } }")
        #expect(floor.last(1)?["type"] == "error")
        floor.subscribe(1, "g", "{ getDiary(id: \"1\") { id } listNotes { items { id } } }")
        #expect(floor.last(1)?["type"] == "complete")
        #expect(floor.floor.closed.isEmpty)
    }

    @Test func whatBreaksTheProtocolClosesWithItsCode() throws {
        var floor = TransportFixture(try HubFixture())
        func code(_ id: UInt64) -> UInt16? { floor.floor.closed[id] }
        floor.floor.registry.opened(1, .object(RealtimeAuthorization()), .transport)
        floor.subscribe(1, "a", "{ __typename }")
        #expect(code(1) == 4401)
        floor.open(2, key: "wrong")
        #expect(code(2) == 4403)
        floor.open(3, key: nil)
        #expect(code(3) == 4403)
        floor.open(4)
        floor.send(4, .connectionInit(payload: [:]))
        #expect(code(4) == 4429)
        floor.open(5)
        floor.subscribe(5, "a", "subscription { onCreateNote { id } }")
        floor.subscribe(5, "a", "subscription { onCreateNote { id } }")
        #expect(code(5) == 4409)
        let broken = [
            "", "{", "[]", "{\"type\":5}", "{\"type\":\"start\"}", "{\"type\":\"subscribe\"}",
            "{\"type\":\"subscribe\",\"id\":\"\",\"payload\":{\"query\":\"{a}\"}}",
            "{\"type\":\"subscribe\",\"id\":\"1\"}", "{\"type\":\"connection_init\",\"payload\":5}",
            "{\"type\":\"connection_ack\"}", "{\"type\":\"next\",\"id\":\"1\",\"payload\":{}}",
        ]
        for (number, text) in broken.enumerated() {
            let id = UInt64(100 + number)
            floor.open(id)
            floor.floor.send(id, text)
            #expect(code(id) == 4400, "\(text)")
        }
    }

    @Test func whoNeverSaysWhoHeIsAndWhoHasLivedADayAreEnded() throws {
        let hub = try HubFixture()
        var floor = TransportFixture(hub)
        floor.floor.registry.opened(1, .object(RealtimeAuthorization()), .transport)
        floor.floor.registry.opened(2, .object(RealtimeFixture.authorization("all")))
        floor.open(3)
        floor.floor.connect(4)
        let limits = HubLimits()
        hub.time.advance(milliseconds: limits.handshakeMilliseconds - 1)
        floor.floor.perform(floor.floor.registry.sweep())
        #expect(floor.floor.closed.isEmpty)
        hub.time.advance(milliseconds: 1)
        floor.floor.perform(floor.floor.registry.sweep())
        #expect(floor.floor.closed == [1: 4408, 2: 1008])
        floor.floor.registry.closed(1)
        floor.floor.registry.closed(2)
        hub.time.advance(milliseconds: limits.connectionMilliseconds)
        floor.floor.perform(floor.floor.registry.sweep())
        #expect(floor.floor.closed == [1: 4408, 2: 1008, 3: 1012, 4: 1011])
    }

    @Test func moreFramesThanTheAllowanceEndTheConnection() throws {
        let hub = try HubFixture()
        var floor = TransportFixture(hub)
        floor.open(1)
        let limits = HubLimits()
        for _ in 1..<limits.frameBurst { floor.send(1, .pong(payload: nil)) }
        #expect(floor.floor.closed.isEmpty)
        hub.time.advance(milliseconds: 1000)
        for _ in 0..<limits.framesPerSecond { floor.send(1, .pong(payload: nil)) }
        #expect(floor.floor.closed.isEmpty)
        floor.send(1, .pong(payload: nil))
        #expect(floor.floor.closed == [1: 1008])
    }

    @Test func operationsUnderWayCountAsSubscriptionsDo() throws {
        var floor = TransportFixture(try HubFixture())
        floor.open(1)
        for number in 0..<HubLimits().subscriptions {
            floor.subscribe(1, "\(number)", "subscription { onCreateNote { id } }")
        }
        floor.subscribe(1, "more", "{ __typename }")
        #expect(floor.last(1)?["payload"]?[0]?["errorType"] == "MaxSubscriptionsReachedError")
        floor.floor.registry.closed(1)
        #expect(floor.floor.registry.subscriptionCount == 0)
    }

    /// Whoever says `complete` waits for no answer, but what he asked goes on: his share is taken until it has ended, and its
    /// answer is not that of another operation under the same id.
    @Test func anOperationThatNobodyWaitsForCountsUntilItHasEnded() throws {
        var floor = TransportFixture(try HubFixture())
        floor.open(1)
        func subscribe(_ id: String, _ title: String) {
            let query = "mutation { createNote(input: {id: \"\(title)\", title: \"\(title)\"}) { id } }"
            let message = GraphQLTransportFrame.subscribe(
                id: id, request: (["query": .string(query)] as JSONValue).bytes)
            floor.floor.perform(floor.floor.registry.received(1, message.bytes))
        }
        func complete(_ id: String) {
            floor.floor.perform(
                floor.floor.registry.received(1, GraphQLTransportFrame.complete(id: id).bytes))
        }
        for number in 0..<HubLimits().subscriptions {
            subscribe("same", "n\(number)")
            complete("same")
        }
        subscribe("same", "more")
        #expect(floor.last(1)?["payload"]?[0]?["errorType"] == "MaxSubscriptionsReachedError")
        let operations = floor.floor.registry.takeOperations()
        #expect(operations.count == HubLimits().subscriptions)
        let before = floor.floor.inbox[1]?.count
        let answer = floor.floor.hub.core.execute([operations[0].request]).answers[0]
        floor.floor.perform(floor.floor.registry.answered(operations[0].name, answer))
        #expect(floor.floor.inbox[1]?.count == before, "nobody waits for it")
        subscribe("same", "last")
        let last = try #require(floor.floor.registry.takeOperations().first)
        floor.floor.perform(floor.floor.registry.answered(operations[1].name, answer))
        #expect(floor.floor.inbox[1]?.count == before, "the answer to another under that id")
        let own = floor.floor.hub.core.execute([last.request]).answers[0]
        floor.floor.perform(floor.floor.registry.answered(last.name, own))
        #expect(floor.floor.inbox[1]?.suffix(2).map { $0["type"] } == ["next", "complete"])
        #expect(floor.floor.inbox[1]?.suffix(2).first?["payload"]?["data"]?["createNote"]?["id"] == "last")
    }

    @Test func messagesThatAreNoneNeverStopTheRegistry() throws {
        var floor = TransportFixture(try HubFixture())
        let seed = GraphQLTransportFrame.subscribe(
            id: "1", request: Array("{\"query\":\"subscription { onCreateNote { id } }\"}".utf8)
        ).bytes
        var random = SplitMix64(seed: 11)
        for number in 0..<1500 as Range<UInt64> {
            floor.open(number)
            var bytes = seed
            for _ in 0..<(1 + random.next() % 5) {
                let place = Int(random.next() % UInt64(bytes.count))
                if random.next() % 2 == 0 {
                    bytes[place] = UInt8(truncatingIfNeeded: random.next())
                } else {
                    bytes.remove(at: place)
                }
            }
            floor.floor.perform(floor.floor.registry.received(number, bytes))
            floor.floor.registry.closed(number)
        }
        #expect(floor.floor.registry.subscriptionCount == 0)
        #expect(floor.floor.registry.connectionCount == 0)
    }

    @Test func theEndOfTheHubTellsEachProtocolToComeBack() throws {
        var floor = TransportFixture(try HubFixture())
        floor.open(1)
        floor.floor.connect(2)
        floor.floor.perform(floor.floor.registry.shutdown())
        #expect(floor.floor.closed == [1: 1012, 2: 1011])
    }

    @Test func rightsThatAreWithdrawnEndASubscriptionInTheProtocolsOwnWay() throws {
        var floor = TransportFixture(try HubFixture())
        floor.open(1)
        floor.subscribe(1, "a", "subscription { onCreateNote { id } }")
        let member = try #require(floor.floor.registry.groups.values.first?.members.first)
        let failed = member.ending([.denied("onCreateNote", on: "Subscription")])
        #expect(failed.map { (try? JSONValue(parsing: $0))?["type"] } == ["error"])
        #expect(member.ending([]) == [GraphQLTransportFrame.complete(id: "a").bytes])
    }
}
