import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

/// What happens to a field whatever it holds: merged here, added up there.
@Suite("An operation")
struct SessionOperationTests {
    private func idle(operations: Bool = true) throws -> SessionFixture {
        let fixture = try SessionFixture(schema: Schema(models: [SessionFixture.shelf]))
        fixture.connect()
        for request in fixture.takeSent() {
            fixture.answerFetch(
                request, [Self.json(count: 3, marks: ["a"])],
                announcing: ["mutationIds": true, "batch": 100, "operations": .bool(operations)])
        }
        return fixture
    }

    private static func json(
        count: Int64, weight: JSONValue = nil, marks: JSONValue = [], label: JSONValue = nil, version: Int64 = 1
    ) -> JSONValue {
        [
            "id": "s", "label": label, "count": .integer(count), "weight": weight, "marks": marks,
            "_version": .integer(version), "_deleted": nil, "_lastChangedAt": .integer(version),
        ]
    }

    private func operate(_ fields: [String: FieldOperation], in fixture: SessionFixture) throws {
        try fixture.core.write(as: "ann") { try $0.operate(model: "Shelf", id: "s", fields) }
        fixture.handle(.localCommit)
    }

    private func shelf(_ fixture: SessionFixture) throws -> Record {
        try #require(try fixture.core.read { try $0.get(model: "Shelf", id: "s") })
    }

    private func hear(_ json: JSONValue, in fixture: SessionFixture) {
        fixture.hear([.data(id: "2", payload: JSONValue.object(["data": ["onUpdateShelf": json]]).bytes)])
    }

    @Test("goes beside the plain fields, under a mutation id")
    func sent() throws {
        let fixture = try idle()
        try operate(["count": .increment(5), "marks": .edit(adding: ["b"], removing: ["a"])], in: fixture)
        #expect(try shelf(fixture)["count"] == .integer(8))
        let sent = try #require(fixture.takeSent().first)
        #expect(sent.variables["i0"] == ["id": "s", "_version": 1])
        let bincount = sent.body["extensions"]?["bincount"]
        #expect(
            bincount?["operations"]
                == ["m0": ["count": ["increment": 5], "marks": ["add": ["b"], "remove": ["a"]]]])
        #expect(bincount?["mutationIds"]?["m0"]?.string != nil)
        fixture.answer(sent.id, ["data": ["m0": Self.json(count: 18, marks: ["c", "b"], version: 4)]])
        #expect(try shelf(fixture)["count"] == .integer(18))
        #expect(fixture.status.unsent == 0)
        #expect(!fixture.events.contains { if case .conflict = $0 { true } else { false } })
    }

    @Test(
        "that may have arrived is not edited, nor joined to what may have: under a new name it would be carried out twice"
    )
    func edited() throws {
        let fixture = try idle()
        try operate(["count": .increment(5)], in: fixture)
        let entry = try #require(try fixture.core.read { try $0.outbox().first })
        _ = try #require(fixture.takeSent().first)
        try fixture.core.resetSending()
        for fields: JSONObject in [["label": "x"], ["count": 9]] {
            #expect(throws: StoreError.self) {
                try fixture.core.write(as: nil) { try $0.editOutbox(entry.order, fields: fields) }
            }
        }
        #expect(try fixture.core.read { try $0.outbox().first?.mutationID } == entry.mutationID)
    }

    @Test("joins the one that waits, and a value set before or after it")
    func merged() throws {
        let fixture = try SessionFixture(schema: Schema(models: [SessionFixture.shelf]))
        try fixture.core.applyRemote([try record(Self.json(count: 3, marks: ["a"]))])
        try operate(["count": .increment(5)], in: fixture)
        try operate(["count": .increment(-2), "weight": .increment(.number("0.25"))], in: fixture)
        try operate(["weight": .increment(.number("0.75")), "marks": .edit(adding: ["b"], removing: [])], in: fixture)
        try operate(["marks": .edit(adding: [], removing: ["b"])], in: fixture)
        var entry = try #require(try fixture.core.read { try $0.outbox().first })
        #expect(entry.fields["count"] == ["$increment": 3])
        #expect(entry.fields["weight"] == ["$increment": 1])
        #expect(entry.fields["marks"] == ["$remove": ["b"]])
        #expect(entry.base["count"] == 3)
        var changed = try shelf(fixture)
        changed["count"] = .integer(50)
        try fixture.core.write(as: "ann") { try $0.save(changed) }
        try operate(["count": .increment(1)], in: fixture)
        entry = try #require(try fixture.core.read { try $0.outbox().first })
        #expect(entry.fields["count"] == 51)
    }

    @Test("back to nothing is no change")
    func nothing() throws {
        let fixture = try SessionFixture(schema: Schema(models: [SessionFixture.shelf]))
        try fixture.core.applyRemote([try record(Self.json(count: 3))])
        try operate(["count": .increment(5)], in: fixture)
        try operate(["count": .increment(-5)], in: fixture)
        #expect(fixture.core.outboxStatus.isEmpty)
    }

    @Test("of a record that waits to be made is a part of its create")
    func created() throws {
        let fixture = try SessionFixture(schema: Schema(models: [SessionFixture.shelf]))
        let new = Record(schema: SessionFixture.shelf, values: [.text("s"), .null, .null, .null, .null])
        try fixture.core.write(as: "ann") { try $0.save(new) }
        try operate(["count": .increment(5), "marks": .edit(adding: ["a"], removing: [])], in: fixture)
        let entry = try #require(try fixture.core.read { try $0.outbox().first })
        #expect(entry.fields["count"] == 5)
        #expect(entry.fields["marks"] == ["a"])
    }

    @Test("stands on what others did meanwhile, before it was sent and while it is")
    func rebased() throws {
        let fixture = try idle()
        fixture.handle(.stop)
        try operate(["count": .increment(5)], in: fixture)
        try fixture.core.applyRemote([try record(Self.json(count: 10, version: 2))])
        #expect(try shelf(fixture)["count"] == .integer(15))
        let entry = try #require(try fixture.core.read { try $0.outbox().first })
        #expect(entry.base["count"] == 10)
        #expect(entry.baseVersion == 2)
    }

    @Test("is shown once where its own event comes before its answer")
    func echo() throws {
        let fixture = try idle()
        try operate(["count": .increment(5)], in: fixture)
        let sent = try #require(fixture.takeSent().first)
        hear(Self.json(count: 8, marks: ["a"], version: 2), in: fixture)
        #expect(try shelf(fixture)["count"] == .integer(8))
        fixture.answer(sent.id, ["data": ["m0": Self.json(count: 8, marks: ["a"], version: 2)]])
        #expect(try shelf(fixture)["count"] == .integer(8))
    }

    @Test("behind one that is being sent is shown with it and sent after it")
    func behind() throws {
        let fixture = try idle()
        try operate(["count": .increment(5)], in: fixture)
        let first = try #require(fixture.takeSent().first)
        try operate(["count": .increment(2)], in: fixture)
        #expect(try shelf(fixture)["count"] == .integer(10))
        fixture.answer(first.id, ["data": ["m0": Self.json(count: 108, version: 9)]])
        #expect(try shelf(fixture)["count"] == .integer(110))
        let second = try #require(fixture.takeSent().first)
        #expect(second.body["extensions"]?["bincount"]?["operations"] == ["m0": ["count": ["increment": 2]]])
        fixture.answer(second.id, ["data": ["m0": Self.json(count: 110, version: 10)]])
        #expect(try shelf(fixture)["count"] == .integer(110))
    }

    @Test("is parked with its reason at a backend that takes none")
    func unable() throws {
        let fixture = try idle(operations: false)
        try operate(["count": .increment(5)], in: fixture)
        #expect(fixture.takeSent().isEmpty)
        let entry = try #require(try fixture.core.read { try $0.outbox(state: .parked).first })
        #expect(entry.reason?.contains("takes no operations") == true)
        try fixture.core.write(as: "ann") { try $0.editOutbox(entry.order, fields: ["count": 8]) }
        fixture.handle(.localCommit)
        #expect(fixture.takeSent().first?.variables["i0"] == ["id": "s", "count": 8, "_version": 1])
    }

    @Test("is refused at once on a field that is not declared for it, on a record that is not here, and out of range")
    func refused() throws {
        let fixture = try idle()
        for operation: [String: FieldOperation] in [
            ["label": .increment(1)], ["count": .edit(adding: ["a"], removing: [])], ["nothing": .increment(1)],
            ["count": .increment(3_000_000_000)], ["marks": .edit(adding: [7], removing: [])],
        ] {
            #expect(throws: StoreError.self) { try operate(operation, in: fixture) }
        }
        #expect(throws: StoreError.missingRecord(model: "Shelf", id: "t")) {
            try fixture.core.write(as: "ann") { try $0.operate(model: "Shelf", id: "t", ["count": .increment(1)]) }
        }
        #expect(fixture.core.outboxStatus.isEmpty)
    }

    @Test("and the next are one: what both do, in their order")
    func composed() {
        let values: [JSONValue] = [["a", "b"], [], ["c"]]
        let edits: [FieldOperation] = [
            .edit(adding: ["a"], removing: []), .edit(adding: [], removing: ["a"]),
            .edit(adding: ["b"], removing: ["a"]),
            .edit(adding: ["a", "c"], removing: ["b"]), .edit(adding: ["a"], removing: ["a"]),
        ]
        for value in values {
            for first in edits {
                for second in edits {
                    let apart = first.applied(to: value).flatMap { second.applied(to: $0) }?.array ?? []
                    let together = first.followed(by: second)?.applied(to: value)?.array ?? []
                    #expect(Set(apart) == Set(together), "\(first) then \(second) on \(value)")
                }
            }
        }
        #expect(FieldOperation.increment(2).followed(by: .increment(.number("-0.5"))) == .increment(.number("1.5")))
        #expect(FieldOperation.increment(2).followed(by: edits[0]) == nil)
        #expect(FieldOperation.increment(.integer(.max)).applied(to: 1) == nil)
    }

    private func record(_ json: JSONValue) throws -> RemoteRecord {
        let values = try SessionFixture.shelf.fields.map {
            try Schema(models: [SessionFixture.shelf]).storageValue(of: json[$0.name] ?? .null, for: $0, in: "Shelf")
        }
        return RemoteRecord(
            record: Record(schema: SessionFixture.shelf, values: values), version: json["_version"]?.integer ?? 1,
            lastChangedAt: json["_lastChangedAt"]?.integer ?? 1)
    }
}
