import Basics
import Models
import Testing

@testable import DataStore

/// Parents whose keys are not what travels: a time is kept as a number and sent as a text.
@Suite("Parents' keys")
struct ParentKeyTests {
    static let parts: [(ScalarType, Value)] = [
        (.awsDateTime, .integer(1_700_000_000_000)), (.decimal(places: 3), .integer(1500)), (.boolean, .integer(1)),
        (.float, .real(2)), (.int, .integer(7)), (.string, .text("7")),
    ]

    private func core(_ type: ScalarType) throws -> StoreCore {
        let slot = ModelSchema(
            "Slot", pluralName: "Slots",
            fields: [
                FieldSchema("site", .scalar(.id), isRequired: true), FieldSchema("at", .scalar(type), isRequired: true),
            ], primaryKey: ["site", "at"])
        let booking = ModelSchema(
            "Booking", pluralName: "Bookings",
            fields: [
                FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("slotSite", .scalar(.id)),
                FieldSchema("slotAt", .scalar(type)),
            ], relations: [RelationSchema("slot", .belongsTo, target: "Slot", fields: ["slotSite", "slotAt"])])
        let schema = Schema(models: [slot, booking])
        return try StoreCore(schema: schema, at: .memory, options: testOptions())
    }

    private func fill(_ core: StoreCore, _ value: Value) throws {
        try core.write(as: nil) { transaction in
            let models = core.schema.models
            try transaction.save(Record(schema: models[0], values: [.text("s"), value]))
            try transaction.save(Record(schema: models[1], values: [.text("b"), .text("s"), value]))
        }
    }

    @Test("of every type hold what refers to a refused record", arguments: parts)
    func refused(_ type: ScalarType, _ value: Value) throws {
        let core = try core(type)
        try fill(core, value)
        let first = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(first.model == "Slot" && first.id == "s#" + keyText(value))
        try core.settle([MutationResult(order: first.order, outcome: .refused(code: "Invalid", message: "no"))])
        #expect(try core.nextMutations(limit: 10) == nil)
        let told = try core.read { try $0.explain(model: "Booking", id: "b") }
        #expect(told.heldBy?.order == first.order)
        #expect(told.lines.contains("it waits for the create of Slot \(first.id), which is parked"))
        #expect(try core.read { try $0.dependants(of: first.order) }.map(\.model) == ["Booking"])
    }

    @Test("of every type let a child go in one request with its parent, and say that it needs it", arguments: parts)
    func together(_ type: ScalarType, _ value: Value) throws {
        let core = try core(type)
        try fill(core, value)
        let batch = try #require(try core.nextMutations(limit: 10))
        #expect(batch.entries.map(\.model) == ["Slot", "Booking"])
        let (slot, booking) = (batch.entries[0].order, batch.entries[1].order)
        #expect(batch.needs == [booking: [slot]])
        #expect(try core.nextMutations(limit: 10, joinsParents: false) == nil)
    }

    @Test("an entry that refers to two refused records depends on both")
    func two() throws {
        let schema = Schema(models: [
            Zone.schema, Pass.schema,
            ModelSchema(
                "Visit", pluralName: "Visits",
                fields: [
                    FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("zoneID", .scalar(.id)),
                    FieldSchema("passID", .scalar(.id)),
                ],
                relations: [
                    RelationSchema("zone", .belongsTo, target: "Zone", fields: ["zoneID"]),
                    RelationSchema("pass", .belongsTo, target: "Pass", fields: ["passID"]),
                ]),
        ])
        let core = try StoreCore(schema: schema, at: .memory, options: testOptions())
        try core.write(as: nil) { transaction in
            try transaction.save(Zone(id: "z").record)
            try transaction.save(Pass(id: "p").record)
            try transaction.save(Record(schema: schema.models[2], values: [.text("v"), .text("z"), .text("p")]))
        }
        let entries = try core.outbox()
        for entry in entries.prefix(2) {
            #expect(try core.read { try $0.dependants(of: entry.order) }.map(\.model) == ["Visit"])
        }
    }
}
