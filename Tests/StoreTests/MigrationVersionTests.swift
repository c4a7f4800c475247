import Basics
import ModelTables
import Models
import System
import Testing

@testable import DataStore

/// Steps of several versions, taken at once by a store that skips those between.
@Suite("Versions that a store skips")
struct MigrationVersionTests {
    private let directory: TempDirectory

    init() throws { directory = try TempDirectory() }

    private static func text(_ name: String) -> FieldSchema { FieldSchema(name, .scalar(.string)) }

    private static func model(_ name: String, _ fields: [FieldSchema]) -> ModelSchema {
        ModelSchema(
            name, pluralName: name + "s", fields: [FieldSchema("id", .scalar(.id), isRequired: true)] + fields)
    }

    private func open(_ schema: Schema, _ versions: [SchemaVersion] = []) throws -> StoreCore {
        try StoreCore(
            schema: schema, at: .directory(directory.path),
            options: testOptions {
                $0.random = SeededRandom(seed: UInt64(versions.count + 1))
                $0.migrations = versions
            })
    }

    /// A store of one record of M, whose fields a and r hold `x` and `mine`.
    private func store() throws {
        let schema = Schema(models: [Self.model("M", [Self.text("a"), Self.text("r")]), Self.model("B", [])])
        let core = try open(schema)
        try core.write(as: nil) {
            try $0.save(Record(schema: schema.models[0], values: [.text("1"), .text("x"), .text("mine")]))
        }
        core.close()
    }

    private static let fill: [SchemaStep] = [.removeField("M", "a"), .rewrite("M") { $0["a"] = "new" }]

    /// Two versions, today's fields and what they hold.
    private static let ways: [(first: [SchemaStep], second: [SchemaStep], fields: [String], values: [Value])] = [
        ([], [.renameField("M", "b", to: "c")], ["a", "r", "c"], [.text("x"), .text("mine"), .null]),
        ([], [.removeField("M", "b")], ["a", "r"], [.text("x"), .text("mine")]),
        ([], [.convert("M", "b") { $0 }], ["a", "r", "b"], [.text("x"), .text("mine"), .null]),
        (fill, [.renameField("M", "a", to: "c")], ["c", "r"], [.text("new"), .text("mine")]),
        (
            fill, [.convert("M", "a") { .string(($0.string ?? "") + "er") }, .renameField("M", "a", to: "c")],
            ["r", "c"],
            [.text("mine"), .text("newer")]
        ),
        (
            [], [.renameCase("Shape", "rack", to: "frame"), .rewrite("N") { _ in }], ["a", "r"],
            [.text("x"), .text("mine")]
        ),
    ]

    @Test("C1: a later version's step may name what a version between brought in", arguments: ways.indices)
    func broughtIn(_ index: Int) throws {
        try store()
        let way = Self.ways[index]
        let schema = Schema(models: [Self.model("M", way.fields.map(Self.text)), Self.model("B", [])])
        let core = try open(schema, [SchemaVersion(1, way.first), SchemaVersion(2, way.second)])
        #expect(try core.read { try $0.query(model: "M") }.map(\.values) == [[.text("1")] + way.values])
        #expect(try core.outbox().map(\.state) == [.queued])
    }

    @Test("C1: a model that went and came anew may be changed by a still later version")
    func modelAnew() throws {
        try store()
        let schema = Schema(models: [
            Self.model("M", [Self.text("a"), Self.text("r")]), Self.model("D", [Self.text("t")]),
        ])
        let core = try open(
            schema,
            [
                SchemaVersion(1, [.removeModel("B")]), SchemaVersion(2, []),
                SchemaVersion(3, [.renameField("B", "s", to: "t"), .renameModel("B", to: "D")]),
            ])
        #expect(try core.read { try $0.query(model: "D") }.isEmpty)
        #expect(try core.read { try $0.count(model: "M") } == 1)
    }

    @Test("a name that the first version's step mistakes is refused, as one that is taken is in any")
    func mistaken() throws {
        try store()
        func refusal(_ versions: [SchemaVersion]) -> String {
            do {
                try open(Schema(models: [Self.model("M", [Self.text("a"), Self.text("r")])]), versions).close()
                return ""
            } catch {
                return "\(error)"
            }
        }
        let typo = SchemaStep.renameField("M", "ab", to: "c")
        #expect(refusal([SchemaVersion(1, [typo])]).contains("M.ab: a schema step names it"))
        let taken = SchemaStep.renameField("M", "a", to: "r")
        #expect(refusal([SchemaVersion(1, []), SchemaVersion(2, [taken])]).contains("M.a: a schema step calls it r"))
    }

    @Test("C1: the name of a field that was converted and went is free")
    func convertedAndGone() throws {
        try store()
        let core = try open(
            Schema(models: [Self.model("M", [Self.text("p")]), Self.model("B", [])]),
            [
                SchemaVersion(1, [.convert("M", "a") { $0 }]), SchemaVersion(2, [.removeField("M", "a")]),
                SchemaVersion(3, [.renameField("M", "r", to: "a")]),
                SchemaVersion(4, [.renameField("M", "a", to: "p")]),
            ])
        #expect(try core.read { try $0.query(model: "M") }.map(\.values) == [[.text("1"), .text("mine")]])
        #expect(try core.outbox().map { $0.fields["p"] } == ["mine"])
    }

    @Test("columns that are put aside never meet, though a model with such a one goes between")
    func asides() throws {
        let schema = Schema(models: [
            Self.model("A", [Self.text("y"), Self.text("z")]), Self.model("B", [Self.text("x")]),
        ])
        let before = try open(schema)
        try before.write(as: nil) {
            try $0.save(Record(schema: schema.models[0], values: [.text("1"), .text("yy"), .text("zz")]))
        }
        before.close()
        let core = try open(
            Schema(models: [Self.model("A", [])]),
            [
                SchemaVersion(
                    1,
                    [
                        .removeField("B", "x"), .removeField("A", "y"), .removeModel("B"),
                        .renameField("A", "z", to: "y"),
                    ]), SchemaVersion(2, [.removeField("A", "y")]),
            ])
        #expect(try core.read { try $0.query(model: "A") }.map(\.values) == [[.text("1")]])
    }

    @Test("a key in another Unicode form is another key, which a migration may not give")
    func unicodeKey() throws {
        let schema = Schema(models: [Self.model("M", [Self.text("a")])])
        let before = try open(schema)
        try before.write(as: nil) {
            try $0.save(Record(schema: schema.models[0], values: [.text("cafe\u{301}"), .text("x")]))
        }
        before.close()
        let error = #expect(throws: StoreError.self) {
            try open(schema, [SchemaVersion(1, [.rewrite("M") { if $0["id"] != nil { $0["id"] = "caf\u{E9}" } }])])
        }
        #expect(error?.description.contains("a migration cannot change a record's key") == true)
    }
}
