import Models
import SQLite
import System

/// Owns the core on a thread of its own, where it may block on the disk.
actor StoreWriter {
    nonisolated let executor = ThreadExecutor(name: "store-writer")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private var core: StoreCore?

    /// Opens the store; `prepare` sees the core before anything else does. Gives the options that hold, and the generation
    /// of the schema.
    func open(
        _ schema: Schema, _ storage: any StorageAdapter, _ options: StoreOptions,
        _ prepare: @Sendable (StoreCore) -> Void
    ) throws -> (options: StoreOptions, generation: Int64?) {
        let core = try StoreCore(schema: schema, in: storage, options: options)
        prepare(core)
        self.core = core
        return (core.options, core.context.generation)
    }

    func perform<R: Sendable>(_ body: @Sendable (StoreCore) throws -> R) throws -> R {
        guard let core else { throw StoreError.closed }
        return try body(core)
    }

    /// Runs `body` on the thread, after everything enqueued before it; with nil once the store is closed.
    nonisolated func enqueue(_ body: @escaping @Sendable (StoreCore?) -> Void) {
        executor.async { self.assumeIsolated { body($0.core) } }
    }

    func close() {
        core?.close()
        core = nil
    }
}

/// Owns one read-only connection on a thread of its own; opened when first used.
actor StoreReader {
    nonisolated let executor = ThreadExecutor(name: "store-reader")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let schema: Schema
    private var options: StoreOptions
    private let storage: any StorageAdapter
    private let generation: Int64?
    private var context: StoreContext?
    private var isClosed = false

    init(_ schema: Schema, _ options: StoreOptions, _ storage: any StorageAdapter, generation: Int64?) {
        self.schema = schema
        self.options = options
        self.storage = storage
        self.generation = generation
    }

    func perform<R: Sendable>(_ body: @Sendable (StoreTransaction) throws -> R) throws -> R {
        if isClosed { throw StoreError.closed }
        let context = try self.context ?? open()
        self.context = context
        return try context.read(body)
    }

    /// What it says of models' policies follows the writer's.
    func setPolicies(_ policies: [String: SyncPolicy]) {
        options.policies = policies
        context?.setPolicies(policies)
    }

    private func open() throws -> StoreContext {
        try openingErrors {
            guard let connection = try storage.openReader() else {
                throw StoreError.database("the storage gives no connection for reading any more")
            }
            return StoreContext(
                schema: schema, options: options, connection: connection,
                tables: StoreContext.tables(schema, options), generation: generation)
        }
    }

    func close() {
        context = nil
        isClosed = true
    }
}
