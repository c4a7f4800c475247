import Models

/// One state of a live query.
public struct QuerySnapshot<M: Model>: Sendable {
    /// The records in order; it shares structure with the snapshots before and after.
    public let items: OrderedItems<M>
    /// What differs from the snapshot this reader got before; empty in the first, `[.reset]` where all may differ.
    public let changes: [ModelChange<M>]
    /// Whether the model is as complete here as the backend can make it.
    public let isSynced: Bool
}

/// The records of a snapshot: a persistent ordered collection.
///
/// Positions are 0 up to the count. A position costs O(log n), a walk over all O(n); holding one costs nothing but its
/// difference from the newest.
public struct OrderedItems<M: Model>: RandomAccessCollection, Sendable {
    let tree: PersistentTree<SortPosition, M>
    let window: Range<Int>

    init(_ tree: PersistentTree<SortPosition, M>, page: Page?) {
        self.tree = tree
        guard let page else {
            window = 0..<tree.count
            return
        }
        let low = Swift.min(Swift.max(0, page.offset), tree.count)
        window = low..<(low + Swift.min(tree.count - low, Swift.max(0, page.limit)))
    }

    /// The first position.
    public var startIndex: Int { 0 }
    /// The position after the last.
    public var endIndex: Int { window.count }

    /// The record at a position, in O(log n).
    public subscript(position: Int) -> M {
        precondition(position >= 0 && position < window.count, "position \(position) of \(window.count)")
        return tree.entry(at: window.lowerBound + position).element
    }

    /// Walks the records in order.
    public struct Iterator: IteratorProtocol {
        private var nodes: PersistentTree<SortPosition, M>.Iterator

        init(_ nodes: PersistentTree<SortPosition, M>.Iterator) {
            self.nodes = nodes
        }

        /// The next record.
        public mutating func next() -> M? { nodes.next()?.element }
    }

    /// Begins a walk.
    public func makeIterator() -> Iterator { Iterator(PersistentTree.Iterator(tree, window)) }
}
