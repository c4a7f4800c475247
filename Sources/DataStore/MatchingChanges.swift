import Basics
import ModelTables
import Models

/// The stream of ``DataStore/observe(_:where:)``: changes of the records of which a condition holds.
///
/// A record that comes to meet the condition is *created* to the reader, one that meets it no more is *deleted*, whatever
/// happened to it in the store. For one reader; slow readers are served like those of ``ModelChanges``.
public struct MatchingChanges<M: Model>: AsyncSequence, Sendable {
    /// One change at a time.
    public typealias Element = ModelChange<M>
    /// Never fails.
    public typealias Failure = Never

    let storage: MatchingStorage<M>

    /// Reads the stream.
    public struct Iterator: AsyncIteratorProtocol {
        let storage: MatchingStorage<M>

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

/// What a reader of some records does with news: a pure machine. It knows which records meet the condition, so that those
/// that leave it can be told.
struct MatchingMachine<M: Model>: Sendable {
    typealias Reader = ReaderMachine<ModelChange<M>, Never>
    typealias Resumption = (waiter: Reader.Waiter, element: ModelChange<M>?)

    var reader = Reader()
    /// Nil where the condition looks at related records: the reader is then told only that something changed.
    private let filter: RecordFilter?
    private var pending = PendingChanges<M>()
    /// The keys of the records that meet the condition; nil while they are being looked up.
    private var members: Set<ByteText>?
    private var isFirst = true
    /// Whether something changed while they were being looked up again.
    private var hasMissed = false

    init(_ filter: RecordFilter?) {
        self.filter = filter
    }

    /// Takes in news; gives whom to resume, and whether to look the members up again.
    mutating func receive(_ news: ChangeHub.News) -> (resume: Resumption?, load: Bool) {
        switch news {
        case .changes(let changes):
            guard members != nil else {
                hasMissed = true
                return (nil, false)
            }
            for change in changes { take(change) }
        case .related:
            if members != nil { pending.reset() }
        case .reset:
            guard members != nil else {
                hasMissed = true
                return (nil, false)
            }
            pending.reset()
            members = nil
            return (deliver(), true)
        case .outbox, .synced: return (nil, false)
        case .closed: return (reader.finish().map { ($0.0, nil) }, false)
        }
        return (deliver(), false)
    }

    private mutating func take(_ change: Change) {
        guard let filter else { return pending.reset() }
        let matching = change.kind == .deleted ? nil : change.record.flatMap { filter.matches($0) ? try? M($0) : nil }
        let key = ByteText(change.id)
        let wasMember = members?.contains(key) ?? false
        if let matching {
            members?.insert(key)
            pending.add(
                wasMember ? .updated(matching, isLocal: change.isLocal) : .created(matching, isLocal: change.isLocal))
        } else if wasMember {
            members?.remove(key)
            pending.add(.deleted(id: change.id, isLocal: change.isLocal))
        }
    }

    /// The members were looked up, after every commit that was told before.
    mutating func loaded(_ ids: Set<ByteText>) -> Resumption? {
        members = ids
        // Who read a reset before the missed change may have looked too early.
        if hasMissed, !isFirst { pending.reset() }
        hasMissed = false
        isFirst = false
        return deliver()
    }

    private mutating func deliver() -> Resumption? {
        guard reader.isWaiting, let first = pending.takeFirst() else { return nil }
        return reader.takeWaiter().map { ($0, first) }
    }

    /// A reader comes.
    mutating func wait(_ waiter: Reader.Waiter) -> Resumption? {
        if !reader.isFinished, let first = pending.takeFirst() { return (waiter, first) }
        guard let (waiter, result) = reader.wait(waiter) else { return nil }
        if case .success(let element) = result { return (waiter, element) }
        return nil
    }
}

/// Joins the machine with the hub and with the store's thread.
final class MatchingStorage<M: Model>: Sendable {
    /// Runs a closure on the store's thread, after everything that was begun before.
    typealias Enqueue = @Sendable (@escaping @Sendable (StoreCore?) -> Void) -> Void

    private let machine: Locked<MatchingMachine<M>>
    private let condition: PredicateNode
    private let enqueue: Enqueue
    private let leave: Locked<(@Sendable () -> Void)?> = Locked(nil)

    /// - Throws: `FilterError` for a condition that cannot be used.
    init(_ hub: ChangeHub, _ condition: PredicateNode, related: Set<String>, _ enqueue: @escaping Enqueue) throws {
        machine = Locked(
            MatchingMachine(condition.namesRelations ? nil : try RecordFilter(condition, of: M.schema)))
        self.condition = condition
        self.enqueue = enqueue
        let added = hub.add(M.schema.name, related: related) { [weak self] news in self?.receive(news) }
        guard let added else {
            receive(.closed)
            return
        }
        leave.withLock { $0 = { hub.remove(added.token) } }
        load()
    }

    deinit { leave.current?() }

    private func load() {
        let condition = condition
        enqueue { [weak self] core in
            guard let self, let core else { return }
            var ids: Set<ByteText> = []
            do {
                try core.read { transaction in
                    try transaction.context.table(M.schema.name).table.read(
                        RowQuery(filter: condition), on: transaction.connection
                    ) { reader in
                        ids.insert(ByteText(reader.record.id))
                        return true
                    }
                }
            } catch {
                // A store that cannot be read any more has nothing to tell either.
                return self.receive(.closed)
            }
            self.resume(self.machine.withLock { $0.loaded(ids) })
        }
    }

    private func receive(_ news: ChangeHub.News) {
        let (resumption, isStale) = machine.withLock { $0.receive(news) }
        resume(resumption)
        if isStale { load() }
    }

    private func resume(_ resumption: MatchingMachine<M>.Resumption?) {
        resumption?.waiter.resume(returning: .success(resumption?.element))
    }

    func next() async -> ModelChange<M>? {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: MatchingMachine<M>.Reader.Waiter) in
                resume(machine.withLock { $0.wait(waiter) })
            }
        } onCancel: {
            receive(.closed)
        }
        switch result {
        case .success(let element): return element
        }
    }
}
