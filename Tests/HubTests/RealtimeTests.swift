import AppSync
import Basics
import Testing
import WarehouseModels

@testable import Hub

/// A registry over a hub, and what each of its connections got.
struct RealtimeFixture {
    let hub: HubFixture
    var registry: SubscriptionRegistry
    var inbox: [UInt64: [JSONValue]] = [:]
    var closed: [UInt64: UInt16] = [:]

    init(_ hub: HubFixture) {
        self.hub = hub
        registry = SubscriptionRegistry(core: hub.core)
    }

    static func authorization(_ key: String, _ person: String? = nil, _ device: String? = nil) -> RealtimeAuthorization
    {
        RealtimeAuthorization(host: "h", apiKey: key, person: person, device: device)
    }

    mutating func perform(_ actions: [RealtimeAction]) {
        for action in actions {
            switch action {
            case .send(let targets, let frame):
                let json = (try? JSONValue(parsing: frame)) ?? .null
                for target in targets { inbox[target, default: []].append(json) }
            case .close(let target, let code, _): closed[target] = code
            }
        }
    }

    mutating func connect(_ id: UInt64, _ key: String = "all", person: String? = nil) {
        registry.opened(id, .object(Self.authorization(key, person)))
        send(id, "{\"type\":\"connection_init\",\"payload\":{}}")
    }

    mutating func send(_ id: UInt64, _ text: String) { perform(registry.received(id, Array(text.utf8))) }

    mutating func start(
        _ connection: UInt64, _ id: String, _ query: String, _ variables: JSONValue = [:], key: String = "all",
        person: String? = nil, extensions: JSONValue = [:]
    ) {
        let data: JSONValue = ["query": .string(query), "variables": variables, "extensions": extensions]
        perform(
            registry.received(
                connection,
                RealtimeFrame.start(id: id, data: data.text, authorization: Self.authorization(key, person)).bytes))
    }

    /// Runs requests and publishes what they changed.
    mutating func mutate(_ query: String, _ variables: JSONValue = [:], key: String = "all", person: String? = nil) {
        let body: JSONValue = ["query": .string(query), "variables": variables]
        let outcome = hub.core.execute([HubRequest(apiKey: key, person: person, body: body.bytes)])
        perform(registry.publish(outcome.events))
    }

    /// The types of the frames that a connection got.
    func types(_ id: UInt64) -> [String] { (inbox[id] ?? []).compactMap { $0["type"]?.string } }
    /// The payloads of its data frames.
    func data(_ id: UInt64) -> [JSONValue] {
        (inbox[id] ?? []).filter { $0["type"] == "data" }.compactMap {
            $0["payload"]?["data"]?.object?.members.first?.value
        }
    }
    func lastError(_ id: UInt64) -> JSONValue? { inbox[id]?.last?["payload"]?["errors"]?[0] }
}

@Suite struct RealtimeTests {
    @Test func theHandshakeGivesAckWithTheTimeoutAndThenKa() throws {
        var floor = RealtimeFixture(try HubFixture())
        floor.start(1, "early", "subscription { onCreateNote { id } }")
        floor.registry.opened(1, .object(RealtimeFixture.authorization("all")))
        floor.start(1, "early", "subscription { onCreateNote { id } }")
        #expect(floor.inbox[1] == nil)
        floor.send(1, "{\"type\":\"connection_init\"}")
        #expect(
            floor.inbox[1] == [
                ["type": "connection_ack", "payload": ["connectionTimeoutMs": 300_000]], ["type": "ka"],
            ])
        floor.perform(floor.registry.keepAlive())
        #expect(floor.types(1) == ["connection_ack", "ka", "ka"])
    }

    @Test func badCredentialsGetAConnectionErrorAndThenTheClose() throws {
        var floor = RealtimeFixture(try HubFixture())
        let cases: [(RealtimeCredentials, String)] = [
            (.object(RealtimeFixture.authorization("wrong")), "You are not authorized to make this call."),
            (.object(RealtimeAuthorization()), "Required headers are missing."), (.noProtocol, "NoProtocolError"),
            (.malformed, "The authorization header is malformed."),
        ]
        for (index, (credentials, message)) in cases.enumerated() {
            let id = UInt64(index)
            floor.registry.opened(id, credentials)
            #expect(floor.closed[id] == nil)
            floor.send(id, "{\"type\":\"connection_init\"}")
            #expect(floor.types(id) == ["connection_error"])
            #expect(floor.lastError(id)?["message"]?.string == message)
            #expect(floor.closed[id] != nil)
        }
    }

    @Test func changesArriveInCommitOrderAfterTheStartAck() throws {
        var floor = RealtimeFixture(try HubFixture())
        floor.connect(1)
        floor.mutate("mutation { createNote(input: {id: \"0\", title: \"before\"}) { id } }")
        floor.start(1, "a", "subscription S { onCreateNote { id title body _version _deleted } }")
        floor.start(1, "b", "subscription { x: onUpdateNote { id _version } }")
        floor.start(1, "c", "subscription { onDeleteNote { id _deleted } }")
        floor.mutate(
            "mutation { a: createNote(input: {id: \"1\", title: \"t\"}) { id } b: createNote(input: {id: \"2\", title: \"t\"}) { id } }"
        )
        floor.mutate("mutation { updateNote(input: {id: \"1\", body: \"b\", _version: 1}) { id } }")
        floor.mutate("mutation { updateNote(input: {id: \"9\", body: \"b\", _version: 1}) { id } }")
        floor.mutate("mutation { deleteNote(input: {id: \"1\", _version: 2}) { id } }")
        #expect(
            floor.types(1) == [
                "connection_ack", "ka", "start_ack", "start_ack", "start_ack", "data", "data", "data", "data",
            ])
        #expect(
            floor.data(1) == [
                ["id": "1", "title": "t", "body": .null, "_version": 1, "_deleted": .null],
                ["id": "2", "title": "t", "body": .null, "_version": 1, "_deleted": .null],
                ["id": "1", "_version": 2], ["id": "1", "_deleted": true],
            ])
        #expect(floor.inbox[1]?[7]["payload"] == ["data": ["x": ["id": "1", "_version": 2]]])
    }

    @Test func stopIsAnsweredAndTheOthersGoOn() throws {
        var floor = RealtimeFixture(try HubFixture())
        floor.connect(1)
        floor.start(1, "1", "subscription { onCreateNote { id } }")
        floor.start(1, "2", "subscription { onCreateNote { title } }")
        floor.send(1, "{\"id\":\"1\",\"type\":\"stop\"}")
        #expect(floor.inbox[1]?.last == ["id": "1", "type": "complete"])
        floor.send(1, "{\"id\":\"unknown\",\"type\":\"stop\"}")
        #expect(floor.inbox[1]?.last == ["id": "unknown", "type": "complete"])
        floor.mutate("mutation { createNote(input: {id: \"1\", title: \"t\"}) { id } }")
        #expect(floor.data(1) == [["title": "t"]])
        floor.registry.closed(1)
        #expect(floor.registry.subscriptionCount == 0)
        floor.mutate("mutation { createNote(input: {id: \"2\", title: \"t\"}) { id } }")
        #expect(floor.data(1).count == 1)
    }

    @Test func aBadStartIsRefusedByItsIdAndTheSocketStays() throws {
        var floor = RealtimeFixture(try HubFixture())
        floor.connect(1)
        floor.start(1, "a", "subscription { onCreateNote { nope } }")
        #expect(floor.lastError(1)?["message"]?.string?.contains("FieldUndefined") == true)
        floor.start(1, "b", "subscription {")
        #expect(floor.inbox[1]?.last?["id"] == "b")
        floor.start(1, "c", "{ listNotes { nextToken } }")
        #expect(floor.lastError(1)?["errorType"] == "UnsupportedOperation")
        floor.start(1, "d", "subscription { onCreateNote { id } }", key: "wrong")
        #expect(floor.lastError(1)?["errorType"] == "UnauthorizedException")
        floor.start(1, "e", "subscription { onCreateNote { id } }", key: "counter")
        #expect(floor.lastError(1)?["errorType"] == "Unauthorized")
        floor.start(
            1, "n", "subscription S($f: ModelSubscriptionNoteFilterInput) { onCreateNote(filter: $f) { id } }",
            ["f": ["not": ["size": ["eq": 1]]]])
        #expect(
            floor.lastError(1)?["message"]?.string?.contains("The variables input contains a field name 'not'") == true)
        floor.start(1, "f", "subscription { onCreateNote { id } }")
        #expect(floor.types(1).last == "start_ack")
        floor.start(1, "f", "subscription { onCreateNote { id } }")
        #expect(floor.lastError(1)?["errorType"] == "DuplicatedOperationError")
        floor.send(1, "{\"type\":\"unknown\"}")
        #expect(floor.lastError(1)?["message"] == "unknown not supported through the realtime channel")
        floor.send(1, "not json")
        #expect(floor.inbox[1]?.last?.object?["id"] == nil)
        #expect(floor.closed.isEmpty)
        for index in 1..<HubLimits().subscriptions {
            floor.start(1, "s\(index)", "subscription { onCreateNote { id } }")
        }
        #expect(floor.types(1).last == "start_ack")
        floor.start(1, "more", "subscription { onCreateNote { id } }")
        #expect(floor.lastError(1)?["errorType"] == "MaxSubscriptionsReachedError")
    }

    @Test func filtersAndSelectionsAreEachSubscribersOwn() throws {
        var floor = RealtimeFixture(try HubFixture())
        floor.connect(1)
        floor.connect(2)
        let query = "subscription S($f: ModelSubscriptionNoteFilterInput) { onCreateNote(filter: $f) { id } }"
        floor.start(1, "1", query, ["f": ["size": ["in": [1, 2]]]])
        floor.start(2, "1", query, ["f": ["or": [["size": ["gt": 1]], ["title": ["beginsWith": "z"]]]]])
        for size in 1...3 {
            floor.mutate("mutation { createNote(input: {id: \"\(size)\", title: \"t\", size: \(size)}) { id } }")
        }
        #expect(floor.data(1) == [["id": "1"], ["id": "2"]])
        #expect(floor.data(2) == [["id": "2"], ["id": "3"]])
    }

    @Test func aBlindCounterHearsOnlyWhatHeMayRead() throws {
        var floor = RealtimeFixture(try HubFixture(warehouse))
        floor.connect(1, "counter", person: "bob")
        floor.connect(2, "super")
        let query = "subscription { onCreateCountEntry { id authorID } }"
        floor.start(1, "1", query, key: "counter", person: "bob")
        floor.start(2, "1", query, key: "super")
        for (id, crew, audience) in [
            ("1", [], []), ("2", ["bob"], []), ("3", [], ["counters"]), ("4", ["bobo"], ["desk"]),
        ] as [(String, [String], [String])] {
            floor.mutate(
                RightsTests.createEntry, ["i": RightsTests.entry(id, author: "ann", crew: crew, audience: audience)],
                key: "counter", person: "ann")
        }
        #expect(floor.data(1).compactMap { $0["id"]?.string } == ["2", "3"])
        #expect(floor.data(2).count == 4)
        for model in ["BookLine", "LineVerdict", "Decision", "Rule", "ExportDocument", "TaskPlan", "ItemCost"] {
            floor.start(1, "x" + model, "subscription { onCreate\(model) { id } }", key: "counter", person: "bob")
            #expect(floor.lastError(1)?["errorType"] == "Unauthorized")
        }
    }

    @Test func anOwnerArgumentMustBeTheCaller() throws {
        var floor = RealtimeFixture(try HubFixture())
        floor.connect(1)
        let query = "subscription S($o: String) { onCreateDiary(author: $o) { text } }"
        floor.start(1, "1", query, ["o": "bob"], person: "ann")
        #expect(floor.lastError(1)?["errorType"] == "Unauthorized")
        floor.start(1, "2", query, ["o": "ann"], person: "ann")
        floor.start(1, "3", query, person: "ann")
        floor.mutate("mutation { createDiary(input: {text: \"a\"}) { id } }", person: "ann")
        floor.mutate("mutation { createDiary(input: {text: \"b\"}) { id } }", person: "bob")
        #expect(floor.data(1) == [["text": "a"], ["text": "a"]])
    }

    @Test func aSharedPayloadIsEncodedOnceForAllWhoAreAlike() throws {
        var floor = RealtimeFixture(try HubFixture())
        for id in 1...80 as ClosedRange<UInt64> {
            floor.connect(id)
            floor.start(id, id % 2 == 0 ? "1" : "2", "subscription { onCreateNote { id title } }")
        }
        let body: JSONValue = ["query": "mutation { createNote(input: {id: \"1\", title: \"t\"}) { id } }"]
        let actions = floor.registry.publish(
            floor.hub.core.execute([HubRequest(apiKey: "all", body: body.bytes)]).events)
        #expect(actions.count == 2)
        floor.perform(actions)
        for id in 1...80 as ClosedRange<UInt64> { #expect(floor.data(id) == [["id": "1", "title": "t"]]) }
    }

    @Test func aSubscriptionStartsWithOneRootField() throws {
        var floor = RealtimeFixture(try HubFixture())
        floor.connect(1)
        let query = """
            subscription S($a: Boolean!, $b: Boolean!) {
              onCreateNote @include(if: $a) { id } onUpdateNote @include(if: $b) { id }
            }
            """
        floor.start(1, "1", query, ["a": true, "b": true])
        #expect(floor.lastError(1)?["message"]?.string?.contains("SubscriptionMultipleRootFields") == true)
        floor.start(1, "2", query, ["a": false, "b": false])
        #expect(floor.types(1).last == "error")
        #expect(floor.registry.subscriptionCount == 0)
        floor.start(1, "3", query, ["a": false, "b": true])
        #expect(floor.types(1).last == "start_ack")
    }

    @Test func idsThatOnlyLookAlikeGetFramesOfTheirOwn() throws {
        var floor = RealtimeFixture(try HubFixture())
        for (connection, id) in [(1, "caf\u{E9}"), (2, "cafe\u{301}")] as [(UInt64, String)] {
            floor.connect(connection)
            floor.start(connection, id, "subscription { onCreateNote { id } }")
        }
        floor.mutate("mutation { createNote(input: {id: \"1\", title: \"t\"}) { id } }")
        #expect(floor.inbox[1]?.last?["id"] == "caf\u{E9}")
        #expect(floor.inbox[2]?.last?["id"] == "cafe\u{301}")
    }

    @Test func framesAreHandedOverPieceByPiece() throws {
        var floor = RealtimeFixture(try HubFixture())
        floor.connect(1)
        for id in 1...5 { floor.start(1, "\(id)", "subscription { onCreateNote { a\(id): body } }") }
        let body = String(repeating: "b", count: 1000)
        let text = "mutation { createNote(input: {title: \"t\", body: \"\(body)\"}) { id title body } }"
        let request: JSONValue = ["query": .string(text)]
        let changes = floor.hub.core.execute([HubRequest(apiKey: "all", body: request.bytes)]).events
        var pieces: [Int] = []
        floor.registry.publish(changes, pieceBytes: 2000) { pieces.append($0.count) }
        #expect(pieces == [2, 2, 1])
        #expect(floor.registry.publish(changes).count == 5)
    }

    @Test func aSubscriptionMayFollowRelations() throws {
        var floor = RealtimeFixture(try HubFixture())
        floor.mutate("mutation { createBox(input: {id: \"b\", label: \"box\"}) { id } }")
        floor.connect(1)
        floor.start(1, "1", "subscription { onCreateNote { id box { id _deleted } } }")
        floor.mutate("mutation { createNote(input: {id: \"1\", title: \"t\", boxID: \"b\"}) { id } }")
        #expect(floor.data(1) == [["id": "1", "box": ["id": "b", "_deleted": .null]]])
    }

    @Test func framesThatAreNoneNeverStopTheRegistry() throws {
        var floor = RealtimeFixture(try HubFixture())
        floor.connect(1)
        let seed = Array(
            RealtimeFrame.start(
                id: "1", data: "{\"query\":\"subscription { onCreateNote { id } }\"}",
                authorization: RealtimeFixture.authorization("all")
            ).bytes)
        var random = SplitMix64(seed: 3)
        for _ in 0..<3000 {
            var bytes = seed
            for _ in 0..<(1 + random.next() % 5) {
                let place = Int(random.next() % UInt64(bytes.count))
                if random.next() % 2 == 0 {
                    bytes[place] = UInt8(truncatingIfNeeded: random.next())
                } else {
                    bytes.remove(at: place)
                }
            }
            floor.hub.time.advance(milliseconds: 20)
            floor.perform(floor.registry.received(1, bytes))
        }
        #expect(floor.closed.isEmpty)
        floor.registry.closed(1)
        floor.connect(2)
        floor.start(2, "z", "subscription { onCreateNote { id } }")
        #expect(floor.types(2).last == "start_ack")
    }
}
