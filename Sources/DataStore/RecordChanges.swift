import Basics
import Models

/// A change as a reader of many models sees it.
public enum RecordChange: Sendable, Hashable {
    /// One record changed.
    case changed(Change)
    /// So much of a model changed that the reader had better query it again.
    case reset(model: String)
}

/// The stream of ``DataStore/observeRecords(of:)``: changes of several models as untyped records, in the order in which
/// the records first changed.
///
/// For one reader. A slow reader gets the newest state of each changed record, and beyond 10,000 of a model one reset.
public struct RecordChanges: AsyncSequence, Sendable {
    /// One change at a time.
    public typealias Element = RecordChange
    /// Never fails.
    public typealias Failure = Never

    let storage: RecordChangesStorage

    /// Reads the stream.
    public struct Iterator: AsyncIteratorProtocol {
        let storage: RecordChangesStorage

        /// Waits for the next change.
        public mutating func next() async -> RecordChange? { await storage.next() }

        /// Waits for the next change.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> RecordChange? {
            await storage.next()
        }
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(storage: storage) }
}

/// Changes of several models that wait for a reader: a value, pure.
struct PendingRecords: Sendable {
    struct Key: Hashable {
        let model: String
        let id: ByteText
    }

    private var newest: [Key: Change] = [:]
    private var counts: [String: Int] = [:]
    private var resets: [String] = []
    private(set) var order: [Key] = []
    private var head = 0

    mutating func add(_ change: Change) {
        guard !resets.contains(change.model) else { return }
        let key = Key(model: change.model, id: ByteText(change.id))
        guard let known = newest[key] else {
            guard counts[change.model, default: 0] < CommitLog.limit else { return reset(change.model) }
            counts[change.model, default: 0] += 1
            newest[key] = change
            order.append(key)
            compact()
            return
        }
        // What a reader never saw come is still new to it; what came and went was never there.
        switch (known.kind, change.kind) {
        case (.created, .deleted):
            newest[key] = nil
            counts[change.model, default: 0] -= 1
        case (.created, _): newest[key] = change.as(.created)
        case (.deleted, .created): newest[key] = change.as(.updated)
        default: newest[key] = change
        }
    }

    mutating func reset(_ model: String) {
        guard !resets.contains(model) else { return }
        resets.append(model)
        counts[model] = nil
        newest = newest.filter { $0.key.model != model }
    }

    /// Forgets the places of records that were taken, or that came and went.
    private mutating func compact() {
        guard order.count > 2 * max(CommitLog.limit, newest.count) else { return }
        var seen: Set<Key> = []
        order = order[head...].filter { newest[$0] != nil && seen.insert($0).inserted }
        head = 0
    }

    mutating func takeFirst() -> RecordChange? {
        if !resets.isEmpty { return .reset(model: resets.removeFirst()) }
        while head < order.count {
            let key = order[head]
            head += 1
            guard let change = newest.removeValue(forKey: key) else { continue }
            counts[key.model, default: 0] -= 1
            if newest.isEmpty { self = PendingRecords() }
            return .changed(change)
        }
        self = PendingRecords()
        return nil
    }
}

extension Change {
    fileprivate func `as`(_ kind: Kind) -> Change {
        Change(model: model, id: id, kind: kind, isLocal: isLocal, record: record)
    }
}

/// Joins a reader of several models with the hub.
final class RecordChangesStorage: Sendable {
    private typealias Reader = ReaderMachine<RecordChange, Never>

    private struct State: Sendable {
        var reader = Reader()
        var pending = PendingRecords()
        var leave: [@Sendable () -> Void] = []
    }

    private let state = Locked(State())

    init(_ hub: ChangeHub, _ models: [String]) {
        for model in models {
            let added = hub.add(model) { [weak self] news in self?.receive(news, model) }
            guard let added else {
                receive(.closed, model)
                return
            }
            state.withLock { $0.leave.append { hub.remove(added.token) } }
        }
    }

    deinit { for leave in state.current.leave { leave() } }

    private func receive(_ news: ChangeHub.News, _ model: String) {
        let resumption = state.withLock { state -> (Reader.Waiter, RecordChange?)? in
            switch news {
            case .changes(let changes): for change in changes { state.pending.add(change) }
            case .reset: state.pending.reset(model)
            case .related, .outbox, .synced: return nil
            case .closed: return state.reader.finish().map { ($0.0, nil) }
            }
            guard state.reader.isWaiting, let first = state.pending.takeFirst() else { return nil }
            return state.reader.takeWaiter().map { ($0, first) }
        }
        resumption?.0.resume(returning: .success(resumption?.1))
    }

    func next() async -> RecordChange? {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Reader.Waiter) in
                let ready = state.withLock { state -> (Reader.Waiter, RecordChange?)? in
                    if !state.reader.isFinished, let first = state.pending.takeFirst() { return (waiter, first) }
                    guard let (waiter, result) = state.reader.wait(waiter) else { return nil }
                    if case .success(let element) = result { return (waiter, element) }
                    return nil
                }
                ready?.0.resume(returning: .success(ready?.1))
            }
        } onCancel: {
            receive(.closed, "")
        }
        switch result {
        case .success(let element): return element
        }
    }
}
