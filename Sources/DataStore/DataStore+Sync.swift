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
        event.driverProblem.map(options.tell)
    }

    /// Begins to synchronise; without a driver it does nothing. Any number of calls.
    ///
    /// One process synchronises a store. Where another does already, this one follows its changes, and takes its place
    /// soon after it is gone.
    public func start() async throws {
        let started = try await lifecycle.start(port)
        await tellReadersOfPolicies()
        if started == .following {
            await followCompleteness()
            emit(.networkStatus(isActive: false, detail: "another process synchronises this store"))
        }
    }

    /// Ends synchronising; data and outbox stay. When it returns, the driver touches nothing any more.
    public func stop() async {
        if await lifecycle.stop() { emit(.stopped) }
    }

    /// What another process has fetched completely is complete here too.
    private func followCompleteness() async {
        guard driver != nil, let complete = try? await writer.perform({ try $0.completeModels() }) else { return }
        for model in received.current { hub.setSynced(model, complete.contains(model)) }
    }

    /// Looks once whether another process changed the store: readers look again, and a follower may become the one that
    /// synchronises. The store does so by itself every ``StoreOptions/followInterval``.
    public func followForeignChanges() async throws {
        let changed = try await writer.perform { try $0.noticeForeignChanges() }
        if changed, isRunning.current { driver?.outboxChanged() }
        let wasRunning = isRunning.current
        let started = try await lifecycle.follow(port)
        let havePoliciesChanged = havePoliciesChanged.withLock { changed in
            defer { changed = false }
            return changed
        }
        if havePoliciesChanged || wasRunning != isRunning.current { await tellReadersOfPolicies() }
        if changed, started == .following { await followCompleteness() }
    }

    /// What to do with unsent changes when all is cleared.
    public enum ClearMode: Sendable, Hashable {
        /// Refuse if anything is unsent.
        case refuse
        /// Send everything first, for at most so many milliseconds.
        case flush(timeout: Int64)
        /// Write it to a file, one JSON object a line, for ``Outbox/importFile(_:)`` of another store; then give it up as
        /// ``discard`` does.
        case export(to: String)
        /// Give it up, with what was confirmed and with the backups that migrations left beside the store.
        case discard
    }

    /// Removes all records, marks and sent or given-up changes; the store's name, counters and settings stay.
    ///
    /// Synchronising rests meanwhile and then fetches everything anew.
    /// - Throws: ``StoreError/unsentChanges(_:)``, ``StoreError/flushTimedOut(left:)``; nothing is cleared then.
    public func clear(_ mode: ClearMode) async throws {
        if case .flush(let timeout) = mode { try await flush(timeout: timeout) }
        try await lifecycle.resting(port) { [writer, hub, driver, received] in
            try await writer.perform { core in
                let path = mode.exportPath
                try core.clear(discardingUnsent: mode == .discard || path != nil, exportingTo: path)
            }
            if driver != nil { for model in received.current { hub.setSynced(model, false) } }
        }
    }

    /// Writes every waiting change to a file, one JSON object a line; the file is there whole or not at all.
    ///
    /// It is for a store that takes this one's place. Both must not send the same changes: a backend knows a change again by
    /// its id and by who sent it, which is the device where no person is named, so that of two stores without persons the
    /// second's creates can be refused and its increments be added again. Once another store has taken the file in, clear
    /// this one, or take the changes back.
    @discardableResult
    public func exportOutbox(to path: String) async throws -> Int {
        try await writer.perform { try $0.exportOutbox(to: path) }
    }

    /// Waits until everything has been sent.
    ///
    /// - Throws: ``StoreError/flushTimedOut(left:)`` after so many milliseconds, ``StoreError/unsentChanges(_:)`` where
    ///   only parked changes are left and what waits behind them, or where nothing sends them because the store is local
    ///   only; `CancellationError` where its task was cancelled.
    public func flush(timeout: Int64) async throws {
        let events = events
        let isSent = { @Sendable [writer] () async throws -> Bool in
            let (left, isStuck) = try await writer.perform { ($0.outboxStatus.unsent, try $0.awaitsPerson()) }
            if isStuck { throw StoreError.unsentChanges(left) }
            return left == 0
        }
        if try await isSent() { return }
        if driver == nil { throw StoreError.unsentChanges(try await outboxStatus().unsent) }
        let done = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await case .outboxStatus(let status) in events where status.sending == 0 {
                    if try await isSent() { return true }
                }
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
            try Task.checkCancellation()
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
