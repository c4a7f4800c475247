import Basics
import ModelTables
import Models
import SQLite

/// The synchronous heart of a store over one connection.
///
/// Not Sendable: it belongs to one thread, the writer executor's or a simulator's.
public final class StoreCore {
    let context: StoreContext
    /// Names this store for good; a copy or a new file has another.
    public let storeID: String
    /// Gets what the store tells about itself, after the commit it belongs to; called on the store's thread.
    package var onEvent: ((StoreEvent) -> Void)?

    /// Whether somebody reads of single mutations now; where it is nil, ``onEvent`` decides.
    var listens: (() -> Bool)?
    var isListenedTo: Bool { listens?() ?? (onEvent != nil) }
    /// Whether somebody reads a model's changes; all are gathered where it is nil.
    var interest: ((String) -> Bool)?
    var log = CommitLog()
    var events: [StoreEvent] = []
    var problems: [StoreProblem] = []
    /// Entries by state, of each lane.
    var counts: [String: OutboxStatus] = [:]
    var countsChanged = false
    /// Models that may have tombstones or waiting deletes. Never shrinks while open.
    var deletions: Set<String> = []
    /// Whether there may be rows in `_shadow`. Never falls while open.
    var hasShadows = false
    /// Whether entries may be marked as held (``HeldEntries``). Never falls while open.
    var hasHeldEntries = false
    /// How many entries were looked at for the batches taken so far, for tests.
    var lookedAt = 0
    /// The uptime at which a batch was last put together.
    var gatheredAt: Int64 = .min
    /// Whether there may be rows in `_quarantine`. Never falls while open.
    var hasQuarantine = false
    /// Fields that rows here lack since the schema was changed, by model: what was fetched before did not have them.
    var lackedFields: [String: [String]] = [:]
    /// Whether entries may belong to units. Never falls while open.
    var hasUnits = false
    /// The entries made so far of the unit that is being written.
    var openUnit: Set<Int64>?
    /// Which life of the backend answers; nil where it has none, or none is known yet.
    var life: BackendLife?
    /// The policies that this process would have hold: those it was opened with, or that were set since.
    var ownPolicies: [String: SyncPolicy]
    /// How many times policies were set when this process last looked, or set them itself.
    var policyChanges: Int64 = 0
    /// Whether another process made other policies hold and nobody was told of it yet.
    var havePoliciesChanged = false
    /// Is told, after a transaction, that another process has made other policies hold.
    var onPolicies: (() -> Void)?
    /// Models that are fetched from the beginning again, of which nobody was told yet.
    var begunAnew: Set<String> = []
    /// Is told, after a transaction, that models are not complete any more.
    var onBegunAnew: ((Set<String>) -> Void)?
    /// Whether opening is over.
    private(set) var isOpen = false
    /// Counts what went into the journal since it was opened.
    var journaled = 0
    /// Parents seen in this store, so that each is looked up once.
    var knownParents: Set<ByteText> = []
    /// Uptime before which an entry is not sent again.
    var retryAt: [Int64: Int64] = [:]
    var lastDataVersion: Int64?
    /// The state of the file that ``refreshFlags()`` last read, as far as other processes wrote it.
    var flagsVersion: Int64?
    /// The greatest number that an entry was ever given.
    var lastOrder: Int64 = 0
    /// Whether entries went, so that their numbers must be kept from being given again.
    var removedEntries = false
    private var observers: [(token: Int, body: (CommittedChanges) -> Void)] = []
    private var nextToken = 1
    private var undelivered: [() -> Void] = []
    private var isDelivering = false
    private var transaction: StoreTransaction?
    private(set) var isClosed = false

    /// Opens or makes the store, migrating its tables where the schema grew.
    ///
    /// - Throws: ``StoreError`` where the file cannot be opened, is damaged or was made by a newer version.
    public convenience init(schema: Schema, at location: StoreLocation, options: StoreOptions) throws {
        try self.init(schema: schema, in: location.adapter, options: options)
    }

    /// Opens or makes the store in what an adapter gives.
    public convenience init(schema: Schema, in storage: any StorageAdapter, options: StoreOptions) throws {
        let tables = StoreContext.tables(schema, options)
        let (connection, generation) = try StoreOpening.open(schema, storage, tables, options)
        try self.init(
            StoreContext(
                schema: schema, options: options, connection: connection, tables: tables, generation: generation))
    }

    init(_ context: StoreContext) throws {
        self.context = context
        ownPolicies = context.options.policies
        storeID = try storeErrors {
            try context.connection.value("SELECT \"value\" FROM \"_meta\" WHERE \"key\"='storeID'")?.text ?? ""
        }
        try storeErrors {
            try refreshFlags()
            lastDataVersion = try connection.dataVersion
            try recheckQuarantine()
            try adoptPolicies()
        }
        isOpen = true
    }

    /// The models.
    public var schema: Schema { context.schema }
    /// How it was opened.
    public var options: StoreOptions { context.options }
    var connection: Connection { context.connection }

    /// Runs `body` in one transaction that is durable when this returns, or has not happened when it throws.
    ///
    /// - Parameter identity: Who acts; the outbox entries go out under this name.
    /// - Throws: What `body` throws, or ``StoreError``.
    @discardableResult
    public func write<R>(as identity: String?, _ body: (StoreTransaction) throws -> R) throws -> R {
        try commit(identity, .full, body)
    }

    /// Runs `body` over one state of the store; writing in it throws ``StoreError/readOnly``.
    public func read<R>(_ body: (StoreTransaction) throws -> R) throws -> R {
        if isClosed { throw StoreError.closed }
        if transaction != nil { return try body(StoreTransaction(context, core: nil, identity: nil)) }
        return try context.read(body)
    }

    @discardableResult
    func commit<R>(
        _ identity: String?, _ durability: Durability, _ body: (StoreTransaction) throws -> R
    ) throws -> R {
        if isClosed { throw StoreError.closed }
        guard transaction == nil else {
            throw StoreError.database("a transaction was begun inside another; pass the transaction on instead")
        }
        var before = remembered
        let result: R
        do {
            result = try storeErrors {
                try connection.transaction(.immediate, durability: durability) {
                    try refreshForeignFlags()
                    before = remembered
                    let current = StoreTransaction(context, core: self, identity: identity)
                    transaction = current
                    defer {
                        transaction = nil
                        current.isOver = true
                    }
                    let result = try body(current)
                    if let failure = current.failure { throw failure }
                    if removedEntries { try keepLastOrder() }
                    return result
                }
            }
        } catch {
            remembered = before
            openUnit = nil
            removedEntries = false
            countsChanged = false
            log = CommitLog()
            events.removeAll()
            problems.removeAll()
            begunAnew.removeAll()
            knownParents.removeAll()
            throw error
        }
        committed()
        return result
    }

    private func committed() {
        let changes = log.take(interest)
        var told = events
        events.removeAll(keepingCapacity: true)
        if countsChanged {
            countsChanged = false
            told.append(.outboxStatus(outboxStatus))
        }
        if !changes.isEmpty {
            for observer in observers { undelivered.append { observer.body(changes) } }
        }
        for event in told { undelivered.append { [weak self] in self?.onEvent?(event) } }
        // What was let go between two choices is not here, though the policies may be those of before.
        if havePoliciesChanged, let complete = try? completeModels() {
            begunAnew.formUnion(schema.models.map(\.name).filter { !complete.contains($0) })
        }
        if !begunAnew.isEmpty {
            let models = begunAnew
            begunAnew.removeAll()
            undelivered.append { [weak self] in self?.onBegunAnew?(models) }
        }
        if havePoliciesChanged {
            havePoliciesChanged = false
            undelivered.append { [weak self] in self?.onPolicies?() }
        }
        for problem in problems { undelivered.append { [options] in options.tell(of: problem) } }
        problems.removeAll()
        guard !isDelivering else { return }
        // What an observer writes is delivered after what it was told: everyone sees commits in their order.
        isDelivering = true
        var index = 0
        while index < undelivered.count {
            undelivered[index]()
            index += 1
        }
        undelivered.removeAll(keepingCapacity: true)
        isDelivering = false
    }

    /// Calls `body` after every commit that changed something, until the token is removed.
    public func addObserver(_ body: @escaping (CommittedChanges) -> Void) -> Int {
        defer { nextToken += 1 }
        observers.append((nextToken, body))
        return nextToken
    }

    /// Ends what ``addObserver(_:)`` began.
    public func removeObserver(_ token: Int) { observers.removeAll { $0.token == token } }

    /// Lets the file go; every later call throws ``StoreError/closed``.
    public func close() {
        isClosed = true
        observers.removeAll()
        onEvent = nil
        onPolicies = nil
        onBegunAnew = nil
        if context.connection.path != nil { _ = try? connection.checkpoint(.truncate) }
    }

    func note(
        _ kind: Change.Kind, _ table: StoreTable, _ id: String, _ values: @autoclosure () -> [Value], isLocal: Bool
    ) {
        let model = table.model.name
        guard !observers.isEmpty, interest?(model) ?? true else {
            log.touch(model)
            return
        }
        log.add(
            Change(model: model, id: id, kind: kind, isLocal: isLocal, record: table.record(values())))
    }

    func count(_ identity: String?, _ body: (inout OutboxStatus) -> Void) {
        body(&counts[laneText(identity), default: OutboxStatus()])
        countsChanged = true
        log.touchedOutbox = true
    }

    /// How much waits, of everybody.
    public var outboxStatus: OutboxStatus {
        var result = OutboxStatus()
        for status in counts.values {
            result.queued += status.queued
            result.sending += status.sending
            result.parked += status.parked
        }
        return result
    }
}
