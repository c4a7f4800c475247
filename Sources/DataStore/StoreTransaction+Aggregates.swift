import ModelTables
import Models

extension StoreTransaction {
    /// The least, greatest or summed value of a field; null where there is none. Sums of decimals are exact.
    public func aggregate<M: Model, V>(
        _ function: ModelTable.Aggregate, of field: Field<M, V>, where condition: Predicate<M> = .all
    ) throws -> Value {
        try open()
        return try context.table(M.schema.name).table.aggregate(
            function, of: field.name, RowQuery(filter: condition.node), on: connection)
    }

    /// The sum of a field's present values, exact for integers and decimals; nil where there is none.
    public func sum<M: Model, V>(_ field: Field<M, V>, where condition: Predicate<M> = .all) throws -> V? {
        try typed(.sum, field, condition)
    }

    /// The least present value of a field; nil where there is none.
    public func minimum<M: Model, V>(_ field: Field<M, V>, where condition: Predicate<M> = .all) throws -> V? {
        try typed(.minimum, field, condition)
    }

    /// The greatest present value of a field; nil where there is none.
    public func maximum<M: Model, V>(_ field: Field<M, V>, where condition: Predicate<M> = .all) throws -> V? {
        try typed(.maximum, field, condition)
    }

    private func typed<M: Model, V>(
        _ function: ModelTable.Aggregate, _ field: Field<M, V>, _ condition: Predicate<M>
    ) throws -> V? {
        let value = try aggregate(function, of: field, where: condition)
        return value.isNull ? nil : V(storageValue: value)
    }

    /// Counts, and where asked sums or compares, the records of each group; the groups come in the order of `fields`.
    ///
    ///     for group in try transaction.groups(Bin.self, by: [.by(Bin.zoneID)], [.sum(Bin.quantity)]) {
    ///         group.key(Bin.zoneID); group.count; group.sum(Bin.quantity)
    ///     }
    public func groups<M: Model>(
        _ type: M.Type, by fields: [Grouping<M>], _ aggregates: [Aggregation<M>] = [],
        where condition: Predicate<M> = .all
    ) throws -> [Group<M>] {
        try open()
        let rows = try context.table(M.schema.name).table.groups(
            by: fields.map(\.field), aggregates.map { ($0.function, $0.field) }, RowQuery(filter: condition.node),
            on: connection)
        return rows.map { Group(fields: fields, aggregates: aggregates, row: $0) }
    }
}

/// A field to group by.
public struct Grouping<M: Model>: Sendable, Hashable {
    let field: String

    /// Groups by a field; records without a value are a group of their own.
    public static func by<V>(_ field: Field<M, V>) -> Grouping { Grouping(field: field.name) }
}

/// What to find out about each group besides its count.
public struct Aggregation<M: Model>: Sendable, Hashable {
    let function: ModelTable.Aggregate
    let field: String

    /// The sum of a field's present values.
    public static func sum<V>(_ field: Field<M, V>) -> Aggregation { Aggregation(function: .sum, field: field.name) }
    /// The least present value of a field.
    public static func minimum<V>(_ field: Field<M, V>) -> Aggregation {
        Aggregation(function: .minimum, field: field.name)
    }
    /// The greatest present value of a field.
    public static func maximum<V>(_ field: Field<M, V>) -> Aggregation {
        Aggregation(function: .maximum, field: field.name)
    }
}

/// The records that are equal in some fields.
public struct Group<M: Model>: Sendable, Hashable {
    let fields: [Grouping<M>]
    let aggregates: [Aggregation<M>]
    let row: GroupedRow

    /// How many records it has.
    public var count: Int { row.count }

    /// The value of a field that was grouped by; nil where it was not, or the value is missing.
    public func key<V>(_ field: Field<M, V>) -> V? {
        guard let index = fields.firstIndex(where: { $0.field == field.name }) else { return nil }
        return V(storageValue: row.keys[index])
    }

    /// The sum that was asked for; nil where it was not, or no record has a value.
    public func sum<V>(_ field: Field<M, V>) -> V? { value(.sum(field)) }
    /// The least value that was asked for.
    public func minimum<V>(_ field: Field<M, V>) -> V? { value(.minimum(field)) }
    /// The greatest value that was asked for.
    public func maximum<V>(_ field: Field<M, V>) -> V? { value(.maximum(field)) }

    private func value<V: FieldValue>(_ aggregation: Aggregation<M>) -> V? {
        guard let index = aggregates.firstIndex(of: aggregation), !row.values[index].isNull else { return nil }
        return V(storageValue: row.values[index])
    }
}

extension DataStore {
    /// The sum of a field's present values, exact for integers and decimals; nil where there is none.
    public func sum<M: Model, V>(_ field: Field<M, V>, where condition: Predicate<M> = .all) async throws -> V? {
        try await read { try $0.sum(field, where: condition) }
    }

    /// The least present value of a field; nil where there is none.
    public func minimum<M: Model, V>(_ field: Field<M, V>, where condition: Predicate<M> = .all) async throws -> V? {
        try await read { try $0.minimum(field, where: condition) }
    }

    /// The greatest present value of a field; nil where there is none.
    public func maximum<M: Model, V>(_ field: Field<M, V>, where condition: Predicate<M> = .all) async throws -> V? {
        try await read { try $0.maximum(field, where: condition) }
    }

    /// Counts, and where asked sums or compares, the records of each group.
    public func groups<M: Model>(
        _ type: M.Type, by fields: [Grouping<M>], _ aggregates: [Aggregation<M>] = [],
        where condition: Predicate<M> = .all
    ) async throws -> [Group<M>] {
        try await read { try $0.groups(type, by: fields, aggregates, where: condition) }
    }
}
