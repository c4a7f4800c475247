import Basics
import Models
import Testing

@testable import Hub

/// `extensions.bincount.atomic`: mutations that are carried out all or not at all.
@Suite("A unit of mutations")
struct UnitTests {
    private let fixture: HubFixture

    init() throws { fixture = try HubFixture() }

    @discardableResult
    private func send(
        _ inputs: [JSONValue], atomic: JSONValue, ids: [String]? = nil, in fixture: HubFixture? = nil
    ) -> JSONValue {
        let fixture = fixture ?? self.fixture
        let variables = inputs.indices.map { "$i\($0): CreateNoteInput!" }.joined(separator: ", ")
        let fields = inputs.indices.map { "m\($0): createNote(input: $i\($0)) { id title _version _lastChangedAt }" }
        var bincount: JSONObject = ["atomic": atomic]
        if let ids {
            bincount["mutationIds"] = .object(JSONObject(ids.enumerated().map { ("m\($0)", .string($1)) }))
        }
        let body: JSONValue = [
            "query": .string("mutation M(\(variables)) { \(fields.joined(separator: " ")) }"),
            "variables": .object(JSONObject(inputs.enumerated().map { ("i\($0)", $1) })),
            "extensions": ["bincount": .object(bincount)],
        ]
        return (try? JSONValue(parsing: fixture.raw(body.bytes).body)) ?? .null
    }

    private func note(_ id: String, _ title: String) -> JSONValue { ["id": .string(id), "title": .string(title)] }

    private var stored: Int { fixture.syncAll().items.count }

    @Test("is carried out whole, at one moment, and announced")
    func whole() throws {
        let answer = send([note("a", "1"), note("b", "2")], atomic: [["m0", "m1"]])
        #expect(answer["errors"] == nil)
        #expect(answer["data"]?["m0"]?["_lastChangedAt"] == answer["data"]?["m1"]?["_lastChangedAt"])
        #expect(answer["extensions"]?["bincount"]?["atomic"] == true)
        #expect(fixture.events.count == 2)
    }

    @Test("leaves nothing behind where one of it is refused, and the mutations beside it stand")
    func refused() throws {
        fixture.create(note("b", "taken"))
        let before = fixture.events.count
        let answer = send(
            [note("a", "1"), note("b", "2"), note("c", "3"), note("d", "4")], atomic: [["m0", "m1", "m2"]])
        #expect(answer["data"]?["m0"]?.isNull == true)
        #expect(answer["data"]?["m2"]?.isNull == true)
        #expect(answer["data"]?["m3"]?["title"] == "4")
        let kinds = (answer["errors"]?.array ?? []).map { $0["errorType"]?.string ?? "" }
        #expect(
            kinds.sorted() == [
                "ConditionalCheckFailedException", "TransactionCanceledException", "TransactionCanceledException",
            ])
        #expect(stored == 2)
        #expect(fixture.events.count == before + 1)
    }

    @Test("may name what is only answered, which is no part of it", arguments: ["t: __typename", "u: __typename"])
    func typeName(name: String) throws {
        let body: JSONValue = [
            "query": .string("mutation { \(name) m0: createNote(input: {id: \"a\", title: \"1\"}) { title } }"),
            "extensions": ["bincount": ["atomic": [["t", "m0"]]]],
        ]
        let answer = try JSONValue(parsing: fixture.raw(body.bytes).body)
        #expect(answer["errors"] == nil)
        #expect(answer["data"]?["m0"]?["title"] == "1")
        #expect(stored == 1)
    }

    @Test("of several in one request each stands for itself")
    func several() throws {
        fixture.create(note("b", "taken"))
        let answer = send(
            [note("a", "1"), note("b", "2"), note("c", "3"), note("d", "4")], atomic: [["m0", "m1"], ["m2", "m3"]])
        #expect(answer["data"]?["m0"]?.isNull == true)
        #expect(answer["data"]?["m2"]?["title"] == "3")
        #expect(stored == 3)
    }

    @Test("is carried out once however often it is sent")
    func retried() throws {
        let inputs = [note("a", "1"), note("b", "2")]
        let first = send(inputs, atomic: [["m0", "m1"]], ids: ["x", "y"])
        let second = send(inputs, atomic: [["m0", "m1"]], ids: ["x", "y"])
        #expect(first["data"] == second["data"])
        #expect(fixture.events.count == 2)
        #expect(fixture.core.statistics.replayed == 2)
    }

    @Test("that was refused is tried anew under the same ids")
    func refusedThenRetried() throws {
        fixture.create(note("b", "taken"))
        send([note("a", "1"), note("b", "2")], atomic: [["m0", "m1"]], ids: ["x", "y"])
        fixture.delete("b", version: 1)
        let answer = send([note("a", "1"), note("e", "2")], atomic: [["m0", "m1"]], ids: ["x", "y"])
        #expect(answer["errors"] == nil)
        #expect(fixture.core.statistics.replayed == 0)
    }

    @Test(
        "that cannot be read is refused with the whole request",
        arguments: ["m0", [["m0"], ["m0"]], [7]] as [JSONValue])
    func unreadable(atomic: JSONValue) {
        let answer = send([note("a", "1")], atomic: atomic)
        #expect(answer["data"]?.isNull == true)
        #expect(answer.errorMessage?.contains("atomic") == true)
        #expect(stored == 0)
    }
}
