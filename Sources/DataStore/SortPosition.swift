import ModelTables
import Models

/// Where a record stands in a live query: its sort keys, then its id, compared as SQLite compares them.
struct SortPosition: Comparable, Hashable, Sendable {
    struct Part: Hashable, Sendable {
        let value: Value
        let isDescending: Bool
    }

    let parts: [Part]
    let id: String

    static func < (a: SortPosition, b: SortPosition) -> Bool {
        for index in a.parts.indices {
            let order = a.parts[index].value.storageOrder(b.parts[index].value)
            if order != 0 { return a.parts[index].isDescending ? order > 0 : order < 0 }
        }
        return utf8Order(a.id, b.id) < 0
    }

    static func == (a: SortPosition, b: SortPosition) -> Bool { !(a < b) && !(b < a) }
}
