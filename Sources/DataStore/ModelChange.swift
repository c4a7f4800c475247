import Basics
import Models

/// A change of one record as a reader of ``DataStore/observe(_:)`` sees it.
public enum ModelChange<M: Model>: Sendable, Hashable {
    /// The record is new.
    case created(M, isLocal: Bool)
    /// The record is another now.
    case updated(M, isLocal: Bool)
    /// The record is gone.
    case deleted(id: String, isLocal: Bool)
    /// So much changed that the reader had better query again.
    case reset

    /// The record, where there still is one.
    public var item: M? {
        switch self {
        case .created(let item, _), .updated(let item, _): item
        case .deleted, .reset: nil
        }
    }

    /// Whose change it is; nil for a reset.
    public var id: String? {
        switch self {
        case .created(let item, _), .updated(let item, _): item.id
        case .deleted(let id, _): id
        case .reset: nil
        }
    }
}

extension ModelChange {
    /// Reads a committed change; nil where the record cannot be read as an `M`.
    init?(_ change: Change) {
        guard change.kind != .deleted else {
            self = .deleted(id: change.id, isLocal: change.isLocal)
            return
        }
        guard let record = change.record, let item = try? M(record) else { return nil }
        self =
            change.kind == .created
            ? .created(item, isLocal: change.isLocal) : .updated(item, isLocal: change.isLocal)
    }
}

/// Changes that wait for a reader: the newest of each record, in the order in which records first changed.
struct PendingChanges<M: Model>: Sendable {
    /// More changed records than this are told as one `.reset`.
    static var limit: Int { 10_000 }

    private var newest: [ByteText: ModelChange<M>] = [:]
    private(set) var order: [ByteText] = []
    private var head = 0
    private(set) var isReset = false

    var isEmpty: Bool { newest.isEmpty && !isReset }

    mutating func add(_ change: ModelChange<M>) {
        guard !isReset else { return }
        guard let id = change.id.map({ ByteText($0) }) else { return reset() }
        switch (newest[id], change) {
        case (nil, _):
            guard newest.count < Self.limit else { return reset() }
            newest[id] = change
            order.append(id)
            compact()
        case (.created, .updated(let item, let isLocal)): newest[id] = .created(item, isLocal: isLocal)
        case (.created, .deleted): newest[id] = nil
        case (.deleted, .created(let item, let isLocal)): newest[id] = .updated(item, isLocal: isLocal)
        default: newest[id] = change
        }
    }

    mutating func reset() {
        self = PendingChanges()
        isReset = true
    }

    /// Forgets the places of records that were taken, or that came and went.
    private mutating func compact() {
        guard order.count > 2 * Self.limit else { return }
        var seen: Set<ByteText> = []
        order = order[head...].filter { newest[$0] != nil && seen.insert($0).inserted }
        head = 0
    }

    /// Takes the oldest.
    mutating func takeFirst() -> ModelChange<M>? {
        if isReset {
            self = PendingChanges()
            return .reset
        }
        while head < order.count {
            let id = order[head]
            head += 1
            if let change = newest.removeValue(forKey: id) {
                if newest.isEmpty { self = PendingChanges() }
                return change
            }
        }
        self = PendingChanges()
        return nil
    }

    /// Takes all.
    mutating func takeAll() -> [ModelChange<M>] {
        defer { self = PendingChanges() }
        if isReset { return [.reset] }
        // A record that came, went and came again stands in the order twice.
        var seen: Set<ByteText> = []
        return order[head...].compactMap { seen.insert($0).inserted ? newest[$0] : nil }
    }
}
