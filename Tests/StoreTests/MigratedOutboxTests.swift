import Basics
import Models
import System
import Testing

@testable import DataStore

/// What waits with a change goes along with a new schema: its condition, its unit, its number, who made it.
@Suite("Waiting changes over a migration")
struct MigratedOutboxTests {
    private func open(_ directory: TempDirectory, _ schema: Schema = testSchema, _ steps: [SchemaStep] = [])
        throws -> StoreCore
    {
        try StoreCore(
            schema: schema, at: .directory(directory.path),
            options: testOptions {
                $0.random = SeededRandom(seed: UInt64(steps.count + 1))
                $0.migrations = steps.isEmpty ? [] : [SchemaVersion(1, steps)]
            })
    }

    private func schema(_ change: (FieldSchema) -> FieldSchema?, _ enums: [String: [String]] = testSchema.enums)
        -> Schema
    {
        let bin = ModelSchema(
            "Bin", pluralName: "Bins", fields: Bin.schema.fields.compactMap(change),
            relations: [RelationSchema("zone", .belongsTo, target: "Zone", fields: ["zoneID"])])
        return Schema(models: [Zone.schema, bin, Pass.schema, Entry.schema, Draft.schema, Item.schema], enums: enums)
    }

    private func renamed(_ field: FieldSchema, _ from: String, _ to: String) -> FieldSchema {
        field.name == from ? FieldSchema(to, field.type, isRequired: field.isRequired) : field
    }

    /// A store with one change that waits with this condition.
    private func store(_ directory: TempDirectory, _ condition: Predicate<Bin>) throws {
        let core = try open(directory)
        let bin = Bin(id: "b", place: 1, quantity: 2, shape: .rack, note: "n")
        try core.applyRemote([remote(bin, 1)])
        try core.write(as: nil) { try $0.save(bin.with { $0.code = "new" }, where: condition) }
        core.close()
    }

    private static let note = Field<Bin, String?>("note")
    private static let place = Field<Bin, Int>("place")
    private static let shape = Field<Bin, Shape?>("shape")

    @Test(
        "C1: a change that takes a value away which is required now gets its default, and its other fields go with it")
    func requiredNow() throws {
        let directory = try TempDirectory()
        let first = try open(directory)
        try first.applyRemote([remote(Bin(id: "b", place: 1, note: "n"), 1), remote(Bin(id: "c", place: 1), 1)])
        try first.write(as: nil) { tx in
            try tx.save(Bin(id: "b", place: 2))
            try tx.save(Bin(id: "c", place: 3))
        }
        first.close()
        let core = try open(
            directory,
            schema { field in
                field.name == "note" ? FieldSchema("note", field.type, isRequired: true, defaultValue: "-") : field
            })
        let sent = try core.outbox().map { try JSONValue(parsing: $0.fieldsJSON) }
        #expect(sent.map { $0["note"] } == ["-", nil], "what a change leaves alone stays so")
        #expect(sent.map { $0["place"] } == [2, 3])
    }

    @Test("C1: a condition follows its fields and the cases of its enums to their new names")
    func conditions() throws {
        let directory = try TempDirectory()
        try store(
            directory, Predicate(.and([.field("note", .equal(.text("n"))), .field("shape", .isIn([.text("rack")]))])))
        let new = schema({ renamed($0, "note", "remark") }, ["Shape": ["frame", "shelf"]])
        let core = try open(
            directory, new, [.renameField("Bin", "note", to: "remark"), .renameCase("Shape", "rack", to: "frame")])
        let entry = try #require(try core.outbox().first)
        #expect(entry.state == .sealed)
        #expect(
            entry.condition
                == .and([.field("remark", .equal(.text("n"))), .field("shape", .isIn([.text("frame")]))]))
    }

    @Test("C1: a condition's value is converted where it is compared for being the same")
    func converted() throws {
        let directory = try TempDirectory()
        try store(directory, Predicate(.field("place", .equal(.integer(1)))))
        let new = schema { $0.name == "place" ? FieldSchema("place", .scalar(.string), isRequired: true) : $0 }
        let core = try open(directory, new, [.convert("Bin", "place") { .string("P\($0.text)") }])
        #expect(try core.outbox().first?.condition == .field("place", .equal(.text("P1"))))
        #expect(try core.outbox().first?.state == .sealed)
    }

    @Test("C1: a change whose condition cannot be said any more waits for a person, and is never sent without it")
    func lost() throws {
        for (condition, steps) in [
            (PredicateNode.field("note", .exists(true)), [SchemaStep.removeField("Bin", "note")]),
            (.field("place", .less(.integer(5))), [.convert("Bin", "place") { .string("P\($0.text)") }]),
        ] {
            let directory = try TempDirectory()
            try store(directory, Predicate(condition))
            let new = schema {
                switch $0.name {
                case "note" where steps.count == 1 && condition == .field("note", .exists(true)): nil
                case "place" where condition != .field("note", .exists(true)):
                    FieldSchema("place", .scalar(.string), isRequired: true)
                default: $0
                }
            }
            let core = try open(directory, new, steps)
            let entry = try #require(try core.outbox().first)
            #expect(entry.state == .parked)
            #expect(entry.reason?.contains("its condition names what is there no more") == true)
            #expect(entry.condition == condition)
        }
    }

    @Test("C1: models may take each other's names, with what waits of them")
    func namesPassedOn() throws {
        let directory = try TempDirectory()
        let before = try open(directory)
        try before.applyPage(model: "Draft", items: [], mark: SyncMark(model: "Draft", lastSync: 1))
        try before.applyPage(
            model: "Zone", items: [remote(Zone(id: "z"), 1)], mark: SyncMark(model: "Zone", lastSync: 2))
        try before.applyPage(model: "Pass", items: [], mark: SyncMark(model: "Pass", lastSync: 3))
        try before.save(Zone(id: "z", code: "mine"), Pass(id: "p"), identity: "ann")
        before.close()
        let area = ModelSchema(
            "Area", pluralName: "Areas", fields: Pass.schema.fields, authRules: Pass.schema.authRules)
        let pass = ModelSchema("Pass", pluralName: "Passes", fields: Zone.schema.fields)
        let bin = ModelSchema("Bin", pluralName: "Bins", fields: Bin.schema.fields)
        let entry = ModelSchema("Entry", pluralName: "Entries", fields: Entry.schema.fields)
        let core = try open(
            directory, Schema(models: [pass, area, bin, entry, Draft.schema, Item.schema], enums: testSchema.enums),
            [.renameModel("Pass", to: "Area"), .renameModel("Zone", to: "Pass")])
        #expect(try core.outbox().map(\.model) == ["Pass", "Area"])
        #expect(try core.outbox().map(\.id) == ["z", "p"])
        #expect(try core.mark(of: "Pass").lastSync == 2 && core.mark(of: "Area").lastSync == 3)
    }

    @Test("C1: what a delete took away comes back with the fields that were added since")
    func deletedBeforeAFieldWasAdded() throws {
        let directory = try TempDirectory()
        let before = try open(directory)
        try before.applyRemote([remote(Bin(id: "b", note: "n"), 3), remote(Bin(id: "c"), 3)])
        try before.write(as: nil) { try $0.delete(Bin.self, id: "b") }
        before.close()
        let ranked = ModelSchema(
            "Bin", pluralName: "Bins",
            fields: Bin.schema.fields + [FieldSchema("rank", .scalar(.int), isRequired: true, defaultValue: "7")],
            indexes: Bin.schema.indexes, relations: Bin.schema.relations)
        let core = try open(
            directory,
            Schema(
                models: [Zone.schema, ranked, Pass.schema, Entry.schema, Draft.schema, Item.schema],
                enums: testSchema.enums))
        let order = try #require(try core.outbox().first?.order)
        try core.write(as: nil) { _ = try $0.revertOutbox(order) }
        let all = try core.read { try $0.query(model: "Bin") }
        #expect(all.map { $0["rank"] } == [.integer(7), .integer(7)])
    }

    @Test("C1: where the last waiting change goes with its field, the backend's record that was kept aside is shown")
    func keptAsideAlone() throws {
        let directory = try TempDirectory()
        let before = try open(directory)
        let (a, b) = (Bin(id: "a", note: "n"), Bin(id: "b", note: "n"))
        try before.applyRemote([remote(a, 1), remote(b, 1)])
        try before.save(a.with { $0.note = "mine" }, b.with { $0.note = "mine" })
        try before.applyRemote([remote(a, 2, deleted: true)])
        try before.applyPage(model: "Bin", items: [], left: ["b"], leftUpTo: 5000, mark: nil)
        before.close()
        let core = try open(
            directory, schema { $0.name == "note" ? nil : $0 }, [.removeField("Bin", "note")])
        #expect(core.outboxStatus.isEmpty)
        #expect(try core.read { try $0.query(model: "Bin") }.isEmpty)
    }

    @Test("C14: a change that is nothing any more leaves its unit, and its number is not given again")
    func units() throws {
        let directory = try TempDirectory()
        let before = try open(directory)
        let bins = (0..<3).map { Bin(id: "b\($0)", place: 1) }
        try before.applyRemote(bins.map { remote($0, 1) })
        try before.write(as: nil) { tx in
            try tx.sentAsOne {
                try tx.save(bins[0].with { $0.place = 2 })
                try tx.save(bins[1].with { $0.place = 2 })
                try tx.save(bins[2].with { $0.note = "gone" })
            }
        }
        let orders = try before.outbox().map(\.order)
        before.close()
        let core = try open(directory, schema { $0.name == "note" ? nil : $0 }, [.removeField("Bin", "note")])
        #expect(try core.outbox().map(\.order) == Array(orders.prefix(2)))
        try core.write(as: nil) { tx in
            try tx.sentAsOne {
                for id in ["y", "z"] { try tx.save(Zone(id: id)) }
            }
        }
        let batch = try #require(try core.nextMutations(limit: 10))
        #expect(batch.entries.map(\.id) == ["b0", "b1", "y", "z"])
        #expect(batch.entries[2].order > orders[2])
        let units = batch.entries.map { batch.units[$0.order] }
        #expect(units[0] == units[1] && units[2] == units[3] && units[0] != units[2])
    }

    @Test("C16: who made what is not sent is known under the model's new name")
    func makers() throws {
        let directory = try TempDirectory()
        let before = try open(directory)
        try before.write(as: "bob") { try $0.save(Draft(id: "d", text: "bob's")) }
        before.close()
        let memo = ModelSchema("Memo", pluralName: "Memos", fields: Draft.schema.fields, syncPolicy: .none)
        let new = Schema(
            models: [Zone.schema, Bin.schema, Pass.schema, Entry.schema, memo, Item.schema], enums: testSchema.enums)
        let core = try open(directory, new, [.renameModel("Draft", to: "Memo")])
        try core.setPolicies(["Memo": .both], as: "ann")
        let entry = try #require(try core.outbox().first)
        #expect(entry.model == "Memo" && entry.identity == "bob")
    }

    @Test("a confirmed change of which nothing is left is not sent to a restored backend")
    func journal() throws {
        let directory = try TempDirectory()
        let before = try open(directory)
        before.setLife(epoch: "one", began: nil)
        try before.applyRemote([remote(Bin(id: "b", place: 1), 1)])
        try before.save(Bin(id: "b", place: 1, note: "gone"))
        try before.sendAll(version: 2)
        try before.save(Bin(id: "b", place: 2, note: "gone"))
        try before.sendAll(version: 3)
        before.close()
        let core = try open(directory, schema { $0.name == "note" ? nil : $0 }, [.removeField("Bin", "note")])
        core.setLife(epoch: "two", began: 9000)
        #expect(try core.recover(into: "two", having: [:]) == 1)
        #expect(try core.outbox().map(\.fields) == [["place": 2]])
    }

    @Test(
        "C1: what lies beside a model's rows is known under its new name: deletions, rows aside, marks, confirmed changes"
    )
    func beside() throws {
        let directory = try TempDirectory()
        let before = try open(directory)
        before.setLife(epoch: "one", began: nil)
        try before.applyRemote([
            remote(Draft(id: "gone"), 4, deleted: true), remote(Draft(id: "aside", text: "1"), 1),
        ])
        try before.setPolicies(["Draft": .both], as: nil)
        try before.save(Draft(id: "made", text: "m"))
        try before.sendAll()
        try before.save(Draft(id: "aside", text: "mine"), Draft(id: "waits"), identity: "bob")
        try before.applyPage(
            model: "Draft", items: [remote(Draft(id: "aside", text: "2"), 2)],
            unreadable: [UnreadableRecord(model: "Draft", id: "odd", version: 1, json: "{}", reason: "text")],
            mark: SyncMark(model: "Draft", lastSync: 5, scope: "all"))
        before.close()
        let memo = ModelSchema("Memo", pluralName: "Memos", fields: Draft.schema.fields, syncPolicy: .none)
        let new = Schema(
            models: [Zone.schema, Bin.schema, Pass.schema, Entry.schema, memo, Item.schema], enums: testSchema.enums)
        let core = try open(directory, new, [.renameModel("Draft", to: "Memo")])
        func row(_ id: String, _ text: String, _ version: Int64) -> RemoteRecord {
            RemoteRecord(
                record: Record(schema: memo, values: [.text(id), .text(text)]), version: version, lastChangedAt: version
            )
        }
        #expect(core.options.policy(of: memo) == .both, "what was chosen for it holds")
        #expect(try core.outbox().map(\.model) == ["Memo", "Memo"])
        #expect(try core.outbox().map(\.identity) == ["bob", "bob"])
        #expect(try core.shadow("Memo", "aside")?.version == 2)
        #expect(try core.quarantined().map(\.model) == ["Memo"])
        #expect(try core.mark(of: "Memo") == SyncMark(model: "Memo", lastSync: 5, scope: "all"))
        try core.applyRemote([row("gone", "late", 3)])
        #expect(try core.read { try $0.get(model: "Memo", id: "gone") } == nil, "a deleted one stays deleted")
        core.setLife(epoch: "two", began: 500_000)
        #expect(try core.recover(into: "two", having: [:]) == 1)
        #expect(try core.outbox().map(\.id) == ["made", "aside", "waits"])
    }

    @Test("C1: a condition on a field that went because no row used it waits for a person")
    func unusedInCondition() throws {
        let directory = try TempDirectory()
        let before = try open(directory)
        let bin = Bin(id: "b", place: 1)
        try before.applyRemote([remote(bin, 1), remote(Bin(id: "c", place: 1), 1)])
        try before.write(as: nil) { tx in
            try tx.save(bin.with { $0.code = "new" }, where: Predicate<Bin>(.field("note", .equal(.null))))
            try tx.save(Bin(id: "c", place: 2))
        }
        before.close()
        let core = try open(directory, schema { $0.name == "note" ? nil : $0 })
        let entries = try core.outbox()
        #expect(entries.map(\.state) == [.parked, .queued])
        #expect(entries[0].reason?.contains("its condition names what is there no more") == true)
        #expect(try core.nextMutations(limit: 10)?.entries.map(\.id) == ["c"])
    }

    @Test("C1: what waits of a field that went because no row used it is not lost unseen", arguments: [false, true])
    func unusedField(_ isTypeOther: Bool) throws {
        let directory = try TempDirectory()
        let before = try open(directory)
        try before.save(Bin(id: "b", note: "mine"))
        _ = try before.nextMutations(limit: 1)
        try before.write(as: nil) { _ = try $0.delete(model: "Bin", id: "b") }
        before.close()
        let core = try open(
            directory,
            schema { $0.name == "note" ? (isTypeOther ? FieldSchema("note", .scalar(.int)) : nil) : $0 })
        let entries = try core.outbox()
        #expect(entries.map(\.kind) == [.create, .delete])
        #expect(entries[0].state == .parked)
        #expect(entries[0].fields["note"] == "mine")
        #expect(
            entries[0].reason?.hasPrefix(
                "after the schema changed: Bin.note: " + (isTypeOther ? "" : "the field is there no more")) == true)
        #expect(try core.nextMutations(limit: 10) == nil)
    }

    @Test("C1: a model whose rows are gone may not go while their deletes wait")
    func removedModel() throws {
        let directory = try TempDirectory()
        let before = try open(directory)
        try before.setPolicies(["Draft": .both], as: nil)
        try before.applyRemote([remote(Draft(id: "d"), 1)])
        try before.write(as: nil) { _ = try $0.delete(model: "Draft", id: "d") }
        before.close()
        let new = Schema(models: testSchema.models.filter { $0.name != "Draft" }, enums: testSchema.enums)
        let error = #expect(throws: StoreError.self) { try open(directory, new) }
        #expect(error?.description.contains("Draft: 1 changes of it wait to be sent") == true)
        let again = try open(directory)
        #expect(try again.sendAll(version: 2) == 1)
        again.close()
        let core = try open(directory, new)
        #expect(try core.connection.value("SELECT count(*) FROM \"_tombstone\"") == .integer(0))
    }

    @Test("C1 C14: a transaction of which one change waits for a person waits whole")
    func wholeUnits() throws {
        let directory = try TempDirectory()
        let before = try open(directory)
        let bin = Bin(id: "b", place: 1, note: "n")
        try before.applyRemote([remote(bin, 1)])
        try before.write(as: nil) { tx in
            try tx.sentAsOne {
                try tx.save(Zone(id: "z"))
                try tx.save(bin.with { $0.code = "new" }, where: Predicate(.field("note", .exists(true))))
            }
        }
        before.close()
        let core = try open(directory, schema { $0.name == "note" ? nil : $0 }, [.removeField("Bin", "note")])
        let entries = try core.outbox()
        #expect(entries.map(\.state) == [.parked, .parked])
        #expect(entries[0].reason?.hasPrefix("not applied with Bin b of its transaction: ") == true)
        for entry in entries { #expect(try core.parkedUnit(of: entry.order).count == 2) }
    }
}
