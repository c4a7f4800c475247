import Basics
import Models

extension DataStore {
    /// What the driver may do; also for tests that play the driver.
    package var port: SyncPort {
        SyncPort(work: { [writer] in writer.enqueue($0) }, emit: { [weak self] in self?.emit($0) })
    }

    private func emit(_ event: StoreEvent) {
        if case .modelSynced(let model, _, _) = event { hub.setSynced(model, true) }
        eventHub.send(event)
    }

    /// Begins to synchronise; without a driver it does nothing. Any number of calls.
    ///
    /// One process synchronises a store. Where another does already, this one follows its changes, and takes its place at
    /// the next ``followForeignChanges()`` after it is gone.
    public func start() async throws {
        if try await lifecycle.start(port) == .following {
            emit(.networkStatus(isActive: false, detail: "another process synchronises this store"))
        }
    }

    /// Ends synchronising; data and outbox stay. When it returns, the driver touches nothing any more.
    public func stop() async {
        await lifecycle.stop()
        emit(.stopped)
    }

    /// Looks once whether another process changed the store: readers look again, and a follower may become the one that
    /// synchronises. For a timer, where processes share a store.
    public func followForeignChanges() async throws {
        let changed = try await writer.perform { try $0.noticeForeignChanges() }
        if changed { driver?.outboxChanged() }
        _ = try await lifecycle.follow(port)
    }

    /// What to do with unsent changes when all is cleared.
    public enum ClearMode: Sendable, Hashable {
        /// Refuse if anything is unsent.
        case refuse
        /// Send everything first, for at most so many milliseconds.
        case flush(timeout: Int64)
        /// Give it up.
        case discard
    }

    /// Removes all records, marks and sent or given-up changes; the store's name, counters and settings stay.
    ///
    /// Synchronising rests meanwhile and then fetches everything anew.
    /// - Throws: ``StoreError/unsentChanges(_:)``, ``StoreError/flushTimedOut(left:)``; nothing is cleared then.
    public func clear(_ mode: ClearMode) async throws {
        if case .flush(let timeout) = mode { try await flush(timeout: timeout) }
        try await lifecycle.resting(port) { [writer, hub, driver] in
            try await writer.perform { try $0.clear(discardingUnsent: mode == .discard) }
            if driver != nil { hub.resetSynced() }
        }
    }

    /// Waits until everything has been sent.
    ///
    /// - Throws: ``StoreError/flushTimedOut(left:)`` after so many milliseconds, ``StoreError/unsentChanges(_:)`` where
    ///   only parked changes are left.
    public func flush(timeout: Int64) async throws {
        let events = events
        let isSent = { @Sendable (status: OutboxStatus) throws -> Bool in
            if status.queued + status.sending > 0 { return false }
            if status.parked > 0 { throw StoreError.unsentChanges(status.parked) }
            return true
        }
        if try isSent(try await outboxStatus()) { return }
        let done = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await case .outboxStatus(let status) in events where try isSent(status) { return true }
                return false
            }
            group.addTask {
                try await Task.sleep(for: .milliseconds(timeout))
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
        if !done {
            let left = try await outboxStatus().unsent
            if left > 0 { throw StoreError.flushTimedOut(left: left) }
        }
    }

    /// How much waits, of everybody; costs nothing.
    public func outboxStatus() async throws -> OutboxStatus {
        try await writer.perform { $0.outboxStatus }
    }

    /// How many entries wait, by who made them.
    public func unsentCounts() async throws -> [(identity: String?, count: Int)] {
        try await writer.perform { try $0.read { try $0.unsentCounts() } }
    }

    /// The outbox: what waits, and what a person can do about it.
    public var outbox: Outbox { Outbox(store: self) }

    /// Rows from the backend that this program does not understand, kept aside.
    public func quarantined() async throws -> [UnreadableRecord] {
        try await writer.perform { try $0.quarantined() }
    }
}

/// The local changes that the backend does not have yet.
public struct Outbox: Sendable {
    let store: DataStore

    /// Entries in their order.
    public func list(
        state: MutationState? = nil, identity: String?? = .none, after: Int64 = 0, limit: Int = 1000
    ) async throws -> [OutboxEntry] {
        try await store.read { try $0.outbox(state: state, identity: identity, after: after, limit: limit) }
    }

    /// An entry and its fields side by side: base, sent, here, there.
    public func show(_ order: Int64) async throws -> (entry: OutboxEntry, differences: [OutboxDifference]) {
        try await store.read { transaction in
            guard let entry = try transaction.outboxEntry(order) else { throw StoreError.unknownEntry(order) }
            return (entry, try transaction.difference(entry))
        }
    }

    /// Lets a parked entry be sent again.
    public func retry(_ order: Int64) async throws {
        try await store.transaction { try $0.retryOutbox(order) }
    }

    /// Takes a change back; refused for create-only models.
    public func revert(_ order: Int64) async throws {
        try await store.transaction { try $0.revertOutbox(order) }
    }

    /// Sends other values in place of an entry's; refused for create-only models.
    public func edit(_ order: Int64, fields: JSONObject) async throws {
        try await store.transaction { try $0.editOutbox(order, fields: fields) }
    }

    /// The waiting entries as JSON, one a line, in parts.
    public func export(after: Int64 = 0, limit: Int = 1000) async throws -> (lines: [String], last: Int64?) {
        try await store.read { try $0.exportOutbox(after: after, limit: limit) }
    }

    /// Takes in exported entries; gives how many were new.
    @discardableResult
    public func importLines(_ lines: [String]) async throws -> Int {
        try await store.transaction { try $0.importOutbox(lines) }
    }
}
