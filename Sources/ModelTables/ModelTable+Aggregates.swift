import Models
import SQLite

extension ModelTable {
    /// How many rows there are; sort and page are left aside.
    public func count(_ query: RowQuery = RowQuery(), on connection: Connection) throws -> Int {
        let statement = try restricted("SELECT count(*) FROM \(name)", query)
        return Int(try connection.value(statement.sql, statement.bindings)?.integer ?? 0)
    }

    /// A function over one field of the rows.
    public enum Aggregate: String, Sendable {
        case minimum = "min"
        case maximum = "max"
        /// Exact for integers and decimals; an overflow of 64 bits is an error.
        case sum
    }

    /// An aggregate of the rows' present values; null where there is none.
    public func aggregate(
        _ function: Aggregate, of field: String, _ query: RowQuery = RowQuery(), on connection: Connection
    ) throws -> Value {
        try check(function, of: field)
        let statement = try restricted("SELECT \(function.rawValue)(\(quoted(field))) FROM \(name)", query)
        return try summing([field]) { try connection.value(statement.sql, statement.bindings) ?? .null }
    }

    /// Runs `body`, which may sum these fields: a sum that has no number is named.
    private func summing<R>(_ fields: [String], _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as SQLiteError where error.message == "integer overflow" {
            throw FilterError(
                model: schema.name, field: fields.joined(separator: ", "), message: "the sum has more than 64 bits")
        }
    }

    /// Deletes the rows of a query, whose sort and page are left aside; gives how many there were.
    @discardableResult
    public func delete(_ query: RowQuery, on connection: Connection) throws -> Int {
        let statement = try restricted("DELETE FROM \(name)", query)
        return try connection.run(statement.sql, statement.bindings)
    }
}

/// One row of a grouped query: the groups' values, then the aggregates'.
public struct GroupedRow: Sendable, Hashable {
    /// The values of the fields grouped by, in their order.
    public let keys: [Value]
    /// How many rows the group has.
    public let count: Int
    /// The aggregates' values, in their order.
    public let values: [Value]
}

extension ModelTable {
    /// Groups the rows of a query, whose sort and page are left aside, by fields; the groups come in the fields' order.
    ///
    /// - Throws: ``FilterError`` for a field that the model does not have, or that has no sum.
    public func groups(
        by fields: [String], _ aggregates: [(function: Aggregate, field: String)] = [], _ query: RowQuery = RowQuery(),
        on connection: Connection
    ) throws -> [GroupedRow] {
        for field in fields {
            guard let found = schema.field(field), !found.isStoredAsJSON else {
                throw FilterError(model: schema.name, field: field, message: "it cannot be grouped by")
            }
        }
        for aggregate in aggregates { try check(aggregate.function, of: aggregate.field) }
        let keys = fields.map(quoted)
        let columns =
            keys + ["count(*)"] + aggregates.map { "\($0.function.rawValue)(\(quoted($0.field)))" }
        var statement = try restricted("SELECT \(columns.joined(separator: ",")) FROM \(name)", query)
        if !keys.isEmpty {
            let list = keys.joined(separator: ",")
            statement.sql += " GROUP BY \(list) ORDER BY \(list)"
        }
        let sums = aggregates.filter { $0.function == .sum }.map(\.field)
        return try summing(sums) { try connection.rows(statement.sql, statement.bindings) }.map { row in
            GroupedRow(
                keys: Array(row.prefix(keys.count)), count: Int(row[keys.count].integer ?? 0),
                values: Array(row.dropFirst(keys.count + 1)))
        }
    }

    func check(_ function: Aggregate, of field: String) throws(FilterError) {
        guard let found = schema.field(field), function != .sum || found.columnType != .text else {
            throw FilterError(
                model: schema.name, field: field,
                message: schema.field(field) == nil ? "there is no such field" : "it is no number")
        }
    }
}
