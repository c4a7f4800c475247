import Basics
import Models

/// One transaction: what is read in it is one state, what is written becomes durable as one.
///
/// Confined to the closure it is given to. Logic is written as functions over it and so runs in the app, in the desk
/// and in a simulation alike.
public final class StoreTransaction {
    /// Who acts: the outbox entries of this transaction go out under this name.
    public let identity: String?
    /// The clock of the store.
    public let time: any TimeSource
    /// The randomness of the store, for new ids.
    public let random: any RandomSource

    init(identity: String?, time: any TimeSource, random: any RandomSource) {
        self.identity = identity
        self.time = time
        self.random = random
    }

    /// Keeps a record: new, or a changed copy of the one with the same key.
    ///
    /// Only the fields that differ travel. A record equal to the one kept changes nothing.
    public func save<M: Model>(_ model: M) throws { notBuilt() }
    /// Keeps a record if `condition` holds of the one kept now.
    public func save<M: Model>(_ model: M, where condition: Predicate<M>) throws { notBuilt() }
    /// Keeps an untyped record.
    public func save(_ record: Record) throws { notBuilt() }
    /// Removes a record and, before it, those that belong to it; no record is no error.
    public func delete<M: Model>(_ model: M) throws { notBuilt() }
    /// Removes the record with this key and those that belong to it; gives whether there was one.
    @discardableResult
    public func delete<M: Model>(_ type: M.Type, id: String) throws -> Bool { notBuilt() }
    /// Removes the records of which `condition` holds, and those that belong to them; gives how many matched.
    @discardableResult
    public func delete<M: Model>(_ type: M.Type, where condition: Predicate<M>) throws -> Int { notBuilt() }
    /// Removes an untyped record and those that belong to it.
    @discardableResult
    public func delete(model: String, id: String) throws -> Bool { notBuilt() }

    /// The record with this key.
    public func get<M: Model>(_ type: M.Type, id: String) throws -> M? { notBuilt() }
    /// The untyped record with this key.
    public func get(model: String, id: String) throws -> Record? { notBuilt() }
    /// The records of which `condition` holds.
    public func query<M: Model>(
        _ type: M.Type, where condition: Predicate<M> = .all, sort: [SortKey<M>] = [], page: Page? = nil
    ) throws -> [M] { notBuilt() }
    /// The first record of which `condition` holds.
    public func first<M: Model>(
        _ type: M.Type, where condition: Predicate<M> = .all, sort: [SortKey<M>] = []
    ) throws -> M? { notBuilt() }
    /// Untyped records.
    public func query(
        model: String, where condition: PredicateNode = .all, sort: [SortKeyNode] = [], page: Page? = nil
    ) throws -> [Record] { notBuilt() }
    /// How many records there are of which `condition` holds.
    public func count<M: Model>(_ type: M.Type, where condition: Predicate<M> = .all) throws -> Int { notBuilt() }
    /// Whether there is a record of which `condition` holds.
    public func exists<M: Model>(_ type: M.Type, where condition: Predicate<M> = .all) throws -> Bool { notBuilt() }

    /// The next number of a named counter of this store: 1, 2, 3 … without a gap, since a rolled-back transaction gives
    /// its numbers back.
    public func nextSequence(_ name: String) throws -> Int64 { notBuilt() }
    /// The last number given out, 0 before the first.
    public func currentSequence(_ name: String) throws -> Int64 { notBuilt() }
    /// A setting of this store; it never travels.
    public func setting(_ key: String) throws -> String? { notBuilt() }
    /// Changes a setting of this store; nil removes it.
    public func setSetting(_ key: String, _ value: String?) throws { notBuilt() }
    /// Where a record stands on its way to the backend.
    public func syncState(model: String, id: String) throws -> SyncState { notBuilt() }
    /// How many entries wait, of everyone or of one person.
    public func outboxStatus(identity: String?? = .none) throws -> OutboxStatus { notBuilt() }
    /// How many entries wait, by who made them.
    public func unsentCounts() throws -> [(identity: String?, count: Int)] { notBuilt() }
    /// How many unsent entries a model has.
    public func unsentCount(model: String) throws -> Int { notBuilt() }
}

func notBuilt() -> Never { fatalError("not built yet") }
