import Basics
import Models
import System
import Testing

@testable import DataStore

/// An operation that waits says what happens to a field, whatever it holds: a step's body is made for what it holds.
@Suite("Waiting operations over a migration")
struct MigratedOperationTests {
    private static func schema(
        label: String = "label", count: String? = "count", marks: String = "marks", cases: [String] = ["rack", "shelf"]
    ) -> Schema {
        let shelf = ModelSchema(
            "Shelf", pluralName: "Shelves",
            fields: [
                FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema(label, .scalar(.string)),
                FieldSchema(marks, .enumeration("Shape"), isList: true, isElementRequired: true, merge: .set),
            ] + (count.map { [FieldSchema($0, .scalar(.int), merge: .counter)] } ?? []))
        return Schema(models: [shelf], enums: ["Shape": cases])
    }

    private func open(_ directory: TempDirectory, _ schema: Schema, _ steps: [SchemaStep] = []) throws -> StoreCore {
        try StoreCore(
            schema: schema, at: .directory(directory.path),
            options: testOptions {
                $0.random = SeededRandom(seed: UInt64(steps.count + 1))
                $0.migrations = steps.isEmpty ? [] : [SchemaVersion(1, steps)]
            })
    }

    private func shelf(_ core: StoreCore, _ id: String, _ values: [Value], _ version: Int64) throws -> RemoteRecord {
        let record = Record(schema: try #require(core.schema.model("Shelf")), values: [.text(id)] + values)
        return RemoteRecord(record: record, version: version, lastChangedAt: version * 1000)
    }

    private static let operations: [String: FieldOperation] = [
        "count": .increment(5), "marks": .edit(adding: ["shelf"], removing: ["rack"]),
    ]

    /// A store in which operations on a shelf that the backend has wait, or were confirmed.
    private func store(_ directory: TempDirectory, isConfirmed: Bool = false) throws {
        let core = try open(directory, Self.schema())
        core.setLife(epoch: "one", began: nil)
        try core.applyRemote([try shelf(core, "s", [.text("L"), .text(#"["rack"]"#), .integer(10)], 1)])
        try core.write(as: nil) { try $0.operate(model: "Shelf", id: "s", Self.operations) }
        if isConfirmed {
            let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
            let answer = try shelf(core, "s", [.text("L"), .text(#"["shelf"]"#), .integer(15)], 2)
            try core.settle([MutationResult(order: entry.order, outcome: .applied(answer))])
        }
        core.close()
    }

    @Test("C1: stay as they are where something else of their model changes")
    func elsewhere() throws {
        let directory = try TempDirectory()
        try store(directory)
        let core = try open(
            directory, Self.schema(label: "title"),
            [.renameField("Shelf", "label", to: "title"), .rewrite("Shelf") { $0["title"] = "new" }])
        let entry = try #require(try core.outbox().first)
        #expect(entry.state == .queued)
        #expect(entry.fields["count"] == ["$increment": 5])
        #expect(entry.fields["marks"] == ["$add": ["shelf"], "$remove": ["rack"]])
        #expect(entry.base["count"] == 10)
    }

    @Test("C1: follow their fields and the cases of their enums to their new names")
    func renamed() throws {
        let directory = try TempDirectory()
        try store(directory)
        let core = try open(
            directory, Self.schema(count: "total", marks: "shapes", cases: ["frame", "shelf"]),
            [
                .renameField("Shelf", "count", to: "total"), .renameField("Shelf", "marks", to: "shapes"),
                .renameCase("Shape", "rack", to: "frame"),
            ])
        let entry = try #require(try core.outbox().first)
        #expect(entry.state == .queued)
        #expect(entry.fields == ["shapes": ["$add": ["shelf"], "$remove": ["frame"]], "total": ["$increment": 5]])
    }

    @Test("C1: wait for a person where their field has values of another form, and never go as values")
    func converted() throws {
        let dozens: @Sendable (JSONValue) -> JSONValue = { .integer(($0.integer ?? 0) * 12) }
        let ways: [(Schema, [SchemaStep])] = [
            (Self.schema(), [.convert("Shelf", "count", dozens)]),
            (Self.schema(), [.rewrite("Shelf") { if let count = $0["count"] { $0["count"] = dozens(count) } }]),
            (Self.schema(count: nil), [.removeField("Shelf", "count")]),
        ]
        for (schema, steps) in ways {
            let directory = try TempDirectory()
            try store(directory)
            let core = try open(directory, schema, steps)
            let entry = try #require(try core.outbox().first)
            #expect(entry.state == .parked)
            #expect(entry.fields["count"] == ["$increment": 5])
            #expect(entry.reason?.contains("Shelf.count: it was made before the field changed") == true)
            #expect(try core.nextMutations(limit: 1) == nil)
        }
    }

    @Test("C1: never go onto another field that took the name of theirs")
    func nameTaken() throws {
        let directory = try TempDirectory()
        let id = FieldSchema("id", .scalar(.id), isRequired: true)
        func schema(_ counters: [String]) -> Schema {
            let fields = counters.map { FieldSchema($0, .scalar(.int), merge: .counter) }
            return Schema(models: [ModelSchema("Shelf", pluralName: "Shelves", fields: [id] + fields)])
        }
        let before = try open(directory, schema(["count", "total"]))
        try before.applyRemote(try ["s", "t"].map { try shelf(before, $0, [.integer(1), .integer(10)], 1) })
        try before.write(as: nil) { tx in
            try tx.operate(model: "Shelf", id: "s", ["count": .increment(5), "total": .increment(7)])
            try tx.operate(model: "Shelf", id: "t", ["count": .increment(5)])
        }
        before.close()
        let core = try open(
            directory, schema(["count"]),
            [.removeField("Shelf", "count"), .renameField("Shelf", "total", to: "count")])
        let entries = try core.outbox()
        #expect(entries.map(\.id) == ["s"] && entries.map(\.state) == [.queued])
        #expect(entries.first?.fields == ["count": ["$increment": 7]])
        let rows = try core.read { try $0.query(model: "Shelf") }
        #expect(rows.sorted { $0.id < $1.id }.map { $0["count"] } == [.integer(17), .integer(10)])
    }

    @Test("C1: that were confirmed go to a restored backend under their new names, or not at all")
    func journal() throws {
        for isConverted in [false, true] {
            let directory = try TempDirectory()
            try store(directory, isConfirmed: true)
            let core = try open(
                directory, Self.schema(count: isConverted ? "count" : "total"),
                [
                    isConverted
                        ? .convert("Shelf", "count") { .integer(($0.integer ?? 0) * 12) }
                        : .renameField("Shelf", "count", to: "total")
                ])
            core.setLife(epoch: "two", began: 9000)
            #expect(try core.recover(into: "two", having: [:]) == 1)
            let fields = try #require(try core.outbox().first?.fields)
            #expect(fields["marks"] == ["$add": ["shelf"], "$remove": ["rack"]])
            #expect(fields["total"] == (isConverted ? nil : ["$increment": 5]))
            #expect(fields["count"] == nil)
        }
    }

    @Test("C1 C14: what goes as one with one that waits for a person waits with it")
    func units() throws {
        let directory = try TempDirectory()
        let before = try open(directory, Self.schema())
        try before.applyRemote(try ["s", "t"].map { try shelf(before, $0, [.null, .null, .null], 1) })
        let model = try #require(before.schema.model("Shelf"))
        try before.write(as: nil) { tx in
            try tx.sentAsOne {
                try tx.save(Record(schema: model, values: [.text("t"), .text("new"), .null, .null]))
                try tx.operate(model: "Shelf", id: "s", ["count": .increment(5)])
            }
        }
        before.close()
        let core = try open(
            directory, Self.schema(), [.convert("Shelf", "count") { .integer(($0.integer ?? 0) * 12) }])
        let entries = try core.outbox()
        #expect(entries.map(\.state) == [.parked, .parked])
        #expect(entries[0].reason?.hasPrefix("not applied with Shelf s of its transaction: after the schema") == true)
        #expect(core.outboxStatus == OutboxStatus(parked: 2))
    }
}
