import Basics
import ModelTables
import Models
import SQLite
import Testing

@testable import DataStore

@Suite("Pages and groups")
struct PageTests {
    @Test("C13: a page of less than nothing is empty, as in a live query")
    func negative() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "1"), Zone(id: "2"))
        #expect(try core.read { try $0.query(Zone.self, page: .first(-1)) }.isEmpty)
        #expect(try core.read { try $0.query(Zone.self, page: Page(offset: -1, limit: 1)) }.map(\.id) == ["1"])
    }

    @Test("D11: pages by place meet every row once in every order, nulls and equal values too", arguments: 1...6)
    func keyset(_ seed: UInt64) throws {
        var generator = FilterGenerator(seed: seed)
        let (table, connection, _) = try oddTable(&generator, count: 90)
        for _ in 0..<25 {
            let sort = generator.sort()
            let filter = generator.predicate(depth: 1)
            let whole = try table.records(RowQuery(filter: filter, sort: sort, tieBreak: .key), on: connection)
            var paged: [Record] = []
            var place: PageCursor?
            repeat {
                let page = try table.records(
                    RowQuery(filter: filter, sort: sort, page: .after(place, limit: 7)), on: connection)
                paged += page
                place = page.last.map { PageCursor($0, sort: sort) }
            } while place != nil
            #expect(paged.map(\.id) == whole.map(\.id), "seed \(seed) \(sort)")
        }
    }

    @Test("D11 D14: a page by place is read from an index without sorting or reading what lies before")
    func plans() throws {
        let core = try memoryCore()
        let table = try core.context.table("Bin").table
        let sort = [SortKeyNode("place", .ascending)]
        let cursor = PageCursor(values: [.integer(5)], key: "b")
        let select = try table.select(
            RowQuery(filter: .field("zoneID", .equal(.text("z"))), sort: sort, page: .after(cursor, limit: 10)))
        let steps = try plan(core.connection, select.sql, select.bindings)
        #expect(steps.contains("ix.Bin.zoneID.place") && steps.contains("place>?"), "\(steps)")
        #expect(!steps.contains("TEMP B-TREE"), "\(steps)")
    }

    @Test("D11: offset pages: first, middle, last and beyond the end, with a predicate and two sort keys")
    func offsets() throws {
        let core = try memoryCore()
        try core.write(as: nil) { tx in
            for number in 0..<25 { try tx.save(Bin(id: String(number), code: "c\(number % 3)", place: number / 2)) }
        }
        try core.read { tx in
            let sort: [SortKey<Bin>] = [
                .descending(Field<Bin, String>("code")), .ascending(Field<Bin, Int>("place")),
            ]
            let place: Field<Bin, Int> = Field("place")
            let all = try tx.query(Bin.self, where: place > 1, sort: sort).map(\.id)
            func page(_ offset: Int, _ limit: Int) throws -> [String] {
                try tx.query(Bin.self, where: place > 1, sort: sort, page: Page(offset: offset, limit: limit)).map(\.id)
            }
            #expect(try page(0, 5) == Array(all[0..<5]))
            #expect(try page(10, 5) == Array(all[10..<15]))
            #expect(try page(20, 5) == Array(all[20...]))
            #expect(try page(100, 5).isEmpty)
            #expect(try page(3, 0).isEmpty)
        }
    }

    @Test("a page with the place of another order is refused by name")
    func otherOrder() throws {
        let core = try memoryCore()
        #expect(throws: StoreError.self) {
            try core.read {
                try $0.query(
                    Bin.self, sort: [.ascending(Field<Bin, Int>("place"))],
                    page: .after(PageCursor(values: [], key: "x"), limit: 3))
            }
        }
    }

    @Test("C29: counts, sums, least and greatest values, of all and by groups, are exact")
    func aggregates() throws {
        let core = try memoryCore()
        try core.write(as: nil) { tx in
            try tx.save(Zone(id: "z1"))
            try tx.save(Zone(id: "z2"))
            for number in 1...10 {
                try tx.save(
                    Bin(
                        id: "\(number)", zoneID: number % 5 == 0 ? nil : number % 2 == 0 ? "z1" : "z2", place: number,
                        quantity: number == 1 ? nil : Decimal3("0.1")))
            }
        }
        let quantity: Field<Bin, Decimal3?> = Field("quantity")
        let zone: Field<Bin, String?> = Field("zoneID")
        let place: Field<Bin, Int> = Field("place")
        try core.read { tx in
            #expect(try tx.sum(quantity) == Decimal3("0.9"))
            #expect(try tx.minimum(place, where: zone == "z2") == 1)
            #expect(try tx.maximum(place) == 10)
            #expect(try tx.sum(place, where: place > 100) == nil)
            let groups = try tx.groups(
                Bin.self, by: [.by(zone)], [.sum(quantity), .maximum(place), .minimum(place)], where: place < 10)
            #expect(groups.map { $0.key(zone) ?? nil } == [nil, "z1", "z2"])
            #expect(groups.map(\.count) == [1, 4, 4])
            #expect(groups.map { $0.sum(quantity) } == [Decimal3("0.1"), Decimal3("0.4"), Decimal3("0.3")])
            #expect(groups.map { $0.maximum(place) } == [5, 8, 9])
            #expect(groups.map { $0.minimum(place) } == [5, 2, 1])
            #expect(groups.first?.sum(place) == nil, "it was not asked for")
            #expect(try tx.groups(Bin.self, by: [.by(zone), .by(place)]).count == 10)
        }
        #expect(throws: StoreError.self) { try core.read { try $0.sum(Field<Bin, String>("code")) } }
        let model = ModelSchema(
            "T", pluralName: "Ts",
            fields: [FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("big", .scalar(.awsTimestamp))])
        let large = try StoreCore(schema: Schema(models: [model]), at: .memory, options: testOptions())
        for id in ["a", "b"] {
            try large.write(as: nil) {
                try $0.save(Record(schema: model, values: [.text(id), .integer(.max)]))
            }
        }
        let table = try large.context.table("T").table
        let sums: [() throws -> Void] = [
            { _ = try table.aggregate(.sum, of: "big", on: large.connection) },
            { _ = try table.groups(by: [], [(.sum, "big")], on: large.connection) },
        ]
        for sum in sums {
            let error = #expect(throws: FilterError.self) { try sum() }
            #expect(error?.description == "T.big: the sum has more than 64 bits")
        }
        #expect(throws: StoreError.self) {
            try core.read { try $0.groups(Bin.self, by: [.by(Field<Bin, [String]>("tags"))]) }
        }
    }

    @Test("C28: text is found whatever its case, in whole, at the start and inside")
    func ignoringCase() throws {
        let core = try memoryCore()
        try core.save(Bin(id: "1", code: "Tea-Box"), Bin(id: "2", code: "tea"), Bin(id: "3", code: "a_b%"))
        let code: Field<Bin, String> = Field("code")
        func ids(_ condition: Predicate<Bin>) throws -> [String] {
            try core.read { try $0.query(Bin.self, where: condition, sort: [.ascending(Field<Bin, String>("id"))]) }
                .map(\.id)
        }
        #expect(try ids(code.equalsIgnoringCase("TEA")) == ["2"])
        #expect(try ids(code.beginsWithIgnoringCase("TEA")) == ["1", "2"])
        #expect(try ids(code.containsIgnoringCase("BOX")) == ["1"])
        #expect(try ids(code.beginsWithIgnoringCase("A_")) == ["3"])
        #expect(try ids(code.beginsWithIgnoringCase("t_a")).isEmpty)
        #expect(try ids(!code.beginsWithIgnoringCase("TEA")) == ["3"])
        try core.save(Bin(id: "4", code: "STRASSE"), Bin(id: "5", code: "Straße"), Bin(id: "6", code: "STRAẞE"))
        for text in ["strasse", "straße", "STRAẞE"] {
            #expect(try ids(code.equalsIgnoringCase(text)) == ["4", "5", "6"])
        }
    }

    @Test("C28: the case of every script is ignored, in sql as in a live query")
    func otherScripts() throws {
        let core = try memoryCore()
        let codes = ["Größe", "GRÖSSE", "ΌΔΟΣ", "όδος", "Ёлка", "I", "ı", "Å", "日本", "a\u{0}É"]
        for (number, code) in codes.enumerated() { try core.save(Bin(id: "\(number)", code: code)) }
        let code: Field<Bin, String> = Field("code")
        func ids(_ condition: Predicate<Bin>) throws -> [String] {
            let found = try core.read { try $0.query(Bin.self, where: condition) }.map(\.id).sorted()
            let all = try core.read { try $0.query(Bin.self) }
            let live = try all.filter { try condition.node.matches($0.record) }
            #expect(live.map(\.id).sorted() == found)
            return found
        }
        #expect(try ids(code.equalsIgnoringCase("grösse")) == ["0", "1"])
        #expect(try ids(code.equalsIgnoringCase("ΌΔΟς")) == ["2", "3"])
        #expect(try ids(code.beginsWithIgnoringCase("ёЛ")) == ["4"])
        #expect(try ids(code.containsIgnoringCase("Öß")) == ["0", "1"])
        #expect(try ids(code.equalsIgnoringCase("å")) == ["7"])
        #expect(try ids(code.equalsIgnoringCase("A")).isEmpty, "accents stay")
        #expect(try ids(code.containsIgnoringCase("本")) == ["8"])
        #expect(try ids(code.containsIgnoringCase("é")) == ["9"])
        // In no language's own way: the same on every device.
        #expect(try ids(code.equalsIgnoringCase("i")) == ["5", "6"])
    }
}
