import Models
import SQLite

/// Which rows of a table, and in which order.
public struct RowQuery: Sendable, Hashable {
    /// What settles the order of rows that are equal by the sort keys.
    public enum TieBreak: Sendable, Hashable {
        /// The record's key: the same order on every device and in memory (``RecordOrder``).
        case key
        /// The row's number: the order of insertion, and free where an index gives the sort keys' order.
        case row
        /// Nothing.
        case none
    }

    /// The condition on fields.
    public var filter: PredicateNode
    /// The sort keys.
    public var sort: [SortKeyNode]
    /// The part of the result that is wanted; nil for all.
    public var page: Page?
    /// A further condition, in SQL, on metadata columns.
    public var condition: SQLCondition?
    /// Only rows with a greater number: with ``sort`` empty and ``TieBreak/row``, the next page of a walk.
    public var afterRow: Int64?
    /// What settles the order of equal rows.
    public var tieBreak: TieBreak

    /// Puts a query together. Without sort keys or a page the order is not settled unless `tieBreak` is given.
    public init(
        filter: PredicateNode = .all, sort: [SortKeyNode] = [], page: Page? = nil, condition: SQLCondition? = nil,
        afterRow: Int64? = nil, tieBreak: TieBreak? = nil
    ) {
        self.filter = filter
        self.sort = sort
        self.page = page
        self.condition = condition
        self.afterRow = afterRow
        self.tieBreak = tieBreak ?? (afterRow != nil ? .row : sort.isEmpty && page == nil ? .none : .key)
    }

    /// A part of a walk over all rows by their number: the rows after `row` (0 to begin).
    public static func walk(after row: Int64, limit: Int, condition: SQLCondition? = nil) -> RowQuery {
        RowQuery(page: .first(limit), condition: condition, afterRow: row)
    }
}

extension ModelTable {
    /// The SELECT of a query and its bindings.
    ///
    /// - Throws: ``FilterError`` for a field that the model does not have or that cannot be filtered by.
    public func select(_ query: RowQuery) throws(FilterError) -> SQLCondition {
        var statement = try restricted("SELECT \(selection) FROM \(name)", query)
        var order = try SQLFilter.order(query.sort, of: schema)
        switch query.tieBreak {
        case .key: order += (order.isEmpty ? "" : ",") + keyColumn
        case .row: order += (order.isEmpty ? "" : ",") + ModelTable.rowColumn
        case .none: break
        }
        if !order.isEmpty { statement.sql += " ORDER BY " + order }
        if let page = query.page {
            statement.sql += " LIMIT ? OFFSET ?"
            // To SQLite a limit below 0 is none.
            statement.bindings += [.integer(Int64(max(0, page.limit))), .integer(Int64(page.offset))]
        }
        return statement
    }

    /// The condition that a row comes behind a place in the query's order.
    private func behind(_ cursor: PageCursor, _ query: RowQuery) throws(FilterError) -> SQLCondition {
        guard cursor.values.count == query.sort.count, query.tieBreak == .key else {
            throw FilterError(
                model: schema.name, field: query.sort.last?.field ?? "", message: "the page's place is of another order"
            )
        }
        var result = SQLCondition("")
        // A bound on the first key alone, which an index can begin with.
        if let first = query.sort.first, let value = cursor.values.first, !value.isNull {
            let column = quoted(first.field)
            let below = isNeverNull(first.field) ? "\(column)<=?" : "(\(column)<=? OR \(column) IS NULL)"
            result = SQLCondition((first.direction == .ascending ? "\(column)>=?" : below) + " AND ", [value])
        }
        var equal = SQLCondition("")
        var ways: [SQLCondition] = []
        for (key, value) in zip(query.sort, cursor.values) {
            let column = quoted(key.field)
            // Nulls come first ascending and last descending.
            let next: SQLCondition? =
                switch (key.direction, value.isNull) {
                case (.ascending, true): SQLCondition("\(column) IS NOT NULL")
                case (.ascending, false): SQLCondition("\(column)>?", [value])
                case (.descending, true): nil
                case (.descending, false): SQLCondition("(\(column)<? OR \(column) IS NULL)", [value])
                }
            if let next { ways.append(SQLCondition(equal.sql + next.sql, equal.bindings + next.bindings)) }
            equal.sql += value.isNull ? "\(column) IS NULL AND " : "\(column)=? AND "
            if !value.isNull { equal.bindings.append(value) }
        }
        ways.append(SQLCondition(equal.sql + "\(keyColumn)>?", equal.bindings + [.text(cursor.key)]))
        result.sql += "(" + ways.map { "(" + $0.sql + ")" }.joined(separator: " OR ") + ")"
        result.bindings += ways.flatMap(\.bindings)
        return result
    }

    private func isNeverNull(_ field: String) -> Bool { schema.field(field)?.isRequired ?? false }

    func restricted(_ start: String, _ query: RowQuery) throws(FilterError) -> SQLCondition {
        var statement = SQLCondition(start)
        var sign = " WHERE "
        func add(_ sql: String, _ bindings: [Value]) {
            statement.sql += sign + sql
            statement.bindings += bindings
            sign = " AND "
        }
        if let filter = try SQLFilter.condition(query.filter, of: schema, models: models) {
            add(filter.sql, filter.bindings)
        }
        if let condition = query.condition { add("(" + condition.sql + ")", condition.bindings) }
        if let row = query.afterRow { add("\(ModelTable.rowColumn)>?", [.integer(row)]) }
        if let cursor = query.page?.after {
            let place = try behind(cursor, query)
            add("(" + place.sql + ")", place.bindings)
        }
        return statement
    }

    /// Reads the rows of a query in place, one after the other; `body` gives false to stop.
    ///
    /// The table may be changed meanwhile only by the statements of other connections.
    public func read(
        _ query: RowQuery = RowQuery(), on connection: Connection, _ body: (inout RowReader) throws -> Bool
    ) throws {
        let select = try select(query)
        try connection.withStatement(select.sql) { statement in
            statement.bind(select.bindings)
            var reader = RowReader(statement, self)
            while try statement.step() {
                reader.rewind()
                guard try body(&reader) else { return }
            }
        }
    }

    /// The rows of a query.
    public func rows(_ query: RowQuery = RowQuery(), on connection: Connection) throws -> [StoredRow] {
        var result: [StoredRow] = []
        try read(query, on: connection) { reader in
            result.append(reader.stored)
            return true
        }
        return result
    }

    /// The records of a query.
    public func records(_ query: RowQuery = RowQuery(), on connection: Connection) throws -> [Record] {
        var result: [Record] = []
        try read(query, on: connection) { reader in
            result.append(reader.record)
            return true
        }
        return result
    }

    /// The models of a query.
    public func models<M: Model>(
        _ type: M.Type = M.self, _ query: RowQuery = RowQuery(), on connection: Connection
    ) throws -> [M] {
        var result: [M] = []
        try read(query, on: connection) { reader in
            result.append(try reader.model(M.self))
            return true
        }
        return result
    }
}
