import Basics
import DataStore

/// Frames that only repeat what this device has sent itself: the answer brings the same record, and the store need not
/// take it in twice.
///
/// The first version of a record whose create is under way waits for the answer; what comes after the answer and is no
/// newer is nothing. Both are told by the version, never by the content.
struct OwnEchoes {
    private struct Key: Hashable {
        let model: String
        let id: ByteText

        init(_ model: String, _ id: String) {
            self.model = model
            self.id = ByteText(id)
        }
    }

    /// Answers that are remembered; their frames come within moments.
    private static let limit = 2000

    /// The records of creates under way, by the entry's order.
    private var keys: [Int64: Key] = [:]
    private var underWay: Set<Key> = []
    private var held: [Key: RemoteRecord] = [:]
    private var answered: [Key: Int64] = [:]

    /// How many frames wait for an answer.
    var heldCount: Int { held.count }

    /// These entries are on their way.
    mutating func sent(_ entries: [OutboxEntry]) {
        for entry in entries where entry.kind == .create {
            let key = Key(entry.model, entry.id)
            keys[entry.order] = key
            underWay.insert(key)
        }
    }

    /// Whether a frame's record is nothing for the store, or not yet.
    mutating func absorbs(_ record: RemoteRecord) -> Bool {
        if underWay.isEmpty && answered.isEmpty { return false }
        let key = Key(record.record.schema.name, record.record.id)
        if record.version == 1, !record.deleted, underWay.contains(key) {
            held[key] = record
            return true
        }
        return answered[key].map { record.version <= $0 } ?? false
    }

    /// An entry was decided: gives the frame that waited for it and that its answer did not replace.
    mutating func settled(_ result: MutationResult) -> RemoteRecord? {
        guard let key = keys.removeValue(forKey: result.order) else { return nil }
        underWay.remove(key)
        let record = held.removeValue(forKey: key)
        guard case .applied(let answer) = result.outcome else { return record }
        if answered.count >= Self.limit { answered.removeAll(keepingCapacity: true) }
        answered[key] = answer.version
        return record.flatMap { $0.version > answer.version ? $0 : nil }
    }

    /// What was answered may not be in the store any more; what is under way goes on.
    mutating func forgetAnswers() { answered.removeAll() }

    /// Nothing is under way any more.
    mutating func reset() { self = OwnEchoes() }
}
