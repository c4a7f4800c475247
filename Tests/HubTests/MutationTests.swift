import Basics
import Models
import Testing

@testable import Hub

@Suite struct MutationTests {
    @Test func aCreatedRecordHasVersionOneAndTheServersTimes() throws {
        let hub = try HubFixture()
        let note = hub.send(
            "mutation { createNote(input: {title: \"a\", amount: 1.25, tags: [\"x\"], spot: {row: 3}}) "
                + "{ id title amount mood tags spot { row name __typename } createdAt updatedAt _version _deleted } }"
        ).result
        #expect(note?["_version"] == 1)
        #expect(note?["_deleted"] == .null)
        #expect(note?["amount"] == .number("1.25"))
        #expect(note?["mood"] == "calm")
        #expect(note?["spot"]?["row"] == 3)
        #expect(note?["spot"]?["__typename"] == "Spot")
        #expect(note?["createdAt"]?.string == hub.time.now().iso8601)
        #expect(note?["id"]?.string?.count == 36)
    }

    @Test func aSingleValueStandsForAListOfItHoweverItComes() throws {
        // GraphQL (October 2021), §3.11, Input Coercion.
        let schema = try Schema(
            sdl: """
                type Spot { row: Int! tags: [String] }
                type Note @model @auth(rules: [{allow: groups, groups: ["everyone"]}]) {
                  id: ID! tags: [String!] spots: [Spot] spot: Spot
                }
                """)
        let hub = try HubFixture(schema)
        let fields = "{ tags spots { row tags } spot { tags } }"
        let expected: JSONValue = [
            "tags": ["x"], "spots": [["row": 1, "tags": ["y"]]], "spot": ["tags": ["z"]],
        ]
        let literal = "{id: \"1\", tags: \"x\", spots: {row: 1, tags: \"y\"}, spot: {row: 2, tags: \"z\"}}"
        #expect(hub.send("mutation { createNote(input: \(literal)) \(fields) }").result == expected)
        let json: JSONValue = [
            "id": "2", "tags": "x", "spots": ["row": 1, "tags": "y"], "spot": ["row": 2, "tags": "z"],
        ]
        #expect(
            hub.send("mutation M($i: CreateNoteInput!) { createNote(input: $i) \(fields) }", ["i": json]).result
                == expected)
        #expect(hub.send("mutation { createNote(input: {id: \"3\", tags: 7}) { id } }").errorMessage != nil)
    }

    /// Three creates, the second of which does not fit.
    private static let three = """
        mutation B($a: CreateNoteInput!, $b: CreateNoteInput!, $c: CreateNoteInput!) {
          m0: createNote(input: $a) { id _version }
          m1: createNote(input: $b) { id _version }
          m2: createNote(input: $c) { id _version }
        }
        """
    private static let inputs: JSONValue = [
        "a": ["id": "1", "title": "one"], "b": ["id": "2", "title": 5], "c": ["id": "3", "title": "three"],
    ]

    @Test func aBatchOfAliasesAnswersEachAndOneBadOneLeavesTheOthers() throws {
        let hub = try HubFixture()
        let json = hub.send(Self.three, Self.inputs, ids: ["m0": "x", "m1": "y", "m2": "z"])
        #expect(json["data"]?["m0"]?["id"] == "1")
        #expect(json["data"]?["m1"] == .null)
        #expect(json["data"]?["m2"]?["id"] == "3")
        #expect(json["errors"]?[0]?["path"] == ["m1"])
        #expect(hub.syncAll().items.count == 2)
    }

    @Test(arguments: [nil, ["m0": "x", "m2": "z"]] as [JSONValue?])
    func `of a document whose variables do not fit nothing is carried out, unless all of it may be sent again`(
        _ ids: JSONValue?
    ) throws {
        let hub = try HubFixture()
        let json = hub.send(Self.three, Self.inputs, ids: ids)
        #expect(json["data"] == .null)
        #expect(json["errors"]?.array?.count == 1)
        #expect(hub.syncAll().items.isEmpty)
        // Nor of one that may leave some of itself out, which no client of ours sends.
        let choosing = Self.three.replacing(
            "m0: createNote(input: $a)", with: "m0: createNote(input: $a) @skip(if: false)")
        #expect(hub.send(choosing, Self.inputs, ids: ["m0": "x", "m1": "y", "m2": "z"])["data"] == .null)
        #expect(hub.syncAll().items.isEmpty)
    }

    @Test func aMissingVersionIsStaleAndAutomergeKeepsWhatTheServerHas() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "theirs", "tags": ["a"], "spot": ["row": 1]])
        let merged = hub.update([
            "id": "1", "title": "mine", "body": "new", "tags": ["a", "b"], "spot": ["row": 2, "name": "n"],
        ]).result
        #expect(merged?["title"] == "theirs")
        #expect(merged?["body"] == "new")
        #expect(merged?["tags"] == ["a", "a", "b"])
        #expect(merged?["spot"] == ["row": 1, "name": "n"])
        #expect(merged?["_version"] == 2)
    }

    @Test func anUpdateOnTheRightVersionWritesOnlyWhatItNames() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a", "body": "b", "size": 4])
        let note = hub.update(["id": "1", "size": .null, "title": "c", "_version": 1]).result
        #expect(note?["title"] == "c")
        #expect(note?["body"] == "b")
        #expect(note?["size"] == .null)
        #expect(note?["_version"] == 2)
    }

    @Test func aVersionAheadOfTheStoredOneIsAConflictToo() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a"])
        #expect(hub.update(["id": "1", "title": "b", "_version": 9]).result?["title"] == "a")
        #expect(hub.delete("1", version: 9).errorType == "ConflictUnhandled")
    }

    @Test func anExplicitNullInAStaleUpdateErasesNothing() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a", "body": "b"])
        #expect(hub.update(["id": "1", "body": .null, "_version": 7]).result?["body"] == "b")
    }

    @Test func optimisticConcurrencyRefusesAStaleUpdateWithTheServersRecord() throws {
        let hub = try HubFixture()
        hub.send("mutation { createStrict(input: {id: \"1\", title: \"theirs\"}) { id } }")
        let json = hub.send(
            "mutation { updateStrict(input: {id: \"1\", title: \"mine\", _version: 4}) { __typename id title _version } }"
        )
        #expect(json["data"]?["updateStrict"] == .null)
        #expect(json.errorType == "ConflictUnhandled")
        #expect(json.errorMessage == "Conflict resolver rejects mutation.")
        #expect(json["errors"]?[0]?["data"] == ["__typename": "Strict", "id": "1", "title": "theirs", "_version": 1])
        #expect(json["errors"]?[0]?["path"] == ["updateStrict"])
        #expect(json["errors"]?[0]?["locations"]?[0]?["line"] == 1)
    }

    @Test func aStaleDeleteIsRefusedEvenWithAutomerge() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a"])
        hub.update(["id": "1", "title": "b", "_version": 1])
        let json = hub.delete("1", version: 1)
        #expect(json.errorType == "ConflictUnhandled")
        #expect(json["errors"]?[0]?["data"]?["_version"] == 2)
        #expect(hub.delete("1", version: nil).errorType == "ConflictUnhandled")
    }

    @Test func aDeleteLeavesATombstoneThatGetAndListGive() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a"])
        let gone = hub.delete("1", version: 1).result
        #expect(gone?["_deleted"] == true)
        #expect(gone?["_version"] == 2)
        #expect(hub.send("{ getNote(id: \"1\") { _deleted } }").result?["_deleted"] == true)
        #expect(hub.send("{ listNotes { items { _deleted } } }").result?["items"] == [["_deleted": true]])
        let again = hub.delete("1", version: 2)
        #expect(again.errorType == "ConflictUnhandled")
        #expect(again["errors"]?[0]?["data"]?["_deleted"] == true)
    }

    @Test func aTombstoneIsNeitherUpdatedNorCreatedAnew() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a"])
        hub.delete("1", version: 1)
        #expect(hub.update(["id": "1", "title": "b", "_version": 2]).errorType == "ConflictUnhandled")
        #expect(hub.create(["id": "1", "title": "a"]).errorType == "ConditionalCheckFailedException")
        // A store of ours must know that no record has the key any more.
        let create = "mutation { m: createNote(input: {id: \"1\", title: \"b\"}) { id _version _deleted } }"
        let told = hub.send(create, device: "T", ids: ["m": "one"])
        #expect(told.errorType == "ConditionalCheckFailedException")
        #expect(told["errors"]?[0]?["data"] == ["id": "1", "_version": 2, "_deleted": true])
    }

    @Test func creatingTheSameAgainSucceedsAndSomethingElseDoesNot() throws {
        let hub = try HubFixture()
        let first = hub.create(["id": "1", "title": "a", "size": 2]).result
        #expect(hub.create(["id": "1", "title": "a", "size": 2]).result == first)
        #expect(hub.create(["id": "1", "title": "a", "size": 3]).errorType == "ConditionalCheckFailedException")
        #expect(hub.events.count == 1)
    }

    @Test func whatIsNotThereIsNeitherUpdatedNorDeleted() throws {
        let hub = try HubFixture()
        #expect(hub.update(["id": "1", "title": "a", "_version": 1]).errorType == "ConditionalCheckFailedException")
        #expect(hub.delete("1", version: 1).errorType == "ConditionalCheckFailedException")
    }

    @Test func aConditionDecidesAgainstTheStoredRecord() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a", "size": 5])
        let input: JSONValue = ["id": "1", "title": "b", "_version": 1]
        let refused = hub.update(input, condition: ["size": ["gt": 5]])
        #expect(refused.errorType == "ConditionalCheckFailedException")
        #expect(refused.errorMessage?.hasPrefix("The conditional request failed") == true)
        #expect(
            hub.update(input, condition: ["or": [["size": ["ge": 5]], ["title": ["eq": "x"]]]]).result?["title"] == "b")
    }

    @Test func aRequiredFieldCannotBeErased() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a"])
        let json = hub.update(["id": "1", "title": .null, "_version": 1])
        #expect(json.errorMessage?.contains("has coerced Null value for NonNull type") == true)
        #expect(hub.send("{ getNote(id: \"1\") { title } }").result?["title"] == "a")
    }

    @Test func refusedMutationsChangeNothingAndPublishNothing() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a"])
        let before = hub.sync().startedAt
        hub.delete("1", version: 8)
        hub.create(["id": "1", "title": "other"])
        #expect(hub.events.count == 1)
        #expect(hub.sync().startedAt == before)
    }

    @Test func moreMutationsThanABatchMayHoldAreRefusedWhole() throws {
        let hub = try HubFixture()
        let fields = (0...HubCore.batchLimit).map { "m\($0): createNote(input: {title: \"t\"}) { id }" }
        let json = hub.send("mutation { \(fields.joined(separator: " ")) }")
        #expect(json["data"] == .null)
        #expect(json.errorType == "LimitExceededError")
        #expect(hub.syncAll().items.isEmpty)
    }

    @Test func decimalsStayExactOnTheirWay() throws {
        let hub = try HubFixture()
        for (index, text) in ["0.001", "999999999999.999", "-3.14", "12", "0.1"].enumerated() {
            hub.create(["id": .string("\(index)"), "title": "d", "amount": .number(text)])
            let amount = hub.send("{ getNote(id: \"\(index)\") { amount } }").result?["amount"]
            #expect(amount?.text == text)
        }
        let tooFine = hub.create(["id": "9", "title": "d", "amount": .number("0.0001")])
        #expect(tooFine.errorMessage?.contains("Float") == true)
    }

    @Test func aTextInAnotherFormOfUnicodeIsAnotherText() throws {
        let hub = try HubFixture()
        let (composed, decomposed) = ("Caf\u{E9}", "Cafe\u{301}")
        hub.create(["id": "1", "title": .string(composed)])
        hub.update(["id": "1", "title": .string(decomposed), "_version": 1])
        let stored = hub.send("{ getNote(id: \"1\") { title _version } }").result
        #expect(stored?["_version"] == 2)
        #expect(stored?["title"]?.string.map { Array($0.utf8) } == Array(decomposed.utf8))
        for (title, found) in [(composed, 0), (decomposed, 1)] {
            let notes = hub.send(
                "query Q($f: ModelNoteFilterInput) { listNotes(filter: $f) { items { id } } }",
                ["f": ["title": ["eq": .string(title)]]])
            #expect(notes.result?["items"]?.array?.count == found)
        }
        // Whose name only looks like the owner's reads nothing, by whichever way.
        let diary = "mutation D($i: CreateDiaryInput!) { createDiary(input: $i) { id } }"
        hub.send(diary, ["i": ["id": "d", "text": "x"]], key: "counter", person: composed)
        for (person, found) in [(composed, 1), (decomposed, 0)] {
            let own = hub.send("{ getDiary(id: \"d\") { id } }", key: "counter", person: person).result
            #expect((own == .null) == (found == 0))
            let all = hub.send("{ syncDiaries { items { id } } }", key: "counter", person: person)
            #expect(all.result?["items"]?.array?.count == found)
        }
    }
}
