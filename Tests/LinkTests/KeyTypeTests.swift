import Basics
import DataStore
import GraphQL
import Hub
import Models
import SyncEngine
import System
import Testing

/// Records whose keys are made of more than text, between two stores on a real hub.
@Suite("A key's types", .timeLimit(.minutes(5)))
struct KeyTypeTests {
    /// The type of the sort key, and its value as it is stored.
    private static let types: [(name: String, type: String, value: Value)] = [
        ("AtDateTime", "AWSDateTime!", .integer(1_577_836_800_123)), ("AtTimestamp", "AWSTimestamp!", .integer(99)),
        ("AtDate", "AWSDate!", .text("2020-01-01")), ("AtTime", "AWSTime!", .text("10:00:00Z")),
        ("Truth", "Boolean!", .integer(1)), ("Whole", "Int!", .integer(-3)),
        ("Exact", "Float! @decimal(places: 3)", .integer(1500)), ("Real", "Float!", .real(1e21)),
        ("Zero", "Float!", .real(-0.0)), ("Shade", "Colour!", .text("red")), ("Words", "String!", .text("a#\"b")),
    ]

    private static func schema() throws -> Schema {
        let models = types.map { name, type, _ in
            """
            type \(name) @model @auth(rules: [{ allow: public }]) {
              site: ID! @primaryKey(sortKeyFields: ["sort"]) sort: \(type) note: String
            }
            """
        }
        return try Schema(sdl: (models + ["enum Colour { red blue }"]).joined(separator: "\n"))
    }

    private func records(_ schema: Schema, note: String) throws -> [Record] {
        try Self.types.map { name, _, value in
            let model = try #require(schema.model(name))
            var record = Record(schema: model, values: [Value](repeating: .null, count: model.fields.count))
            for (field, value) in [("site", .text("s")), ("sort", value), ("note", Value.text(note))] {
                record[field] = value
            }
            return record
        }
    }

    /// Waits until a store shows one record of every model with this note, or none.
    private func wait(for note: String?, in store: DataStore) async throws {
        func isShown() async throws -> Bool {
            try await store.read { transaction in
                try Self.types.allSatisfy {
                    try transaction.query(model: $0.name).map { $0["note"].text } == (note.map { [$0] } ?? [])
                }
            }
        }
        let changes = store.observeRecords()
        if try await isShown() { return }
        for await _ in changes where try await isShown() { return }
    }

    @Test("lets others change and delete the record, whatever its key is made of (D60, D97)")
    func everyType() async throws {
        let link = try RealLink()
        let schema = try Self.schema()
        let hub = try await HubServer.start(
            HubOptions(
                dataDirectory: link.hubDirectory, schema: schema, keys: try APIKeys(["key"]), time: SystemTimeSource()))
        var stores: [DataStore] = []
        for name in ["one", "two"] {
            let store = try await DataStore(
                schema: schema, at: .directory(link.directory.file(name)),
                options: StoreOptions(time: SystemTimeSource()),
                driver: try AppSyncDriver(url: hub.url, key: "key", device: name))
            try await store.start()
            stores.append(store)
        }
        for (author, note) in [(0, "made"), (1, "changed")] {
            let records = try records(schema, note: note)
            try await stores[author].transaction { transaction in
                for record in records { try transaction.save(record) }
            }
            try await stores[author].waitUntilSent()
            try await wait(for: note, in: stores[1 - author])
        }
        let keys = try records(schema, note: "").map { ($0.schema.name, $0.id) }
        try await stores[0].transaction { transaction in
            for (model, id) in keys { _ = try transaction.delete(model: model, id: id) }
        }
        try await stores[0].waitUntilSent()
        try await wait(for: nil, in: stores[1])
        for store in stores { await store.close() }
        await hub.stop()
    }
}
