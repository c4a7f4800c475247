import Assembly
import Basics
import Glibc
import GraphQL
import Models
import SQLite
import System
import Testing
import WarehouseModels

@testable import DataStore

/// The warehouse's schema as it was, version by version, each with a store that a program of that version left: rows of
/// every model, waiting changes of two people, one parked, a record in quarantine, a tombstone, marks.
///
/// A schema that changes needs a new one: `WRITE_FIXTURE=1 swift test --filter WarehouseMigrationTests` writes it.
enum WarehouseFixture {
    static let folder = Files.parent(of: #filePath) + "/Fixtures/warehouse"

    static let versions: [Int] =
        ((try? Files.list(folder)) ?? []).compactMap { name in
            name.hasSuffix(".graphql") ? Int(name.dropLast(".graphql".count)) : nil
        }.sorted()

    static func schema(_ version: Int) throws -> Schema {
        try Schema(sdl: try Files.readText("\(folder)/\(version).graphql"))
    }

    /// A store of that version, in a directory.
    static func make(_ version: Int, in directory: String) throws {
        let dump = try Files.readText("\(folder)/\(version).sql")
        try Connection.open(path: StoreOpening.path(directory)).execute(dump)
    }

    /// What `path` holds, as SQL that makes it anew.
    static func dump(_ path: String) throws -> String {
        let connection = try Connection.open(path: path)
        var lines = [
            "PRAGMA application_id=\(try connection.value("PRAGMA application_id")?.integer ?? 0);",
            "PRAGMA user_version=\(try connection.userVersion);",
        ]
        let objects = try connection.rows(
            "SELECT type,name,sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type='table' DESC,name"
        )
        for object in objects {
            guard let name = object[1].text, let sql = object[2].text else { continue }
            lines.append(sql + ";")
            guard object[0] == .text("table") else { continue }
            let columns = try connection.rows("SELECT name FROM pragma_table_info('\(name)')").compactMap { $0[0].text }
            let quoted = columns.map { "quote(\"\($0)\")" }.joined(separator: "||','||")
            for row in try connection.rows("SELECT \(quoted) FROM \"\(name)\" ORDER BY 1") {
                lines.append("INSERT INTO \"\(name)\" VALUES(\(row[0].text ?? ""));")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// As a desk's and a supervisor's stores together.
    static func everythingTravels(_ schema: Schema) -> [String: SyncPolicy] {
        Dictionary(uniqueKeysWithValues: schema.models.filter { $0.syncPolicy != .none }.map { ($0.name, .both) })
    }

    /// Makes a store with this schema and fills it.
    static func fill(_ schema: Schema, in directory: String) throws {
        // A store that today's program makes has today's steps behind it.
        let migrations = schema == warehouse ? warehouseMigrations : []
        let core = try StoreCore(
            schema: schema, at: .directory(directory),
            options: StoreOptions(
                time: ManualTimeSource(), random: SeededRandom(seed: 7), policies: everythingTravels(schema),
                checksParents: false, migrations: migrations))
        var random = 0
        func value(_ field: FieldSchema, _ id: String) -> Value {
            random += 1
            if field.isList { return .text("[]") }
            switch field.type {
            case .enumeration(let name): return .text(schema.enums[name]?.first ?? "")
            case .embedded: return .text("{}")
            case .scalar(let scalar):
                switch scalar {
                case .id: return .text(field.name == "id" ? id : "r\(random % 5)")
                case .awsDate: return .text("2027-01-15")
                case .awsJSON: return .text("{}")
                case .int, .awsTimestamp, .awsDateTime, .decimal: return .integer(Int64(random))
                case .float: return .real(Double(random))
                case .boolean: return .integer(1)
                case .awsEmail: return .text("a@b.c")
                case .awsTime: return .text("09:41")
                case .awsPhone: return .text("+442079460958")
                case .awsURL: return .text("https://a.b/c")
                case .awsIPAddress: return .text("::1")
                case .string: return .text("text \(random)")
                }
            }
        }
        func record(_ model: ModelSchema, _ id: String) -> Record {
            Record(schema: model, values: model.fields.map { $0.isReadOnly ? .null : value($0, id) })
        }
        for model in schema.models {
            try core.write(as: "ann") { try $0.save(record(model, "\(model.name)-here")) }
            var there = record(model, "\(model.name)-there")
            for field in model.fields where field.isReadOnly { there[field.name] = .integer(1_800_000_000_000) }
            guard model.syncPolicy != .none else { continue }
            try core.applyPage(
                model: model.name, items: [RemoteRecord(record: there, version: 3, lastChangedAt: 9)],
                mark: SyncMark(model: model.name, lastSync: 9))
        }
        for name in ["Zone", "Bin", "Item", "BinTask"] {
            guard let model = schema.model(name), !model.isCreateOnly else { continue }
            try core.write(as: "bob") { tx in
                guard var changed = try tx.get(model: name, id: "\(name)-there"),
                    let field = model.fields.first(where: { $0.type == .scalar(.string) && !$0.isList })
                else { return }
                changed[field.name] = .text("changed")
                try tx.save(changed)
            }
        }
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.settle([MutationResult(order: entry.order, outcome: .refused(code: "Invalid", message: "no"))])
        try core.applyRemote(
            [],
            unreadable: [UnreadableRecord(model: "Zone", id: "odd", version: 2, json: "{\"id\":\"odd\"}", reason: "x")])
        core.close()
    }
}

@Suite("Stores of every earlier schema of the warehouse")
struct WarehouseMigrationTests {
    private static let mayWrite = getenv("WRITE_FIXTURE") != nil

    @Test("a schema that is another than the newest kept one is kept too, so that its stores are tested for ever")
    func kept() throws {
        let newest = try #require(WarehouseFixture.versions.last)
        let current = try Files.readText(
            Files.parent(of: Files.parent(of: Files.parent(of: #filePath))) + "/schema.graphql")
        if Self.mayWrite {
            let isNew = try WarehouseFixture.schema(newest) != warehouse
            let version = isNew ? newest + 1 : newest
            if isNew { try Files.writeAtomically(current, to: "\(WarehouseFixture.folder)/\(version).graphql") }
            for version in WarehouseFixture.versions + (isNew ? [version] : [])
            where !Files.exists("\(WarehouseFixture.folder)/\(version).sql") {
                let directory = try TempDirectory()
                try WarehouseFixture.fill(try WarehouseFixture.schema(version), in: directory.path)
                try Files.writeAtomically(
                    try WarehouseFixture.dump(StoreOpening.path(directory.path)),
                    to: "\(WarehouseFixture.folder)/\(version).sql")
            }
            return
        }
        #expect(
            try WarehouseFixture.schema(newest) == warehouse,
            "schema.graphql changed: WRITE_FIXTURE=1 swift test --filter WarehouseMigrationTests keeps a store of it")
        for version in WarehouseFixture.versions {
            #expect(Files.exists("\(WarehouseFixture.folder)/\(version).sql"), "version \(version) has no store")
        }
    }

    @Test(
        "C1 D98: today's program opens each with every row and every waiting change, counted before and after",
        .enabled(if: !mayWrite), arguments: WarehouseFixture.versions)
    func opens(_ version: Int) throws {
        let directory = try TempDirectory()
        try WarehouseFixture.make(version, in: directory.path)
        let path = StoreOpening.path(directory.path)
        let models = try WarehouseFixture.schema(version).models.map(\.name)
        func counts() throws -> [String: Int64] {
            let connection = try Connection.open(path: path)
            var result: [String: Int64] = [:]
            for table in models + ["_outbox", "_quarantine", "_mark", "_meta", "_shadow"] {
                result[table] = try connection.value("SELECT count(*) FROM \"\(table)\"")?.integer
            }
            return result
        }
        func waiting() throws -> [[Value]] {
            try Connection.open(path: path).rows(
                "SELECT \"ord\",\"mutation\",\"model\",\"id\",\"kind\",\"identity\",\"state\" FROM \"_outbox\" ORDER BY 1"
            )
        }
        let before = (try counts(), try waiting())
        #expect(before.0["_outbox"] ?? 0 > Int64(models.count) && models.allSatisfy { before.0[$0] ?? 0 > 0 })
        let core = try StoreCore(
            schema: warehouse, at: .directory(directory.path),
            options: StoreOptions(
                time: ManualTimeSource(), random: SeededRandom(seed: 31),
                policies: WarehouseFixture.everythingTravels(warehouse), migrations: warehouseMigrations))
        for model in models {
            #expect(try core.read { try $0.count(model: model) } == Int(before.0[model] ?? -1), "\(model)")
            #expect(try core.read { try $0.get(model: model, id: "\(model)-here") } != nil, "\(model)")
        }
        #expect(try core.read { try $0.outbox(state: .parked) }.count == 1)
        #expect(try core.connection.integrityProblems().isEmpty)
        core.close()
        var after = (try counts(), try waiting())
        // The note that quarantine is to be looked through again, and whatever the opening keeps.
        after.0["_meta"] = before.0["_meta"]
        // A model whose values were converted is fetched anew.
        #expect((before.0["_mark"] ?? 0) - (after.0["_mark"] ?? 0) <= 1)
        after.0["_mark"] = before.0["_mark"]
        #expect(after.0 == before.0)
        #expect(after.1 == before.1)
    }
}
