import Basics
import ModelTables
import Models
import System
import Testing

@testable import DataStore

/// Steps of several versions, taken at once by a store that skips those between.
@Suite("Versions that a store skips")
struct MigrationVersionTests {
    private let site: MigratedStore

    init() throws { site = try MigratedStore() }

    /// A store of one record of M, whose fields a and r hold `x` and `mine`.
    private func store() throws {
        let schema = Schema(models: [
            MigratedStore.model("M", [MigratedStore.text("a"), MigratedStore.text("r")]), MigratedStore.model("B", []),
        ])
        let core = try site.open(schema)
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
        let schema = Schema(models: [
            MigratedStore.model("M", way.fields.map(MigratedStore.text)), MigratedStore.model("B", []),
        ])
        let core = try site.open(schema, [SchemaVersion(1, way.first), SchemaVersion(2, way.second)])
        #expect(try core.read { try $0.query(model: "M") }.map(\.values) == [[.text("1")] + way.values])
        #expect(try core.outbox().map(\.state) == [.queued])
    }

    @Test("C1: a model that went and came anew may be changed by a still later version")
    func modelAnew() throws {
        try store()
        let schema = Schema(models: [
            MigratedStore.model("M", [MigratedStore.text("a"), MigratedStore.text("r")]),
            MigratedStore.model("D", [MigratedStore.text("t")]),
        ])
        let core = try site.open(
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
                try site.open(
                    Schema(models: [MigratedStore.model("M", [MigratedStore.text("a"), MigratedStore.text("r")])]),
                    versions
                ).close()
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
        let core = try site.open(
            Schema(models: [MigratedStore.model("M", [MigratedStore.text("p")]), MigratedStore.model("B", [])]),
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
            MigratedStore.model("A", [MigratedStore.text("y"), MigratedStore.text("z")]),
            MigratedStore.model("B", [MigratedStore.text("x")]),
        ])
        let before = try site.open(schema)
        try before.write(as: nil) {
            try $0.save(Record(schema: schema.models[0], values: [.text("1"), .text("yy"), .text("zz")]))
        }
        before.close()
        let core = try site.open(
            Schema(models: [MigratedStore.model("A", [])]),
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
        let schema = Schema(models: [MigratedStore.model("M", [MigratedStore.text("a")])])
        let before = try site.open(schema)
        try before.write(as: nil) {
            try $0.save(Record(schema: schema.models[0], values: [.text("cafe\u{301}"), .text("x")]))
        }
        before.close()
        let error = #expect(throws: StoreError.self) {
            try site.open(schema, [SchemaVersion(1, [.rewrite("M") { if $0["id"] != nil { $0["id"] = "caf\u{E9}" } }])])
        }
        #expect(error?.description.contains("a migration cannot change a record's key") == true)
    }
}
