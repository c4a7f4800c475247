import Basics
import Models
import SQLite

@testable import DataStore

/// A small warehouse of our own, so that these tests do not change with the product's schema.
enum Shape: String, EnumFieldValue {
    case rack, shelf
}

struct Zone: Model {
    let id: String
    var code: String

    static let schema = ModelSchema(
        "Zone", pluralName: "Zones",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("code", .scalar(.string), isRequired: true),
        ], relations: [RelationSchema("bins", .hasMany, target: "Bin", fields: ["zoneID"])])

    init(id: String, code: String = "Z") {
        self.id = id
        self.code = code
    }

    func encode(into encoder: inout some FieldEncoder) {
        encoder.encode(id)
        encoder.encode(code)
    }

    init(from decoder: inout some FieldDecoder) throws(FieldError) {
        id = try decoder.decode()
        code = try decoder.decode()
    }
}

struct Bin: Model {
    let id: String
    var zoneID: String?
    var code: String
    var place: Int
    var quantity: Decimal3?
    var shape: Shape?
    var note: String?
    var tags: [String]
    var updatedAt: DateTime?

    static let schema = ModelSchema(
        "Bin", pluralName: "Bins",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("zoneID", .scalar(.id)),
            FieldSchema("code", .scalar(.string), isRequired: true),
            FieldSchema("place", .scalar(.int), isRequired: true),
            FieldSchema("quantity", .scalar(.decimal(places: 3))), FieldSchema("shape", .enumeration("Shape")),
            FieldSchema("note", .scalar(.string)),
            FieldSchema("tags", .scalar(.string), isRequired: true, isList: true, isElementRequired: true),
            FieldSchema("updatedAt", .scalar(.awsDateTime), isReadOnly: true),
        ], indexes: [IndexSchema("byZone", fields: ["zoneID", "place"])],
        relations: [RelationSchema("zone", .belongsTo, target: "Zone", fields: ["zoneID"])])

    init(
        id: String, zoneID: String? = nil, code: String = "B", place: Int = 0, quantity: Decimal3? = nil,
        shape: Shape? = nil, note: String? = nil, tags: [String] = []
    ) {
        self.id = id
        self.zoneID = zoneID
        self.code = code
        self.place = place
        self.quantity = quantity
        self.shape = shape
        self.note = note
        self.tags = tags
        updatedAt = nil
    }

    func encode(into encoder: inout some FieldEncoder) {
        encoder.encode(id)
        encoder.encode(zoneID)
        encoder.encode(code)
        encoder.encode(place)
        encoder.encode(quantity)
        encoder.encode(shape)
        encoder.encode(note)
        encoder.encode(tags)
        encoder.encode(updatedAt)
    }

    init(from decoder: inout some FieldDecoder) throws(FieldError) {
        id = try decoder.decode()
        zoneID = try decoder.decode()
        code = try decoder.decode()
        place = try decoder.decode()
        quantity = try decoder.decode()
        shape = try decoder.decode()
        note = try decoder.decode()
        tags = try decoder.decode()
        updatedAt = try decoder.decode()
    }

    func with(_ change: (inout Bin) -> Void) -> Bin {
        var copy = self
        change(&copy)
        return copy
    }
}

/// Create-only, and named by entries.
struct Pass: Model {
    let id: String

    static let schema = ModelSchema(
        "Pass", pluralName: "Passes", fields: [FieldSchema("id", .scalar(.id), isRequired: true)],
        authRules: [AuthRule(allow: .private, operations: [.create])])

    init(id: String) { self.id = id }
    func encode(into encoder: inout some FieldEncoder) { encoder.encode(id) }
    init(from decoder: inout some FieldDecoder) throws(FieldError) { id = try decoder.decode() }
}

/// Create-only.
struct Entry: Model {
    let id: String
    let passID: String
    let quantity: Decimal3

    static let schema = ModelSchema(
        "Entry", pluralName: "Entries",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("passID", .scalar(.id), isRequired: true),
            FieldSchema("quantity", .scalar(.decimal(places: 3)), isRequired: true),
        ], relations: [RelationSchema("pass", .belongsTo, target: "Pass", fields: ["passID"])],
        authRules: [AuthRule(allow: .private, operations: [.create])])

    init(id: String, passID: String, quantity: Decimal3 = 1) {
        self.id = id
        self.passID = passID
        self.quantity = quantity
    }

    func encode(into encoder: inout some FieldEncoder) {
        encoder.encode(id)
        encoder.encode(passID)
        encoder.encode(quantity)
    }

    init(from decoder: inout some FieldDecoder) throws(FieldError) {
        id = try decoder.decode()
        passID = try decoder.decode()
        quantity = try decoder.decode()
    }
}

/// Never leaves the store.
struct Draft: Model {
    let id: String
    var text: String

    static let schema = plainSchema("Draft", .none)
    init(id: String, text: String = "") {
        self.id = id
        self.text = text
    }
    func encode(into encoder: inout some FieldEncoder) {
        encoder.encode(id)
        encoder.encode(text)
    }
    init(from decoder: inout some FieldDecoder) throws(FieldError) {
        id = try decoder.decode()
        text = try decoder.decode()
    }
}

/// Only received.
struct Item: Model {
    let id: String
    var text: String

    static let schema = plainSchema("Item", .downstream)
    init(id: String, text: String = "") {
        self.id = id
        self.text = text
    }
    func encode(into encoder: inout some FieldEncoder) {
        encoder.encode(id)
        encoder.encode(text)
    }
    init(from decoder: inout some FieldDecoder) throws(FieldError) {
        id = try decoder.decode()
        text = try decoder.decode()
    }
}

private func plainSchema(_ name: String, _ policy: SyncPolicy) -> ModelSchema {
    ModelSchema(
        name, pluralName: name + "s",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("text", .scalar(.string), isRequired: true),
        ], syncPolicy: policy)
}

let testSchema = Schema(
    models: [Zone.schema, Bin.schema, Pass.schema, Entry.schema, Draft.schema, Item.schema],
    enums: ["Shape": ["rack", "shelf"]])

func testOptions(_ change: (inout StoreOptions) -> Void = { _ in }) -> StoreOptions {
    var options = StoreOptions(time: ManualTimeSource(), random: SeededRandom(seed: 7))
    change(&options)
    return options
}

func memoryCore(_ change: (inout StoreOptions) -> Void = { _ in }) throws -> StoreCore {
    try StoreCore(schema: testSchema, at: .memory, options: testOptions(change))
}

extension StoreCore {
    func save(_ models: any Model..., identity: String? = nil) throws {
        try write(as: identity) { transaction in
            for model in models { try transaction.save(model.record) }
        }
    }

    func outbox() throws -> [OutboxEntry] { try read { try $0.outbox() } }

    func bin(_ id: String) throws -> Bin? { try read { try $0.get(Bin.self, id: id) } }

    /// Answers everything that waits as a backend that takes it as it is would.
    @discardableResult
    func sendAll(version: Int64 = 1) throws -> Int {
        var sent = 0
        while let batch = try nextMutations(limit: 100) {
            try settle(
                try batch.entries.map { MutationResult(order: $0.order, outcome: .applied(try accepted($0, version))) })
            sent += batch.entries.count
        }
        return sent
    }

    /// The backend's record after it took an entry.
    func accepted(_ entry: OutboxEntry, _ version: Int64, _ change: (inout Record) -> Void = { _ in }) throws
        -> RemoteRecord
    {
        let table = try context.table(entry.model)
        let base = try table.fetch(entry.id, on: connection).map { table.wire.object($0.values) } ?? entry.base
        var object = base
        for member in entry.fields.members { object[member.key] = member.value }
        var record = table.record(try table.wire.values(object))
        change(&record)
        return RemoteRecord(
            record: record, version: version, deleted: entry.kind == .delete, lastChangedAt: version * 1000)
    }
}

func remote(_ model: some Model, _ version: Int64, deleted: Bool = false) -> RemoteRecord {
    RemoteRecord(record: model.record, version: version, deleted: deleted, lastChangedAt: version * 1000)
}
