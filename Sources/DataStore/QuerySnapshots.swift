import Basics
import Models

/// The stream of ``DataStore/observeQuery(_:where:sort:page:)``: a snapshot at once, and one after each change of it.
///
/// For one reader; a slow reader gets the newest snapshot, whose changes are all since the one it got before.
public struct QuerySnapshots<M: Model>: AsyncSequence, Sendable {
    /// The newest snapshot each time.
    public typealias Element = QuerySnapshot<M>
    /// Fails where the query itself cannot be read.
    public typealias Failure = any Error

    let storage: QueryStorage<M>

    /// Reads the stream.
    public struct Iterator: AsyncIteratorProtocol {
        let storage: QueryStorage<M>

        /// Waits for a snapshot newer than the last one read.
        public mutating func next() async throws -> QuerySnapshot<M>? { try await storage.next() }

        /// Waits for a snapshot newer than the last one read.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> QuerySnapshot<M>? {
            try await storage.next()
        }
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(storage: storage) }
}

/// What a live query does with news: a pure machine over ``LiveQuery``.
struct QueryMachine<M: Model>: Sendable {
    typealias Reader = ReaderMachine<QuerySnapshot<M>, any Error>
    /// A reader to resume with what it gets.
    typealias Resumption = (waiter: Reader.Waiter, result: Result<QuerySnapshot<M>?, any Error>)

    /// What the caller does after letting go of the lock.
    struct Action: Sendable {
        var resume: Resumption?
        /// Fetch the records anew and call ``loaded(_:)``.
        var load = false
    }

    var query: LiveQuery<M>
    var reader = Reader()
    /// Nil until it is known.
    var isSynced: Bool?
    /// Changes that came while the records are being fetched; the fetch may or may not have seen them.
    private var meanwhile: [Change] = []
    /// What the fetch under way is for; nil where none is.
    private var load: Load? = .first
    /// What another fetch after the one under way is for, where that may lack something that is not among the changes
    /// kept; nil where none is needed.
    private var again: Load?
    /// Whether the model was complete when the fetch under way began.
    private var wasSynced = false

    /// What a fetch is for, the one that says most last.
    private enum Load: Int {
        /// The result is known but for what moved up or hangs on related records: the reader is told the difference.
        case difference
        /// All may be another: the reader is told so.
        case reset
        /// Nothing was read yet.
        case first
    }
    private var hasNews = false

    init(_ query: LiveQuery<M>, isSynced: Bool?) {
        self.query = query
        self.isSynced = isSynced
        wasSynced = isSynced ?? false
    }

    /// Takes what was known of the model's completeness at the start; what was heard since is newer.
    mutating func begin(isSynced flag: Bool) {
        if isSynced == nil { isSynced = flag }
        wasSynced = isSynced ?? false
    }

    mutating func receive(_ news: ChangeHub.News) -> Action {
        switch news {
        case .changes(let changes):
            if load != nil {
                if again == nil { meanwhile += changes }
                // Too much to keep: it is fetched again instead.
                return meanwhile.count > PendingChanges<M>.limit ? fetch(.difference) : Action()
            }
            for change in changes where query.apply(change) { hasNews = true }
            if query.needsReload { return fetch(.difference) }
        case .related: return fetch(.difference)
        case .reset: return fetch(.reset)
        case .outbox: return Action()
        case .synced(let flag):
            isSynced = flag
            hasNews = load == nil
        case .closed: return Action(resume: reader.finish())
        }
        return deliver()
    }

    private mutating func fetch(_ kind: Load) -> Action {
        guard load != nil else {
            load = kind
            wasSynced = isSynced ?? false
            return Action(load: true)
        }
        again = again.map { $0.rawValue >= kind.rawValue ? $0 : kind } ?? kind
        meanwhile.removeAll()
        return Action()
    }

    /// Takes in a fetch's result. Changes seen meanwhile are laid over it: the same change twice does no harm, and the
    /// caller waited for every commit that the fetch can have seen to be told.
    ///
    /// Where not all of them are known, the result alone is a state of the store too, no older than what the reader has.
    /// It is delivered before the next fetch: under steady writes there may be none that nothing came after.
    mutating func loaded(_ result: Result<[M], any Error>) -> Action {
        switch result {
        case .failure(let error): return Action(resume: reader.finish(error))
        case .success(let items):
            take(items)
            meanwhile.removeAll()
            hasNews = true
            guard let next = again ?? (query.needsReload ? .difference : nil) else {
                load = nil
                return deliver()
            }
            // What made the model complete may have come after this fetch began.
            var action = again == nil ? Action() : deliver(isSynced: wasSynced && isSynced ?? false)
            let isUnread = load == .first && action.resume == nil
            (load, again) = (nil, nil)
            action.load = fetch(isUnread ? .first : next).load
            return action
        }
    }

    private mutating func take(_ items: [M]) {
        if load == .difference {
            query.refresh(items, meanwhile)
            return
        }
        query.load(items)
        for change in meanwhile { _ = query.apply(change) }
        query.pending = PendingChanges()
        if load == .reset { query.pending.reset() }
    }

    /// A reader comes.
    mutating func wait(_ waiter: Reader.Waiter) -> Resumption? {
        if hasNews, load == nil, !reader.isFinished { return (waiter, .success(take(isSynced ?? false))) }
        return reader.wait(waiter)
    }

    private mutating func deliver(isSynced flag: Bool? = nil) -> Action {
        guard hasNews, let waiter = reader.takeWaiter() else { return Action() }
        return Action(resume: (waiter, .success(take(flag ?? isSynced ?? false))))
    }

    private mutating func take(_ isSynced: Bool) -> QuerySnapshot<M> {
        hasNews = false
        return QuerySnapshot(items: query.items, changes: query.pending.takeAll(), isSynced: isSynced)
    }
}

/// Joins a live query's machine with the hub and with the store's fetching.
final class QueryStorage<M: Model>: Sendable {
    private let machine: Locked<QueryMachine<M>?>
    private let failure: (any Error)?
    private let fetch: @Sendable () async throws -> [M]
    private let leave: Locked<(@Sendable () -> Void)?> = Locked(nil)

    /// Registers first and fetches then, so no change falls between.
    ///
    /// - Parameter related: other models that the condition looks at.
    init(
        _ hub: ChangeHub, related: Set<String>, _ query: () throws -> LiveQuery<M>,
        fetch: @escaping @Sendable (Page?) async throws -> [M]
    ) {
        do {
            let query = try query()
            let page = query.fetched
            self.fetch = { try await fetch(page) }
            machine = Locked(QueryMachine(query, isSynced: nil))
            failure = nil
        } catch {
            self.fetch = { throw error }
            machine = Locked(nil)
            failure = error
            return
        }
        guard let added = hub.add(M.schema.name, related: related, { [weak self] news in self?.receive(news) }) else {
            receive(.closed)
            return
        }
        machine.withLock { $0?.begin(isSynced: added.isSynced) }
        leave.withLock { $0 = { hub.remove(added.token) } }
        load()
    }

    deinit { leave.current?() }

    private func receive(_ news: ChangeHub.News) {
        perform(machine.withLock { $0?.receive(news) })
    }

    private func load() {
        Task { [weak self, fetch] in
            let result: Result<[M], any Error>
            do { result = .success(try await fetch()) } catch { result = .failure(error) }
            guard let self else { return }
            self.perform(self.machine.withLock { $0?.loaded(result) })
        }
    }

    private func perform(_ action: QueryMachine<M>.Action?) {
        guard let action else { return }
        if let resume = action.resume { resume.waiter.resume(returning: resume.result) }
        if action.load { load() }
    }

    func next() async throws -> QuerySnapshot<M>? {
        if let failure { throw failure }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: QueryMachine<M>.Reader.Waiter) in
                let ready = machine.withLock { $0?.wait(waiter) }
                if let ready { ready.waiter.resume(returning: ready.result) }
            }
        } onCancel: {
            receive(.closed)
        }
        return try result.get()
    }
}
