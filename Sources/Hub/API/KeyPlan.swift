import Basics
import ModelTables
import Models

/// A key along which rows are read: its equal part, then what they are sorted by, then their numbers.
///
/// A later page begins behind the last row of the one before, found by the index: it costs what the first one costs.
struct KeyPlan {
    /// Where a page ended.
    struct Place {
        let sortKey: [Value]
        let row: Int64
        /// Whether it was looked up, and so may have moved since.
        var isFound = false
    }

    /// A condition on the first sort fields.
    private struct Bound {
        let sign: String
        let values: [Value]
    }

    let model: ModelInfo
    /// The sort fields.
    let sort: [String]
    /// The fields of the equal part, with their values.
    private let equal: [String]
    private let equalValues: [Value]
    private var bounds: [Bound] = []
    /// Conditions that no index helps with.
    private var others: [SQLCondition] = []
    var isDescending = false

    init(model: ModelInfo, sort: [String], equal: [String], values: [Value]) {
        self.model = model
        self.sort = sort
        self.equal = equal
        equalValues = values
    }

    /// Compares the first sort fields in their order, as one joined key would be.
    mutating func add(_ sign: String, _ values: [Value]) { bounds.append(Bound(sign: sign, values: values)) }

    /// Compares the text of the sort field's dates with one that is no whole date.
    mutating func add(_ sign: String, partOfDate text: String) {
        let first = Value.integer(DateTime.first { !$0.utf8.lexicographicallyPrecedes(text.utf8) }.milliseconds)
        switch sign.first {
        case ">": add(">=", [first])
        case "<": add("<", [first])
        default: others.append(SQLCondition("0"))
        }
    }

    /// Only dates whose text begins so: they lie together.
    mutating func addPrefix(ofDate text: String) {
        add(">=", partOfDate: text)
        let end = DateTime.first { !$0.utf8.starts(with: text.utf8) && text.utf8.lexicographicallyPrecedes($0.utf8) }
        add("<", [.integer(end.milliseconds)])
    }

    /// All given fields but the last are equal, and the last begins so.
    mutating func addPrefix(_ values: [Value], _ last: Value) {
        for (name, value) in zip(sort, values.dropLast()) { others.append(SQLCondition("\"\(name)\"=?", [value])) }
        let name = "\"\(sort[values.count - 1])\""
        if case .text(let prefix) = last {
            // By bytes: of a text SQLite's functions see nothing behind a U+0000.
            let count = Value.integer(Int64(prefix.utf8.count))
            others.append(SQLCondition("substr(CAST(\(name) AS BLOB),1,?)=CAST(? AS BLOB)", [count, .text(prefix)]))
        } else {
            others.append(SQLCondition("\(name)=?", [last]))
        }
    }

    /// What to read, one part after the other: all of it, or what comes behind a place.
    ///
    /// Behind `(a, b)` come the rows with the same `a` and a later `b`, and then those with a later `a`. Each part is one
    /// range of the index, nulls and all, where a comparison of the whole key would not be.
    func parts(_ table: BaseTable, after place: Place?) -> [SQLCondition] {
        guard let place else { return [select(table, [], from: 0, isBehind: false)] }
        var result: [SQLCondition] = []
        for count in stride(from: sort.count, through: 0, by: -1) {
            let same = zip(sort, place.sortKey).prefix(count).map { name, value in
                value.isNull ? SQLCondition("\"\(name)\" IS NULL") : SQLCondition("\"\(name)\"=?", [value])
            }
            for later in self.later(count, place) {
                result.append(select(table, same + [later], from: count, isBehind: !place.isFound))
            }
            if let absent = self.absent(count, place) {
                // Nothing is within a bound that is not there: these keep theirs.
                result.append(select(table, same + [absent], from: count, isBehind: false))
            }
        }
        return result
    }

    /// What is later at one place of the key and is there: nulls come first ascending and last descending.
    private func later(_ index: Int, _ place: Place) -> [SQLCondition] {
        guard index < sort.count else {
            return [SQLCondition("\(ModelTable.rowColumn)\(isDescending ? "<" : ">")?", [.integer(place.row)])]
        }
        let column = "\"\(sort[index])\""
        let value = place.sortKey[index]
        switch (isDescending, value.isNull) {
        case (false, true): return [SQLCondition("\(column) IS NOT NULL")]
        case (false, false): return [SQLCondition("\(column)>?", [value])]
        case (true, true): return []
        case (true, false): return [SQLCondition("\(column)<?", [value])]
        }
    }

    private func absent(_ index: Int, _ place: Place) -> SQLCondition? {
        guard isDescending, index < sort.count, !place.sortKey[index].isNull,
            model.schema.field(sort[index])?.isRequired != true
        else { return nil }
        return SQLCondition("\"\(sort[index])\" IS NULL")
    }

    /// - Parameters:
    ///   - first: From which sort field on the part's rows differ.
    ///   - isBehind: Whether all rows of the part are behind a place that the bounds hold of: then the bound on that side
    ///     holds of them too, and must not be taken for the place to begin at.
    private func select(
        _ table: BaseTable, _ conditions: [SQLCondition], from first: Int, isBehind: Bool
    ) -> SQLCondition {
        var result = SQLCondition("SELECT \(table.columns) FROM \(table.table.name) WHERE ")
        var sign = ""
        func add(_ condition: SQLCondition) {
            result.sql += sign + condition.sql
            result.bindings += condition.bindings
            sign = " AND "
        }
        for (name, value) in zip(equal, equalValues) { add(SQLCondition("\"\(name)\"=?", [value])) }
        conditions.forEach(add)
        let passed: Character = isDescending ? "<" : ">"
        for bound in bounds where !isBehind || bound.sign.first != passed {
            add(condition(bound, isIndexed: conditions.isEmpty || bound.sign.first != passed))
        }
        others.forEach(add)
        let direction = isDescending ? "DESC" : "ASC"
        let order = sort.dropFirst(first).map { "\"\($0)\"" } + [ModelTable.rowColumn]
        result.sql += " ORDER BY " + order.map { "\($0) \(direction)" }.joined(separator: ",")
        return result
    }

    /// - Parameter isIndexed: Whether the index may be searched by it; else it is only looked at row by row.
    private func condition(_ bound: Bound, isIndexed: Bool) -> SQLCondition {
        var names = sort.prefix(bound.values.count).map { "\"\($0)\"" }
        if !isIndexed { names[0] = "+" + names[0] }
        let marks = Array(repeating: "?", count: names.count).joined(separator: ",")
        let isOne = names.count == 1
        return SQLCondition(
            isOne ? "\(names[0])\(bound.sign)?" : "(\(names.joined(separator: ",")))\(bound.sign)(\(marks))",
            bound.values)
    }
}

extension DateTime {
    /// The first instant of whose text this holds, and of that of every later one; after the year 9999 where none is.
    ///
    /// Texts of four-digit years lie in the order of their times, so that what is said of texts is a range of times.
    static func first(where holds: (String) -> Bool) -> DateTime {
        var (low, high): (Int64, Int64) = (-62_167_219_200_000, 253_402_300_800_000)
        while low < high {
            let middle = low + (high - low) / 2
            if holds(DateTime(milliseconds: middle).iso8601) { high = middle } else { low = middle + 1 }
        }
        return DateTime(milliseconds: low)
    }
}
