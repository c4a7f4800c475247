import Basics
import ModelTables
import Models
import Testing

@testable import DataStore

/// An embedded value.
private struct Place: EmbeddedFieldValue {
    let row: Int

    init(row: Int) { self.row = row }
    init?(json: JSONValue) {
        guard let row = json["row"]?.integer else { return nil }
        self.row = Int(row)
    }
    var json: JSONValue { ["row": .integer(Int64(row))] }
}

/// Lists of every kind, some of which may be missing, and an embedded value.
private struct Basket: Model {
    let id: String
    var numbers: [Int]
    var moments: [DateTime]?
    var shapes: [Shape]
    var labels: [String?]?
    var place: Place?

    static let schema = ModelSchema(
        "Basket", pluralName: "Baskets",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true),
            FieldSchema(
                "numbers", .scalar(.int), isRequired: true, isList: true, isElementRequired: true, merge: .set),
            FieldSchema("moments", .scalar(.awsDateTime), isList: true, isElementRequired: true),
            FieldSchema("shapes", .enumeration("Shape"), isRequired: true, isList: true, isElementRequired: true),
            FieldSchema("labels", .scalar(.string), isList: true, merge: .set),
            FieldSchema("place", .embedded("Place")),
        ])
    static let numbers = Field<Basket, [Int]>("numbers")
    static let moments = Field<Basket, [DateTime]?>("moments")
    static let shapes = Field<Basket, [Shape]>("shapes")
    static let labels = Field<Basket, [String?]?>("labels")
    static let place = Field<Basket, Place?>("place")

    init(
        id: String, numbers: [Int] = [], moments: [DateTime]? = nil, shapes: [Shape] = [], labels: [String?]? = nil,
        place: Place? = nil
    ) {
        self.id = id
        self.numbers = numbers
        self.moments = moments
        self.shapes = shapes
        self.labels = labels
        self.place = place
    }

    func encode(into encoder: inout some FieldEncoder) {
        encoder.encode(id)
        encoder.encode(numbers.storageValue)
        encoder.encode(moments.storageValue)
        encoder.encode(shapes.storageValue)
        encoder.encode(labels.storageValue)
        encoder.encode(place.storageValue)
    }

    init(from decoder: inout some FieldDecoder) throws(FieldError) {
        id = try decoder.decode()
        numbers = try decoder.decode([Int].self)
        moments = try decoder.decode([DateTime]?.self)
        shapes = try decoder.decode([Shape].self)
        labels = try decoder.decode([String?]?.self)
        place = try decoder.decode(Place?.self)
    }
}

@Suite("Lists and embedded values")
struct ListFieldTests {
    private func core() throws -> StoreCore {
        let schema = Schema(
            models: [Basket.schema], enums: ["Shape": ["rack", "shelf"]],
            embedded: ["Place": [FieldSchema("row", .scalar(.int), isRequired: true)]])
        let core = try StoreCore(schema: schema, at: .memory, options: testOptions())
        try core.write(as: nil) { transaction in
            try transaction.save(
                Basket(
                    id: "full", numbers: [1, 22], moments: [DateTime(milliseconds: 5)], shapes: [.rack],
                    labels: ["Red", nil], place: Place(row: 3)))
            try transaction.save(Basket(id: "empty"))
        }
        return core
    }

    private func found(_ condition: Predicate<Basket>, _ core: StoreCore) throws -> [String] {
        let ids = try core.read { try $0.query(Basket.self, where: condition).map(\.id) }
        // The evaluator in memory agrees.
        let filter = try RecordFilter(condition.node, of: Basket.schema)
        let all = try core.read { try $0.query(Basket.self) }
        #expect(all.filter { filter.matches($0.record) }.map(\.id).sorted() == ids.sorted())
        return ids.sorted()
    }

    @Test("C28: lists of every element type are searched for an element of that type")
    func elements() throws {
        let core = try core()
        #expect(try found(Basket.numbers.contains(22), core) == ["full"])
        #expect(try found(Basket.numbers.contains(2), core) == [])
        #expect(try found(Basket.moments.contains(DateTime(milliseconds: 5)), core) == ["full"])
        #expect(try found(Basket.shapes.contains(.rack), core) == ["full"])
        #expect(try found(Basket.shapes.contains(.shelf), core) == [])
        #expect(try found(Basket.labels.contains("Red"), core) == ["full"])
        #expect(try found(Basket.labels.notContains("Red"), core) == ["empty"])
        #expect(try found(Basket.numbers.notContains(1), core) == ["empty"])
    }

    @Test("an embedded value is asked whether it is there; more than that is refused, with what to do")
    func embedded() throws {
        let core = try core()
        #expect(try found(Basket.place == nil, core) == ["empty"])
        #expect(try found(Basket.place != nil, core) == ["full"])
        #expect(try found(Basket.place.exists(), core) == ["full"])
        #expect(try found(!Basket.place.exists(), core) == ["empty"])
        let error = #expect(throws: StoreError.self) {
            try core.read { try $0.query(Basket.self, where: Basket.place == Place(row: 3)) }
        }
        #expect(error?.description.contains("keep what you ask for in a field of the model") == true)
        // The backend knows no filter on it, and would check the condition too.
        #expect(throws: StoreError.self) {
            try core.write(as: nil) { try $0.save(Basket(id: "full", numbers: [9]), where: Basket.place.exists()) }
        }
    }

    @Test("sets that may be missing, or hold nothing at a place, take elements in and out")
    func sets() throws {
        let core = try core()
        try core.sendAll()
        try core.write(as: nil) { transaction in
            try transaction.insert("Blue", into: Basket.labels, of: "empty")
            try transaction.remove("Red", from: Basket.labels, of: "full")
            try transaction.insert(7, into: Basket.numbers, of: "full")
        }
        let rows = try core.read { try $0.query(Basket.self, sort: []) }
        #expect(rows.first { $0.id == "empty" }?.labels == ["Blue"])
        #expect(rows.first { $0.id == "full" }?.labels == [nil])
        #expect(rows.first { $0.id == "full" }?.numbers == [1, 22, 7])
    }
}
