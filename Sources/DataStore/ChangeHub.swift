import Basics
import Models

/// Passes committed changes to the readers of a store, on the store's own thread.
final class ChangeHub: Sendable {
    /// What a reader is told.
    enum News: Sendable {
        case changes([Change])
        /// So much changed that it must look again.
        case reset
        /// Another model that the reader looks at changed, or its own did where only a fresh look can tell how.
        case related
        /// The outbox holds other entries than before.
        case outbox
        /// Whether its model is complete.
        case synced(Bool)
        /// The store closed.
        case closed
    }

    private struct Reader: Sendable {
        let model: String
        let related: Set<String>
        let wantsOutbox: Bool
        let tell: @Sendable (News) -> Void
    }

    private struct State: Sendable {
        var readers: [Int: Reader] = [:]
        var next = 1
        var synced: Set<String> = []
        var isClosed = false
    }

    private let state = Locked(State())

    /// Adds a reader of one model; nil where the store is closed. Gives its token and whether the model is complete.
    ///
    /// - Parameters:
    ///   - related: other models of which it is told only that they changed; it is then told no more of its own.
    ///   - wantsOutbox: whether it is told of changes of the outbox.
    func add(
        _ model: String, related: Set<String> = [], wantsOutbox: Bool = false,
        _ tell: @escaping @Sendable (News) -> Void
    ) -> (token: Int, isSynced: Bool)? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            let token = state.next
            state.next += 1
            state.readers[token] = Reader(
                model: model, related: related, wantsOutbox: wantsOutbox, tell: tell)
            return (token, state.synced.contains(model))
        }
    }

    func remove(_ token: Int) {
        // The closure is let go outside the lock: it may hold the last reference to something that calls back.
        let gone = state.withLock { $0.readers.removeValue(forKey: token) }
        _ = gone
    }

    /// Whether somebody reads a model.
    func isRead(_ model: String) -> Bool {
        state.withLock { state in state.readers.values.contains { $0.model == model || $0.related.contains(model) } }
    }

    func publish(_ committed: CommittedChanges) {
        let readers = state.withLock { Array($0.readers.sorted { $0.key < $1.key }.map(\.value)) }
        if readers.isEmpty { return }
        let byModel = Dictionary(grouping: committed.changes, by: \.model)
        for reader in readers {
            if reader.wantsOutbox, committed.touchedOutbox { reader.tell(.outbox) }
            if !reader.related.isEmpty {
                let touched = { byModel[$0] != nil || committed.resetModels.contains($0) }
                if touched(reader.model) || reader.related.contains(where: touched) { reader.tell(.related) }
            } else if committed.resetModels.contains(reader.model) {
                reader.tell(.reset)
            } else if let changes = byModel[reader.model] {
                reader.tell(.changes(changes))
            }
        }
    }

    /// Another process wrote the file: everyone looks again.
    func resetAll() {
        for reader in state.current.readers.values { reader.tell(.reset) }
    }

    func setSynced(_ model: String, _ flag: Bool) {
        let readers = state.withLock { state in
            let isNew = flag ? state.synced.insert(model).inserted : state.synced.remove(model) != nil
            return isNew ? state.readers.values.filter { $0.model == model } : []
        }
        for reader in readers { reader.tell(.synced(flag)) }
    }

    func close() {
        let readers = state.withLock { state in
            state.isClosed = true
            defer { state.readers.removeAll() }
            return Array(state.readers.values)
        }
        for reader in readers { reader.tell(.closed) }
    }
}
