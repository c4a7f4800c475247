import Basics
import Models

/// Where a store lives.
public enum StoreLocation: Sendable, Hashable {
    /// In memory: gone with the store.
    case memory
    /// In the directory at this path, made where missing; the database is `store.sqlite` in it.
    case directory(String)
}

/// What the local side does when the backend answers a mutation with a conflict.
public enum ConflictResolution: Sendable, Hashable {
    /// The backend's record stands; the local change is given up, but for what it adds to `@counter` and `@set` fields,
    /// which takes nothing from anybody.
    case applyRemote
    /// The local change is sent again, based on the backend's record.
    case retryLocal
    /// This record is sent instead. What it has of `@counter` and `@set` fields as ``Conflict/local`` has it goes as the
    /// operation that it was.
    case retry(Record)
}

/// A conflict as the handler sees it.
public struct Conflict: Sendable, Hashable {
    /// The mutation that met it.
    public let entry: OutboxEntry
    /// The backend's record with this mutation in it; nil for a delete. What was changed here after it is not in it and goes
    /// by itself. Where the backend has deleted the record: as it is here.
    public let local: Record?
    /// The record as the backend has it.
    public let remote: RemoteRecord
}

/// How a store is opened.
public struct StoreOptions: Sendable {
    /// The clock.
    public var time: any TimeSource
    /// Where ids come from.
    public var random: any RandomSource
    /// Policies that replace the schema's `@sync`, by model: a supervisor's store syncs other models than a terminal's.
    ///
    /// One set of policies holds for a store, whoever has it open: those of whoever made it, then those of the process
    /// that synchronises it where it was opened with some, or that ``DataStore/setPolicies(_:)`` set last. Opening the
    /// store beside it changes none of them.
    public var policies: [String: SyncPolicy]
    /// Allows local changes of models that are only received (`DOWNSTREAM`); they make no outbox entries.
    ///
    /// For a store without a backend.
    public var isLocalOnly: Bool
    /// Models that this store treats as create-only, besides those whose `@auth` gives nobody an update or delete.
    public var createOnly: Set<String>
    /// Models whose parents are not checked at a local save, such as an importer's that takes files in any order.
    public var checksParents: Bool
    /// How the schema came to be what it is, for what a comparison with the stored one cannot tell: renamed and removed
    /// fields, values in another form. What is only new needs none.
    ///
    /// Run once each, in order, with the rows and the waiting changes in one transaction, after a backup.
    public var migrations: [SchemaVersion]
    /// Decides conflicts that the backend hands back; the backend's record stands by default.
    public var conflictHandler: @Sendable (Conflict) -> ConflictResolution
    /// Is told of everything that went wrong behind the scenes, in the store and in its driver, once each, with what can
    /// be done; mostly on the store's thread, so it must not block. Without one it is written to ``log``.
    public var errorHandler: (@Sendable (StoreProblem) -> Void)?
    /// How often another process's changes of the file are looked for, in milliseconds; nil for
    /// ``DataStore/followForeignChanges()`` alone.
    public var followInterval: Int64?
    /// Where what needs a developer's eye is written.
    public var log: Log
    /// How long changes that the backend has confirmed are kept, in milliseconds, so that one restored from a backup gets
    /// again what it lost: longer than backups are apart, no longer than the backend knows mutation ids. 0 keeps none.
    public var journalLifetime: Int64 = 30 * 86_400_000
    /// How many of them are kept at most.
    public var journalLimit = 200_000

    /// The defaults: the schema's policies, parents checked, the backend's record stands.
    public init(
        time: any TimeSource, random: any RandomSource = SystemRandom(), policies: [String: SyncPolicy] = [:],
        isLocalOnly: Bool = false, createOnly: Set<String> = [], checksParents: Bool = true,
        migrations: [SchemaVersion] = [],
        conflictHandler: @escaping @Sendable (Conflict) -> ConflictResolution = { _ in .applyRemote },
        errorHandler: (@Sendable (StoreProblem) -> Void)? = nil, followInterval: Int64? = 1000,
        log: Log = .none
    ) {
        self.time = time
        self.random = random
        self.policies = policies
        self.isLocalOnly = isLocalOnly
        self.createOnly = createOnly
        self.checksParents = checksParents
        self.migrations = migrations
        self.conflictHandler = conflictHandler
        self.errorHandler = errorHandler
        self.followInterval = followInterval
        self.log = log
    }

    /// The policy that holds for a model.
    public func policy(of model: ModelSchema) -> SyncPolicy { policies[model.name] ?? model.syncPolicy }

    /// Whether a model's records are never changed or deleted here.
    public func isCreateOnly(_ model: ModelSchema) -> Bool { model.isCreateOnly || createOnly.contains(model.name) }
}
