import Basics
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
