import Basics
import Models
import System

/// A local store of models that synchronises behind the scenes.
///
/// Every change is durable when its call returns and never waits for the link. Writes run one after the other on a thread
/// of their own, reads beside them.
///
///     let store = try await DataStore(schema: warehouse, at: .directory(path), options: StoreOptions(time: clock))
///     try await store.save(bin)
///     let bins = try await store.query(Bin.self, where: Bin.zoneID == zone.id, sort: [.ascending(Bin.walkSequence)])
public final class DataStore: Sendable {
    /// The models.
    public let schema: Schema
    /// How it was opened.
    public let options: StoreOptions
    /// Names this store for good.
    public let storeID: String
    let writer: StoreWriter
    let hub = ChangeHub()
    let eventHub = EventHub()
    let driver: (any SyncDriver)?
    let lifecycle: StoreLifecycle
    /// Whether the driver runs in this process.
    let isRunning = Locked(false)
    let readers: [StoreReader]
    private let nextReader = Locked(0)
    private let acting = Locked<String?>(nil)
    /// Whether readers were not told yet of policies that another process made hold.
    let havePoliciesChanged = Locked(false)
    /// Models that are fetched, by the policies that readers were told of.
    let received = Locked<Set<String>>([])
    private let follower = Locked<Task<Void, Never>?>(nil)

    /// Opens or makes a store; without a driver it is local-only.
    ///
    /// - Throws: ``StoreError`` that says why not and what to do; the file is then as it was before.
    public convenience init(
        schema: Schema, at location: StoreLocation, options: StoreOptions, driver: (any SyncDriver)? = nil
    ) async throws {
        try await self.init(schema: schema, in: location.adapter, options: options, driver: driver)
    }

    /// Opens or makes a store in what an adapter gives: an encrypted file, for instance.
    ///
    /// - Throws: ``StoreError`` that says why not and what to do.
    public init(
        schema: Schema, in storage: any StorageAdapter, options: StoreOptions, driver: (any SyncDriver)? = nil
    ) async throws {
        self.schema = schema
        self.options = options
        self.driver = driver
        let writer = StoreWriter()
        let isRunning = isRunning
        let (hub, eventHub, received) = (hub, eventHub, received)
        let havePoliciesChanged = havePoliciesChanged
        let (inForce, generation) = try await writer.open(schema, storage, options) { core in
            core.interest = { hub.isRead($0) }
            core.onEvent = { eventHub.send($0) }
            core.listens = { eventHub.tellsMutations }
            core.onPolicies = {
                havePoliciesChanged.withLock { $0 = true }
                driver?.policiesChanged()
            }
            core.onBegunAnew = { models in
                guard driver != nil else { return }
                for model in models.intersection(received.current) { hub.setSynced(model, false) }
            }
            _ = core.addObserver { changes in
                hub.publish(changes)
                if changes.touchedOutbox, isRunning.current { driver?.outboxChanged() }
            }
        }
        self.writer = writer
        storeID = try await writer.perform { $0.storeID }
        // A storage with one connection has no readers: the writer reads too.
        let hasReaders = storage.sharedDirectory != nil
        readers = hasReaders ? (0..<2).map { _ in StoreReader(schema, inForce, storage, generation: generation) } : []
        lifecycle = StoreLifecycle(
            writer, driver, isRunning, lockPath: storage.sharedDirectory.map { $0 + "/sync.lock" })
        // Who has nothing to wait for is complete from the beginning.
        for model in schema.models where driver == nil || !inForce.policy(of: model).receives {
            hub.setSynced(model.name, true)
        }
        received.withLock { $0 = Set(schema.models.filter { inForce.policy(of: $0).receives }.map(\.name)) }
        guard storage.sharedDirectory != nil, let interval = options.followInterval else { return }
        follower.withLock { follower in
            follower = Task { [weak self] in
                while !Task.isCancelled {
                    do {
                        try await Task.sleep(for: .milliseconds(interval))
                        guard let self else { return }
                        try await self.followForeignChanges()
                    } catch StoreError.closed {
                        return
                    } catch {
                        // A full disk or a busy file: the next look may fare better.
                        continue
                    }
                }
            }
        }
    }

    deinit { follower.current?.cancel() }

    /// Who acts now; each outbox entry keeps the identity it was made under.
    public var identity: String? {
        get { acting.current }
        set { acting.withLock { $0 = newValue } }
    }

    /// Runs `body` in one transaction that is durable when this returns, or has not happened when it throws.
    @discardableResult
    public func transaction<R: Sendable>(
        _ body: @escaping @Sendable (StoreTransaction) throws -> R
    ) async throws -> R {
        let identity = identity
        return try await writer.perform { try $0.write(as: identity, body) }
    }

    /// Runs `body` over one state of the store, beside the writer; it sees all that was durable before the call.
    public func read<R: Sendable>(
        _ body: @escaping @Sendable (StoreTransaction) throws -> R
    ) async throws -> R {
        guard !readers.isEmpty else { return try await writer.perform { try $0.read(body) } }
        let index = nextReader.withLock { next in
            next = (next + 1) % readers.count
            return next
        }
        return try await readers[index].perform(body)
    }

    /// Stops and closes; later calls throw ``StoreError/closed`` and streams end. Any number of calls.
    public func close() async {
        follower.current?.cancel()
        await lifecycle.close()
        await writer.close()
        for reader in readers { await reader.close() }
        hub.close()
        eventHub.close()
    }

    /// Takes a store's directory for this process, under a role such as `app`; let it go to free it.
    ///
    /// A store works with several processes on it; this is for programs that want to be the only one of their kind.
    /// - Throws: ``StoreError/locked(path:)`` where another has it.
    public static func lock(_ directory: String, as role: String = "app") throws -> FileLock {
        do {
            try Files.createDirectory(directory)
            return try FileLock(directory + "/" + role + ".lock")
        } catch let held as FileLock.Held {
            throw StoreError.locked(path: held.description)
        }
    }
}

extension DataStore {
    /// Keeps a record: new, or a changed copy of the one with the same key.
    public func save<M: Model>(_ model: M) async throws {
        try await transaction { try $0.save(model) }
    }

    /// Keeps a record if `condition` holds of the one kept now.
    public func save<M: Model>(_ model: M, where condition: Predicate<M>) async throws {
        try await transaction { try $0.save(model, where: condition) }
    }

    /// Removes a record and those that belong to it.
    public func delete<M: Model>(_ model: M) async throws {
        try await transaction { try $0.delete(model) }
    }

    /// Removes a record if `condition` holds of the one kept now.
    public func delete<M: Model>(_ model: M, where condition: Predicate<M>) async throws {
        try await transaction { try $0.delete(model, where: condition) }
    }

    /// Removes the records of which `condition` holds; gives how many matched.
    @discardableResult
    public func delete<M: Model>(_ type: M.Type, where condition: Predicate<M>) async throws -> Int {
        try await transaction { try $0.delete(type, where: condition) }
    }

    /// The record with this key.
    public func get<M: Model>(_ type: M.Type, id: String) async throws -> M? {
        try await read { try $0.get(type, id: id) }
    }

    /// The records of which `condition` holds.
    public func query<M: Model>(
        _ type: M.Type, where condition: Predicate<M> = .all, sort: [SortKey<M>] = [], page: Page? = nil
    ) async throws -> [M] {
        try await read { try $0.query(type, where: condition, sort: sort, page: page) }
    }

    /// How many records there are of which `condition` holds.
    public func count<M: Model>(_ type: M.Type, where condition: Predicate<M> = .all) async throws -> Int {
        try await read { try $0.count(type, where: condition) }
    }

    /// Where a record stands on its way to the backend.
    public func syncState<M: Model>(of model: M) async throws -> SyncState {
        try await read { try $0.syncState(model: M.schema.name, id: model.id) }
    }

    /// What the store tells about itself from now on; each call gives a stream of its own.
    ///
    /// A reader that falls behind keeps the newest thousand.
    public var events: AsyncStream<StoreEvent> { eventHub.stream(wantsMutations: false) }

    /// As ``events``, and with each change's making and confirmation: ``StoreEvent/outboxMutationEnqueued(model:id:_:_:)``
    /// and ``StoreEvent/outboxMutationProcessed(model:id:_:_:)``.
    public var eventsWithMutations: AsyncStream<StoreEvent> { eventHub.stream(wantsMutations: true) }
}
