import Basics
import Models

extension DataStore {
    /// The names of models in which something changed, here or elsewhere; all that comes while the reader is busy comes
    /// together as one set. Ends when the store closes or the reader's task is cancelled.
    public func changedModels() -> AsyncStream<Set<String>> {
        let pending = Locked<Set<String>>([])
        // The stream carries only the word that something is pending: a slow reader takes all of it at once.
        let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let hub = hub
        let tokens = schema.models.compactMap { model in
            let name = model.name
            return hub.add(name) { news in
                switch news {
                case .changes, .reset, .synced:
                    pending.withLock { _ = $0.insert(name) }
                    wake.yield()
                case .related, .outbox: break
                case .closed: wake.finish()
                }
            }?.token
        }
        if tokens.isEmpty { wake.finish() }
        wake.onTermination = { _ in for token in tokens { hub.remove(token) } }
        return AsyncStream { () async -> Set<String>? in
            for await _ in wakes {
                let models = pending.withLock { pending in
                    defer { pending = [] }
                    return pending
                }
                if !models.isEmpty { return models }
            }
            return nil
        }
    }
}
