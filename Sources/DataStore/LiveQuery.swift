import ModelTables
import Models

/// A query's result that is kept up to date change by change, each in O(log n): a value, pure.
struct LiveQuery<M: Model>: Sendable {
    private let filter: RecordFilter
    private let keys: [(position: Int, isDescending: Bool)]
    private let page: Page?
    private var tree = PersistentTree<SortPosition, M>()
    private var positions: [String: SortPosition] = [:]
    /// What changed in the visible part since the reader last took it.
    var pending = PendingChanges<M>()

    /// - Throws: `FilterError` for a field that the model does not have or that cannot be used so.
    init(where condition: PredicateNode, sort: [SortKeyNode], page: Page?) throws {
        filter = try RecordFilter(condition, of: M.schema)
        // It throws for fields that the model does not have.
        _ = try RecordOrder(sort, of: M.schema)
        keys = sort.compactMap { key in M.schema.position(of: key.field).map { ($0, key.direction == .descending) } }
        self.page = page
    }

    /// The visible records.
    var items: OrderedItems<M> { OrderedItems(tree, page: page) }

    private func position(_ values: [Value], _ id: String) -> SortPosition {
        SortPosition(
            parts: keys.map { SortPosition.Part(value: values[$0.position], isDescending: $0.isDescending) }, id: id)
    }

    /// Replaces all records by those of a fresh fetch, in any order.
    mutating func load(_ items: [M]) {
        var entries = items.map { item in
            (key: position(keys.isEmpty ? [] : item.record.values, item.id), element: item)
        }
        entries.sort { $0.key < $1.key }
        positions = Dictionary(entries.map { ($0.key.id, $0.key) }, uniquingKeysWith: { first, _ in first })
        tree = PersistentTree(sorted: entries)
    }

    /// Takes in one committed change; gives whether the visible part changed.
    mutating func apply(_ change: Change) -> Bool {
        let old = positions[change.id]
        var new: (SortPosition, M)?
        if change.kind != .deleted, let record = change.record, filter.matches(record), let item = try? M(record) {
            new = (position(record.values, change.id), item)
        }
        guard old != nil || new != nil else { return false }
        let before = items
        if let old, new?.0 != old {
            tree.remove(old)
            positions[change.id] = nil
        }
        if let new {
            tree.insert(new.0, new.1)
            positions[change.id] = new.0
        }
        return note(change, before, old, new?.0)
    }

    /// Names what entered, left or changed in the visible part: the record itself, and those at the part's ends.
    private mutating func note(
        _ change: Change, _ before: OrderedItems<M>, _ old: SortPosition?, _ new: SortPosition?
    ) -> Bool {
        let after = items
        func isVisible(_ position: SortPosition, in items: OrderedItems<M>) -> Bool {
            items.window.contains(items.tree.rank(of: position))
        }
        let wasVisible = old.map { isVisible($0, in: before) } ?? false
        var changed = false
        if let new, isVisible(new, in: after), let item = after.tree[new] {
            pending.add(
                wasVisible ? .updated(item, isLocal: change.isLocal) : .created(item, isLocal: change.isLocal))
            changed = true
        } else if wasVisible {
            pending.add(.deleted(id: change.id, isLocal: change.isLocal))
            changed = true
        }
        guard page != nil else { return changed }
        for (items, other, entered) in [(before, after, false), (after, before, true)] where !items.isEmpty {
            for end in Set([items.window.lowerBound, items.window.upperBound - 1]) {
                let node = items.tree.entry(at: end)
                if node.key.id == change.id || isVisible(node.key, in: other) { continue }
                pending.add(
                    entered
                        ? .created(node.element, isLocal: change.isLocal)
                        : .deleted(id: node.key.id, isLocal: change.isLocal))
                changed = true
            }
        }
        return changed
    }
}
