import Basics

/// Passes a store's events to any number of readers; each keeps the newest thousand for itself.
final class EventHub: Sendable {
    private struct Reader: Sendable {
        let continuation: AsyncStream<StoreEvent>.Continuation
        let wantsMutations: Bool
    }

    private struct State: Sendable {
        var readers: [Int: Reader] = [:]
        var next = 1
        var isClosed = false
    }

    private let state = Locked(State())

    /// - Parameter wantsMutations: whether each change's making and confirmation is told too.
    func stream(wantsMutations: Bool) -> AsyncStream<StoreEvent> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1000)) { continuation in
            let token = state.withLock { state -> Int? in
                guard !state.isClosed else { return nil }
                state.readers[state.next] = Reader(continuation: continuation, wantsMutations: wantsMutations)
                state.next += 1
                return state.next - 1
            }
            guard let token else { return continuation.finish() }
            continuation.onTermination = { [weak self] _ in
                let gone = self?.state.withLock { $0.readers.removeValue(forKey: token) }
                _ = gone
            }
        }
    }

    /// Whether anybody reads of single mutations.
    var tellsMutations: Bool { state.withLock { $0.readers.values.contains { $0.wantsMutations } } }

    func send(_ event: StoreEvent) {
        let isMutation = event.isMutation
        for reader in state.current.readers.values where reader.wantsMutations || !isMutation {
            reader.continuation.yield(event)
        }
    }

    func close() {
        let readers = state.withLock { state in
            state.isClosed = true
            defer { state.readers.removeAll() }
            return Array(state.readers.values)
        }
        for reader in readers { reader.continuation.finish() }
    }
}

extension StoreEvent {
    /// Whether it tells of one change's way, as very many events may.
    var isMutation: Bool {
        switch self {
        case .outboxMutationEnqueued, .outboxMutationProcessed: true
        default: false
        }
    }
}
