/// A part of a query's result.
public struct Page: Sendable, Hashable {
    /// Rows to skip, counted from the start or from behind ``after``.
    public let offset: Int
    /// Rows to give at most.
    public let limit: Int
    /// Only rows that come behind this place in the query's order.
    public let after: PageCursor?

    /// Rows `offset..<offset + limit`.
    public init(offset: Int, limit: Int) {
        self.init(offset: offset, limit: limit, after: nil)
    }

    private init(offset: Int, limit: Int, after: PageCursor?) {
        self.offset = offset
        self.limit = limit
        self.after = after
    }

    /// The first rows.
    public static func first(_ limit: Int) -> Page { Page(offset: 0, limit: limit) }

    /// The rows behind a place; nil begins at the start.
    ///
    /// Unlike an offset it costs the same on every page, and nothing is met twice or missed where rows come and go.
    public static func after(_ cursor: PageCursor?, limit: Int) -> Page {
        Page(offset: 0, limit: limit, after: cursor)
    }
}

/// A place in a query's order, behind which the next page begins: the last row's sort values and its key.
///
/// It holds for the sort order it was made for. The row itself may change or go; the place stays.
public struct PageCursor: Sendable, Hashable {
    /// The values of the sort keys in their order.
    public let values: [Value]
    /// The record's key, which settles the order of equal rows.
    public let key: String

    /// Names a place.
    public init(values: [Value], key: String) {
        self.values = values
        self.key = key
    }

    /// The place of a record; a field that the model does not have counts as null.
    public init(_ record: Record, sort: [SortKeyNode]) {
        self.init(values: sort.map { record[$0.field] }, key: record.id)
    }

    /// The place of a model's value.
    public init<M: Model>(_ model: M, sort: [SortKey<M>]) {
        self.init(model.record, sort: sort.map(\.key))
    }
}
