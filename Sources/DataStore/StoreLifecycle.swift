import Basics
import System

/// Starts and stops the driver, one act after the other: every call is total and may be repeated.
actor StoreLifecycle {
    private let writer: StoreWriter
    private let driver: (any SyncDriver)?
    private let isRunning: Locked<Bool>
    private let lockPath: String?
    private var leaderLock: FileLock?
    private var isWanted = false
    private var isClosed = false
    private var tail: Task<Void, Never>?

    init(_ writer: StoreWriter, _ driver: (any SyncDriver)?, _ isRunning: Locked<Bool>, lockPath: String?) {
        self.writer = writer
        self.driver = driver
        self.isRunning = isRunning
        self.lockPath = lockPath
    }

    /// What ``start(_:)`` came to.
    enum Started: Sendable {
        /// The driver runs, or there is none.
        case running
        /// Another process synchronises this store.
        case following
    }

    /// Waits until the acts before are over, then runs `body`; an actor alone would let them overlap at each await.
    private func inOrder<R: Sendable>(_ body: @escaping @Sendable (isolated StoreLifecycle) async throws -> R)
        async throws
        -> R
    {
        let before = tail
        let act = Task { () -> Result<R, any Error> in
            await before?.value
            do { return .success(try await body(self)) } catch { return .failure(error) }
        }
        tail = Task { _ = await act.value }
        return try await act.value.get()
    }

    /// Whether it was started and another process synchronises.
    var isFollowing: Bool { isWanted && !isRunning.current && driver != nil && leaderLock == nil && lockPath != nil }

    func start(_ port: SyncPort) async throws -> Started {
        try await inOrder { me in
            if me.isClosed { throw StoreError.closed }
            me.isWanted = true
            return try await me.run(port)
        }
    }

    /// Tries again to become the one process that synchronises, where it is wanted and another was.
    func follow(_ port: SyncPort) async throws -> Started {
        try await inOrder { me in
            guard me.isWanted, !me.isClosed else { return .running }
            return try await me.run(port)
        }
    }

    private func run(_ port: SyncPort) async throws -> Started {
        guard let driver, !isRunning.current else { return .running }
        if let lockPath, leaderLock == nil {
            do {
                leaderLock = try FileLock(lockPath)
            } catch is FileLock.Held {
                return .following
            }
        }
        try await writer.perform { core in
            try core.resetSending()
            try core.lead()
        }
        await tidy()
        isRunning.withLock { $0 = true }
        do {
            try await driver.start(port)
        } catch {
            await halt()
            throw error
        }
        return .running
    }

    /// Forgets what the journal holds too long, part by part: others work between them. What cannot be forgotten now is the
    /// next time.
    private func tidy() async {
        var next: Int64? = .min
        while let first = next { next = try? await writer.perform { try $0.pruneJournal(from: first) } }
    }

    /// Gives whether it was started.
    func stop() async -> Bool {
        let wasWanted = try? await inOrder { me in
            let wasWanted = me.isWanted
            me.isWanted = false
            await me.halt()
            return wasWanted
        }
        return wasWanted ?? false
    }

    private func halt() async {
        if isRunning.current { await driver?.stop() }
        isRunning.withLock { $0 = false }
        leaderLock = nil
    }

    /// Runs `body` while the driver rests, and starts it again if it ran.
    func resting(_ port: SyncPort, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await inOrder { me in
            if me.isClosed { throw StoreError.closed }
            let wasRunning = me.isRunning.current
            if wasRunning { await me.halt() }
            do {
                try await body()
            } catch {
                if wasRunning { await me.runAgain(port) }
                throw error
            }
            if wasRunning { await me.runAgain(port) }
        }
    }

    /// Goes on after a rest. What was done meanwhile is done, so that it fails is told and not thrown.
    private func runAgain(_ port: SyncPort) async {
        do {
            _ = try await run(port)
        } catch {
            port.emit(
                .failure(
                    StoreProblem(
                        .sync, .transient, message: "synchronising did not begin again: \(error)",
                        recovery: "start it again; what waits is kept")))
        }
    }

    func close() async {
        try? await inOrder { me in
            me.isWanted = false
            me.isClosed = true
            await me.halt()
        }
    }
}
