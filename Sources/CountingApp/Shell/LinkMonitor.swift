import Basics
import DataStore
import System

/// What the synchronisation engine knows about the link; handed in so that the app needs no engine.
package struct LinkFacts: Sendable, Hashable {
    /// Whether the link is up.
    package var isOnline: Bool
    /// The uptime at the last word from the hub.
    package var lastContactUptime: Int64?
    /// How far the hub's clock is ahead.
    package var clockOffsetMilliseconds: Int?
    /// Why synchronising is paused.
    package var pausedReason: String?
    /// When the sign-in ends that the hub renews no more.
    package var signInEnds: DateTime?

    package init(
        isOnline: Bool, lastContactUptime: Int64? = nil, clockOffsetMilliseconds: Int? = nil,
        pausedReason: String? = nil, signInEnds: DateTime? = nil
    ) {
        self.signInEnds = signInEnds
        self.isOnline = isOnline
        self.lastContactUptime = lastContactUptime
        self.clockOffsetMilliseconds = clockOffsetMilliseconds
        self.pausedReason = pausedReason
    }
}

/// Follows a store's events and keeps the link's state as the screens show it.
package final class LinkMonitor: Sendable {
    private let state: Locked<LinkState>
    private let readers = Locked<[Int: AsyncStream<Void>.Continuation]>([:])
    private let nextReader = Locked(0)
    private let task = Locked<Task<Void, Never>?>(nil)

    /// Follows `store`; `facts` is nil where nothing is synchronised, else asked at every event.
    package init(store: DataStore, facts: (@Sendable () -> LinkFacts)?) {
        var initial = LinkState()
        initial.isSyncing = facts != nil
        state = Locked(initial)
        let events = store.events
        let follow = Task { [weak self] in
            await self?.refreshUnsent(store)
            for await event in events {
                guard let self else { return }
                await self.take(event, store, facts)
            }
        }
        task.withLock { $0 = follow }
    }

    deinit {
        task.current?.cancel()
    }

    /// The state as it is now.
    package var current: LinkState { state.current }

    /// The state now and after every change; a slow reader gets the newest.
    package func states() -> AsyncStream<LinkState> {
        // The stream carries only the word that something changed: whoever takes it gets the state of that moment.
        let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number = nextReader.withLock { number in
            number += 1
            return number
        }
        readers.withLock { $0[number] = wake }
        wake.onTermination = { [weak self] _ in
            self?.readers.withLock { $0[number] = nil }
        }
        wake.yield()
        return AsyncStream { [weak self] () async -> LinkState? in
            for await _ in wakes { return self?.current }
            return nil
        }
    }

    private func take(_ event: StoreEvent, _ store: DataStore, _ facts: (@Sendable () -> LinkFacts)?) async {
        switch event {
        case .outboxStatus: await refreshUnsent(store)
        case .progress(let model, let rows):
            // Changes alone are few, and what is here already counts.
            update { state in
                let known = state.progress[model]?.rows ?? 0
                state.progress[model] = LinkState.SyncProgress(rows: max(known, rows), isComplete: false)
            }
        case .modelSynced(let model, _, let counts):
            let here = (try? await store.read { try $0.count(model: model) }) ?? counts.rows
            update { $0.progress[model] = LinkState.SyncProgress(rows: here, isComplete: true) }
        default: break
        }
        guard let facts = facts?() else { return }
        update { state in
            state.isOnline = facts.isOnline
            state.lastContactUptime = facts.lastContactUptime
            state.clockOffsetMilliseconds = facts.clockOffsetMilliseconds
            state.pausedReason = facts.pausedReason
            state.signInEnds = facts.signInEnds
        }
    }

    private func refreshUnsent(_ store: DataStore) async {
        // A failing read (a full disk, a store being closed) leaves the last numbers standing; the next event asks again.
        guard
            let (status, counts) = try? await store.read({ tx in
                (try tx.outboxStatus(), try tx.unsentCounts().map { ($0.identity ?? "", $0.count) })
            })
        else { return }
        update { state in
            state.unsent = status.unsent
            state.parked = status.parked
            state.isAsking = status.sending > 0
            state.unsentByPerson = Dictionary(counts, uniquingKeysWith: +)
        }
    }

    private func update(_ change: (inout LinkState) -> Void) {
        let isChanged = state.withLock { state in
            let before = state
            change(&state)
            return state != before
        }
        if isChanged { for reader in readers.current.values { reader.yield() } }
    }
}
