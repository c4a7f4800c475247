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
}
