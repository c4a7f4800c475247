import Models

/// The order that a query's rows come in: its sort keys, then the record's key; the same in memory as in SQL.
public struct RecordOrder: Sendable {
    private let keys: [(position: Int, descending: Bool)]

    /// Prepares a sort order for records of a model.
    ///
    /// - Throws: ``FilterError`` for a field that the model does not have.
    public init(_ sort: [SortKeyNode], of schema: ModelSchema) throws(FilterError) {
        var keys: [(position: Int, descending: Bool)] = []
        for key in sort {
            guard let position = schema.position(of: key.field) else {
                throw FilterError(model: schema.name, field: key.field, message: "there is no such field")
            }
            keys.append((position, key.direction == .descending))
        }
        self.keys = keys
    }

    /// Whether `a` comes before `b`.
    public func precedes(_ a: Record, _ b: Record) -> Bool {
        for key in keys {
            let order = a.values[key.position].storageOrder(b.values[key.position])
            if order != 0 { return (order < 0) != key.descending }
        }
        return utf8Order(a.id, b.id) < 0
    }
}

extension Value {
    /// SQLite's order of two values: negative, 0 or positive. Null comes before numbers, numbers before text.
    public func storageOrder(_ other: Value) -> Int {
        switch (self, other) {
        case (.null, .null): 0
        case (.null, _): -1
        case (_, .null): 1
        case (.integer(let a), .integer(let b)): a < b ? -1 : (a == b ? 0 : 1)
        case (.real(let a), .real(let b)): a < b ? -1 : (a == b ? 0 : 1)
        case (.integer(let a), .real(let b)): numericOrder(a, b)
        case (.real(let a), .integer(let b)): -numericOrder(b, a)
        case (.text, .integer), (.text, .real): 1
        case (.integer, .text), (.real, .text): -1
        case (.text(let a), .text(let b)): utf8Order(a, b)
        }
    }
}

/// Compares without rounding the integer.
private func numericOrder(_ a: Int64, _ b: Double) -> Int {
    if b >= 0x1p63 { return -1 }
    if b < -0x1p63 { return 1 }
    let whole = Int64(b)
    if a != whole { return a < whole ? -1 : 1 }
    let fraction = b - Double(whole)
    return fraction > 0 ? -1 : (fraction < 0 ? 1 : 0)
}

/// The order of two texts' UTF-8 bytes, SQLite's BINARY collation: negative, 0 or positive.
public func utf8Order(_ a: String, _ b: String) -> Int {
    var a = a
    var b = b
    return a.withUTF8 { a in
        b.withUTF8 { b in
            let common = min(a.count, b.count)
            for index in 0..<common where a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
            return a.count - b.count
        }
    }
}
