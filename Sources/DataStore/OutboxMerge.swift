import Basics
import Models

/// A change as an outbox entry holds it.
struct PendingMutation: Hashable {
    var kind: MutationKind
    /// What to send.
    var fields: JSONObject
    /// What the fields held before; for a delete the whole record.
    var base: JSONObject
}

/// How a new change of a record joins the one that waits: pure rules.
///
/// | waiting | new | gives |
/// |---|---|---|
/// | create | update | one create with the newest values |
/// | create | delete | nothing: the backend never hears of it |
/// | update | update | one update over the first base; a field back at its base is no change |
/// | update | delete | one delete with the base before the update |
/// | delete | create | an update from what was deleted to what is new |
///
/// Only entries that were never sent are merged; the others are followed by a new one. A field back at its base is a change
/// all the same where the backend's record is known to hold something else by now, or to be deleted: somebody wrote it
/// here over that, and hears what becomes of it.
enum OutboxMerge {
    enum Result: Hashable {
        /// The waiting entry becomes this.
        case replace(PendingMutation)
        /// Both are gone.
        case cancel
        /// The two cannot follow one another: the record's state and the outbox disagree.
        case impossible
    }

    /// - Parameter kept: The backend's newer record, where one came while the change waited.
    static func merge(_ waiting: PendingMutation, _ new: PendingMutation, over kept: Shadow? = nil) -> Result {
        func isStill(_ before: JSONValue, _ field: String) -> Bool {
            guard let kept else { return true }
            return !kept.isDeleted && (kept.object[field] ?? .null) == before
        }
        switch (waiting.kind, new.kind) {
        case (.create, .update):
            var fields = waiting.fields
            for member in new.fields.members { fields.put(member.value.over(fields[member.key] ?? .null), member.key) }
            return .replace(PendingMutation(kind: .create, fields: fields, base: waiting.base))
        case (.create, .delete): return .cancel
        case (.update, .update):
            var fields = waiting.fields
            var base = waiting.base
            for member in new.fields.members {
                if fields[member.key] == nil { base[member.key] = new.base[member.key] }
                let value = fields[member.key].map { member.value.over($0) } ?? member.value
                fields[member.key] = value
                let before = base[member.key] ?? .null
                let isBack =
                    FieldOperation(value).map { $0.isNothing && kept?.isDeleted != true }
                    ?? (before == value && isStill(before, member.key))
                if isBack {
                    fields[member.key] = nil
                    base[member.key] = nil
                }
            }
            if fields.isEmpty { return .cancel }
            return .replace(PendingMutation(kind: .update, fields: fields, base: base))
        case (.update, .delete):
            var base = new.base
            for member in waiting.base.members { base.put(member.value, member.key) }
            return .replace(PendingMutation(kind: .delete, fields: new.fields, base: base))
        case (.delete, .create):
            var fields = JSONObject()
            var base = JSONObject()
            for key in Set(waiting.base.keys).union(new.fields.keys).sorted() {
                let before = waiting.base[key] ?? .null
                let after = new.fields[key] ?? .null
                if before != after || !isStill(before, key) {
                    fields[key] = after
                    base[key] = before
                }
            }
            if fields.isEmpty { return .cancel }
            return .replace(PendingMutation(kind: .update, fields: fields, base: base))
        case (.create, .create), (.update, .create), (.delete, .update), (.delete, .delete): return .impossible
        }
    }
}

extension JSONObject {
    /// Sets a member, or removes it where it holds nothing.
    mutating func put(_ value: JSONValue, _ key: String) {
        self[key] = value.isNull ? JSONValue?.none : .some(value)
    }
}
