import Basics
import ModelTables
import Models
import System
import Testing

@testable import DataStore

/// A rewrite gives a field that goes a new value under the old name, which may be the same as the old one.
@Suite("Fields that a migration fills anew")
struct MigrationFillTests {
    private let site: MigratedStore

    init() throws { site = try MigratedStore() }

    private static let closed = FieldSchema("closed", .scalar(.boolean))

    private static func status(default text: String?) -> Schema {
        let status = FieldSchema("status", .enumeration("Status"), isRequired: text != nil, defaultValue: text)
        return Schema(models: [MigratedStore.model("M", [status, closed])], enums: ["Status": ["open", "closed"]])
    }

    /// A store of records, of which the first waits with a change of both fields.
    private func store() throws {
        let schema = Schema(models: [MigratedStore.model("M", [MigratedStore.text("status"), Self.closed])])
        func record(_ id: String, _ status: String, _ closed: Int64) -> Record {
            Record(schema: schema.models[0], values: [.text(id), .text(status), .integer(closed)])
        }
        let core = try site.open(schema)
        try core.applyRemote(
            [record("1", "open", 0), record("2", "open", 0), record("3", "odd", 0)].map {
                RemoteRecord(record: $0, version: 1, lastChangedAt: 1)
            })
        try core.write(as: nil) { try $0.save(record("1", "closed", 1)) }
        core.close()
    }

    private func statuses(_ core: StoreCore) throws -> [Value?] {
        try core.read { try $0.query(model: "M") }.sorted { $0.id < $1.id }.map { $0["status"] }
    }

    @Test("C1: a value that is the same as the old one is a new one all the same", arguments: [nil, "closed"])
    func sameValue(_ standard: String?) throws {
        try store()
        let core = try site.open(
            Self.status(default: standard),
            [
                SchemaVersion(
                    1,
                    [
                        .removeField("M", "status"),
                        .rewrite("M") {
                            if let closed = $0["closed"]?.bool { $0["status"] = closed ? "closed" : "open" }
                        },
                    ])
            ])
        #expect(try statuses(core) == [.text("closed"), .text("open"), .text("open")])
        #expect(try core.outbox().map(\.fields) == [["status": "closed", "closed": true]])
        #expect(try core.outbox().map(\.base) == [["status": "open", "closed": false]])
    }

    @Test("C1: what the body makes of the old value holds, not what it makes without")
    func ownValue() throws {
        try store()
        let core = try site.open(
            Self.status(default: nil),
            [
                SchemaVersion(
                    1,
                    [
                        .removeField("M", "status"),
                        .rewrite("M") { $0["status"] = $0["status"] == "closed" ? "closed" : "open" },
                    ])
            ])
        #expect(try statuses(core) == [.text("closed"), .text("open"), .text("open")])
    }

    @Test("C1: a body that writes null where it finds nothing fills nothing")
    func nullIsNoValue() throws {
        try store()
        let core = try site.open(
            Self.status(default: nil),
            [SchemaVersion(1, [.removeField("M", "status"), .rewrite("M") { $0["status"] = $0["status"] ?? .null }])])
        #expect(try statuses(core) == [.null, .null, .null])
    }

    @Test("C1: a field may be filled from another one that goes")
    func fromRemoved() throws {
        try store()
        let core = try site.open(
            Schema(models: [MigratedStore.model("M", [MigratedStore.text("status")])]),
            [
                SchemaVersion(
                    1,
                    [
                        .removeField("M", "status"), .removeField("M", "closed"),
                        .rewrite("M") {
                            if let closed = $0["closed"]?.bool { $0["status"] = closed ? "closed" : "open" }
                        },
                    ])
            ])
        #expect(try statuses(core) == [.text("closed"), .text("open"), .text("open")])
    }

    @Test("C1: a value that a body only reads goes with its field, though another has the name anew")
    func onlyRead() throws {
        try store()
        let core = try site.open(
            Schema(models: [
                MigratedStore.model("M", [MigratedStore.text("status"), Self.closed, MigratedStore.text("was")])
            ]),
            [SchemaVersion(1, [.removeField("M", "status"), .rewrite("M") { $0["was"] = $0["status"] }])])
        #expect(try statuses(core) == [.null, .null, .null])
        #expect(try core.outbox().map(\.fields) == [["closed": true, "was": "closed"]])
    }
}
