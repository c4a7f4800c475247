import Basics
import Glibc
import ModelTables
import Models
import SQLite
import Testing
import WarehouseModels

@Suite struct MigrationTests {
    let directory = ScratchDirectory()
    var path: String { directory.file("store.db") }

    private static let key = FieldSchema("id", .scalar(.id), isRequired: true)
    private static let code = FieldSchema("code", .scalar(.string), isRequired: true)

    private func thing(
        _ fields: [FieldSchema], indexes: [IndexSchema] = [], key: [String] = ["id"], name: String = "Thing"
    ) -> ModelSchema {
        ModelSchema(name, pluralName: name + "s", fields: fields, primaryKey: key, indexes: indexes)
    }

    private func migrator(
        _ models: [ModelSchema], enums: [String: [String]] = [:], embedded: [String: [FieldSchema]] = [:],
        metadata: [MetadataColumn] = [], format: Int = 1, id: Int32 = 7, ownTables: [String] = [],
        upgrade: @escaping (Connection, SchemaChange) throws -> Void = { _, _ in }
    ) -> Migrator {
        Migrator(
            schema: Schema(models: models, enums: enums, embedded: embedded),
            tables: models.map { ModelTable($0, metadata: metadata) }, applicationID: id, formatVersion: format,
            ownTables: ownTables, upgrade: upgrade)
    }

    /// A database of the oldest schema with two things.
    private func makeOld(_ model: ModelSchema? = nil, rows: [[Value]]? = nil) throws -> Connection {
        let model = model ?? thing([Self.key, Self.code])
        let connection = try Connection.open(path: path)
        #expect(try migrator([model]).open(connection) == .created)
        let table = ModelTable(model)
        for values in rows ?? [[.text("1"), .text("one")], [.text("2"), .text("two")]] {
            try table.insert(Record(schema: model, values: values), on: connection)
        }
        return connection
    }

    private func refusal(_ body: () throws -> Void) -> MigrationError? {
        do {
            try body()
            return nil
        } catch {
            return error as? MigrationError
        }
    }

    private func problems(_ migrator: Migrator, _ connection: Connection) throws -> [String] {
        let before = try connection.rows("SELECT name, sql FROM sqlite_schema ORDER BY name")
        let files = directory.names
        let error = refusal { _ = try migrator.open(connection) }
        #expect(try connection.rows("SELECT name, sql FROM sqlite_schema ORDER BY name") == before)
        #expect(directory.names == files, "a refusal leaves no backup")
        #expect(!connection.isInTransaction)
        guard case .refused(_, let problems)? = error else { return [] }
        return problems
    }

    @Test func anEmptyFileGetsItsTablesOnce() throws {
        let models = warehouse.models
        let connection = try Connection.open(path: path)
        let migrator = Migrator(
            schema: warehouse, tables: models.map { ModelTable($0) }, applicationID: 7, formatVersion: 3,
            ownTables: ["CREATE TABLE IF NOT EXISTS _outbox(id INTEGER PRIMARY KEY) STRICT"])
        #expect(try migrator.open(connection) == .created)
        #expect(try migrator.open(connection) == .unchanged)
        #expect(try connection.userVersion == 3)
        #expect(try connection.applicationID == 7)
        #expect(try connection.value("SELECT count(*) FROM _outbox") == .integer(0))
        let reader = try Connection.open(path: path, options: .readOnly)
        #expect(try migrator.open(reader) == .unchanged)
        #expect(directory.names.filter { $0.contains("backup") } == [])
    }

    @Test("D8: opening an unchanged database writes nothing")
    func openingAnUnchangedDatabaseWritesNothing() throws {
        let connection = try makeOld()
        let statements = try connection.recordingStatements {
            let outcome = try migrator([thing([Self.key, Self.code])]).open(connection)
            #expect(outcome == .unchanged)
        }
        #expect(statements.allSatisfy { $0.hasPrefix("SELECT") || $0.hasPrefix("PRAGMA") })
    }

    @Test("D102: new models fields indexes and metadata are added")
    func newModelsFieldsIndexesAndMetadataAreAdded() throws {
        let connection = try makeOld()
        let grown = thing(
            [
                FieldSchema("count", .scalar(.int), isRequired: true, defaultValue: "4"), Self.key, Self.code,
                FieldSchema("note", .scalar(.string)),
                FieldSchema("price", .scalar(.decimal(places: 3)), isRequired: true, defaultValue: "1.5"),
                FieldSchema("tags", .scalar(.string), isRequired: true, isList: true),
            ], indexes: [IndexSchema("byCode", fields: ["code", "count"])])
        let place = thing([Self.key], name: "Place")
        let metadata = [MetadataColumn("_version", .integer, defaultValue: .integer(9), isIndexed: true)]
        let outcome = try migrator([grown, place], metadata: metadata).open(connection)
        var change = SchemaChange(oldFormat: 1, newFormat: 1)
        change.addedModels = ["Place"]
        change.addedFields = ["count", "note", "price", "tags"].map { .init("Thing", $0) }
        #expect(outcome == .migrated(change, backup: path + ".backup-1"))

        let rows = try ModelTable(grown, metadata: metadata).rows(
            RowQuery(sort: [.init("id", .ascending)]), on: connection)
        #expect(
            rows.map(\.record.values) == [
                [.integer(4), .text("1"), .text("one"), .null, .integer(1500), .text("[]")],
                [.integer(4), .text("2"), .text("two"), .null, .integer(1500), .text("[]")],
            ])
        #expect(rows.map(\.metadata) == [[.integer(9)], [.integer(9)]])
        let indexes = try connection.rows(
            "SELECT name FROM sqlite_schema WHERE type='index' AND sql IS NOT NULL ORDER BY 1")
        #expect(
            indexes == [[.text("ix.Place._version")], [.text("ix.Thing._version")], [.text("ix.Thing.code.count")]])
        #expect(try connection.integrityProblems() == [])
        #expect(try migrator([grown, place], metadata: metadata).open(connection) == .unchanged)
    }

    @Test func theBackupIsTheDatabaseBefore() throws {
        var connection: Connection? = try makeOld()
        let grown = thing([Self.key, Self.code, FieldSchema("note", .scalar(.string))])
        _ = try migrator([grown]).open(try #require(connection))
        try connection?.run("DELETE FROM Thing")
        connection = nil
        let backup = try Connection.open(path: path + ".backup-1")
        #expect(try migrator([thing([Self.key, Self.code])]).open(backup) == .unchanged)
        #expect(
            try backup.rows("SELECT id, code FROM Thing ORDER BY id") == [
                [.text("1"), .text("one")], [.text("2"), .text("two")],
            ])
    }

    @Test func `a backup is told of while it gets on`() throws {
        let connection = try makeOld()
        var told = 0
        // So few statements' steps are told of none.
        connection.onProgress { told += 1 }
        _ = try migrator([thing([Self.key, Self.code, FieldSchema("note", .scalar(.string))])]).open(connection)
        connection.onProgress(nil)
        #expect(told > 0)
    }

    @Test func eachMigrationHasABackupOfItsOwn() throws {
        let connection = try makeOld()
        var fields = [Self.key, Self.code]
        for name in ["a", "b", "c"] {
            fields.append(FieldSchema(name, .scalar(.string)))
            _ = try migrator([thing(fields)]).open(connection)
        }
        #expect(directory.names.filter { $0.contains("backup") } == (1...3).map { "store.db.backup-\($0)" })
    }

    @Test func withoutABackupNothingIsChanged() throws {
        let connection = try makeOld()
        let before = try connection.rows("SELECT name, sql FROM sqlite_schema ORDER BY name")
        // A directory cannot be replaced by a file.
        mkdir(path + ".backup-1", 0o700)
        let grown = thing([Self.key, Self.code, FieldSchema("note", .scalar(.string))])
        let error = refusal { _ = try migrator([grown]).open(connection) }
        guard case .noBackup(path, _)? = error else {
            Issue.record("it says that there is no backup, not \(String(describing: error))")
            return
        }
        #expect(try connection.rows("SELECT name, sql FROM sqlite_schema ORDER BY name") == before)
        #expect(!directory.names.contains("store.db.backup-1.partial"))
    }

    @Test func whatAnEarlierAttemptLeftIsNoHindrance() throws {
        let connection = try makeOld()
        overwrite(path + ".backup-1.partial", at: 0, with: [1])
        let grown = thing([Self.key, Self.code, FieldSchema("note", .scalar(.string))])
        _ = try migrator([grown]).open(connection)
        #expect(directory.names.contains("store.db.backup-1"))
        #expect(!directory.names.contains("store.db.backup-1.partial"))
    }

    @Test func aMigrationThatFailsIsUndoneWhole() throws {
        struct Failure: Error {}
        let connection = try makeOld()
        let before = try connection.rows("SELECT name, sql FROM sqlite_schema ORDER BY name")
        let grown = thing([Self.key, Self.code, FieldSchema("note", .scalar(.string))])
        let failing = migrator([grown], format: 2, ownTables: ["CREATE TABLE IF NOT EXISTS _own(a)"]) {
            connection, change in
            #expect(change.oldFormat == 1 && change.newFormat == 2)
            try connection.run("UPDATE Thing SET note='changed'")
            throw Failure()
        }
        #expect(throws: Failure.self) { try failing.open(connection) }
        #expect(try connection.rows("SELECT name, sql FROM sqlite_schema ORDER BY name") == before)
        #expect(try connection.userVersion == 1)
        #expect(try connection.value("SELECT count(*) FROM Thing") == .integer(2))
        let working = migrator([grown], format: 2) { connection, _ in
            try connection.run("UPDATE Thing SET note='changed'")
        }
        guard case .migrated = try working.open(connection) else {
            Issue.record("the second attempt migrates")
            return
        }
        #expect(try connection.rows("SELECT DISTINCT note FROM Thing") == [[.text("changed")]])
    }

    @Test func aNewerDatabaseIsRefused() throws {
        let model = thing([Self.key, Self.code])
        let connection = try Connection.open(path: path)
        _ = try migrator([model], format: 5).open(connection)
        let error = refusal { _ = try migrator([model], format: 4).open(connection) }
        #expect(error == .newerDatabase(database: path, found: 5, supported: 4))
        #expect(error?.description.contains("install the newer program") == true)
    }

    @Test func aForeignDatabaseIsRefused() throws {
        let connection = try Connection.open(path: path)
        try connection.execute("CREATE TABLE photos(a)")
        let error = refusal { _ = try migrator([thing([Self.key])]).open(connection) }
        #expect(error == .foreignDatabase(database: path))
        let other = try Connection.open(path: directory.file("other.db"))
        _ = try migrator([thing([Self.key])], id: 8).open(other)
        #expect(refusal { _ = try migrator([thing([Self.key])], id: 7).open(other) } != nil)
    }

    @Test func aReaderCannotMigrate() throws {
        _ = try makeOld()
        let reader = try Connection.open(path: path, options: .readOnly)
        let error = refusal { _ = try migrator([thing([Self.key, Self.code], name: "Other")]).open(reader) }
        #expect(error == .readOnly(database: path))
    }

    @Test func whatWouldLoseValuesIsRefusedByName() throws {
        let connection = try makeOld()
        let number = FieldSchema("code", .scalar(.int), isRequired: true)
        #expect(
            try problems(migrator([thing([Self.key])]), connection)
                == ["Thing.code: this program's schema lacks the field, and values would be lost"])
        #expect(
            try problems(migrator([thing([Self.key, number])]), connection)
                == ["Thing.code: its type was String and is Int now, and values would be lost"])
        #expect(
            try problems(migrator([thing([Self.key], name: "Other")]), connection)
                == ["Thing: this program's schema lacks the model, whose rows would be lost"])
        #expect(
            try problems(migrator([thing([Self.key, Self.code], key: ["code"])]), connection)
                == ["Thing: the key was (id) and cannot change"])
        let required = FieldSchema("size", .scalar(.int), isRequired: true)
        #expect(
            try problems(migrator([thing([Self.key, Self.code, required])]), connection)
                == ["Thing.size: the field is new and required, so it needs @default(value:)"])
        let wrong = FieldSchema("size", .scalar(.int), isRequired: true, defaultValue: "big")
        #expect(
            try problems(migrator([thing([Self.key, Self.code, wrong])]), connection)
                == ["Thing.size: @default(value:) is no value of its type"])
    }

    @Test func whatNoRowUsesMayGo() throws {
        let note = FieldSchema("note", .scalar(.string))
        let old = thing([Self.key, note, Self.code], indexes: [IndexSchema("byNote", fields: ["note"])])
        let connection = try makeOld(old, rows: [[.text("1"), .null, .text("one")]])
        let outcome = try migrator([thing([Self.key, Self.code])]).open(connection)
        var change = SchemaChange(oldFormat: 1, newFormat: 1)
        change.removedFields = [.init("Thing", "note")]
        #expect(outcome == .migrated(change, backup: path + ".backup-1"))
        #expect(try connection.rows("SELECT * FROM Thing") == [[.integer(1), .text("1"), .text("one")]])
        try connection.run("DELETE FROM Thing")
        _ = try migrator([thing([Self.key], name: "Other")]).open(connection)
        #expect(try connection.rows("SELECT name FROM sqlite_schema WHERE name='Thing'") == [])
    }

    @Test func fieldsMayBecomeOptionalAndRequiredWhereRowsAllow() throws {
        let optional = FieldSchema("code", .scalar(.string))
        let connection = try makeOld(
            thing([Self.key, optional]), rows: [[.text("1"), .null], [.text("2"), .text("b")]])
        #expect(
            try problems(migrator([thing([Self.key, Self.code])]), connection)
                == ["Thing.code: rows without a value exist, so it needs @default(value:)"])
        let withDefault = FieldSchema("code", .scalar(.string), isRequired: true, defaultValue: "none")
        _ = try migrator([thing([Self.key, withDefault])]).open(connection)
        #expect(try connection.rows("SELECT code FROM Thing ORDER BY id") == [[.text("none")], [.text("b")]])
        _ = try migrator([thing([Self.key, optional])]).open(connection)
        try ModelTable(thing([Self.key, optional]))
            .insert(Record(schema: thing([Self.key, optional]), values: [.text("3"), .null]), on: connection)
    }

    @Test func casesThatRowsHoldMayNotGo() throws {
        let model = thing([Self.key, FieldSchema("kind", .enumeration("Kind"))])
        let connection = try Connection.open(path: path)
        _ = try migrator([model], enums: ["Kind": ["a", "b", "c"]]).open(connection)
        try ModelTable(model).insert(Record(schema: model, values: [.text("1"), .text("a")]), on: connection)
        #expect(
            try problems(migrator([model], enums: ["Kind": ["b"]]), connection)
                == ["Thing.kind: Kind lacks a, which rows hold"])
        guard case .migrated = try migrator([model], enums: ["Kind": ["a", "d"]]).open(connection) else {
            Issue.record("unused cases may go")
            return
        }
    }

    @Test func embeddedTypesMayGainOptionalFieldsOnly() throws {
        let model = thing([Self.key, FieldSchema("place", .embedded("Place"))])
        let x = FieldSchema("x", .scalar(.int), isRequired: true)
        let connection = try Connection.open(path: path)
        _ = try migrator([model], embedded: ["Place": [x]]).open(connection)
        try ModelTable(model).insert(Record(schema: model, values: [.text("1"), .text(#"{"x":1}"#)]), on: connection)
        let y = FieldSchema("y", .scalar(.int), isRequired: true)
        #expect(
            try problems(migrator([model], embedded: ["Place": [y]]), connection)
                == [
                    "Thing.place: Place.x is gone, and values would be lost",
                    "Thing.place: Place.y is new and required",
                ])
        let optional = FieldSchema("y", .scalar(.int))
        guard case .migrated = try migrator([model], embedded: ["Place": [x, optional]]).open(connection) else {
            Issue.record("an optional field may come")
            return
        }
    }

    @Test func namesThatDifferInCaseOnlyAreRefused() throws {
        let connection = try Connection.memory()
        let model = thing([Self.key, FieldSchema("ID", .scalar(.string))])
        #expect(
            refusal { _ = try migrator([model]).open(connection) }
                == .unusableSchema(["Thing has two columns called ID but for the case of letters"]))
        #expect(refusal { _ = try migrator([thing([Self.key], name: "_schema")]).open(connection) } != nil)
    }

    @Test func everyTableKeepsItsRowsOverAMigration() throws {
        let connection = try Connection.open(path: path)
        let old = warehouse.models
        _ = try migrator(old, enums: warehouse.enums, embedded: warehouse.embedded).open(connection)
        var expected: [String: Int] = [:]
        for (index, model) in old.enumerated() {
            let table = ModelTable(model)
            for number in 0...index {
                let values = model.fields.map { field -> Value in
                    model.primaryKey.contains(field.name) && field.columnType == .text
                        ? .text("k\(number)")
                        : model.primaryKey.contains(field.name) ? .integer(Int64(number)) : .null
                }
                try table.insert(Record(schema: model, values: values), on: connection)
            }
            expected[model.name] = index + 1
        }
        let grown = old.map { model in
            ModelSchema(
                model.name, pluralName: model.pluralName, fields: model.fields + [FieldSchema("added", .scalar(.int))],
                primaryKey: model.primaryKey, indexes: model.indexes + [IndexSchema("byAdded", fields: ["added"])],
                relations: model.relations)
        }
        let migrator = migrator(grown, enums: warehouse.enums, embedded: warehouse.embedded)
        guard case .migrated(let change, _) = try migrator.open(connection) else {
            Issue.record("it migrates")
            return
        }
        #expect(change.addedFields.count == old.count)
        for model in grown { #expect(try ModelTable(model).count(on: connection) == expected[model.name]) }
        #expect(try connection.integrityProblems() == [])
    }
}
