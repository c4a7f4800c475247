import Models

/// A change of one record as a reader of ``DataStore/observe(_:)`` sees it.
public enum ModelChange<M: Model>: Sendable, Hashable {
    /// The record is new.
    case created(M, isLocal: Bool)
    /// The record is another now.
    case updated(M, isLocal: Bool)
    /// The record is gone.
    case deleted(id: String, isLocal: Bool)
    /// So much changed that the reader had better query again.
    case reset
}

/// The stream of ``DataStore/observe(_:)``.
public struct ModelChanges<M: Model>: AsyncSequence, Sendable {
    /// One change at a time.
    public typealias Element = ModelChange<M>
    /// Never fails; it ends when the store closes or the reader is cancelled.
    public typealias Failure = Never
    /// Reads the stream.
    public struct Iterator: AsyncIteratorProtocol {
        /// Waits for the next change.
        public mutating func next() async -> ModelChange<M>? { notBuilt() }
    }
    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { notBuilt() }
}
