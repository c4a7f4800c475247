import Basics

/// Passes a store's events to any number of readers; each keeps the newest thousand for itself.
final class EventHub: Sendable {
    private struct State: Sendable {
        var readers: [Int: AsyncStream<StoreEvent>.Continuation] = [:]
        var next = 1
        var isClosed = false
    }

    private let state = Locked(State())

    func stream() -> AsyncStream<StoreEvent> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1000)) { continuation in
            let token = state.withLock { state -> Int? in
                guard !state.isClosed else { return nil }
                state.readers[state.next] = continuation
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

    /// Whether anybody reads.
    var hasReaders: Bool { state.withLock { !$0.readers.isEmpty } }

    func send(_ event: StoreEvent) {
        for continuation in state.current.readers.values { continuation.yield(event) }
    }

    func close() {
        let readers = state.withLock { state in
            state.isClosed = true
            defer { state.readers.removeAll() }
            return Array(state.readers.values)
        }
        for continuation in readers { continuation.finish() }
    }
}
