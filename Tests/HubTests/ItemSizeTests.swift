import Basics
import Models
import Testing

@testable import Hub

/// What a record may hold, and what searching in one costs.
@Suite(.timeLimit(.minutes(5)))
struct ItemSizeTests {
    private func text(_ count: Int) -> JSONValue { .string(String(repeating: "a", count: count)) }

    @Test func `a record that is larger than DynamoDB takes is refused in its words`() throws {
        let hub = try HubFixture()
        let large = hub.create(["id": "1", "title": "t", "body": text(500 << 10)])
        #expect(large.errorType == "DynamoDB:DynamoDbException")
        #expect(large.errorMessage?.hasPrefix("Item size has exceeded the maximum allowed size") == true)
        #expect(large.result == .null)
        #expect(hub.create(["id": "1", "title": "t", "body": text(300 << 10)])["errors"] == nil)
        let grown = hub.update(["id": "1", "title": text(200 << 10), "_version": 1])
        #expect(grown.errorType == "DynamoDB:DynamoDbException")
        #expect(grown.errorMessage?.hasPrefix("Item size to update has exceeded") == true)
        let tags: JSONValue = .array(Array(repeating: text(1 << 10), count: 120))
        // What a merge leaves counts.
        #expect(hub.update(["id": "1", "tags": tags, "_version": 0]).errorType == "DynamoDB:DynamoDbException")
        #expect(hub.update(["id": "1", "body": "b", "_version": 1])["errors"] == nil)
    }

    @Test func `a record that was too large before may shrink and go`() throws {
        var limits = HubLimits()
        let before = try HubFixture()
        before.create(["id": "1", "title": "t", "body": text(300 << 10)])
        limits.itemBytes = 100 << 10
        let hub = try HubFixture(connection: before.connection, limits: limits)
        #expect(hub.update(["id": "1", "body": text(310 << 10), "_version": 1]).errorType != nil)
        #expect(hub.update(["id": "1", "body": text(200 << 10), "_version": 1])["errors"] == nil)
        #expect(hub.delete("1", version: 2)["errors"] == nil)
    }

    @Test func `looking for a text in a text takes no time that anybody could choose`() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "t", "body": text(300_000)])
        let part = JSONValue.string(String(repeating: "a", count: 150_000) + "b")
        for (test, found) in [("contains", 0), ("notContains", 1)] {
            var filter = JSONObject()
            filter[test] = part
            let json = hub.send(
                "query Q($f: ModelNoteFilterInput) { listNotes(filter: $f) { items { id } } }",
                ["f": ["body": .object(filter)]])
            #expect(json.result?["items"]?.array?.count == found)
        }
    }

    @Test func `a list is read once for all comparisons of a filter`() throws {
        let hub = try HubFixture()
        let tags = (0..<30_000).map { JSONValue.string("t\($0)") }
        #expect(hub.create(["id": "1", "title": "t", "tags": .array(tags)])["errors"] == nil)
        func found(_ filter: JSONValue) -> Int? {
            hub.send("query Q($f: ModelNoteFilterInput) { listNotes(filter: $f) { items { id } } }", ["f": filter])
                .result?["items"]?.array?.count
        }
        func tests(_ text: String) -> [JSONValue] {
            (0..<4_000).map { ["tags": ["contains": .string("\(text)\($0)")]] }
        }
        #expect(found(["or": .array(tests("no"))]) == 0)
        #expect(found(["and": .array(tests("t"))]) == 1)
        #expect(found(["not": ["or": .array(tests("no"))], "tags": ["size": ["eq": 30_000]]]) == 1)
    }

    @Test func `numbers of a list are found by either kind of number`() {
        let (reals, whole) = (
            FieldSchema("r", .scalar(.float), isList: true), FieldSchema("i", .scalar(.int), isList: true)
        )
        #expect(RowTest.contains(.integer(2)).matches(.text("[1,2.0,null]"), reals))
        #expect(RowTest.contains(.real(2)).matches(.text("[1,2]"), whole))
        #expect(!RowTest.contains(.real(2.5)).matches(.text("[1,2]"), whole))
        #expect(RowTest.notContains(.null).matches(.text("[null]"), whole))
        #expect(!RowTest.contains(.integer(1)).matches(.null, whole))
    }

    @Test(arguments: [
        ("abc", "abc", true), ("abc", "", true), ("", "", true), ("", "a", false), ("abc", "c", true),
        ("abc", "bd", false), ("ab", "abc", false), ("caf\u{E9}", "e\u{301}", false), ("a\u{0}b", "\u{0}b", true),
    ])
    func `texts are searched byte by byte`(_ text: String, _ part: String, _ isIn: Bool) {
        let field = HubFixture.notes.models[0].fields.first { $0.name == "body" }
        guard let field else { return #expect(Bool(false), "the model has a body") }
        #expect(RowTest.contains(.text(part)).matches(.text(text), field) == isIn)
        #expect(RowTest.notContains(.text(part)).matches(.text(text), field) != isIn)
    }
}
