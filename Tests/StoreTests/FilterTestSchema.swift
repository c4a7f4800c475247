import Basics
import ModelTables
import Models
import SQLite

/// A model with every kind of field, under names that are words of SQL.
let oddModel = ModelSchema(
    "Order", pluralName: "Orders",
    fields: [
        FieldSchema("id", .scalar(.id), isRequired: true),
        FieldSchema("group", .scalar(.string)),
        FieldSchema("select", .scalar(.int)),
        FieldSchema("from", .scalar(.float)),
        FieldSchema("where", .scalar(.boolean)),
        FieldSchema("limit", .scalar(.decimal(places: 3))),
        FieldSchema("index", .scalar(.awsDateTime)),
        FieldSchema("table", .enumeration("Case")),
        FieldSchema("value", .scalar(.string), isList: true),
        FieldSchema("key", .scalar(.int), isList: true),
        FieldSchema("json", .scalar(.decimal(places: 3)), isList: true),
        FieldSchema("path", .scalar(.awsDateTime), isList: true),
        FieldSchema("atom", .scalar(.boolean), isList: true),
        FieldSchema("type", .scalar(.awsJSON)),
    ],
    indexes: [IndexSchema("byGroup", fields: ["group", "select"]), IndexSchema("byFrom", fields: ["from"])])

/// Makes records and predicates of ``oddModel`` from a seed.
struct FilterGenerator {
    var random: SplitMix64

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }

    private static let texts = [
        "", "a", "A", "ab", "AB", "aB%", "a%", "%", "_", "a_b", "100%", "\\", "'", "\"", "a'b", "é", "e\u{301}", "É",
        "z", "Z", "zz", "\u{D7FF}", "\u{E000}", "\u{FFFD}", "🧰", "🧰📦", "\u{10FFFF}", "\u{10FFFF}a", "a\u{10FFFF}",
        "a\u{0}b", "\u{0}", "ab\u{0}", "5", "5.0", "null", "[]",
    ]
    private static let integers: [Int64] = [
        0, 1, -1, 2, 5, 100, 500, 1000, 1500, -1500, .min, .max, 1 << 53, (1 << 53) + 1,
    ]
    private static let reals: [Double] = [
        0, -0.0, 0.5, 1, 1.5, -1, 5, 1e300, -1e300, 0x1p63, -0x1p63, 0x1p53, 9_007_199_254_740_994,
    ]

    mutating func text() -> String { pick(Self.texts) }
    mutating func integer() -> Int64 { pick(Self.integers) }
    mutating func real() -> Double { pick(Self.reals) }
    mutating func time() -> Int64 { Int64(below(4)) * 86_400_000 + Int64(below(3)) }

    mutating func value(_ field: FieldSchema) -> Value {
        if field.name != "id", below(5) == 0 { return .null }
        if field.isList {
            var elements: [JSONValue] = []
            for _ in 0..<below(4) { elements.append(below(8) == 0 ? .null : element(field)) }
            return .text(JSONValue.array(elements).canonical.text)
        }
        guard case .scalar(let scalar) = field.type else { return .text(pick(["rack", "RACK", "shelf"])) }
        switch scalar {
        case .int, .decimal: return .integer(integer())
        case .float: return .real(real())
        case .boolean: return .integer(Int64(below(2)))
        case .awsDateTime: return .integer(time())
        case .awsJSON: return .text(JSONValue.object(["a": .string(text())]).canonical.text)
        default: return .text(text())
        }
    }

    private mutating func element(_ field: FieldSchema) -> JSONValue {
        guard case .scalar(let scalar) = field.type else { return .null }
        switch scalar {
        case .int: return .integer(Int64(below(6)))
        case .decimal: return scalar.wireValue(of: .integer(Int64(below(8)) * 500))
        case .awsDateTime: return .string(DateTime(milliseconds: time()).iso8601)
        case .boolean: return .bool(below(2) == 0)
        default: return .string(text())
        }
    }

    /// A value to compare a field with: mostly of its type, sometimes null or of another type.
    mutating func operand(_ field: FieldSchema) -> Value {
        switch below(12) {
        case 0: return .null
        case 1: return .text(text())
        case 2: return .integer(integer())
        case 3: return .real(real())
        default:
            guard field.isList, case .scalar(let scalar) = field.type else { return value(field) }
            switch scalar {
            case .int: return .integer(Int64(below(6)))
            case .decimal: return .integer(Int64(below(8)) * 500)
            case .awsDateTime: return .integer(time())
            case .boolean: return .integer(Int64(below(2)))
            default: return .text(text())
            }
        }
    }

    mutating func comparison(_ field: FieldSchema) -> Comparison {
        switch below(17) {
        case 0: return .equal(operand(field))
        case 1: return .notEqual(operand(field))
        case 2: return .less(operand(field))
        case 3: return .lessOrEqual(operand(field))
        case 4: return .greater(operand(field))
        case 5: return .greaterOrEqual(operand(field))
        case 6: return .between(operand(field), operand(field))
        case 7: return .contains(operand(field))
        case 8: return .notContains(operand(field))
        case 9: return .beginsWith(text())
        case 10: return .isIn((0..<below(5)).map { _ in operand(field) })
        case 11: return .notIn((0..<below(5)).map { _ in operand(field) })
        case 12: return .exists(below(2) == 0)
        case 13: return .containsIgnoringCase(text())
        case 14: return .equalsIgnoringCase(text())
        case 15: return .beginsWithIgnoringCase(text())
        default: return .equal(value(field))
        }
    }

    mutating func predicate(depth: Int = 3) -> PredicateNode {
        switch below(depth > 0 ? 8 : 5) {
        case 5: return .and((0..<below(4)).map { _ in predicate(depth: depth - 1) })
        case 6: return .or((0..<below(4)).map { _ in predicate(depth: depth - 1) })
        case 7: return .not(predicate(depth: depth - 1))
        default:
            if below(40) == 0 { return .all }
            let field = pick(oddModel.fields)
            return .field(field.name, comparison(field))
        }
    }

    mutating func record(_ id: String) -> Record {
        var values = oddModel.fields.map { value($0) }
        values[0] = .text(id)
        return Record(schema: oddModel, values: values)
    }

    mutating func sort() -> [SortKeyNode] {
        (0..<below(4)).map { _ in SortKeyNode(pick(oddModel.fields).name, below(2) == 0 ? .ascending : .descending) }
    }
}

/// A table of ``oddModel`` in memory with `count` records from a seed.
func oddTable(_ generator: inout FilterGenerator, count: Int) throws -> (ModelTable, Connection, [Record]) {
    let connection = try Connection.memory()
    let table = ModelTable(oddModel, metadata: [MetadataColumn("_state", .integer, defaultValue: .integer(0))])
    try table.create(on: connection)
    var records: [Record] = []
    try connection.transaction {
        for number in 0..<count {
            let record = generator.record("r\(number)")
            try table.insert(record, metadata: [.integer(Int64(number % 3))], on: connection)
            records.append(record)
        }
    }
    return (table, connection, records)
}
