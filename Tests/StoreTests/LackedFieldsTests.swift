import Basics
import Models
import System
import Testing

@testable import DataStore

/// Fields that a later version of the app adds, and rows that were fetched before.
@Suite struct LackedFieldsTests {
    private static let later: Schema = {
        let bin = ModelSchema(
            "Bin", pluralName: "Bins", fields: Bin.schema.fields + [FieldSchema("grade", .scalar(.int))],
            indexes: Bin.schema.indexes, relations: Bin.schema.relations)
        return Schema(
            models: [Zone.schema, bin, Pass.schema, Entry.schema, Draft.schema, Item.schema], enums: testSchema.enums)
    }()

    private func open(_ directory: TempDirectory, _ schema: Schema) throws -> StoreCore {
        try StoreCore(schema: schema, at: .directory(directory.path), options: testOptions())
    }

    private func graded(_ bin: Bin, _ grade: Int64, _ version: Int64) throws -> RemoteRecord {
        let model = try #require(Self.later.model("Bin"))
        let record = Record(schema: model, values: bin.record.values + [.integer(grade)])
        return RemoteRecord(record: record, version: version, lastChangedAt: version * 1000)
    }

    private func bin(_ core: StoreCore, _ id: String) throws -> Record? {
        try core.read { try $0.get(model: "Bin", id: id) }
    }

    @Test func whatIsFetchedAgainInTheVersionThatIsHereBringsTheNewFields() throws {
        let directory = try TempDirectory()
        var core = try open(directory, testSchema)
        let (a, b) = (Bin(id: "a", code: "A"), Bin(id: "b", code: "B"))
        var mark = SyncMark(model: "Bin")
        mark.lastSync = 10
        try core.applyPage(model: "Bin", items: [remote(a, 3), remote(b, 2)], mark: mark)
        try core.save(b.with { $0.note = "mine" })
        core.close()

        core = try open(directory, Self.later)
        #expect(try core.mark(of: "Bin").lastSync == nil)
        try core.applyPage(model: "Bin", items: [try graded(a, 5, 3)], mark: nil)
        // Cut off between two pages, it still knows what is missing.
        core.close()
        core = try open(directory, Self.later)
        mark.lastSync = 20
        try core.applyPage(model: "Bin", items: [try graded(b, 6, 2)], mark: mark)
        #expect(try bin(core, "a")?["grade"] == .integer(5))
        #expect(try bin(core, "b")?["grade"] == .integer(6))
        #expect(try bin(core, "b")?["note"] == .text("mine"))
        #expect(try core.outbox().map(\.fields) == [["note": "mine"]])

        // All of it was fetched: a version stands for one content again.
        let report = try core.applyRemote([try graded(a, 9, 3)])
        #expect(report.ignored == 1)
        #expect(try bin(core, "a")?["grade"] == .integer(5))
        core.close()
        #expect(try open(directory, Self.later).lackedFields.isEmpty)
    }

    @Test func whatIsLackedFollowsItsModelAndFieldToTheirNewNames() throws {
        let directory = try TempDirectory()
        var core = try open(directory, testSchema)
        try core.applyPage(model: "Bin", items: [remote(Bin(id: "a"), 3)], mark: SyncMark(model: "Bin", lastSync: 1))
        core.close()
        try open(directory, Self.later).close()
        let shelf = ModelSchema(
            "Shelf", pluralName: "Shelves", fields: Bin.schema.fields + [FieldSchema("class", .scalar(.int))],
            indexes: Bin.schema.indexes)
        let zone = ModelSchema("Zone", pluralName: "Zones", fields: Zone.schema.fields)
        core = try StoreCore(
            schema: Schema(
                models: [zone, shelf, Pass.schema, Entry.schema, Draft.schema, Item.schema], enums: testSchema.enums),
            at: .directory(directory.path),
            options: testOptions {
                $0.migrations = [
                    SchemaVersion(1, [.renameField("Bin", "grade", to: "class"), .renameModel("Bin", to: "Shelf")])
                ]
            })
        #expect(core.lackedFields == ["Shelf": ["class"]])
    }

    @Test func aNewFieldThatWasChangedHereMeanwhileStays() throws {
        let directory = try TempDirectory()
        var core = try open(directory, testSchema)
        let a = Bin(id: "a", code: "A")
        try core.applyPage(model: "Bin", items: [remote(a, 3)], mark: SyncMark(model: "Bin"))
        core.close()
        core = try open(directory, Self.later)
        var changed = try #require(try bin(core, "a"))
        changed["grade"] = .integer(8)
        try core.write(as: nil) { try $0.save(changed) }
        try core.applyRemote([try graded(a, 5, 3)])
        #expect(try bin(core, "a")?["grade"] == .integer(8))
        #expect(try core.outbox().map(\.fields) == [["grade": 8]])
    }

    @Test func aMemberThatAnEmbeddedTypeGainsIsLackedToo() throws {
        func schema(_ more: [FieldSchema]) throws -> (Schema, ModelSchema) {
            let model = ModelSchema(
                "Crate", pluralName: "Crates",
                fields: [
                    FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("place", .embedded("Place")),
                    FieldSchema("past", .embedded("Place"), isList: true),
                ])
            let place = [FieldSchema("row", .embedded("Row"))]
            return (
                Schema(models: [model], embedded: ["Place": place, "Row": [FieldSchema("a", .scalar(.int))] + more]),
                model
            )
        }
        func crate(_ model: ModelSchema, _ place: String, _ version: Int64) -> RemoteRecord {
            let values: [Value] = [.text("c"), .text(place), .text("[\(place)]")]
            return RemoteRecord(record: Record(schema: model, values: values), version: version, lastChangedAt: version)
        }
        let directory = try TempDirectory()
        let (earlier, model) = try schema([])
        var core = try open(directory, earlier)
        var mark = SyncMark(model: "Crate")
        mark.lastSync = 10
        try core.applyPage(model: "Crate", items: [crate(model, #"{"row":{"a":1}}"#, 3)], mark: mark)
        var here = try #require(try core.read { try $0.get(model: "Crate", id: "c") })
        here["place"] = .text(#"{"row":{"a":2}}"#)
        try core.write(as: nil) { [here] in try $0.save(here) }
        core.close()

        core = try open(directory, try schema([FieldSchema("b", .scalar(.int))]).0)
        #expect(try core.mark(of: "Crate").lastSync == nil)
        try core.applyPage(model: "Crate", items: [crate(model, #"{"row":{"a":1,"b":5}}"#, 3)], mark: nil)
        here = try #require(try core.read { try $0.get(model: "Crate", id: "c") })
        #expect(here["past"] == .text(#"[{"row":{"a":1,"b":5}}]"#))
        #expect(here["place"] == .text(#"{"row":{"a":2}}"#), "what waits stays")
        // The backend kept what this change never had: nothing was overruled.
        var conflicts = 0
        core.onEvent = { if case .conflict = $0 { conflicts += 1 } }
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(entry.base == ["place": ["row": ["a": 1]]])
        var answer = crate(model, #"{"row":{"a":1,"b":5}}"#, 4)
        answer = RemoteRecord(
            record: Record(
                schema: model,
                values: [.text("c"), .text(#"{"row":{"a":2,"b":5}}"#), answer.record.values[2]]),
            version: 4, lastChangedAt: 4)
        try core.settle([MutationResult(order: entry.order, outcome: .applied(answer))])
        #expect(conflicts == 0)
        #expect(try core.outbox().isEmpty)
        here = try #require(try core.read { try $0.get(model: "Crate", id: "c") })
        #expect(here["place"] == .text(#"{"row":{"a":2,"b":5}}"#))
        core.close()
    }

    @Test("D68: a long row that is kept aside is read by the version that knows it")
    func longRowAside() throws {
        let directory = try TempDirectory()
        var core = try open(directory, testSchema)
        let note = String(repeating: "note ", count: 50_000)
        let json =
            #"{"id":"b","code":"c","place":1,"note":"\#(note)","shape":"cave","tags":[],"_version":2,"_lastChangedAt":7}"#
        let row = UnreadableRecord(model: "Bin", id: "b", version: 2, json: json, reason: "shape: cave")
        let keyless = UnreadableRecord(model: "Bin", id: "", version: 2, json: "{}", reason: "id is missing")
        try core.applyRemote([], unreadable: [row, keyless])
        #expect(try core.quarantined().contains(row))
        core.close()
        var enums = testSchema.enums
        enums["Shape", default: []].append("cave")
        core = try open(directory, Schema(models: testSchema.models, enums: enums))
        #expect(try core.quarantined() == [keyless])
        #expect(try bin(core, "b")?["note"] == .text(note))
        #expect(try bin(core, "b")?["shape"] == .text("cave"))
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 2))
    }

    @Test func anAnswerThatCannotBeReadEndsItsEntryAndIsKeptAside() throws {
        let core = try memoryCore()
        let base = Bin(id: "b", code: "c", place: 1)
        try core.applyRemote([remote(base, 1)])
        try core.save(base.with { $0.place = 2 })
        let batch = try #require(try core.nextMutations(limit: 1))
        try core.save(base.with { ($0.place, $0.note) = (2, "later") })
        let json = #"{"id":"b","code":"c","place":2,"shape":"cave","tags":[],"_version":2,"_lastChangedAt":7}"#
        let row = UnreadableRecord(model: "Bin", id: "b", version: 2, json: json, reason: "shape: cave")
        let report = try core.settle([MutationResult(order: batch.entries[0].order, outcome: .appliedUnreadable(row))])
        #expect(report.settled == 1 && report.quarantined == 1)
        #expect(try core.quarantined() == [row])
        let waiting = try core.outbox()
        #expect(waiting.map(\.fields) == [["note": "later"]])
        #expect(waiting.map(\.baseVersion) == [2], "it follows what was done")
        #expect(try core.bin("b")?.place == 2)
        #expect(try core.sendAll(version: 3) == 1)
        #expect(core.outboxStatus.isEmpty)
    }

    @Test func whatATransactionForgetsThatFailsIsKnownAgain() throws {
        struct Failed: Error {}
        let directory = try TempDirectory()
        try open(directory, testSchema).close()
        let core = try open(directory, Self.later)
        #expect(core.lacksFields("Bin"))
        #expect(throws: Failed.self) {
            try core.commit(nil, .full) { _ in
                try core.forgetLackedFields(of: "Bin")
                throw Failed()
            }
        }
        #expect(core.lacksFields("Bin"))
        core.close()
    }
}
