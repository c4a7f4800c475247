import Models

/// One state of a live query.
public struct QuerySnapshot<M: Model>: Sendable {
    /// The records in order; it shares structure with the snapshots before and after.
    public let items: OrderedItems<M>
    /// What differs from the snapshot this reader got before; empty in the first.
    public let changes: [ModelChange<M>]
    /// Whether the model was complete at the backend's last word.
    public let isSynced: Bool
}

/// The records of a snapshot: a persistent ordered collection.
public struct OrderedItems<M: Model>: RandomAccessCollection, Sendable {
    /// The first position.
    public var startIndex: Int { 0 }
    /// The position after the last.
    public var endIndex: Int { notBuilt() }
    /// The record at a position, in O(log n).
    public subscript(position: Int) -> M { notBuilt() }
}

/// The stream of ``DataStore/observeQuery(_:where:sort:page:)``.
public struct QuerySnapshots<M: Model>: AsyncSequence, Sendable {
    /// The newest snapshot each time.
    public typealias Element = QuerySnapshot<M>
    /// Fails where the query itself cannot be read.
    public typealias Failure = any Error
    /// Reads the stream.
    public struct Iterator: AsyncIteratorProtocol {
        /// Waits for a snapshot newer than the last one read.
        public mutating func next() async throws -> QuerySnapshot<M>? { notBuilt() }
    }
    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { notBuilt() }
}
