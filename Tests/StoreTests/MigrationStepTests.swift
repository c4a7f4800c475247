import Basics
import ModelTables
import Models
import SQLite
import System
import Testing

@testable import DataStore

/// What each step of a migration does to rows and to what lies beside them, or why it is refused.
@Suite("Steps of a migration")
struct MigrationStepTests {
    private let directory: TempDirectory

    init() throws { directory = try TempDirectory() }

    private static func schema(
        _ fields: [FieldSchema], key: [String] = ["id"], enums: [String: [String]] = [:]
    ) -> Schema {
        let id = FieldSchema("id", .scalar(.id), isRequired: true)
        return Schema(
            models: [ModelSchema("M", pluralName: "Ms", fields: [id] + fields, primaryKey: key)], enums: enums)
    }

    private func open(
        _ schema: Schema, _ steps: [SchemaStep] = [], _ change: (inout StoreOptions) -> Void = { _ in }
    ) throws -> StoreCore {
        try StoreCore(
            schema: schema, at: .directory(directory.path),
            options: testOptions {
                $0.random = SeededRandom(seed: UInt64(steps.count + 1))
                $0.migrations = steps.isEmpty ? [] : [SchemaVersion(1, steps)]
                change(&$0)
            })
    }

    /// Opens a store of the schema, saves records and closes it.
    private func store(_ schema: Schema, _ rows: [[Value]], isSent: Bool = false) throws {
        let core = try open(schema)
        try core.write(as: nil) { tx in
            for values in rows { try tx.save(Record(schema: schema.models[0], values: values)) }
        }
        if isSent { try core.sendAll() }
        core.close()
    }

    private func rows(_ core: StoreCore) throws -> [[Value]] {
        try core.read { try $0.query(model: "M") }.sorted { $0.id < $1.id }.map(\.values)
    }

    private func refusal(_ schema: Schema, _ steps: [SchemaStep] = []) -> String {
        do {
            try open(schema, steps).close()
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test(
        "C1: a field may take the name of one that goes, with its values and what waits of it",
        arguments: [false, true])
    func nameTaken(_ readsRows: Bool) throws {
        let (note, remark) = (FieldSchema("note", .scalar(.string)), FieldSchema("remark", .scalar(.string)))
        let n = FieldSchema("n", .scalar(.int))
        let before = Self.schema([note, remark, n])
        try store(before, [[.text("1"), .text("old"), .text("first"), .integer(1)]], isSent: true)
        try store(
            before,
            [
                [.text("1"), .text("old"), .text("mine"), .integer(1)],
                [.text("2"), .text("old"), .text("made"), .integer(1)],
            ])
        var steps: [SchemaStep] = [.removeField("M", "note"), .renameField("M", "remark", to: "note")]
        if readsRows { steps.append(.convert("M", "n") { .integer(($0.integer ?? 0) + 1) }) }
        let core = try open(Self.schema([note, n]), steps)
        let number = Value.integer(readsRows ? 2 : 1)
        #expect(try rows(core) == [[.text("1"), .text("mine"), number], [.text("2"), .text("made"), number]])
        let outbox = try core.outbox()
        #expect(outbox.map(\.kind) == [.update, .create] && outbox.allSatisfy { $0.state == .queued })
        #expect(outbox[0].fields == ["note": "mine"] && outbox[0].base == ["note": "first"])
        #expect(outbox[1].fields["note"] == "made")
    }

    @Test("C1: what waits of a field that goes does not become another's that takes the name")
    func nameTakenFromChange() throws {
        let (note, remark) = (FieldSchema("note", .scalar(.string)), FieldSchema("remark", .scalar(.string)))
        let before = Self.schema([note, remark])
        try store(before, [[.text("1"), .text("old"), .text("r")]], isSent: true)
        try store(before, [[.text("1"), .text("gone"), .text("r")]])
        let core = try open(
            Self.schema([note]), [.removeField("M", "note"), .renameField("M", "remark", to: "note")])
        #expect(try core.outbox().isEmpty)
        #expect(try rows(core) == [[.text("1"), .text("r")]])
    }

    @Test("C1: what a rewrite puts in the place of a field that goes stays, in rows and in what waits")
    func nameFilled() throws {
        try store(Self.schema([FieldSchema("n", .scalar(.int))]), [[.text("1"), .integer(4)]])
        let core = try open(
            Self.schema([FieldSchema("n", .scalar(.string))]),
            [
                .removeField("M", "n"),
                .rewrite("M") { if let n = $0["n"]?.integer { $0["n"] = .string("v\(n)") } },
            ])
        #expect(try rows(core) == [[.text("1"), .text("v4")]])
        #expect(try core.outbox().map { $0.fields["n"] } == ["v4"])
    }

    @Test("C1: a case's new name is given to the values of its enum alone, whatever name a field took")
    func casesOfTakenNames() throws {
        let note = FieldSchema("note", .enumeration("A")), remark = FieldSchema("remark", .enumeration("B"))
        let before = Self.schema([note, remark], enums: ["A": ["x", "y"], "B": ["x", "y"]])
        try store(before, [[.text("1"), .text("y"), .text("x")]])
        let core = try open(
            Self.schema([FieldSchema("note", .enumeration("B"))], enums: ["A": ["z", "y"], "B": ["x", "y"]]),
            [
                .removeField("M", "note"), .renameField("M", "remark", to: "note"), .renameCase("A", "x", to: "z"),
            ])
        #expect(try core.outbox().map { $0.fields["note"] } == ["x"])
        #expect(try rows(core) == [[.text("1"), .text("x")]])
    }

    @Test("rows are rewritten whatever type a part of their key has", arguments: ParentKeyTests.parts)
    func keys(_ type: ScalarType, _ value: Value) throws {
        let part = FieldSchema("part", .scalar(type), isRequired: true)
        let key = ["id", "part"]
        try store(
            Self.schema([part, FieldSchema("note", .scalar(.int))], key: key), [[.text("s"), value, .integer(1)]])
        let core = try open(
            Self.schema([part, FieldSchema("note", .scalar(.string))], key: key),
            [.convert("M", "note") { .string("n\($0.text)") }])
        #expect(try rows(core) == [[.text("s"), value, .text("n1")]])
        #expect(try core.read { try $0.get(model: "M", id: "s#" + keyText(value)) } != nil)
    }

    @Test("a case that stands in a record's key keeps its name; one that stands in none may have another")
    func casesInKeys() throws {
        func schema(_ cases: [String]) -> Schema {
            Self.schema(
                [FieldSchema("shape", .enumeration("Shape"), isRequired: true)], key: ["id", "shape"],
                enums: ["Shape": cases])
        }
        try store(schema(["rack", "shelf"]), [[.text("s"), .text("rack")]])
        let told = refusal(schema(["frame", "shelf"]), [.renameCase("Shape", "rack", to: "frame")])
        #expect(told.contains("M.shape: a part of the key cannot change"))
        let core = try open(schema(["rack", "board"]), [.renameCase("Shape", "shelf", to: "board")])
        #expect(try core.read { try $0.get(model: "M", id: "s#rack") } != nil)
    }

    @Test("a case that only an embedded value holds may not go either, unless a step takes it away")
    func casesInEmbeddedValues() throws {
        func schema(_ cases: [String]) -> Schema {
            let shape = FieldSchema("shape", .enumeration("Shape"))
            let model = ModelSchema(
                "M", pluralName: "Ms",
                fields: [
                    FieldSchema("id", .scalar(.id), isRequired: true),
                    FieldSchema("parts", .embedded("Part"), isList: true),
                ])
            return Schema(
                models: [model], enums: ["Shape": cases],
                embedded: [
                    "Part": [FieldSchema("name", .scalar(.string)), FieldSchema("inner", .embedded("Inner"))],
                    "Inner": [shape, FieldSchema("list", .enumeration("Shape"), isList: true)],
                ])
        }
        try store(
            schema(["rack", "cave", "pit", "hole"]),
            [
                [.text("1"), .text(#"[{"name":"hole"},{"inner":{"shape":"cave"}}]"#)],
                [.text("2"), .text(#"[{"inner":{"shape":"rack","list":["rack","pit"]}}]"#)], [.text("3"), .null],
            ])
        let told = refusal(schema(["rack"]))
        #expect(told.contains("M.parts: Shape lacks cave, which rows hold; M.parts: Shape lacks pit, which rows hold"))
        #expect(!told.contains("hole"), "the text of a member that is no enum is no case")
        let core = try open(
            schema(["rack"]),
            [
                .rewrite("M") { object in
                    let text = object["parts"]?.text ?? "null"
                    let mended = text.split(separator: "\"").map { ["cave", "pit"].contains($0) ? "rack" : $0 }
                    if object["parts"] != nil {
                        object["parts"] = try JSONValue(parsing: mended.joined(separator: "\""))
                    }
                }
            ])
        #expect(try rows(core)[0][1] == .text(#"[{"name":"hole"},{"inner":{"shape":"rack"}}]"#))
    }

    @Test("a row in quarantine never keeps a store from opening: what a step cannot read stays as it came")
    func quarantine() throws {
        struct NoNumber: Error {}
        let before = try open(Self.schema([FieldSchema("w", .scalar(.int), isRequired: true)]))
        func aside(_ id: String, _ json: String) -> UnreadableRecord {
            UnreadableRecord(model: "M", id: id, version: 1, json: json, reason: "w")
        }
        let heavy = #"{"id":"1","w":"heavy","_version":1}"#
        _ = try before.applyPage(
            model: "M", items: [],
            unreadable: [
                aside("1", heavy), aside("2", "no JSON at all"), aside("3", #"{"id":3.5,"w":3,"_version":1}"#),
            ], mark: nil)
        before.close()
        let core = try open(
            Self.schema([FieldSchema("w", .enumeration("Weight"), isRequired: true)], enums: ["Weight": ["g3"]]),
            [
                .convert("M", "w") {
                    guard let grams = $0.integer else { throw NoNumber() }
                    return .string("g\(grams)")
                }
            ])
        let kept = try core.quarantined().sorted { $0.id < $1.id }
        #expect(kept.map(\.json) == [heavy, "no JSON at all", #"{"id":3.5,"w":"g3","_version":1}"#])
    }

    @Test("of what lies in quarantine only the body that fails on it is left out: names and cases are today's")
    func quarantineInPart() throws {
        struct NoNumber: Error {}
        let number = FieldSchema("w", .scalar(.int), isRequired: true)
        let before = try open(Self.schema([FieldSchema("remark", .scalar(.string)), number]))
        let aside = UnreadableRecord(
            model: "M", id: "1", version: 1, json: #"{"id":"1","remark":"keep","w":"heavy"}"#, reason: "w")
        _ = try before.applyPage(model: "M", items: [], unreadable: [aside], mark: nil)
        before.close()
        let core = try open(
            Self.schema([FieldSchema("note", .scalar(.string)), number]),
            [
                .renameField("M", "remark", to: "note"),
                .rewrite("M") { object in
                    object["note"] = "half"
                    if object["w"]?.integer == nil { throw NoNumber() }
                },
            ])
        let kept = try #require(try core.quarantined().first)
        #expect(try JSONValue(parsing: kept.json) == .object(["id": "1", "w": "heavy", "note": "keep"]))
    }

    @Test("rows in quarantine are looked at again though the process that migrated the store died right after it")
    func recheckIsMarkedWithTheMigration() throws {
        func schema(_ cases: [String]) -> Schema {
            Self.schema([FieldSchema("shape", .enumeration("Shape"), isRequired: true)], enums: ["Shape": cases])
        }
        try open(schema(["rack"])).close()
        let marks = Locked<[Value?]>([])
        let path = StoreOpening.path(directory.path)
        // It says so as soon as the migration is committed: what is in the file then is what a death leaves.
        let log = Log { _, text in
            guard text.contains("were migrated") else { return }
            let mark = try? Connection.open(path: path, options: .readOnly)
                .value("SELECT \"value\" FROM \"_meta\" WHERE \"key\"='recheck'")
            marks.withLock { $0.append(mark) }
        }
        let core = try open(schema(["rack", "cave"])) { $0.log = log }
        #expect(marks.current == [.text("1")])
        #expect(try core.connection.value("SELECT 1 FROM \"_meta\" WHERE \"key\"='recheck'") == nil)
    }

    @Test("C1: a field that becomes required is filled in what waits to be created as it is in rows")
    func becomesRequired() throws {
        try store(Self.schema([FieldSchema("n", .scalar(.int))]), [[.text("1"), .null], [.text("2"), .integer(7)]])
        let core = try open(Self.schema([FieldSchema("n", .scalar(.int), isRequired: true, defaultValue: "3")]))
        #expect(try rows(core) == [[.text("1"), .integer(3)], [.text("2"), .integer(7)]])
        #expect(try core.outbox().map { $0.fields["n"] } == [3, 7])
        #expect(!core.lacksFields("M"), "rows have the field: nothing is fetched anew for it")
    }

    @Test("a model may take the name of one that goes")
    func modelReplaced() throws {
        func model(_ name: String, _ field: String) -> ModelSchema {
            ModelSchema(
                name, pluralName: name + "s",
                fields: [FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema(field, .scalar(.string))],
                indexes: [IndexSchema("by", fields: [field])])
        }
        let before = Schema(models: [model("A", "a"), model("B", "b")])
        let old = try open(before)
        try old.applyRemote([
            RemoteRecord(
                record: Record(schema: before.models[1], values: [.text("gone"), .text("b")]), version: 1,
                lastChangedAt: 1)
        ])
        try old.write(as: nil) {
            try $0.save(Record(schema: before.models[0], values: [.text("1"), .text("a")]))
        }
        old.close()
        let core = try open(
            Schema(models: [model("B", "text")]),
            [
                .convert("B", "b") { $0 }, .removeModel("B"), .renameModel("A", to: "B"),
                .renameField("B", "a", to: "text"),
            ])
        #expect(try core.read { try $0.query(model: "B") }.map(\.values) == [[.text("1"), .text("a")]])
        #expect(try core.outbox().map(\.model) == ["B"] && core.outbox()[0].fields["text"] == "a")
    }
}
