import Basics
import ModelTables
import Models

/// A query's result that is kept up to date change by change, each in O(log n): a value, pure.
///
/// A query with a page keeps the page and a reserve behind it, not everything that matches. What falls behind the reserve
/// is forgotten; where the reserve is used up, ``needsReload`` asks for a fresh fetch.
struct LiveQuery<M: Model>: Sendable {
    /// Nil where the condition looks at related records: then every change means a fresh fetch.
    private let filter: RecordFilter?
    private let keys: [(position: Int, isDescending: Bool)]
    private let page: Page?
    /// Where a page by place begins: nothing at or before it is kept.
    private let lower: SortPosition?
    /// Behind this there may be more that matches; nil where everything is here.
    private var upper: SortPosition?
    private var tree = PersistentTree<SortPosition, M>()
    private var positions: [ByteText: SortPosition] = [:]
    /// What changed in the visible part since the reader last took it.
    var pending = PendingChanges<M>()

    /// - Throws: `FilterError` for a field that the model does not have or that cannot be used so.
    init(where condition: PredicateNode, sort: [SortKeyNode], page: Page?) throws {
        filter = condition.namesRelations ? nil : try RecordFilter(condition, of: M.schema)
        // It throws for fields that the model does not have.
        _ = try RecordOrder(sort, of: M.schema)
        keys = sort.compactMap { key in M.schema.position(of: key.field).map { ($0, key.direction == .descending) } }
        self.page = page
        guard let place = page?.after else {
            lower = nil
            return
        }
        guard place.values.count == sort.count else {
            throw FilterError(
                model: M.schema.name, field: sort.last?.field ?? "", message: "the page's place is of another order")
        }
        let parts = zip(place.values, keys).map { SortPosition.Part(value: $0, isDescending: $1.isDescending) }
        lower = SortPosition(parts: parts, id: place.key)
    }

    /// The visible records.
    var items: OrderedItems<M> { OrderedItems(tree, page: page) }

    /// How many records the page takes up at most, those skipped before it too.
    private var needed: Int {
        guard let page else { return .max }
        let (sum, isTooMuch) = max(0, page.offset).addingReportingOverflow(max(0, page.limit))
        return isTooMuch ? .max : sum
    }

    /// The part to fetch; nil for everything that matches.
    var fetched: Page? {
        guard let page, needed < 1 << 32 else { return nil }
        return .after(page.after, limit: needed + max(64, needed / 2))
    }

    /// Whether so much went that the page may lack records which match.
    var needsReload: Bool { upper != nil && tree.count < needed }

    private func position(_ values: [Value], _ id: String) -> SortPosition {
        SortPosition(
            parts: keys.map { SortPosition.Part(value: values[$0.position], isDescending: $0.isDescending) }, id: id)
    }

    private func isKept(_ position: SortPosition) -> Bool {
        if let lower, !(lower < position) { return false }
        if let upper, upper < position { return false }
        return true
    }

    /// Replaces all records by those of a fresh fetch of ``fetched``.
    mutating func load(_ items: [M]) {
        var entries = items.map { item in
            (key: position(keys.isEmpty ? [] : item.record.values, item.id), element: item)
        }
        if let lower { entries.removeAll { !(lower < $0.key) } }
        entries.sort { $0.key < $1.key }
        positions = Dictionary(entries.map { (ByteText($0.key.id), $0.key) }, uniquingKeysWith: { first, _ in first })
        tree = PersistentTree(sorted: entries)
        upper = nil
        if let fetched, items.count >= fetched.limit { upper = entries.last?.key }
    }

    /// Replaces all records and names what differs in the visible part, however it came about.
    mutating func refresh(_ items: [M], _ meanwhile: [Change]) {
        let before = self.items
        let told = pending
        load(items)
        for change in meanwhile { _ = apply(change) }
        pending = told
        var old = Dictionary(before.map { (ByteText($0.id), $0) }, uniquingKeysWith: { first, _ in first })
        for item in self.items {
            guard let known = old.removeValue(forKey: ByteText(item.id)) else {
                pending.add(.created(item, isLocal: false))
                continue
            }
            if known != item { pending.add(.updated(item, isLocal: false)) }
        }
        for item in before where old[ByteText(item.id)] != nil { pending.add(.deleted(id: item.id, isLocal: false)) }
    }

    /// Takes in one committed change; gives whether the visible part changed.
    mutating func apply(_ change: Change) -> Bool {
        guard let filter else { return false }
        let place = ByteText(change.id)
        let old = positions[place]
        var new: (SortPosition, M)?
        if change.kind != .deleted, let record = change.record, filter.matches(record) {
            let position = position(record.values, change.id)
            if isKept(position), let item = try? M(record) { new = (position, item) }
        }
        guard old != nil || new != nil else { return false }
        let before = items
        if let old, new?.0 != old {
            tree.remove(old)
            positions[place] = nil
        }
        if let new {
            tree.insert(new.0, new.1)
            positions[place] = new.0
        }
        trim()
        return note(change, before, old, new?.0)
    }

    /// Forgets what grew far beyond the reserve.
    private mutating func trim() {
        guard let fetched, tree.count > 2 * fetched.limit else { return }
        while tree.count > fetched.limit {
            let last = tree.entry(at: tree.count - 1).key
            tree.remove(last)
            positions[ByteText(last.id)] = nil
        }
        upper = tree.count > 0 ? tree.entry(at: tree.count - 1).key : lower
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
                if node.key.id.hasSameBytes(as: change.id) || isVisible(node.key, in: other) { continue }
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
