import Basics
import Models

/// The stream of ``DataStore/observe(_:)``: every change committed after the call that made it.
///
/// For one reader. A slow reader gets one newest state of each changed record, in the order in which they first changed,
/// and beyond 10,000 of them one `.reset`. It ends when the store closes or the reader's task is cancelled.
public struct ModelChanges<M: Model>: AsyncSequence, Sendable {
    /// One change at a time.
    public typealias Element = ModelChange<M>
    /// Never fails.
    public typealias Failure = Never

    let storage: ChangesStorage<M>

    /// Reads the stream.
    public struct Iterator: AsyncIteratorProtocol {
        let storage: ChangesStorage<M>

        /// Waits for the next change.
        public mutating func next() async -> ModelChange<M>? { await storage.next() }

        /// Waits for the next change.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> ModelChange<M>? {
            await storage.next()
        }
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(storage: storage) }
}

/// Joins a reader's machine with the hub; gone, it leaves the hub.
final class ChangesStorage<M: Model>: Sendable {
    private struct State: Sendable {
        var reader = ReaderMachine<ModelChange<M>, Never>()
        var pending = PendingChanges<M>()
        var leave: (@Sendable () -> Void)?
    }

    private let state = Locked(State())

    /// - Parameter id: only this record's changes.
    init(_ hub: ChangeHub, id: String? = nil) {
        let added = hub.add(M.schema.name) { [weak self] news in
            if case .changes(let changes) = news, let id {
                self?.receive(.changes(changes.filter { $0.id.hasSameBytes(as: id) }))
            } else {
                self?.receive(news)
            }
        }
        guard let added else {
            receive(.closed)
            return
        }
        state.withLock { $0.leave = { hub.remove(added.token) } }
    }

    deinit { state.current.leave?() }

    private func receive(_ news: ChangeHub.News) {
        let resumption = state.withLock { state -> (ReaderMachine<ModelChange<M>, Never>.Waiter, ModelChange<M>?)? in
            switch news {
            case .changes(let changes): for change in changes { ModelChange<M>(change).map { state.pending.add($0) } }
            case .reset: state.pending.reset()
            case .synced, .related, .outbox: return nil
            case .closed: return state.reader.finish().map { ($0.0, nil) }
            }
            guard state.reader.isWaiting, let first = state.pending.takeFirst() else { return nil }
            return state.reader.takeWaiter().map { ($0, first) }
        }
        resumption?.0.resume(returning: .success(resumption?.1))
    }

    func next() async -> ModelChange<M>? {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: ReaderMachine<ModelChange<M>, Never>.Waiter) in
                let ready = state.withLock { state -> (ReaderMachine<ModelChange<M>, Never>.Waiter, ModelChange<M>?)? in
                    if !state.reader.isFinished, let first = state.pending.takeFirst() { return (waiter, first) }
                    guard let (waiter, result) = state.reader.wait(waiter) else { return nil }
                    if case .success(let element) = result { return (waiter, element) }
                    return nil
                }
                ready?.0.resume(returning: .success(ready?.1))
            }
        } onCancel: {
            receive(.closed)
        }
        switch result {
        case .success(let element): return element
        }
    }
}
