import Basics
import ModelTables
import Models
import SQLite
import Testing

@Suite struct FilterTests {
    /// 10 seeds × 300 predicates over 60 records each.
    @Test("D3: sql and memory agree on every predicate", arguments: 1...10)
    func sqlAndMemoryAgreeOnEveryPredicate(_ seed: UInt64) throws {
        var generator = FilterGenerator(seed: seed)
        let (table, connection, records) = try oddTable(&generator, count: 60)
        var hits = 0
        for number in 0..<300 {
            let node = generator.predicate()
            let filter = try RecordFilter(node, of: oddModel)
            let expected = Set(records.filter(filter.matches).map(\.id))
            let found = Set(try table.records(RowQuery(filter: node), on: connection).map(\.id))
            #expect(found == expected, "seed \(seed), predicate \(number): \(node)")
            #expect(try table.count(RowQuery(filter: node), on: connection) == expected.count)
            hits += expected.count
        }
        #expect(hits > 0 && hits < 300 * 60, "the predicates tell records apart")
    }

    /// One comparison of each kind alone on each field, with each operand: what a random tree may hide.
    @Test("D96 D101: sql and memory agree on every operator and field")
    func sqlAndMemoryAgreeOnEveryOperatorAndField() throws {
        var generator = FilterGenerator(seed: 77)
        let (table, connection, records) = try oddTable(&generator, count: 50)
        for field in oddModel.fields {
            for _ in 0..<200 {
                let node = PredicateNode.field(field.name, generator.comparison(field))
                for node in [node, .not(node)] {
                    let expected = Set(try records.filter { try node.matches($0) }.map(\.id))
                    let found = Set(try table.records(RowQuery(filter: node), on: connection).map(\.id))
                    #expect(found == expected, "\(node)")
                }
            }
        }
    }

    @Test("D37: sql and memory agree on every order", arguments: 1...5)
    func sqlAndMemoryAgreeOnEveryOrder(_ seed: UInt64) throws {
        var generator = FilterGenerator(seed: seed)
        let (table, connection, records) = try oddTable(&generator, count: 80)
        for _ in 0..<30 {
            let sort = generator.sort()
            let order = try RecordOrder(sort, of: oddModel)
            let query = RowQuery(sort: sort, tieBreak: .key)
            let found = try table.records(query, on: connection).map(\.id)
            #expect(found == records.sorted(by: order.precedes).map(\.id), "\(sort)")
            let paged = RowQuery(sort: sort, page: Page(offset: 20, limit: 15), tieBreak: .key)
            #expect(try table.records(paged, on: connection).map(\.id) == Array(found[20..<35]))
        }
    }

    // The table of Models.Comparison, by hand: what the property tests could get wrong on both sides alike.
    @Test(
        "D12 D13 D101: comparisons with missing values follow the table",
        arguments: [
            (Comparison.equal(.text("a")), [1]), (.equal(.null), [0]), (.notEqual(.text("a")), [0, 2, 3]),
            (.notEqual(.null), [1, 2, 3]), (.less(.text("b")), [1, 2]), (.greaterOrEqual(.text("a")), [1, 2, 3]),
            (.between(.text("a"), .text("a%")), [1, 2]), (.contains(.text("%")), [2]),
            (.contains(.text("")), [1, 2, 3]),
            (.notContains(.text("%")), [0, 1, 3]), (.beginsWith("a"), [1, 2]), (.beginsWith(""), [1, 2, 3]),
            (.beginsWith("_"), []), (.isIn([.text("a"), .text("cB_")]), [1, 3]), (.isIn([]), []),
            (.notIn([]), [0, 1, 2, 3]),
            (.isIn([.null, .text("a")]), [0, 1]), (.notIn([.text("a")]), [0, 2, 3]), (.notIn([.null]), [1, 2, 3]),
            (.exists(true), [1, 2, 3]), (.exists(false), [0]), (.containsIgnoringCase("b_"), [3]),
            (.contains(.text("b")), []),
            (.equal(.integer(5)), []), (.notEqual(.integer(5)), [0, 1, 2, 3]), (.less(.null), []),
        ])
    func comparisonsWithMissingValuesFollowTheTable(_ comparison: Comparison, _ expected: [Int]) throws {
        let values: [Value] = [.null, .text("a"), .text("a%"), .text("cB_")]
        let model = ModelSchema(
            "T", pluralName: "Ts", fields: [FieldSchema("id", .scalar(.id)), FieldSchema("text", .scalar(.string))])
        let connection = try Connection.memory()
        let table = ModelTable(model)
        try table.create(on: connection)
        for (number, value) in values.enumerated() {
            try table.insert(Record(schema: model, values: [.text("\(number)"), value]), on: connection)
        }
        let node = PredicateNode.field("text", comparison)
        let found = try table.records(RowQuery(filter: node, sort: [.init("id", .ascending)]), on: connection)
        #expect(found.map(\.id) == expected.map(String.init))
        let opposite = try table.records(RowQuery(filter: .not(node), sort: [.init("id", .ascending)]), on: connection)
        #expect(opposite.map(\.id) == (0...3).filter { !expected.contains($0) }.map(String.init))
    }

    @Test func listsAreSearchedByElement() throws {
        func matches(_ field: String, _ comparison: Comparison, _ text: String?) throws -> Bool {
            var record = Record(schema: oddModel, values: oddModel.fields.map { _ in .null })
            record[field] = text.map { .text($0) } ?? .null
            return try PredicateNode.field(field, comparison).matches(record)
        }
        #expect(try matches("value", .contains(.text("ab")), #"["ab","c"]"#))
        #expect(try !matches("value", .contains(.text("a")), #"["ab","c"]"#))
        #expect(try matches("value", .notContains(.text("a")), nil))
        #expect(try matches("value", .containsIgnoringCase("B"), #"["ab"]"#))
        #expect(try matches("key", .contains(.integer(2)), "[1,2]"))
        #expect(try matches("json", .contains(.integer(1500)), "[1.5]"))
        #expect(try matches("path", .contains(.integer(0)), #"["1970-01-01T00:00:00.000Z"]"#))
        #expect(try matches("atom", .contains(.integer(1)), "[false,true]"))
    }

    @Test("an element with NUL is found whole, and by no part of it")
    func elementsWithNUL() throws {
        let connection = try Connection.memory()
        let table = ModelTable(oddModel)
        try table.create(on: connection)
        var record = Record(schema: oddModel, values: oddModel.fields.map { _ in .null })
        record["id"] = .text("1")
        record["value"] = .text(JSONValue.array(["a\u{0}Bc", "\\u0000"]).text)
        try table.insert(record, on: connection)
        for (comparison, isFound) in [
            (.contains(.text("a\u{0}Bc")), true), (.contains(.text("a")), false), (.contains(.text("a\u{0}")), false),
            (.notContains(.text("a")), true), (.contains(.text("\\u0000")), true),
            (.containsIgnoringCase("\u{0}bC"), true), (.containsIgnoringCase("ac"), false),
        ] as [(Comparison, Bool)] {
            let node = PredicateNode.field("value", comparison)
            #expect(try node.matches(record) == isFound)
            #expect(try table.count(RowQuery(filter: node), on: connection) == (isFound ? 1 : 0), "\(comparison)")
        }
    }

    @Test("conditions nested one in the other are asked, or refused by name", arguments: [false, true])
    func nested(_ isRight: Bool) throws {
        var generator = FilterGenerator(seed: 3)
        let (table, connection, records) = try oddTable(&generator, count: 10)
        let inner: [PredicateNode] = [
            .field("group", .equal(.text("a"))), .not(.field("value", .containsIgnoringCase("a"))),
            .not(.field("group", .beginsWithIgnoringCase("a"))),
        ]
        for leaf in inner {
            var node = leaf
            var refusedAt: Int?
            for level in 1...400 {
                let other = PredicateNode.field("select", .less(.integer(Int64(level))))
                let parts = isRight ? [other, node] : [node, other]
                node = level % 2 == 0 ? .and(parts) : .or(parts)
                guard refusedAt == nil || level % 50 == 0 else { continue }
                do {
                    let found = try table.count(RowQuery(filter: node), on: connection)
                    #expect(found == (try records.filter { try node.matches($0) }.count))
                    #expect(refusedAt == nil)
                } catch let error as FilterError {
                    #expect(error.description.hasPrefix("Order: the condition is nested too deeply"))
                    refusedAt = refusedAt ?? level
                }
            }
            #expect(try #require(refusedAt) > (isRight ? 19 : 55))
        }
    }

    @Test func fieldsThatDoNotExistOrCannotBeFilteredAreNamed() throws {
        let model = ModelSchema(
            "T", pluralName: "Ts",
            fields: [FieldSchema("id", .scalar(.id)), FieldSchema("place", .embedded("Place"))])
        #expect(throws: FilterError.self) { try RecordFilter(.field("nothing", .exists(true)), of: model) }
        let error = #expect(throws: FilterError.self) {
            try SQLFilter.condition(.not(.field("nothing", .exists(true))), of: model)
        }
        #expect(error?.description == "T.nothing: there is no such field")
        #expect(throws: FilterError.self) { try SQLFilter.condition(.field("place", .equal(.text("{}"))), of: model) }
        #expect(throws: FilterError.self) { try SQLFilter.order([.init("nothing", .ascending)], of: model) }
    }

    @Test func longListsOfValuesWork() throws {
        var generator = FilterGenerator(seed: 5)
        let (table, connection, _) = try oddTable(&generator, count: 20)
        for count in [3, 4096, 50_000] {
            let ids = (0..<count).map { Value.text("r\($0 * 2)") }
            let found = try table.count(RowQuery(filter: .field("id", .isIn(ids))), on: connection)
            #expect(found == min(count, 10))
            let others = try table.count(RowQuery(filter: .field("id", .notIn(ids))), on: connection)
            #expect(others == 20 - min(count, 10))
        }
    }

    @Test func listsOfNearLengthsShareOneStatement() throws {
        let three = try SQLFilter.condition(.field("id", .isIn([.text("a"), .text("b"), .text("c")])), of: oddModel)
        let four = try SQLFilter.condition(.field("id", .isIn("abcd".map { .text(String($0)) })), of: oddModel)
        #expect(three?.sql == four?.sql)
    }

    @Test func textIsOrderedByBytesAsSQLiteDoes() throws {
        // Swift finds the two spellings of é equal, and puts U+FF5E before an emoji's UTF-16 order; bytes do neither.
        #expect("é" == "e\u{301}")
        #expect(utf8Order("é", "e\u{301}") > 0)
        #expect(utf8Order("\u{FF5E}", "🧰") < 0)
        #expect(utf8Order("a", "a\u{0}") < 0)
        #expect(utf8Order("", "") == 0)
        let connection = try Connection.memory()
        for (a, b) in [("é", "e\u{301}"), ("\u{FF5E}", "🧰"), ("a", "a\u{0}"), ("Z", "a")] {
            let less = try connection.value("SELECT ? < ?", [.text(a), .text(b)])
            #expect(less == .integer(utf8Order(a, b) < 0 ? 1 : 0))
        }
    }

    @Test("thousands of conditions are joined one by one, in SQL and in memory")
    func manyConditions() throws {
        let core = try memoryCore()
        try core.save(Zone(id: "a", code: "1999"), Zone(id: "b", code: "none"))
        let code = Field<Zone, String>("code")
        var any = code == "0"
        var none = code != "0"
        for number in 1..<2000 {
            any = any || code == String(number)
            none = none && code != String(number)
        }
        #expect(try core.read { try $0.query(Zone.self, where: any) }.map(\.id) == ["a"])
        #expect(try core.read { try $0.query(Zone.self, where: none) }.map(\.id) == ["b"])
        #expect(try core.read { try $0.query(Zone.self, where: !none) }.map(\.id) == ["a"])
        #expect(try RecordFilter(any.node, of: Zone.schema).matches(Zone(id: "a", code: "1999").record))
    }
}
