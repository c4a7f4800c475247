import Basics
import GraphQL
import Models
import Testing

@testable import Hub

@Suite struct IdempotencyTests {
    private let create = "mutation M($i: CreateNoteInput!) { m0: createNote(input: $i) { id title size _version } }"
    private let update =
        "mutation M($i: UpdateNoteInput!) { m0: updateNote(input: $i) { id title tags size _version } }"

    @Test func aRetriedMutationIsAnsweredAndNotAppliedAgain() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a", "tags": ["x"]])
        let input: JSONValue = ["i": ["id": "1", "tags": ["y"], "_version": 0]]
        let first = hub.send(update, input, device: "T1", ids: ["m0": "u-1"])
        #expect(first.result?["tags"] == ["x", "y"])
        let again = hub.send(update, input, device: "T1", ids: ["m0": "u-1"])
        #expect(again == first)
        #expect(hub.events.count == 2)
    }

    @Test func aRetryIsAnsweredWithTheRecordAsItWasThen() throws {
        let hub = try HubFixture()
        let input: JSONValue = ["i": ["id": "1", "title": "a", "size": 1]]
        let first = hub.send(create, input, device: "T1", ids: ["m0": "c-1"])
        hub.update(["id": "1", "size": 2, "_version": 1])
        hub.delete("1", version: 2)
        #expect(hub.send(create, input, device: "T1", ids: ["m0": "c-1"]) == first)
    }

    @Test func oneDevicesMutationIdSaysNothingToAnother() throws {
        let hub = try HubFixture()
        hub.send(create, ["i": ["id": "1", "title": "secret"]], device: "T1", ids: ["m0": "c-1"])
        let other = hub.send(create, ["i": ["id": "2", "title": "own"]], device: "T2", ids: ["m0": "c-1"])
        #expect(other.result?["id"] == "2")
    }

    @Test func aPersonsMutationIdHoldsAtEveryTerminal() throws {
        let hub = try HubFixture(
            Schema(
                sdl: """
                    type Shelf @model
                    @auth(rules: [{ allow: groups, groups: ["everyone"], operations: [create, update, delete, read] }]) {
                      id: ID! count: Int @counter
                    }
                    """))
        hub.send("mutation { createShelf(input: {id: \"s\"}) { id } }")
        let body: JSONValue = [
            "query": "mutation { m: updateShelf(input: {id: \"s\", _version: 1}) { count } }",
            "extensions": ["bincount": ["mutationIds": ["m": "x"], "operations": ["m": ["count": ["increment": 5]]]]],
        ]
        func add(_ person: String?, _ device: String) throws -> JSONValue? {
            try JSONValue(parsing: hub.raw(body.bytes, person: person, device: device).body).result?["count"]
        }
        #expect(try add("ann", "T1") == 5)
        #expect(try add("ann", "T2") == 5, "her outbox has moved to another terminal")
        #expect(try add("bob", "T1") == 10, "another's id is another")
        #expect(try add(nil, "T1") == 15)
        #expect(try add(nil, "T1") == 15)
        #expect(try add(nil, "T2") == 20)
    }

    @Test func whatWasNotedForAPersonAtOneTerminalIsStillKnownThere() throws {
        let hub = try HubFixture()
        let input: JSONValue = ["i": ["id": "1", "title": "a"]]
        let first = hub.send(create, input, person: "ann", device: "T1", ids: ["m0": "c-1"])
        // As a hub of before noted it.
        let former = Int64(bitPattern: FNV1a("d:T1|p:ann").value)
        try hub.connection.run("UPDATE _mutations SET scope=?", [.integer(former)])
        hub.delete("1", version: 1)
        #expect(hub.send(create, input, person: "ann", device: "T1", ids: ["m0": "c-1"]) == first)
        #expect(hub.send(create, input, person: "ann", device: "T2", ids: ["m0": "c-1"]).result == .null)
        #expect(hub.send(create, input, person: "bob", device: "T1", ids: ["m0": "c-1"]).result == .null)
    }

    @Test func aRefusedMutationMayBeTriedAgainUnderItsId() throws {
        let hub = try HubFixture()
        let input: JSONValue = ["i": ["id": "1", "title": "a", "_version": 1]]
        #expect(hub.send(update, input, device: "T1", ids: ["m0": "u"]).errorType == "ConditionalCheckFailedException")
        hub.create(["id": "1", "title": "b"])
        #expect(hub.send(update, input, device: "T1", ids: ["m0": "u"]).result?["_version"] == 2)
    }

    @Test func theSameIdTwiceInOneBatchIsAppliedOnce() throws {
        let hub = try HubFixture()
        let json = hub.send(
            "mutation { a: createNote(input: {title: \"t\"}) { id } b: createNote(input: {title: \"t\"}) { id } }",
            device: "T1", ids: ["a": "same", "b": "same"])
        #expect(json["data"]?["a"] == json["data"]?["b"])
        #expect(hub.syncAll().items.count == 1)
    }

    @Test func aBatchOfCreatesCostsThreeStatementsEachAndOneCommit() throws {
        let hub = try HubFixture()
        let aliases = (0..<25).map { "m\($0)" }
        let fields = aliases.map { "\($0): createNote(input: {title: \"t\"}) { id }" }.joined(separator: " ")
        let ids = JSONValue.object(JSONObject(aliases.map { (key: $0, value: .string("id-" + $0)) }))
        hub.create(["title": "prepares the statements"])
        let statements = hub.connection.recordingStatements {
            hub.send("mutation { \(fields) }", device: "T1", ids: ids)
        }
        #expect(statements.count { $0 == "COMMIT" } == 1)
        // Is the id known, the row, the id with what it did; and once: begin, clock, commit.
        #expect(statements.count <= 25 * 3 + 3, "\(statements.count)")
    }

    @Test func everyAnswerAnnouncesTheExtensions() throws {
        let hub = try HubFixture()
        let announced = hub.create(["title": "a"])["extensions"]?["bincount"]
        #expect(announced?["mutationIds"] == true)
        #expect(announced?["batch"] == 100)
        #expect(announced?["epoch"]?.string == hub.core.epoch)
    }
}
