import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

@Suite("A change in one request with the creates that it needs")
struct SessionNeedsTests {
    private static let box = ModelSchema(
        "Box", pluralName: "Boxes",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("label", .scalar(.string), isRequired: true),
        ])
    private static let note = ModelSchema(
        "Note", pluralName: "Notes",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("boxID", .scalar(.id)),
            FieldSchema("under", .scalar(.id)),
        ],
        relations: [
            RelationSchema("box", .belongsTo, target: "Box", fields: ["boxID"]),
            RelationSchema("above", .belongsTo, target: "Note", fields: ["under"]),
        ])
    private static let schema = Schema(models: [box, note])
    private static let able: JSONValue = ["mutationIds": true, "batch": 100, "atomic": true, "needs": true]

    private func idle(announcing: JSONValue = able) throws -> SessionFixture {
        let fixture = try SessionFixture(schema: Self.schema)
        fixture.connect()
        fixture.finishFetches(announcing: announcing)
        return fixture
    }

    /// A box, a note in it, a note under that one and a note that needs none of them.
    private func save(in fixture: SessionFixture) throws {
        try fixture.core.write(as: "ann") { transaction in
            func save(_ model: ModelSchema, _ values: [Value]) throws {
                try transaction.save(Record(schema: model, values: values))
            }
            try save(Self.box, [.text("b"), .text("l")])
            try save(Self.note, [.text("n"), .text("b"), .null])
            try save(Self.note, [.text("o"), .null, .text("n")])
            try save(Self.note, [.text("alone"), .null, .null])
        }
        fixture.handle(.localCommit)
    }

    private func note(_ id: String, box: String? = nil, under: String? = nil) -> JSONValue {
        [
            "id": .string(id), "boxID": box.map { .string($0) } ?? .null, "under": under.map { .string($0) } ?? .null,
            "_version": 1, "_deleted": nil, "_lastChangedAt": 5,
        ]
    }

    private func states(_ fixture: SessionFixture) throws -> [String] {
        try fixture.core.read { try $0.outbox().map { "\($0.id) \($0.state.name)" } }
    }

    private func refusal(_ alias: String, _ kind: String) -> JSONValue {
        ["path": [.string(alias)], "errorType": .string(kind), "message": .string(kind)]
    }

    @Test("says so, and waits behind them where they are refused; what needs none of them is done")
    func refused() throws {
        let fixture = try idle()
        try save(in: fixture)
        let sent = try #require(fixture.takeSent().first)
        #expect(sent.body["extensions"]?["bincount"]?["needs"] == ["m1": ["m0"], "m2": ["m1"]])
        fixture.answer(
            sent.id,
            [
                "data": ["m0": nil, "m1": nil, "m2": nil, "m3": note("alone")],
                "errors": [
                    refusal("m0", "Unauthorized"), refusal("m1", "TransactionCanceledException"),
                    refusal("m2", "TransactionCanceledException"),
                ],
            ])
        #expect(
            try states(fixture) == ["b parked", "n queued", "o queued"], "only what was refused waits for a person")
        #expect(fixture.status.parked == 1 && fixture.status.unsent == 2)
        fixture.pass(600_000)
        #expect(fixture.takeSent().filter { $0.query.hasPrefix("mutation") }.isEmpty, "nothing goes without its parent")
        let held = try fixture.core.read { try $0.dependants(of: try $0.outbox()[0].order) }
        #expect(held.map(\.id) == ["n", "o"])

        try fixture.core.write(as: "ann") { try $0.retryOutbox(try $0.outbox()[0].order) }
        fixture.handle(.localCommit)
        let again = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        #expect(again.body["extensions"]?["bincount"]?["needs"] == ["m1": ["m0"], "m2": ["m1"]])
        let ids = { (sent: SessionFixture.Sent) in
            (0..<3).map { sent.body["extensions"]?["bincount"]?["mutationIds"]?["m\($0)"] }
        }
        #expect(ids(again) == ids(sent))
        fixture.answer(
            again.id,
            [
                "data": [
                    "m0": ["id": "b", "label": "l", "_version": 1, "_deleted": nil, "_lastChangedAt": 6],
                    "m1": note("n", box: "b"), "m2": note("o", under: "n"),
                ]
            ])
        #expect(try states(fixture).isEmpty)
    }

    @Test("waits for their answer where the backend does not mind what is needed")
    func unable() throws {
        let fixture = try idle(announcing: ["mutationIds": true, "batch": 100])
        try save(in: fixture)
        let first = try #require(fixture.takeSent().first)
        #expect(first.variables.object?.count == 2 && first.body["extensions"]?["bincount"]?["needs"] == nil)
        fixture.answer(
            first.id, ["data": ["m0": nil, "m1": note("alone")], "errors": [refusal("m0", "Unauthorized")]])
        #expect(try states(fixture) == ["b parked", "n queued", "o queued"])
        #expect(fixture.takeSent().isEmpty)
    }

    @Test("goes again with them where their answer was lost, and not ahead of them")
    func lost() throws {
        let fixture = try idle()
        try save(in: fixture)
        let sent = try #require(fixture.takeSent().first)
        fixture.handle(.httpFailed(id: sent.id, reason: "cut"))
        fixture.pass(3_000)
        let again = try #require(fixture.takeSent().first)
        #expect(again.body["extensions"] == sent.body["extensions"])
    }
}
