import Models

/// SQL text with its bindings in order.
public struct SQLCondition: Sendable, Hashable {
    /// An SQL expression; each `?` stands for one binding.
    public var sql: String
    /// The bindings.
    public var bindings: [Value]

    /// Puts a condition together.
    public init(_ sql: String, _ bindings: [Value] = []) {
        self.sql = sql
        self.bindings = bindings
    }
}

/// Compiles predicates and sort orders of one model to SQL.
///
/// The result agrees with ``RecordFilter`` on every record. Values are always bound, never written into the text.
public struct SQLFilter {
    private let schema: ModelSchema
    private var sql = ""
    private var bindings: [Value] = []
    /// What the columns belong to, in quotes: the table, or the alias of a related one.
    private let owner: String
    /// How many models deep.
    private let depth: Int
    /// What SQLite's parser keeps waiting while it reads what is written next, and the most that there was.
    private var pending: Int
    private var deepest = 0

    private init(_ schema: ModelSchema, depth: Int = 0, pending: Int = 0) {
        self.schema = schema
        self.depth = depth
        self.pending = pending
        owner = depth == 0 ? quoted(schema.name) : "\"_\(depth)\""
    }

    private func column(_ name: String) -> String { depth == 0 ? quoted(name) : owner + "." + quoted(name) }

    /// The SQL of a predicate; nil where it is true of every record.
    ///
    /// - Parameter models: finds the models of relations; without it a predicate on related records is refused.
    /// - Throws: ``FilterError`` for a field that the model does not have or that cannot be filtered by, and for a condition
    ///   that is nested too deeply.
    public static func condition(
        _ node: PredicateNode, of schema: ModelSchema, models: ModelLookup? = nil
    ) throws(FilterError) -> SQLCondition? {
        if case .all = node { return nil }
        var filter = SQLFilter(schema)
        filter.write(try ResolvedPredicate(node, schema, models: models))
        guard filter.deepest <= mostPending else {
            throw FilterError(
                model: schema.name, field: "",
                message: "the condition is nested too deeply to be asked; put it together from fewer levels")
        }
        return SQLCondition(filter.sql, filter.bindings)
    }

    /// The SQL of a sort order, without `ORDER BY`; SQLite puts nulls first ascending and last descending, as we do.
    ///
    /// - Throws: ``FilterError`` for a field that the model does not have.
    public static func order(_ keys: [SortKeyNode], of schema: ModelSchema) throws(FilterError) -> String {
        var parts: [String] = []
        for key in keys {
            guard schema.field(key.field) != nil else {
                throw FilterError(model: schema.name, field: key.field, message: "there is no such field")
            }
            parts.append(quoted(key.field) + (key.direction == .ascending ? "" : " DESC"))
        }
        return parts.joined(separator: ",")
    }

    /// SQLite's parser keeps a hundred things waiting at most; the rest is for the query around the condition.
    private static let mostPending = 84

    /// Writes a part while so many things more wait for its end.
    private mutating func within(_ things: Int, _ write: (inout SQLFilter) -> Void) {
        pending += things
        deepest = max(deepest, pending)
        write(&self)
        pending -= things
    }

    private mutating func write(_ node: ResolvedPredicate) {
        switch node {
        case .constant(let flag): sql += flag ? "1" : "0"
        case .and(let parts): write(parts, " AND ", empty: "1")
        case .or(let parts): write(parts, " OR ", empty: "0")
        case .test(let position, let test, let negated):
            let column = column(schema.fields[position].name)
            within(test.parts) { filter in
                if negated { filter.writeNegated(column, test) } else { filter.write(column, test) }
            }
        case .related(let target, let pairs, let condition, let negated):
            // From `EXISTS(` to `AND`.
            var inner = SQLFilter(target, depth: depth + 1, pending: pending + 10)
            inner.write(condition)
            deepest = max(deepest, inner.deepest)
            let join = pairs.map { "\(inner.column($0.target))=\(owner).\(quoted($0.own))" }
            sql += negated ? "NOT EXISTS" : "EXISTS"
            sql += "(SELECT 1 FROM \(quoted(target.name)) AS \(inner.owner) WHERE "
            sql += (join + [inner.sql]).joined(separator: " AND ") + ")"
            bindings += inner.bindings
        }
    }

    /// Long lists in halves: SQLite reads a list as a tree as deep as it is long, of at most a thousand levels.
    private mutating func write(
        _ parts: some RandomAccessCollection<ResolvedPredicate>, _ separator: String, empty: String
    ) {
        guard !parts.isEmpty else {
            sql += empty
            return
        }
        sql += "("
        if parts.count > 64 {
            let middle = parts.index(parts.startIndex, offsetBy: parts.count / 2)
            within(1) { $0.write(parts[..<middle], separator, empty: empty) }
            sql += separator
            within(3) { $0.write(parts[middle...], separator, empty: empty) }
        } else {
            for (index, part) in parts.enumerated() {
                if index > 0 { sql += separator }
                // The parenthesis; and what stands before the part, with its sign.
                within(index == 0 ? 1 : 3) { $0.write(part) }
            }
        }
        sql += ")"
    }

    private mutating func write(_ column: String, _ test: FieldTest) {
        switch test {
        case .isNull: sql += "\(column) IS NULL"
        case .equal(let value): compare(column, "=", value)
        case .less(let value): compare(column, "<", value)
        case .lessOrEqual(let value): compare(column, "<=", value)
        case .greater(let value): compare(column, ">", value)
        case .greaterOrEqual(let value): compare(column, ">=", value)
        case .between(let low, let high):
            sql += "\(column) BETWEEN ? AND ?"
            bindings += [low, high]
        case .oneOf(let values): writeList(column, " IN ", values)
        case .hasPrefix(let prefix):
            guard let end = afterPrefix(prefix) else { return compare(column, ">=", .text(prefix)) }
            sql += "(\(column)>=? AND \(column)<?)"
            bindings += [.text(prefix), .text(end)]
        case .hasSubstring(let text):
            sql += "instr(\(column),?)>0"
            bindings.append(.text(text))
        case .hasSubstringIgnoringCase(let text):
            sql += "instr(casefold(\(column)),?)>0"
            bindings.append(.text(text))
        case .equalIgnoringCase(let text): compare("casefold(\(column))", "=", .text(text))
        case .hasPrefixIgnoringCase(let prefix):
            guard let end = afterPrefix(prefix) else { return compare("casefold(\(column))", ">=", .text(prefix)) }
            sql += "(casefold(\(column))>=? AND casefold(\(column))<?)"
            bindings += [.text(prefix), .text(end)]
        case .hasElement(let value): writeElements(column, "e.value=?", value, ignoringCase: false)
        case .hasElementWithSubstringIgnoringCase(let text):
            writeElements(column, "instr(casefold(e.value),?)>0", .text(text), ignoringCase: true)
        }
    }

    /// The complement, which is true where the column is null.
    private mutating func writeNegated(_ column: String, _ test: FieldTest) {
        switch test {
        case .isNull: sql += "\(column) IS NOT NULL"
        case .equal(let value): compare(column, " IS NOT ", value)
        case .hasElement, .hasElementWithSubstringIgnoringCase:
            sql += "NOT "
            write(column, test)
        default:
            sql += "(\(column) IS NULL OR NOT "
            write(column, test)
            sql += ")"
        }
    }

    private mutating func compare(_ column: String, _ sign: String, _ value: Value) {
        sql += column + sign + "?"
        bindings.append(value)
    }

    private mutating func writeElements(
        _ column: String, _ condition: String, _ value: Value, ignoringCase: Bool
    ) {
        // Qualified, for a field may have the name of one of json_each's columns.
        let qualified = depth == 0 ? owner + "." + column : column
        let found = "EXISTS(SELECT 1 FROM json_each(\(qualified)) AS e WHERE \(condition))"
        bindings.append(value)
        guard case .text = value else { return sql += found }
        // json_each ends a text at its first NUL.
        sql += "(CASE WHEN instr(\(qualified),'\\u0000') THEN listholds(\(qualified),?,\(ignoringCase ? 1 : 0)) ELSE "
        sql += found + " END)"
        bindings.append(value)
    }

    /// A list's length is rounded up to a power of two by repeating its last value, so that few texts are prepared;
    /// a list beyond SQLite's count of bindings travels as one JSON text.
    private mutating func writeList(_ column: String, _ sign: String, _ values: [Value]) {
        guard let last = values.last, values.count <= 4096 else {
            sql += "\(column)\(sign)(SELECT value FROM json_each(?))"
            bindings.append(.text(jsonList(values)))
            return
        }
        var count = 1
        while count < values.count { count *= 2 }
        sql += column + sign + "(" + Array(repeating: "?", count: count).joined(separator: ",") + ")"
        bindings += values
        bindings += Array(repeating: last, count: count - values.count)
    }
}

extension FieldTest {
    /// What SQLite's parser keeps waiting at most while it reads the test.
    fileprivate var parts: Int {
        switch self {
        case .hasElement, .hasElementWithSubstringIgnoringCase: 24
        default: 8
        }
    }
}

/// The smallest text greater than every text that begins with `prefix`, in byte order; nil where there is none.
///
/// UTF-8's byte order is the order of the scalars, so the last scalar's successor gives it.
func afterPrefix(_ prefix: String) -> String? {
    var scalars = Array(prefix.unicodeScalars)
    while let last = scalars.popLast() {
        let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
        guard let successor = Unicode.Scalar(next) else { continue }
        scalars.append(successor)
        var result = ""
        result.unicodeScalars.append(contentsOf: scalars)
        return result
    }
    return nil
}
