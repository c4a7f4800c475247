import Basics
import GraphQL
import Models
import Testing

@testable import Hub

/// `extensions.bincount.operations`: what is done to a field whatever it holds.
@Suite("An operation")
struct OperationTests {
    private let fixture: HubFixture

    // The text below is the guard: it is parsed at the first test, or the suite ends with its mistake.
    private static let schema = try! Schema(
        sdl: """
            type Shelf @model
              @auth(rules: [{ allow: groups, groups: ["everyone"], operations: [create, update, delete, read] }]) {
              id: ID! label: String plain: Int
              locked: Int @counter
                @auth(rules: [
                  { allow: groups, groups: ["supervisors"], operations: [update] }
                  { allow: groups, groups: ["everyone"], operations: [read] }
                ])
              count: Int @counter weight: Float @decimal(places: 3) @counter marks: [String!] @set
            }
            type Rack @model @conflict(strategy: OPTIMISTIC_CONCURRENCY)
              @auth(rules: [{ allow: groups, groups: ["everyone"], operations: [create, update, delete, read] }]) {
              id: ID! label: String count: Int @counter
            }
            """)

    init() throws { fixture = try HubFixture(Self.schema) }

    @discardableResult
    private func create(_ input: JSONValue, _ model: String = "Shelf") -> JSONValue {
        fixture.send("mutation M($i: Create\(model)Input!) { create\(model)(input: $i) { id } }", ["i": input])
    }

    @discardableResult
    private func update(
        _ operations: JSONValue, version: Int64 = 1, label: String? = nil, id: String? = nil, model: String = "Shelf"
    ) -> JSONValue {
        var input: JSONObject = ["id": "s", "_version": .integer(version)]
        if let label { input["label"] = .string(label) }
        var bincount: JSONObject = ["operations": ["m0": operations]]
        if let id { bincount["mutationIds"] = ["m0": .string(id)] }
        let fields = model == "Shelf" ? "label count weight marks _version" : "label count _version"
        let body: JSONValue = [
            "query": .string("mutation M($i: Update\(model)Input!) { m0: update\(model)(input: $i) { \(fields) } }"),
            "variables": ["i": .object(input)], "extensions": ["bincount": .object(bincount)],
        ]
        return (try? JSONValue(parsing: fixture.raw(body.bytes).body)) ?? .null
    }

    @Test("adds to a number from any version, nothing counting as nought")
    func increment() {
        create(["id": "s"])
        #expect(update(["count": ["increment": 5]]).result?["count"] == 5)
        #expect(update(["count": ["increment": -7]]).result?["count"] == -2)
        #expect(update(["weight": ["increment": .number("0.125")]]).result?["weight"] == .number("0.125"))
        #expect(update(["weight": ["increment": .number("0.875")]]).result?["weight"] == 1)
    }

    @Test("puts into a set and takes out of it, each element once")
    func set() {
        create(["id": "s", "marks": ["a"]])
        #expect(update(["marks": ["add": ["b", "a"]]]).result?["marks"] == ["a", "b"])
        #expect(update(["marks": ["add": ["c"], "remove": ["a", "x"]]]).result?["marks"] == ["b", "c"])
    }

    @Test("larger than a record may be is refused before anything is done, as a field is that a merge would take up")
    func large() {
        create(["id": "s", "marks": ["a"]])
        let many = JSONValue.array((0..<120_000).map { .string("\($0)") })
        for operation in [["add": many], ["remove": many]] as [JSONObject] {
            let answer = update(["marks": .object(operation)])
            #expect(answer.errorType == "BadRequest")
            #expect(answer.errorMessage == "the operation on Shelf.marks is larger than a record may be: 409600 bytes")
        }
        let merged = fixture.send(
            "mutation M($i: UpdateShelfInput!) { updateShelf(input: $i) { id } }",
            ["i": ["id": "s", "marks": many, "_version": 0]])
        #expect(merged.errorType == "DynamoDB:DynamoDbException")
        let most = JSONValue.array((0..<50_000).map { .string("\($0)") })
        #expect(update(["marks": ["add": most, "remove": ["a"]]]).result?["marks"]?.array?.count == 50_000)
    }

    @Test("is carried out once under one mutation id")
    func once() {
        create(["id": "s"])
        let first = update(["count": ["increment": 5]], id: "x")
        #expect(update(["count": ["increment": 5]], id: "x")["data"] == first["data"])
        #expect(update(["count": ["increment": 1]], id: "y").result?["count"] == 6)
    }

    @Test("beside a set field meets what the set field meets: the merge, or a conflict with nothing done")
    func beside() {
        create(["id": "s", "label": "one"])
        update(["count": ["increment": 1]], label: "two")
        let merged = update(["count": ["increment": 1]], version: 1, label: "three")
        #expect(merged.result?["label"] == "two")
        #expect(merged.result?["count"] == 2)
        create(["id": "s", "label": "one"], "Rack")
        update(["count": ["increment": 1]], label: "two", model: "Rack")
        #expect(update(["count": ["increment": 1]], label: "three", model: "Rack").errorType == "ConflictUnhandled")
        #expect(update(["count": ["increment": 1]], model: "Rack").result?["count"] == 2)
    }

    @Test(
        "is refused on a field that is not declared for it, of another kind, out of range, or no operation",
        arguments: [
            ["plain": ["increment": 1]], ["count": ["add": ["a"]]], ["marks": ["increment": 1]],
            ["nothing": ["increment": 1]],
            ["count": ["increment": 3_000_000_000]], ["count": ["increment": "1"]], ["id": ["increment": 1]],
            ["marks": ["add": [7]]], ["weight": ["increment": .number("0.0001")]], ["count": 1],
        ] as [JSONValue])
    func refused(operations: JSONValue) {
        create(["id": "s"])
        let answer = update(operations)
        #expect(answer.errorType == "BadRequest")
        #expect(answer.result?.isNull == true)
        #expect(fixture.events.count == 1)
    }

    @Test("needs the right to write its field, as a value does")
    func rights() {
        create(["id": "s"])
        #expect(update(["locked": ["increment": 1]]).errorType == "Unauthorized")
        #expect(fixture.events.count == 1)
    }

    @Test("belongs to an update of a record that is there")
    func absent() {
        #expect(update(["count": ["increment": 1]]).errorType == "ConditionalCheckFailedException")
    }

    @Test(
        "is declared in the schema on what it can be done to",
        arguments: [
            "label: String @counter", "part: Float @counter", "spot: [Spot] @set", "one: String @set",
            "both: Int @counter @set",
        ])
    func declared(field: String) {
        #expect(throws: (any Error).self) {
            try Schema(sdl: "type Spot { row: Int } type A @model { id: ID! \(field) }")
        }
    }
}
