import Basics
import ModelTables
import Models
import SQLite
import System
import Testing

@testable import DataStore

/// A store as an earlier program left it, from a dump beside the tests: each format of the store's file has one.
///
/// Every dump holds rows, waiting changes in each state, a record kept aside, a tombstone, a row in quarantine, marks,
/// counters and settings.
func fixture(_ format: Int, in directory: String, _ here: String = #filePath) throws {
    let folder = here.split(separator: "/").dropLast().joined(separator: "/")
    let dump = try Files.readText("/\(folder)/Fixtures/store-\(format).sql")
    let script = dump.split(separator: "\n").filter { $0 != "BEGIN TRANSACTION;" && $0 != "COMMIT;" }
    try Connection.open(path: StoreOpening.path(directory)).execute(script.joined(separator: "\n"))
}

@Suite("Stores of earlier programs")
struct StoreMigrationTests {
    private func options(_ seed: UInt64, _ versions: [SchemaVersion] = []) -> StoreOptions {
        testOptions {
            $0.random = SeededRandom(seed: seed)
            $0.migrations = versions
        }
    }

    private func open(_ directory: TempDirectory, _ schema: Schema = testSchema, _ versions: [SchemaVersion] = [])
        throws
        -> StoreCore
    {
        try StoreCore(schema: schema, at: .directory(directory.path), options: options(99, versions))
    }

    private func counts(_ core: StoreCore, _ tables: [String]) throws -> [Int64] {
        try tables.map { try core.connection.value("SELECT count(*) FROM \"\($0)\"")?.integer ?? -1 }
    }

    private static let tables = [
        "Zone", "Bin", "Pass", "Entry", "Draft", "Item", "_outbox", "_shadow", "_tombstone", "_quarantine", "_mark",
        "_sequence",
    ]

    @Test(
        "D16 D94 D98: a store of every earlier format opens, with every row, change, mark and counter",
        arguments: [1, 2])
    func everyFormat(_ format: Int) throws {
        let directory = try TempDirectory()
        try fixture(format, in: directory.path)
        let core = try open(directory)
        #expect(try counts(core, Self.tables) == [2, 3, 1, 1, 1, 1, 6, 1, 1, 1, 2, 1])
        #expect(try core.connection.userVersion == StoreSchema.version)
        #expect(Files.exists(StoreOpening.path(directory.path) + ".backup-1"))
        #expect(
            try core.connection.value("SELECT \"sql\" FROM sqlite_schema WHERE \"name\"='_outbox.lane'")?.text?
                .contains("held") == true)
        let outbox = try core.outbox()
        #expect(outbox.map(\.state) == [.parked, .queued, .queued, .queued, .queued, .queued])
        #expect(outbox.map(\.identity) == ["ann", "ann", "ann", "ann", "bob", "bob"])
        #expect(outbox.allSatisfy { $0.condition == nil && $0.lastTriedAt == nil })
        #expect(try core.bin("b1")?.note == "mine")
        #expect(try core.read { try $0.setting("site") } == "N1")
        #expect(try core.mark(of: "Zone").lastSync == 6)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "new") } == .parked(reason: "Invalid: no"))
        _ = try core.write(as: "ann") { try $0.retryOutbox(outbox[0].order) }
        #expect(try core.sendAll(version: 9) == 6)
        #expect(core.outboxStatus.isEmpty)
        core.close()
        let again = try open(directory)
        #expect(try counts(again, ["_outbox", "Bin"]) == [0, 3])
        #expect(!Files.exists(StoreOpening.path(directory.path) + ".backup-2"), "nothing was left to migrate")
    }

    /// Later versions of the test's schema.
    private static let changed: Schema = {
        let id = FieldSchema("id", .scalar(.id), isRequired: true)
        let bin = ModelSchema(
            "Bin", pluralName: "Bins",
            fields: [
                id, FieldSchema("zoneID", .scalar(.id)), FieldSchema("code", .scalar(.string), isRequired: true),
                FieldSchema("spot", .scalar(.string), isRequired: true),
                FieldSchema("quantity", .scalar(.decimal(places: 3))), FieldSchema("shape", .enumeration("Shape")),
                FieldSchema("remark", .scalar(.string)),
                FieldSchema("tags", .scalar(.string), isRequired: true, isList: true, isElementRequired: true),
                FieldSchema("updatedAt", .scalar(.awsDateTime), isReadOnly: true),
                FieldSchema("grade", .scalar(.int), isRequired: true, defaultValue: "5"),
            ], indexes: [IndexSchema("byZone", fields: ["zoneID", "spot"])],
            relations: [RelationSchema("zone", .belongsTo, target: "Zone", fields: ["zoneID"])])
        let zone = ModelSchema(
            "Zone", pluralName: "Zones", fields: [id, FieldSchema("label", .scalar(.string), isRequired: true)])
        let note = ModelSchema(
            "Note", pluralName: "Notes", fields: [id, FieldSchema("text", .scalar(.string), isRequired: true)],
            syncPolicy: .none)
        return Schema(
            models: [zone, bin, Pass.schema, Entry.schema, note], enums: ["Shape": ["frame", "shelf", "cave"]])
    }()

    private static let versions = [
        SchemaVersion(
            1,
            [
                .renameField("Zone", "code", to: "name"), .renameCase("Shape", "rack", to: "frame"),
                .removeModel("Item"), .renameModel("Draft", to: "Memo"),
            ]),
        SchemaVersion(
            2,
            [
                .renameField("Zone", "name", to: "label"), .renameModel("Memo", to: "Note"),
                .convert("Bin", "place") { .string("P\($0.text)") }, .renameField("Bin", "place", to: "spot"),
                .removeField("Bin", "note"),
                .rewrite("Bin") { bin in
                    if let note = bin["note"] {
                        bin["remark"] = note.isNull ? .null : .string("was " + (note.string ?? ""))
                    }
                },
            ]),
    ]

    @Test("D94 C1: renames, conversions, splits and removals take rows and waiting changes along in one transaction")
    func steps() throws {
        let directory = try TempDirectory()
        try fixture(1, in: directory.path)
        let core = try open(directory, Self.changed, Self.versions)
        #expect(
            try counts(core, ["Zone", "Bin", "Note", "_outbox", "_shadow", "_tombstone", "_quarantine", "_sequence"])
                == [2, 3, 1, 6, 1, 1, 1, 1])
        try core.read { tx in
            #expect(try tx.get(model: "Zone", id: "z1")?["label"] == .text("A"))
            let bin = try #require(try tx.get(model: "Bin", id: "b1"))
            #expect(bin["spot"] == .text("P1") && bin["remark"] == .text("was mine") && bin["shape"] == .text("shelf"))
            #expect(bin["grade"] == .integer(5) && bin["quantity"] == .integer(1500))
            #expect(try tx.get(model: "Note", id: "d")?["text"] == .text("draft"))
            #expect(try tx.syncState(model: "Bin", id: "b2") == .queued)
        }
        #expect(try core.quarantined()[0].json.contains(#""spot":"P1""#), "what is kept aside changes too")
        let outbox = try core.outbox()
        let created = outbox[0].fields
        #expect(created["spot"] == "P9" && created["place"] == nil && created["grade"] == 5)
        #expect(outbox[3].fields == ["shape": "shelf", "remark": "was mine"])
        #expect(outbox[3].base == ["shape": "frame", "remark": nil])
        #expect(outbox[5].base["spot"] == "P3" && outbox[5].base["note"] == nil)
        #expect(try core.shadow("Bin", "b2")?.object["spot"] == "P22")
        #expect(try core.mark(of: "Bin").lastSync == nil, "what the backend has in new fields is fetched")
        #expect(try core.mark(of: "Zone").lastSync == 6)
        let columns = try core.connection.rows("SELECT name FROM pragma_table_info('Bin')").compactMap { $0[0].text }
        #expect(!columns.contains { $0.hasPrefix("_old") || $0 == "note" || $0 == "place" })
        core.close()
        let again = try open(directory, Self.changed, Self.versions)
        #expect(try again.outbox() == outbox, "the steps run once")
    }

    @Test("D8 C1: a migration that fails leaves the file as it was, with a backup beside it", arguments: [true, false])
    func failure(_ inStep: Bool) throws {
        struct Broken: Error {}
        let directory = try TempDirectory()
        try fixture(1, in: directory.path)
        var versions = Self.versions
        if inStep {
            versions.append(SchemaVersion(3, [.rewrite("Bin") { _ in throw Broken() }]))
        } else {
            versions[0] = SchemaVersion(1, versions[0].steps + [.renameField("Bin", "no", to: "yes")])
        }
        #expect(throws: (any Error).self) { try open(directory, Self.changed, versions) }
        let core = try open(directory)
        #expect(try core.bin("b1")?.note == "mine")
        #expect(try core.outbox().count == 6)
    }

    @Test("C1: what would lose an unsent change is refused by name")
    func unsent() throws {
        let directory = try TempDirectory()
        try fixture(1, in: directory.path)
        let schema = Schema(
            models: [Zone.schema, Bin.schema, Pass.schema, Draft.schema, Item.schema], enums: testSchema.enums)
        let error = #expect(throws: StoreError.self) {
            try open(directory, schema, [SchemaVersion(1, [.removeModel("Entry")])])
        }
        #expect(error?.description.contains("Entry: 1 changes of it wait to be sent") == true)
        #expect(throws: StoreError.self) { try open(directory, schema) }
        #expect(try open(directory).outbox().count == 6)
    }

    @Test("a waiting change that no longer fits after a migration is parked with the reason, not lost")
    func unfitting() throws {
        let directory = try TempDirectory()
        try fixture(1, in: directory.path)
        let core = try open(
            directory, Self.changed,
            Self.versions + [
                SchemaVersion(
                    3, [.rewrite("Bin") { if $0["remark"] == "was mine", $0["id"] == nil { $0["remark"] = 7 } }])
            ])
        let entry = try core.outbox()[3]
        #expect(entry.state == .parked)
        #expect(entry.reason == "after the schema changed: Bin.remark: 7 is not a valid String")
    }

    @Test("D98: a store of a newer schema is refused with what to do, and left as it is")
    func newer() throws {
        let directory = try TempDirectory()
        try fixture(1, in: directory.path)
        _ = try open(directory, Self.changed, Self.versions)
        let error = #expect(throws: StoreError.self) {
            try open(directory, Self.changed, [Self.versions[0]])
        }
        #expect(error?.description.contains("install the newer program") == true)
        #expect(try open(directory, Self.changed, Self.versions).outbox().count == 6)
    }

    @Test("C32: members that this program does not know travel round in neither direction and stop nothing")
    func unknownFields() throws {
        let core = try memoryCore()
        let table = try core.context.table("Bin")
        let object: JSONObject = [
            "id": "b", "code": "c", "place": 1, "tags": [], "newField": "of a later program",
        ]
        #expect(try table.record(table.wire.values(object))["code"] == .text("c"))
        try core.applyRemote([remote(Bin(id: "b", code: "c", place: 1), 1)])
        try core.save(Bin(id: "b", code: "d", place: 1))
        #expect(
            try core.outbox()[0].fields == ["code": "d"], "an update names only what changed, so it erases nothing else"
        )
    }
}
