import Basics
import ModelTables
import Models
import SQLite
import Testing
import WarehouseModels

@Suite struct ModelTableTests {
    // Another model of this name belongs to the store's fixtures.
    typealias Bin = WarehouseModels.Bin

    let connection: Connection
    let bins: ModelTable

    init() throws {
        connection = try Connection.memory()
        bins = ModelTable(
            Bin.schema,
            metadata: [
                MetadataColumn("_version", .integer, defaultValue: .integer(0)),
                MetadataColumn("_base", .text),
            ])
        try bins.create(on: connection)
    }

    private func bin(_ number: Int, zone: String = "z1", kind: BinKind = .rack) -> Bin {
        Bin(
            id: "bin-\(number)", code: "A-\(number)", zoneID: zone, walkSequence: number, kind: kind,
            checkDigits: "\(number % 100)", active: true)
    }

    private func fill(_ count: Int) throws {
        try connection.transaction {
            for number in 0..<count {
                try bins.insert(
                    bin(number, zone: "z\(number % 3)"), metadata: [.integer(Int64(number)), .null], on: connection)
            }
        }
    }

    @Test func aModelComesBackAsItWas() throws {
        let saved = bin(1)
        let row = try bins.insert(saved, metadata: [.integer(7), .text("base")], on: connection)
        #expect(try bins.fetch(Bin.self, key: "bin-1", on: connection) == saved)
        let stored = try #require(try bins.fetch(key: "bin-1", on: connection))
        #expect(stored == StoredRow(row: row, record: saved.record, metadata: [.integer(7), .text("base")]))
        #expect(try bins.fetch(key: "bin-2", on: connection) == nil)
        #expect(try bins.contains(key: "bin-1", on: connection))
        #expect(try bins.row(key: "bin-1", on: connection) == row)
    }

    @Test func theTypedAndTheUntypedPathWriteTheSame() throws {
        let other = ModelTable(Bin.schema, metadata: bins.metadata)
        try bins.insert(bin(1), metadata: [.integer(1), .null], on: connection)
        try other.insert(bin(2).record, metadata: [.integer(1), .null], on: connection)
        let found = try bins.models(Bin.self, RowQuery(sort: [.init("code", .ascending)]), on: connection)
        #expect(found == [bin(1), bin(2)])
    }

    @Test("D7: a second record with the key is refused")
    func aSecondRecordWithTheKeyIsRefused() throws {
        try bins.insert(bin(1), metadata: [.integer(0), .null], on: connection)
        let error = sqliteError { try bins.insert(bin(1), metadata: [.integer(0), .null], on: connection) }
        #expect(error?.isUniqueViolation == true)
    }

    @Test func upsertKeepsTheRowNumber() throws {
        try fill(3)
        let row = try bins.row(key: "bin-1", on: connection)
        let changed = bin(1, zone: "elsewhere", kind: .bulk)
        try bins.upsert(changed, metadata: [.integer(9), .text("b")], on: connection)
        try bins.upsert(bin(7).record, metadata: [.integer(1), .null], on: connection)
        let stored = try #require(try bins.fetch(key: "bin-1", on: connection))
        #expect(stored == StoredRow(row: row ?? -1, record: changed.record, metadata: [.integer(9), .text("b")]))
        #expect(try bins.count(on: connection) == 4)
    }

    @Test func updateSetsOnlyWhatIsGiven() throws {
        try bins.insert(bin(1), metadata: [.integer(1), .text("b")], on: connection)
        let aisle = try #require(Bin.schema.position(of: "aisle"))
        let changed = try bins.update(
            key: "bin-1", fields: [(aisle, .text("A"))], metadata: [(0, .integer(2))], on: connection)
        #expect(changed)
        let stored = try #require(try bins.fetch(key: "bin-1", on: connection))
        #expect(stored.record["aisle"] == .text("A"))
        #expect(stored.record["code"] == .text("A-1"))
        #expect(stored.metadata == [.integer(2), .text("b")])
        #expect(try !bins.update(key: "none", fields: [(aisle, .null)], on: connection))
        #expect(try bins.update(key: "bin-1", on: connection))
    }

    @Test func deleteSaysWhetherThereWasARecord() throws {
        try fill(9)
        #expect(try bins.delete(key: "bin-1", on: connection))
        #expect(try !bins.delete(key: "bin-1", on: connection))
        let query = RowQuery(filter: (Bin.zoneID == "z0").node, condition: SQLCondition("_version>?", [.integer(0)]))
        #expect(try bins.delete(query, on: connection) == 2)
        #expect(try bins.count(on: connection) == 6)
    }

    @Test("C35: queries sort page and use metadata")
    func queriesSortPageAndUseMetadata() throws {
        try fill(30)
        let query = RowQuery(
            filter: (Bin.zoneID == "z1").node, sort: [.init("walkSequence", .descending)],
            page: Page(offset: 1, limit: 3), condition: SQLCondition("_version<?", [.integer(20)]))
        #expect(try bins.models(Bin.self, query, on: connection).map(\.walkSequence) == [16, 13, 10])
    }

    @Test func aWalkByRowNumberMeetsEachRowOnce() throws {
        try fill(25)
        try bins.delete(key: "bin-3", on: connection)
        var seen: [String] = []
        var last: Int64 = 0
        while true {
            let rows = try bins.rows(.walk(after: last, limit: 7), on: connection)
            guard let end = rows.last else { break }
            seen += rows.map(\.record.id)
            last = end.row
            // What happened before the mark or after it does not move the walk.
            try bins.delete(key: seen[0], on: connection)
        }
        #expect(seen == (0..<25).filter { $0 != 3 }.map { "bin-\($0)" })
    }

    @Test func aggregatesAreExact() throws {
        try fill(10)
        let query = RowQuery(filter: (Bin.walkSequence > 4).node)
        #expect(try bins.aggregate(.sum, of: "walkSequence", query, on: connection) == .integer(35))
        #expect(try bins.aggregate(.minimum, of: "walkSequence", query, on: connection) == .integer(5))
        #expect(try bins.aggregate(.maximum, of: "code", on: connection) == .text("A-9"))
        #expect(try bins.aggregate(.sum, of: "walkSequence", RowQuery(filter: .or([])), on: connection) == .null)
        #expect(throws: FilterError.self) { try bins.aggregate(.sum, of: "code", on: connection) }
        #expect(throws: FilterError.self) { try bins.aggregate(.maximum, of: "nothing", on: connection) }
    }

    @Test("D14: indexes answer equality and sort key")
    func indexesAnswerEqualityAndSortKey() throws {
        try fill(100)
        let query = RowQuery(
            filter: (Bin.zoneID == "z1").node, sort: [.init("walkSequence", .ascending)], tieBreak: .row)
        let select = try bins.select(query)
        let steps = try plan(connection, select.sql, select.bindings)
        #expect(steps == "SEARCH Bin USING INDEX ix.Bin.zoneID.walkSequence (zoneID=?)", "no sorting either")
        let prefix = try bins.select(RowQuery(filter: Bin.code.beginsWith("A-1").node))
        #expect(
            try plan(connection, prefix.sql, prefix.bindings)
                == "SEARCH Bin USING INDEX ix.Bin.code (code>? AND code<?)")
        let several = try bins.select(RowQuery(filter: Bin.zoneID.isIn(["z1", "z2"]).node))
        #expect(try plan(connection, several.sql, several.bindings).contains("USING INDEX ix.Bin.zoneID.walkSequence"))
    }

    @Test func fetchingByKeyUsesTheUniqueIndex() throws {
        let steps = try plan(connection, "SELECT * FROM Bin WHERE id=?", [.text("a")])
        #expect(steps.hasPrefix("SEARCH Bin USING INDEX sqlite_autoindex_Bin"))
    }

    @Test func aReadStopsWhereItIsTold() throws {
        try fill(10)
        var seen = 0
        try bins.read(RowQuery(), on: connection) { reader in
            seen += 1
            #expect(reader.withUTF8(0) { $0?.count } == 5)
            #expect(reader.metadata(0) == .integer(reader.row - 1))
            return seen < 4
        }
        #expect(seen == 4)
    }

    @Test func manyInsertsShareOneStatement() throws {
        let statements = try connection.recordingStatements { try fill(20) }
        #expect(Set(statements).count == 3, "BEGIN, one INSERT, COMMIT")
        #expect(statements.count == 22)
    }

    @Test func aStoredValueThatTheModelCannotHoldIsNamed() throws {
        try bins.insert(bin(1), metadata: [.integer(0), .null], on: connection)
        try connection.run("UPDATE Bin SET kind='moon'")
        let error = #expect(throws: StoredValueError.self) { try bins.fetch(Bin.self, key: "bin-1", on: connection) }
        #expect(error?.model == "Bin")
        #expect(error?.field == "kind")
        #expect(error?.key == "bin-1")
        // The untyped form still reads it.
        #expect(try bins.fetch(key: "bin-1", on: connection)?.record["kind"] == .text("moon"))
    }

    @Test("D2: composite keys have a column of their own")
    func compositeKeysHaveAColumnOfTheirOwn() throws {
        let model = ModelSchema(
            "Price", pluralName: "Prices",
            fields: [
                FieldSchema("site", .scalar(.string), isRequired: true),
                FieldSchema("number", .scalar(.int), isRequired: true),
                FieldSchema("amount", .scalar(.decimal(places: 4))),
            ], primaryKey: ["site", "number"])
        let table = ModelTable(model)
        try table.create(on: connection)
        for number in 1...3 {
            let values: [Value] = [.text("s"), .integer(Int64(number)), .integer(Int64(number * 10_000))]
            try table.insert(Record(schema: model, values: values), on: connection)
        }
        #expect(try table.fetch(key: "s#2", on: connection)?.record["amount"] == .integer(20_000))
        try table.upsert(Record(schema: model, values: [.text("s"), .integer(2), .null]), on: connection)
        #expect(try table.fetch(key: "s#2", on: connection)?.record["amount"] == .null)
        #expect(try table.count(on: connection) == 3)
        #expect(try table.delete(key: "s#3", on: connection))
        let select = try table.select(RowQuery(filter: .field("site", .equal(.text("s")))))
        #expect(try plan(connection, select.sql, select.bindings).contains("ix.Price.site.number"))
    }

    @Test func largeTextsAndOddCharactersComeBack() throws {
        let large = String(repeating: "0123456789abcdef", count: 65_536)
        for (number, text) in [large, "nul \u{0} inside", "🧰📦", "", "e\u{301}"].enumerated() {
            let saved = bin(number).updating { $0.barcode = text }
            try bins.insert(saved, metadata: [.integer(0), .text(text)], on: connection)
            let stored = try #require(try bins.fetch(key: saved.id, on: connection))
            #expect(stored.metadata[1].text.map { Array($0.utf8) } == Array(text.utf8))
            let typed = try #require(try bins.fetch(Bin.self, key: saved.id, on: connection))
            #expect(typed.barcode.map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    @Test("D1: every model of the warehouse has a table")
    func everyModelOfTheWarehouseHasATable() throws {
        let fresh = try Connection.memory()
        for model in warehouse.models { try ModelTable(model).create(on: fresh) }
        let names = try fresh.rows("SELECT name FROM sqlite_schema WHERE type='table' ORDER BY 1").compactMap {
            $0[0].text
        }
        #expect(names == warehouse.models.map(\.name).sorted())
    }
}
